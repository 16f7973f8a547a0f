"""Small DICOM files, one for each situation of the table in docs/user_guide/dicom.rst.

Each picture is compared with a computation that is written out here, value by value; where they
are right, also with pydicom's functions and with DCMTK's ``dcm2pnm``. A situation for which one of
these does not do gives the reason.
"""

import io
import os
import re
import shutil
import subprocess
from math import exp
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from skpneumo.exceptions import ImageReadError, LowContrastWarning, NoXRayError
from skpneumo.images import read_xray

# pydicom warns of codes in lower case when these files are made.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
PAGE = Path(__file__).parents[2] / "docs" / "user_guide" / "dicom.rst"
# 100 to 3500, of 12 bits
STORED = (100 + 4 * np.arange(851, dtype=np.uint16)).reshape(37, 23)
BYTES = (40 + np.arange(180, dtype=np.uint8)).reshape(12, 15)

NO_DECODER = "needs a plugin for it"
AS_IT_STANDS = "takes the element as it stands"
DCM2PNM_NO_DECODER = "has no decoder for it"
# Options of dcm2pnm
FULL_RANGE, AS_IS = "+Wm", "-W"
WINDOW, VOI_TABLE = "+Wi 1", "+Wl 1"


class Row(NamedTuple):
    """A situation, and what must become of it."""

    situation: str
    section: str
    build: object
    warns: str | None
    without_pydicom: str | None
    dcm2pnm: str


class Refused(NamedTuple):
    """A situation that must end in an error, with its message."""

    situation: str
    section: str
    build: object
    error: type
    message: str


ROWS, REFUSED = [], []


def read(situation, section, *, dcm2pnm, warns=None, without_pydicom=None):
    """Register a function that returns a dataset and its picture, as floats from 0 to 255."""

    def register(build):
        ROWS.append(Row(situation, section, build, warns, without_pydicom, dcm2pnm))
        return build

    return register


def refused(situation, section, error, message):
    """Register a function that returns the dataset of a file that is refused."""

    def register(build):
        REFUSED.append(Refused(situation, section, build, error, message))
        return build

    return register


# Datasets ---------------------------------------------------------------------------------------


def radiograph(pixels=STORED, *, n_bits=None, syntax=ExplicitVRLittleEndian, **elements):
    """Smallest radiograph of these pixels; an element that is None is left out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "DX"
    dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored = n_bits or (12 if pixels.itemsize == 2 else 8)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    dataset.PixelData = data + bytes(len(data) % 2)
    dataset["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    for name, value in elements.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


def compressed(syntax, stream, pixels=STORED, **elements):
    dataset = radiograph(pixels, syntax=f"1.2.840.10008.1.2.{syntax}", **elements)
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


def written(dataset):
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def table(entries, *, first=0, n_bits=16, n_declared=None, data=None):
    """A sequence of one lookup table, of words unless data are given."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [n_declared or len(entries) % 2**16, first, n_bits])
    item.add_new("LUTData", "OW", data or np.array(entries, "<u2").tobytes())
    return [item]


def of_modality(tables):
    tables[0].ModalityLUTType = "US"
    return tables


# What must come out: by value, in plain Python ---------------------------------------------------


def by_value(function, values=STORED):
    """255 times the brightness of each value."""
    flat = [255 * min(max(function(int(value)), 0), 1) for value in values.ravel()]
    return np.array(flat).reshape(values.shape)


def from_to(low, high, values=STORED):
    return by_value(lambda value: (value - low) / (high - low), values)


def full_range(values=STORED):
    return from_to(int(values.min()), int(values.max()), values)


def linear(center, width):
    """PS3.3 C.11.2.1.2.1, from 0 to 1."""

    def function(value):
        if value <= center - 0.5 - (width - 1) / 2:
            return 0
        if value > center - 0.5 + (width - 1) / 2:
            return 1
        return (value - (center - 0.5)) / (width - 1) + 0.5

    return function


# Pixels -----------------------------------------------------------------------------------------


@read("12 bits without a window", "C.7.6.3.1", dcm2pnm=FULL_RANGE)
def no_window():
    return radiograph(), full_range()


@read("8 bits without a window", "C.7.6.3.1", dcm2pnm=AS_IS)
def eight_bits():
    return radiograph(BYTES), BYTES.astype(float)


@read("Signed values", "C.7.6.3.1", dcm2pnm=FULL_RANGE)
def signed():
    values = STORED.astype(np.int16) - 2000
    return radiograph(values), full_range(values)


@read(
    "Unused bits below the stored ones",
    "PS3.5 8.1.1",
    dcm2pnm=FULL_RANGE,
    without_pydicom="it ignores HighBit",
)
def unused_bits_below():
    return radiograph(STORED << 4 | 9, n_bits=12, HighBit=15), full_range()


@read("Overlays in the bits above the stored ones", "PS3.5 8.1.1", dcm2pnm=FULL_RANGE)
def unused_bits_above():
    return radiograph(STORED | 0xA000), full_range()


@read(
    "Values in the upper bits, in spite of HighBit",
    "PS3.5 8.1.1",
    dcm2pnm="cuts them off",
    without_pydicom="cuts them off",
)
def values_in_upper_bits():
    return radiograph(STORED << 4), full_range()


@read(
    "Values of more than the stored bits",
    "PS3.5 8.1.1",
    dcm2pnm="cuts them off",
    without_pydicom="cuts them off",
)
def more_than_stored_bits():
    return radiograph(n_bits=10), full_range()


@read("Implicit elements", "PS3.5 A.1", dcm2pnm=FULL_RANGE)
def implicit():
    return radiograph(syntax=ImplicitVRLittleEndian), full_range()


