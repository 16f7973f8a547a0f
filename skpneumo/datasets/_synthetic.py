"""Synthetic chest X-rays of children, with the place of every opacity known."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Literal

import numpy as np
from scipy.special import expit
from sklearn.utils import Bunch, check_random_state

from skpneumo._utils.typing import RandomState, Size

# Anatomy is drawn in coordinates of the image: u from -1 (left) to 1 (right), v from -1 (top) to
# 1 (bottom). Each entry is the range of a uniform draw.
_PATIENT = {  # one draw per patient
    "chest": (0.80, 0.94),
    "neck": (0.24, 0.34),
    "shoulder": (-0.92, -0.78),
    "lung_u": (0.39, 0.45),
    "lung_width": (0.30, 0.37),
    "lung_top": (-0.76, -0.62),
    "dome_right": (0.38, 0.56),
    "dome_drop": (0.02, 0.09),
    "dome_curve": (0.14, 0.26),
    "heart_u": (0.06, 0.16),
    "heart_v": (0.22, 0.34),
    "heart_width": (0.26, 0.36),
    "heart_height": (0.38, 0.50),
    "mediastinum": (0.09, 0.15),
    "rib_gap": (0.125, 0.165),
    "rib_phase": (0.0, 1.0),
    "rib_curve": (0.5, 1.0),
    "rib_contrast": (0.05, 0.10),
    "clavicle": (-0.70, -0.60),
    "stomach": (-0.10, 0.12),
    "air": (0.50, 0.68),
    "mottle": (0.0, 0.46),
}
_EXPOSURE = {  # one draw per image; difficulty widens these ranges about their middle
    "shift_u": (-0.10, 0.10),
    "shift_v": (-0.10, 0.10),
    "zoom": (0.90, 1.10),
    "tilt": (-0.10, 0.10),
    "turn": (-0.06, 0.06),
    "breath": (-0.08, 0.08),
    "air_right": (-0.10, 0.10),
    "air_left": (-0.10, 0.10),
    "side_light": (-0.08, 0.08),
    "gamma": (0.80, 1.20),
    "mean": (0.40, 0.56),
    "spread": (0.19, 0.25),
    "noise": (0.012, 0.028),
}
_SITES = {  # ranges that replace those of _PATIENT and of _EXPOSURE
    "home": ({}, {}),
    "new": (
        {"mottle": (0.0, 0.26), "air": (0.32, 0.42), "rib_contrast": (0.10, 0.15)},
        {"zoom": (1.0, 1.15)},
    ),
}
_AREA = (0.045, 0.09)  # of the image, well inside the documented 2 % to 10 %
_CHUNK_PIXELS = 2**19  # images are drawn in chunks of about this many pixels: they stay in cache

_DESCR = """Synthetic paediatric chest X-rays drawn by skpneumo.datasets.make_xrays.

