"""JPEG files of 12 bits, which Pillow does not read."""

import struct

from skpneumo.images._depth import apply_lut, grey_levels
from skpneumo.images._dicom import DicomError
from skpneumo.images._dicom._codestreams import jpeg_header

_DEPTH = 12
_START = b"\xff\xd8\xff"


def read_deep_jpeg(file, max_pixels):
    """Read a grey JPEG file of 12 bits, as X-ray systems write them.

    Parameters
    ----------
    file : seekable binary file
        Any file.
    max_pixels : int
        Larger images are refused.

    Returns
    -------
    ndarray of shape (H, W), dtype uint8, or None
        4095 is white. None if it is another file.

    Raises
    ------
    ValueError
        If it is larger, in colour, or cut off, or if the decoder is not installed.
    """
    file.seek(0)
    # The longest of its scans would be half as long as its samples.
    data = file.read(2 * max_pixels)
    if not data.startswith(_START):
        return None
    try:
        header = jpeg_header(data)
    except DicomError:
        raise ValueError("it is cut off: it has no end marker") from None
    except struct.error:
        return None
    if header is None or header.precision != _DEPTH:
        return None
    if header.rows * header.columns > max_pixels:
        raise ValueError(
            f"{header.columns} x {header.rows} pixels are more than the limit of {max_pixels}"
        )
    if header.n_samples != 1:
        raise ValueError("it has colours of 12 bits. Save it as a grey PNG")
    try:
        import imagecodecs
    except ImportError:
        raise ValueError(
            'it is a JPEG of 12 bits: reading it takes pip install "skpneumo[dicom]"'
        ) from None
    samples = imagecodecs.jpeg8_decode(data)
    if samples.shape != header[:2]:
        raise ValueError("it is damaged")
    return apply_lut(grey_levels(_DEPTH), samples)
