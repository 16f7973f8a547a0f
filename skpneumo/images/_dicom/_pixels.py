"""What a DICOM file stores of each pixel, compressed or not."""

import math
import struct

import numpy as np

from skpneumo.images._dicom._elements import DicomError, int_of

_RLE = "1.2.840.10008.1.2.5"
_J2K_START = b"\xff\x4f\xff\x51"
_MAX_SEGMENTS = 1000
_JPEG_END = b"\xff\xd9"
_JPEG_END_WITHIN = 64
_FRAME_MARKERS = {*range(0xFFC0, 0xFFD0), 0xFFF7} - {0xFFC4, 0xFFC8, 0xFFCC}
# Tables, comments and what applications add; decoders differ in what they make of others.
_SEGMENT_MARKERS = {0xFFC4, 0xFFCC, 0xFFDB, 0xFFDD, *range(0xFFE0, 0xFFF0), 0xFFF8, 0xFFFE}
# By the start of the transfer syntax.
_DECODERS = {
    "jpeg8_decode": tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70)),
    "jpegls_decode": ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    "jpeg2k_decode": ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
}


def stored_words(dataset):
    """What is stored of each pixel, as unsigned numbers of 8 or 16 bits."""
    from pydicom.pixels import pixel_array

    n_bits, allocated = int_of(dataset, "BitsStored", 0), int_of(dataset, "BitsAllocated", 0)
    unsigned = np.uint8 if allocated == 8 else np.uint16
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated and syntax != _RLE:
        words = _decompressed(dataset, syntax)
        if not int_of(dataset, "PixelRepresentation", 0):
            # Lossy ones may overshoot.
            words = np.clip(words, 0, 2**n_bits - 1)
        return words.astype(unsigned, copy=False)
    if syntax == _RLE:
        words = _of_run_lengths(_codestream(dataset), _shape(dataset), allocated // 8)
    else:
        # pydicom takes the lowest bits for those that are stored.
        dataset.BitsStored = allocated
        words = pixel_array(dataset, index=0, raw=True).astype(unsigned, copy=False)
        dataset.BitsStored = n_bits
    unused = int_of(dataset, "HighBit", n_bits - 1) + 1 - n_bits
    return words >> np.uint8(unused) if unused else words


def _codestream(dataset):
    from pydicom.encaps import get_frame

    return get_frame(dataset.PixelData, 0, number_of_frames=1)


def _shape(dataset):
    return int_of(dataset, "Rows", 0), int_of(dataset, "Columns", 0)


def _of_run_lengths(codestream, shape, n_planes):
    """Words of a run-length coded image: a plane of their highest bytes first; PS3.5, annex G."""
    n_segments, *starts = struct.unpack_from("<16I", codestream)
    if n_segments != n_planes:
        raise DicomError("its compressed image is of another kind than told")
    ends = [*starts[1:n_segments], len(codestream)]
    planes = [
        _without_runs(codestream[start:end], math.prod(shape))
        for start, end in zip(starts, ends, strict=False)
    ]
    return np.stack(planes, axis=-1).view(f">u{n_planes}").astype(f"u{n_planes}").reshape(shape)


def _without_runs(segment, n_bytes):
    """So many bytes and no more; pydicom would make all that the segment tells."""
    # What cannot be made shorter takes a byte more for each 128.
    segment = segment[: n_bytes + n_bytes // 64 + 64]
    found, position, end = bytearray(), 0, len(segment)
    while position < end and len(found) < n_bytes:
        head, position = segment[position], position + 1
        if head < 128:
            start, position = position, position + head + 1
            found += segment[start:position]
        elif head > 128:
            found += segment[position : position + 1] * (257 - head)
            position += 1
    if len(found) < n_bytes:
        raise DicomError("its compressed image is cut off")
    return np.frombuffer(found, np.uint8)[:n_bytes]


def _decompressed(dataset, syntax):
    decoder = next((name for name, ends in _DECODERS.items() if syntax.startswith(ends)), None)
    if decoder is None:
        raise DicomError(f"it is compressed as {syntax.name}, which cannot be read")
    try:
        import imagecodecs
    except ImportError:
        raise DicomError(
            f'it is compressed as {syntax.name}: reading it takes pip install "skpneumo[dicom]"'
        ) from None
    codestream, shape = _codestream(dataset), _shape(dataset)
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
        elif marker in _FRAME_MARKERS:
            return struct.unpack_from(">HHB", codestream, position + 5)
        elif marker in _SEGMENT_MARKERS:
            (length,) = struct.unpack_from(">H", codestream, position + 2)
            position += 2 + length
        else:
            break
    return None
