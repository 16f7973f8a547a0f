"""Which images are held back for early stopping."""

from numbers import Real

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skpneumo.classifiers._identity import content_keys


def split_validation(validation, X, y, groups=None, seed=None):
    """Split rows into those to learn from and those to stop by.

    Parameters
    ----------
    validation : None, float or splitter
        A share of the images, or a splitter whose first split is taken.
    X : ndarray of shape (n, H, W) or XRaySequence
        The images.
    y : ndarray of shape (n,)
        The labels.
    groups : array-like of shape (n,), default=None
        Images of one group stay on one side, as do copies of one image.
    seed : int, default=None
        Chooses the images of a share.

    Returns
    -------
    train, validation : ndarray of int
        Row numbers; the second is empty where ``validation`` is None.

    Raises
    ------
    ValueError
        If a side is left without one of the classes, or if the splitter does not fit the data.
    """
    rows = np.arange(len(y))
    if validation is None:
        return rows, rows[:0]
    if isinstance(validation, Real):
        held_back = _stratified_share(y, _blocks(X, groups), validation, seed)
        train, held_back = rows[~held_back], rows[held_back]
    else:
        train, held_back = _first_split(validation, y, groups)
    for side, part in (("to learn from", train), ("to stop by", held_back)):
        missing = set(np.unique(y).tolist()) - set(y[part].tolist())
        if missing:
            raise ValueError(
                f"validation={validation!r} leaves no image labelled {sorted(missing)} {side}: "
                f"{len(y)} images were split into {len(train)} and {len(held_back)}. Use "
                "more images or groups, another share, or validation=None."
            )
    return train, held_back


def check_weights_of_split(y, weights, train, held_back):
    """Raise ``ValueError`` if a class weighs nothing on a side of a split; ``y`` is 0 or 1."""
    for side, rows in (("to learn from", train), ("to stop by", held_back)):
        weighing = y[rows][weights[rows] > 0]
        if len(rows) and len(np.unique(weighing)) < 2:
            raise ValueError(
                f"The images {side} weigh zero for one of the classes. Use more images, other "
                "weights, another validation, or validation=None."
            )


def _first_split(splitter, y, groups):
    train, held_back = next(iter(splitter.split(np.empty((len(y), 1)), y, groups)))
    last = max(np.max(train, initial=-1), np.max(held_back, initial=-1))
    if last >= len(y) or np.intersect1d(train, held_back).size:
        raise ValueError(
            f"validation={splitter!r} does not fit the {len(y)} images of this fit: its split "
            f"reaches row {last}. A PredefinedSplit fits only the very images it was made for; "
            "inside a cross-validation use a share such as validation=0.1."
        )
    return train, held_back


def _blocks(X, groups):
    """Number of the block of each row: rows joined by a group or by equal content."""
    n = len(X)
    _, content = np.unique(content_keys(X), return_inverse=True)
    links = [content]
    if groups is not None:
        _, group = np.unique(np.asarray(groups), return_inverse=True)
        links.append(group)
    # A graph of rows and of the things that join them; a block is one connected part.
    offsets = n + np.cumsum([0] + [link.max() + 1 for link in links])
    ends = np.concatenate([link + at for link, at in zip(links, offsets[:-1], strict=True)])
    starts = np.tile(np.arange(n), len(links))
    graph = coo_array((np.ones(len(ends)), (starts, ends)), shape=(offsets[-1], offsets[-1]))
    return connected_components(graph, directed=False)[1][:n]


def _stratified_share(y, blocks, share, seed):
    """Take whole blocks in random order while no class gets more than its share."""
    _, labels = np.unique(y, return_inverse=True)
    n_classes = labels.max() + 1
    wanted = np.maximum(1, np.round(share * np.bincount(labels)).astype(int))
    order = np.argsort(blocks, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(blocks[order])) + 1)
    taken = np.zeros(len(y), dtype=bool)
    for block in np.random.default_rng(seed).permutation(len(members)):
        counts = np.bincount(labels[members[block]], minlength=n_classes)
        if (counts <= wanted).all():
            taken[members[block]] = True
            wanted -= counts
    return taken
