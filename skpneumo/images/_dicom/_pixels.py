"""What a DICOM file stores of each pixel, compressed or not."""

import math
import struct

import numpy as np

from skpneumo.images._dicom._codestreams import (
    join_fragments,
    jpeg2000_header,
    jpeg_header,
    skip_boxes,
)
from skpneumo.images._dicom._elements import DicomError, NotRadiographError, get_code, get_int

_RLE = "1.2.840.10008.1.2.5"
_JPEG = "1.2.840.10008.1.2.4."
# By transfer syntax; OpenJPEG reads high-throughput JPEG 2000 too.
_DECODERS = {
    "jpeg8_decode": tuple(f"{_JPEG}{number}" for number in (50, 51, 57, 70)),
    "jpegls_decode": (f"{_JPEG}80", f"{_JPEG}81"),
    "jpeg2k_decode": tuple(f"{_JPEG}{number}" for number in (90, 91, 201, 202, 203)),
}
_LOSSLESS = tuple(f"{_JPEG}{number}" for number in (57, 70, 80, 90, 201, 202))
# Lossy ones go beyond what was stored, by more than the first proportion in few pixels only.
_OVERSHOOT = 0.25
_OVERSHOOTING_PIXELS = 0.01
# How much smoother is no chance; and the longest side that is looked at.
_MARGIN = 1.2
_MAX_SIDE = 2048
# Of two overlays.
_MAX_OVERLAY_PATTERNS = 4
# Of grey made of colours, or the reverse; and the value of a difference of colours that is none.
_MAX_DIFFERENCE = 2
_NO_COLOUR = 128
# Of colours these mean something else.
_FOR_GREY_ALONE = (
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence"),
    *("WindowCenter", "WindowWidth", "PerFrameFunctionalGroupsSequence"),
    *("SharedFunctionalGroupsSequence", "PixelPaddingValue", "PresentationLUTShape"),
)


