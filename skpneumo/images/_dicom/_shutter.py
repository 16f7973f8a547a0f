"""Shutters and collimators: what they hide is no part of an X-ray."""

from math import isqrt

import numpy as np
from PIL import Image, ImageDraw

from skpneumo.images._dicom._elements import DicomError, get_int, get_value

_MAX_VERTICES_BYTES = 2**16
# Coordinates of images, and of what lies around them.
_MAX_COORDINATE = 10**6
# Shutters that leave less of an image are mistakes: a newborn's chest fills more of a detector.
_MIN_FRACTION = 0.01
# Collimators describe the device, and their edges are often those of another matrix than that of
# the pixels. They are right if what they hide varies little: by this fraction of the variation of
# what they show, on a sample of pixels.
_MAX_VARIATION = 0.25
_SAMPLE = 2**16
# By kind: the names of its shape, edges (left, right, upper, lower), center, radius, vertices.
_NAMES = {
    kind: (
        f"{kind}Shape",
        [
            f"{kind}{edge}Edge"
            for edge in ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
        ],
        f"CenterOfCircular{kind}",
        f"RadiusOfCircular{kind}",
        f"VerticesOfThePolygonal{kind}",
    )
    for kind in ("Shutter", "Collimator")
}
SHUTTER_TAGS = tuple(
    name for shape, edges, *others in _NAMES.values() for name in (shape, *edges, *others)
)


def apply_shutters(dataset, values):
    """Crop an image to what its shutters and collimators show.

    The rectangle around what is shown is cut out: a frame, even a black one, changes what a
    network sees. The rest of a circle or polygon in it is to become black.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    values : ndarray of shape (H, W)
        What is stored.

    Returns
    -------
    values : ndarray of shape (h, w)
        Those that are not shown are replaced by one that is: they must not count for the grey
        levels.
    is_shown : ndarray of shape (h, w), dtype bool, or None
        None if all of them are shown.
    notes : list of str
        Which shutters are not applied, and why.

    References
    ----------
    DICOM PS3.3, C.7.6.11 (display shutter) and C.8.7.3 (collimator). Several shapes are shown
    where all of them overlap. Pixels are counted from 1.
    """
    is_shown, notes = None, []
    for kind in _NAMES:
        for shape, found in _shapes(dataset, kind, values.shape):
            if found is None:
                notes.append(f"a {kind.lower()} {shape}, and is not applied")
            elif not found.any():
                notes.append(f"a {kind.lower()} {shape} hides all of the image, and is not applied")
            elif kind == "Shutter" or _is_frame(dataset, values, found):
                is_shown = found if is_shown is None else is_shown & found
    if is_shown is None:
        return values, None, notes
    if is_shown.mean() < _MIN_FRACTION:
        return values, None, [*notes, "its shutters hide nearly all of it, and are not applied"]
    rows, columns = (np.flatnonzero(is_shown.any(axis=axis)) for axis in (1, 0))
    inside = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    values, is_shown = values[inside], is_shown[inside]
    if is_shown.all():
        return values, None, notes
    values = np.where(is_shown, values, values[is_shown][0])
    return values, is_shown, notes


def _is_frame(dataset, values, is_shown):
    """Whether what is not shown looks like a frame around the image."""
    step = isqrt(values.size // _SAMPLE) or 1
    values, is_shown = (part[::step, ::step] for part in (values, is_shown))
    values = values.astype(int)
    if is_shown.all() or not is_shown.any():
        return True
    if get_int(dataset, "PixelRepresentation", 0):
        n_values = 2 ** get_int(dataset, "BitsStored", 16)
        values = (values + n_values // 2) % n_values
    hidden, shown = (
        np.ptp(np.percentile(part, (5, 95))) for part in (values[~is_shown], values[is_shown])
    )
    return hidden <= _MAX_VARIATION * shown


def _shapes(dataset, kind, size):
    """Name of each shape and what it shows; or the reason why that is not known, and None."""
    shape, edges, center, radius, vertices = _NAMES[kind]
    # In the order of the file, each once.
    for name in dict.fromkeys(str(value).upper().strip(" \0") for value in _values(dataset, shape)):
        if name == "RECTANGULAR":
            shown = _rectangle([_values(dataset, edge) for edge in edges], size)
            yield "lacks some of its edges" if shown is None else "of straight edges", shown
        elif name == "CIRCULAR":
            shown = _circle(_values(dataset, center), _values(dataset, radius), size)
            lacking = " lacks its center or radius" * (shown is None)
            yield f"of a circle{lacking}", shown
        elif name == "POLYGONAL":
            shown = _polygon(_values(dataset, vertices), size)
            lacking = " lacks some of its vertices" * (shown is None)
            yield f"of a polygon{lacking}", shown
        elif name:
            # Another value may be anything, and is not quoted.
            which = "shape BITMAP" if name == "BITMAP" else "an unknown shape"
            yield f"of {which} is not supported", None


def _values(dataset, name):
    """The values of an element as a list, empty if it is missing or cannot be understood."""
    try:
        value = get_value(dataset, name, _MAX_VERTICES_BYTES)
        if value is None or value == "":
            return []
        return list(value) if hasattr(value, "append") else [value]
    except (MemoryError, DicomError):
        raise
    except Exception:
        # Whatever it is, it may quote the file.
        return []


def _numbers(values, n=None):
    """Values as integers, cut to the reach of an image; None if some are missing."""
    try:
        numbers = [int(float(value)) for value in values]
    except (OverflowError, TypeError, ValueError):
        return None
    if (n is not None and len(numbers) != n) or not numbers:
        return None
    return [min(max(number, -_MAX_COORDINATE), _MAX_COORDINATE) for number in numbers]


def _rectangle(edges, size):
    edges = _numbers([value for values in edges for value in values[:1]], 4)
    if edges is None:
        return None
    left, right, upper, lower = edges
    shown = np.zeros(size, dtype=bool)
    # An edge beyond the image cuts nothing off.
    shown[max(upper - 1, 0) : max(lower, 0), max(left - 1, 0) : max(right, 0)] = True
    return shown


def _circle(center, radius, size):
    center, radius = _numbers(center, 2), _numbers(radius, 1)
    if center is None or radius is None:
        return None
    if radius[0] <= 0:
        return np.zeros(size, dtype=bool)
    rows, columns = (
        np.arange(length) - (middle - 1) for length, middle in zip(size, center, strict=True)
    )
    # By rows: squares of all pixels would take much memory.
    half = np.sqrt(np.maximum(radius[0] ** 2 - rows.astype(float) ** 2, 0))
    half[np.abs(rows) > radius[0]] = -1
    return np.abs(columns)[None, :] <= half[:, None]


def _polygon(vertices, size):
    numbers = _numbers(vertices)
    if numbers is None or len(numbers) < 6 or len(numbers) % 2:
        return None
    corners = [
        (column - 1, row - 1) for row, column in zip(numbers[::2], numbers[1::2], strict=True)
    ]
    picture = Image.new("L", size[::-1])
    ImageDraw.Draw(picture).polygon(corners, fill=1)
    return np.asarray(picture).astype(bool)
