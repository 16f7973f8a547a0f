"""Over-sampling of the minority class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import StrOptions

from skpneumo._utils.documentation import DocumentationLink
from skpneumo._utils.typing import RandomState, XRays
from skpneumo.images import check_xrays
from skpneumo.preprocessing._augmenter import XRayAugmenter, augment_xrays, draw_seeds
from skpneumo.preprocessing._base import tag_images


def _draw_evenly(indices, n_draws, rng):
    """Draw so that no index is repeated before all others have been drawn."""
    n_rounds = -(-n_draws // len(indices))
    rounds = [rng.permutation(indices) for _ in range(n_rounds)]
    return np.concatenate([indices[:0], *rounds])[:n_draws]


class XRayOverSampler(DocumentationLink, BaseOverSampler):
    """Repeat X-rays of the minority class, each repeat changed at random.

    A sampler of imbalanced-learn: a step of `imblearn.pipeline.Pipeline` that acts while
    training and is skipped in prediction. The original images come first, in their order and
    unchanged; the repeats follow.

    Parameters
    ----------
    sampling_strategy : "auto", float, str, dict or callable, default="auto"
        How many images of which class there shall be, as in
        :class:`~imblearn.over_sampling.RandomOverSampler`. "auto" makes every class as large as
        the largest; a float is the ratio of minority to majority wanted; a dict gives the number
        wanted for each class.
    augmentation : "auto", XRayAugmenter or None, default="auto"
        How repeats are changed: "auto" as a default `XRayAugmenter` does, None not at all.
        ``random_state`` of the augmenter is not used.
    random_state : int, RandomState instance or None, default=None
        Controls which images are repeated and how they are changed. An int gives the same result
        at every call, and the same for an array and for a sequence of files with these pixels.

    Attributes
    ----------
    sampling_strategy_ : dict
        The number of repeats for each class that gets any.
    sample_indices_ : ndarray of shape (n_new,)
        Row of ``X`` that each image of the result comes from.

    See Also
    --------
    XRayAugmenter : Change every image of the training set.
    imblearn.over_sampling.RandomOverSampler : The same for tables, drawing with replacement.

    Notes
    -----
    Repeats are spread evenly: no image of a class is repeated once more before all its others
    have been.

    Sequences and paths stay lazy: a repeat is one more entry with the same path and a seed, and
    nothing is decoded. From arrays, arrays are made.

    A classifier that splits off validation data (``validation=0.1``) keeps copies of one image on
    one side. In sequences, repeats are recognised by the path of the file. In arrays they are not
    once they are changed, so changed versions of a training image may end in the validation data
    and make its loss too low: over-sample paths, use ``augmentation=None`` (equal images are
    recognised), or give the classifier validation data of its own. Cross-validation of the whole
    pipeline is not affected. ``groups`` cannot be given to a classifier behind this step, since
    they do not name the patient of a repeat.

    Examples
    --------
    >>> import numpy as np
    >>> from skpneumo.preprocessing import XRayOverSampler
    >>> X = np.arange(5 * 6 * 7, dtype=np.uint8).reshape(5, 6, 7)
    >>> y = np.array(["NORMAL", "PNEUMONIA", "PNEUMONIA", "PNEUMONIA", "PNEUMONIA"])
    >>> sampler = XRayOverSampler(random_state=0)
    >>> X_more, y_more = sampler.fit_resample(X, y)
    >>> X_more.shape, y_more[5:].tolist()
    ((8, 6, 7), ['NORMAL', 'NORMAL', 'NORMAL'])
    >>> sampler.sample_indices_
    array([0, 1, 2, 3, 4, 0, 0, 0])
    >>> np.array_equal(X_more[:5], X)
    True

    Paths are not decoded:

    >>> files = ["a.jpeg", "b.jpeg", "c.jpeg", "d.jpeg", "e.jpeg"]
    >>> sampler.fit_resample(files, y)[0]
    XRaySequence(8 images, size=None)
    """

    sampling_strategy_: dict
    sample_indices_: np.ndarray

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        "augmentation": [StrOptions({"auto"}), XRayAugmenter, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: float | str | dict | Callable = "auto",
        augmentation: XRayAugmenter | Literal["auto"] | None = "auto",
        random_state: RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.augmentation = augmentation
        self.random_state = random_state

    def fit_resample(self, X: XRays, y: ArrayLike) -> tuple[Any, Any]:
        """Add repeats to the images.

        Parameters
        ----------
        X : array-like of shape (n, H, W), XRaySequence or array-like of str or path
            Images, or paths of files.
        y : array-like of shape (n,)
            The class of each image.

        Returns
        -------
        X_resampled : ndarray of shape (n_new, H, W), dtype uint8, or XRaySequence
            An array for images, a sequence for sequences and paths.
        y_resampled : array-like of shape (n_new,)
            Their classes, in the type of ``y``.
        """
        self._validate_params()
        # imbalanced-learn turns the result for a list, such as one of paths, back into a list
        return super().fit_resample(check_xrays(X), y)

    def _check_X_y(self, X, y):
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X = check_xrays(X)
        check_consistent_length(X, y)
        return X, y, binarize_y

    def _fit_resample(self, X, y):
        rng = check_random_state(self.random_state)
        repeats = [
            _draw_evenly(np.flatnonzero(y == label), n_repeats, rng)
            for label, n_repeats in self.sampling_strategy_.items()
        ]
        self.sample_indices_ = np.concatenate([np.arange(len(y)), *repeats])
        X_resampled, y_resampled = X[self.sample_indices_], y[self.sample_indices_]
        if self.augmentation is None:
            return X_resampled, y_resampled
        augmenter = XRayAugmenter() if self.augmentation == "auto" else self.augmentation
        # A negative seed leaves the original as it is.
        seeds = np.full(len(y_resampled), -1, dtype=np.int64)
        seeds[len(y) :] = draw_seeds(rng, len(y_resampled) - len(y))
        return augment_xrays(X_resampled, augmenter.to_augmentation(), seeds), y_resampled

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        tags.input_tags.dataframe = False
        tags.sampler_tags.sample_indices = True
        tag_images(tags.input_tags)
        return tags
