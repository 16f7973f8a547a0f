"""`check_site` and `PrevalenceThresholdClassifier` on another site, at home, and on shifted copies.

    python tests/benchmarks sites [--no-copies]

Of the packaged CNN and the reference that it carries. The other site is the folder new_site
in SKPNEUMO_TEST_DATA, on which nothing is trained and no network or threshold that is shipped is
chosen. Home are out-of-fold scores of its training data, of patients who are taken out of the
reference. Shifted copies are those of `_shifts.py`, of `chest_xray/test`. ± is a standard error.
"""

import copy
import sys
import warnings

import numpy as np
from _measure import machine
from _shifts import N_SEVERITIES, SHIFTS, shift
from _xrays import load_images, load_new_site
from sklearn.frozen import FrozenEstimator
from sklearn.utils import Bunch

from skpneumo import load_pretrained
from skpneumo.exceptions import OutlierWarning
from skpneumo.sites import PrevalenceThresholdClassifier, check_scores

N_DRAWS = 200
PREVALENCES = (0.3, 0.4, 0.5, 0.7, 0.8, 0.9)


def rate(found):
    """Proportion and its standard error, as text."""
    p = np.mean(found)
    return f"{100 * p:.1f} % ± {100 * np.sqrt(p * (1 - p) / len(found)):.1f}"


def check_draws(model, scores, groups, n, rng):
    """Shifts found in random parts of the images."""
    shifts = []
    for _ in range(N_DRAWS):
        rows = rng.choice(len(scores), n, replace=False)
        shifts.append(check_scores(model, scores[rows], groups=_take(groups, rows)).shift)
    return np.array(shifts)


def _take(groups, rows):
    return None if groups is None else groups[rows]


def split_reference(point, rng):
    """The model with two thirds of the patients of its reference, and the others."""
    reference = point.reference_
    patients = rng.permutation(np.unique(reference.patient))
    is_out = np.isin(reference.patient, patients[: len(patients) // 3])
    model = copy.copy(point)
    model.reference_ = Bunch(**{name: values[~is_out] for name, values in reference.items()})
    return model, Bunch(**{name: values[is_out] for name, values in reference.items()})


def check_home(point, n, rng, by_patient, prevalence=None):
    """Shifts found in images of patients who are not in the reference."""
    shifts = []
    for _ in range(N_DRAWS):
        model, out = split_reference(point, rng)
        if prevalence is None:
            rows = rng.choice(len(out.y_true), n, replace=False)
        else:
            rows = _draw_patients(out, n, prevalence, rng)
        groups = out.patient[rows] if by_patient else None
        shifts.append(check_scores(model, out.y_score[rows], groups=groups).shift)
    return np.array(shifts)


def _draw_patients(out, n, prevalence, rng):
    """Rows of one image each of different patients, so many of them positive."""
    parts = []
    for label, n_class in ((True, round(n * prevalence)), (False, n - round(n * prevalence))):
        rows = rng.permutation(np.flatnonzero(out.y_true == label))
        _, first = np.unique(out.patient[rows], return_index=True)
        parts.append(rng.choice(rows[first], n_class, replace=False))
    return np.concatenate(parts)


def report_new_site(model, scores, groups, rng):
    """Print how often the other site is found."""
    print("population differs, found in random images of new_site:")
    for n in (200, 100):
        for name, patients in (("groups", groups), ("without groups", None)):
            found = check_draws(model, scores, patients, n, rng) == "population"
            print(f"  {n} images, {name}: {rate(found)}", flush=True)


def report_home(point, rng):
    """Print how often home is found to differ, as it is and at other prevalences."""
    print("home, out of fold, 200 images:")
    for by_patient in (True, False):
        shifts = check_home(point, 200, rng, by_patient)
        kinds = ", ".join(f"{kind} {rate(shifts == kind)}" for kind in ("population", "prevalence"))
        print(f"  {'groups' if by_patient else 'without groups'}: {kinds}", flush=True)
    home = np.array([check_home(point, 200, rng, True, p) for p in PREVALENCES])
    for prevalence, shifts in zip(PREVALENCES, home, strict=True):
        print(
            f"  200 patients at a prevalence of {prevalence}: prevalence "
            f"{rate(shifts == 'prevalence')}, population {rate(shifts == 'population')}",
            flush=True,
        )


def report_specificity(model, site):
    """Print the error of the expected specificity where there is one."""
    X, y, data = load_images()
    test = data.split == "test"
    X, y, groups = X[test], y[test].astype(bool), data.groups[test]
    threshold = model[-1].best_threshold_
    errors, n_copies, missed = [], 0, []
    for kind in SHIFTS:
        for severity in range(N_SEVERITIES):
            scores = model[-1].predict_proba(shift(X, kind, severity))[:, 1]
            check = check_scores(model, scores, groups=groups)
            specificity = np.mean(scores[~y] < threshold)
            n_copies += 1
            if check.shift == "population":
                missed.append(specificity)
            else:
                errors.append(check.expected_specificity - specificity)
    print(
        f"expected specificity over {n_copies} shifted copies: given for {len(errors)}, mean "
        f"absolute error {np.mean(np.abs(errors)):.3f}, greatest {np.max(np.abs(errors)):.3f}; "
        f"not given for the others, whose specificity is {np.min(missed):.2f} to "
        f"{np.max(missed):.2f} (median {np.median(missed):.2f})",
        flush=True,
    )
    X, y, groups, scores = site
    check = check_scores(model, scores, groups=groups)
    print(f"  on new_site: {check.shift}, {check.expected_specificity}", flush=True)


def report_prevalence(model, site):
    """Print recall and specificity of thresholds by the prevalence of the site."""
    X, y, _, scores = site
    print("PrevalenceThresholdClassifier on new_site, images:")
    true = y.mean()
    for prevalence in (true, true - 0.05, true + 0.05, (true - 0.05, true + 0.05)):
        local = PrevalenceThresholdClassifier(FrozenEstimator(model), prevalence=prevalence).fit(X)
        positive = scores >= local.best_threshold_
        recall, specificity = positive[y].mean(), 1 - positive[~y].mean()
        ranges = (local.expected_recall_range_, local.expected_specificity_range_)
        (low, high), (least, most) = ranges
        print(
            f"  prevalence {np.round(prevalence, 3)}: recall {recall:.3f} (expected {low:.3f} to "
            f"{high:.3f}), specificity {specificity:.3f} ({least:.3f} to {most:.3f})",
            flush=True,
        )


def main():
    """Print all figures."""
    warnings.simplefilter("ignore", OutlierWarning)
    print(machine())
    model, rng = load_pretrained("cnn"), np.random.default_rng(0)
    X, scores, y, groups = load_new_site(model)
    report_new_site(model, scores, groups, rng)
    report_home(model[-1], rng)
    report_prevalence(model, (X, y, groups, scores))
    if "--no-copies" not in sys.argv:
        report_specificity(model, (X, y, groups, scores))


if __name__ == "__main__":
    main()