def read_stored_values(dataset):
    """What is stored of each pixel, as unsigned numbers of 8 or 16 bits.

    A picture whose channels are equal becomes that of one channel, and the dataset one of
    MONOCHROME2; a JPEG 2000 codestream of signed values makes the dataset one of these.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_private:
        raise DicomError("its TransferSyntaxUID is private: how it is stored is not known")
    if syntax.is_encapsulated and syntax != _RLE:
        return _decompress(dataset, syntax)
    from pydicom.pixels import pixel_array
    from pydicom.pixels.utils import get_expected_length

    n_bits, allocated = get_int(dataset, "BitsStored", 0), get_int(dataset, "BitsAllocated", 0)
    shape = _shape(dataset)
    if syntax == _RLE:
        values = _decode_run_lengths(join_fragments(dataset.PixelData), shape, allocated // 8)
    else:
        if len(dataset.PixelData) < get_expected_length(dataset):
            raise DicomError("its pixels are cut off")
        # pydicom takes the lowest bits for those that are stored.
        dataset.BitsStored = allocated
        values = pixel_array(dataset, index=0, raw=True).astype(f"u{allocated // 8}", copy=False)
        dataset.BitsStored = n_bits
    if len(shape) == 3:
        return _merge_channels(dataset, values)
    unused = get_int(dataset, "HighBit", n_bits - 1) + 1 - n_bits
    return values >> np.uint8(unused) if unused else values


def _shape(dataset):
    rows, columns, n_samples = (
        get_int(dataset, name, 0) for name in ("Rows", "Columns", "SamplesPerPixel")
    )
    return (rows, columns) if n_samples == 1 else (rows, columns, n_samples)


def _merge_channels(dataset, values):
    """The one channel of a grey picture that is stored as colours."""
    is_equal = _is_grey(values, values[..., :1])
    # Differences of colours and brightness are none of red, green and blue.
    is_ybr = values.itemsize == 1 and get_code(dataset, "PhotometricInterpretation") != "RGB"
    if not is_equal and not (
        is_ybr and _is_grey(values, np.full_like(values[:, :1, :1], _NO_COLOUR))
    ):
        raise NotRadiographError("it is in colour")
    for name in _FOR_GREY_ALONE:
        if name in dataset:
            del dataset[name]
    dataset.PhotometricInterpretation = "MONOCHROME2"
    return np.ascontiguousarray(values[..., 0])


def _is_grey(values, grey):
    """Whether the second and third channel are nearly the same as another one."""
    # By rows: signed numbers of all would take more memory than the file.
    for row, other in zip(values, grey, strict=True):
        differences = row[:, 1:].astype(np.int32) - other
        if max(differences.max(), -differences.min()) > _MAX_DIFFERENCE:
            return False
    return True


def _decode_run_lengths(codestream, shape, n_bytes):
    """Words of a run-length coded image: a plane of their highest bytes first; PS3.5, annex G."""
    n_pixels, n_samples = math.prod(shape[:2]), math.prod(shape[2:])
    n_segments, *starts = struct.unpack_from("<16I", codestream)
    if n_segments != n_bytes * n_samples:
        raise DicomError("its compressed image is of another kind than its header states")
    ends = [*starts[1:n_segments], len(codestream)]
    planes = [
        _expand_runs(codestream[start:end], n_pixels)
        for start, end in zip(starts, ends, strict=False)
    ]
    values = np.stack(planes, axis=-1).view(f">u{n_bytes}").astype(f"u{n_bytes}")
    return values.reshape(shape)


def _expand_runs(segment, n_bytes):
    """Expand a segment to so many bytes and no more; pydicom would expand all of it."""
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


def _decompress(dataset, syntax):
    decoder = next((name for name, ends in _DECODERS.items() if syntax in ends), None)
    if decoder is None:
        raise DicomError(f"it is compressed as {syntax.name}, which cannot be read")
    try:
        import imagecodecs
    except ImportError:
        raise DicomError(
            f'it is compressed as {syntax.name}: reading it takes pip install "skpneumo[dicom]"'
        ) from None
    codestream, shape = join_fragments(dataset.PixelData), _shape(dataset)
    options = {}
    if decoder == "jpeg2k_decode":
        codestream = skip_boxes(codestream)
        header = jpeg2000_header(codestream)
    else:
        header = jpeg_header(codestream)
    # The decoder allocates this much.
    if header is None or header[:3] != (*shape, 1)[:3]:
        raise DicomError(
            "its compressed image is damaged, or of another size than its header states"
        )
    if decoder == "jpeg8_decode" and len(shape) == 3:
        # Writers name the colours in different ways: take them as they are stored.
        options = {"colorspace": "RGB", "outcolorspace": "RGB"}
    values = getattr(imagecodecs, decoder)(codestream, **options)
    if values.shape != shape or values.itemsize > get_int(dataset, "BitsAllocated", 0) // 8:
        raise DicomError("its compressed image is of another kind than its header states")
    if len(shape) == 3:
        return _merge_channels(dataset, values)
    if header.is_signed and not get_int(dataset, "PixelRepresentation", 0):
        values = _settle_sign(dataset, values, header.precision)
    if syntax not in _LOSSLESS and values.dtype.kind == "i":
        # Lossy ones overshoot: beyond the greatest value lies the least.
        end = 2 ** (get_int(dataset, "BitsStored", 0) - 1)
        values = np.clip(values.astype(np.int16, copy=False), -end, end - 1)
    return _align(dataset, values, header.precision, syntax in _LOSSLESS)


def _settle_sign(dataset, values, precision):
    """Take values, signed by the codestream and unsigned by the file, as what makes them smooth.

    If they are taken for the other, some neighbours are nearly the whole range apart.
    """
    as_unsigned = values.view(f"u{values.itemsize}")
    as_unsigned = as_unsigned & as_unsigned.dtype.type(2**precision - 1)
    if _is_smoother(as_unsigned, values):
        return as_unsigned
    dataset.PixelRepresentation = 1
    if precision > get_int(dataset, "BitsStored", 0):
        dataset.BitsStored = precision
        dataset.HighBit = precision - 1
    return values


def restore_high_bits(dataset, values, used):
    """Words of which bits above the stored ones are no overlays, but belong to the values.

    If the lower bits are empty in all values, and the upper ones take more patterns than a few
    overlays do, the values stand in the upper bits, in spite of HighBit. Else values with all their
    bits are smoother than those with the upper bits cut off only if these belong to the values:
    neighbours then lie on two sides of the cut.
    """
    n_bits, allocated = get_int(dataset, "BitsStored", 0), get_int(dataset, "BitsAllocated", 0)
    unused = allocated - n_bits
    different = np.flatnonzero(used)
    if not (different & (2**unused - 1)).any():
        n_patterns = len(np.unique(different >> n_bits))
        return values >> np.uint8(unused) if n_patterns > _MAX_OVERLAY_PATTERNS else values
    if _is_smoother(values, values & values.dtype.type(2**n_bits - 1)):
        dataset.BitsStored = int(different[-1]).bit_length()
    return values


def _is_smoother(values, others):
    """Whether neighbours differ less: by so much that it is no chance."""
    return _MARGIN * _roughness(values) < _roughness(others)


def _roughness(values):
    middle = [slice(max(0, side - _MAX_SIDE) // 2, None) for side in values.shape]
    values = values[tuple(middle)][:_MAX_SIDE, :_MAX_SIDE].astype(np.int32)
    return sum(int(np.abs(np.diff(values, axis=axis)).sum(dtype=np.int64)) for axis in (0, 1))


def _align(dataset, values, precision, is_lossless):
    """Decoded values with the lowest stored bit at the bottom, as unsigned values.

    Decoders put it there, unless the writer compressed the values with the unused bits below, as
    HighBit has it. Which of the two holds is seen by the values.
    """
    n_bits, allocated = get_int(dataset, "BitsStored", 0), get_int(dataset, "BitsAllocated", 0)
    high_bit = get_int(dataset, "HighBit", n_bits - 1)
    is_signed = get_int(dataset, "PixelRepresentation", 0) == 1
    end = 2**n_bits
    signed = values.astype(f"i{allocated // 8}", copy=False) if is_signed else values
    values = values.astype(f"u{allocated // 8}", copy=False)
    unused = high_bit + 1 - n_bits
    if unused and precision > n_bits and values.any():
        if is_signed:
            fits = values.max() < end or (signed.min() >= -end // 2 and signed.max() < end // 2)
        else:
            fits = _fits(values, end, is_lossless)
        has_low_bits = bool((values & values.dtype.type(2**unused - 1)).any())
        if not fits and precision > high_bit:
            return values >> np.uint8(unused)
        if not fits or not has_low_bits:
            raise DicomError(
                f"its HighBit is {high_bit}, and its compressed values leave open whether their "
                "unused bits are above or below the stored ones"
            )
    if not is_lossless and not is_signed:
        if not _fits(values, end, is_lossless):
            raise DicomError(f"its compressed values do not fit into its {n_bits} stored bits")
        values = np.minimum(values, values.dtype.type(end - 1))
    return values


def _fits(values, end, is_lossless):
    """Whether unsigned values are below an end, but for what a lossy compression adds."""
    if is_lossless:
        return values.max(initial=0) < end
    beyond = np.count_nonzero(values >= end * (1 + _OVERSHOOT))
    return beyond <= _OVERSHOOTING_PIXELS * values.size