@read("Big endian", "PS3.5 A.3", dcm2pnm=FULL_RANGE)
def big_endian():
    return radiograph(syntax=ExplicitVRBigEndian), full_range()


@read("Deflated", "PS3.5 A.5", dcm2pnm=FULL_RANGE)
def deflated():
    return radiograph(syntax=DeflatedExplicitVRLittleEndian), full_range()


@read("Run lengths", "PS3.5 A.4.2", dcm2pnm=FULL_RANGE)
def run_lengths():
    dataset = radiograph()
    dataset.compress(RLELossless)
    return dataset, full_range()


@read(
    "Baseline JPEG",
    "PS3.5 A.4.1",
    dcm2pnm=AS_IS,
)
def baseline_jpeg():
    stream = imagecodecs.jpeg8_encode(BYTES, level=95)
    decoded = np.asarray(Image.open(io.BytesIO(stream)))
    return compressed("4.50", stream, BYTES), decoded.astype(float)


@read(
    "JPEG of 12 bits",
    "PS3.5 A.4.1",
    dcm2pnm=FULL_RANGE,
    without_pydicom=NO_DECODER,
)
def jpeg_of_twelve_bits():
    stream = imagecodecs.jpeg8_encode(STORED, level=100, bitspersample=12)
    return compressed("4.51", stream), full_range(imagecodecs.jpeg8_decode(stream))


def lossless_jpeg(pixels=STORED, **options):
    return imagecodecs.jpeg8_encode(pixels, lossless=True, **{"bitspersample": 12, **options})


@read("Lossless JPEG", "PS3.5 A.4.1", dcm2pnm=FULL_RANGE, without_pydicom=NO_DECODER)
def lossless():
    return compressed("4.70", lossless_jpeg()), full_range()


@read("JPEG-LS", "PS3.5 A.4.3", dcm2pnm=FULL_RANGE, without_pydicom=NO_DECODER)
def jpeg_ls():
    return compressed("4.80", imagecodecs.jpegls_encode(STORED)), full_range()


def jpeg_2000(pixels=STORED, **options):
    return imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K", **options)


@read("JPEG 2000", "PS3.5 A.4.4", dcm2pnm=DCM2PNM_NO_DECODER)
def jpeg2000():
    return compressed("4.90", jpeg_2000(bitspersample=12)), full_range()


@read(
    "High-throughput JPEG 2000",
    "PS3.5 A.4.6",
    dcm2pnm=DCM2PNM_NO_DECODER,
    without_pydicom=NO_DECODER,
)
def high_throughput():
    return compressed("4.201", imagecodecs.htj2k_encode(STORED)), full_range()


@read(
    "JPEG 2000 of signed values in a file of unsigned ones",
    "PS3.5 8.2.4",
    dcm2pnm=DCM2PNM_NO_DECODER,
)
def signed_codestream():
    values = STORED.astype(np.int16) - 2000
    return compressed("4.90", jpeg_2000(values)), full_range(values)


@read(
    "JPEG 2000 of unsigned values that are declared signed",
    "PS3.5 8.2.4",
    dcm2pnm=DCM2PNM_NO_DECODER,
)
def unsigned_codestream():
    values = STORED.astype(np.int16) - 2000
    stream = jpeg_2000((values & 4095).astype(np.uint16), bitspersample=12)
    return compressed("4.90", stream, PixelRepresentation=1), full_range(values)


@read(
    "Lossless JPEG with the unused bits below",
    "PS3.5 8.2.1",
    dcm2pnm=FULL_RANGE,
    without_pydicom=NO_DECODER,
)
def lossless_with_bits_below():
    stream = lossless_jpeg(STORED << 4, bitspersample=16)
    return compressed("4.70", stream, HighBit=15), full_range()


@read(
    "JPEG-LS with the unused bits below",
    "PS3.5 8.2.3",
    dcm2pnm=FULL_RANGE,
    without_pydicom=NO_DECODER,
)
def jpeg_ls_with_bits_below():
    return compressed("4.80", imagecodecs.jpegls_encode(STORED << 4), HighBit=15), full_range()


@read(
    "Lossless JPEG with the unused bits above, in spite of HighBit",
    "PS3.5 8.2.1",
    dcm2pnm="shifts, and loses the lowest bits",
    without_pydicom=NO_DECODER,
)
def lossless_with_bits_above():
    stream = lossless_jpeg(STORED + np.uint16(1), bitspersample=16)
    return compressed("4.70", stream, HighBit=15), full_range()


@read(
    "Signed values in a lossless JPEG with the unused bits below",
    "PS3.5 8.2.1",
    dcm2pnm=FULL_RANGE,
    without_pydicom=NO_DECODER,
)
def signed_lossless_with_bits_below():
    values = STORED.astype(np.int16) - 2000
    stream = lossless_jpeg((values << 4).view(np.uint16), bitspersample=16)
    return compressed("4.70", stream, HighBit=15, PixelRepresentation=1), full_range(values)


@read(
    "Overlays in the bits above the stored ones, in a lossless JPEG",
    "PS3.5 8.1.1",
    dcm2pnm=FULL_RANGE,
    without_pydicom=NO_DECODER,
)
def lossless_with_overlays():
    stream = lossless_jpeg(STORED | 0xA000, bitspersample=16)
    return compressed("4.70", stream), full_range()


