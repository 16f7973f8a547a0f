"""A threshold of certified recall for a fraction of the labels."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import _num_samples, check_is_fitted

from skpneumo._utils.bounds import draw_by_order, min_score_per_patient
from skpneumo._utils.documentation import DocumentationLink
from skpneumo._utils.response import RESPONSES, positive_scores
from skpneumo._utils.targets import check_groups
from skpneumo._utils.typing import PathLike, RandomState, Unit
from skpneumo.sites._certifier_results import CertifierResults
from skpneumo.sites._certifier_state import (
    get_fingerprints,
    get_state,
    read_state,
    set_state,
    write_state,
)
from skpneumo.sites._conclusion import describe_shortfall
from skpneumo.sites._progress import Progress, Target, advance
from skpneumo.sites._reading import UNREAD, Pool
from skpneumo.sites._recorded import check_recorded, refuse_labels


class RecallCertifier(DocumentationLink, CertifierResults, MetaEstimatorMixin, BaseEstimator):
    """Certify the recall of a fitted model at a new site, with labels of a part of its images.

    `fit` scores a pool of unlabelled images, `next_images` returns those to be read next, and
    `record` takes their labels, until ``finished_``. The guarantee is that of
    :class:`~skpneumo.OperatingPointClassifierCV` around a frozen model on a fully labelled sample.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_proba`` or ``decision_function``; a
        :class:`~sklearn.frozen.FrozenEstimator` around it stays fitted in
        :func:`~sklearn.base.clone`. It is not fitted again.
    min_recall : float, default=0.95
        Fraction of the positive patients to be predicted positive, between 0 and 1.
    confidence : float, default=0.95
        Confidence that this recall is reached on new patients, between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Controls the order in which patients are sampled. Set it before the first label is seen,
        and do not try another one afterwards: the best of several thresholds is not certified.

    Attributes
    ----------
    finished_ : bool
        Whether the labels are complete.
    plan_ : {"upwards", "random sample"} or None
        How images are read; None until the pilot is labelled.
    n_labelled_ : int
        Number of images that were labelled, with those where the reader was unsure.
    n_remaining_ : int
        Estimate of the number of images still to be labelled; 0 if finished.
    threshold_ : floating
        Once finished: images are predicted positive if their score is at least this. NaN if no
        patient is positive.
    recall_lower_bound_ : float
        Once finished: the recall that is certified. ``min_recall``, or less if there are too few
        positive patients in the pool.
    classifier_ : CertifiedClassifier
        Once finished: the model with this threshold, ready to predict, evaluate and save.
    unit_ : {"patient", "image"}
        What is counted: patients, or images without ``groups``.
    classes_ : ndarray of shape (2,)
        The labels; the second is positive.

    See Also
    --------
    plan_labels : How many images to read for which specificity, before any is read.
    skpneumo.OperatingPointClassifierCV : The same where all images are labelled.

    Notes
    -----
    **What is certified.** Let the patients of the pool be drawn independently from those whom the
    model will see at this site. A positive patient has the score of the lowest-scoring positive
    image. The probability, over pool and sample, that the recall of new patients at ``threshold_``
    is below ``min_recall`` is at most ``1 - confidence``. The rank of the threshold is randomised
    by a hash of the order of the patients by score, as in
    :class:`~skpneumo.OperatingPointClassifierCV`, but rank 1 too; the probability is an average
    over the draw.

    **Pilot.** The first 20 patients, in random order, choose the plan with fewer expected labels.
    They take no part in what follows, so the choice may depend on their labels in any way, and
    what is certified holds given the pilot. The plan does not change afterwards. A pool of fewer
    than 200 patients is read as a whole, without a pilot. A plan may be expected to raise the
    recall at the threshold by at most 12 % of ``1 - min_recall``, compared with reading all.

    **Reading upwards.** A simple random sample of ``m`` of the ``n`` patients (5 %, at least 50) is
    read first; let ``X`` be the number of positive ones. Then images are read from the lowest
    score upwards to the ``k(X)``-th positive patient, whose score is the threshold. Let ``P`` of
    the ``n`` patients be positive and ``r`` be ``min_recall``. The number ``K`` of positive
    patients whose scores are so low that the recall at them is at least ``r`` has a binomial
    distribution with ``P`` and ``1 - r`` (ties raise it), and the recall is too low only if
    ``k(X) > K``. The sample is drawn without regard to scores, so given ``P`` the number ``X`` is
    hypergeometric and independent of ``K``, and the probability is::

        sum over x of Hypergeometric(x; n, P, m) * P(Binomial(P, 1 - r) <= k(x) - 1)

    ``k(x)`` is the rank for ``L(x)`` positive patients, ``L`` being a lower confidence bound of
    ``P``. If the latter has a risk ``d2`` and the rank ``d1``, the sum is at most ``d1 + d2``,
    whatever the sample. To divide the risk in this way wastes much of it: here ``d1`` is the whole
    risk, and ``d2`` is the greatest for which the sum is at most ``1 - confidence`` for each ``P``
    from 0 to ``n``. If .05 is allowed, the sum is then between .038 and .05 for most ``P``. The
    images read upwards are given by the scores and ``k(X)``; that reading stops at the ``k(X)``-th
    positive patient adds no bias, in contrast to rules that stop when an estimate of recall is high
    enough [3]_. If more than 2,000 patients follow the pilot, the first 2,000 are used.

    **Random sample.** Patients are read in random order until a number of them, fixed after the
    pilot, is positive. Their scores are independent and have the distribution of all positive
    patients, since the stop depends on labels alone, so the rank is that for a sample of this
    number. Reading upwards meets every true negative below the threshold; a random sample needs
    fewer labels in a large pool or where few patients are positive.

    **Labels.** Of a patient of a sample, images are read from the lowest score upwards until one is
    positive; upwards, only images below the threshold are read. So the images of a patient may
    have different labels: the lowest-scoring positive one counts. Where the reader is unsure (None,
    NaN or NA), the image counts as negative in the number of positive patients of a sample, which
    lowers ranks or prolongs the sample, and as positive where scores are ranked. The threshold is
    then at most the one that true labels give: whatever makes readers unsure, the guarantee stays,
    and specificity pays. Other errors of labels are not accounted for.

    **Too few positive patients.** 59 are needed for a recall of .95 with a confidence of .95. If
    the pool has fewer, `record` warns, the threshold is the lowest score of a positive patient,
    and ``recall_lower_bound_`` is what n patients certify: ``(1 - confidence) ** (1 / n)``.

    **When it does not hold.** For patients unlike those of the pool, for a pool of selected
    patients, if patients repeat under several names, and for those with more images than in the
    pool, since a patient is a true positive only if all positive images are.

    Stopping rules for the same problem in document retrieval [1]_ and in screening of literature
    [2]_ certify that a proportion of the positive items of a pool is found. Here the pool is a
    sample, and the recall of new patients is certified.

    References
    ----------
    .. [1] Lewis, Yang & Frieder, "Certifying one-phase technology-assisted reviews", CIKM 2021,
       893-902.
    .. [2] Callaghan & Müller-Hansen, "Statistical stopping criteria for automated screening in
       systematic reviews", Systematic Reviews 9 (2020), 273.
    .. [3] Webber, Bagdouri, Lewis & Oard, "Sequential testing in classifier evaluation yields
       biased estimates of effectiveness", SIGIR 2013, 933-936.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skpneumo.sites import RecallCertifier
    >>> X, y = make_classification(1500, class_sep=1.5, random_state=0)
    >>> model = LogisticRegression().fit(X[:500], y[:500])
    >>> pool, truth = X[500:], y[500:]
    >>> certifier = RecallCertifier(FrozenEstimator(model), random_state=0).fit(pool)
    >>> while not certifier.finished_:
    ...     rows = certifier.next_images(20)
    ...     certifier = certifier.record(rows, truth[rows])
    >>> certifier.recall_lower_bound_
    0.95
    >>> certifier.n_labelled_ < 0.6 * len(pool)
    True
    >>> certifier.classifier_.predict(pool).shape
    (1000,)
    """

    unit_: Unit

    _parameter_constraints = {
        "estimator": [HasMethods([name]) for name in RESPONSES],
        "min_recall": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        min_recall: float = 0.95,
        confidence: float = 0.95,
        random_state: RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.min_recall = min_recall
        self.confidence = confidence
        self.random_state = random_state

    def fit(self, X: Any, y: None = None, *, groups: ArrayLike | None = None) -> Self:
        """Score the pool, and draw the order of the patients.

        Parameters
        ----------
        X : array-like of shape (n_images, ...)
            What the estimator takes. It is not kept.
        y : None
            For the API of scikit-learn; labels are recorded later.
        groups : array-like of shape (n_images,), default=None
            The patient of each image; None if each image is a patient.

        Returns
        -------
        self
        """
        self._validate_params()
        check_is_fitted(self.estimator)
        scores = positive_scores(self.estimator, X)
        patients = check_groups(groups, scores)
        refuse_labels(y)
        rng = check_random_state(self.random_state)
        self.unit_ = "image" if patients is None else "patient"
        patients = np.arange(len(scores)) if patients is None else patients
        self.pool_ = Pool(scores, patients, rng.permutation(patients.max() + 1))
        # Parameters that are set later must not change what is certified.
        # The draw comes from the scores: with a seed alone, all pools of a size would share it.
        draw = draw_by_order(min_score_per_patient(scores, patients))
        self._target = Target(self.min_recall, self.confidence, draw)
        self.fingerprints_ = get_fingerprints(self.estimator, X, patients)
        self._progress = Progress(None, [], None)
        self._labels = np.full(len(scores), UNREAD)
        self._requested = np.zeros(len(scores), dtype=bool)
        self._proceed()
        return self

    def next_images(self, n: int = 20) -> np.ndarray:
        """Return the rows of the images to be read next.

        Parameters
        ----------
        n : int, default=20
            Number of images, at most. A plan may end within them: then up to ``n - 1`` labels are
            not needed.

        Returns
        -------
        ndarray of int
            Rows of ``X`` of `fit`; empty if finished. The same ones until they are recorded.
        """
        check_is_fitted(self, "pool_")
        if not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be a whole number of 1 or more, got {n!r}.")
        rows = np.array(self._progress.unread[:n], dtype=int)
        self._requested[rows] = True
        return rows

    def record(self, rows: ArrayLike, y: ArrayLike) -> Self:
        """Take labels of images.

        Parameters
        ----------
        rows : array-like of int of shape (n,)
            Some of the rows that `next_images` returned, in any order.
        y : array-like of shape (n,)
            Their labels, of `classes_`; None, NaN or NA where the reader is unsure. The label of
            such an image may be recorded later, while its plan is not finished.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a row was not returned by `next_images`, a label is none of `classes_`, or an image
            has two labels. Then none of the labels is taken.

        Warns
        -----
        UserWarning
            Once finished, if there are too few positive patients to certify ``min_recall``.
        """
        check_is_fitted(self, "pool_")
        rows, found = check_recorded(rows, y, self.classes_, self._requested, self._labels)
        if self.finished_:
            return self
        self._labels[rows] = found
        self._proceed()
        if self.finished_ and self.recall_lower_bound_ < self._target.min_recall:
            text = describe_shortfall(self._progress.conclusion, self.unit_, *self._target[:2])
            warnings.warn(text, UserWarning, stacklevel=2)
        return self

    def reset(self) -> Self:
        """Forget all labels, so that corrected ones can be recorded.

        The order of the images stays, and all labels have to be recorded again: the result is that
        of the corrected labels from the start.

        Returns
        -------
        self
        """
        check_is_fitted(self, "pool_")
        self._progress = Progress(None, [], None)
        self._labels = np.full(len(self._labels), UNREAD)
        self._proceed()
        return self

    def _proceed(self):
        self._progress = advance(self.pool_, self._labels, self._progress.plan, self._target)

    def save(self, path: PathLike) -> None:
        """Write the state: scores, patients as numbers, the plan, and the labels received.

        Parameters
        ----------
        path : str or path
            The file, JSON. It holds no image, no model and no name of a patient.
        """
        check_is_fitted(self)
        write_state(get_state(self), path)

    @classmethod
    def load(
        cls, path: PathLike, estimator: BaseEstimator, X: Any, *, groups: ArrayLike | None = None
    ) -> Self:
        """Read a state that `save` wrote, to go on with it.

        Parameters
        ----------
        path : str or path
            The file.
        estimator : classifier
            The model that the certifier was fitted with.
        X : array-like of shape (n_images, ...)
            The pool that it was fitted to, in the same order; it is compared, and not scored again.
        groups : array-like of shape (n_images,), default=None
            The patient of each image, as in `fit`.

        Returns
        -------
        RecallCertifier
            With ``random_state=None``: the order of the patients is drawn already.

        Raises
        ------
        ValueError
            If the file is no state of a certifier, or one of another model or pool.
        """
        check_is_fitted(estimator)
        n_images = _num_samples(X)
        patients = check_groups(groups, np.empty(n_images))
        patients = np.arange(n_images) if patients is None else patients
        state = read_state(path, get_fingerprints(estimator, X, patients))
        certifier = cls(estimator, min_recall=state["min_recall"], confidence=state["confidence"])
        set_state(certifier, state, patients)
        certifier._proceed()
        return certifier
