"""A DICOM radiograph becomes one grey ``uint8`` array, as a viewer would first show it."""

import struct
import zlib
from io import BytesIO

import numpy as np
from scipy.special import expit

# An uncompressed radiograph of 50 megapixels takes 100 MB.
MAX_BYTES = 2**28
MODALITIES = ("CR", "DR", "DX", "OT", "RG")
# Others that a message may name; what else stands there could be anything.
_OTHERS = {
    *("CT", "ES", "IO", "MG", "MR", "NM", "OP", "PR", "PT", "PX", "RF", "SC", "SEG", "SR", "US"),
    *("RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "XA", "XC"),
}
_PIXEL_DATA = 0x7FE00010
_MAX_ELEMENTS = 100_000
_MAX_ITEMS = 10_000
_ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
# Of the value of an element that is no table and no image.
_MAX_VALUE_BYTES = 1024
_MAX_TABLE_BYTES = 2**18
_RADIOGRAPH_CLASSES = "1.2.840.10008.5.1.4.1.1.1"
_RLE = "1.2.840.10008.1.2.5"
_J2K_START = b"\xff\x4f\xff\x51"
_MAX_SEGMENTS = 1000
_JPEG_END = b"\xff\xd9"
_JPEG_END_WITHIN = 64
_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
# By the start of the transfer syntax.
_DECODERS = {
    "jpeg8_decode": tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70)),
    "jpegls_decode": ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    "jpeg2k_decode": ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
}
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_PREAMBLE = 128
HEAD = _PREAMBLE + len(b"DICM")
_GROUP_LENGTH = 12
# Names, identifiers and dates are not among them, so that they are never read.
_TAGS = (
    "SOPClassUID",
    "Modality",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
    "PixelData",
)


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


def decode_dicom(file, max_pixels):
    """Read the image of a DICOM radiograph.

    Stored values go through the modality's table or rescaling, then through the first table or
    window of interest. Without a valid one, values of 8 bits stay what they are, and deeper ones
    are stretched from the least to the greatest in the image. MONOCHROME1 is inverted; padding
    becomes black.

    Parameters
    ----------
    file : seekable binary file
        The file.
    max_pixels : int
        Larger images are refused.

    Returns
    -------
    ndarray of shape (H, W), dtype uint8
        0 is black (air), 255 is white (bone).

    Raises
    ------
    DicomError
        If the file holds no single grey radiograph, or is damaged.

    References
    ----------
    DICOM PS3.3, C.7.6.3 (pixels), C.11.1 (modality LUT) and C.11.2 (VOI LUT).
    """
    dataset = _parse(file, _TAGS)
    _check_radiograph(dataset, max_pixels)
    words = _stored_words(dataset)
    used = np.zeros(2 ** (8 * words.itemsize), dtype=bool)
    # By rows: an index of 8 or 16 bits is made one of 64.
    for row in words:
        used[row] = True
    grey = _grey_of_words(dataset, used)
    image = np.empty(words.shape, dtype=np.uint8)
    for out, row in zip(image, words, strict=True):
        np.take(grey, row, out=out)
    return image


def patient_of(file):
    """Identifier of the patient in a DICOM file, or "" where it has none; not to be shown."""
    dataset = _parse(file, ("PatientID",), until=_PIXEL_DATA)
    return str(dataset.get("PatientID") or "").strip()


# -- the file -----------------------------------------------------------------------------------


def _parse(file, tags, until=_PIXEL_DATA + 1):
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


def _check_radiograph(dataset, max_pixels):
    """Refuse what is not a single grey radiograph of a size that can be read."""
    modality = str(_value(dataset, "Modality") or "")
    class_uid = str(_value(dataset, "SOPClassUID") or "")
    told = modality or class_uid.startswith(_RADIOGRAPH_CLASSES)
    if not told or (modality and modality not in MODALITIES):
        what = modality if modality in _OTHERS else "another one" if modality else "not told"
        raise DicomError(
            f"its modality is {what}; radiographs are {', '.join(MODALITIES)}. Convert it to PNG "
            "if it is one"
        )
    if "PixelData" not in dataset:
        raise DicomError("it holds no image")
    n_frames, n_samples = (_int(dataset, name, 1) for name in ("NumberOfFrames", "SamplesPerPixel"))
    if n_frames != 1:
        raise DicomError("it holds several frames, or none; wanted one image")
    colours = str(_value(dataset, "PhotometricInterpretation") or "")
    if n_samples != 1 or colours not in ("MONOCHROME1", "MONOCHROME2"):
        raise DicomError("it is in colour, or does not say that it is grey")
    rows, columns, allocated, stored = (
        _int(dataset, name, 0) for name in ("Rows", "Columns", "BitsAllocated", "BitsStored")
    )
    if not (rows and columns):
        raise DicomError("it does not say how many rows and columns it has")
    if rows * columns > max_pixels:
        raise DicomError(f"{columns} x {rows} pixels are more than the limit of {max_pixels:,}")
    if allocated not in (8, 16) or not 1 <= stored <= allocated:
        raise DicomError(f"its pixels have {stored} of {allocated} bits; wanted 8 to 16")
    if not stored - 1 <= _int(dataset, "HighBit", stored - 1) < allocated:
        raise DicomError("its HighBit is none of the bits of a pixel")


