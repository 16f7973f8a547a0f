"""The split of the data of a fit into training and validation data."""

from numbers import Real

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from skpneumo.classifiers._hashing import find_copies


def split_validation(validation, data, seed=None):
    """Split rows into those to learn from and those for early stopping.

    Parameters
    ----------
    validation : None, float or splitter
        A fraction of the images, or a splitter whose first split is taken.
    data : TrainingSet
        Images of one group stay on one side, as do copies of one image.
    seed : int, default=None
        Selects the images of a fraction.

    Returns
    -------
    train, validation : ndarray of int
        Row numbers; the second is empty if ``validation`` is None. Images without weight are not
        trained on.

    Raises
    ------
    ValueError
        If a side is left without one of the classes, or without weight for one, or if the splitter
        does not fit the data.
    """
    rows = np.arange(len(data))
    if validation is None:
        train, held_out = rows, rows[:0]
    elif isinstance(validation, Real):
        is_held_out = _draw_stratified_blocks(data.y, _find_blocks(data), validation, seed)
        train, held_out = rows[~is_held_out], rows[is_held_out]
    else:
        train, held_out = _take_first_split(validation, data)
    if validation is not None:
        _check_classes(validation, data, train, held_out)
    if data.sample_weight is not None:
        _check_weights(data, train, held_out)
        train = train[data.sample_weight[train] > 0]
    return train, held_out


def _check_classes(validation, data, train, held_out):
    for side, rows in (("training", train), ("validation", held_out)):
        missing = set(data.labels.tolist()) - set(data.labels[rows].tolist())
        if missing:
            raise ValueError(
                f"validation={validation!r} leaves no image labelled {sorted(missing)} for {side}: "
                f"{len(data)} images were split into {len(train)} and {len(held_out)}. Use more "
                "images or groups, another fraction, or validation=None."
            )


def _check_weights(data, train, held_out):
    for side, rows in (("training", train), ("validation", held_out)):
        weighing = data.y[rows][data.sample_weight[rows] > 0]
        if len(rows) and len(np.unique(weighing)) < 2:
            raise ValueError(
                f"The images for {side} weigh zero for one of the classes. Use more images, other "
                "weights, another validation, or validation=None."
            )


def _take_first_split(splitter, data):
    splits = splitter.split(np.empty((len(data), 1)), data.labels, data.groups)
    train, held_out = next(iter(splits))
    last = max(np.max(train, initial=-1), np.max(held_out, initial=-1))
    if last >= len(data) or np.intersect1d(train, held_out).size:
        raise ValueError(
            f"validation={splitter!r} does not fit the {len(data)} images of this fit: its split "
            f"reaches row {last}. A PredefinedSplit fits only the very images it was made for; "
            "inside a cross-validation use a fraction such as validation=0.1."
        )
    return train, held_out


def _find_blocks(data):
    """Number of the block of each row: rows joined by a group or by equal content."""
    n = len(data)
    _, content = np.unique(find_copies(data.X), return_inverse=True)
    links = [content]
    if data.groups is not None:
        links.append(np.unique(data.groups, return_inverse=True)[1])
    # A graph of rows and of the things that join them; a block is one connected part.
    offsets = n + np.cumsum([0] + [link.max() + 1 for link in links])
    ends = np.concatenate([link + at for link, at in zip(links, offsets[:-1], strict=True)])
    starts = np.tile(np.arange(n), len(links))
    graph = coo_array((np.ones(len(ends)), (starts, ends)), shape=(offsets[-1], offsets[-1]))
    return connected_components(graph, directed=False)[1][:n]


def _draw_stratified_blocks(y, blocks, fraction, seed):
    """Take whole blocks in random order while no class gets more than its fraction."""
    # Early stopping needs an image of each class, however small the fraction is.
    wanted = np.maximum(1, np.round(fraction * np.bincount(y)).astype(int))
    order = np.argsort(blocks, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(blocks[order])) + 1)
    taken = np.zeros(len(y), dtype=bool)
    for block in np.random.default_rng(seed).permutation(len(members)):
        counts = np.bincount(y[members[block]], minlength=len(wanted))
        if (counts <= wanted).all():
            taken[members[block]] = True
            wanted -= counts
    return taken
