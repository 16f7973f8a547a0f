"""One file becomes one grey ``uint8`` array."""

import io
import logging
import os
import re
import warnings
from contextlib import nullcontext
from threading import Lock

import numpy as np
from PIL import Image, ImageChops, ImageOps

from skpneumo.exceptions import BitDepthWarning, HeaderWarning, ImageReadError, NoXRayError
from skpneumo.images._depth import png_depths, sample_depth, scale_to_uint8
from skpneumo.images._dicom import HEAD, DicomError, NotRadiographError, decode_dicom, is_dicom
from skpneumo.images._resize import check_aspect, check_image_size, resize_image, resize_xray

_PYDICOM = logging.getLogger("pydicom")
# By the modules that warn, as in `warnings.filters`.
_QUIET = ("ignore", None, Warning, re.compile(r"(pydicom|PIL)(\.|$)"), 0)
MAX_PIXELS = 50_000_000
_STARTS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n"}
_ORIENTATION = 0x0112


def read_xray(source, *, size=None, aspect="stretch"):
    """Read one X-ray file.

    JPEG and PNG: colours become grey, transparency becomes black, an EXIF orientation is applied.
    With ``size`` a JPEG is decoded at reduced scale, which takes about half the time.

    16-bit PNG: samples are scaled to 8 bits by the range of the bits that they use. These are the
    ones that the file calls significant (chunk ``sBIT``), else the smallest of 8, 10, 12, 14 and
    16 bits that hold the largest sample: in an image of 12 bits 4095 becomes 255.

    DICOM: the values are shown as a viewer first would, by the modality's rescaling or table and
    the first table or window of interest; without one, values of 8 bits stay and deeper ones are
    stretched from the least to the greatest. MONOCHROME1 is inverted, padding becomes black. The
    image is cropped to its shutters and collimators; a frontal one is flipped and turned by the
    orientation of the patient in its header, so that the patient's left is on the right. Of
    descriptions the words that name a view count; of the rest of the file nothing is read, no name
    and no date. Which view it is, `read_header` returns: any is read.

    Parameters
    ----------
    source : str, path, bytes or binary file
        A JPEG, PNG or DICOM file. Its type is told by its content, not by its name.
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
        pixels; if a DICOM file needs a decoder of ``skpneumo[dicom]`` that is not installed; if a
        colour PNG leaves the upper bits of its 16 unused. The message names the file and the cause.
    NoXRayError
        If a DICOM file is in colour, has several frames or none, is no radiograph (CT, MR ...), or
        holds the raw data of a detector. It is an ImageReadError.
    ValueError
        If ``size`` or ``aspect`` is not valid.

    Warns
    -----
    BitDepthWarning
        If the number of bits is a guess: no sample reaches the upper half of their range, such as
        1900 of 4095.
    HeaderWarning
        If the orientation of a DICOM file contradicts itself or the view, or a shutter hides all
        of the image: these are not applied.

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
    name = _name(source)
    try:
        # Pillow and pydicom warn of odd metadata and of large files; the former is harmless here,
        # the latter has a limit of its own below.
        with silence, _opened(source) as file:
            file.seek(0)
            head = file.read(HEAD)
            file.seek(0)
            read = _read_dicom if is_dicom(head) else _read_picture
            return read(file, size, aspect)
    except FileNotFoundError:
        raise ImageReadError(f"{name}: there is no such file.") from None
    except IsADirectoryError:
        raise ImageReadError(f"{name}: this is a folder, not a file.") from None
    except Image.UnidentifiedImageError:
        raise ImageReadError(f"{name}: this is not a JPEG, PNG or DICOM image.") from None
    except NotRadiographError as error:
        raise NoXRayError(f"{name}: this DICOM file holds no X-ray: {error}.") from None
    except DicomError as error:
        raise ImageReadError(f"{name}: this DICOM file cannot be read: {error}.") from None
    except (MemoryError, KeyboardInterrupt, BitDepthWarning, HeaderWarning):
        raise
    except Exception as error:
        # Damaged files make Pillow raise nearly anything: OSError, SyntaxError, struct.error ...
        raise ImageReadError(f"{name}: cannot be read as an image ({_cause(error)}).") from error


def image_type(path):
    """Tell what a file holds, by its first bytes.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    {"JPEG", "PNG", "DICOM"} or None
        None also where it cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError:
        return None
    if is_dicom(head):
        return "DICOM"
    return next((name for name, start in _STARTS.items() if head.startswith(start)), None)


