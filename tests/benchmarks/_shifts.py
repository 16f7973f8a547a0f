"""Shifted copies of X-rays: what another device, another archive or another hand does to an image.

Five severities each. The numbers of the pixel-wise ones are those of MedMNIST-C for PneumoniaMNIST
(Di Salvo, Doerrich & Ledig, 2024, arXiv:2406.17536), meant for images of 224 x 224 pixels as these
are; the last five kinds, which move or cover parts of an image, are ours.
"""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

N_SEVERITIES = 5


def _brighten(image, factor, rng):
    return ImageEnhance.Brightness(image).enhance(factor)


def _contrast(image, factor, rng):
    return ImageEnhance.Contrast(image).enhance(factor)


def _gamma(image, gamma, rng):
    return image.point([round(255 * (level / 255) ** gamma) for level in range(256)])


def _blur(image, side, rng):
    # The standard deviation that OpenCV takes for a kernel of this side.
    return image.filter(ImageFilter.GaussianBlur(0.3 * ((side - 1) * 0.5 - 1) + 0.8))


def _to_image(share):
    return Image.fromarray(np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8))


def _gaussian_noise(image, spread, rng):
    share = np.asarray(image) / 255
    return _to_image(share + rng.normal(scale=spread, size=share.shape))


def _speckle_noise(image, spread, rng):
    share = np.asarray(image) / 255
    return _to_image(share * (1 + rng.normal(scale=spread, size=share.shape)))


def _impulse_noise(image, amount, rng):
    pixels = np.array(image)
    hit = rng.random(pixels.shape) < amount
    pixels[hit] = rng.choice([0, 255], size=hit.sum())
    return Image.fromarray(pixels)


def _shot_noise(image, n_photons, rng):
    return _to_image(rng.poisson(np.asarray(image) / 255 * n_photons) / n_photons)


def _jpeg(image, quality, rng):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _resample(image, factor, rng):
    small = [max(1, round(side * factor)) for side in image.size]
    return image.resize(small, Image.Resampling.BOX).resize(image.size, Image.Resampling.BOX)


def _rotate(image, degrees, rng):
    angle = degrees if rng.random() < 0.5 else -degrees
    return image.rotate(angle, Image.Resampling.BILINEAR)


def _crop(image, across, down):
    """The middle of an image, that share of it across and down, stretched to its size."""
    width, height = image.size
    left, top = width * (1 - across) / 2, height * (1 - down) / 2
    box = (left, top, width - left, height - top)
    return image.resize(image.size, Image.Resampling.BILINEAR, box=box)


def _wider(image, ratio, rng):
    return _crop(image, 1 / ratio, 1)


def _taller(image, ratio, rng):
    return _crop(image, 1, 1 / ratio)


def _border(image, share, rng):
    """Black or white bars on three sides, as around a film that was scanned askew."""
    width, height = image.size
    bars = Image.new("L", image.size, int(rng.choice([0, 255])))
    inside = round(width * (1 - 2 * share)), round(height * (1 - share))
    bars.paste(image.resize(inside), (round(width * share), 0))
    return bars


def _letters(image, n_marks, rng):
    """White letters burned in near the edges, as markers of side and posture are."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    width, height = image.size
    for _ in range(n_marks):
        text = str(rng.choice(["R", "L", "AP", "PORTABLE", "SUPINE", "12:45"]))
        size = int(height * rng.uniform(0.06, 0.1))
        side, anchor = (0.02, "la") if rng.random() < 0.5 else (0.98, "ra")
        place = side * width, rng.uniform(0.02, 0.9) * height
        draw.text(place, text, fill=255, font=ImageFont.load_default(size), anchor=anchor)
    return image


SHIFTS = {
    "brighter": (_brighten, (1.1, 1.2, 1.3, 1.4, 1.5)),
    "darker": (_brighten, (0.9, 0.8, 0.7, 0.6, 0.5)),
    "more contrast": (_contrast, (1.1, 1.2, 1.3, 1.4, 1.6)),
    "less contrast": (_contrast, (0.9, 0.8, 0.7, 0.6, 0.4)),
    "gamma up": (_gamma, (1.1, 1.2, 1.3, 1.4, 1.6)),
    "gamma down": (_gamma, (0.9, 0.8, 0.7, 0.6, 0.4)),
    "Gaussian blur": (_blur, (3, 5, 7, 9, 11)),
    "Gaussian noise": (_gaussian_noise, (0.04, 0.05, 0.06, 0.07, 0.08)),
    "speckle noise": (_speckle_noise, (0.05, 0.07, 0.1, 0.15, 0.2)),
    "impulse noise": (_impulse_noise, (0.005, 0.01, 0.013, 0.017, 0.02)),
    "shot noise": (_shot_noise, (300, 200, 150, 100, 80)),
    "JPEG": (_jpeg, (50, 30, 15, 10, 7)),
    "resampled": (_resample, (0.8, 0.7, 0.6, 0.5, 0.4)),
    "rotated": (_rotate, (3, 6, 9, 12, 15)),
    "wider": (_wider, (1.05, 1.1, 1.15, 1.2, 1.3)),
    "taller": (_taller, (1.05, 1.1, 1.15, 1.2, 1.3)),
    "border": (_border, (0.02, 0.04, 0.06, 0.08, 0.1)),
    "letters": (_letters, (1, 2, 3, 4, 5)),
}


def shift(images, kind, severity, seed=0):
    """Shifted copies of X-rays.

    Parameters
    ----------
    images : ndarray of shape (n, H, W), dtype uint8
        Not changed in place.
    kind : str
        One of `SHIFTS`.
    severity : int
        From 0, the mildest, to 4.
    seed : int, default=0
        Decides noise, sides and places, differently for each image.

    Returns
    -------
    ndarray of shape (n, H, W), dtype uint8
    """
    change, severities = SHIFTS[kind]
    return np.stack(
        [
            np.asarray(change(Image.fromarray(image), severities[severity], rng))
            for image, rng in zip(
                images, np.random.default_rng(seed).spawn(len(images)), strict=True
            )
        ]
    )
