"""One file becomes one grey ``uint8`` array."""

from __future__ import annotations

import io
import logging
import os
import re
import warnings
from contextlib import nullcontext
from threading import Lock

import numpy as np
from PIL import Image, ImageOps

from skpneumo._utils.typing import Aspect, Size, XRaySource
from skpneumo.exceptions import (
    BitDepthWarning,
    HeaderWarning,
    ImageReadError,
    LowContrastWarning,
    NoXRayError,
)
from skpneumo.images._dicom import HEAD, DicomError, NotRadiographError, decode_dicom, is_dicom
from skpneumo.images._formats import (
    N_BYTES_TO_NAME,
    READABLE_FORMATS,
    describe_unread_format,
    match_format,
)
from skpneumo.images._picture import (
    MAX_PIXELS,
    PictureError,
    decode_picture,
    make_picture,
    open_picture,
)
from skpneumo.images._resize import check_aspect, check_image_size, resize_xray

_PYDICOM = logging.getLogger("pydicom")
# By the modules that warn, as in `warnings.filters`.
_QUIET = ("ignore", None, Warning, re.compile(r"(pydicom|PIL)(\.|$)"), 0)
# Warnings about a file.
READ_WARNINGS = (BitDepthWarning, HeaderWarning, LowContrastWarning)
# Warnings that a user turned into errors are not errors of the file.
_PASSED = (MemoryError, KeyboardInterrupt, *READ_WARNINGS)


def read_xray(
    source: XRaySource, *, size: Size | None = None, aspect: Aspect = "stretch"
) -> np.ndarray:
    """Read one X-ray file.

    JPEG, PNG, TIFF, BMP, WebP and JPEG 2000: colours become grey, transparency becomes black, an
    orientation in the file (EXIF, TIFF) is applied. With ``size`` a JPEG is decoded at reduced
    scale, which takes about half the time. A TIFF file whose 0 is white is inverted; one of floats
    is read if they go from 0 to 1.

    9 to 16 bits in PNG, TIFF or JPEG 2000: samples are scaled to 8 bits by the range of the bits
    that they use: in an image of 12 bits 4095 becomes 255. The file declares them (TIFF and JPEG
    2000 of 9 to 15 bits, chunk ``sBIT`` of PNG), and at least a quarter of their range is used;
    else they are the smallest of 8, 10, 12, 14 and 16 bits that hold the largest sample. A few
    samples far above all others, such as a marker, burned-in letters or hot pixels, do not count
    and become white. Far above means more than twice what 98 % of the pixels reach, those of the
    least and the greatest value not counted.

    12-bit JPEG: 4095 becomes 255. It takes the decoders of ``skpneumo[dicom]``.

    DICOM: the values are shown as a viewer first would, by the modality's rescaling or table and
    the first table or window of interest that leaves a picture; without one, values of 8 bits stay
    and deeper ones are stretched from the least to the greatest. MONOCHROME1 is inverted, padding
    becomes black. The image is cropped to its shutters and collimators; a frontal one is flipped
    and rotated by the orientation of the patient in its header, so that the patient's left is on
    the right. Of descriptions the words that name a view count; of the rest of the file nothing is
    read, no name and no date. Any view is read: `read_header` returns which it is. The user guide
    has a table of all cases.

    Parameters
    ----------
    source : str, path, bytes or binary file
        A JPEG, PNG, TIFF, BMP, WebP, JPEG 2000 or DICOM file. Its content decides its format, not
        its name.
    size : tuple of (int, int), default=None
        Rows and columns of the image returned; None keeps the image's own.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        How an image of another aspect ratio is brought to ``size``; see `resize_xray`.

    Returns
    -------
    ndarray of shape (H, W), dtype uint8
        0 is black (air), 255 is white (bone).

    Raises
    ------
    ImageReadError
        If the source is missing, is of another type, is damaged, or has more than 50 million
        pixels; if a DICOM file contradicts itself, or needs a decoder of ``skpneumo[dicom]`` that
        is not installed; if a colour PNG or TIFF leaves the upper bits of its 16 unused; if a TIFF
        file is in CIE L*a*b*, or holds negative samples or floats beyond 0 to 1. A WebP image may
        have 25 million pixels, a JPEG 2000 image 100 million samples in all channels, and files
        other than JPEG and PNG 256 MiB. The message names the file and the cause.
    NoXRayError
        If a sound file holds no X-ray that can be shown: a DICOM file in colour, of several frames,
        of raw data of a detector, or that is no radiograph (CT, MR, a report ...); several pages or
        frames; a known format that is not read, such as NIfTI, NumPy, GIF, HEIC, PDF, ZIP or a
        video. It is an `ImageReadError` too.
    ValueError
        If ``size`` or ``aspect`` is not valid.

    Warns
    -----
    BitDepthWarning
        If the number of bits is a guess: no sample reaches the upper half of their range, such as
        1900 of 4095, a few samples go far beyond it, or it contradicts the file.
    LowContrastWarning
        If fewer than 32 grey levels are left for nearly all pixels, although the file holds at
        least four times as many. If the window, table, rescaling or padding of a DICOM file would
        leave no picture, so that it is not applied.
    HeaderWarning
        If the orientation of a DICOM file contradicts itself or the view, or a shutter hides all
        of the image, lacks some of its edges or is not supported: these are not applied.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> from skpneumo.images import read_xray
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (50, 40), "white").save(file, "JPEG")
    >>> image = read_xray(file.getvalue(), size=(24, 20))
    >>> image.shape, image.dtype, int(image.max())
    ((24, 20), dtype('uint8'), 255)
    """
    if size is not None:
        size = check_image_size(size)
    check_aspect(aspect)
    name = get_source_name(source)
    try:
        # Pillow and pydicom warn of odd metadata and of large files; the former is harmless here,
        # the latter has a limit of its own below.
        with silence, open_source(source) as file:
            file.seek(0)
            head = file.read(HEAD)
            file.seek(0)
            if is_dicom(head):
                return _read_dicom(file, name, size, aspect)
            with open_picture(file) as picture:
                return decode_picture(picture, size, aspect, name=name, stacklevel=2)
    except FileNotFoundError:
        raise ImageReadError(f"{name}: there is no such file.") from None
    except IsADirectoryError:
        raise ImageReadError(f"{name}: this is a folder, not a file.") from None
    except Image.UnidentifiedImageError:
        raise ImageReadError(f"{name}: this is not a {READABLE_FORMATS} image.") from None
    except PictureError as error:
        raise NoXRayError(f"{name}: {error}.") from None
    except NotRadiographError as error:
        raise NoXRayError(f"{name}: this DICOM file holds no X-ray: {error}.") from None
    except DicomError as error:
        raise ImageReadError(f"{name}: this DICOM file cannot be read: {error}.") from None
    except _PASSED:
        raise
    except Exception as error:
        # Damaged files make Pillow raise nearly anything: OSError, SyntaxError, struct.error ...
        raise ImageReadError(f"{name}: cannot be read as an image ({_cause(error)}).") from error


