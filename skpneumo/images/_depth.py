"""Grey samples of 9 to 16 bits become 8 bits."""

import numpy as np

from skpneumo._png import png_chunks

_DEPTHS = (8, 10, 12, 14, 16)


def png_depths(file):
    """Bits per sample of a PNG file, and how many of them its ``sBIT`` chunk calls significant.

    Parameters
    ----------
    file : binary file
        At its start, where it is left again.

    Returns
    -------
    depth : int or None
        None where it is no PNG file.
    significant : int or None
        Of the first channel; None without such a chunk, and where ``depth`` is not 16.
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


def sample_depth(samples, significant=None):
    """How many bits the samples of a 16-bit image go up to.

    Parameters
    ----------
    samples : ndarray, dtype unsigned integer
        Up to 65535.
    significant : int, default=None
        How many bits the file calls significant.

    Returns
    -------
    depth : int
        Full white is ``2**depth - 1``.
    is_certain : bool
        False where the largest sample does not reach the upper half of that range, so that there
        may be fewer or more.

    Notes
    -----
    As the PNG specification has it, samples of fewer significant bits are stored shifted to the
    top of the 16. Many programs leave them at the bottom. Shifted samples are multiples of
    ``2**(16 - significant)``, apart from the replicated top bits.

    Without the statement of the file, the depth is the smallest of 8, 10, 12, 14 and 16 that holds
    the largest sample: no radiograph leaves three quarters of its range unused.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images._depth import sample_depth
    >>> sample_depth(np.array([0, 300, 4013], np.uint16))
    (12, True)
    >>> sample_depth(np.array([0, 300, 1900], np.uint16))
    (12, False)
    >>> sample_depth(np.array([0, 300, 1900], np.uint16), significant=16)
    (16, True)
    """
    largest = int(samples.max())
    if significant is not None and 1 <= significant <= 16:
        unit = 1 << (16 - significant)
        at_bottom = largest < 2**significant and (samples % unit).any()
        return (significant if at_bottom else 16), True
    if samples.min() == largest:
        return 16, True  # a blank image shows no range
    needed = largest.bit_length()
    depth = next((depth for depth in _DEPTHS if needed <= depth), 16)
    return depth, needed == depth or depth == 16


def scale_to_uint8(samples, depth):
    """Scale samples of a number of bits to ``uint8``, rounded to the nearest.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.images._depth import scale_to_uint8
    >>> scale_to_uint8(np.array([0, 2048, 4095]), 12)
    array([  0, 128, 255], dtype=uint8)
    """
    white = 2**depth - 1
    samples = np.minimum(samples, white).astype(np.uint32)
    return ((samples * 255 + white // 2) // white).astype(np.uint8)
