"""Whether both certificates of `TriageClassifierCV` hold, and how many images are to be read.

    python tests/benchmarks sites_triage

Of the packaged CNN on the images of another hospital: the folder new_site in
SKPNEUMO_TEST_DATA, of 74 patients with pneumonia and 109 without. Half of them certify a recall and
a specificity of .90 (35 patients of each class are needed), not the defaults of .98 and .95 (182
and 72).

The other half of a split is a sample of 37 and 55 patients, and even a model whose recall is .90
exactly shows less in about half of such samples. So what is certified is judged on populations: the
patients of the folder, from whom samples are drawn with replacement, and the same with noise in
their log odds, so that no two patients are equal.
"""

import numpy as np
from _xrays import load_new_site
from scipy.special import logit
from scipy.stats import beta, norm

from skpneumo import load_pretrained
from skpneumo._utils.bounds import min_scores_per_class
from skpneumo.sites._triage_thresholds import choose_triage_point

CONFIDENCE = 0.95
N_SPLITS, N_SAMPLES = 200, 2000
# Standard deviation of the noise: log odds of the negative patients range from -8 to 9.
NOISE = 0.5


def patient_scores():
    """Log odds by which each negative and each positive patient of the folder counts."""
    _, scores, y_true, groups = load_new_site(load_pretrained("cnn"))
    log_odds = logit(np.clip(scores.astype(np.float64), 1e-7, 1 - 1e-7))
    positive, negative = min_scores_per_class(y_true, log_odds, groups)
    return -negative, positive


def choose(negative, positive, min_recall, min_specificity):
    """Thresholds by the scores of patients of one class each, as the estimator chooses them."""
    return choose_triage_point(
        np.repeat([False, True], [len(negative), len(positive)]),
        np.concatenate([negative, positive]),
        None,
        min_recall=min_recall,
        min_specificity=min_specificity,
        confidence=(np.sqrt(CONFIDENCE), CONFIDENCE),
    )


def halves(scores, rng):
    """Random halves of the patients of a class."""
    order = rng.permutation(scores)
    return order[: len(order) // 2], order[len(order) // 2 :]


def split_rows(negative, positive, rng, required=0.9):
    """Certified on one half, seen on the other."""
    reached, contradicted, to_read, ruled_out = [], [], [], []
    for _ in range(N_SPLITS):
        (negative_in, negative_out), (positive_in, positive_out) = (
            halves(scores, rng) for scores in (negative, positive)
        )
        point = choose(negative_in, positive_in, required, required)
        errors = (positive_out < point.rule_out), (negative_out >= point.rule_in)
        reached.append(all(1 - wrong.mean() >= required for wrong in errors))
        contradicted.append(any(upper_bound(wrong) < required for wrong in errors))
        every = np.concatenate([negative_out, positive_out])
        to_read.append(np.mean((every >= point.rule_out) & (every < point.rule_in)))
        ruled_out.append(errors[0].sum())
    low, median, high = np.quantile(to_read, [0.1, 0.5, 0.9])
    print(
        f"{N_SPLITS} splits, recall and specificity {required:g}: both at least that on the other "
        f"half in {100 * np.mean(reached):.1f} %, contradicted by it (5 % each) in "
        f"{100 * np.mean(contradicted):.1f} %; to be read there {100 * median:.0f} % (10 to 90 %: "
        f"{100 * low:.0f} to {100 * high:.0f}); with pneumonia and ruled out, of "
        f"{len(positive_out)}: mean {np.mean(ruled_out):.2f}, at most {max(ruled_out)}",
        flush=True,
    )


def upper_bound(wrong):
    """Upper bound of the proportion that is right, with 95 % confidence."""
    n_right, n = np.sum(~wrong), len(wrong)
    return 1.0 if n_right == n else beta.ppf(0.95, n_right + 1, n - n_right)


def population_rows(negative, positive, rng):
    """Samples from a population whose recall and specificity are known."""
    for noise in (0, NOISE):
        for required, sizes in (((0.9, 0.9), (55, 37)), ((0.98, 0.95), (150, 250))):
            held, bounded, to_read = [], [], []
            for _ in range(N_SAMPLES):
                sample = [
                    rng.choice(scores, n) + rng.normal(0, noise, n)
                    for scores, n in zip((negative, positive), sizes, strict=True)
                ]
                point = choose(*sample, *required)
                recall = at_least(point.rule_out, positive, noise)
                held.append(
                    recall >= required[0]
                    and 1 - at_least(point.rule_in, negative, noise) >= required[1]
                )
                between = np.array(
                    [
                        at_least(point.rule_out, scores, noise)
                        - at_least(point.rule_in, scores, noise)
                        for scores in (negative, positive)
                    ]
                )
                bounded.append((between <= point.to_read_by_class_upper_bound + 1e-12).all())
                to_read.append(between)
            error = np.sqrt(np.mean(held) * (1 - np.mean(held)) / N_SAMPLES)
            of_negative, of_positive = np.median(to_read, axis=0)
            print(
                f"{sizes[1]} positive and {sizes[0]} negative patients, recall {required[0]:g} and "
                f"specificity {required[1]:g}, noise {noise:g}: both hold in "
                f"{100 * np.mean(held):.1f} % ± {100 * error:.1f}; to be read: "
                f"{100 * of_negative:.0f} % of the negative and {100 * of_positive:.0f} % of the "
                f"positive patients, below both bounds in {100 * np.mean(bounded):.1f} %",
                flush=True,
            )


def at_least(threshold, scores, noise):
    """Proportion of the population that scores at least a threshold."""
    if not noise:
        return np.mean(scores >= threshold)
    return norm.sf((threshold - scores) / noise).mean()


if __name__ == "__main__":
    patients = patient_scores()
    generator = np.random.default_rng(0)
    split_rows(*patients, generator)
    population_rows(*patients, generator)
