"""Headers of compressed images, read before a decoder allocates memory for them."""

import struct
from typing import NamedTuple

from skpneumo.images._dicom._elements import DicomError

_ITEM, _END_OF_ITEMS = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
_J2K_START = b"\xff\x4f\xff\x51"
_MAX_SEGMENTS = 1000
_JPEG_SCAN, _JPEG_END = 0xFFDA, b"\xff\xd9"
_FRAME_MARKERS = {*range(0xFFC0, 0xFFD0), 0xFFF7} - {0xFFC4, 0xFFC8, 0xFFCC}
# Tables, comments and what applications add; decoders differ in what they make of others.
_SEGMENT_MARKERS = {0xFFC4, 0xFFCC, 0xFFDB, 0xFFDD, *range(0xFFE0, 0xFFF0), 0xFFF8, 0xFFFE}


class Header(NamedTuple):
    """Size and samples of a compressed image."""

    rows: int
    columns: int
    n_samples: int
    precision: int
    is_signed: bool


def join_fragments(pixel_data):
    """Join all fragments of a frame, whatever its offset table states; PS3.5 A.4."""
    fragments, position, is_first = [], 0, True
    while pixel_data.startswith(_ITEM, position):
        (length,) = struct.unpack_from("<I", pixel_data, position + 4)
        position += 8 + length
        if position > len(pixel_data):
            raise DicomError("its compressed image is cut off")
        fragment = pixel_data[position - length : position]
        # Some writers leave the offset table out.
        if not is_first or fragment.startswith(_STARTS):
            fragments.append(fragment)
        is_first = False
    if not fragments:
        raise DicomError("its compressed image is damaged: it has no fragments")
    if pixel_data[position:] and not pixel_data.startswith(_END_OF_ITEMS, position):
        raise DicomError("its compressed image is damaged: its fragments do not follow each other")
    return b"".join(fragments)


def skip_boxes(data):
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


def jpeg2000_header(codestream):
    """Header of a JPEG 2000 codestream, also a high-throughput one."""
    right, bottom, left, top = struct.unpack_from(">4I", codestream, 8)
    n_components, depth = struct.unpack_from(">HB", codestream, 40)
    return Header(bottom - top, right - left, n_components, depth % 128 + 1, depth >= 128)


def jpeg_header(codestream):
    """Header of a JPEG or JPEG-LS image, or None if it cannot be found.

    Raises
    ------
    DicomError
        If no end marker follows the start of a scan: within one, decoders fill up what is missing
        with grey.
    """
    position, header = 2, None
    for _ in range(_MAX_SEGMENTS):
        marker, length = struct.unpack_from(">HH", codestream, position)
        if marker == 0xFFFF:  # filling
            position += 1
            continue
        if marker == _JPEG_SCAN:
            # Not in a scan: there a zero bit or byte follows each byte of ones.
            if codestream.find(_JPEG_END, position) < 0:
                raise DicomError("its compressed image is cut off")
            return header
        if marker in _FRAME_MARKERS:
            if header is not None:
                return None
            precision, rows, columns, n_samples = struct.unpack_from(
                ">BHHB", codestream, position + 4
            )
            header = Header(rows, columns, n_samples, precision, False)
        elif marker not in _SEGMENT_MARKERS:
            return None
        position += 2 + length
    return None
