"""The mark of pictures that skpneumo draws, by which they are not taken for X-rays."""

import os

HEATMAP_METADATA = {"Software": "skpneumo heatmap"}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MARKS = {f"{key}\0{text}".encode("latin-1") for key, text in HEATMAP_METADATA.items()}
_MAX_CHUNKS = 32  # texts stand in front; the pixels may follow in thousands of chunks


def is_heatmap(path):
    """Whether a file is a heatmap that skpneumo drew.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    bool
        False also where it cannot be read.
    """
    if not os.path.isfile(path):
        return False  # opening a pipe would wait for its writer
    try:
        with open(path, "rb") as file:
            if file.read(len(_SIGNATURE)) != _SIGNATURE:
                return False
            return any(text in _MARKS for text in _texts(file))
    except OSError:
        return False


def _texts(file):
    """Uncompressed texts in front of the pixels of a PNG file, as bytes."""
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in (b"", b"IDAT", b"IEND"):
            return
        if kind == b"tEXt" and length < 1024:
            yield file.read(length)
            file.seek(4, 1)  # the checksum
        else:
            file.seek(length + 4, 1)