class _Silence:
    """Keep what pydicom and Pillow warn of, and what pydicom logs, silent while any thread reads.

    It quotes files. `warnings.catch_warnings` will not do: it acts on the whole process, and puts
    back what it found, so that what other threads warn of or set meanwhile would be lost.
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


def _name(source):
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    return str(getattr(source, "name", None) or f"<{type(source).__name__} in memory>")


def _opened(source):
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    if isinstance(source, (str, os.PathLike)):
        return open(source, "rb")
    return nullcontext(source)


def _cause(error):
    return str(error) or type(error).__name__


def _read_dicom(file, size, aspect):
    try:
        grey, notes = decode_dicom(file, MAX_PIXELS)
    except (DicomError, MemoryError):
        raise
    except Exception:
        # What pydicom says may quote the file.
        raise DicomError("it is damaged") from None
    for note in notes:
        # Where read_xray is called.
        warnings.warn(f"{_name(file)}: {note}.", HeaderWarning, stacklevel=3)
    return grey if size is None else resize_xray(grey, size, aspect)


def _read_picture(file, size, aspect):
    depth, significant = png_depths(file)
    with Image.open(file, formats=[*_STARTS]) as image:
        grey = _to_array(image, size, aspect, _name(file), significant)
        if depth == 16 and significant != 16 and not image.mode.startswith("I"):
            _check_colours(image)
        return grey


def decode_image(image):
    """Convert a Pillow image to what `read_xray` makes of its file.

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
            return _to_array(image, None, "stretch", "A Pillow image")
    except (MemoryError, KeyboardInterrupt, BitDepthWarning):
        raise
    except Exception as error:
        raise ImageReadError(f"This image cannot be decoded ({_cause(error)}).") from error


def _to_array(image, size, aspect, name, significant=None):
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} pixels are more than the limit of {MAX_PIXELS}")
    extent = None
    upright = image.getexif().get(_ORIENTATION, 1) == 1
    if size is not None and upright and image.mode in ("L", "RGB"):
        drafted = image.draft("L", size[::-1])
        if drafted is not None:
            extent = drafted[1][2:]
    grey = _to_grey(ImageOps.exif_transpose(image), name, significant)
    if size is not None:
        grey = resize_image(grey, size, aspect, extent)
    return np.array(grey, dtype=np.uint8)


def _to_grey(image, name, significant):
    """Any mode of Pillow's becomes "L"."""
    if image.mode.startswith("I"):
        return Image.fromarray(_scale_samples(image, name, significant))
    if image.has_transparency_data:
        return ImageChops.multiply(*image.convert("LA").split())
    return image.convert("L")


def _scale_samples(image, name, significant):
    """Grey samples of more than 8 bits become 8 bits."""
    samples = np.asarray(image)
    if samples.min() < 0 or samples.max() > 65535:
        raise ValueError(f"its samples go from {samples.min()} to {samples.max()}, not 0 to 65535")
    samples = samples.astype(np.uint32)
    if "transparency" in image.info:
        samples[samples == image.info["transparency"]] = 0
    depth, is_certain = sample_depth(samples, significant)
    if not is_certain:
        warnings.warn(
            f"{name}: 16-bit samples of at most {samples.max()} are taken for samples of {depth} "
            f"bits, {2**depth - 1} being white. If that is wrong, scale them to 16 bits, or write "
            "the number of bits into the file (PNG chunk sBIT).",
            BitDepthWarning,
            stacklevel=6,  # where read_xray is called
        )
    return scale_to_uint8(samples, depth)


def _check_colours(image):
    """Refuse colours of 16 bits that do not use the upper ones: Pillow drops the others."""
    largest = max(high for _, high in image.convert("RGB").getextrema())
    if largest < 64:
        raise ValueError(
            f"its colours have 16 bits but use the lower {8 + largest.bit_length()} only, most of "
            "which are lost on reading. Save it as a grey PNG"
        )
