"""DICOM files of every kind, and what is refused; decoded values against pydicom's own."""

import contextlib
import io
import logging
import sys
import tracemalloc
import warnings
import zlib

import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from skpneumo.exceptions import ImageReadError, LowContrastWarning
from skpneumo.images import read_header, read_records, read_xray, resize_xray

NAME, IDENTIFIER, BIRTH = "Doe^Jane", "4711-0815", "20190203"


@pytest.fixture
def stored():
    """Values of 12 bits, of odd sides, each row another."""
    return np.random.default_rng(0).integers(100, 4000, (37, 23)).astype(np.uint16)


def radiograph(pixels, *, n_bits=None, syntax=ExplicitVRLittleEndian, **elements):
    """Smallest dataset that holds these pixels; None leaves an element out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "DX"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = NAME, IDENTIFIER, BIRTH
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored = n_bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    dataset["PixelData"].VR = "OW"
    for name, value in elements.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


def written(dataset, *, preamble=True):
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=preamble)
    return file.getvalue()


def stretched(values):
    values = values.astype(float)
    return np.round(255 * (values - values.min()) / (values.max() - values.min()))


def table(first, entries, *, n_bits=16):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, n_bits]
    item.LUTData = [int(entry) for entry in entries]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    return [item]


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_every_way_of_writing_elements(stored, syntax):
    image = read_xray(written(radiograph(stored, n_bits=12, syntax=syntax)))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, stretched(stored))


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("keep_meta", [False, True])
def test_files_without_preamble(stored, syntax, keep_meta):
    dataset = radiograph(stored, n_bits=12, syntax=syntax)
    data = written(dataset)[132:]
    if not keep_meta:
        length = int.from_bytes(data[8:12], "little")
        data = data[12 + length :]
    np.testing.assert_array_equal(read_xray(data), stretched(stored))


def test_the_name_of_the_file_does_not_count(tmp_path, stored):
    path = tmp_path / "scan.jpeg"
    path.write_bytes(written(radiograph(stored)))
    np.testing.assert_array_equal(read_xray(path), stretched(stored))
    with open(path, "rb") as file:
        np.testing.assert_array_equal(read_xray(file), stretched(stored))
        assert not file.closed


def test_eight_bits_stay_what_they_are():
    pixels = np.arange(7 * 12, dtype=np.uint8).reshape(7, 12) + 90
    np.testing.assert_array_equal(read_xray(written(radiograph(pixels))), pixels)


def test_signed_values(stored):
    signed = stored.astype(np.int16) - 2000
    image = read_xray(written(radiograph(signed, n_bits=13)))
    np.testing.assert_array_equal(image, stretched(signed))


def test_bits_beside_the_stored_ones_do_not_count(stored):
    shifted = (stored << 4) | 5
    image = read_xray(written(radiograph(shifted, n_bits=12, HighBit=15)))
    np.testing.assert_array_equal(image, stretched(stored))
    image = read_xray(written(radiograph(stored | 0xA000, n_bits=12)))
    np.testing.assert_array_equal(image, stretched(stored))


def test_monochrome1_is_inverted(stored):
    dataset = radiograph(stored, n_bits=12, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_xray(written(dataset)), 255 - stretched(stored))


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("slope", [1, 0.5, -2])
def test_windows_are_as_in_pydicom(stored, function, slope):
    dataset = radiograph(
        stored,
        n_bits=12,
        RescaleSlope=slope,
        RescaleIntercept=-300,
        WindowCenter=[1700 * slope, 10],
        WindowWidth=[1200, 5],
    )
    if function is not None:
        dataset.VOILUTFunction = function
    ends = np.array([-1e5, 1e5])
    shown = apply_voi_lut(apply_modality_lut(stored, dataset), dataset)
    low, high = apply_voi_lut(ends, dataset)
    expected = 255 * (shown - low) / (high - low)
    image = read_xray(written(dataset)).astype(float)
    assert np.abs(image - expected).max() <= 0.5 + 1e-6
    assert image.std() > 20


def test_tables_are_as_in_pydicom(stored):
    modality = np.sqrt(np.arange(4096)) * 1000
    interest = np.arange(5000)[::-1] * 12
    dataset = radiograph(
        stored,
        n_bits=12,
        ModalityLUTSequence=table(0, modality),
        VOILUTSequence=table(20_000, interest),
        WindowCenter=3,
        WindowWidth=4,
    )
    dataset.ModalityLUTSequence[0].ModalityLUTType = "US"
    shown = apply_voi_lut(apply_modality_lut(stored, dataset), dataset).astype(float)
    expected = 255 * shown / (2**16 - 1)
    assert np.abs(read_xray(written(dataset)) - expected).max() <= 0.5 + 1e-6


def test_a_table_of_eight_bits_takes_values_of_twelve(stored):
    entries = np.arange(4096) // 16
    dataset = radiograph(stored, n_bits=12, VOILUTSequence=table(0, entries, n_bits=8))
    np.testing.assert_array_equal(read_xray(written(dataset)), stored // 16)


@pytest.mark.parametrize("n_entries", [255, 256])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_the_byte_that_fills_up_a_table_of_eight_bits_is_no_entry(n_entries, syntax):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    entries = np.arange(n_entries)[::-1].astype(np.uint8)
    tables = table(0, entries, n_bits=8)
    tables[0].add_new("LUTData", "OW", entries.tobytes() + b"\xc8" * (n_entries % 2))
    image = read_xray(written(radiograph(pixels, syntax=syntax, VOILUTSequence=tables)))
    np.testing.assert_array_equal(image, entries[np.minimum(pixels, n_entries - 1)])


@pytest.mark.parametrize(
    ("n_bits", "white"), [(12, 4095), (16, 4095), (8, 2047), (0, 2047), (17, 2047)]
)
def test_a_table_is_shown_over_the_bits_of_its_entries(n_bits, white):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    entries = np.arange(1000, 1512, 2)
    tables = table(0, entries, n_bits=n_bits)
    image = read_xray(written(radiograph(pixels, VOILUTSequence=tables)))
    np.testing.assert_array_equal(image, np.round(255 * entries[pixels] / white))


@pytest.mark.parametrize(
    "broken",
    [
        {"WindowCenter": 10, "WindowWidth": 0},
        {"WindowCenter": 10},
        {"VOILUTSequence": table(0, [7, 7, 7])},
    ],
)
def test_what_is_no_window_is_left_aside(stored, broken):
    with pytest.warns(LowContrastWarning, match="leave no picture: the full range is shown"):
        image = read_xray(written(radiograph(stored, n_bits=12, **broken)))
    np.testing.assert_array_equal(image, stretched(stored))


def test_the_warning_names_the_file_and_points_at_the_caller(tmp_path, stored):
    path = tmp_path / "scan.dcm"
    path.write_bytes(written(radiograph(stored, n_bits=12, WindowCenter=9000, WindowWidth=10)))
    with pytest.warns(LowContrastWarning, match=r"scan\.dcm: its windows and VOI LUTs") as caught:
        read_xray(path)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LowContrastWarning):
            read_xray(path)


@pytest.mark.parametrize("syntax", ["4.91", "4.81"])
def test_a_lossy_image_does_not_wrap_where_it_overshoots(syntax):
    rows, columns = np.mgrid[0:61, 0:43]
    pixels = np.where((rows // 9 + columns // 7) % 2, 2047, -2048).astype(np.int16)
    if syntax == "4.81":
        pixels = (pixels + 2048).astype(np.uint16)
        stream = imagecodecs.jpegls_encode(pixels, level=20)
    else:
        stream = imagecodecs.jpeg2k_encode(pixels, level=60, codecformat="J2K")
    dataset = radiograph(pixels, n_bits=12, syntax=pydicom.uid.UID(f"1.2.840.10008.1.2.{syntax}"))
    dataset.PixelData = pydicom.encaps.encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    assert np.abs(read_xray(written(dataset)) - stretched(pixels)).max() < 40


@pytest.mark.parametrize("crossing", [0, 2048])
def test_the_sign_of_a_codestream_is_the_one_that_makes_neighbours_similar(crossing):
    rows, columns = np.mgrid[0:61, 0:43]
    values = 40 * rows + 30 * columns - (1800 if crossing == 0 else 0)
    words = np.where(values >= 2048, values - 4096, values).astype(np.int16)
    stream = imagecodecs.jpeg2k_encode(words, level=0, bitspersample=12, codecformat="J2K")
    dataset = radiograph(
        words, n_bits=12, syntax=pydicom.uid.JPEG2000Lossless, PixelRepresentation=0
    )
    dataset.PixelData = pydicom.encaps.encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    np.testing.assert_array_equal(read_xray(written(dataset)), stretched(values))


@pytest.mark.parametrize("colours", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("limit", [None, 64_100])
def test_padding_is_black_and_stretches_nothing(stored, colours, limit):
    padded = stored.copy()
    padded[:5], padded[5:9] = 64_000, 64_100
    dataset = radiograph(padded, PhotometricInterpretation=colours)
    dataset.add_new("PixelPaddingValue", "US", 64_000)
    n_black = 5
    if limit is not None:
        dataset.add_new("PixelPaddingRangeLimit", "US", limit)
        n_black = 9
    image = read_xray(written(dataset))
    assert not image[:n_black].any()
    rest = stretched(padded[n_black:])
    np.testing.assert_array_equal(image[n_black:], rest if colours[-1] == "2" else 255 - rest)


@pytest.mark.parametrize("padding", [0, 200, 255])
@pytest.mark.parametrize("colours", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_leaves_other_values_of_eight_bits_as_they_are(padding, colours):
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    dataset = radiograph(pixels, PhotometricInterpretation=colours)
    dataset.add_new("PixelPaddingValue", "US", padding)
    shown = pixels if colours[-1] == "2" else 255 - pixels
    np.testing.assert_array_equal(
        read_xray(written(dataset)), np.where(pixels == padding, 0, shown)
    )


@pytest.mark.parametrize("stated", [("SS", -2000), ("US", 2**16 - 2000), ("US", 2**13 - 2000)])
def test_signed_padding(stored, stated):
    padded = stored.astype(np.int16)
    padded[0] = -2000
    dataset = radiograph(padded, n_bits=13)
    dataset.add_new("PixelPaddingValue", *stated)
    image = read_xray(written(dataset))
    assert not image[0].any()
    np.testing.assert_array_equal(image[1:], stretched(padded[1:]))


def test_an_image_of_one_value_is_black(stored):
    assert not read_xray(written(radiograph(np.full_like(stored, 900)))).any()


@pytest.mark.parametrize("aspect", ["stretch", "crop", "pad"])
def test_sizes(stored, aspect):
    data = written(radiograph(stored))
    expected = resize_xray(read_xray(data), (19, 31), aspect)
    np.testing.assert_array_equal(read_xray(data, size=(19, 31), aspect=aspect), expected)


def test_run_lengths(stored):
    dataset = radiograph(stored, n_bits=12)
    dataset.compress(RLELossless)
    np.testing.assert_array_equal(read_xray(written(dataset)), stretched(stored))


def in_jpeg(pixels, **stated):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    dataset = radiograph(pixels, syntax=JPEGBaseline8Bit, **stated)
    dataset.PixelData = pydicom.encaps.encapsulate([file.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    return dataset, np.asarray(Image.open(file))


def test_jpeg_inside():
    rows, columns = np.mgrid[0:60, 0:47]
    dataset, decoded = in_jpeg((2 * rows + columns).astype(np.uint8))
    np.testing.assert_array_equal(read_xray(written(dataset)), decoded)


@pytest.mark.parametrize("stated", [{"Rows": 61}, {"Columns": 7}])
def test_a_compressed_image_of_another_size_than_stated(stated):
    dataset, _ = in_jpeg(np.zeros((60, 47), np.uint8), **stated)
    with pytest.raises(ImageReadError, match="of another size than its header states"):
        read_xray(written(dataset))


@pytest.mark.parametrize(
    ("elements", "cause"),
    [
        ({"Modality": "CT"}, "its modality is CT; radiographs are CR, DR, DX"),
        ({"Modality": "SR", "PixelData": None}, "its modality is SR"),
        ({"Modality": None, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "class CT Image Storage"),
        ({"PixelData": None}, "holds no image"),
        ({"NumberOfFrames": 3}, "it holds 3 frames; wanted one image"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "cut off"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "palette is missing"),
        ({"PhotometricInterpretation": "HSV", "SamplesPerPixel": 3}, "in colour"),
        ({"PhotometricInterpretation": None}, "does not state that it is grey"),
        ({"BitsAllocated": 32, "BitsStored": 32}, "take 32 bits each; wanted 8 or 16"),
        ({"BitsStored": 17}, "17 stored bits of 16"),
        ({"Modality": "ANNA"}, "its modality is unknown"),
        ({"HighBit": 200}, "HighBit is outside"),
        ({"HighBit": 3}, "HighBit is outside"),
        ({"WindowCenter": ["1"] * 600, "WindowWidth": 5}, "WindowCenter is too large"),
        ({"Rows": 0}, "number of rows"),
        ({"Columns": None}, "number of rows"),
        ({"Rows": 60_000, "Columns": 60_000}, "more than the limit of 50,000,000"),
        ({"Rows": 38}, "cut off"),
    ],
)
def test_what_is_refused(tmp_path, stored, elements, cause):
    path = tmp_path / "scan.dcm"
    path.write_bytes(written(radiograph(stored, **elements)))
    with pytest.raises(ImageReadError, match=rf"scan\.dcm: this DICOM .*{cause}"):
        read_xray(path)


def test_a_private_transfer_syntax_is_named(stored):
    data = written(radiograph(stored))
    private = data.replace(ExplicitVRLittleEndian.encode(), b"1.2.826.0.1.3680043")
    with pytest.raises(ImageReadError, match="its TransferSyntaxUID is private"):
        read_xray(private)


@pytest.mark.parametrize("n_missing", [1, 500, 1702])
def test_missing_pixels_are_named(stored, n_missing):
    data = written(radiograph(stored))
    with pytest.raises(ImageReadError, match="its pixels are cut off"):
        read_xray(data[:-n_missing])


@pytest.mark.parametrize("end", ["", ".1"])
def test_a_missing_modality_is_known_by_the_class(stored, end):
    stated = f"1.2.840.10008.5.1.4.1.1.1{end}"
    data = written(radiograph(stored, Modality=None, SOPClassUID=stated))
    assert read_xray(data).shape == stored.shape


@pytest.mark.parametrize("end", [".2", "2.1", "28", "04.1"])
def test_classes_of_other_images(stored, end):
    # Mammography, angiography, PET, an encapsulated PDF
    stated = f"1.2.840.10008.5.1.4.1.1.1{end}"
    refused(radiograph(stored, Modality=None, SOPClassUID=stated), "its modality is missing")


def test_the_message_of_a_damaged_file_quotes_nothing(stored):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = written(radiograph(stored, Modality=NAME))
    for cut in range(200, 1500, 130):
        with pytest.raises(ImageReadError) as caught:
            read_xray(data[:cut])
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        for secret in (NAME, IDENTIFIER, BIRTH):
            assert secret not in str(caught.value)


def test_nothing_personal_is_logged_or_warned_of(stored, caplog, tmp_path):
    path = tmp_path / "scan.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = radiograph(stored, SOPClassUID=NAME, NumberOfFrames=1)
        dataset.add_new("PatientID", "UI", IDENTIFIER)
        path.write_bytes(written(dataset, preamble=False))
        with_log = radiograph(stored, SOPClassUID=NAME)
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        str(pydicom.dcmread(io.BytesIO(written(with_log, preamble=False)), force=True))
    assert NAME in caplog.text
    caplog.clear()
    read_xray(path)
    read_header(path)
    assert not caplog.records
    logging.getLogger("pydicom").warning("heard again")
    assert "heard again" in caplog.text


@pytest.mark.parametrize("kind", ["FD", "SQ", "OB"])
def test_an_unreadable_patient_is_none(stored, tmp_path, kind):
    data = written(radiograph(stored))
    at = data.index(b"\x10\x00\x20\x00LO")
    path = tmp_path / "scan.dcm"
    path.write_bytes(data[: at + 4] + kind.encode() + data[at + 6 :])
    assert IDENTIFIER not in read_records([path])[0].identity.patient


def test_deflated_bombs_are_not_inflated():
    head = written(radiograph(np.zeros((4, 5), np.uint8), syntax=DeflatedExplicitVRLittleEndian))
    start = 144 + int.from_bytes(head[140:144], "little")
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    zeros = bytes(2**24)
    bomb = head[:start] + b"".join(deflater.compress(zeros) for _ in range(20)) + deflater.flush()
    assert len(bomb) < 2**21
    tracemalloc.start()
    with pytest.raises(ImageReadError, match="inflates to more than 256 MiB"):
        read_xray(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * 2**28


def deflated(elements, *, private=b"", group_length=False):
    """A file whose transfer syntax stands behind private information."""
    meta = b"\x02\x00\x01\x00OB\0\0\x02\0\0\0\0\x01"
    meta += private and b"\x02\x00\x02\x01OB\0\0" + len(private).to_bytes(4, "little") + private
    meta += b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    if group_length:
        meta = b"\x02\x00\x00\x00UL\x04\x00" + len(meta).to_bytes(4, "little") + meta
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return bytes(128) + b"DICM" + meta + deflater.compress(elements) + deflater.flush()


@pytest.mark.parametrize("private", [b"", bytes(5000)])
@pytest.mark.parametrize("group_length", [False, True])
def test_deflated_files_with_any_meta_information(tmp_path, stored, private, group_length):
    elements = written(radiograph(stored, n_bits=12))
    elements = elements[144 + int.from_bytes(elements[140:144], "little") :]
    path = tmp_path / "scan.dcm"
    path.write_bytes(deflated(elements, private=private, group_length=group_length))
    np.testing.assert_array_equal(read_xray(path), stretched(stored))
    assert read_records([path])[0].identity.patient == IDENTIFIER


@pytest.mark.parametrize("group_length", [False, True])
def test_deflated_bombs_hide_behind_nothing(tmp_path, monkeypatch, group_length):
    limit = 2**22
    monkeypatch.setattr("skpneumo.images._dicom._elements.MAX_BYTES", limit)
    path = tmp_path / "scan.dcm"
    path.write_bytes(deflated(bytes(2**26), private=bytes(5000), group_length=group_length))
    assert peak_of(lambda: refused_file(path, "inflates to more than 4 MiB")) < 4 * limit
    assert peak_of(lambda: read_records([path])) < 4 * limit


def compressed(pixels, how, *, n_bits, **options):
    encode, syntax = {
        "jpeg": (imagecodecs.jpeg8_encode, "1.2.840.10008.1.2.4.51"),
        "lossless jpeg": (imagecodecs.jpeg8_encode, "1.2.840.10008.1.2.4.70"),
        "jpeg-ls": (imagecodecs.jpegls_encode, "1.2.840.10008.1.2.4.80"),
        "jpeg 2000": (imagecodecs.jpeg2k_encode, "1.2.840.10008.1.2.4.90"),
    }[how]
    dataset = radiograph(pixels, n_bits=n_bits, syntax=pydicom.uid.UID(syntax))
    dataset.PixelData = pydicom.encaps.encapsulate([encode(pixels, **options)])
    dataset["PixelData"].is_undefined_length = True
    return dataset


@pytest.mark.parametrize(
    ("how", "options"),
    [
        ("lossless jpeg", {"lossless": True, "bitspersample": 12}),
        ("jpeg-ls", {}),
        ("jpeg 2000", {"level": 0, "bitspersample": 12}),
    ],
)
def test_lossless_compression(stored, how, options):
    dataset = compressed(stored, how, n_bits=12, **options)
    np.testing.assert_array_equal(read_xray(written(dataset)), stretched(stored))


def test_ten_bits_in_a_lossy_jpeg_of_twelve_that_overshoots():
    rows, columns = np.mgrid[0:61, 0:43]
    stored = np.where((rows // 9 + columns // 7) % 2, 1023, 600).astype(np.uint16)
    dataset = compressed(stored, "jpeg", n_bits=10, level=95, bitspersample=12)
    difference = np.abs(read_xray(written(dataset)) - stretched(stored))
    assert difference.max() < 20
    assert difference.mean() < 4


def peak_of(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["VOILUTSequence", "ReferencedImageSequence"])
def test_bombs_of_items(stored, name):
    data = written(radiograph(stored, **{name: [Dataset()]}))
    item = b"\xfe\xff\x00\xe0" + bytes(4)
    start = data.index(item)
    n_items = 20_000
    data = (
        data[: start - 4] + (8 * n_items).to_bytes(4, "little") + item * n_items + data[start + 8 :]
    )
    with pytest.raises(ImageReadError, match="more than 10,000 items"):
        read_xray(data)


def test_bombs_of_elements(stored):
    data = written(radiograph(stored, syntax=ImplicitVRLittleEndian))
    start = data.index(b"\x28\x00\x02\x00")
    element = b"\x11\x00\x01\x10" + bytes(4)
    with pytest.raises(ImageReadError, match="more than 100,000 elements"):
        read_xray(data[:start] + element * 200_000 + data[start:])


ITEM, NO_LENGTH = b"\xfe\xff\x00\xe0", b"\xff\xff\xff\xff"


def empty_elements(n_elements):
    numbers = np.arange(n_elements)
    kind = np.full_like(numbers, int.from_bytes(b"UI", "little"))
    parts = [0x0011 + 2 * (numbers >> 16), numbers & 0xFFFF, kind, np.zeros_like(numbers)]
    return np.stack(parts, axis=1).astype("<u2").tobytes()


def in_sequence(tag, content, *, open_end=False):
    """An explicit element that is a sequence of one item, of stated lengths or of none."""
    if open_end:
        item = ITEM + NO_LENGTH + content + b"\xfe\xff\x0d\xe0" + bytes(4)
        return tag + b"SQ\0\0" + NO_LENGTH + item + b"\xfe\xff\xdd\xe0" + bytes(4)
    item = ITEM + len(content).to_bytes(4, "little") + content
    return tag + b"SQ\0\0" + len(item).to_bytes(4, "little") + item


def before_pixels(stored, element):
    data = written(radiograph(stored))
    at = data.index(b"\xe0\x7f\x10\x00")
    return data[:at] + element + data[at:]


@pytest.mark.parametrize("nested", [False, True])
def test_bombs_of_elements_in_an_item(stored, nested):
    element = in_sequence(b"\x40\x00\x75\x02", empty_elements(110_000), open_end=True)
    if nested:
        element = in_sequence(b"\x28\x00\x10\x30", element, open_end=True)
    refused_file(before_pixels(stored, element), "more than 100,000 elements")


def test_bombs_of_elements_in_the_meta_information(stored):
    data = written(radiograph(stored))
    empty = b"\x02\x00\x01\x00UI\0\0"
    refused_file(data[:132] + empty * 110_000 + data[132:], "more than 100,000 elements")


def test_bombs_of_elements_where_the_image_is_wanted(stored):
    data = written(radiograph(stored))
    at = data.index(b"\xe0\x7f\x10\x00")
    bomb = data[:at] + in_sequence(b"\xe0\x7f\x10\x00", empty_elements(140_000))
    assert peak_of(lambda: refused_file(bomb, "of a kind that holds no pixels")) < 2**24


def test_bombs_of_elements_where_tables_are_wanted(stored):
    data = before_pixels(stored, in_sequence(b"\x28\x00\x10\x30", empty_elements(140_000)))
    refused_file(data, "VOILUTSequence is too large")


@pytest.mark.parametrize("nested", [False, True])
def test_bombs_of_character_sets(stored, nested):
    element = b"\x08\x00\x05\x00UC\0\0" + (2**20).to_bytes(4, "little") + b"\\" * 2**20
    if nested:
        element = in_sequence(b"\x40\x00\x75\x02", element, open_end=True)
    data = before_pixels(stored, element)
    assert peak_of(lambda: refused_file(data, "SpecificCharacterSet is too large")) < 2**24


def test_bombs_of_elements_where_the_patient_is_wanted(tmp_path, stored):
    data = written(radiograph(stored))
    at = data.index(b"\x10\x00\x20\x00LO")
    path = tmp_path / "scan.dcm"
    path.write_bytes(
        data[:at] + in_sequence(b"\x10\x00\x20\x00", empty_elements(140_000)) + data[at + 16 :]
    )
    assert peak_of(lambda: read_records([path])) < 2**24


def run_lengths(pixels, *segments):
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    head = [len(segments), *starts, *[0] * (15 - len(segments))]
    dataset = radiograph(pixels, syntax=RLELossless)
    frame = np.array(head, "<u4").tobytes() + b"".join(segments)
    dataset.PixelData = pydicom.encaps.encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return dataset


def test_bombs_of_run_lengths():
    pixels = np.full((8, 8), 77, np.uint8)
    data = written(run_lengths(pixels, b"\x81\x4d" * 2**20))
    assert peak_of(lambda: np.testing.assert_array_equal(read_xray(data), pixels)) < 2**24


def test_run_lengths_of_every_kind():
    high, low = b"\x80\xc1\x01", b"\x00\x07\xff\x08\x80\x3c" + bytes(range(61))
    values = np.full((8, 8), 256) + np.array([7, 8, 8, *range(61)]).reshape(8, 8)
    dataset = run_lengths(values.astype(np.uint16), high, low)
    np.testing.assert_array_equal(read_xray(written(dataset)), stretched(values))


@pytest.mark.parametrize(
    "segments",
    [(b"\xc2\x01",), (b"\x80" * 500,), (b"",), (b"\xc1\x01", b"\xc1\x01"), ()],
)
def test_run_lengths_of_another_size(segments):
    dataset = run_lengths(np.zeros((8, 8), np.uint8), *segments)
    refused(dataset, "cut off|of another kind than its header states|no fragments")


def test_tables_larger_than_any(stored):
    dataset = radiograph(stored, n_bits=12, VOILUTSequence=table(0, [1, 2]))
    dataset.VOILUTSequence[0].LUTData = bytes(2**19)
    dataset.VOILUTSequence[0]["LUTData"].VR = "OW"
    refused(dataset, "table that is too large")


def test_a_size_that_hides_behind_filling_bytes():
    dataset, _ = in_jpeg(np.zeros((60, 47), np.uint8))
    stream = bytearray(pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1))
    frame = stream.index(b"\xff\xc0")
    stream[frame + 5 : frame + 9] = b"\xfd\xe8\xfd\xe8"
    fake = b"\xff\xc0\x00\x0b\x08\x00\x3c\x00\x2f\x01"
    comment = b"\xff\xff\xfe\x00\x20" + fake + bytes(20)
    stream[frame:frame] = comment
    dataset.PixelData = pydicom.encaps.encapsulate([bytes(stream)])
    assert peak_of(lambda: refused(dataset, "damaged, or of another size")) < 2**24


@pytest.mark.parametrize("marker", ["ff01", "ffd0", "ffd7", "ffd8", "ff00", "ffdc"])
def test_a_size_that_hides_behind_a_marker_without_length(marker):
    file = io.BytesIO()
    Image.fromarray(np.zeros((300, 200), np.uint8)).save(file, "JPEG")
    # Where a length is looked for, a comment starts: it would be one of 0xFFFE bytes.
    stream = b"\xff\xd8" + bytes.fromhex(marker) + b"\xff\xfe\x00\x02" + file.getvalue()[2:]
    fake = b"\xff\xc0\x00\x0b\x08\x00\x3c\x00\x2f\x01"
    stream = stream.ljust(4 + 0xFFFE, b"\0") + fake + b"\xff\xd9"
    dataset, _ = in_jpeg(np.zeros((60, 47), np.uint8))
    dataset.PixelData = pydicom.encaps.encapsulate([stream])
    refused(dataset, "damaged, or of another size")


def refused(dataset, cause):
    refused_file(written(dataset), cause)


def refused_file(file, cause):
    with pytest.raises(ImageReadError, match=cause):
        read_xray(file)


def test_a_size_that_hides_in_a_box(stored):
    large = imagecodecs.jpeg2k_encode(np.zeros((300, 200), np.uint16), level=0)
    small = imagecodecs.jpeg2k_encode(stored, level=0)
    box = (8 + len(small)).to_bytes(4, "big") + b"free" + small
    last = (8 + len(large)).to_bytes(4, "big") + b"jp2c" + large
    dataset = compressed(stored, "jpeg 2000", n_bits=12)
    dataset.PixelData = pydicom.encaps.encapsulate([box + last])
    refused(dataset, "damaged, or of another size")
    whole = (8 + len(small)).to_bytes(4, "big") + b"jp2c" + small
    dataset.PixelData = pydicom.encaps.encapsulate([box[:8] + bytes(len(small)) + whole])
    np.testing.assert_array_equal(read_xray(written(dataset)), stretched(stored))


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("how", ["jpeg", "lossless jpeg"])
def test_jpegs_that_are_cut_off(stored, how, fraction):
    options = {"lossless": True} if how == "lossless jpeg" else {}
    dataset = compressed(stored, how, n_bits=12, bitspersample=12, **options)
    stream = pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = pydicom.encaps.encapsulate([stream[: int(fraction * len(stream))]])
    refused(dataset, "cut off|damaged")


@pytest.mark.parametrize("how", ["jpeg-ls", "jpeg 2000"])
def test_damaged_compressed_images(stored, how):
    data = written(compressed(stored, how, n_bits=12))
    start = data.index(b"\xff\xd8" if how == "jpeg-ls" else b"\xff\x4f")
    for at in range(start, len(data) - 20, 97):
        damaged = data[:at] + b"\xff\xff\0\xff" + data[at + 4 :]
        with contextlib.suppress(ImageReadError):
            assert read_xray(damaged).shape == stored.shape


def test_without_the_decoders(monkeypatch, stored):
    data = written(compressed(stored, "jpeg-ls", n_bits=12))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(ImageReadError, match=r'JPEG-LS.* takes pip install "skpneumo\[dicom\]"'):
        read_xray(data)
    assert read_xray(written(radiograph(stored))).shape == stored.shape


def test_an_unknown_compression(stored):
    dataset = radiograph(stored)
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.100"
    dataset.PixelData = pydicom.encaps.encapsulate([b"mpeg"])
    dataset["PixelData"].is_undefined_length = True
    with pytest.raises(ImageReadError, match=r"compressed as MPEG2.*cannot be read"):
        read_xray(written(dataset))
