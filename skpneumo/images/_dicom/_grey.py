"""Stored values become grey ones, as a viewer would first show them."""

import numpy as np
from scipy.special import expit

from skpneumo.images._dicom._elements import DicomError, int_of, number_of, table_of, value_of

_MAX_TABLE_BITS = 16


def grey_of_words(dataset, used):
    """Grey value of every word that may be stored.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    used : ndarray of shape (256,) or (65536,), dtype bool
        Which words are stored.

    Returns
    -------
    ndarray of shape (256,) or (65536,), dtype uint8
    """
    n_bits = int_of(dataset, "BitsStored", 0)
    values = np.arange(len(used)) & (2**n_bits - 1)
    signed = int_of(dataset, "PixelRepresentation", 0) == 1
    if signed:
        values -= (values >> (n_bits - 1)) << n_bits
    padding = _padding(dataset, values, 2**n_bits, signed)
    values = _of_modality(dataset, values)
    brightness = _in_table_of_interest(dataset, values)
    if brightness is None:
        brightness = _in_window(dataset, values)
    if brightness is None:
        brightness = _stretched(values, used & ~padding if n_bits > 8 else np.ones_like(used))
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        brightness = 1 - brightness
    brightness[padding] = 0
    return np.round(255 * brightness).astype(np.uint8)


def _padding(dataset, values, n_values, signed):
    """Which values stand for no pixel."""
    ends = [number_of(dataset, f"PixelPadding{name}") for name in ("Value", "RangeLimit")]
    if ends[0] is None:
        return np.zeros(len(values), dtype=bool)
    # Some writers fill up the bits above the stored ones, or take no account of the sign.
    ends = [int(end) % n_values for end in ends if end is not None]
    if signed:
        ends = [end - n_values if end >= n_values // 2 else end for end in ends]
    return (values >= min(ends)) & (values <= max(ends))


def _of_modality(dataset, values):
    """Values in the units of the modality."""
    table = table_of(dataset, "ModalityLUTSequence")
    if table is not None:
        return _in_table(table, values)
    slope, intercept = (number_of(dataset, f"Rescale{name}") for name in ("Slope", "Intercept"))
    if slope == 0:
        raise DicomError("its rescaling makes all values equal")
    return values * (1 if slope is None else slope) + (intercept or 0)


def _in_table_of_interest(dataset, values):
    """Brightness from 0 to 1 by the first VOI LUT, or None where there is no valid one."""
    table = table_of(dataset, "VOILUTSequence")
    if table is None:
        return None
    try:
        shown = _in_table(table, values)
        n_bits = int(table.LUTDescriptor[2])
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
    low, high = shown.min(), shown.max()
    if low == high:
        return None
    # Some writers tell fewer bits than their entries have, or none.
    n_bits = n_bits if 0 < n_bits <= _MAX_TABLE_BITS else 0
    return shown / max(2**n_bits - 1, 2 ** int(high).bit_length() - 1)


def _in_table(item, values):
    n_entries, first, _ = (int(number) for number in item.LUTDescriptor)
    n_entries = n_entries or 2**16
    # Not what pydicom makes of them: it takes two entries of 8 bits for one of 16.
    raw = item.get_item("LUTData")
    size = 1 if len(raw.value) < 2 * n_entries else 2
    order = "<" if raw.is_little_endian else ">"
    entries = np.frombuffer(raw.value[: size * n_entries], f"{order}u{size}").astype(float)
    if first >= 2**15 and values.min() < 0:
        first -= 2**16
    return entries[np.clip(values.astype(int) - first, 0, len(entries) - 1)]


def _in_window(dataset, values):
    """Brightness from 0 to 1 by the first window, or None where there is no valid one."""
    center, width = number_of(dataset, "WindowCenter"), number_of(dataset, "WindowWidth")
    if center is None or width is None or width <= 0:
        return None
    function = str(value_of(dataset, "VOILUTFunction") or "LINEAR")
    if function == "SIGMOID":
        return expit(4 * (values - center) / width)
    if function == "LINEAR":
        center, width = center - 0.5, max(width - 1, 1e-6)
    return np.clip((values - center) / width + 0.5, 0, 1)


def _stretched(values, counted):
    """Brightness from 0 to 1, from the least to the greatest of the values that count."""
    if not counted.any():
        return np.zeros(len(values))
    low, high = values[counted].min(), values[counted].max()
    return np.clip((values - low) / max(high - low, 1e-6), 0, 1)
