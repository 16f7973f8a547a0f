"""Random changes to one X-ray, made on its way into training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

_MAX_BORDER = 0.12


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
        image = self._frame(image, rng)
        image = self._expose(image, rng)
        image = self._add_noise(image, rng)
        return self._erase(image, rng)

    def _move(self, image, rng):
        height, width = image.shape
        angle, scale, right, down = rng.uniform(-1, 1, size=4)
        mirror = -1.0 if self.horizontal_flip and rng.random() < 0.5 else 1.0
        angle = np.deg2rad(angle * self.rotation)
        scale = (1 + self.zoom) ** -scale
        # Fractions of width and height that are left, and how far their middle moves.
        left_x, left_y = 1 - self.crop * rng.random(2)
        off_x, off_y = (rng.random(2) - 0.5) * (1 - left_x, 1 - left_y)
        across, along = scale * left_x, scale * left_y
        cos, sin = np.cos(angle), np.sin(angle)
        to_x = mirror * across * cos, across * sin
        to_y = -mirror * along * sin, along * cos
        x, y = width / 2, height / 2
        x_from = x + (off_x - right * self.translation) * width
        y_from = y + (off_y - down * self.translation) * height
        affine = (
            *to_x, x_from - to_x[0] * x - to_x[1] * y,
            *to_y, y_from - to_y[0] * x - to_y[1] * y,
        )  # fmt: skip
        if np.allclose(affine, (1, 0, 0, 0, 1, 0)):
            return image
        moved = Image.fromarray(image).transform(
            (width, height), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=0
        )
        return np.array(moved)

    def _frame(self, image, rng):
        if rng.random() >= self.border:
            return image
        height, width = image.shape
        fractions = rng.uniform(0, _MAX_BORDER, size=4) * (rng.random(4) < 0.5)
        left, right, top, bottom = (fractions * (width, width, height, height)).astype(int)
        framed = np.full_like(image, rng.choice([0, 255]))
        inside = Image.fromarray(image).resize((width - left - right, height - top - bottom))
        framed[top : height - bottom, left : width - right] = inside
        return framed

    def _expose(self, image, rng):
        shift, gain = rng.uniform(-1, 1, size=2) * (255 * self.brightness, self.contrast)
        if shift == 0 and gain == 0:
            return image
        mean = image.mean()
        levels = (np.arange(256) - mean) * (1 + gain) + mean + shift
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)[image]

    def _add_noise(self, image, rng):
        spread = 255 * self.noise * rng.uniform(-1, 1)
        if spread <= 0:
            return image
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        return np.clip(np.rint(image + spread * noise), 0, 255).astype(np.uint8)

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
