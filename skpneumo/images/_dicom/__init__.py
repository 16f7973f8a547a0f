"""A DICOM radiograph becomes one grey ``uint8`` array, as a viewer would first show it."""

import numpy as np

from skpneumo.images._dicom._elements import (
    HEAD,
    DicomError,
    NotRadiographError,
    int_of,
    is_dicom,
    parse,
    value_of,
)
from skpneumo.images._dicom._grey import grey_of_words
from skpneumo.images._dicom._header import (
    INTENT_TAGS,
    MODALITIES,
    ORIENTATION_TAGS,
    OTHER_MODALITIES,
    VIEW_TAGS,
    orientation_of,
    presentation_intent,
    stated_views,
)
from skpneumo.images._dicom._orientation import bring_upright
from skpneumo.images._dicom._pixels import stored_words
from skpneumo.images._dicom._shutter import SHUTTER_TAGS, apply_shutters

__all__ = ["HEAD", "DicomError", "NotRadiographError", "decode_dicom", "is_dicom"]

# Of computed radiography, and of digital X-rays for presentation and for processing.
_RADIOGRAPH_CLASSES = tuple("1.2.840.10008.5.1.4.1.1.1" + end for end in ("", ".1", ".1.1"))
# An element of another kind would be taken apart.
_KINDS_OF_PIXELS = (None, "OB", "OW", "UN")
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
    "PixelData",
)


def decode_dicom(file, max_pixels):
    """Read the image of a DICOM radiograph.

    Stored values go through the modality's table or rescaling, then through the first table or
    window of interest. Without a valid one, values of 8 bits stay what they are, and deeper ones
    are stretched from the least to the greatest in the image. MONOCHROME1 is inverted; padding
    becomes black. The image is cropped to its shutters, and a frontal one is brought upright.

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
    notes : list of str
        What of the header is not applied, and why.

    Raises
    ------
    DicomError
        If the file is damaged.
    NotRadiographError
        If the file holds no single grey radiograph.

    References
    ----------
    DICOM PS3.3, C.7.6.3 (pixels), C.11.1 (modality LUT) and C.11.2 (VOI LUT).
    """
    dataset = parse(file, _TAGS)
    _check_radiograph(dataset, max_pixels)
    if presentation_intent(dataset) == "FOR PROCESSING":
        raise NotRadiographError(
            "it holds the raw data of a detector (FOR PROCESSING), which only the maker's own "
            "processing shows right. Use the image FOR PRESENTATION of the same study"
        )
    words, is_shown, notes = apply_shutters(dataset, stored_words(dataset))
    used = np.zeros(2 ** (8 * words.itemsize), dtype=bool)
    # By rows: an index of 8 or 16 bits is made one of 64.
    for row in words:
        used[row] = True
    # Of rescalings and windows beyond what floats hold.
    with np.errstate(all="ignore"):
        grey = grey_of_words(dataset, used)
    image = np.empty(words.shape, dtype=np.uint8)
    for out, row in zip(image, words, strict=True):
        np.take(grey, row, out=out)
    if is_shown is not None:
        image[~is_shown] = 0
    image, note = bring_upright(image, orientation_of(dataset), stated_views(dataset))
    return image, [*notes, note] if note else notes


def _check_radiograph(dataset, max_pixels):
    """Refuse what is not a single grey radiograph of a size that can be read."""
    modality = str(value_of(dataset, "Modality") or "")
    class_uid = str(value_of(dataset, "SOPClassUID") or "")
    told = modality or class_uid in _RADIOGRAPH_CLASSES
    if not told or (modality and modality not in MODALITIES):
        what = "another one" if modality else "not told"
        what = modality if modality in OTHER_MODALITIES else what
        raise NotRadiographError(
            f"its modality is {what}; radiographs are {', '.join(MODALITIES)}. Convert it to PNG "
            "if it is one"
        )
    if "PixelData" not in dataset:
        # A file of these classes has lost its image.
        error = DicomError if class_uid in _RADIOGRAPH_CLASSES else NotRadiographError
        raise error("it holds no image")
    if dataset.get_item("PixelData").VR not in _KINDS_OF_PIXELS:
        raise DicomError("its PixelData is of a kind that holds no pixels")
    n_frames, n_samples = (
        int_of(dataset, name, 1) for name in ("NumberOfFrames", "SamplesPerPixel")
    )
    if n_frames != 1:
        raise NotRadiographError("it holds several frames, or none; wanted one image")
    colours = str(value_of(dataset, "PhotometricInterpretation") or "")
    if n_samples != 1 or colours not in ("MONOCHROME1", "MONOCHROME2"):
        raise NotRadiographError("it is in colour, or does not say that it is grey")
    rows, columns, allocated, stored = (
        int_of(dataset, name, 0) for name in ("Rows", "Columns", "BitsAllocated", "BitsStored")
    )
    if not (rows and columns):
        raise DicomError("it does not say how many rows and columns it has")
    if rows * columns > max_pixels:
        raise DicomError(f"{columns} x {rows} pixels are more than the limit of {max_pixels:,}")
    if allocated not in (8, 16) or not 1 <= stored <= allocated:
        raise DicomError(f"its pixels have {stored} of {allocated} bits; wanted 8 to 16")
    if not stored - 1 <= int_of(dataset, "HighBit", stored - 1) < allocated:
        raise DicomError("its HighBit is none of the bits of a pixel")