@refused(
    "Compressed values that leave HighBit open",
    "PS3.5 8.2.1",
    ImageReadError,
    "leave open whether their unused bits are above or below",
)
def open_high_bit():
    stream = lossless_jpeg(STORED // 16 * np.uint16(16), bitspersample=16)
    return compressed("4.70", stream, HighBit=15)


@read("Bytes behind the end of a JPEG", "PS3.5 A.4", dcm2pnm=FULL_RANGE, without_pydicom=NO_DECODER)
def bytes_behind_the_end():
    return compressed("4.70", lossless_jpeg() + bytes(500)), full_range()


@read(
    "Bytes behind the end of a JPEG-LS", "PS3.5 A.4", dcm2pnm=FULL_RANGE, without_pydicom=NO_DECODER
)
def bytes_behind_the_end_of_jpeg_ls():
    return compressed("4.80", imagecodecs.jpegls_encode(STORED) + bytes(500)), full_range()


@refused("A JPEG that is cut off", "PS3.5 A.4", ImageReadError, "cut off")
def cut_off():
    stream = lossless_jpeg()
    return compressed("4.70", stream[: len(stream) // 2] + bytes(500))


def with_offsets(offsets):
    """Two fragments behind a table of offsets."""
    stream = lossless_jpeg() + b"\0"
    stream = stream[: len(stream) // 2 * 2]
    parts = [np.array(offsets, "<u4").tobytes(), stream[:1000], stream[1000:]]
    items = [b"\xfe\xff\x00\xe0" + len(part).to_bytes(4, "little") + part for part in parts]
    dataset = compressed("4.70", stream)
    dataset.PixelData = b"".join(items)
    return dataset


@read(
    "Fragments, and a wrong table of offsets",
    "PS3.5 A.4",
    without_pydicom=NO_DECODER,
    dcm2pnm=FULL_RANGE,
)
def wrong_offsets():
    return with_offsets([0, 400, 8_000_000]), full_range()


@read(
    "Fragments without a table of offsets",
    "PS3.5 A.4",
    without_pydicom=NO_DECODER,
    dcm2pnm=FULL_RANGE,
)
def no_offsets():
    return with_offsets([]), full_range()


@read(
    "Fragments without a place for the table of offsets",
    "PS3.5 A.4",
    without_pydicom=NO_DECODER,
    dcm2pnm="takes the first fragment for the table",
)
def no_place_for_offsets():
    dataset = with_offsets([])
    dataset.PixelData = dataset.PixelData[8:]
    return dataset, full_range()


# Header -----------------------------------------------------------------------------------------


@read(
    "SamplesPerPixel, HighBit and PixelRepresentation missing",
    "C.7.6.3",
    dcm2pnm="wants them",
    without_pydicom="wants them",
)
def missing_elements():
    return radiograph(SamplesPerPixel=None, HighBit=None, PixelRepresentation=None), full_range()


@read("BitsStored missing", "C.7.6.3", dcm2pnm="wants it", without_pydicom="wants it")
def missing_bits_stored():
    return radiograph(BitsStored=None, HighBit=None), full_range()


@read("NumberOfFrames 0", "C.7.6.6", dcm2pnm=FULL_RANGE, without_pydicom="warns of it")
def no_frames():
    return radiograph(NumberOfFrames=0), full_range()


@read(
    "Modality and photometric interpretation in lower case",
    "PS3.5 6.2",
    dcm2pnm=FULL_RANGE,
    without_pydicom="does not know it",
)
def lower_case():
    dataset = radiograph(Modality="dx", PhotometricInterpretation="monochrome1")
    return dataset, 255 - full_range()


@read("Modality missing in a file of a class of radiographs", "C.7.3.1", dcm2pnm=FULL_RANGE)
def missing_modality():
    return radiograph(Modality=None), full_range()


@read("MONOCHROME1", "C.7.6.3.1.2", dcm2pnm=FULL_RANGE)
def monochrome1():
    return radiograph(PhotometricInterpretation="MONOCHROME1"), 255 - full_range()


@read("MONOCHROME1 with a window", "C.7.6.3.1.2", dcm2pnm=WINDOW)
def monochrome1_with_a_window():
    dataset = radiograph(
        PhotometricInterpretation="MONOCHROME1", WindowCenter=1500, WindowWidth=900
    )
    return dataset, 255 - by_value(linear(1500, 900))


@read("PresentationLUTShape that agrees", "C.11.6.1.2", dcm2pnm=FULL_RANGE)
def presentation_that_agrees():
    dataset = radiograph(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE")
    return dataset, 255 - full_range()


@refused(
    "PresentationLUTShape that contradicts MONOCHROME1",
    "C.11.6.1.2",
    ImageReadError,
    "MONOCHROME1 contradicts its PresentationLUTShape IDENTITY",
)
def negative_or_not():
    return radiograph(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="IDENTITY")


@refused(
    "PresentationLUTShape that contradicts MONOCHROME2",
    "C.11.6.1.2",
    ImageReadError,
    "MONOCHROME2 contradicts its PresentationLUTShape INVERSE",
)
def inverse_or_not():
    return radiograph(PresentationLUTShape="INVERSE")


@refused(
    "Photometric interpretation missing",
    "C.7.6.3.1.2",
    ImageReadError,
    "PhotometricInterpretation is missing",
)
def no_photometric_interpretation():
    return radiograph(PhotometricInterpretation=None)


@refused(
    "SamplesPerPixel that contradicts the photometric interpretation",
    "C.7.6.3.1.1",
    ImageReadError,
    "it has 3 samples per pixel, where MONOCHROME2 has 1",
)
def contradictory_samples():
    return radiograph(SamplesPerPixel=3)


# Padding ----------------------------------------------------------------------------------------


def padded(kind="US", limit=None, pixels=STORED, value=100, **elements):
    dataset = radiograph(pixels, **elements)
    dataset.add_new("PixelPaddingValue", kind, value)
    if limit is not None:
        dataset.add_new("PixelPaddingRangeLimit", kind, limit)
    return dataset


NO_PADDING = "knows no padding"


@read("Padding", "C.7.5.1.1.2", dcm2pnm=NO_PADDING, without_pydicom=NO_PADDING)
def padding():
    expected = from_to(104, 3500)
    expected[STORED == 100] = 0
    return padded(), expected


@read("Padding in MONOCHROME1", "C.7.5.1.1.2", dcm2pnm=NO_PADDING, without_pydicom=NO_PADDING)
def padding_in_monochrome1():
    expected = 255 - from_to(104, 3500)
    expected[STORED == 100] = 0
    return padded(PhotometricInterpretation="MONOCHROME1"), expected


@read("A range of padding", "C.7.5.1.1.2", dcm2pnm=NO_PADDING, without_pydicom=NO_PADDING)
def range_of_padding():
    expected = from_to(504, 3500)
    expected[STORED <= 500] = 0
    return padded(limit=500), expected


@read("Padding of signed values", "C.7.5.1.1.2", dcm2pnm=NO_PADDING, without_pydicom=NO_PADDING)
def signed_padding():
    values = STORED.astype(np.int16) - 2000
    expected = from_to(-1896, 1500, values)
    expected[values == -1900] = 0
    return padded("SS", pixels=values, value=-1900), expected


@read("Padding that cannot occur: 65535 in 12 bits", "C.7.5.1.1.2", dcm2pnm=FULL_RANGE)
def padding_that_cannot_occur():
    values = np.minimum(STORED + np.uint16(1000), 4095)
    return padded(pixels=values, value=65535), full_range(values)


@read("Padding that cannot occur: 63536 in 12 bits", "C.7.5.1.1.2", dcm2pnm=FULL_RANGE)
def padding_of_another_value():
    return padded(value=61440 + 2096), full_range()


@read(
    "Padding in all bits of a word", "C.7.5.1.1.2", dcm2pnm=NO_PADDING, without_pydicom=NO_PADDING
)
def padding_in_all_bits():
    values = np.where(STORED < 1000, 65535, STORED).astype(np.uint16)
    expected = from_to(1000, 3500, values)
    expected[STORED < 1000] = 0
    return padded(pixels=values, value=65535), expected


@read(
    "A range of padding over all values",
    "C.7.5.1.1.2",
    dcm2pnm=FULL_RANGE,
    warns="padding would cover nearly all of it",
)
def padding_over_everything():
    return padded(value=0, limit=4095), full_range()


# Modality ---------------------------------------------------------------------------------------


@read("Rescale slope and intercept", "C.11.1.1.2", dcm2pnm=WINDOW)
def rescaled():
    dataset = radiograph(RescaleSlope=0.5, RescaleIntercept=-300, WindowCenter=400, WindowWidth=700)
    function = linear(400, 700)
    return dataset, by_value(lambda value: function(value / 2 - 300))


@read("Negative rescale slope", "C.11.1.1.2", dcm2pnm=FULL_RANGE)
def negative_slope():
    return radiograph(RescaleSlope=-1, RescaleIntercept=4095), 255 - full_range()


@read(
    "RescaleSlope 0",
    "C.11.1.1.2",
    dcm2pnm=FULL_RANGE,
    without_pydicom=AS_IT_STANDS,
    warns="rescaling or modality LUT leaves no picture",
)
def slope_of_zero():
    return radiograph(RescaleSlope=0, RescaleIntercept=5), full_range()


@read(
    "A rescale slope beyond floats",
    "C.11.1.1.2",
    dcm2pnm="shows one grey",
    without_pydicom=AS_IT_STANDS,
    warns="rescaling or modality LUT leaves no picture",
)
def slope_beyond_floats():
    return radiograph(RescaleSlope="1e308", RescaleIntercept="0"), full_range()


@read("A tiny rescale slope", "C.11.1.1.2", dcm2pnm="shows one grey")
def tiny_slope():
    return radiograph(RescaleSlope="1e-9", RescaleIntercept="0"), full_range()


@read("Modality LUT", "C.11.1.1.1", dcm2pnm=FULL_RANGE)
def modality_table():
    entries = [value * value // 256 for value in range(4096)]
    dataset = radiograph(ModalityLUTSequence=of_modality(table(entries)))
    low, high = entries[100], entries[3500]
    return dataset, by_value(lambda value: (entries[value] - low) / (high - low))


@read(
    "Modality LUT of one entry less than its descriptor",
    "C.11.1.1.1",
    dcm2pnm=FULL_RANGE,
    without_pydicom="raises an error",
)
def short_modality_table():
    entries = [value * value // 256 for value in range(4095)]
    dataset = radiograph(ModalityLUTSequence=of_modality(table(entries, n_declared=4096)))
    low, high = entries[100], entries[3500]
    return dataset, by_value(lambda value: (entries[value] - low) / (high - low))


@read(
    "Modality LUT that makes all values equal",
    "C.11.1.1.1",
    dcm2pnm="shows one grey",
    without_pydicom=AS_IT_STANDS,
    warns="rescaling or modality LUT leaves no picture",
)
def constant_modality_table():
    return radiograph(ModalityLUTSequence=of_modality(table([7] * 4096))), full_range()


@read(
    "Rescaling and window in functional groups",
    "C.7.6.16.2.9, C.7.6.16.2.10",
    dcm2pnm="reads no functional groups",
    without_pydicom="reads no functional groups",
)
def functional_groups():
    dataset = radiograph(NumberOfFrames=1)
    item = Dataset()
    rescaling, window = Dataset(), Dataset()
    rescaling.RescaleSlope, rescaling.RescaleIntercept = 2, -100
    window.WindowCenter, window.WindowWidth, window.VOILUTFunction = 3000, 2000, "LINEAR_EXACT"
    item.PixelValueTransformationSequence, item.FrameVOILUTSequence = [rescaling], [window]
    dataset.SharedFunctionalGroupsSequence = [item]
    return dataset, by_value(lambda value: (2 * value - 100 - 3000) / 2000 + 0.5)


@read(
    "Those of the frame before those of all frames",
    "C.7.6.16",
    dcm2pnm="reads no functional groups",
    without_pydicom="reads no functional groups",
)
def groups_of_the_frame():
    dataset = radiograph(NumberOfFrames=1)
    for name, center in (("Shared", 20), ("PerFrame", 1200)):
        window, item = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = center, 1500
        item.FrameVOILUTSequence = [window]
        setattr(dataset, f"{name}FunctionalGroupsSequence", [item])
    return dataset, by_value(linear(1200, 1500))


@read(
    "VOI LUT in functional groups",
    "C.7.6.16.2.10",
    dcm2pnm="reads no functional groups",
    without_pydicom="reads no functional groups",
)
def table_in_functional_groups():
    entries = [4095 - value for value in range(4096)]
    item, group = Dataset(), Dataset()
    item.VOILUTSequence = table(entries, n_bits=12)
    group.FrameVOILUTSequence = [item]
    dataset = radiograph(NumberOfFrames=1, SharedFunctionalGroupsSequence=[group])
    return dataset, by_value(lambda value: entries[value] / 4095)


# Values of interest -----------------------------------------------------------------------------


def windowed(center, width, function=None, **elements):
    dataset = radiograph(WindowCenter=center, WindowWidth=width, **elements)
    if function is not None:
        dataset.VOILUTFunction = function
    return dataset


NO_PICTURE = "leave no picture: the full range is shown"


@read("LINEAR, and no VOILUTFunction", "C.11.2.1.2.1", dcm2pnm=WINDOW)
def linear_window():
    return windowed(1700, 1201), by_value(linear(1700, 1201))


@read("LINEAR_EXACT", "C.11.2.1.3.2", dcm2pnm="shows it as LINEAR")
def linear_exact():
    expected = by_value(lambda value: (value - 1700) / 100 + 0.5)
    return windowed(1700, 100, "LINEAR_EXACT"), expected


@read("SIGMOID", "C.11.2.1.3.1", dcm2pnm=WINDOW)
def sigmoid():
    expected = by_value(lambda value: 1 / (1 + exp(-4 * (value - 1700) / 1200)))
    return windowed(1700, 1200, "SIGMOID"), expected


@read(
    "VOILUTFunction in lower case",
    "C.11.2.1.3",
    dcm2pnm="shows it as LINEAR",
)
def function_in_lower_case():
    expected = by_value(lambda value: 1 / (1 + exp(-4 * (value - 1700) / 1200)))
    return windowed(1700, 1200, "sigmoid"), expected


@read("Unknown VOILUTFunction", "C.11.2.1.3", dcm2pnm=WINDOW, without_pydicom="raises an error")
def unknown_function():
    return windowed(1700, 100, "SQUARE"), by_value(linear(1700, 100))


@read(
    "LINEAR of width 1 with its center at half an integer",
    "C.11.2.1.2.1",
    dcm2pnm=WINDOW,
    warns="of its pixels are black and",
)
def width_of_one():
    return windowed(1700.5, 1), by_value(lambda value: int(value > 1700))


@read(
    "LINEAR narrower than 1",
    "C.11.2.1.2.1",
    dcm2pnm="leaves it aside, but stretches nothing",
    without_pydicom="raises an error",
    warns=NO_PICTURE,
)
def too_narrow():
    return windowed(1700, 0.5), full_range()


@read(
    "A window of width 0, or without a width",
    "C.11.2.1.2.1",
    dcm2pnm=FULL_RANGE,
    without_pydicom="raises an error",
    warns=NO_PICTURE,
)
def no_width():
    return windowed(1700, 0), full_range()


@read(
    "A window above all values",
    "C.11.2.1.2",
    dcm2pnm="shows one grey",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def above_all_values():
    return windowed(30_000, 500), full_range()


@read(
    "A window below all values",
    "C.11.2.1.2",
    dcm2pnm="shows one grey",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def below_all_values():
    return windowed(-300, 500), full_range()


@read(
    "A window for 16 bits over values of 12",
    "C.11.2.1.2",
    dcm2pnm="shows few greys",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def window_of_another_precision():
    return windowed(32_768, 65_536), full_range()


@read(
    "A window for 8 bits over values of 12",
    "C.11.2.1.2",
    dcm2pnm="shows little but white",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def window_of_less_precision():
    return windowed(128, 256), full_range()


@read(
    "A window for 14 bits over values of 12",
    "C.11.2.1.2",
    dcm2pnm="shows few greys",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def window_of_two_more_bits():
    return windowed(8192, 16_384), full_range()


@read(
    "A window for 10 bits over values of 12",
    "C.11.2.1.2",
    dcm2pnm="shows little but white",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def window_of_two_bits_less():
    return windowed(511.5, 1023), full_range()


@read("A window for 12 bits over values of 12 in 16", "C.11.2.1.2", dcm2pnm=WINDOW)
def window_of_used_bits():
    return windowed(2048, 4096, BitsStored=16, HighBit=15), by_value(linear(2048, 4096))


@read(
    "A window of width 1e99",
    "C.11.2.1.2",
    dcm2pnm="shows one grey",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def endless_window():
    return windowed("1e99", "1e99"), full_range()


@read(
    "A window that leaves no picture of 8 bits",
    "C.11.2.1.2",
    dcm2pnm="shows one grey",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def no_picture_of_eight_bits():
    return radiograph(BYTES, WindowCenter=5000, WindowWidth=100), BYTES.astype(float)


@read("The first of several windows", "C.11.2.1.2", dcm2pnm=WINDOW)
def several_windows():
    return windowed([1700, 800], [1201, 400]), by_value(linear(1700, 1201))


@read(
    "First window not valid, second valid",
    "C.11.2.1.2",
    dcm2pnm="+Wi 2",
    without_pydicom="raises an error",
)
def second_window():
    return windowed([1700, 800], [0, 900]), by_value(linear(800, 900))


@read(
    "First window leaves no picture, second does",
    "C.11.2.1.2",
    dcm2pnm="+Wi 2",
    without_pydicom="takes the first",
)
def second_window_with_a_picture():
    return windowed([30_000, 800], [50, 900]), by_value(linear(800, 900))


@read(
    "First window is no number, second is valid",
    "C.11.2.1.2",
    dcm2pnm="+Wi 2",
    without_pydicom="raises an error",
)
def window_of_letters():
    dataset = radiograph(syntax=ImplicitVRLittleEndian)
    dataset.add_new("WindowCenter", "LO", ["abc", "800"])
    dataset.add_new("WindowWidth", "LO", ["", "900"])
    return dataset, by_value(linear(800, 900))


@read("VOI LUT", "C.11.2.1.1", dcm2pnm=VOI_TABLE)
def voi_table():
    entries = [min(20 * value, 65535) for value in range(4096)]
    dataset = radiograph(VOILUTSequence=table(entries))
    return dataset, by_value(lambda value: entries[value] / 65535)


@read("VOI LUT before a window", "C.11.2.1", dcm2pnm=VOI_TABLE)
def table_before_window():
    entries = [4095 - value for value in range(4096)]
    dataset = windowed(1700, 1200, VOILUTSequence=table(entries, n_bits=12))
    return dataset, by_value(lambda value: entries[value] / 4095)


@read(
    "VOI LUT of bytes",
    "C.11.2.1.1",
    dcm2pnm=VOI_TABLE,
    without_pydicom="raises an error",
)
def table_of_bytes():
    entries = [value // 16 for value in range(4096)]
    tables = table(entries, n_bits=8, data=bytes(entries))
    return radiograph(VOILUTSequence=tables), by_value(lambda value: entries[value] / 255)


@read(
    "VOI LUT that declares 16 bits and uses 12",
    "C.11.2.1.1",
    dcm2pnm="shows few greys",
    without_pydicom=AS_IT_STANDS,
)
def table_of_unused_bits():
    entries = list(range(4096))
    dataset = radiograph(VOILUTSequence=table(entries))
    return dataset, by_value(lambda value: entries[value] / 4095)


@read(
    "VOI LUT of one entry less than its descriptor",
    "C.11.2.1.1",
    dcm2pnm=VOI_TABLE,
    without_pydicom="raises an error",
)
def short_table():
    entries = [16 * value for value in range(4095)]
    dataset = radiograph(VOILUTSequence=table(entries, n_declared=4096))
    return dataset, by_value(lambda value: entries[value] / 65535)


@read(
    "VOI LUT that declares 65,536 entries and holds 4,096",
    "C.11.2.1.1",
    dcm2pnm=VOI_TABLE,
    without_pydicom="raises an error",
)
def much_shorter_table():
    entries = [16 * value for value in range(4096)]
    tables = table(entries)
    tables[0].LUTDescriptor = [0, 0, 16]
    return radiograph(VOILUTSequence=tables), by_value(lambda value: entries[value] / 65535)


@read(
    "VOI LUT of bytes that are fewer than its descriptor states",
    "C.11.2.1.1",
    dcm2pnm="shows another picture",
    without_pydicom="raises an error",
    warns=NO_PICTURE,
)
def too_few_bytes():
    entries = [value // 16 for value in range(3000)]
    tables = table(entries, n_bits=8, n_declared=4096, data=bytes(entries))
    return radiograph(VOILUTSequence=tables), full_range()


@read(
    "VOI LUT that makes all values equal",
    "C.11.2.1.1",
    dcm2pnm="shows one grey",
    without_pydicom=AS_IT_STANDS,
    warns=NO_PICTURE,
)
def constant_table():
    return radiograph(VOILUTSequence=table([900] * 4096)), full_range()


@read(
    "A hot pixel without a window",
    "C.11.2.1.2",
    dcm2pnm="shows few greys",
    without_pydicom="leaves the range to the caller",
    warns="a few hot or dead pixels",
)
def hot_pixel():
    values = STORED // 16
    values[20, 7] = 4095
    expected = from_to(6, int(STORED.max() // 16), values)
    return radiograph(values), expected


@read(
    "A dead pixel without a window",
    "C.11.2.1.2",
    dcm2pnm="shows few greys",
    without_pydicom="leaves the range to the caller",
    warns="a few hot or dead pixels",
)
def dead_pixel():
    values = 3800 + STORED // 16
    values[20, 7] = 0
    expected = from_to(3806, int(values.max()), values)
    return radiograph(values), expected


@read(
    "Values that are all equal",
    "C.11.2.1.2",
    dcm2pnm=FULL_RANGE,
    without_pydicom="leaves the range to the caller",
)
def constant():
    return radiograph(np.full_like(STORED, 900)), np.zeros(STORED.shape)


@read("8 bits of few grey levels", "C.11.2.1.2", dcm2pnm=AS_IS, warns="of the 256 grey levels")
def few_levels():
    values = BYTES // 12
    return radiograph(values), values.astype(float)


# Colours ----------------------------------------------------------------------------------------


COLOURS = "gives colours"
GREY_AS_COLOURS = np.repeat(BYTES[..., None], 3, axis=-1)


def in_colours(pixels, colours="RGB", **elements):
    return radiograph(
        pixels, PhotometricInterpretation=colours, **{"PlanarConfiguration": 0, **elements}
    )


@read("RGB whose channels are equal", "C.7.6.3.1.2", dcm2pnm=COLOURS, without_pydicom=COLOURS)
def equal_channels():
    return in_colours(GREY_AS_COLOURS), BYTES.astype(float)


@read(
    "RGB whose channels are equal, one behind the other",
    "C.7.6.3.1.3",
    dcm2pnm=COLOURS,
    without_pydicom=COLOURS,
)
def equal_planes():
    dataset = in_colours(GREY_AS_COLOURS, PlanarConfiguration=1)
    dataset.PixelData = 3 * BYTES.tobytes()
    return dataset, BYTES.astype(float)


@read("YBR_FULL without colour", "C.7.6.3.1.2", dcm2pnm=COLOURS, without_pydicom=COLOURS)
def grey_ybr():
    pixels = np.full_like(GREY_AS_COLOURS, 128)
    pixels[..., 0] = BYTES
    return in_colours(pixels, "YBR_FULL"), BYTES.astype(float)


@read("YBR_FULL_422 without colour", "C.7.6.3.1.2", dcm2pnm=COLOURS, without_pydicom=COLOURS)
def grey_ybr_of_half_the_columns():
    values = BYTES[:, :14]
    pairs = np.full((12, 7, 4), 128, np.uint8)
    pairs[..., :2] = values.reshape(12, 7, 2)
    dataset = in_colours(GREY_AS_COLOURS[:, :14], "YBR_FULL_422")
    dataset.PixelData = pairs.tobytes()
    return dataset, values.astype(float)


@read(
    "JPEG without colour in three channels", "C.7.6.3.1.2", dcm2pnm=COLOURS, without_pydicom=COLOURS
)
def grey_jpeg_in_colours():
    file = io.BytesIO()
    Image.fromarray(GREY_AS_COLOURS).save(file, "JPEG", quality=95)
    decoded = np.asarray(Image.open(file).convert("L"))
    dataset = compressed("4.50", file.getvalue(), GREY_AS_COLOURS, PlanarConfiguration=0)
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    return dataset, decoded.astype(float)


@read(
    "JPEG of equal channels that are stored as RGB",
    "C.7.6.3.1.2",
    dcm2pnm=COLOURS,
    without_pydicom=COLOURS,
)
def jpeg_of_equal_channels():
    # Numbered as those of YBR are, and without a marker of what they are.
    as_stored = {"colorspace": "YCBCR", "outcolorspace": "YCBCR"}
    stream = imagecodecs.jpeg8_encode(GREY_AS_COLOURS, level=100, subsampling="444", **as_stored)
    dataset = compressed("4.50", stream, GREY_AS_COLOURS, PlanarConfiguration=0)
    dataset.PhotometricInterpretation = "RGB"
    return dataset, imagecodecs.jpeg8_decode(stream, **as_stored)[..., 0].astype(float)


@read("Run lengths of three equal channels", "PS3.5 G", dcm2pnm=COLOURS, without_pydicom=COLOURS)
def run_lengths_of_equal_channels():
    dataset = in_colours(GREY_AS_COLOURS)
    dataset.compress(RLELossless)
    return dataset, BYTES.astype(float)


@read("JPEG 2000 of three equal channels", "PS3.5 8.2.4", dcm2pnm=COLOURS, without_pydicom=COLOURS)
def jpeg_2000_of_equal_channels():
    dataset = compressed("4.90", jpeg_2000(GREY_AS_COLOURS), GREY_AS_COLOURS)
    dataset.PlanarConfiguration, dataset.PhotometricInterpretation = 0, "YBR_RCT"
    return dataset, BYTES.astype(float)


def with_palette(red, green, blue):
    dataset = radiograph(BYTES, PhotometricInterpretation="PALETTE COLOR")
    for name, entries in (("Red", red), ("Green", green), ("Blue", blue)):
        dataset.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        data = np.array(entries, "<u2").tobytes()
        dataset.add_new(f"{name}PaletteColorLookupTableData", "OW", data)
    return dataset


@read("A palette of grey", "C.7.9", dcm2pnm=COLOURS, without_pydicom="gives the indices")
def palette_of_grey():
    entries = [65535 - 257 * value for value in range(256)]
    return with_palette(entries, entries, entries), 255.0 - BYTES


@refused("A palette of colours", "C.7.9", NoXRayError, "it is in colour")
def palette_of_colours():
    entries = [257 * value for value in range(256)]
    return with_palette(entries, entries, entries[::-1])


@refused("RGB of real colours", "C.7.6.3.1.2", NoXRayError, "it is in colour")
def real_colours():
    pixels = GREY_AS_COLOURS.copy()
    pixels[3, 4, 0] += 60
    return in_colours(pixels)


@refused("YBR_FULL of real colours", "C.7.6.3.1.2", NoXRayError, "it is in colour")
def real_colours_in_ybr():
    pixels = np.full_like(GREY_AS_COLOURS, 128)
    pixels[..., 0], pixels[3, 4, 2] = BYTES, 180
    return in_colours(pixels, "YBR_FULL")


# No X-ray, or none that can be read --------------------------------------------------------------


@refused("Another modality (CT, MR, US, MG ...)", "C.7.3.1.1.1", NoXRayError, "its modality is CT")
def computed_tomography():
    return radiograph(Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")


@refused("A structured report", "A.35", NoXRayError, "its modality is SR")
def report():
    return radiograph(Modality="SR", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", PixelData=None)


@refused("A presentation state", "A.33", NoXRayError, "its modality is PR")
def presentation_state():
    return radiograph(Modality="PR", SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1", PixelData=None)


@refused("A document", "A.45", NoXRayError, "Encapsulated PDF Storage")
def document():
    return radiograph(Modality="OT", SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", PixelData=None)


@refused("A directory (DICOMDIR)", "PS3.10 8.6", NoXRayError, "Media Storage Directory Storage")
def directory():
    dataset = radiograph(Modality=None, PixelData=None)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    return dataset


@refused("Several frames", "C.7.6.6", NoXRayError, "it holds 2 frames; wanted one image")
def several_frames():
    dataset = radiograph(NumberOfFrames=2)
    dataset.PixelData *= 2
    return dataset


@refused("Bits of black and white", "C.7.6.3", NoXRayError, "have 1 bit; wanted 8 or 16")
def black_and_white():
    return radiograph(BitsAllocated=1, BitsStored=1, HighBit=0)


@refused("Pixels of 32 bits", "C.7.6.3", ImageReadError, "take 32 bits each; wanted 8 or 16")
def pixels_of_32_bits():
    return radiograph(STORED.astype(np.uint32))


@refused("A radiograph without its image", "C.7.6.3", ImageReadError, "it holds no image")
def no_image():
    return radiograph(PixelData=None)


@refused("Fewer pixels than the header states", "C.7.6.3", ImageReadError, "cut off")
def too_few_pixels():
    return radiograph(Rows=60)


@refused(
    "A compressed image of another size than the header states",
    "PS3.5 8.2",
    ImageReadError,
    "of another size than its header states",
)
def another_size():
    return compressed("4.70", lossless_jpeg(), Rows=60)


@refused(
    "HighBit, or BitsStored, that cannot be", "PS3.5 8.1.1", ImageReadError, "HighBit is outside"
)
def impossible_high_bit():
    return radiograph(HighBit=20)


@refused("A compression that is not read", "PS3.5 A.4", ImageReadError, "it is compressed as MPEG2")
def video():
    return compressed("4.100", b"mpeg")


# Tests ------------------------------------------------------------------------------------------


def ids(rows):
    return [row.build.__name__ for row in rows]


def picture(row):
    data = written(row.build()[0])
    if row.warns is None:
        return read_xray(data)
    with pytest.warns(LowContrastWarning, match=re.escape(row.warns)):
        return read_xray(data)


@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_as_computed(row):
    expected = row.build()[1]
    assert np.abs(picture(row) - expected).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("row", REFUSED, ids=ids(REFUSED))
def test_refusals(tmp_path, row):
    path = tmp_path / "scan.dcm"
    path.write_bytes(written(row.build()))
    kind = "holds no X-ray" if row.error is NoXRayError else "cannot be read"
    pattern = rf"scan\.dcm: this DICOM file {kind}: .*{re.escape(row.message)}"
    with pytest.raises(row.error, match=pattern) as caught:
        read_xray(path)
    assert type(caught.value) is row.error


BY_PYDICOM = [row for row in ROWS if row.without_pydicom is None]


@pytest.mark.parametrize("row", BY_PYDICOM, ids=ids(BY_PYDICOM))
def test_as_by_pydicom(row):
    dataset = row.build()[0]
    stored = dataset.pixel_array
    values = apply_modality_lut(stored, dataset)
    shown = apply_voi_lut(values, dataset).astype(float)
    if "VOILUTSequence" in dataset:
        low, high = 0, 2 ** dataset.VOILUTSequence[0].LUTDescriptor[2] - 1
    elif "WindowWidth" in dataset:
        with np.errstate(over="ignore"):
            low, high = apply_voi_lut(np.array([-1e6, 1e6]), dataset)
    else:
        low, high = (0, 255) if dataset.BitsStored == 8 else (shown.min(), shown.max())
    expected = 255 * (shown - low) / (high - low)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        expected = 255 - expected
    assert np.abs(picture(row) - expected).max() <= 0.5 + 1e-6


BY_DCM2PNM = [row for row in ROWS if row.dcm2pnm.startswith(("+", "-"))]
# Siblings of dcm2pnm with decoders, by the transfer syntax.
WITH_DECODERS = {
    **{f"1.2.840.10008.1.2.4.{number}": "dcmj2pnm" for number in (50, 51, 70)},
    "1.2.840.10008.1.2.4.80": "dcml2pnm",
}


@pytest.mark.parametrize("row", BY_DCM2PNM, ids=ids(BY_DCM2PNM))
def test_as_by_dcm2pnm(tmp_path, row):
    dataset = row.build()[0]
    program = WITH_DECODERS.get(dataset.file_meta.TransferSyntaxUID, "dcm2pnm")
    if shutil.which(program) is None:
        pytest.skip(f"{program} of DCMTK is not installed (Debian: apt install dcmtk)")
    path, out = tmp_path / "scan.dcm", tmp_path / "out.pgm"
    path.write_bytes(written(dataset))
    command = [program, *row.dcm2pnm.split(), "--write-raw-pnm", os.fspath(path), os.fspath(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # It rounds down, and has its own way with the ends.
    shown = np.asarray(Image.open(out)).astype(int)
    assert np.abs(picture(row).astype(int) - shown).max() <= 2


def test_the_page_has_a_row_for_each_situation():
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - (.+)\n     - (.+)$", page, re.MULTILINE)
    documented = set(rows) - {("Situation", "Section")}
    tested = {(row.situation, row.section) for row in (*ROWS, *REFUSED)}
    assert documented == tested
