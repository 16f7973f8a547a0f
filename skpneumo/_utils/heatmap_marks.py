"""The mark in heatmaps of skpneumo, so that they are not taken for X-rays."""

import os
from itertools import islice

from skpneumo._utils.png import png_chunks

HEATMAP_METADATA = {"Software": "skpneumo heatmap"}
_MARKS = {f"{key}\0{text}".encode("latin-1") for key, text in HEATMAP_METADATA.items()}
_MAX_BYTES = 64  # more than a mark has
_MAX_CHUNKS = 32  # texts come first; the pixels may follow in thousands of chunks


def is_heatmap(path):
    """Whether a file is a heatmap that skpneumo drew.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    bool
        False also if it cannot be read.
    """
    if not os.path.isfile(path):
        return False  # opening a pipe would wait for its writer
    try:
        with open(path, "rb") as file:
            chunks = islice(png_chunks(file, _MAX_BYTES), _MAX_CHUNKS)
            return any(kind == b"tEXt" and text in _MARKS for kind, text in chunks)
    except OSError:
        return False
