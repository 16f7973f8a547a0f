"""Grey samples of 9 to 16 bits become 8 bits."""

import numpy as np

from skpneumo._utils.png import png_chunks

_ROWS_AT_ONCE = 32
_DEPTHS = (8, 10, 12, 14, 16)
_N_VALUES = 2**16
_MAX_COUNTED_AT_ONCE = 2**20
# Metal markers and burned-in letters cover about a hundredth of an image.
_MAX_BRIGHT_FRACTION = 0.02
_MIN_GREY_LEVELS = 32


def png_depths(file):
    """Bits per sample of a PNG file, and how many of them are significant by its ``sBIT`` chunk.

    Parameters
    ----------
    file : binary file
        At its start, where it is left again.

    Returns
    -------
    depth : int or None
        None if it is no PNG file.
    significant : int or None
        Of the first channel; None without such a chunk, and if ``depth`` is not 16.
    """
    depth = significant = None
    for kind, data in png_chunks(file, 13):
        if kind == b"IHDR":
            depth = data[8] if len(data) == 13 else None
        elif kind == b"sBIT" and data:
            significant = data[0]
        if depth != 16:
            break
    file.seek(0)
    return depth, significant


def count_values(samples):
    """Count the samples of each value from 0 to 65535, in parts: they are copied as 64 bits."""
    n_parts = -(-samples.size // _MAX_COUNTED_AT_ONCE)
    parts = np.array_split(samples, min(n_parts, len(samples)))
    return sum(np.bincount(part.ravel(), minlength=_N_VALUES) for part in parts)


def typical_range(counts):
    """Range of the samples of an image without the least and the greatest values.

    Blank background, frames, saturated markers and burned-in letters are often of one value. So
    the samples of the least and of the greatest value do not count, and of the others neither the
    lowest nor the highest 2 %.

    Parameters
    ----------
    counts : ndarray of shape (n_values,)
        Number of samples of each value.

    Returns
    -------
    low, high : int
        All values if there are no more than two.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images._depth import typical_range
    >>> typical_range(np.bincount([0] * 9 + list(range(100, 200)) + [4095]))
    (102, 197)
    """
    values = np.flatnonzero(counts)
    if len(values) <= 2:
        return int(values[0]), int(values[-1])
    cumulative = np.cumsum(counts[values[1:-1]])
    n_trimmed = int(_MAX_BRIGHT_FRACTION * cumulative[-1])
    low = np.searchsorted(cumulative, n_trimmed, side="right")
    high = np.searchsorted(cumulative, cumulative[-1] - n_trimmed)
    return int(values[1 + low]), int(values[1 + high])


def get_largest_used(counts):
    """Largest sample of an image, apart from a few far above all others.

    It is the top of the `typical_range` if the largest sample is more than twice as large.
    Such samples are a marker, letters or hot pixels: no radiograph reaches with a fiftieth of its
    pixels alone what lies above half of its range.
    """
    largest = int(np.flatnonzero(counts)[-1])
    _, high = typical_range(counts)
    return high if largest > 2 * high else largest


def declared_depth(counts, significant):
    """Bits that the samples of a 16-bit PNG file go up to, according to its ``sBIT`` chunk.

    As the PNG specification has it, samples of fewer significant bits are stored shifted to the
    top of the 16. Many programs leave them at the bottom. Shifted samples are multiples of
    ``2**(16 - significant)``, apart from the replicated top bits.
    """
    if significant is None or not 1 <= significant <= 16:
        return None
    used = get_largest_used(counts)
    step = 2 ** (16 - significant)
    values = np.flatnonzero(counts[: used + 1])
    at_bottom = used < 2**significant and (values % step).any()
    return significant if at_bottom else 16


def sample_depth(counts, declared=None):
    """How many bits the samples of an image go up to.

    Parameters
    ----------
    counts : ndarray of shape (65536,)
        Number of samples of each value, as of `count_values`.
    declared : int, default=None
        How many bits the file declares.

    Returns
    -------
    depth : int
        Full white is ``2**depth - 1``. Larger samples become white too.
    is_certain : bool
        False if the samples do not reach the upper half of that range, so that there may be
        fewer or more bits, if a few go beyond it, and if the file declares another depth.

    Notes
    -----
    What counts is the largest sample, apart from a few far above all others (`get_largest_used`).
    The depth is what the file declares if that sample reaches the upper three quarters of its
    range; else the smallest of 8, 10, 12, 14 and 16 bits that hold it. No radiograph leaves three
    quarters of its range unused.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images._depth import count_values, sample_depth
    >>> ramp = np.arange(4000, dtype=np.uint16).reshape(40, 100)
    >>> sample_depth(count_values(ramp))
    (12, True)
    >>> sample_depth(count_values(ramp // 2))
    (12, False)
    >>> sample_depth(count_values(ramp), declared=13)
    (13, True)
    >>> ramp[0, 0] = 65535
    >>> sample_depth(count_values(ramp))
    (12, False)
    """
    values = np.flatnonzero(counts)
    if values[0] == values[-1]:
        return 16 if declared is None else declared, True  # a blank image shows no range
    used, largest = get_largest_used(counts), int(values[-1])
    if declared is not None and used.bit_length() >= declared - 1:
        return declared, True
    needed = used.bit_length()
    depth = next(depth for depth in _DEPTHS if needed <= depth)
    return depth, depth == 16 or (declared is None and needed == depth and largest < 2**depth)


def grey_levels(depth):
    """Grey of each value of 16 bits, rounded to the nearest.

    Examples
    --------
    >>> from skpneumo.images._depth import grey_levels
    >>> grey_levels(12)[[0, 2048, 4095, 65535]]
    array([  0, 128, 255, 255], dtype=uint8)
    """
    white = 2**depth - 1
    values = np.minimum(np.arange(_N_VALUES), white)
    return ((values * 255 + white // 2) // white).astype(np.uint8)


def apply_lut(lut, samples):
    """Grey of each sample, ``lut[samples]``, in little memory.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images._depth import apply_lut, grey_levels
    >>> apply_lut(grey_levels(12), np.array([[0, 2048], [4095, 5000]], np.uint16))
    array([[  0, 128],
           [255, 255]], dtype=uint8)
    """
    grey = np.empty(samples.shape, dtype=lut.dtype)
    for part in row_blocks(samples):
        np.take(lut, samples[part], out=grey[part])
    return grey


def row_blocks(samples):
    """Slices of a few rows: as an index, samples of 8 bits take eight times the memory."""
    for start in range(0, len(samples), _ROWS_AT_ONCE):
        yield slice(start, start + _ROWS_AT_ONCE)


def few_grey_levels(counts, grey):
    """How few grey levels are left for nearly all pixels, if the file holds far more.

    Parameters
    ----------
    counts : ndarray of shape (n_values,)
        Number of samples of each value.
    grey : ndarray of shape (n_values,), dtype uint8
        Grey of each value.

    Returns
    -------
    n_grey, n_stored : int or None
        Grey levels and stored values in the `typical_range`; None, None if more than 32 levels
        are left, or a quarter of the stored values.
    """
    low, high = typical_range(counts)
    in_range = np.flatnonzero(counts[low : high + 1]) + low
    n_grey, n_stored = len(np.unique(grey[in_range])), len(in_range)
    if n_grey >= _MIN_GREY_LEVELS or n_stored < 4 * n_grey:
        return None, None
    return n_grey, n_stored
