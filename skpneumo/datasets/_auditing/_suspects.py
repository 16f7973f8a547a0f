"""Images that do not look like upright chest X-rays, found by a template."""

import numpy as np
from scipy.stats import rankdata

from skpneumo.datasets._synthetic import make_xrays

_SIDE = 32
_ROWS_AT_ONCE = 512
_N_DRAWN = 200
_MIN_FOR_TEMPLATE = 50
# On 5,232 real X-rays: 7 are less like a chest than this, 98 % of photographs are ...
_MIN_LIKENESS = 0.4
# ... and none gains more by this when rotated or inverted; 92 % of those rotated by 180 do.
_MIN_GAIN = 0.13
_MIN_SPREAD = 2.0
_MAX_COLOUR = 10.0


def find_suspects(thumbnails, colour):
    """Find images that are blank, in colour, inverted, rotated, or of something else.

    An image is compared with a template: the mean of those images that resemble a drawn chest,
    or the drawn chest itself if fewer than 50 do. Likeness is Spearman's correlation, which
    neither brightness nor contrast change. An image that is much more like the inverted template,
    or the template rotated by 90, 180 or 270 degrees, is flagged as inverted or rotated; one that
    is unlike it in any orientation, as something else.

    Parameters
    ----------
    thumbnails : ndarray of shape (n, rows, columns), dtype uint8
        The images; sides are multiples of 32.
    colour : ndarray of shape (n,)
        Mean distance between the channels, from 0 to 255.

    Returns
    -------
    dict of str to ndarray of int
        Rows by "blank", "coloured", "not_chest", "inverted" and "rotated"; each is in one at most.
    """
    n, rows, columns = thumbnails.shape
    blocks = thumbnails.reshape(n, _SIDE, rows // _SIDE, _SIDE, columns // _SIDE)
    images = blocks.mean(axis=(2, 4), dtype=np.float32)
    likeness = _likeness(_ranks(images))
    best = likeness.argmax(axis=1)
    is_not_upright = likeness.max(axis=1) - likeness[:, 0] > _MIN_GAIN
    kinds = {
        "blank": images.std(axis=(1, 2)) < _MIN_SPREAD,
        "coloured": colour > _MAX_COLOUR,
        "not_chest": likeness.max(axis=1) < _MIN_LIKENESS,
        "inverted": is_not_upright & (best >= 4),
        "rotated": is_not_upright & (best < 4),
    }
    found, seen = {}, np.zeros(n, dtype=bool)
    for kind, suspected in kinds.items():
        found[kind] = np.flatnonzero(suspected & ~seen)
        seen |= suspected
    return found


def _ranks(images):
    """Ranks of the pixels of each image, centred and of unit length."""
    ranks = np.empty((len(images), _SIDE**2), dtype=np.float32)
    for start in range(0, len(images), _ROWS_AT_ONCE):
        part = images[start : start + _ROWS_AT_ONCE]
        ranks[start : start + _ROWS_AT_ONCE] = rankdata(part.reshape(len(part), -1), axis=1)
    ranks -= (_SIDE**2 + 1) / 2
    return ranks / np.maximum(np.linalg.norm(ranks, axis=1, keepdims=True), 1e-6)


def _likeness(ranks):
    """Correlation with the template, upright and rotated by quarters; then with its inverse."""
    drawn = make_xrays(_N_DRAWN, image_size=(_SIDE, _SIDE), random_state=0).images
    likeness = _correlations(ranks, _ranks(drawn).mean(axis=0))
    is_chest = (likeness.argmax(axis=1) == 0) & (likeness[:, 0] > _MIN_LIKENESS)
    if is_chest.sum() < _MIN_FOR_TEMPLATE:
        return likeness
    return _correlations(ranks, ranks[is_chest].mean(axis=0))


def _correlations(ranks, template):
    template = template.reshape(_SIDE, _SIDE) / np.linalg.norm(template)
    rotated = np.stack([np.rot90(template, quarters).ravel() for quarters in range(4)], axis=1)
    correlations = ranks @ rotated
    return np.concatenate([correlations, -correlations], axis=1)
