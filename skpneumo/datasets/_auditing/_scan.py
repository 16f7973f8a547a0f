"""One pass over all images: a thumbnail of each, and a few facts about its file."""

import hashlib
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from skpneumo._utils.parallel import map_chunks
from skpneumo._utils.threads import count_threads
from skpneumo.exceptions import ImageReadError, NoXRayError
from skpneumo.images import (
    READ_WARNINGS,
    detect_format,
    open_picture,
    read_xray,
    resize_xray,
    resize_xrays,
)

SIDE = 64
_SIZE = (SIDE, SIDE)
_GREY = ("1", "L", "LA", "I", "F")
_DIGEST_BYTES = 16
_CHUNK_SIZE = 256
_DAMAGED = "the file changed while it was read"


class ImageRecord(NamedTuple):
    """Facts about one image and its file.

    Parameters
    ----------
    cause : str
        Why it cannot be read; "" if it can. The rest is empty if it cannot.
    digest : bytes
        Equal for two images only if their bytes are: those of the file, or of the pixels.
    width, height : int
        Of the image, in pixels.
    n_bytes : int
        Of the file; 0 for an array.
    mode : str
        Type of the file and colour mode, such as "JPEG L", or "DICOM"; "" for an array.
    colour : float
        Mean distance between the channels, from 0 to 255.
    holds_no_xray : bool
        Whether the file is sound, but holds no X-ray.
    """

    cause: str
    digest: bytes = b""
    width: int = 0
    height: int = 0
    n_bytes: int = 0
    mode: str = ""
    colour: float = 0.0
    holds_no_xray: bool = False


def scan_files(paths, n_jobs=None):
    """Scan files, each opened and decoded once, in threads.

    Parameters
    ----------
    paths : sequence of str
        The files.
    n_jobs : int, default=None
        Number of workers of joblib.

    Returns
    -------
    records : list of ImageRecord
        One per file.
    thumbnails : ndarray of shape (n, 64, 64), dtype uint8
        The images, resized; black if they cannot be read.

    Warns
    -----
    BitDepthWarning, HeaderWarning, LowContrastWarning
        Of `read_xray`, once for each file.
    """
    thumbnails = np.zeros((len(paths), *_SIZE), dtype=np.uint8)
    records = []
    # Pillow warns of odd metadata, which is harmless here. Other warnings are issued when all
    # threads have ended, so that a user's filter does not stop one of them.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for found, images in map_chunks(_scan_chunk, paths, n_jobs=n_jobs, chunk_size=_CHUNK_SIZE):
            thumbnails[len(records) : len(records) + len(found)] = images
            records += found
    messages = {
        (str(warning.message), warning.category)
        for warning in caught
        if issubclass(warning.category, READ_WARNINGS)
    }
    for text, category in sorted(messages, key=lambda pair: (pair[0], pair[1].__name__)):
        warnings.warn(text, category, stacklevel=3)  # at the line that called audit
    return records, thumbnails


def _scan_chunk(paths):
    thumbnails = np.zeros((len(paths), *_SIZE), dtype=np.uint8)
    with ThreadPoolExecutor(min(count_threads(), 16)) as pool:
        return list(pool.map(_scan_file, paths, thumbnails)), thumbnails


def scan_images(images):
    """Scan an array of images.

    Parameters
    ----------
    images : ndarray of shape (n, H, W), dtype uint8
        The images.

    Returns
    -------
    records, thumbnails
        As of `scan_files`.
    """
    height, width = images.shape[1:]
    records = [ImageRecord("", _digest(image), width, height) for image in images]
    return records, resize_xrays(images, _SIZE)


def _scan_file(path, out):
    """Scan one file; its thumbnail goes into ``out``."""
    try:
        kind = detect_format(path)
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, _hash).digest()
            n_bytes = file.tell()
            file.seek(0)
            if kind == "DICOM":
                image = read_xray(file)
                out[:] = resize_xray(image, _SIZE)
                return ImageRecord("", digest, *image.shape[::-1], n_bytes, "DICOM")
            out[:] = read_xray(file, size=_SIZE)
            file.seek(0)
            with open_picture(file) as picture:
                image = picture.image
                mode = f"{image.format} {image.mode}"
                return ImageRecord("", digest, *image.size, n_bytes, mode, _colour(image))
    except ImageReadError as error:
        return ImageRecord(
            why_unreadable(path, error), holds_no_xray=isinstance(error, NoXRayError)
        )
    except OSError as error:
        return ImageRecord(f"{error.strerror or _DAMAGED}.")


def why_unreadable(path, error):
    """The cause without the path: reports name files without their folders."""
    return str(error).removeprefix(f"{path}: ").replace(str(path), "the file")


def _colour(image):
    """Mean distance between the largest and the smallest channel, at reduced size."""
    if image.mode.startswith(_GREY):
        return 0.0
    image.thumbnail(_SIZE)
    return float(np.ptp(np.asarray(image.convert("RGB")), axis=2).mean())


def _hash():
    return hashlib.blake2b(digest_size=_DIGEST_BYTES)


def _digest(image):
    digest = _hash()
    digest.update(np.ascontiguousarray(image))
    return digest.digest()