def _value(dataset, name):
    """Value of an element, or None; refused where it is too large to be one."""
    raw = dataset.get_item(name) if name in dataset else None
    if raw is not None and (getattr(raw, "length", 0) or 0) > _MAX_VALUE_BYTES:
        raise DicomError(f"its {name} is larger than any")
    return dataset.get(name)


def _int(dataset, name, default):
    value = _value(dataset, name)
    try:
        return default if value in (None, "") else int(value)
    except (TypeError, ValueError):
        raise DicomError(f"its {name} is not a number") from None


def _stored_words(dataset):
    """What is stored of each pixel, as unsigned numbers of 8 or 16 bits."""
    from pydicom.pixels import pixel_array

    n_bits, allocated = _int(dataset, "BitsStored", 0), _int(dataset, "BitsAllocated", 0)
    unsigned = np.uint8 if allocated == 8 else np.uint16
    syntax = _set_transfer_syntax(dataset)
    if syntax.is_encapsulated and syntax != _RLE:
        words = _decompressed(dataset, syntax)
        if not _int(dataset, "PixelRepresentation", 0):
            # Lossy ones may overshoot.
            words = np.clip(words, 0, 2**n_bits - 1)
        return words.astype(unsigned, copy=False)
    # pydicom takes the lowest bits for those that are stored.
    dataset.BitsStored = allocated
    words = pixel_array(dataset, index=0, raw=True).astype(unsigned, copy=False)
    dataset.BitsStored = n_bits
    unused = _int(dataset, "HighBit", n_bits - 1) + 1 - n_bits
    return words >> np.uint8(unused) if unused else words


def _decompressed(dataset, syntax):
    from pydicom.encaps import get_frame

    decoder = next((name for name, ends in _DECODERS.items() if syntax.startswith(ends)), None)
    if decoder is None:
        raise DicomError(f"it is compressed as {syntax.name}, which cannot be read")
    try:
        import imagecodecs
    except ImportError:
        raise DicomError(
            f'it is compressed as {syntax.name}: reading it takes pip install "skpneumo[dicom]"'
        ) from None
    codestream = get_frame(dataset.PixelData, 0, number_of_frames=1)
    shape = _int(dataset, "Rows", 0), _int(dataset, "Columns", 0)
    if decoder == "jpeg2k_decode":
        codestream = _without_boxes(codestream)
        told = _shape_in_jpeg2000(codestream)
    else:
        told = _shape_in_jpeg(codestream)
        if _JPEG_END not in codestream[-_JPEG_END_WITHIN:]:
            raise DicomError("its compressed image is cut off")
    # What the decoder will make room for.
    if told != (*shape, 1):
        raise DicomError("its compressed image is damaged, or of another size than told")
    words = getattr(imagecodecs, decoder)(codestream)
    if words.shape != shape or words.itemsize > 2:
        raise DicomError("its compressed image is of another kind than told")
    return words


