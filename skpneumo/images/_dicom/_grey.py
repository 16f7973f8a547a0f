"""Stored values become grey ones, as a viewer would first show them.

A word is all that is stored of a pixel, also bits that are no part of its value.
"""

from typing import NamedTuple

import numpy as np

from skpneumo.images._dicom._elements import (
    DicomError,
    NotRadiographError,
    get_code,
    get_int,
    get_items,
    get_number,
    in_functional_groups,
)
from skpneumo.images._dicom._tables import read_table
from skpneumo.images._dicom._voi import voi_pictures

_PALETTES = ("Red", "Green", "Blue")
# A quarter of a percent of the range: palettes of 16 bits may be rounded to 8.
_SAME_BRIGHTNESS = 1 / 400
# Grey levels between the outliers: with fewer there is no picture,
_MIN_LEVELS = 32
# and with fewer, outliers may be the reason.
_LOW_CONTRAST = 64
# Proportions of the pixels: those at either end that are left out to measure contrast,
_OUTLIERS = 0.005
# and those that may be hot or dead, or letters that are burned in.
_HOT_PIXELS = 0.025
# A window that makes more of them black, or white, is made for other values.
_MAX_AT_ONE_END = 0.9
# One over the whole range of another number of bits is under suspicion.
_MAX_OF_OTHER_DEPTH = 0.5
_MAX_SATURATED = 0.98
# Maximum proportion of pixels that are padding: if there are more, the value is no padding.
_MAX_PADDED = 0.8


class _Sample(NamedTuple):
    """Words that pixels of a sample hold, padding left out, and how many of them."""

    words: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, counts):
        words = np.flatnonzero(counts)
        return cls(words, counts[words])

    def histogram(self, brightness):
        """How many pixels have each grey."""
        greys = _as_uint8(brightness[self.words])
        return np.bincount(greys, weights=self.counts, minlength=256)


def grayscale_lut(dataset, used, counts):
    """Grey value of every word that may be stored.

    Parameters
    ----------
    dataset : pydicom.Dataset
        The file.
    used : ndarray of shape (n_words,), dtype bool
        Which words are stored; none beyond these.
    counts : ndarray of shape (n_words,), dtype int
        How many pixels of a sample hold each word.

    Returns
    -------
    lut : ndarray of shape (n_words,), dtype uint8
        The grey values.
    causes : list of str
        What to warn of, as ends of a sentence that starts with the name of the file.
    """
    causes = []
    n_bits = get_int(dataset, "BitsStored", 0)
    stored = np.arange(len(used)) & (2**n_bits - 1)
    if get_int(dataset, "PixelRepresentation", 0) == 1:
        stored -= (stored >> (n_bits - 1)) << n_bits
    padding = _padding(dataset, stored, n_bits)
    if counts[padding].sum() > _MAX_PADDED * counts.sum():
        causes.append("its padding would cover nearly all of it, and is ignored")
        padding[:] = False
    shown = used & ~padding
    sample = _Sample.of(np.where(padding, 0, counts))
    if get_code(dataset, "PhotometricInterpretation") == "PALETTE COLOR":
        brightness = _palette(dataset, stored, used)
    else:
        brightness = _brightness(dataset, stored, shown, sample, causes)
        if _is_inverse(dataset):
            brightness = 1 - brightness
    lut = _as_uint8(brightness)
    if not causes and np.count_nonzero(shown) > 1:
        causes += _contrast_problems(brightness, sample)
    lut[padding] = 0
    return lut, causes


