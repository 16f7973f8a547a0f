"""What a DICOM header states of its image, and what identifies patient, study and series."""

import re
from contextlib import suppress
from io import BytesIO
from typing import NamedTuple

import numpy as np

from skpneumo.images._dicom._elements import DicomError, get_value, parse
from skpneumo.images._dicom._orientation import get_plane
from skpneumo.images._dicom._words import (
    PART_CODES,
    VIEW_CODES,
    part_in_descriptions,
    part_in_words,
    plain_words,
    single_view,
    view_in_words,
)

# A file of many megabytes has its header at the start, mostly without pictures in it.
_MOSTLY_WITHIN = 2**16
_HEADER_WITHIN = 2**22
_AFTER_HEADER = 0x00550000
_MAX_SEQUENCE_BYTES = 2**16
# Dates that may stand for that of a study, the best first.
_DATED = ("Study", "Series", "Acquisition", "Content")
# Any other word in this place could be that of a person, and is not returned.
MODALITIES = ("CR", "DR", "DX", "OT", "RG")
OTHER_MODALITIES = frozenset(
    {
        *("ANN", "AR", "ASMT", "AU", "BDUS", "BI", "BMD", "CT", "DG", "DOC", "DMS", "ECG", "EEG"),
        *("EPS", "ES", "FID", "GM", "HC", "HD", "IO", "IVOCT", "IVUS", "KER", "KO", "LEN", "LS"),
        *("M3D", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPV", "OSS"),
        *("PLAN", "PR", "PT", "PX", "REG", "RESP", "RF", "RTDOSE", "RTIMAGE", "RTINTENT"),
        *("RTPLAN", "RTRECORD", "RTSEGANN", "RTSTRUCT", "SC", "SEG", "SM", "SMR", "SR", "SRF"),
        *("STAIN", "TG", "US", "VA", "XA", "XC"),
    }
)
# Computed radiography, and digital X-rays for presentation and for processing.
RADIOGRAPHS = tuple(f"1.2.840.10008.5.1.4.1.1.1{kind}" for kind in ("", ".1", ".1.1"))
# Digital X-rays, mammograms and intra-oral images as the detector gave them.
_FOR_PROCESSING = tuple(f"1.2.840.10008.5.1.4.1.1.1.{kind}.1" for kind in (1, 2, 3))
_FOR_PRESENTATION = tuple(f"1.2.840.10008.5.1.4.1.1.1.{kind}" for kind in (1, 2, 3))
# The longest that the standard allows for the name of a model.
_MAX_MODEL = 64
# Shorter parts of names and identifiers are found in many words.
_MIN_PART = 3
_INTENTS = ("FOR PRESENTATION", "FOR PROCESSING")
# The nearest to the image first; that of a study may be of several images.
_DESCRIPTIONS = (
    "SeriesDescription",
    "AcquisitionDeviceProcessingDescription",
    "ProtocolName",
    "PerformedProcedureStepDescription",
)
ORIENTATION_TAGS = ("AnatomicalOrientationType", "PatientOrientation")
VIEW_TAGS = ("SpecificCharacterSet", "ViewPosition", "ViewCodeSequence", *_DESCRIPTIONS)
INTENT_TAGS = ("SOPClassUID", "PresentationIntentType")
_TAGS = (
    *("Modality", "BodyPartExamined", "AnatomicRegionSequence"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    *("ManufacturerModelName", "BurnedInAnnotation", "ImageLaterality", "Laterality"),
    *("Rows", "BitsAllocated", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames"),
    *("PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID"),
    *(f"{kind}{part}" for kind in _DATED for part in ("Date", "Time")),
    *("SeriesNumber", "StudyDescription"),
    *ORIENTATION_TAGS,
    *VIEW_TAGS,
    *INTENT_TAGS,
)


class XRayHeader(NamedTuple):
    """Facts about an X-ray image from the header of its file, none of which identifies a person.

    If the header is silent, contradicts itself, or is missing, as in JPEG and PNG files, an
    entry is "", None or an empty tuple.

    Parameters
    ----------
    modality : str
        Such as "DX", "CR" or "CT".
    view : {"PA", "AP", "LATERAL", "OBLIQUE", ""}
        The projection, from the view position, its code, the orientation of the patient, or a
        word in the descriptions of series and protocol.
    body_part : str
        "CHEST" if the chest is in the picture, else another part, such as "HAND".
    laterality : {"R", "L", "U", "B", ""}
        The side of a paired part; U is for unpaired, B for both.
    presentation_intent : {"FOR PRESENTATION", "FOR PROCESSING", ""}
        Whether the pixels are to be shown, or are the raw data of a detector.
    orientation : tuple of str
        The directions of the patient towards which rows and columns of the stored image run, such
        as ("L", "F") for the left and the feet.
    pixel_spacing : tuple of (float, float) or None
        Distance of rows and of columns in mm: in the patient if that is known, else in the
        plane of the detector.
    model : str
        The manufacturer's name of the model of the device: the device's own text, cut to 64
        characters, and "" if it holds a caret, as names of people do, or the name or identifier
        of the patient.
    burned_in : bool or None
        Whether text that may identify the patient is part of the pixels.
    """

    modality: str = ""
    view: str = ""
    body_part: str = ""
    laterality: str = ""
    presentation_intent: str = ""
    orientation: tuple = ()
    pixel_spacing: tuple | None = None
    model: str = ""
    burned_in: bool | None = None


class Identity(NamedTuple):
    """What identifies patient, study and series: to number them, never to be shown or stored.

    Parameters
    ----------
    patient, study, series : str
        Identifiers; "" if there is none.
    dates : tuple of str
        Date and time of study, series, acquisition and content, to sort by; "" for each that is
        missing.
    number : int
        Of the series in its study, to sort by.
    """

    patient: str = ""
    study: str = ""
    series: str = ""
    dates: tuple = ("",) * len(_DATED)
    number: int = 0


def parse_header(file):
    """Read a header.

    Parameters
    ----------
    file : binary file
        A DICOM file.

    Returns
    -------
    header : XRayHeader
    identity : Identity
    is_plain : bool
        Whether the image is a grey radiograph to be shown, according to the header; if it is not,
        only reading the whole file gives the reason.

    Raises
    ------
    DicomError
        If the file is damaged.
    """
    dataset, may_go_on = _parse_start(file)
    modality = _text(dataset, "Modality").upper()
    class_uid = _text(dataset, "SOPClassUID") or _text(dataset.file_meta, "MediaStorageSOPClassUID")
    must_have_image = class_uid in RADIOGRAPHS and modality in ("", *MODALITIES)
    is_empty = not (dataset or class_uid)
    if is_empty or (must_have_image and "Rows" not in dataset and not may_go_on):
        raise DicomError("it is cut off, or has no header")
    header = XRayHeader(
        modality=modality if modality in OTHER_MODALITIES.union(MODALITIES) else "",
        view=find_view(dataset),
        body_part=_body_part(dataset),
        laterality=_laterality(dataset),
        presentation_intent=presentation_intent(dataset),
        orientation=get_orientation(dataset),
        pixel_spacing=_pixel_spacing(dataset),
        model=_model(dataset),
        burned_in={"YES": True, "NO": False}.get(_text(dataset, "BurnedInAnnotation").upper()),
    )
    identity = Identity(
        *(_text(dataset, name) for name in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")),
        dates=tuple(_date(dataset, kind) for kind in _DATED),
        number=_int(dataset, "SeriesNumber", 0),
    )
    return header, identity, _is_plain(dataset, header)


def _date(dataset, kind):
    """Date and time as text to sort by; "" without a date."""
    # Old files have points in dates and colons in times.
    date = _text(dataset, f"{kind}Date").replace(".", "").replace("-", "")
    time = _text(dataset, f"{kind}Time").replace(":", "")
    return f"{date} {time}" if re.fullmatch(r"(?!0000)[0-9]{8}", date) else ""


def _parse_start(file):
    """The elements of a header, and whether there may be more than were looked through."""
    start = file.read(_MOSTLY_WITHIN)
    if len(start) == _MOSTLY_WITHIN:
        with suppress(DicomError):
            dataset = parse(BytesIO(start), _TAGS, until=_AFTER_HEADER, may_be_cut=True)
            if dataset.is_stopped:
                return dataset, False
    start += file.read(_HEADER_WITHIN - len(start))
    may_go_on = len(start) == _HEADER_WITHIN
    dataset = parse(BytesIO(start), _TAGS, until=_AFTER_HEADER, may_be_cut=may_go_on)
    return dataset, may_go_on and not dataset.is_stopped


def _is_plain(dataset, header):
    colours = _text(dataset, "PhotometricInterpretation").upper()
    return (
        header.modality in MODALITIES
        and header.presentation_intent != "FOR PROCESSING"
        and _int(dataset, "Rows", 0) > 0
        and _int(dataset, "SamplesPerPixel", 1) == 1
        and _int(dataset, "NumberOfFrames", 1) == 1
        and _int(dataset, "BitsAllocated", 0) in (8, 16)
        and colours in ("MONOCHROME1", "MONOCHROME2")
    )


def presentation_intent(dataset):
    """Whether pixels are for presentation or for processing; "" if the header is silent."""
    class_uid = _text(dataset, "SOPClassUID")
    intent = _text(dataset, "PresentationIntentType").upper()
    if intent == "FOR PROCESSING" or class_uid in _FOR_PROCESSING:
        return "FOR PROCESSING"
    if class_uid in _FOR_PRESENTATION:
        return "FOR PRESENTATION"
    return intent if intent in _INTENTS else ""


def find_view(dataset):
    """The view as stated and by the orientation of the patient; "" if these differ."""
    plane = get_plane(get_orientation(dataset))
    oriented = {"coronal": {"FRONTAL"}, "sagittal": {"LATERAL"}}.get(plane, set())
    return single_view(stated_views(dataset) | oriented)


def stated_views(dataset):
    """The views that the codes of a header name, else the words of the first clear description."""
    views = view_in_words(_text(dataset, "ViewPosition"))
    for code, meaning in _codes(dataset, "ViewCodeSequence"):
        views |= {VIEW_CODES[code]} if code in VIEW_CODES else view_in_words(meaning)
    if views - {"FRONTAL"}:
        return views
    for name in _DESCRIPTIONS:
        if view := single_view(views | view_in_words(_text(dataset, name))):
            return {view}
    return views


def _body_part(dataset):
    """The body part by the codes of a header, else by its words; "" if the codes differ."""
    coded = {part_in_words(_text(dataset, "BodyPartExamined"))} | {
        PART_CODES.get(code) or part_in_words(meaning)
        for code, meaning in _codes(dataset, "AnatomicRegionSequence")
    }
    if parts := coded - {""}:
        return parts.pop() if len(parts) == 1 else ""
    names = (*_DESCRIPTIONS, "StudyDescription")
    return part_in_descriptions([_text(dataset, name) for name in names])


def _laterality(dataset):
    sides = (_text(dataset, name).upper() for name in ("ImageLaterality", "Laterality"))
    return next((side for side in sides if side in ("R", "L", "U", "B")), "")


def _model(dataset):
    """The model of the device; "" if it may name the patient."""
    model = " ".join(_text(dataset, "ManufacturerModelName").split())
    words = plain_words(model).split()
    joined = "".join(words)
    # A name is looked for by its parts, an identifier as a whole.
    secrets = re.split(r"[\^=\s,]+", _text(dataset, "PatientName"))
    for secret in (*secrets, _text(dataset, "PatientID")):
        part = plain_words(secret).replace(" ", "")
        if part and part in (joined if len(part) >= _MIN_PART else words):
            return ""
    return "" if "^" in model else model[:_MAX_MODEL]


def get_orientation(dataset):
    """Both directions of `PatientOrientation`, or () if they are not those of a human."""
    if _text(dataset, "AnatomicalOrientationType").upper() == "QUADRUPED":
        return ()
    directions = tuple(_text(dataset, "PatientOrientation").upper().split())
    is_valid = len(directions) == 2 and all(
        1 <= len(letters) <= 3 and set(letters) <= set("LRAPHF") for letters in directions
    )
    return directions if is_valid else ()


def _pixel_spacing(dataset):
    for name in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        try:
            spacing = tuple(float(value) for value in _text(dataset, name).split())
        except ValueError:
            continue
        if len(spacing) == 2 and all(np.isfinite(spacing)) and min(spacing) > 0:
            return spacing
    return None


def _text(dataset, name):
    """All values of an element as one text; "" if it is missing or cannot be understood."""
    try:
        value = get_value(dataset, name)
    except MemoryError:
        raise
    except Exception:
        # Whatever it is, it may quote the file.
        return ""
    if value is None or isinstance(value, bytes):
        return ""
    several = isinstance(value, (list, tuple)) or hasattr(value, "append")
    return (" ".join(map(str, value)) if several else str(value)).strip().strip("\0")


def _int(dataset, name, default):
    try:
        return int(_text(dataset, name) or default)
    except ValueError:
        return default


def _codes(dataset, name):
    """Value and meaning of each code of a sequence."""
    try:
        items = list(get_value(dataset, name, _MAX_SEQUENCE_BYTES) or ())
    except MemoryError:
        raise
    except Exception:
        return []
    return [
        (_text(item, "CodeValue") or _text(item, "LongCodeValue"), _text(item, "CodeMeaning"))
        for item in items[:4]
        if hasattr(item, "get_item")
    ]
