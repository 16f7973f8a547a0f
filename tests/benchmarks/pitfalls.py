"""What common mistakes cost, with a logistic regression and nearest neighbours on 32 x 32 pixels.

    python tests/benchmarks/pitfalls.py

Each row is one mistake of the page "Common pitfalls" of the user guide: what it reports, and what
is true. Quick models make the repetitions possible; they stand for the networks in everything but
their accuracy. The X-rays are those of `chest_xray/train` and `val`, and of `new_site`, another
hospital.
"""

import warnings

import numpy as np
from _xrays import load_other_data, load_training_images
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    fbeta_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpneumo import XRayResizer
from skpneumo.metrics import specificity_score

N_REPEATS = 20
MIN_RECALL = 0.95


def flatten(images):
    """Pixels as features."""
    return np.asarray(XRayResizer((32, 32)).fit_transform(images)).reshape(len(images), -1) / 255


def make_linear(**params):
    """A logistic regression on standardized pixels."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=2000, **params))


def describe(name, wrong, right):
    """One row."""
    print(f"| {name} | {wrong} | {right} |", flush=True)


def measure_unshuffled_folds(X, y):
    """Folds of a folder that is sorted by class."""
    order = np.argsort(y, kind="stable")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recalls = [
            recall_score(y[order][test], model.predict(X[order][test]), zero_division=np.nan)
            for train, test in KFold(3).split(X)
            if len(np.unique(y[order][train])) == 2
            for model in [make_linear().fit(X[order][train], y[order][train])]
        ]
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    right = cross_val_score(make_linear(), X, y, cv=cv, scoring="recall").mean()
    cells = ", ".join(f"{recall:.2f}" for recall in recalls)
    describe("unshuffled folds of sorted files: recall of each", cells, f"{right:.2f}")


def measure_patients_on_both_sides(X, y, groups):
    """Nearest neighbours find the other image of the patient."""
    model = KNeighborsClassifier(1)
    names, n_images = np.unique(groups, return_counts=True)
    several = np.isin(groups, names[n_images > 2])
    for name, rows in (("all patients", slice(None)), ("patients with 3 or more images", several)):
        part = X[rows], y[rows]
        wrong = cross_val_score(
            model, *part, cv=StratifiedKFold(5, shuffle=True, random_state=0), scoring="accuracy"
        )
        right = cross_val_score(
            model,
            *part,
            groups=groups[rows],
            cv=StratifiedGroupKFold(5, shuffle=True, random_state=0),
            scoring="accuracy",
        )
        describe(
            f"patients on both sides, {name}: accuracy of the nearest neighbour",
            f"{wrong.mean():.3f}",
            f"{right.mean():.3f}",
        )


def measure_resampling(X, y, groups):
    """Copies of a minority image on both sides."""
    model, cv = KNeighborsClassifier(1), StratifiedKFold(5, shuffle=True, random_state=0)
    X_more, y_more = RandomOverSampler(random_state=0).fit_resample(X, y)
    wrong = cross_val_predict(model, X_more, y_more, cv=cv)
    inside = make_sampling_pipeline(RandomOverSampler(random_state=0), model)
    right = cross_val_predict(
        inside, X, y, groups=groups, cv=StratifiedGroupKFold(5, shuffle=True, random_state=0)
    )
    describe(
        "resampling before the split: specificity of the nearest neighbour",
        f"{specificity_score(y_more, wrong):.3f}",
        f"{specificity_score(y, right):.3f}",
    )


def measure_class_weights(X, y, groups):
    """ "balanced" where the positive class is the majority."""
    cv = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    cells = []
    for weight in ("balanced", None, {0: 1, 1: 2}):
        predicted = cross_val_predict(make_linear(class_weight=weight), X, y, groups=groups, cv=cv)
        cells.append(f"{recall_score(y, predicted):.3f} / {specificity_score(y, predicted):.3f}")
    describe('"balanced": recall / specificity', cells[0], f"none {cells[1]}, 1 : 2 {cells[2]}")


def measure_trivial_scores(y):
    """Everyone predicted positive."""
    everyone = np.ones_like(y)
    describe(
        "recall, F2 and accuracy without a floor: predicting everyone positive",
        f"{recall_score(y, everyone):.2f}, {fbeta_score(y, everyone, beta=2):.2f}, "
        f"{accuracy_score(y, everyone):.2f}",
        f"specificity {specificity_score(y, everyone):.2f}, balanced accuracy "
        f"{balanced_accuracy_score(y, everyone):.2f}",
    )


def choose_threshold(y, scores):
    """Highest threshold with the recall on this sample."""
    return np.quantile(scores[y == 1], 1 - MIN_RECALL, method="lower")


def measure_threshold_on_the_test_set(X, y, groups, n_images):
    """The threshold of the recall, chosen on the test set itself and on other images."""
    rng = np.random.default_rng(0)
    recalls = []
    for _ in range(N_REPEATS):
        order = rng.permutation(len(y))
        learn, test, truth = np.split(order, [1000, 1000 + n_images])
        scores = make_linear().fit(X[learn], y[learn]).predict_proba(X)[:, 1]
        threshold = choose_threshold(y[test], scores[test])
        recalls.append(recall_score(y[truth], scores[truth] >= threshold))
    below = np.mean(np.array(recalls) < MIN_RECALL)
    describe(
        f"threshold of recall {MIN_RECALL} chosen on {n_images} test images: recall",
        f"{MIN_RECALL:.2f} in all of {N_REPEATS}",
        f"below it in {below:.0%}, down to {min(recalls):.3f}",
    )


def measure_checkpoints(X, y):
    """The best of many equal models by the test set."""
    rng = np.random.default_rng(0)
    reported, true = [], []
    for _ in range(N_REPEATS):
        order = rng.permutation(len(y))
        test, truth, pool = order[:150], order[150:2150], order[2150:]
        accuracy = []
        for seed in range(30):
            learn, _ = train_test_split(pool, train_size=150, random_state=seed, stratify=y[pool])
            model = make_linear().fit(X[learn], y[learn])
            accuracy.append([model.score(X[rows], y[rows]) for rows in (test, truth)])
        best = max(accuracy)
        reported.append(best[0])
        true.append(best[1])
    describe(
        "best of 30 checkpoints by 150 test images: accuracy",
        f"{np.mean(reported):.3f}",
        f"{np.mean(true):.3f}",
    )


def measure_other_site(X, y, groups, X_other, y_other):
    """Cross-validation, and the truth elsewhere."""
    cv = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(make_linear(), X, y, groups=groups, cv=cv, method="predict_proba")[
        :, 1
    ]
    threshold = choose_threshold(y, scores)
    elsewhere = make_linear().fit(X, y).predict_proba(X_other)[:, 1]
    describe(
        "cross-validation for another hospital: AUC; specificity at the same threshold",
        f"{roc_auc_score(y, scores):.3f}; {specificity_score(y, scores >= threshold):.3f}",
        f"{roc_auc_score(y_other, elsewhere):.3f}; "
        f"{specificity_score(y_other, elsewhere >= threshold):.3f}",
    )
    oracle = choose_threshold(y_other, elsewhere)
    describe(
        "oracle threshold elsewhere: recall / specificity",
        f"{recall_score(y_other, elsewhere >= oracle):.3f} / "
        f"{specificity_score(y_other, elsewhere >= oracle):.3f}",
        f"with the threshold of home {recall_score(y_other, elsewhere >= threshold):.3f} / "
        f"{specificity_score(y_other, elsewhere >= threshold):.3f}",
    )


def main():
    """Print the table."""
    X, y, groups = load_training_images((32, 32))
    X_other, y_other, _ = load_other_data()
    X, X_other = flatten(X), flatten(X_other)
    print("| mistake | reported | true |\n| --- | --- | --- |")
    measure_trivial_scores(y)
    measure_class_weights(X, y, groups)
    measure_unshuffled_folds(X, y)
    measure_patients_on_both_sides(X, y, groups)
    measure_resampling(X, y, groups)
    for n_images in (100, 400):
        measure_threshold_on_the_test_set(X, y, groups, n_images)
    measure_checkpoints(X, y)
    measure_other_site(X, y, groups, X_other, y_other)


main()