def _padding(dataset, stored, n_bits):
    """Which words stand for no pixel; PS3.3 C.7.5.1.1.2.

    The whole word counts, not the stored bits alone: 65535 is no value of 12 bits.
    """
    ends = [get_number(dataset, f"PixelPadding{name}") for name in ("Value", "RangeLimit")]
    if ends[0] is None:
        return np.zeros(len(stored), dtype=bool)
    n_words = 2 ** get_int(dataset, "BitsAllocated", 0)
    ends = [int(end) % n_words for end in ends if end is not None]
    words = np.arange(len(stored))
    if get_int(dataset, "PixelRepresentation", 0) == 1:
        words = np.where(words >= n_words // 2, words - n_words, words)
        ends = [end - n_words if end >= n_words // 2 else end for end in ends]
        # Some writers take no account of the sign, and of these words the bits above are not sure.
        ends = [end - 2**n_bits if 2 ** (n_bits - 1) <= end < 2**n_bits else end for end in ends]
        if all(-(2 ** (n_bits - 1)) <= end < 2 ** (n_bits - 1) for end in ends):
            words = stored
    return (words >= min(ends)) & (words <= max(ends))


def _is_inverse(dataset):
    """Whether low values are white; PS3.3 C.11.6.1.2 and C.8.11.1."""
    colours, shape = (
        get_code(dataset, name) for name in ("PhotometricInterpretation", "PresentationLUTShape")
    )
    if (colours, shape) in (("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")):
        raise DicomError(
            f"its PhotometricInterpretation {colours} contradicts its PresentationLUTShape "
            f"{shape}, so that it may be a negative. Correct one of them"
        )
    return colours == "MONOCHROME1"


def _brightness(dataset, stored, shown, sample, causes):
    """Brightness from 0 to 1 of every word of a grey image."""
    values = _modality_values(dataset, stored)
    if not np.isfinite(values).all() or (_varies(stored, shown) and not _varies(values, shown)):
        causes.append("its rescaling or modality LUT leaves no picture: stored values are shown")
        values = stored.astype(float)
    source = in_functional_groups(dataset, "FrameVOILUTSequence")
    valid, has_any = [], False
    n_bits = get_int(dataset, "BitsStored", 0)
    for picture, depth in voi_pictures(source, values):
        has_any = True
        if picture is not None:
            if not _is_lost(picture, sample, abs(depth - n_bits) >= 2 if depth else False):
                return picture
            valid.append(picture)
    full, has_outliers = _full_range(dataset, values, shown, sample)
    # A nearly blank image stays one in any window, and in a valid one it is shown right.
    if valid and _is_lost(full, sample):
        varies = _varies(stored, shown)
        valid = [picture for picture in valid if not varies or _varies(_as_uint8(picture), shown)]
        if valid:
            return valid[0]
    if has_any:
        causes.append("its windows and VOI LUTs leave no picture: the full range is shown")
    elif has_outliers:
        causes.append("a few hot or dead pixels take most of its range, and are clipped")
    return full


def _varies(values, shown):
    values = values[shown]
    return bool(values.size) and values.min() < values.max()


def _as_uint8(brightness):
    return np.round(255 * brightness).astype(np.uint8)


def _modality_values(dataset, stored):
    """Values in the units of the modality; PS3.3 C.11.1."""
    for item in get_items(dataset, "ModalityLUTSequence")[:1]:
        table = read_table(item)
        if table is not None:
            return table.look_up(stored)
    source = in_functional_groups(dataset, "PixelValueTransformationSequence")
    slope, intercept = (get_number(source, f"Rescale{name}") for name in ("Slope", "Intercept"))
    return stored * (1.0 if slope is None else slope) + (intercept or 0)


def _full_range(dataset, values, shown, sample):
    """Brightness without a window, and whether outliers were left out for it.

    8 bits stay what they are. Deeper values are stretched from the least to the greatest, unless
    that leaves little of a picture: then without those farther from the central 95 % of the pixels
    than the width of these.
    """
    if get_int(dataset, "BitsStored", 0) <= 8:
        return _stretch(values, values.min(), values.max()), False
    if not shown.any():
        return np.zeros(len(values)), False
    inside = values[shown]
    full = _stretch(values, inside.min(), inside.max())
    if not sample.words.size or _span(full, sample, _HOT_PIXELS) >= _LOW_CONTRAST:
        return full, False
    order = np.argsort(values[sample.words], kind="stable")
    low, high = values[sample.words[order]][_central(sample.counts[order], _HOT_PIXELS)]
    if low == high:
        return full, False
    is_inside = (inside >= low - (high - low)) & (inside <= high + (high - low))
    if is_inside.all():
        return full, False
    return _stretch(values, inside[is_inside].min(), inside[is_inside].max()), True


def _stretch(values, low, high):
    if low == high:
        return np.zeros(len(values))
    return np.clip((values - low) / (high - low), 0, 1)


def _central(counts, outliers):
    """First and last position of the pixels that are no outliers."""
    total = np.cumsum(counts)
    left_out = max(outliers * total[-1], 1)
    low, high = np.argmax(total > left_out), np.argmax(total >= total[-1] - left_out)
    return [min(low, high), high]


def _span(brightness, sample, outliers=_OUTLIERS):
    """How many grey levels lie between the pixels that are no outliers."""
    low, high = _central(sample.histogram(brightness), outliers)
    return int(high - low)


def _is_lost(brightness, sample, is_of_other_depth=False):
    """Whether nearly all pixels have nearly the same grey; most, in a window of another depth."""
    histogram = sample.histogram(brightness)
    at_one_end = max(histogram[0], histogram[-1])
    max_at_one_end = _MAX_OF_OTHER_DEPTH if is_of_other_depth else _MAX_AT_ONE_END
    if at_one_end > max_at_one_end * histogram.sum():
        return True
    return _span(brightness, sample) < (_LOW_CONTRAST if is_of_other_depth else _MIN_LEVELS)


def _contrast_problems(brightness, sample):
    span = _span(brightness, sample)
    if span < _MIN_LEVELS:
        return [f"its pixels lie within {span + 1} of the 256 grey levels, apart from outliers"]
    histogram = sample.histogram(brightness)
    black, white = histogram[[0, -1]] / histogram.sum()
    if black + white > _MAX_SATURATED:
        return [f"{black:.0%} of its pixels are black and {white:.0%} white"]
    return []


def _palette(dataset, stored, used):
    """Brightness by a palette whose colours are all grey; PS3.3 C.7.9."""
    channels = []
    for colour in _PALETTES:
        name = f"{colour}PaletteColorLookupTable"
        table = read_table(dataset, f"{name}Descriptor", f"{name}Data")
        if table is None:
            raise DicomError("its palette is missing, or segmented, which cannot be read")
        channels.append(table.brightness(stored))
    differences = np.ptp(np.array(channels)[:, used], axis=0)
    if differences.max(initial=0) > _SAME_BRIGHTNESS:
        raise NotRadiographError("it is in colour")
    return channels[1]
