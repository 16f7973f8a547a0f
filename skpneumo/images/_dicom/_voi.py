"""Values of interest: what lookup tables and windows make of the values of the modality."""

import numpy as np
from scipy.special import expit

from skpneumo.images._dicom._elements import get_code, get_items, get_numbers
from skpneumo.images._dicom._tables import InvalidTableError, read_table

_DEPTHS = (8, 10, 12, 14, 16)


def voi_pictures(source, values):
    """Brightness by each VOI LUT, then each window, None for one that is not valid; C.11.2.

    Each comes with the number of bits of which a window is the whole range, if it is one.
    """
    for item in get_items(source, "VOILUTSequence"):
        try:
            table = read_table(item)
        except InvalidTableError:
            yield None, None
            continue
        if table is not None:
            yield table.brightness(values), None
    function = get_code(source, "VOILUTFunction").replace(" ", "_")
    centers, widths = (get_numbers(source, f"Window{name}") for name in ("Center", "Width"))
    for i in range(max(len(centers), len(widths))):
        center, width = (numbers[i] if i < len(numbers) else None for numbers in (centers, widths))
        yield _in_window(function, center, width, values), _get_depth_of_window(center, width)


def _get_depth_of_window(center, width):
    """Number of bits of which a window is the whole range, or None."""
    if center is None or width is None:
        return None
    ends = np.array([center - width / 2, center + width / 2])
    return next((n for n in _DEPTHS if np.abs(ends - [0, 2**n]).max() <= 2 ** (n - 6)), None)


def _in_window(function, center, width, values):
    """Brightness in a window, or None if it is not valid; PS3.3 C.11.2.1.2 and C.11.2.1.3."""
    if center is None or width is None or width <= 0:
        return None
    if function == "SIGMOID":
        return expit(4 * (values - center) / width)
    if function != "LINEAR_EXACT":  # LINEAR, the default, also for unknown ones
        if width < 1:
            return None
        if width == 1:
            return (values > center - 0.5).astype(float)
        center, width = center - 0.5, width - 1
    return np.clip((values - center) / width + 0.5, 0, 1)
