"""A DICOM radiograph becomes one grey ``uint8`` array, as a viewer would first show it."""

from math import isqrt

import numpy as np

from skpneumo.images._depth import apply_lut, row_blocks
from skpneumo.images._dicom._elements import (
    HEAD,
    DicomError,
    NotRadiographError,
    get_code,
    get_int,
    get_value,
    is_dicom,
    parse,
)
from skpneumo.images._dicom._grey import grayscale_lut
from skpneumo.images._dicom._header import (
    INTENT_TAGS,
    MODALITIES,
    ORIENTATION_TAGS,
    OTHER_MODALITIES,
    RADIOGRAPHS,
    VIEW_TAGS,
    get_orientation,
    presentation_intent,
    stated_views,
)
from skpneumo.images._dicom._orientation import bring_upright
from skpneumo.images._dicom._pixels import read_stored_values, restore_high_bits
from skpneumo.images._dicom._shutter import SHUTTER_TAGS, apply_shutters

__all__ = ["HEAD", "DicomError", "NotRadiographError", "decode_dicom", "is_dicom"]

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# An element of another kind would be taken apart.
_KINDS_OF_PIXELS = (None, "OB", "OW", "UN")
# Per pixel; YBR_ICT and YBR_RCT of JPEG 2000 are RGB once decoded.
_SAMPLES = {
    **dict.fromkeys(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"), 1),
    **dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"), 3),
}
_SAMPLE_OF_PIXELS = 2**17
_PALETTES = tuple(
    f"{colour}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for part in ("Descriptor", "Data")
)
# Names, identifiers and dates are not among them, so that they are never read. Of descriptions only
# the words that name a view are taken.
_TAGS = (
    *INTENT_TAGS,
    *ORIENTATION_TAGS,
    *VIEW_TAGS,
    *SHUTTER_TAGS,
    "Modality",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
    "PresentationLUTShape",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "PixelData",
    *_PALETTES,
)


def decode_dicom(file, max_pixels):
    """Read the image of a DICOM radiograph.

    Stored values go through the modality's table or rescaling, then through the first table or
    window of interest that leaves a picture. Without one, values of 8 bits stay what they are, and
    deeper ones are stretched from the least to the greatest in the image. MONOCHROME1 is inverted;
    padding becomes black. The image is cropped to its shutters, and a frontal one is brought
    upright.

    Parameters
    ----------
    file : seekable binary file
        The file.
    max_pixels : int
        Larger images are refused.

    Returns
    -------
    image : ndarray of shape (H, W), dtype uint8
        0 is black (air), 255 is white (bone).
    causes : list of str
        What to warn of: why a picture would show little, and what was done instead.
    notes : list of str
        What of the header is not applied, and why.

    Raises
    ------
    NotRadiographError
        If the file is sound, but holds no single grey radiograph.
    DicomError
        If it is damaged, contradicts itself, or needs a decoder that is not installed.

    References
    ----------
    DICOM PS3.3, C.7.6.3 (pixels), C.11.1 (modality LUT) and C.11.2 (VOI LUT).
    """
    dataset = parse(file, _TAGS)
    _check_radiograph(dataset, max_pixels)
    if presentation_intent(dataset) == "FOR PROCESSING":
        raise NotRadiographError(
            "it holds the raw data of a detector (FOR PROCESSING), which can be displayed "
            "correctly only after the manufacturer's processing. Use the image FOR PRESENTATION "
            "of the same study"
        )
    values, is_shown, notes = apply_shutters(dataset, read_stored_values(dataset))
    used = _find_used(values)
    if not dataset.PixelRepresentation:
        if used[2**dataset.BitsStored :].any():
            values = restore_high_bits(dataset, values, used)
            used = _find_used(values)
        if not used[2**dataset.BitsStored :].any():
            used = used[: 2**dataset.BitsStored]
    step = isqrt(values.size // _SAMPLE_OF_PIXELS) or 1
    counts = np.bincount(values[::step, ::step].ravel(), minlength=len(used))
    # Of rescalings and windows beyond what floats hold.
    with np.errstate(all="ignore"):
        grey, causes = grayscale_lut(dataset, used, counts)
    image = apply_lut(grey, values)
    if is_shown is not None:
        image[~is_shown] = 0
    image, note = bring_upright(image, get_orientation(dataset), stated_views(dataset))
    return image, causes, [*notes, note] if note else notes


def _find_used(values):
    """Which values occur, by value."""
    used = np.zeros(2 ** (8 * values.itemsize), dtype=bool)
    for part in row_blocks(values):
        used[values[part]] = True
    return used


def _check_radiograph(dataset, max_pixels):
    """Refuse what is not a single grey radiograph of a size that can be read.

    Sets what may be missing, and what is written in several ways, as the standard has it.
    """
    _check_kind(dataset)
    if dataset.get_item("PixelData").VR not in _KINDS_OF_PIXELS:
        raise DicomError("its PixelData is of a kind that holds no pixels")
    n_frames = get_int(dataset, "NumberOfFrames", 1)
    if n_frames > 1:
        raise NotRadiographError(f"it holds {n_frames:,} frames; wanted one image")
    rows, columns, allocated = (
        get_int(dataset, name, 0) for name in ("Rows", "Columns", "BitsAllocated")
    )
    if not (rows and columns):
        raise DicomError("its number of rows or columns is missing")
    if rows * columns > max_pixels:
        raise DicomError(f"{columns} x {rows} pixels are more than the limit of {max_pixels:,}")
    stored = get_int(dataset, "BitsStored", allocated)
    if allocated == 1:
        raise NotRadiographError("its pixels have 1 bit; wanted 8 or 16")
    if allocated not in (8, 16):
        raise DicomError(f"its pixels take {allocated} bits each; wanted 8 or 16")
    if not 1 <= stored <= allocated:
        raise DicomError(f"its pixels have {stored} stored bits of {allocated}")
    high_bit = get_int(dataset, "HighBit", stored - 1)
    if not stored - 1 <= high_bit < allocated:
        raise DicomError("its HighBit is outside the bits of a pixel")
    dataset.NumberOfFrames = 1
    dataset.BitsStored, dataset.HighBit = stored, high_bit
    dataset.PixelRepresentation = get_int(dataset, "PixelRepresentation", 0)
    _check_colours(dataset, max_pixels)


def _check_kind(dataset):
    """Refuse files of other modalities, and those without an image."""
    modality = get_code(dataset, "Modality")
    class_uid = get_value(dataset, "SOPClassUID") or dataset.file_meta.get(
        "MediaStorageSOPClassUID", ""
    )
    is_radiograph = class_uid in RADIOGRAPHS
    if modality and modality not in MODALITIES:
        what = modality if modality in OTHER_MODALITIES else "unknown"
        hint = "" if modality in OTHER_MODALITIES else ". Convert it to PNG if it is one"
        raise NotRadiographError(
            f"its modality is {what}; radiographs are {', '.join(MODALITIES)}{hint}"
        )
    may_hold_one = is_radiograph or str(class_uid).startswith(_SECONDARY_CAPTURE)
    if not (modality or is_radiograph) or not ("PixelData" in dataset or may_hold_one):
        raise NotRadiographError(
            f"{_kind(class_uid)}{'' if modality else ', and its modality is missing'}; wanted an "
            "X-ray. Convert it to PNG if it is one"
        )
    if "PixelData" not in dataset:
        raise DicomError("it holds no image")


def _kind(class_uid):
    """What a file is by its class, in the words of the standard, not of the file."""
    from pydicom.uid import UID

    uid = UID(str(class_uid))
    name = "" if uid.name == uid else uid.name
    return f"it is of the class {name}" if name else "it is of no class that is known"


def _check_colours(dataset, max_pixels):
    """Refuse photometric interpretations of which no grey picture can come."""
    colours = get_code(dataset, "PhotometricInterpretation")
    n_samples = get_int(dataset, "SamplesPerPixel", _SAMPLES.get(colours))
    if not colours:
        raise DicomError(
            "it does not state that it is grey: its PhotometricInterpretation is missing"
        )
    if colours not in _SAMPLES:
        raise NotRadiographError("it is in colour, or its PhotometricInterpretation is unknown")
    if n_samples != _SAMPLES[colours]:
        raise DicomError(
            f"it has {n_samples} samples per pixel, where {colours} has {_SAMPLES[colours]}"
        )
    n_values = dataset.Rows * dataset.Columns * n_samples
    if n_values > max_pixels:
        raise DicomError(
            f"{n_values:,} samples of colours are more than the limit of {max_pixels:,}"
        )
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = n_samples, colours
    if n_samples > 1:
        dataset.PlanarConfiguration = get_int(dataset, "PlanarConfiguration", 0)
