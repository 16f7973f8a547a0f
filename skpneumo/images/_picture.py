"""A picture that Pillow opens becomes one grey ``uint8`` array."""

import os
import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageOps

from skpneumo.exceptions import BitDepthWarning, LowContrastWarning
from skpneumo.images._depth import (
    apply_lut,
    count_values,
    declared_depth,
    few_grey_levels,
    get_largest_used,
    grey_levels,
    png_depths,
    sample_depth,
)
from skpneumo.images._formats import (
    N_BYTES_TO_NAME,
    describe_unread_format,
    format_name,
    match_format,
)
from skpneumo.images._jpeg import read_deep_jpeg
from skpneumo.images._resize import resize_image
from skpneumo.images._sizes import jpeg2000_size, webp_size
from skpneumo.images._tiff import (
    MAX_PAGES,
    PHOTOMETRIC,
    WHITE_IS_ZERO,
    check_tiff,
    count_pages,
    open_tiff,
)

MAX_PIXELS = 50_000_000
# Decoders of other formats than these may take the whole file into memory.
_STREAMED = ("JPEG", "PNG")
_MAX_BYTES = 2**28
# Pillow decodes WebP to several images of four channels, JPEG 2000 to 32 bits per sample.
_MAX_WEBP_PIXELS = 25_000_000
_MAX_JPEG2000_SAMPLES = 100_000_000
_ORIENTATION = 0x0112
_MIN_LARGEST_COLOUR = 64
_AS_PNG = "Save it as a grey PNG"
_UNDECODED = {
    "JPEG": f"lossless, or JPEG-LS, which is not read. {_AS_PNG} if it is sound",
    "TIFF": f"of samples that are not read. {_AS_PNG} if it is sound",
}


class PictureError(ValueError):
    """Why a sound file holds no X-ray."""


@dataclass
class Picture:
    """An image of Pillow's, and what Pillow does not report of its samples.

    Parameters
    ----------
    image : PIL.Image.Image
        The image, which need not be decoded yet.
    depth : int, default=8
        Bits per sample in the file.
    significant : int, default=None
        How many of them are significant by the chunk ``sBIT`` of a PNG file.
    shift : int, default=0
        By how many bits Pillow shifts the samples up.
    is_inverted : bool, default=False
        Whether 0 is white in what Pillow decodes.
    """

    image: Image.Image
    depth: int = 8
    significant: int | None = None
    shift: int = 0
    is_inverted: bool = False


@contextmanager
def open_picture(file):
    """Open a picture if it is one that is decoded in bounded memory.

    Parameters
    ----------
    file : seekable binary file
        At its start.

    Yields
    ------
    Picture
        Not decoded yet.

    Raises
    ------
    PictureError
        If it has several pages or frames, or is of a known format that is not read.
    ValueError
        If it is too large, damaged, or of a kind that is not read.
    PIL.UnidentifiedImageError
        If it is of an unknown format.
    """
    head = file.read(N_BYTES_TO_NAME)
    file.seek(0)
    kind = match_format(head)
    if kind is None:
        what = describe_unread_format(head)
        raise Image.UnidentifiedImageError if what is None else PictureError(what)
    if kind not in _STREAMED:
        _check_n_bytes(file)
    try:
        picture = _open(file, kind)
    except Image.UnidentifiedImageError:
        grey = read_deep_jpeg(file, MAX_PIXELS) if kind == "JPEG" else None
        if grey is not None:
            yield Picture(Image.fromarray(grey))
            return
        otherwise = _UNDECODED.get(kind, "of a kind that is not read")
        raise ValueError(f"a {format_name(kind)} file that is damaged, or {otherwise}") from None
    with picture.image as image:
        check_n_pixels(*image.size)
        if kind != "JPEG":
            _check_one_page(image, kind)
        yield picture


def _open(file, kind):
    if kind == "PNG":
        depth, significant = png_depths(file)
        return Picture(Image.open(file, formats=["PNG"]), depth, significant)
    if kind == "TIFF":
        image, is_white_zero = open_tiff(file)
        return _tiff_picture(image, is_white_zero)
    if kind == "WEBP" and (size := webp_size(file)) is not None:
        check_n_pixels(*size, _MAX_WEBP_PIXELS)
    depth = _check_codestream(file) if kind == "JPEG2000" else 8
    # Pillow shifts grey samples of more than 8 bits to the top of 16.
    shift = 16 - depth if depth > 8 else 0
    return Picture(Image.open(file, formats=[kind]), depth, shift=shift)


def make_picture(image):
    """Make a picture of an image that Pillow opened."""
    check_n_pixels(*image.size)
    if image.format == "TIFF" and hasattr(image, "tag_v2"):
        return _tiff_picture(image, image.tag_v2.get(PHOTOMETRIC) == WHITE_IS_ZERO)
    return Picture(image)


def _tiff_picture(image, is_white_zero):
    depth = check_tiff(image, MAX_PIXELS)
    # Pillow inverts up to 8 bits.
    return Picture(image, depth, is_inverted=is_white_zero and depth > 8)


def _check_n_bytes(file):
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    if n_bytes > _MAX_BYTES:
        raise ValueError(f"{n_bytes:,} bytes are more than the limit of {_MAX_BYTES:,}")


def check_n_pixels(width, height, max_pixels=MAX_PIXELS):
    """Raise ``ValueError`` if an image has too many pixels."""
    if width * height > max_pixels:
        raise ValueError(f"{width} x {height} pixels are more than the limit of {max_pixels}")


