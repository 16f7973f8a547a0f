"""The headers of X-ray files, without their pixels."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from skpneumo._utils.typing import XRaySource
from skpneumo.exceptions import ImageReadError, NoXRayError
from skpneumo.images._dicom import HEAD, DicomError, is_dicom
from skpneumo.images._dicom._header import Identity, XRayHeader, parse_header
from skpneumo.images._files import reraise_as_image_read_error, thread_map
from skpneumo.images._read import get_source_name, open_source, read_xray, silence

VIEWS = ("frontal", "all")
_OTHER_VIEWS = {"LATERAL": "a lateral view", "OBLIQUE": "an oblique view"}


def read_header(source: XRaySource) -> XRayHeader:
    """Read facts about an X-ray from the header of its file, none of which identifies a person.

    From a DICOM file: modality, view, body part, side, presentation intent, orientation, pixel
    spacing, model of the device, and whether text is burned into the pixels. View and body part
    come from the codes of the header, else from words in the descriptions of series, protocol and
    study, of which no other word is returned. JPEG and PNG files have no such header: all is
    unknown.

    Parameters
    ----------
    source : str, path, bytes or binary file
        The file, as in `read_xray`.

    Returns
    -------
    XRayHeader
        Unknown entries are "", None or an empty tuple.

    Raises
    ------
    ImageReadError
        If the file is missing, or is a damaged DICOM file.

    See Also
    --------
    read_xray : Read the image.

    Examples
    --------
    >>> import io, tempfile
    >>> from pydicom import Dataset
    >>> from pydicom.uid import ExplicitVRLittleEndian
    >>> from skpneumo.images import read_header
    >>> dataset = Dataset()
    >>> dataset.Modality, dataset.ViewPosition = "DX", "LL"
    >>> dataset.SeriesDescription = "Thorax seitlich"
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     dataset.save_as(file.name, implicit_vr=False, little_endian=True)
    ...     header = read_header(file.name)
    >>> header.modality, header.view, header.body_part, header.pixel_spacing
    ('DX', 'LATERAL', 'CHEST', None)
    """
    header, _, _ = _read(source)
    return header


class HeaderRecord(NamedTuple):
    """Facts about a file before its image is decoded.

    Parameters
    ----------
    header : XRayHeader
        Facts about the image, none of which identifies a person.
    identity : Identity
        What identifies patient, study and series: to number them, never to be shown or stored.
    reason : str
        Why the file is left out; "" if it is not.
    """

    header: XRayHeader
    identity: Identity
    reason: str


def read_records(paths, views="frontal"):
    """Read the headers of files, in threads, and find those that are to be left out.

    Parameters
    ----------
    paths : sequence of str
        The files. Those that cannot be read are not left out; their header is empty.
    views : {"frontal", "all"}, default="frontal"
        Leave out lateral and oblique views and other parts of the body than the chest, or only
        files that hold no X-ray. What is unknown is not left out.

    Returns
    -------
    list of HeaderRecord
    """
    if views not in VIEWS:
        raise ValueError(f"views must be 'frontal' or 'all', got {views!r}.")
    return thread_map(partial(_read_record, views=views), paths)


def _read_record(path, views):
    try:
        header, identity, is_plain = _read(path)
    except ImageReadError:
        return HeaderRecord(XRayHeader(), Identity(), "")
    reason = "" if is_plain else _find_no_xray_reason(path)
    if not reason and views == "frontal":
        reason = _find_view_reason(header)
    return HeaderRecord(header, identity, reason)


def _read(source):
    """Header, identity, and whether the header gives no reason to leave the file out."""
    name = get_source_name(source)
    try:
        with reraise_as_image_read_error(name), silence, open_source(source) as file:
            file.seek(0)
            head = file.read(HEAD)
            file.seek(0)
            if not is_dicom(head):
                return XRayHeader(), Identity(), True
            return parse_header(file)
    except DicomError as error:
        raise ImageReadError(f"{name}: this DICOM file cannot be read: {error}.") from None
    except (MemoryError, ImageReadError, TypeError):
        raise
    except Exception:
        # The text of pydicom's error may quote the file.
        raise ImageReadError(f"{name}: this DICOM file cannot be read: it is damaged.") from None


def _find_no_xray_reason(path):
    """The reason why a file holds no X-ray, found by reading it; "" if it holds one."""
    try:
        read_xray(path)
    except NoXRayError as error:
        return str(error).removeprefix(f"{path}: ")
    except ImageReadError:
        return ""
    return ""


def _find_view_reason(header):
    if header.view in _OTHER_VIEWS:
        return f"this is {_OTHER_VIEWS[header.view]}, not a frontal one."
    if header.body_part not in ("", "CHEST"):
        return f"this shows another part of the body than the chest: {header.body_part}."
    return ""