def detect_format(path):
    """Detect the format of a file by its first bytes.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    {"JPEG", "PNG", "TIFF", "BMP", "WEBP", "JPEG2000", "DICOM"} or None
        None also if it cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            return match_format(file.read(HEAD))
    except OSError:
        return None


def describe_unread_file(path):
    """Describe why a file whose format `detect_format` does not recognise is not read.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    str
        A sentence: what the file is, and what to do if that is known.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    with open(path, "rb") as file:
        head = file.read(N_BYTES_TO_NAME)
    if not head:
        return "this file is empty."
    what = describe_unread_format(head)
    return f"this is not a {READABLE_FORMATS} image." if what is None else f"{what}."


class _Silence:
    """Silence the warnings of pydicom and Pillow, and pydicom's log, while any thread reads.

    They quote files. `warnings.catch_warnings` is no alternative: it acts on the whole process, and
    restores the filters that it found, so that changes of other threads meanwhile would be lost.
    """

    def __init__(self):
        self._lock = Lock()
        self._n_readers = 0
        self._silenced = []

    def __enter__(self):
        with self._lock:
            # Other threads may have put a list of their own there, or "error" in front.
            if warnings.filters[:1] != [_QUIET]:
                warnings.filters.insert(0, _QUIET)
                self._silenced.append(warnings.filters)
            if not self._n_readers:
                self._was_disabled, _PYDICOM.disabled = _PYDICOM.disabled, True
            self._n_readers += 1

    def __exit__(self, *error):
        with self._lock:
            self._n_readers -= 1
            if not self._n_readers:
                for filters in (*self._silenced, warnings.filters):
                    while _QUIET in filters:
                        filters.remove(_QUIET)
                self._silenced.clear()
                _PYDICOM.disabled = self._was_disabled


silence = _Silence()


def get_source_name(source):
    """Name of a source, for messages; a TypeError if it is none that can be read."""
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    if not (isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "read")):
        raise TypeError(
            f"Expected a path, bytes or a binary file, got an object of type "
            f"{type(source).__name__}."
        )
    return str(getattr(source, "name", None) or f"<{type(source).__name__} in memory>")


def open_source(source):
    """Binary file of a source; one that is a file already stays open."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    if isinstance(source, (str, os.PathLike)):
        return open(source, "rb")
    return nullcontext(source)


def _cause(error):
    return str(error) or type(error).__name__


def _read_dicom(file, name, size, aspect):
    try:
        grey, causes, notes = decode_dicom(file, MAX_PIXELS)
    except (DicomError, MemoryError):
        raise
    except Exception:
        # The text of pydicom's error may quote the file.
        raise DicomError("it is damaged") from None
    for category, texts in ((LowContrastWarning, causes), (HeaderWarning, notes)):
        for text in texts:
            # At the line that called read_xray.
            warnings.warn(f"{name}: {text}.", category, stacklevel=3)
    return grey if size is None else resize_xray(grey, size, aspect)


def decode_image(image):
    """Convert a Pillow image as `read_xray` converts its file.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode.

    Returns
    -------
    ndarray of shape (H, W)
        Of dtype uint8; floats, as they are, for the mode of floats.

    Raises
    ------
    ImageReadError
        If it cannot be decoded: it may have been opened, but not read yet.
    """
    try:
        with silence:
            if image.mode == "F":
                return np.asarray(ImageOps.exif_transpose(image))
            return decode_picture(make_picture(image), name="A Pillow image", stacklevel=2)
    except _PASSED:
        raise
    except Exception as error:
        raise ImageReadError(f"This image cannot be decoded ({_cause(error)}).") from error