def _set_transfer_syntax(dataset):
    """How the file is encoded; where it does not tell, what pydicom found out."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    meta = getattr(dataset, "file_meta", None)
    syntax = None if meta is None else meta.get("TransferSyntaxUID")
    if syntax is None:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little in (None, True) else ExplicitVRBigEndian
        syntax = ImplicitVRLittleEndian if implicit else explicit
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
    return syntax


def _without_boxes(data):
    """The codestream of a JPEG 2000 file."""
    position = 0
    for _ in range(_MAX_SEGMENTS):
        if data.startswith(_J2K_START, position):
            return data[position:]
        length, kind = struct.unpack_from(">I4s", data, position)
        head = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, position + head)
            head = 16
        position += head if kind == b"jp2c" else max(length, head)
    return b""


def _shape_in_jpeg2000(codestream):
    """Rows, columns and components."""
    right, bottom, left, top = struct.unpack_from(">4I", codestream, 8)
    (n_components,) = struct.unpack_from(">H", codestream, 40)
    return bottom - top, right - left, n_components


def _shape_in_jpeg(codestream):
    """Rows, columns and components; also of JPEG-LS. None where they cannot be found."""
    position = 2
    for _ in range(_MAX_SEGMENTS):
        (marker,) = struct.unpack_from(">H", codestream, position)
        if marker == 0xFFFF:  # filling
            position += 1
        elif marker & 0xFF in _FRAME_MARKERS and marker >= 0xFF00:
            return struct.unpack_from(">HHB", codestream, position + 5)
        elif marker >= 0xFF00:
            (length,) = struct.unpack_from(">H", codestream, position + 2)
            position += 2 + length
        else:
            break
    return None


# -- the values ---------------------------------------------------------------------------------


def _grey_of_words(dataset, used):
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
    n_bits = _int(dataset, "BitsStored", 0)
    values = np.arange(len(used)) & (2**n_bits - 1)
    signed = _int(dataset, "PixelRepresentation", 0) == 1
    if signed:
        values -= (values >> (n_bits - 1)) << n_bits
    padding = _padding(dataset, values, 2**n_bits, signed)
    values = _of_modality(dataset, values)
    brightness = _in_table_of_interest(dataset, values)
    if brightness is None:
        brightness = _in_window(dataset, values)
    if brightness is None:
        brightness = _stretched(values, used & ~padding if n_bits > 8 else ~padding)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        brightness = 1 - brightness
    brightness[padding] = 0
    return np.round(255 * brightness).astype(np.uint8)


def _padding(dataset, values, n_values, signed):
    """Which values stand for no pixel."""
    ends = [_number(dataset, f"PixelPadding{name}") for name in ("Value", "RangeLimit")]
    if ends[0] is None:
        return np.zeros(len(values), dtype=bool)
    # Some writers fill up the bits above the stored ones, or take no account of the sign.
    ends = [int(end) % n_values for end in ends if end is not None]
    if signed:
        ends = [end - n_values if end >= n_values // 2 else end for end in ends]
    return (values >= min(ends)) & (values <= max(ends))


def _of_modality(dataset, values):
    """Values in the units of the modality."""
    table = _table(dataset, "ModalityLUTSequence")
    if table is not None:
        return _in_table(dataset, table, values)
    slope, intercept = (_number(dataset, f"Rescale{name}") for name in ("Slope", "Intercept"))
    if slope == 0:
        raise DicomError("its rescaling makes all values equal")
    return values * (1 if slope is None else slope) + (intercept or 0)


def _in_table_of_interest(dataset, values):
    """Brightness from 0 to 1 by the first VOI LUT, or None where there is no valid one."""
    table = _table(dataset, "VOILUTSequence")
    if table is None:
        return None
    try:
        shown = _in_table(dataset, table, values)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
    low, high = shown.min(), shown.max()
    return None if low == high else (shown - low) / (high - low)


def _table(dataset, name):
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


def _in_table(dataset, item, values):
    n_entries, first, _ = (int(number) for number in item.LUTDescriptor)
    entries = item.LUTData
    if isinstance(entries, bytes):
        n_entries = n_entries or 2**16
        size = 1 if len(entries) < 2 * n_entries else 2
        order = ">" if dataset.file_meta.TransferSyntaxUID == _BIG_ENDIAN else "<"
        entries = np.frombuffer(entries, f"{order}u{size}")
    entries = np.asarray(entries, dtype=float)
    if first >= 2**15 and values.min() < 0:
        first -= 2**16
    return entries[np.clip(values.astype(int) - first, 0, len(entries) - 1)]


def _in_window(dataset, values):
    """Brightness from 0 to 1 by the first window, or None where there is no valid one."""
    center, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    if center is None or width is None or width <= 0:
        return None
    function = str(_value(dataset, "VOILUTFunction") or "LINEAR")
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


def _number(dataset, name):
    """First value of an element as a finite float, or None."""
    try:
        value = float(np.ravel(_value(dataset, name))[0])
    except DicomError:
        raise
    except (IndexError, TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None
