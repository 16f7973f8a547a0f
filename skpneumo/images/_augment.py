"""Random changes to one X-ray, made on its way into training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image
from scipy.special import ndtri

_MAX_BORDER = 0.12
_IDENTITY = (1, 0, 0, 0, 1, 0)
_LEVELS = np.arange(256, dtype=np.float32)


def check_augmentation(augmentation):
    """Return ``augmentation`` if it is an `Augmentation`, whose ``repr`` is a key of a cache."""
    if type(augmentation) is not Augmentation:
        raise TypeError(
            f"An Augmentation is wanted, such as XRayAugmenter().to_augmentation() gives; got "
            f"{augmentation!r}."
        )
    return augmentation


@dataclass(frozen=True)
class Augmentation:
    """Ranges of random changes to one X-ray; `XRayAugmenter` has defaults, and checks them.

    Pillow and NumPy alone, so that the same seed gives the same image whatever the backend of
    Keras, in a transformer, in a sequence and inside a classifier.

    Parameters
    ----------
    rotation : float, default=0.0
        Largest angle, in degrees, either way.
    translation : float, default=0.0
        Largest shift, as a fraction of each side of the original image.
    zoom : float, default=0.0
        Largest change of scale: 0.1 draws from 1/1.1 to 1.1.
    crop : float, default=0.0
        Largest fraction of the rows, and of the columns, that is cut off at the edges; the rest is
        stretched to the original size.
    border : float, default=0.0
        Probability that an image is framed: each of its sides, one time in two, by a black or
        white bar of up to 12 % of the side. The image shrinks to make room for them.
    brightness : float, default=0.0
        Largest change of brightness, as a fraction of the full range.
    contrast : float, default=0.0
        Largest change of contrast about the image's mean: 0.2 draws from 0.8 to 1.2.
    noise : float, default=0.0
        Largest standard deviation of Gaussian noise, as a fraction of the full range; half of the
        images get some.
    erasing : float, default=0.0
        Probability that one rectangle of 2 to 15 % of the area is filled with the mean.
    horizontal_flip : bool, default=False
        Whether to mirror half of the images, which puts the heart on the wrong side.
    """

    rotation: float = 0.0
    translation: float = 0.0
    zoom: float = 0.0
    crop: float = 0.0
    border: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0
    erasing: float = 0.0
    horizontal_flip: bool = False

    def __call__(self, image: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
        """Change one image.

        Parameters
        ----------
        image : ndarray of shape (H, W), dtype uint8
            The X-ray; it is not changed in place.
        seed : int or sequence of int
            The same seed gives the same change.

        Returns
        -------
        ndarray of shape (H, W), dtype uint8
            ``image`` itself if nothing is changed.
        """
        rng = np.random.default_rng(seed)
        image = self._move(image, rng)
        image = self._expose(image, rng)
        image = self._add_noise(image, rng)
        return self._erase(image, rng)

    def _move(self, image, rng):
        affine, bars = self._draw_affine(image.shape, rng), self._draw_bars(image.shape, rng)
        if bars is not None:
            return _frame(image, affine, *bars)
        return image if affine == _IDENTITY else _warp(image, affine, image.shape)

    def _draw_affine(self, shape, rng):
        """Coefficients of the map from positions in the result to those in the image."""
        height, width = shape
        # Python's numbers, since NumPy's take ten times as long one by one.
        angle, scale, right, down = (2 * value - 1 for value in rng.random(4).tolist())
        mirror = -1.0 if self.horizontal_flip and rng.random() < 0.5 else 1.0
        angle = math.radians(angle * self.rotation)
        scale = (1 + self.zoom) ** -scale
        # Fractions of width and height that are left, and how far their middle moves.
        cut_x, cut_y, off_x, off_y = rng.random(4).tolist()
        left_x, left_y = 1 - self.crop * cut_x, 1 - self.crop * cut_y
        off_x, off_y = (off_x - 0.5) * (1 - left_x), (off_y - 0.5) * (1 - left_y)
        across, along = scale * left_x, scale * left_y
        cos, sin = math.cos(angle), math.sin(angle)
        to_x = mirror * across * cos, across * sin
        to_y = -mirror * along * sin, along * cos
        x, y = width / 2, height / 2
        x_from = x + (off_x - right * self.translation) * width
        y_from = y + (off_y - down * self.translation) * height
        return (
            *to_x, x_from - to_x[0] * x - to_x[1] * y,
            *to_y, y_from - to_y[0] * x - to_y[1] * y,
        )  # fmt: skip

    def _draw_bars(self, shape, rng):
        """Grey level of the bars, and their widths left, right, at the top and at the bottom."""
        if rng.random() >= self.border:
            return None
        height, width = shape
        widths = [
            int(_MAX_BORDER * wide * side) if drawn < 0.5 else 0
            for wide, drawn, side in zip(
                rng.random(4).tolist(),
                rng.random(4).tolist(),
                (width, width, height, height),
                strict=True,
            )
        ]
        return 255 * (rng.random() < 0.5), widths

    def _expose(self, image, rng):
        shift, gain = rng.random(2).tolist()
        shift, gain = 255 * self.brightness * (2 * shift - 1), self.contrast * (2 * gain - 1)
        if shift == 0 and gain == 0:
            return image
        mean = int(image.sum()) / image.size
        levels = _LEVELS * (1 + gain) + (shift - gain * mean)
        # Four times as fast as indexing the table.
        changed = bytearray(image).translate(_to_grey(levels).tobytes())
        return np.frombuffer(changed, dtype=np.uint8).reshape(image.shape)

    def _add_noise(self, image, rng):
        spread = 255 * self.noise * (2 * rng.random() - 1)
        if spread <= 0:
            return image
        # From 16 bits each: a quarter of the time of `rng.standard_normal`.
        bits = rng.bit_generator.random_raw(-(-image.size // 4)).view(np.uint16)
        noise = _normal_quantiles().take(bits[: image.size]).reshape(image.shape)
        noise *= np.float32(spread)
        noise += image
        return _to_grey(noise)

    def _erase(self, image, rng):
        if rng.random() >= self.erasing:
            return image
        height, width = image.shape
        area = rng.uniform(0.02, 0.15) * height * width
        ratio = np.exp(rng.uniform(np.log(0.5), np.log(2.0)))
        rows = int(np.clip(np.sqrt(area * ratio), 1, height))
        columns = int(np.clip(np.sqrt(area / ratio), 1, width))
        top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
        erased = image.copy()
        erased[top : top + rows, left : left + columns] = round(float(image.mean()))
        return erased


def _warp(image, affine, shape):
    """Bilinear interpolation of an image, which is black outside."""
    rows, columns = shape
    return np.array(
        Image.fromarray(image).transform(
            (columns, rows), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
        )
    )


def _frame(image, affine, level, widths):
    """Warp an image, and shrink it to what the bars of a frame leave."""
    height, width = image.shape
    left, right, top, bottom = widths
    rows, columns = height - top - bottom, width - left - right
    a, b, c, d, e, f = affine
    across, along = width / columns, height / rows
    framed = np.full_like(image, level)
    framed[top : top + rows, left : left + columns] = _warp(
        image, (a * across, b * along, c, d * across, e * along, f), (rows, columns)
    )
    return framed


def _to_grey(levels):
    """Round floats, which may be changed, to grey levels."""
    levels += np.float32(0.5)
    np.maximum(levels, 0, out=levels)
    np.minimum(levels, 255, out=levels)
    return levels.astype(np.uint8)


@cache
def _normal_quantiles():
    """Quantiles of the normal distribution in the middles of 2**16 equal parts, float32."""
    return ndtri((np.arange(2**16) + 0.5) / 2**16).astype(np.float32)


# The defaults of XRayAugmenter.
DEFAULT_AUGMENTATION = Augmentation(
    rotation=7.0,
    translation=0.05,
    zoom=0.1,
    crop=0.3,
    border=0.3,
    brightness=0.3,
    contrast=0.2,
    noise=0.05,
)
