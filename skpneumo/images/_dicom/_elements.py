"""The elements of a DICOM file, read in bounded time and memory."""

import zlib
from io import BytesIO

import numpy as np

# An uncompressed radiograph of 50 megapixels takes 100 MB.
MAX_BYTES = 2**28
_PIXEL_DATA = 0x7FE00010
_MAX_ELEMENTS = 100_000
_MAX_ITEMS = 10_000
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
# Of the value of an element that is no table and no image.
_MAX_VALUE_BYTES = 1024
_MAX_TABLE_BYTES = 2**18
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_PREAMBLE = 128
HEAD = _PREAMBLE + len(b"DICM")
_GROUP_LENGTH = 12


class DicomError(ValueError):
    """Why a DICOM file gives no X-ray, in words that hold nothing of what the file says."""


def is_dicom(head):
    """Whether a file is DICOM, by its first `HEAD` bytes."""
    if head[_PREAMBLE:].startswith(b"DICM"):
        return True
    # Files without a preamble start with a short element of group 2 or 8.
    group, rest = head[:2], head[4:8]
    explicit = rest[:2].isalpha() and rest[:2].isupper()
    if group in (b"\x02\x00", b"\x08\x00"):
        return explicit or (len(rest) == 4 and int.from_bytes(rest, "little") < 256)
    return group == b"\x00\x08" and explicit


def parse(file, tags, until=_PIXEL_DATA + 1):
    """The elements that are asked for, up to one; in bounded time and memory."""
    from pydicom.filereader import read_dataset, read_partial
    from pydicom.tag import Tag

    tags = [Tag(tag) for tag in tags]
    data = _contents(file)
    inflated = _inflated(data)
    elements = inflated or data
    if sum(elements.count(item) for item in _ITEMS) > _MAX_ITEMS:
        raise DicomError(f"it holds more than {_MAX_ITEMS:,} items of sequences")
    n_elements = 0

    def stop(tag, vr, length):
        nonlocal n_elements
        n_elements += 1
        if n_elements > _MAX_ELEMENTS:
            raise DicomError(f"it holds more than {_MAX_ELEMENTS:,} elements")
        return tag >= until

    try:
        if inflated:
            return read_dataset(BytesIO(inflated), False, True, stop_when=stop, specific_tags=tags)
        return read_partial(BytesIO(data), stop, force=True, specific_tags=tags)
    except (DicomError, MemoryError):
        raise
    except Exception:
        # Its text may quote what the file says.
        raise DicomError("it is damaged: its elements cannot be told apart") from None


def _contents(file):
    file.seek(0)
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DicomError(f"it is larger than {MAX_BYTES >> 20} MiB, the limit for DICOM files")
    return data


def _inflated(data):
    """Elements of a file that is compressed as a whole, or None: pydicom sets no limit to them."""
    if _DEFLATED not in data[:1024]:
        return None
    start = HEAD + _GROUP_LENGTH
    start += int.from_bytes(data[start - 4 : start], "little")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        elements = inflater.decompress(data[start:], MAX_BYTES)
    except zlib.error:
        raise DicomError("it is damaged: it cannot be inflated") from None
    if inflater.unconsumed_tail:
        raise DicomError(f"it inflates to more than {MAX_BYTES >> 20} MiB, the limit")
    return elements


def value_of(dataset, name):
    """Value of an element, or None; refused where it is too large to be one."""
    raw = dataset.get_item(name) if name in dataset else None
    if raw is not None and (getattr(raw, "length", 0) or 0) > _MAX_VALUE_BYTES:
        raise DicomError(f"its {name} is larger than any")
    return dataset.get(name)


def int_of(dataset, name, default):
    value = value_of(dataset, name)
    try:
        return default if value in (None, "") else int(value)
    except (TypeError, ValueError):
        raise DicomError(f"its {name} is not a number") from None


def number_of(dataset, name):
    """First value of an element as a finite float, or None."""
    try:
        value = float(np.ravel(value_of(dataset, name))[0])
    except DicomError:
        raise
    except (IndexError, TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def table_of(dataset, name):
    """First item of a sequence of tables, or None where there is none, or an empty one."""
    items = dataset.get(name)
    if not items:
        return None
    for part in ("LUTDescriptor", "LUTData"):
        raw = items[0].get_item(part) if part in items[0] else None
        if raw is None or not raw.value:
            return None
        if len(raw.value) > _MAX_TABLE_BYTES:
            raise DicomError("it holds a table larger than any")
    return items[0]
