"""Whether the scores of a site are a mixture of the two reference distributions.

If only the prevalence differs, the scores of a site are distributed as a mixture of those of the
negative and the positive patients of the reference. Scores are counted in bins, and the distance of
the counts from the nearest mixture is that of minimum chi-square with an estimated reference, as in
Hansen's test of overidentifying restrictions:

    J(p) = d(p)' V(p)^-1 d(p),  d(p) = q - (1 - p) q0 - p q1,
    V(p) = (diag(m) - m m') / n + (1 - p)^2 V0 + p^2 V1,  m = (1 - p) q0 + p q1,

with q the proportions of the site in all bins but the last, q0 and q1 those of the reference, and
V0 and V1 the covariances of the latter: the reference is a sample too.
"""

from typing import NamedTuple

import numpy as np

from skpneumo.sites._resampling import resample_sums

PREVALENCES = np.linspace(0, 1, 101)
_MAX_BINS = 16
_MIN_PER_BIN = 6
_N_RESAMPLES = 2000
# Confidence level of the prevalences over which the p-value is the greatest (Berger & Boos).
_OUTSIDE = 0.0001
MIN_P_VALUE = 1 / (1 + _N_RESAMPLES) + _OUTSIDE


class Reference(NamedTuple):
    """Counts of reference scores by bin, of each class."""

    edges: np.ndarray
    """Limits between the bins."""
    counts: tuple
    """For the negative and the positive class: an array of shape (n_patients, n_bins)."""

    @property
    def proportions(self):
        """Proportions of the bins in each class, of shape (2, n_bins)."""
        return np.array([count.sum(axis=0) / count.sum() for count in self.counts])


class MixtureFit(NamedTuple):
    """The nearest mixture."""

    prevalence: float
    standard_error: float
    distance: float
    p_value: float


def bin_reference(y_true, y_score, patient, n_site):
    """Count the reference scores in bins.

    Parameters
    ----------
    y_true : ndarray of shape (n,), dtype bool
        Whether an image is positive.
    y_score : ndarray of shape (n,)
        Scores.
    patient : ndarray of shape (n,)
        The patient of each image.
    n_site : int
        Number of scores of the site, which limits the number of bins.

    Returns
    -------
    Reference

    Raises
    ------
    ValueError
        If the scores of both classes are the same, so that every prevalence fits.
    """
    n_bins = int(np.clip(n_site // _MIN_PER_BIN, 3, _MAX_BINS))
    levels = np.linspace(0, 1, n_bins + 1)[1:-1]
    # Quantiles of both classes in equal parts, so that either has bins of its own.
    weight = np.where(y_true, 1 / y_true.sum(), 1 / (~y_true).sum())
    order = np.argsort(y_score, kind="stable")
    reached = np.cumsum(weight[order]) / 2
    edges = np.unique(y_score[order][np.searchsorted(reached, levels - 1e-12)])
    counts = tuple(
        _count_by_patient(y_score[rows], patient[rows], edges) for rows in (~y_true, y_true)
    )
    reference = Reference(edges, counts)
    if np.allclose(*reference.proportions):
        raise ValueError(
            "The reference scores of positive and negative images are equal, so that they do not "
            "show a prevalence. Fit a model whose scores differ."
        )
    return reference


def _count_by_patient(scores, patient, edges):
    _, number = np.unique(patient, return_inverse=True)
    counts = np.zeros((number.max() + 1, len(edges) + 1))
    np.add.at(counts, (number, np.searchsorted(edges, scores, side="right")), 1)
    return counts


def fit_mixture(scores, reference, rng):
    """Fit the nearest mixture to the scores of a site, and test whether they are one.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores of the site, taken to be independent.
    reference : Reference
        Counts of the reference scores.
    rng : numpy.random.Generator
        For the resampling.

    Returns
    -------
    MixtureFit
        The p-value is the greatest of those at the estimated prevalence and at both ends of the
        plausible ones, after [1]_, each by resampling the site from the mixture and the reference
        by patients.

    References
    ----------
    .. [1] Berger & Boos, "P values maximized over a confidence set for the nuisance parameter",
       Journal of the American Statistical Association 89 (1994), 1012-1016.
    """
    n = len(scores)
    weights = _weights(reference, n)
    bins = np.searchsorted(reference.edges, scores, side="right")
    found = np.bincount(bins, minlength=len(reference.edges) + 1) / n
    distances = _distances(found[None], reference.proportions[:, None], weights)[0]
    best = int(distances.argmin())
    # From chi-square with one degree of freedom at a level of _OUTSIDE.
    plausible = np.flatnonzero(distances <= distances[best] + 15.14)
    p_values, errors = zip(
        *(
            _resample(PREVALENCES[i], distances[best], n, reference, weights, rng)
            for i in dict.fromkeys((best, plausible[0], plausible[-1]))
        ),
        strict=True,
    )
    p_value = min(1.0, float(max(p_values)) + _OUTSIDE)
    return MixtureFit(float(PREVALENCES[best]), errors[0], float(distances[best]), p_value)


def _weights(reference, n):
    """Inverse of V(p) at each prevalence, of shape (n_prevalences, n_bins - 1, n_bins - 1)."""
    negative, positive = reference.proportions
    covariances = [_covariance(count) for count in reference.counts]
    inverses = []
    for p in PREVALENCES:
        mixture = (1 - p) * negative + p * positive
        sampling = (np.diag(mixture) - np.outer(mixture, mixture))[:-1, :-1] / n
        total = sampling + (1 - p) ** 2 * covariances[0] + p**2 * covariances[1]
        # A bin that is empty in the mixture has no variance, and must not weigh infinitely.
        inverses.append(np.linalg.inv(total + np.eye(len(total)) * 0.1 / n**2))
    return np.array(inverses)


def _covariance(counts):
    """Covariance of the proportions of all bins but the last, by patients."""
    residual = counts - counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    return (residual.T @ residual)[:-1, :-1] / counts.sum() ** 2


def _distances(found, proportions, weights):
    """J of each sample, of shape (n_samples, n_prevalences)."""
    p = PREVALENCES[:, None]
    negative, positive = proportions[..., None, :-1]
    difference = found[:, None, :-1] - (1 - p) * negative - p * positive
    return np.einsum("spi,pij,spj->sp", difference, weights, difference, optimize=True)


def _resample(prevalence, distance, n, reference, weights, rng):
    """P-value of a distance if this is the prevalence, and standard error of its estimate."""
    negative, positive = reference.proportions
    mixture = (1 - prevalence) * negative + prevalence * positive
    sites = rng.multinomial(n, mixture, size=_N_RESAMPLES) / n
    proportions = np.array([_resample_proportions(count, rng) for count in reference.counts])
    distances = _distances(sites, proportions, weights)
    estimates = PREVALENCES[distances.argmin(axis=1)]
    n_reached = np.sum(distances.min(axis=1) >= distance)
    return (1 + n_reached) / (1 + _N_RESAMPLES), float(estimates.std())


def _resample_proportions(counts, rng):
    drawn = resample_sums(counts, _N_RESAMPLES, rng)
    return drawn / drawn.sum(axis=1, keepdims=True)