Every patient has an anatomy of their own and one or several images, which differ in pose,
breath, exposure and noise. Patients with pneumonia have opacities inside the lung fields: one
focal consolidation ("bacteria") or several fainter patches in both lungs ("virus"). Exposure and
noise follow the same distribution in both classes, and so do the pixel values of an image: those
of an X-ray with opacities are the values of the same X-ray without them, in another order. Lungs
without opacities have a stronger mottle, so that the mean gradient does not differ either.
The images are for tests, examples and benchmarks of code; they are no medical evidence.
"""


def _draw(rng, ranges, n, widen=1.0):
    """Draw one value per row for each named range."""
    return {
        name: ((low + high) / 2 + widen * (high - low) * (rng.random(n) - 0.5)).astype(np.float32)
        for name, (low, high) in ranges.items()
    }


def _patients(rng, n_samples, prevalence, images_per_patient):
    """Assign images to patients: the patient of each image, and whether each has pneumonia."""
    n_positive = int(np.clip(round(prevalence * n_samples), 1, n_samples - 1))
    patient, is_positive = [], []
    for n_images, has_pneumonia in ((n_samples - n_positive, False), (n_positive, True)):
        n_patients = int(np.clip(round(n_images / images_per_patient), 1, n_images))
        extra = rng.integers(n_patients, size=n_images - n_patients)
        patient.append(len(is_positive) + np.concatenate([np.arange(n_patients), extra]))
        is_positive += [has_pneumonia] * n_patients
    return rng.permutation(np.concatenate(patient)), np.array(is_positive)


def _lesions(rng, is_positive):
    """Draw the patches of every patient: places relative to a lung, sizes, strengths."""
    n, k = len(is_positive), 6
    viral = is_positive & (rng.random(n) < 0.5)
    side = np.where(np.arange(k) % 2, 1, -1) * rng.choice([-1, 1], size=(n, 1))
    radius = rng.uniform(0.75, 1.25, (n, k))
    n_patches = np.where(viral, rng.integers(4, k + 1, n), 1)
    radius[np.arange(k) >= n_patches[:, None]] = 0
    return {
        "viral": viral,
        "side": side.astype(np.float32),
        "across": rng.uniform(-0.35, 0.65, (n, k)).astype(np.float32),
        "along": rng.uniform(0.15, 0.85, (n, k)).astype(np.float32),
        "stretch": rng.uniform(0.7, 1.4, (n, k)).astype(np.float32),
        "radius": radius.astype(np.float32),
        "area": rng.uniform(*_AREA, n).astype(np.float32),
    }


def _smooth_noise(rng, n, image_size, cells):
    """Unit-variance noise with ``cells`` bumps along each side, whatever the image size."""
    rows, columns = (
        np.exp(-2 * np.square(np.linspace(0, cells - 1, size)[:, None] - np.arange(cells)))
        for size in image_size
    )
    rows, columns = (b / np.linalg.norm(b, axis=1, keepdims=True) for b in (rows, columns))
    bumps = rng.standard_normal((n, cells, cells), dtype=np.float32)
    return rows.astype(np.float32) @ bumps @ columns.T.astype(np.float32)


def _bump(distance, width):
    return np.exp(-np.square(distance / width))


def _edge(depth, softness=0.025):
    return expit(depth / softness)


def _lungs(a, u, v):
    """Depth inside the nearer lung field, positive inside, without what the heart covers."""
    side = np.where(u < 0, np.float32(-1), np.float32(1))
    top, bottom = a["lung_top"], a["dome_right"] + a["breath"] + a["dome_drop"] * (side > 0)
    along = (v - top) / (bottom - top)
    width = a["lung_width"] * (0.72 + 0.34 * along)
    across = (np.abs(u) - a["lung_u"]) / width
    dome = bottom + a["dome_curve"] * across * np.abs(across) * 0.6
    round_top = 1 - np.square(across) - np.square(np.minimum(along - 0.45, 0) / 0.45)
    return np.minimum(0.5 * width * round_top, 0.8 * (dome - v)), across, along


def _opacity(rng, lesion, depth, across, along, u):
    """Opacity of each pixel, 0 to 1, and the mask of pixels at which it exceeds a half."""
    n, *image_size = depth.shape
    score = np.full(depth.shape, -np.inf, dtype=np.float32)
    warp = 0.4 * _smooth_noise(rng, n, image_size, 9)
    for k in range(lesion["side"].shape[1]):
        radius, side, place, level, stretch = (
            lesion[name][:, k, None, None]
            for name in ("radius", "side", "across", "along", "stretch")
        )
        r2 = np.square((across - place) * stretch) + np.square(3.3 * (along - level) / stretch)
        r2 /= np.square(np.maximum(radius, 1e-3))
        score = np.maximum(score, np.where((radius > 0) & (u * side > 0), -r2, -np.inf))
    # The area is set by ranking the pixels, so that it holds for every anatomy and pose.
    score = np.where(depth > -0.05, score * (1 + warp).clip(0.3, 2), -np.inf)
    ranked = np.sort(score.reshape(n, -1), axis=1)
    room = 0.7 * np.isfinite(ranked).sum(axis=1)
    n_covered = np.minimum(lesion["area"] * ranked.shape[1], room).astype(int)
    level = ranked[np.arange(n), -1 - n_covered][:, None, None]
    peak = ranked[:, -1][:, None, None]
    opacity = np.clip(0.5 + (score - level) / (peak - level), 0, 1) * _edge(depth)
    return opacity, opacity > 0.5


def _match_values(images, others):
    """Give the pixels of each image, in their order of brightness, the values of another image."""
    n = len(images)
    matched = np.empty((n, images[0].size), dtype=images.dtype)
    order = images.reshape(n, -1).argsort(axis=1)
    np.put_along_axis(matched, order, np.sort(others.reshape(n, -1), axis=1), axis=1)
    return matched.reshape(images.shape)


def _coordinates(a, image_size):
    """Place of each pixel in the coordinates of the anatomy."""
    rows, columns = (np.linspace(-1, 1, size, dtype=np.float32) for size in image_size)
    x, y = columns[None, None, :] - a["shift_u"], rows[None, :, None] - a["shift_v"]
    u = (x * np.cos(a["tilt"]) + y * np.sin(a["tilt"])) / a["zoom"]
    v = (y * np.cos(a["tilt"]) - x * np.sin(a["tilt"])) / a["zoom"]
    return u, v


def _body(a, u, v):
    """Outline of the body, and the brightness of its soft tissue."""
    flare = 0.22 * _bump(v - a["shoulder"] - 0.22, 0.2)
    half = a["neck"] + (a["chest"] - a["neck"] + flare) * _edge(v - a["shoulder"], 0.05)
    body = _edge(half - np.abs(u))
    return body, 0.34 + 0.36 * np.sqrt(np.maximum(1 - np.square(u / half), 0.0))


def _uncovered_depth(a, depth, u, v):
    """Depth inside the lung fields, without what heart and mediastinum cover."""
    lean = u - a["heart_u"] - 0.2 * (v - a["heart_v"])
    heart = 1 - np.square(lean / a["heart_width"])
    heart -= np.square((v - a["heart_v"]) / a["heart_height"])
    vertebral = a["mediastinum"] + 0.1 * np.square(v) - np.abs(u)
    cover = np.logaddexp(3.0 * heart, 20 * vertebral) / 20  # a smooth maximum: no notches
    return np.minimum(depth, -cover)


def _bones(a, u, v, depth, across):
    lateral = np.abs(u)
    ribs = (v + a["rib_curve"] * np.square(lateral - 0.3)) / a["rib_gap"] + a["rib_phase"]
    ribs = np.maximum(np.cos(2 * np.pi * ribs), -0.3) * _edge(depth + 0.06, 0.03)
    ribs *= 0.5 + np.square(across).clip(0, 1)
    slope = a["clavicle"] - 0.18 * (lateral - 0.1) + 0.25 * np.square(lateral - 0.4)
    clavicles = _bump(v - slope, 0.035) * _edge(lateral - 0.08) * _edge(0.72 - lateral, 0.04)
    spine = _bump(u - a["turn"], 0.09) * (0.8 + 0.3 * np.cos(2 * np.pi * v / a["rib_gap"]))
    return a["rib_contrast"] * ribs + 0.16 * clavicles + 0.10 * spine


def _expose(rng, a, drawn):
    image = drawn ** a["gamma"]
    image -= image.mean(axis=(1, 2), keepdims=True)
    image *= a["spread"] / image.std(axis=(1, 2), keepdims=True)
    image += a["mean"] + a["noise"] * rng.standard_normal(image.shape, dtype=np.float32)
    return np.round(255 * image.clip(0, 1)).astype(np.uint8)


def _render(rng, a, lesion, is_positive, image_size, difficulty):
    """Draw a chunk of images: ``a`` holds (n, 1, 1) arrays of anatomy and exposure."""
    n = len(is_positive)
    u, v = _coordinates(a, image_size)
    lateral = np.abs(u)
    body, tissue = _body(a, u, v)
    depth, across, along = _lungs(a, u, v)
    depth = _uncovered_depth(a, depth, u, v)
    lungs = _edge(depth)
    air = a["air"] + np.where(u < 0, a["air_right"], a["air_left"])
    air = air + (0.05 + 0.06 * difficulty) * _smooth_noise(rng, n, image_size, 5)
    hilum = np.exp(-np.square((lateral - 0.2) / 0.25) - np.square((v + 0.02) / 0.3))
    texture = lungs * _smooth_noise(rng, n, image_size, 26)
    abdomen = _edge(along - 1.0, 0.08) * (1 - lungs)
    gas = _bump(u - 0.35, 0.2) * _bump(v - 0.78, 0.12)

    image = tissue * (1 - air * lungs) + 0.10 * abdomen + a["stomach"] * gas
    image += _bones(a, u, v, depth, across)
    image += (0.02 + 0.03 * difficulty) * (0.25 + hilum) * texture + 0.05 * hilum
    image += a["side_light"] * u

    strength = 0.39 - 0.29 * difficulty
    mottle = strength * a["mottle"] * texture
    drawn = np.maximum((image + mottle) * body, 0.0)
    masks = np.zeros(image.shape, dtype=bool)
    if is_positive.any():
        chosen = {name: values[is_positive] for name, values in lesion.items()}
        places = (x[is_positive] for x in (depth, across, along, u))
        opacity, masks[is_positive] = _opacity(rng, chosen, *places)
        opacity *= 1 + 0.4 * _smooth_noise(rng, len(opacity), image_size, 30)
        weight = np.where(chosen["viral"], 0.85, 1.0).astype(np.float32)
        opacity *= strength * weight[:, None, None]
        # Half the mottle makes up for the gradients of opacities. The values of the X-ray without
        # opacities leave the histogram as it was, and with it all that can be computed from it.
        opaque = image[is_positive] + 0.5 * mottle[is_positive] + opacity
        opaque = np.maximum(opaque * body[is_positive], 0.0)
        drawn[is_positive] = _match_values(opaque, drawn[is_positive])
    return _expose(rng, a, drawn), masks


def _check(n_samples, image_size, prevalence, images_per_patient, difficulty, site):
    if not isinstance(n_samples, Integral) or n_samples < 2:
        raise ValueError(f"n_samples must be an integer of at least 2, got {n_samples!r}.")
    size = tuple(image_size) if np.iterable(image_size) else ()
    if len(size) != 2 or not all(isinstance(side, Integral) and side >= 32 for side in size):
        raise ValueError(
            f"image_size must be (rows, columns), integers of at least 32, got {image_size!r}."
        )
    if not isinstance(prevalence, Real) or not 0 < prevalence < 1:
        raise ValueError(f"prevalence must lie between 0 and 1 (exclusive), got {prevalence!r}.")
    if not isinstance(images_per_patient, Real) or not 1 <= images_per_patient < np.inf:
        raise ValueError(f"images_per_patient must be at least 1, got {images_per_patient!r}.")
    if not isinstance(difficulty, Real) or not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty must lie in [0, 1], got {difficulty!r}.")
    if site not in list(_SITES):
        raise ValueError(f"site must be {' or '.join(map(repr, _SITES))}, got {site!r}.")


def make_xrays(
    n_samples: int = 600,
    *,
    image_size: Size = (72, 64),
    prevalence: float = 0.6,
    images_per_patient: float = 1.5,
    difficulty: float = 0.5,
    site: Literal["home", "new"] = "home",
    random_state: RandomState | None = None,
) -> Bunch:
    """Draw synthetic chest X-rays of children with and without pneumonia.

    Every patient has an anatomy of their own, with pneumonia or without; images differ in pose,
    breath, exposure and noise. An opacity is a bright, soft-edged, mottled patch inside a lung
    field. Exposure, noise and the histogram of an image follow the same distribution in both
    classes: at the defaults a small convolutional network separates the classes, a linear model
    on the pixels does so far less well, and global statistics of the pixels hardly do.

    Parameters
    ----------
    n_samples : int, default=600
        Number of images, at least 2: both classes are always present.
    image_size : tuple of int, default=(72, 64)
        Rows and columns, each at least 32. The anatomy scales with them.
    prevalence : float, default=0.6
        Proportion of the images that show pneumonia, between 0 and 1.
    images_per_patient : float, default=1.5
        Mean number of images per patient, at least 1.
    difficulty : float, default=0.5
        How hard opacities are to see, from 0 to 1: it lowers their contrast and widens the
        variation of pose, exposure, noise and lung markings.
    site : {"home", "new"}, default="home"
        The hospital. Images of the new one are framed more tightly, with a softer texture of the
        lungs, less air in them and harder ribs, in both classes. A network that was trained at
        home ranks them as well, but at its threshold predicts many more negative patients positive.
        Patients and labels of a seed are the same at both.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same images at every call.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        In random order:

        images : ndarray of shape (n_samples, rows, columns), dtype uint8
            Grey, 0 = black = air, 255 = white = bone.
        target : ndarray of shape (n_samples,), dtype str
            "NORMAL" or "PNEUMONIA".
        groups : ndarray of shape (n_samples,), dtype str
            The patient of each image, for cross-validation.
        masks : ndarray of shape (n_samples, rows, columns), dtype bool
            True for pixels at which the opacity, before its mottling, exceeds half its peak: at
            most a tenth of an image, none in a normal one.
        subtype : ndarray of shape (n_samples,), dtype str
            "bacteria" (one focal consolidation), "virus" (several fainter patches in both
            lungs), or "" for normal.
        DESCR : str
            Description of the images.

    Raises
    ------
    ValueError
        If a parameter is not in its range.

    Notes
    -----
    The other pixels of an X-ray with opacities are darker than they would be without them, as its
    histogram stays the same. Networks hardly use this: in the pointing game of the benchmarks the
    maximum of an integrated heatmap lies within a mask in 95 % of the true positives (chance 6 %),
    and a maximum in a darkened region counts as a miss. Below the default difficulty, opacities
    are strong enough for linear models and global statistics.

    Examples
    --------
    >>> from skpneumo.datasets import make_xrays
    >>> data = make_xrays(10, image_size=(48, 40), random_state=0)
    >>> data.images.shape
    (10, 48, 40)
    >>> int((data.target == "PNEUMONIA").sum())
    6
    >>> bool(data.masks[data.target == "NORMAL"].any())
    False
    """
    _check(n_samples, image_size, prevalence, images_per_patient, difficulty, site)
    image_size = tuple(int(side) for side in image_size)
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    rng = np.random.default_rng(seed)

    patient, is_positive = _patients(rng, n_samples, prevalence, images_per_patient)
    lesion = {name: values[patient] for name, values in _lesions(rng, is_positive).items()}
    anatomy, exposure = _PATIENT | _SITES[site][0], _EXPOSURE | _SITES[site][1]
    drawn = {name: v[patient] for name, v in _draw(rng, anatomy, len(is_positive)).items()}
    drawn |= _draw(rng, exposure, n_samples, widen=0.5 + difficulty)
    names = np.array([f"patient{i:05d}" for i in rng.permutation(len(is_positive))])
    is_positive = is_positive[patient]

    images = np.empty((n_samples, *image_size), dtype=np.uint8)
    masks = np.empty((n_samples, *image_size), dtype=bool)
    step = max(1, _CHUNK_PIXELS // (image_size[0] * image_size[1]))
    for start in range(0, n_samples, step):
        part = slice(start, start + step)
        a = {name: values[part, None, None] for name, values in drawn.items()}
        patches = {name: values[part] for name, values in lesion.items()}
        images[part], masks[part] = _render(
            rng, a, patches, is_positive[part], image_size, difficulty
        )
    return Bunch(
        images=images,
        target=np.where(is_positive, "PNEUMONIA", "NORMAL"),
        groups=names[patient],
        masks=masks,
        subtype=np.where(is_positive, np.where(lesion["viral"], "virus", "bacteria"), ""),
        DESCR=_DESCR,
    )
