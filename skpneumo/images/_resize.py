"""The only module that resizes."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from PIL import Image

from skpneumo._utils.threads import count_threads

ASPECTS = ("stretch", "crop", "pad")


def check_image_size(size):
    """Validate a size and return it as a tuple of two ints.

    Parameters
    ----------
    size : tuple of (int, int)
        Rows and columns, each at least 1.

    Returns
    -------
    tuple of (int, int)

    Raises
    ------
    ValueError
        If ``size`` is anything else.

    Examples
    --------
    >>> from skpneumo.images import check_image_size
    >>> check_image_size([224, 192])
    (224, 192)
    """
    try:
        rows, columns = size
        whole = all(
            isinstance(side, Integral) and not isinstance(side, bool) for side in (rows, columns)
        )
    except (TypeError, ValueError):
        whole = False
    if not whole or rows < 1 or columns < 1:
        raise ValueError(
            f"An image size must be two positive integers, (rows, columns); got {size!r}."
        )
    return int(rows), int(columns)


def check_aspect(aspect):
    """Raise ``ValueError`` unless ``aspect`` is one of `ASPECTS`."""
    if aspect not in ASPECTS:
        raise ValueError(f"aspect must be one of {', '.join(map(repr, ASPECTS))}; got {aspect!r}.")


def _cover_box(width, height, columns, rows):
    """Left, top, right, bottom of the largest centred part with the target's aspect."""
    part_width = min(width, height * columns / rows)
    part_height = min(height, width * rows / columns)
    left, top = (width - part_width) / 2, (height - part_height) / 2
    return left, top, left + part_width, top + part_height


def _fit_box(width, height, columns, rows):
    """Left, top, right, bottom of the part of the target that an image fills."""
    scale = min(columns / width, rows / height)
    fit_width = min(columns, max(1, math.floor(width * scale + 0.5)))
    fit_height = min(rows, max(1, math.floor(height * scale + 0.5)))
    left, top = (columns - fit_width) // 2, (rows - fit_height) // 2
    return left, top, left + fit_width, top + fit_height


def resize_image(image, size, aspect="stretch", extent=None):
    """Resize a grey Pillow image; see `resize_xray`.

    ``extent`` is the part of the image, (width, height) from its top left, that holds the X-ray:
    decoding at reduced scale rounds the sides up, and the last row and column are filled in part.
    """
    rows, columns = size
    width, height = extent or image.size
    if (height, width) == (rows, columns):
        return image
    box = (0, 0, width, height)
    if aspect == "stretch":
        return _resize_box(image, columns, rows, box)
    if aspect == "crop":
        return _resize_box(image, columns, rows, _cover_box(width, height, columns, rows))
    left, top, right, bottom = _fit_box(width, height, columns, rows)
    small = _resize_box(image, right - left, bottom - top, box)
    padded = Image.new("L", (columns, rows), 0)
    padded.paste(small, (left, top))
    return padded


def _resize_box(image, columns, rows, box):
    """Resize a part of an image, first its rows and then its columns.

    Both are rounded to grey levels, so that the order matters. In one call Pillow chooses it from
    version 13 on, by the sizes; exported models need one, and so do equal results of all versions.
    """
    left, top, right, bottom = box
    bilinear = Image.Resampling.BILINEAR
    image = image.resize((columns, image.height), bilinear, box=(left, 0, right, image.height))
    return image.resize((columns, rows), bilinear, box=(0, top, columns, bottom))


def resized_positions(shape, size, aspect="stretch"):
    """Map positions in an image to those in the resized image.

    Parameters
    ----------
    shape : tuple of (int, int)
        Rows and columns of the image.
    size : tuple of (int, int)
        Rows and columns that it is resized to.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        See `resize_xray`.

    Returns
    -------
    rows, columns : tuple of (float, float)
        Scale and offset: what lies at ``r`` in the image, counted in rows from its upper edge, lies
        at ``scale * r + offset`` in the resized one, from the upper edge of that.

    Examples
    --------
    >>> from skpneumo.images import resized_positions
    >>> resized_positions((40, 80), (30, 30), aspect="pad")
    ((0.375, 7.0), (0.375, 0.0))
    """
    (height, width), (rows, columns) = shape, size
    if aspect == "pad":
        left, top, right, bottom = _fit_box(width, height, columns, rows)
        return ((bottom - top) / height, float(top)), ((right - left) / width, float(left))
    box = (0, 0, width, height)
    if aspect == "crop":
        box = _cover_box(width, height, columns, rows)
    left, top, right, bottom = box
    scales = rows / (bottom - top), columns / (right - left)
    return (scales[0], -scales[0] * top), (scales[1], -scales[1] * left)


def resize_xray(image, size, aspect="stretch"):
    """Resize one X-ray.

    Parameters
    ----------
    image : ndarray of shape (H, W), dtype uint8
        The X-ray.
    size : tuple of (int, int)
        Rows and columns wanted.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        What becomes of an image whose sides have another ratio: "stretch" distorts it,
        "crop" keeps the largest centred part, "pad" keeps all of it and fills up with black.

    Returns
    -------
    ndarray of shape size, dtype uint8
        Bilinear interpolation, antialiased if the image becomes smaller (Pillow).

    Raises
    ------
    ValueError
        If ``size`` or ``aspect`` is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images import resize_xray
    >>> wide = np.full((40, 80), 200, dtype=np.uint8)
    >>> resize_xray(wide, (30, 30), aspect="pad")[:, 15].tolist()[:9]
    [0, 0, 0, 0, 0, 0, 0, 200, 200]
    """
    size = check_image_size(size)
    check_aspect(aspect)
    return np.asarray(resize_image(Image.fromarray(image), size, aspect))


def resize_xrays(images, size, aspect="stretch"):
    """Resize a batch of X-rays, in threads.

    Parameters
    ----------
    images : ndarray of shape (n, H, W), dtype uint8, or list of such of shape (H, W)
        The X-rays; those of a list may differ in size.
    size : tuple of (int, int)
        Rows and columns wanted.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        See `resize_xray`.

    Returns
    -------
    ndarray of shape (n, rows, columns), dtype uint8
        ``images`` itself if it has that size already.
    """
    size = check_image_size(size)
    check_aspect(aspect)
    if isinstance(images, np.ndarray) and images.shape[1:] == size:
        return images
    resized = np.empty((len(images), *size), dtype=np.uint8)

    def put(i):
        resized[i] = resize_image(Image.fromarray(images[i]), size, aspect)

    with ThreadPoolExecutor(count_threads()) as pool:
        # Consumed, so that an error in a thread is raised here.
        for _ in pool.map(put, range(len(images))):
            pass
    return resized


@dataclass(frozen=True)
class Resizing:
    """Resizing as a step of an `XRaySequence`.

    Parameters
    ----------
    size : tuple of (int, int)
        Rows and columns.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        See `resize_xray`.
    """

    size: tuple
    aspect: str = "stretch"

    def __call__(self, image, seed=None):
        """Resize one image; ``seed`` is not used."""
        return resize_xray(image, self.size, self.aspect)
