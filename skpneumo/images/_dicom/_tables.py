"""Lookup tables: of the modality, of the values of interest, and of palettes."""

from dataclasses import dataclass

import numpy as np

from skpneumo.images._dicom._elements import DicomError, get_raw

_MAX_BITS = 16
_DEPTHS = (8, 10, 12, 14, 16)


class InvalidTableError(DicomError):
    """Why the entries of a lookup table cannot be used."""


@dataclass(frozen=True)
class Table:
    """Entries of a lookup table; a value before the first, or after the last, takes that one."""

    entries: np.ndarray
    first: int
    n_bits: int

    def look_up(self, values):
        """Entries of values, as floats."""
        first = self.first
        if first >= 2**15 and values.min() < 0:
            first -= 2**16
        positions = np.clip(np.nan_to_num(values) - first, 0, len(self.entries) - 1)
        return self.entries[positions.astype(int)]

    def brightness(self, values):
        """Entries of values, from 0 to 1: white is the largest number of the bits that they use.

        Many writers declare 16 bits for entries of 12, others fewer than there are. A difference
        of one bit is none: no entry has to reach the upper half.
        """
        shown = self.look_up(values)
        needed = int(shown.max()).bit_length()
        declared = self.n_bits if 0 < self.n_bits <= _MAX_BITS else 0
        if declared >= needed + 2:
            declared = min(next(depth for depth in _DEPTHS if depth >= needed), declared)
        return shown / (2 ** max(declared, needed, 1) - 1)


def read_table(item, descriptor="LUTDescriptor", data="LUTData"):
    """Table of a dataset, with as many entries as it really has.

    Parameters
    ----------
    item : pydicom.Dataset
        What holds the table.
    descriptor, data : str
        Names of the elements of a table.

    Returns
    -------
    Table or None
        None if there is none.

    Raises
    ------
    InvalidTableError
        If its descriptor is not valid, or its entries are fewer bytes than it states.

    Notes
    -----
    Entries are words of 16 bits. They are bytes only if the data are exactly as long as bytes
    would be, and the descriptor does not give an entry more than 8 bits. Data that are shorter
    than the descriptor states are words; the last one stands for those that are missing.
    """
    raw = get_raw(item, data)
    if raw is None or get_raw(item, descriptor) is None:
        return None
    try:
        n_entries, first, n_bits = (int(number) for number in item[descriptor].value)
    except (TypeError, ValueError):
        raise InvalidTableError("it holds a lookup table without a valid descriptor") from None
    # Declared as signed, 40,000 entries are a negative number.
    n_entries = n_entries % 2**16 or 2**16
    n_bytes = len(raw.value)
    is_even = n_entries + n_entries % 2
    if n_bytes < 2 * n_entries and n_bytes in (n_entries, is_even) and not 8 < n_bits <= _MAX_BITS:
        entries = np.frombuffer(raw.value[:n_entries], np.uint8)
    else:
        order = "<" if raw.is_little_endian else ">"
        entries = np.frombuffer(raw.value[: min(n_entries, n_bytes // 2) * 2], f"{order}u2")
        is_short = len(entries) < n_entries
        if not len(entries) or (is_short and 0 < n_bits <= 8 and entries.max() > 255):
            raise InvalidTableError("it holds a lookup table shorter than its descriptor states")
    return Table(entries.astype(float), first, n_bits)
