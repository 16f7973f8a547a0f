"""TIFF, BMP, WebP and JPEG 2000, and what is said of files of other formats."""

import gzip
import io
import struct
import warnings
import zipfile
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from skpneumo.datasets import audit, load_xray_folder
from skpneumo.exceptions import BitDepthWarning, ImageReadError, LowContrastWarning, NoXRayError
from skpneumo.images import check_xrays, detect_format, read_xray, resize_xray

PICTURES = {
    "TIFF": (".tif", {}),
    "BMP": (".bmp", {}),
    "WEBP": (".webp", {"lossless": True}),
    "JPEG2000": (".jp2", {}),
}


def scene(depth=8, shape=(29, 41)):
    """A smooth picture without symmetry that uses nearly all of its range."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    waves = 0.5 + 0.3 * np.sin(rows / 9) + 0.19 * np.cos(columns / 7 + rows / 21)
    return np.rint(waves * (2**depth - 1)).astype(np.uint8 if depth == 8 else np.uint16)


def encode(image, kind, **options):
    file = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(
    samples, bits, *, photometric=1, order="<", sample_format=1, tile=None, big=False, more=()
):
    """An uncompressed TIFF file, of kinds that Pillow does not write."""
    height, width = samples.shape[:2]
    n_channels = 1 if samples.ndim == 2 else samples.shape[2]
    kind = f"{order}{'uif'[sample_format - 1]}{bits // 8}"
    if bits == 1:
        parts = [np.packbits(samples.astype(bool), axis=1)]
    elif bits == 12:
        pairs = samples.reshape(height, -1, 2).astype(np.uint32)
        word = pairs[..., 0] << 12 | pairs[..., 1]
        parts = [np.stack([word >> 16, word >> 8 & 255, word & 255], -1).astype(np.uint8)]
    elif tile:
        padded = np.pad(samples, [(0, -side % tile) for side in samples.shape])
        rows, columns = (range(0, side, tile) for side in padded.shape)
        parts = [padded[y : y + tile, x : x + tile].astype(kind) for y in rows for x in columns]
    else:
        parts = [samples.astype(kind)]
    parts = [part.tobytes() for part in parts]
    data = b"".join(parts)
    data += b"\0" * (len(data) % 2)
    head = 16 if big else 8
    offsets = list(head + np.cumsum([0] + [len(part) for part in parts[:-1]]))
    n_bytes = [len(part) for part in parts]
    tags = {256: width, 257: height, 258: [bits] * n_channels, 259: 1, 262: photometric}
    tags |= {277: n_channels, 339: [sample_format] * n_channels, **dict(more)}
    if tile:
        tags |= {322: tile, 323: tile, 324: offsets, 325: n_bytes}
    else:
        tags |= {273: offsets, 278: height, 279: n_bytes}
    return tiff_of_tags(tags, data, order, big)


def tiff_of_tags(tags, data, order, big):
    """The file of a page: its pixels, its tags, and values that are too long for these."""
    word, count, n_inside = ("Q", "Q", 8) if big else ("I", "H", 4)
    head = 16 if big else 8
    start = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "H", 43 if big else 42)
    start += struct.pack(order + "HH", 8, 0) if big else b""
    n_entry = 20 if big else 12
    at_long = head + len(data) + struct.calcsize(order + count) + n_entry * len(tags) + n_inside
    page, long = struct.pack(order + count, len(tags)), b""
    for tag, value in sorted(tags.items()):
        values = np.atleast_1d(value).astype(
            order + ("u4" if tag in (273, 279, 324, 325) else "u2")
        )
        packed = values.tobytes()
        page += struct.pack(order + "HH" + word, tag, 4 if values.itemsize == 4 else 3, values.size)
        if len(packed) <= n_inside:
            page += packed.ljust(n_inside, b"\0")
        else:
            page += struct.pack(order + word, at_long + len(long))
            long += packed
    start += struct.pack(order + word, head + len(data))
    return start + data + page + bytes(n_inside) + long


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("size", [None, (15, 23)])
def test_eight_bits_are_read_as_they_are(tmp_path, kind, size):
    image = scene()
    suffix, options = PICTURES[kind]
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encode(image, kind, **options))
    expected = image if size is None else resize_xray(image, size)
    read = read_xray(path, size=size)
    assert read.dtype == np.uint8
    np.testing.assert_allclose(read, expected, atol=1)
    assert detect_format(path) == kind
    np.testing.assert_array_equal(read_xray(path.read_bytes(), size=size), read)


@pytest.mark.parametrize("kind", PICTURES)
def test_colours_become_luma(kind):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (12, 17, 3), dtype=np.uint8)
    data = encode(Image.fromarray(colours), kind, **PICTURES[kind][1])
    np.testing.assert_allclose(read_xray(data), colours @ [0.299, 0.587, 0.114], atol=1)


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "JPEG2000"])
def test_transparency_becomes_black(kind):
    image = Image.fromarray(scene()).convert("RGBA")
    alpha = np.full((29, 41), 255, np.uint8)
    alpha[:9] = 0
    image.putalpha(Image.fromarray(alpha))
    read = read_xray(encode(image, kind, **PICTURES[kind][1]))
    assert not read[:9].any()
    np.testing.assert_allclose(read[9:], scene()[9:], atol=1)


def test_the_fourth_channel_of_a_bmp_file_is_not_used():
    height, width = scene().shape
    pixels = np.dstack([scene()] * 3 + [np.zeros_like(scene())])[::-1].tobytes()
    head = struct.pack("<3I2H", 108, width, height, 1, 32)
    head += struct.pack("<10I", 3, len(pixels), 0, 0, 0, 0, 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    head = head.ljust(108, b"\0")
    data = b"BM" + struct.pack("<3I", 122 + len(pixels), 0, 122) + head + pixels
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == "RGBA"
    np.testing.assert_array_equal(read_xray(data), scene())


@pytest.mark.parametrize("kind", ["TIFF", "JPEG2000"])
@pytest.mark.parametrize("depth", [10, 12, 14, 16])
@pytest.mark.parametrize("size", [None, (15, 23)])
def test_sixteen_bits_are_scaled_by_the_bits_that_are_used(kind, depth, size):
    samples = scene(depth)
    expected = np.rint(samples / (2**depth - 1) * 255).astype(np.uint8)
    if size is not None:
        expected = resize_xray(expected, size)
    np.testing.assert_array_equal(read_xray(encode(samples, kind), size=size), expected)


@pytest.mark.parametrize("boxes", [True, False])
@pytest.mark.parametrize("depth", [9, 10, 12, 13, 15, 16])
def test_jpeg_2000_declares_its_bits(depth, boxes):
    imagecodecs = pytest.importorskip("imagecodecs", reason="imagecodecs encodes 9 to 15 bits")
    samples = scene(depth)
    codec = "jp2" if boxes else "j2k"
    data = imagecodecs.jpeg2k_encode(
        samples, bitspersample=depth, codecformat=codec, reversible=True, level=0
    )
    # Pillow itself reads 9 bits in boxes as 8.
    atol = 1 if boxes and depth == 9 else 0
    np.testing.assert_allclose(read_xray(data), np.rint(samples / (2**depth - 1) * 255), atol=atol)


def test_signed_or_deeper_jpeg_2000_is_refused():
    data = bytearray(encode(scene(16), "JPEG2000", no_jp2=True))
    for precision, message in ((0x8F, "signed"), (0x1F, "32 bits")):
        data[42] = precision
        with pytest.raises(ImageReadError, match=message):
            read_xray(bytes(data))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [1, 8, 12, 16])
def test_white_is_zero(order, bits):
    samples = scene(bits if bits > 1 else 8)[:, :40]
    if bits == 1:
        samples = (samples > 100).astype(np.uint8)
    white = 2**bits - 1
    if (order, bits) == (">", 12):
        pytest.skip("Pillow reads no big-endian TIFF of 12 bits")
    expected = np.rint(samples / white * 255)
    np.testing.assert_array_equal(read_xray(tiff(samples, bits, order=order)), expected)
    inverted = tiff(white - samples, bits, order=order, photometric=0)
    np.testing.assert_array_equal(read_xray(inverted), expected)


def test_white_is_zero_in_a_compressed_file_of_twelve_bits_in_sixteen():
    samples = scene(12)
    data = encode(4095 - samples, "TIFF", compression="tiff_lzw", tiffinfo={262: 0})
    np.testing.assert_array_equal(read_xray(data), np.rint(samples / 4095 * 255))


def test_white_is_zero_in_an_image_that_pillow_opened():
    samples = scene(16)
    with Image.open(io.BytesIO(tiff(65535 - samples, 16, photometric=0))) as image:
        np.testing.assert_array_equal(check_xrays([image])[0], np.rint(samples / 257))


def test_what_pillow_would_not_invert_is_refused():
    grey_and_opaque = np.dstack([scene(), np.full_like(scene(), 255)])
    np.testing.assert_array_equal(read_xray(tiff(grey_and_opaque, 8, more={338: 2})), scene())
    with pytest.raises(ImageReadError, match="a TIFF file that is damaged, or of samples that are"):
        read_xray(tiff(grey_and_opaque, 8, photometric=0, more={338: 2}))


@pytest.mark.parametrize(
    "compression", [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "zstd"]
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_compression_and_orientation_of_tiff(compression, orientation):
    samples = scene(16)
    stored = {
        1: samples,
        2: samples[:, ::-1],
        3: samples[::-1, ::-1],
        4: samples[::-1],
        5: samples.T,
        6: samples.T[::-1],
        7: samples.T[::-1, ::-1],
        8: samples.T[:, ::-1],
    }[orientation]
    image = np.ascontiguousarray(stored)
    try:
        data = encode(image, "TIFF", compression=compression, tiffinfo={274: orientation})
    except OSError:
        pytest.skip(f"this Pillow has no {compression}")
    np.testing.assert_array_equal(read_xray(data), np.rint(samples / 257))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("layout", [{"tile": 16}, {"big": True}, {"tile": 32, "big": True}])
def test_tiff_of_other_layouts(order, bits, layout):
    if order == ">" and "big" in layout:
        pytest.skip("Pillow reads no big-endian BigTIFF")
    data = tiff(scene(bits), bits, order=order, **layout)
    np.testing.assert_array_equal(read_xray(data), np.rint(scene(bits) / (2**bits - 1) * 255))


def test_tiles_of_too_many_pixels_are_refused():
    data = tiff(scene(16), 16, tile=16)
    large = struct.pack("<HHI", 322, 3, 1)
    at = data.index(large) + len(large)
    data = data[:at] + struct.pack("<H", 65520) + data[at + 2 :]
    at = data.index(struct.pack("<HHI", 323, 3, 1)) + len(large)
    data = data[:at] + struct.pack("<H", 65520) + data[at + 2 :]
    with pytest.raises(ImageReadError, match="tiles of 65520 x 65520 pixels are too large"):
        read_xray(data)


@pytest.mark.parametrize("photometric", [0, 1])
def test_floats_from_0_to_1(photometric):
    values = scene(16) / 65535
    data = tiff(values if photometric else 1 - values, 32, sample_format=3, photometric=photometric)
    np.testing.assert_allclose(read_xray(data), values * 255, atol=0.51)


@pytest.mark.parametrize("scale", [255, -1, np.nan, np.inf])
def test_other_floats_are_refused(scale):
    data = tiff(scene(16) / 65535 * scale, 32, sample_format=3)
    with pytest.raises(ImageReadError, match=r"floats from .* not 0 to 1\. Save it as a PNG"):
        read_xray(data)


def test_whole_numbers_of_32_bits_are_read_if_16_hold_them():
    np.testing.assert_array_equal(read_xray(tiff(scene(12), 32)), np.rint(scene(12) / 4095 * 255))
    with pytest.raises(ImageReadError, match="not 0 to 65535"):
        read_xray(tiff(scene(12).astype(np.uint32) * 4096, 32))


def test_signed_samples_are_refused_unless_they_are_positive():
    positive = tiff(scene(12), 16, sample_format=2)
    np.testing.assert_array_equal(read_xray(positive), np.rint(scene(12) / 4095 * 255))
    with pytest.raises(ImageReadError, match="samples go from -"):
        read_xray(tiff(scene(12).astype(int) - 3000, 16, sample_format=2))
    with pytest.raises(ImageReadError, match="signed"):
        read_xray(tiff(scene().astype(int) // 2, 8, sample_format=2))


def test_cmyk_is_read_and_lab_refused():
    grey = Image.fromarray(scene())
    cmyk = encode(grey.convert("RGB").convert("CMYK"), "TIFF")
    np.testing.assert_allclose(read_xray(cmyk), scene(), atol=1)
    channels = [grey, Image.new("L", grey.size, 128), Image.new("L", grey.size, 128)]
    with pytest.raises(ImageReadError, match=r"colours are CIE L\*a\*b\*.*grey PNG"):
        read_xray(encode(Image.merge("LAB", channels), "TIFF"))


def test_a_compression_without_bounds_is_refused():
    with pytest.raises(ImageReadError, match="its compression, lzma, is not read"):
        read_xray(encode(scene(), "TIFF", compression="lzma"))


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "PNG"])
@pytest.mark.parametrize("n_pages", [2, 5])
def test_several_pages_are_counted_and_refused(tmp_path, kind, n_pages):
    pages = [Image.fromarray(np.roll(scene(), page)) for page in range(n_pages)]
    path = tmp_path / "a"
    pages[0].save(path, kind, save_all=True, append_images=pages[1:])
    with pytest.raises(NoXRayError, match=rf"a: this \w+ file holds {n_pages} (pages|frames)"):
        read_xray(path)


def test_many_pages_are_not_all_counted():
    pages = [Image.new("L", (3, 2), page) for page in range(150)]
    with pytest.raises(NoXRayError, match="holds more than 100 pages"):
        read_xray(encode(pages[0], "TIFF", save_all=True, append_images=pages[1:]))


def test_a_file_of_a_reduced_copy_alone_is_refused():
    with pytest.raises(ImageReadError, match="reduced copy"):
        read_xray(tiff(scene(), 8, more={254: 1}))


def test_a_jpeg_of_a_kind_that_pillow_does_not_decode_is_named():
    data = imagecodecs.jpegls_encode(scene())
    with pytest.raises(ImageReadError, match=r"lossless, or JPEG-LS.*grey PNG"):
        read_xray(data)


@pytest.mark.parametrize("kind", [1, 4])
def test_a_reduced_copy_or_a_mask_is_no_page(kind):
    data = tiff(scene(), 8)
    np.testing.assert_array_equal(read_xray(with_second_page(data, kind)), scene())
    with pytest.raises(NoXRayError, match="2 pages"):
        read_xray(with_second_page(data, 2))


def with_second_page(data, kind):
    """A TIFF file whose second page is the first, of another NewSubfileType."""
    (start,) = struct.unpack_from("<I", data, 4)
    (n_tags,) = struct.unpack_from("<H", data, start)
    end = start + 2 + 12 * n_tags
    page = struct.pack("<HHHII", n_tags + 1, 254, 4, 1, kind) + data[start + 2 : end] + bytes(4)
    return data[:end] + struct.pack("<I", len(data)) + data[end + 4 :] + page


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_of_too_many_pixels_is_not_decoded(kind):
    shape = {"WEBP": (6000, 6000)}.get(kind, (5001, 10000))
    small = {"TIFF": {"compression": "group4"}, "BMP": {}}
    image = Image.new("1" if kind in small else "L", shape[::-1])
    if kind == "JPEG2000":
        data = bytearray(encode(scene(), kind, no_jp2=True))
        data[8:16] = struct.pack(">2I", *shape[::-1])
        data = bytes(data)
    else:
        data = encode(image, kind, **small.get(kind, {}))
    with pytest.raises(ImageReadError, match="pixels are more than the limit"):
        read_xray(data, size=(10, 12))


def test_the_codestream_of_jpeg_2000_counts_not_its_boxes():
    data = encode(scene(), "JPEG2000")
    at = data.index(b"\xff\x4f\xff\x51")
    bomb = data[: at + 8] + struct.pack(">2I", 60000, 60000) + data[at + 16 :]
    with pytest.raises(ImageReadError, match="60000 x 60000 pixels"):
        read_xray(bomb)


def test_a_large_file_is_not_taken_into_memory(tmp_path):
    path = tmp_path / "a.webp"
    path.write_bytes(encode(scene(), "WEBP"))
    with open(path, "r+b") as file:
        file.truncate(2**28 + 1)  # sparse
    with pytest.raises(ImageReadError, match="bytes are more than the limit"):
        read_xray(path)


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("left", [0.5, 0.9])
def test_a_cut_file_is_refused(kind, left):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (61, 83), dtype=np.uint8)
    data = encode(noise, kind, **PICTURES[kind][1])
    with pytest.raises(ImageReadError, match="cannot be read as an image"):
        read_xray(data[: int(left * len(data))])


# Formats that are not read


def zip_of(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"content")
    return file.getvalue()


def saved_array(save, *arrays):
    file = io.BytesIO()
    save(file, *arrays)
    return file.getvalue()


NIFTI = struct.pack("<i", 348) + bytes(340) + b"n+1\0" + bytes(4) + bytes(range(256)) * 4
NIFTI_2 = struct.pack("<i", 540) + b"n+2\0\r\n\x1a\n" + bytes(600)
MHA = b"ObjectType = Image\nNDims = 2\nDimSize = 41 29\nElementType = MET_USHORT\n"
UNREAD = {
    "scan.nii": (NIFTI, "a NIfTI file", "PNG, with 16 bits"),
    "scan2.nii": (NIFTI_2, "a NIfTI file", "PNG, with 16 bits"),
    "pair.nii": (NIFTI.replace(b"n+1", b"ni1"), "a NIfTI file", "PNG, with 16 bits"),
    "big.nii": (b"\0\0\x01\x5c" + NIFTI[4:], "a NIfTI file", "PNG, with 16 bits"),
    "scan.nii.gz": (gzip.compress(NIFTI), "a NIfTI file, compressed", "PNG, with 16 bits"),
    "scan.hdr": (NIFTI.replace(b"n+1", bytes(3)), "Analyze", "PNG, with 16 bits"),
    "scan.mha": (MHA + b"ElementDataFile = LOCAL\n\0\1", "a MetaImage", "PNG, with 16 bits"),
    "scan.mhd": (MHA + b"ElementDataFile = a.raw\n", "a MetaImage", "PNG, with 16 bits"),
    "scan.npy": (saved_array(np.save, scene()), "a NumPy array", "PNG, with 16 bits"),
    "scan.npz": (saved_array(np.savez, scene()), "NumPy arrays", "PNG, with 16 bits"),
    "scan.nrrd": (b"NRRD0005\ntype: uint16\n", "an NRRD file", "PNG, with 16 bits"),
    "scan.gif": (encode(scene(), "GIF"), "a GIF image", "PNG"),
    "scan.pgm": (encode(scene(), "PPM"), "a Netpbm image", "PNG, with 16 bits"),
    "scan.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image", "PNG"),
    "scan.avif": (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "an AVIF image", "PNG"),
    "scan.jxl": (b"\xff\x0a" + bytes(40), "a JPEG XL image", "PNG"),
    "scan.mp4": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "an MP4", "save that as PNG"),
    "scan.mov": (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", "QuickTime", "save that as PNG"),
    "scan.avi": (b"RIFF\0\0\1\0AVI LIST", "an AVI video", "save that as PNG"),
    "scan.webm": (b"\x1a\x45\xdf\xa3" + bytes(40), "WebM video", "save that as PNG"),
    "report.pdf": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "DICOM or PNG"),
    "report.docx": (zip_of("[Content_Types].xml"), "an Office document", "DICOM or PNG"),
    "scans.zip": (zip_of("1.dcm"), "a ZIP archive", "Unpack"),
    "scans.tar": (b"1.dcm".ljust(257, b"\0") + b"ustar\0" + bytes(300), "a TAR", "Unpack"),
    "scans.tar.gz": (
        gzip.compress(b"1.dcm".ljust(257, b"\0") + b"ustar\0" + bytes(300)),
        "a gzip archive",
        "Unpack",
    ),
    "scans.7z": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive", "Unpack"),
    "scan.psd": (b"8BPS\0\1", "a Photoshop file", "PNG"),
    "scan.h5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "PNG"),
}


@pytest.mark.parametrize("name", UNREAD)
@pytest.mark.parametrize("suffix", ["", ".png"])
def test_a_format_that_is_not_read_is_named(tmp_path, name, suffix):
    data, description, advice = UNREAD[name]
    path = tmp_path / (name + suffix)
    path.write_bytes(data)
    with pytest.raises(NoXRayError) as caught:
        read_xray(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: this is ")
    assert description in message
    assert "which is not read. " in message
    assert advice in message
    assert detect_format(path) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BM",
        b"BMI,age\n17,3\n18,4\n",
        b"II",
        b"RIFF",
        b"P",
        b"\x1f\x8b",
        b"PK",
        b"ftyp",
        NIFTI[:9],
    ],
)
def test_anything_else_is_no_image_that_is_read(data):
    with pytest.raises(ImageReadError) as caught:
        read_xray(data)
    if isinstance(caught.value, NoXRayError):
        assert "gzip" in str(caught.value)
    else:
        assert "not a JPEG, PNG, TIFF, BMP, WebP, JPEG 2000 or DICOM" in str(caught.value)


def test_gzip_is_inflated_in_bounded_memory():
    bomb = gzip.compress(bytes(2**24))
    with pytest.raises(NoXRayError, match="a gzip archive"):
        read_xray(gzip.compress(bomb))


def labelled(root, suffix, data):
    for target, n in (("NORMAL", 5), ("PNEUMONIA", 6)):
        folder = root / "train" / target
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            (folder / f"person{i + 1}_virus_{i}{suffix}").write_bytes(data)


def test_folders_list_what_is_read_and_what_is_not(tmp_path):
    suffixes = [suffix for suffix, _ in PICTURES.values()]
    for kind, (suffix, options) in PICTURES.items():
        labelled(tmp_path, suffix, encode(scene(), kind, **options))
    named = [name for name in UNREAD if not name.endswith((".tar", ".tar.gz"))]
    for name in named:
        (tmp_path / "train" / "NORMAL" / name).write_bytes(UNREAD[name][0])
    with pytest.warns(UserWarning, match=f"{len(named)} file.* left out"):
        data = load_xray_folder(tmp_path, on_error="raise")
    assert len(data.paths) == 11 * len(suffixes)
    assert sorted(path.rsplit("/", 1)[-1] for path in data.left_out) == sorted(named)


def test_a_file_without_extension_is_known_by_its_content(tmp_path):
    for kind, (_, options) in PICTURES.items():
        labelled(tmp_path, f"-{kind}", encode(scene(), kind, **options))
    data = load_xray_folder(tmp_path, on_error="raise")
    assert len(data.paths) == 11 * len(PICTURES)
    assert not data.left_out


def test_audit_reads_what_the_reader_reads(tmp_path):
    samples = scene(16, (90, 110))
    labelled(tmp_path, ".tif", tiff(65535 - samples, 16, photometric=0, order=">"))
    report = audit(load_xray_folder(tmp_path))
    assert "unreadable" not in {finding.name for finding in report.findings}


# Few bits used, and few grey levels left


def png_with_significant_bits(samples, bits):
    data = encode(samples, "PNG")
    chunk = b"sBIT" + bytes([bits])
    chunk = struct.pack(">I", 1) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return data[:33] + chunk + data[33:]


def marked(samples, fraction, value=65535):
    """A copy with a bright marker, one pixel at least, and which pixels it covers."""
    side = max(1, round(np.sqrt(fraction * samples.size)))
    mask = np.zeros(samples.shape, dtype=bool)
    mask[2 : 2 + side, 3 : 3 + side] = True
    return np.where(mask, value, samples).astype(np.uint16), mask


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("depth", [8, 10, 12, 14])
@pytest.mark.parametrize("fraction", [0, 0.01])
def test_a_saturated_marker_leaves_the_picture_as_it_is(kind, depth, fraction):
    samples = scene(depth, (97, 131)).astype(np.uint16)
    image, mask = marked(samples, fraction)
    message = (
        rf"of at most \d+, but for {mask.sum()} far above, are taken for samples of {depth} bits"
    )
    with pytest.warns(BitDepthWarning, match=message):
        read = read_xray(encode(image, kind))
    assert (read[mask] == 255).all()
    np.testing.assert_array_equal(read[~mask], np.rint(samples[~mask] / (2**depth - 1) * 255))


@pytest.mark.parametrize("depth", [10, 12, 14])
def test_a_white_frame_of_any_width_and_smooth_letters_are_markers_too(depth):
    samples = scene(depth, (97, 131))
    framed = samples.copy()
    framed[:15] = framed[:, -20:] = 65535
    lettered = samples.copy()
    lettered[9:11, 20:40] = np.linspace(2**depth, 65535, 40).reshape(2, 20)
    expected = np.rint(samples / (2**depth - 1) * 255)
    for image in (framed, lettered):
        with pytest.warns(BitDepthWarning):
            read = read_xray(encode(image, "PNG"))
        np.testing.assert_array_equal(read[40:, :90], expected[40:, :90])


@pytest.mark.parametrize("fraction", [0, 0.01])
def test_declared_bits_hold_beside_a_marker(fraction):
    samples = scene(12, (97, 131))
    image, mask = marked(samples, fraction)
    read = read_xray(png_with_significant_bits(image, 12))  # no warning: the file declares it
    np.testing.assert_array_equal(read[~mask], np.rint(samples[~mask] / 4095 * 255))


@pytest.mark.parametrize("fraction", [None, 0.01])
def test_declared_bits_that_are_hardly_used_do_not_make_the_picture_black(fraction):
    samples = scene(12, (97, 131))
    image, mask = (samples, samples < 0) if fraction is None else marked(samples, fraction)
    with pytest.warns(BitDepthWarning, match="of 12 bits"):
        read = read_xray(png_with_significant_bits(image, 16))
    np.testing.assert_array_equal(read[~mask], np.rint(samples[~mask] / 4095 * 255))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("top", [65535, 40000, 17000])
@pytest.mark.parametrize("fraction", [None, 0, 0.01])
@pytest.mark.parametrize("background", [0, 0.6])
def test_images_that_use_sixteen_bits_stay(kind, top, fraction, background):
    samples = (scene(16, (97, 131)) / 65535 * top).astype(np.uint16)
    samples[: round(background * 97)] = 0
    image = samples if fraction is None else marked(samples, fraction)[0]
    read = read_xray(encode(image, kind))
    np.testing.assert_array_equal(read, np.rint(image / 257))


def test_a_small_bright_field_in_blank_background_is_no_marker():
    samples = np.zeros((97, 131), np.uint16)
    samples[40:52, 60:71] = scene(16, (12, 11))  # one pixel in a hundred
    np.testing.assert_array_equal(read_xray(encode(samples, "PNG")), np.rint(samples / 257))


@pytest.mark.parametrize("seed", range(20))
def test_the_scale_is_a_power_of_two_that_leaves_nearly_all_pixels_unclipped(seed):
    rng = np.random.default_rng(seed)
    top = int(2 ** rng.uniform(7, 16))
    samples = rng.beta(2, 2, (61, 83)) * top
    image, mask = marked(samples.astype(np.uint16), rng.choice([0, 0.005, 0.012]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BitDepthWarning)
        read = read_xray(encode(image, "PNG"))
    assert (read[~mask] == 255).mean() <= 0.02
    assert read[~mask].max() >= 255 // 4 - 3  # two bits at most are unused
    order = np.argsort(image, axis=None)
    assert (np.diff(read.ravel()[order].astype(int)) >= 0).all()


def test_sixteen_bit_colours_of_twelve_bits_are_refused_beside_a_marker():
    samples, _ = marked(scene(12, (97, 131)), 0.01)
    data = tiff(np.dstack([samples] * 3), 16, photometric=2)
    with pytest.raises(ImageReadError, match="colours have 16 bits but use the lower 12 only"):
        read_xray(data)
    bright = tiff(np.dstack([scene(16, (97, 131))] * 3), 16, photometric=2)
    np.testing.assert_allclose(read_xray(bright), scene(16, (97, 131)) / 257, atol=1)


@pytest.mark.parametrize("depth", [12, 14, 16])
def test_real_xrays_beside_a_marker(xray_data, depth):
    paths = sorted((xray_data / "originals").glob("*/*"))[::9]
    assert len(paths) > 10
    for path in paths:
        grey = read_xray(path, size=(201, 187))
        samples = (grey * ((2**depth - 1) / 255)).astype(np.uint16)
        image, mask = marked(samples, 0.01)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BitDepthWarning)
            read = read_xray(encode(image, "PNG"))
        np.testing.assert_allclose(read[~mask], grey[~mask], atol=1)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
def test_low_contrast_is_warned_of(tmp_path, kind):
    samples = (60000 + scene(10, (97, 131)) // 2).astype(np.uint16)
    path = tmp_path / "a"
    path.write_bytes(encode(samples, kind))
    message = r"a: [1-4] grey level\(s\) are left for nearly all pixels, of \d+ in the file"
    with pytest.warns(LowContrastWarning, match=message) as caught:
        read = read_xray(path)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(read, np.rint(samples / 257))


def test_low_contrast_of_floats_is_warned_of():
    with pytest.warns(LowContrastWarning, match=r"<bytes in memory>: \d+ grey level"):
        read_xray(tiff(scene(16) / 65535 / 50, 32, sample_format=3))


@pytest.mark.parametrize(
    "samples",
    [
        np.full((7, 9), 300),
        np.arange(63).reshape(7, 9) % 3 + 30000,
        scene(8, (97, 131)) * np.uint16(257),
    ],
)
def test_what_has_few_values_itself_is_not_warned_of(samples):
    read_xray(encode(samples.astype(np.uint16), "TIFF"))
