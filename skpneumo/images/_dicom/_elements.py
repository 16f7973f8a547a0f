"""The elements of a DICOM file, read in bounded time and memory."""

import zlib
from functools import lru_cache
from io import BytesIO
from itertools import islice

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
_MAX_TABLES_BYTES = 2**20
_MAX_TABLES = 16
_PREAMBLE = 128
HEAD = _PREAMBLE + len(b"DICM")
_META_GROUP = 2
_CHARACTER_SETS = (b"\x08\x00\x05\x00", b"\x00\x08\x00\x05")
_HEAD_OF_ELEMENT = 8


class DicomError(ValueError):
    """Why a DICOM file cannot be read, in words that quote nothing from the file."""


class NotRadiographError(DicomError):
    """Why a sound DICOM file holds no X-ray that can be shown; as harmless to print."""


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


def parse(file, tags, until=_PIXEL_DATA + 1, *, may_be_cut=False):
    """The elements that are wanted, up to one; in bounded time and memory."""
    # Not `dcmread` or `read_partial`: they inflate without limit.
    from pydicom import uid
    from pydicom.filereader import read_dataset

    file = _Bounded(_read_all(file))
    try:
        meta = _read_meta(file)
        syntax = meta.TransferSyntaxUID
        if syntax == uid.DeflatedExplicitVRLittleEndian:
            file = _Bounded(_inflate(file.read()))
            meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        file.is_cut = False
        dataset = read_dataset(
            file,
            syntax == uid.ImplicitVRLittleEndian,
            syntax != uid.ExplicitVRBigEndian,
            stop_when=lambda tag, *_: tag >= until,
            specific_tags=_get_tags(tuple(tags)),
        )
    except (DicomError, MemoryError):
        raise
    except Exception:
        # Its text may quote the file.
        raise DicomError("it is damaged: its elements cannot be separated") from None
    # The last element may be there in part: pydicom takes or skips it all the same.
    is_cut = file.is_cut or file.tell() > len(file.getbuffer())
    if is_cut and not may_be_cut and "PixelData" not in dataset:
        raise DicomError("it is cut off")
    dataset.file_meta = meta
    # Whether more follows than was wanted.
    dataset.is_stopped = file.tell() < len(file.getbuffer())
    return dataset


@lru_cache(maxsize=8)
def _get_tags(names):
    from pydicom.tag import Tag

    return [Tag(name) for name in names]


class _Bounded(BytesIO):
    """A file of which pydicom reads only so many items and elements, however they are nested."""

    def __init__(self, data):
        if sum(data.count(item) for item in _ITEMS) > _MAX_ITEMS:
            raise DicomError(f"it holds more than {_MAX_ITEMS:,} items of sequences")
        super().__init__(data)
        self.n_elements = 0
        self.tag = b""
        self.is_cut = False

    def read(self, size=-1):
        # pydicom takes it apart wherever it stands.
        if size > _MAX_VALUE_BYTES and self.tag in _CHARACTER_SETS:
            raise DicomError("its SpecificCharacterSet is too large")
        data = super().read(size)
        # Zeros may fill up the last block of a disk.
        self.is_cut |= 0 < len(data) < size and any(data)
        if size == _HEAD_OF_ELEMENT:
            self.tag = data[:4]
            self.n_elements += 1
            if self.n_elements > _MAX_ELEMENTS:
                raise DicomError(f"it holds more than {_MAX_ELEMENTS:,} elements")
        return data


def _read_meta(file):
    """How the file is encoded, as stated or else detected; leaves it at its first element."""
    from pydicom import uid
    from pydicom.dataset import FileMetaDataset
    from pydicom.filereader import read_dataset
    from pydicom.tag import Tag

    if not file.read(HEAD).endswith(b"DICM"):
        file.seek(0)
    meta = read_dataset(
        file,
        False,
        True,
        stop_when=lambda tag, *_: tag >> 16 != _META_GROUP,
        specific_tags=[Tag("MediaStorageSOPClassUID"), Tag("TransferSyntaxUID")],
    )
    meta = FileMetaDataset(meta)
    if not get_value(meta, "TransferSyntaxUID"):
        first = file.tell()
        is_big_endian = int.from_bytes(file.read(2), "little") >= 2**10
        file.seek(first)
        # Whether it is implicit, pydicom sees itself.
        meta.TransferSyntaxUID = (
            uid.ExplicitVRBigEndian if is_big_endian else uid.ExplicitVRLittleEndian
        )
    return meta


def _read_all(file):
    file.seek(0)
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DicomError(f"it is larger than {MAX_BYTES >> 20} MiB, the limit for DICOM files")
    return data


def _inflate(data):
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        elements = inflater.decompress(data, MAX_BYTES)
    except zlib.error:
        raise DicomError("it is damaged: it cannot be inflated") from None
    if inflater.unconsumed_tail:
        raise DicomError(f"it inflates to more than {MAX_BYTES >> 20} MiB, the limit")
    return elements


def get_value(dataset, name, max_bytes=_MAX_VALUE_BYTES):
    """Value of an element, or None; refused if it is too large to be one."""
    raw = dataset.get_item(name) if name in dataset else None
    if raw is not None and (getattr(raw, "length", 0) or 0) > max_bytes:
        raise DicomError(f"its {name} is too large")
    return dataset.get(name)


def get_int(dataset, name, default):
    value = get_value(dataset, name)
    try:
        return default if value in (None, "") else int(value)
    except (TypeError, ValueError):
        raise DicomError(f"its {name} is not a number") from None


def get_code(dataset, name):
    """A code such as "MONOCHROME2": in upper case, without padding; "" if there is none."""
    return str(get_value(dataset, name) or "").strip(" \0").upper()


def get_numbers(dataset, name):
    """Values of an element as floats, None for those that are no finite number."""
    try:
        values = get_value(dataset, name)
    except DicomError:
        raise
    except (TypeError, ValueError):
        return []
    values = [] if values is None else [values] if isinstance(values, str) else np.ravel(values)
    return [_finite(value) for value in values]


def _finite(value):
    try:
        value = float(value)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def get_number(dataset, name):
    """First value of an element as a finite float, or None."""
    return next(iter(get_numbers(dataset, name)), None)


def get_items(dataset, name):
    """First items of a sequence; none if it is missing or empty."""
    return list(islice(get_value(dataset, name, _MAX_TABLES_BYTES) or (), _MAX_TABLES))


def in_functional_groups(dataset, name):
    """Item of a functional group of the first frame, else of all frames, else the file itself."""
    for groups in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        for group in get_items(dataset, groups)[:1]:
            for item in get_items(group, name)[:1]:
                return item
    return dataset


def get_raw(dataset, name):
    """An element as it stands in the file, or None if it is missing, empty or no bytes."""
    raw = dataset.get_item(name) if name in dataset else None
    if raw is None or not isinstance(raw.value, bytes) or not raw.value:
        return None
    if len(raw.value) > _MAX_TABLE_BYTES:
        raise DicomError("it holds a table that is too large")
    return raw