def _check_codestream(file):
    """Refuse JPEG 2000 that would take too much memory; bits per sample of any other."""
    declared = jpeg2000_size(file)
    if declared is None:
        raise ValueError("it holds no JPEG 2000 codestream")
    check_n_pixels(declared.width, declared.height)
    n_samples = declared.width * declared.height * declared.n_channels
    if n_samples > _MAX_JPEG2000_SAMPLES:
        raise ValueError(
            f"{n_samples} samples of {declared.n_channels} channels are more than the limit of "
            f"{_MAX_JPEG2000_SAMPLES}. {_AS_PNG}"
        )
    if declared.depth > 16:
        raise ValueError(f"its samples have {declared.depth} bits, at most 16 are read. {_AS_PNG}")
    if declared.is_signed:
        raise ValueError(f"its samples are signed. {_AS_PNG}")
    return declared.depth


def _check_one_page(image, kind):
    """Refuse several pages or frames."""
    n_pages = count_pages(image) if kind == "TIFF" else getattr(image, "n_frames", 1)
    if n_pages > 1:
        n = f"more than {MAX_PAGES}" if n_pages > MAX_PAGES else n_pages
        pages = "pages" if kind == "TIFF" else "frames"
        raise PictureError(
            f"this {format_name(kind)} file holds {n} {pages}, wanted one image. Save the X-ray "
            "as a PNG of its own"
        )


def decode_picture(picture, size=None, aspect="stretch", *, name, stacklevel):
    """Decode a picture to grey.

    Parameters
    ----------
    picture : Picture
        What was opened.
    size : tuple of (int, int), default=None
        Rows and columns; None keeps those of the picture.
    aspect : {"stretch", "crop", "pad"}, default="stretch"
        See `resize_xray`.
    name : str
        What warnings name.
    stacklevel : int
        Of warnings, as if the caller of this function issued them.

    Returns
    -------
    ndarray of shape (H, W), dtype uint8
        0 is black (air), 255 is white (bone).
    """
    image, extent = picture.image, None
    upright = image.getexif().get(_ORIENTATION, 1) == 1
    if size is not None and upright and image.mode in ("L", "RGB"):
        drafted = image.draft("L", size[::-1])
        if drafted is not None:
            extent = drafted[1][2:]
    if image.format == "BMP" and image.mode == "RGBA":
        image = image.convert("RGB")  # programs leave its fourth channel 0
    image = ImageOps.exif_transpose(image)
    if image.mode[0] in "IF":
        image, messages = _scale_samples(image, picture)
        for category, message in messages:
            warnings.warn(f"{name}: {message}", category, stacklevel=stacklevel + 1)
    else:
        if picture.depth == 16:
            _check_colours(image)
        image = _to_grey(image)
    if size is not None:
        image = resize_image(image, size, aspect, extent)
    return np.array(image, dtype=np.uint8)


def _to_grey(image):
    """Convert an image of 8 bits or fewer."""
    if image.has_transparency_data:
        return ImageChops.multiply(*image.convert("LA").split())
    return image.convert("L")


def _scale_samples(image, picture):
    """Scale grey samples of more than 8 bits to 8 bits.

    Returns
    -------
    image : PIL.Image.Image
        Of mode "L".
    messages : list of tuple of (type, str)
        What to warn of.
    """
    samples, messages = _whole_samples(image), []
    samples >>= picture.shift
    if "transparency" in image.info:
        samples[samples == image.info["transparency"]] = 0
    counts = count_values(samples)
    if image.mode == "F":
        depth = 16
    else:
        is_declared = 8 < picture.depth < 16
        declared = picture.depth if is_declared else declared_depth(counts, picture.significant)
        depth, is_certain = sample_depth(counts, declared)
        if not is_certain:
            messages.append((BitDepthWarning, _describe_guess(counts, picture.depth, depth)))
    grey = grey_levels(depth)
    n_grey, n_stored = few_grey_levels(counts, grey)
    if n_grey is not None:
        message = (
            f"{n_grey} grey level(s) are left for nearly all pixels, of {n_stored:,} in the file. "
            "Scale their range to all 16 bits in a copy of the file."
        )
        messages.append((LowContrastWarning, message))
    if picture.is_inverted:
        grey = 255 - grey
    return Image.fromarray(apply_lut(grey, samples)), messages


def _describe_guess(counts, stored, depth):
    n_above = counts[2**depth :].sum()
    largest = get_largest_used(counts) if n_above else np.flatnonzero(counts)[-1]
    but = f", but for {n_above:,} far above," if n_above else ""
    return (
        f"{stored}-bit samples of at most {largest}{but} are taken for samples of {depth} bits, "
        f"{2**depth - 1} being white. If that is wrong, scale them to 16 bits, or write the number "
        "of bits into the file (PNG chunk sBIT)."
    )


def _whole_samples(image):
    """Samples as whole numbers of 16 bits, in an array that may be changed."""
    samples = np.asarray(image)
    low, high = samples.min(), samples.max()
    if image.mode == "F":
        if not 0 <= low <= high <= 1:
            raise ValueError(
                f"its samples are floats from {low:g} to {high:g}, not 0 to 1. Save it as a PNG, "
                "with 16 bits"
            )
        return np.rint(samples * np.float32(65535)).astype(np.uint16)
    if low < 0 or high > 65535:
        raise ValueError(f"its samples go from {low} to {high}, not 0 to 65535")
    return samples.astype(np.uint16)


def _check_colours(image):
    """Refuse colours of 16 bits that do not use the upper ones: Pillow drops the others."""
    counts = np.reshape(image.convert("RGB").histogram(), (3, 256)).sum(axis=0)
    largest = get_largest_used(counts)
    if largest < _MIN_LARGEST_COLOUR:
        raise ValueError(
            f"its colours have 16 bits but use the lower {8 + largest.bit_length()} only, most of "
            f"which are lost on reading. {_AS_PNG}"
        )
