"""Sizes that WebP and JPEG 2000 files declare, read before a decoder allocates anything."""

import struct
from typing import NamedTuple

_MAX_BOXES = 1000
_N_BYTES = 72  # up to the precisions of ten channels


def webp_size(file):
    """Width and height of a WebP file; None if it declares none.

    Pillow's decoder allocates whole images when it opens a file.
    """
    head = file.read(30)
    file.seek(0)
    if len(head) < 30:
        return None
    if head[12:16] == b"VP8X":
        return tuple(int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
    if head[12:16] == b"VP8L":
        sides = int.from_bytes(head[21:25], "little")
        return (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    if head[12:16] == b"VP8 ":
        return tuple(side & 0x3FFF for side in struct.unpack("<2H", head[26:30]))
    return None


class Codestream(NamedTuple):
    """What a JPEG 2000 codestream declares of its image."""

    width: int
    height: int
    n_channels: int
    depth: int
    is_signed: bool


def jpeg2000_size(file):
    """Read what a JPEG 2000 codestream declares; None if there is no codestream.

    It decides what the decoder allocates, whatever the boxes around it declare.
    """
    head = _codestream_start(file)
    file.seek(0)
    if head[:4] != b"\xff\x4f\xff\x51" or len(head) < 43:
        return None
    right, bottom, left, top = struct.unpack(">4I", head[8:24])
    (n_channels,) = struct.unpack(">H", head[40:42])
    channels = head[42 : 42 + 3 * n_channels : 3]
    return Codestream(
        width=max(0, right - left),
        height=max(0, bottom - top),
        n_channels=n_channels,
        depth=max((byte & 0x7F for byte in channels), default=0) + 1,
        is_signed=any(byte & 0x80 for byte in channels),
    )


def _codestream_start(file):
    """The first bytes of the codestream, found by the boxes of a JP2 file."""
    head = file.read(12)
    if head.startswith(b"\xff\x4f"):
        return head + file.read(_N_BYTES - len(head))
    file.seek(0)
    for _ in range(_MAX_BOXES):
        start = file.read(8)
        if len(start) < 8:
            break
        length, kind = struct.unpack(">I4s", start)
        if kind == b"jp2c":
            if length == 1:
                file.seek(8, 1)
            return file.read(_N_BYTES)
        header = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8).rjust(8, b"\0"))
            header = 16
        if length < header or length > 2**62:
            break
        file.seek(length - header, 1)
    return b""
