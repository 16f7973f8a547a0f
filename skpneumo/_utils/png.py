"""The chunks of a PNG file."""

import struct

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png_chunks(file, n_bytes):
    """Yield the kind of each chunk of a PNG file up to its pixels, and the start of its data.

    Parameters
    ----------
    file : binary file
        At its start. Nothing is yielded if it is not a PNG file.
    n_bytes : int
        Number of bytes of the data to read.

    Yields
    ------
    kind : bytes
        Such as ``b"IHDR"``; ``b"IDAT"``, the pixels, is the last.
    data : bytes
        At most ``n_bytes``.
    """
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return
    kind = None
    while kind != b"IDAT" and len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        data = file.read(min(length, n_bytes))
        yield kind, data
        file.seek(length - len(data) + 4, 1)  # the rest, and a checksum
