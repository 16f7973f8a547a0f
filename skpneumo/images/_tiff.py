"""What Pillow decodes of a TIFF file wrongly, without bounds, or not at all."""

import struct
from io import BytesIO

import numpy as np
from PIL import Image

# LZMA takes memory without bounds; the others are of no use for X-rays.
_COMPRESSIONS = (
    *("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "jpeg", "zstd"),
    *("tiff_ccitt", "group3", "group4"),
)
PHOTOMETRIC = 262
_PAGE_KIND, _BITS, _SAMPLE_FORMAT = 254, 258, 339
_TILE_SIDES = (322, 323)
WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_REDUCED_OR_MASK = 0b101
_SIGNED = 2
_LONG = 4
MAX_PAGES = 100
_AS_PNG = "Save it as a grey PNG"


def open_tiff(file):
    """Open a TIFF file with Pillow.

    Pillow does not open samples of 12 bits, nor big-endian ones of 16, whose 0 is white: to open
    them, the tag is changed in a copy.

    Returns
    -------
    image : PIL.TiffImagePlugin.TiffImageFile
        Not decoded yet.
    is_white_zero : bool
        Whether the first page declares that 0 is white.
    """
    try:
        image = Image.open(file, formats=["TIFF"])
        return image, image.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO
    except Image.UnidentifiedImageError:
        file.seek(0)
        changed = _with_black_zero(file.read())
        if changed is None:
            raise
        image = Image.open(BytesIO(changed), formats=["TIFF"])
        if image.mode[0] != "I":
            raise  # up to 8 bits Pillow would have inverted it
        return image, True


def _with_black_zero(data):
    """A classic TIFF file with the tag changed on its first page; None if that is not wanted."""
    order = "<" if data.startswith(b"II*") else ">"
    if not data.startswith((b"II*\0", b"MM\0*")) or len(data) < 8:
        return None
    (start,) = struct.unpack_from(order + "I", data, 4)
    if start + 2 > len(data):
        return None
    (n_tags,) = struct.unpack_from(order + "H", data, start)
    for at in range(start + 2, min(start + 2 + 12 * n_tags, len(data) - 12), 12):
        tag, kind, _ = struct.unpack_from(order + "HHI", data, at)
        number = struct.Struct(order + ("I" if kind == _LONG else "H"))
        if tag == PHOTOMETRIC and number.unpack_from(data, at + 8) == (WHITE_IS_ZERO,):
            return data[: at + 8] + number.pack(_BLACK_IS_ZERO) + data[at + 8 + number.size :]
    return None


def check_tiff(image, max_pixels):
    """Refuse a TIFF image that Pillow would decode wrongly, or without bounds.

    Returns
    -------
    int
        Bits per sample.
    """
    tags = image.tag_v2
    if _largest(tags.get(_PAGE_KIND, 0)) & _REDUCED_OR_MASK:
        raise ValueError(f"its first page is a reduced copy or a mask of another image. {_AS_PNG}")
    compression = image.info.get("compression", "raw")
    if compression not in _COMPRESSIONS:
        raise ValueError(f"its compression, {compression}, is not read. {_AS_PNG}")
    if image.mode == "LAB":
        raise ValueError(f"its colours are CIE L*a*b*. {_AS_PNG}")
    width, height = (_largest(tags.get(side, 0)) for side in _TILE_SIDES)
    if width * height > max_pixels:
        raise ValueError(f"its tiles of {width} x {height} pixels are too large. {_AS_PNG}")
    depth = _largest(tags.get(_BITS, 1))
    if _largest(tags.get(_SAMPLE_FORMAT, 1)) == _SIGNED and depth <= 8:
        raise ValueError(f"its samples of {depth} bits are signed. {_AS_PNG}")
    return depth


def _largest(value):
    """Of a tag that may hold one number per channel."""
    return int(np.max(value, initial=0))


def count_pages(image):
    """Count the pages of a TIFF file, up to 101, without reduced copies and masks."""
    n_pages = 1
    for page in range(1, MAX_PAGES + 1):
        try:
            image.seek(page)
        except EOFError:
            break
        n_pages += not _largest(image.tag_v2.get(_PAGE_KIND, 0)) & _REDUCED_OR_MASK
    image.seek(0)
    return n_pages
