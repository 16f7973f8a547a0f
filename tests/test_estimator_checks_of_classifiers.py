"""The checks that scikit-learn makes of classifiers alone; see test_estimator_checks.py.

Each is run as it is where it needs no data, has a version on X-rays (the tests that `stand_for`
it), or has a reason in `EXEMPT`.
"""

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.fixes import parse_version

from skpneumo import clear_cache
from skpneumo.classifiers import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.preprocessing import XRayLoader, XRayOverSampler

CNN = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, batch_size=16, random_state=0)
INCEPTION = InceptionPneumoniaClassifier(weights=None, random_state=0)
CLASSIFIERS = [CNN, INCEPTION]

# They look for parameters and methods that no classifier here has (max_iter, decision_function),
# and would fail on their tables if one had them.
AS_THEY_ARE = ["check_decision_proba_consistency", "check_non_transformer_estimators_n_iter"]

# Checks that older versions do not have.
SINCE = {"check_all_zero_sample_weights_error": "1.9"}

EXEMPT = {
    INCEPTION: dict.fromkeys(
        [
            "check_class_weight_classifiers",
            "check_classifier_data_not_an_array",
            "check_classifiers_classes",
            "check_classifiers_train",
            "check_estimators_partial_fit_n_features",
            "check_sample_weight_equivalence_on_dense_data",
            "check_sample_weights_list",
            "check_sample_weights_not_an_array",
            "check_sample_weights_not_overwritten",
            "check_sample_weights_pandas_series",
            "check_supervised_y_2d",
        ],
        "Each needs a fit of its own, and InceptionV3 takes 5 s to build and train. What they "
        "look at is code that it shares with the CNN.",
    )
}

covered = {classifier: set(AS_THEY_ARE) for classifier in CLASSIFIERS}


def name_of(classifier):
    return type(classifier).__name__


def stands_for(*checks):
    """Parametrize a test, the X-ray version of these checks, by those not exempt from them."""
    takers = [one for one in CLASSIFIERS if not {*checks} & {*EXEMPT.get(one, ())}]
    for classifier in takers:
        covered[classifier].update(checks)
    return pytest.mark.parametrize("classifier", takers, ids=name_of, indirect=True)


def made_of(estimator):
    """Names of the checks that scikit-learn would make of an estimator if it took tables."""

    class AsTable(type(estimator)):
        def __sklearn_tags__(self):
            tags = super().__sklearn_tags__()
            tags.input_tags.two_d_array = True
            return tags

    table = AsTable(**estimator.get_params(deep=False))
    pairs = estimator_checks.estimator_checks_generator(table, legacy=True)
    return {check.func.__name__ for _, check in pairs}


def is_made(check):
    return parse_version(sklearn.__version__) >= parse_version(SINCE.get(check, "0"))


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=name_of)
def test_every_check_has_its_place(classifier):
    made = made_of(classifier) - made_of(XRayLoader()) - made_of(XRayOverSampler())
    exempt = {*EXEMPT.get(classifier, ())}
    assert covered[classifier] & exempt == set(), "a check has two places"
    known = covered[classifier] | exempt
    assert made - known == set(), "checks without a place"
    assert set(filter(is_made, known)) - made == set(), "places without a check"


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=name_of)
@pytest.mark.parametrize("check", AS_THEY_ARE)
def test_as_it_is(classifier, check):
    getattr(estimator_checks, check)(name_of(classifier), clone(classifier))


@pytest.mark.parametrize("classifier", CLASSIFIERS, ids=name_of)
def test_scikit_learn_takes_it_for_a_classifier_of_two_classes(classifier):
    assert is_classifier(classifier)
    tags = get_tags(classifier)
    assert not tags.classifier_tags.multi_class
    assert not tags.classifier_tags.multi_label
    assert not tags.target_tags.multi_output


@pytest.fixture(scope="module")
def xrays():
    data = make_xrays(24, image_size=(40, 36), prevalence=0.7, random_state=0)
    order = np.argsort(data.target, kind="stable")
    return data.images[order], data.target[order]


@pytest.fixture
def classifier(request):
    return clone(request.param)


@pytest.fixture
def X(xrays):
    """24 images that are not square, the negative ones first."""
    return xrays[0].copy()


@pytest.fixture
def y(xrays):
    return xrays[1].copy()


@pytest.fixture
def weights():
    return np.linspace(0.5, 2, 24)


class NotAnArray:
    """Can be made an array, and nothing else."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def __array__(self, dtype=None, copy=None):
        return self.data


def assert_refused(classifier, message, X, y, **options):
    for method in (classifier.fit, classifier.partial_fit):
        with pytest.raises(ValueError, match=message):
            method(X, y, **options)


# -- labels -----------------------------------------------------------------------------------


@stands_for("check_classifiers_train")
def test_it_learns(classifier, X, y):
    X[y == "PNEUMONIA", 8:24, 6:20] = 255  # an opacity that nobody overlooks
    # Without augmentation, so that few images and epochs are enough whatever the seed.
    classifier.set_params(filters=(4, 8), epochs=30, batch_size=8, learning_rate=0.05)
    classifier.set_params(augmentation=None)
    classifier.fit(X, y)
    assert classifier.score(X, y) > 0.83
    probability = classifier.predict_proba(X)
    assert probability.shape == (24, 2)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-6)
    predicted = classifier.predict(X)
    np.testing.assert_array_equal(predicted, classifier.classes_[probability.argmax(axis=1)])
    assert set(predicted) == set(y)
    assert_refused(classifier, "inconsistent numbers of samples", X, y[:-1])


@stands_for("check_classifiers_classes")
@pytest.mark.parametrize(
    "labels",
    [[-1, 1], [0, 1], [False, True], np.array(["negative", "positive"], dtype=object)],
    ids=["-1/1", "0/1", "bool", "object"],
)
def test_labels_of_any_kind(classifier, X, y, labels):
    expected = clone(classifier).fit(X, y).predict_proba(X)
    labels = np.asarray(labels)
    clear_cache(disk=False)
    classifier.fit(X, labels[(y == "PNEUMONIA").astype(int)])
    np.testing.assert_array_equal(classifier.classes_, labels)
    np.testing.assert_allclose(classifier.predict_proba(X), expected, atol=1e-6)
    classifier.set_params(threshold=float(np.median(expected[:, 1])))
    predicted = classifier.predict(X)
    assert predicted.dtype == classifier.classes_.dtype == labels.dtype
    assert set(predicted) == set(labels)


@stands_for("check_classifiers_one_label")
def test_one_class_is_refused(classifier, X, y):
    assert_refused(classifier, "one class", X[10:], y[10:])


@stands_for("check_classifier_not_supporting_multiclass")
def test_three_classes_are_refused(classifier, X):
    assert_refused(classifier, r"Only binary classification is supported\.", X, np.arange(24) % 3)


@stands_for("check_classifiers_regression_target")
def test_a_continuous_target_is_refused(classifier, X):
    assert_refused(classifier, r"Unknown label type|continuous", X, np.linspace(0, 1, 24))


@stands_for("check_supervised_y_no_nan")
@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_no_label_may_be_missing(classifier, X, y, missing):
    numbers = (y == "PNEUMONIA").astype(float)
    numbers[3] = missing
    assert_refused(classifier, r"y contains (NaN|infinity)", X, numbers)


@stands_for("check_supervised_y_no_nan")
@pytest.mark.parametrize("missing", [np.nan, None])
def test_no_label_may_be_missing_among_strings(classifier, X, y, missing):
    y = y.astype(object)
    y[3] = missing
    assert_refused(classifier, r"NaN|None|missing", X, y)


@stands_for("check_supervised_y_2d")
def test_a_column_of_labels_is_taken_with_a_warning(classifier, X, y):
    expected = clone(classifier).fit(X, y).predict_proba(X)
    clear_cache(disk=False)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        classifier.fit(X, y[:, None])
    np.testing.assert_allclose(classifier.predict_proba(X), expected, atol=1e-6)


@stands_for("check_classifier_data_not_an_array")
def test_lists_are_images_and_labels_too(classifier, X, y):
    expected = clone(classifier).fit(X, y).predict_proba(X)
    clear_cache(disk=False)
    pd = pytest.importorskip("pandas")
    for images, labels in [
        (list(X), y.tolist()),
        ((X / 255).tolist(), pd.Series(y, index=range(100, 124))),
        (NotAnArray(X), NotAnArray(y)),
    ]:
        found = clone(classifier).fit(images, labels).predict_proba(images)
        np.testing.assert_allclose(found, expected, atol=1e-6)


@stands_for("check_estimators_partial_fit_n_features")
def test_partial_fit_resizes_to_the_first_size(classifier, X, y):
    classifier.partial_fit(X, y).partial_fit(X[:, 3:, 2:], y)
    assert classifier.image_size_ == X.shape[1:]
    with pytest.raises(ValueError, match="wrong shape"):
        classifier.partial_fit(X[:, 0], y)


# -- weights ----------------------------------------------------------------------------------


@stands_for(
    "check_sample_weights_list",
    "check_sample_weights_not_an_array",
    "check_sample_weights_not_overwritten",
    "check_sample_weights_pandas_series",
)
def test_weights_may_be_any_array_like_and_are_not_changed(classifier, X, y, weights):
    classifier.set_params(class_weight={"NORMAL": 3})
    pd = pytest.importorskip("pandas")
    single = weights.astype(np.float32)
    expected = clone(classifier).fit(X, y, sample_weight=single).predict_proba(X)
    np.testing.assert_array_equal(single, weights.astype(np.float32))
    assert not np.allclose(expected, clone(classifier).fit(X, y).predict_proba(X), atol=1e-6)
    for given in (weights.tolist(), NotAnArray(weights), pd.Series(weights, range(100, 124))):
        classifier.fit(X, y, sample_weight=given)
        np.testing.assert_allclose(classifier.predict_proba(X), expected, atol=1e-6)


@stands_for("check_sample_weight_equivalence_on_dense_data")
def test_images_without_weight_are_left_out(classifier, X, y, weights):
    """Twice the weight is not the image twice: that would be another order of other batches."""
    weights[::3] = 0
    kept = weights > 0
    expected = clone(classifier).fit(X[kept], y[kept], sample_weight=weights[kept])
    found = classifier.fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(found.predict_proba(X), expected.predict_proba(X), atol=1e-6)


@stands_for("check_all_zero_sample_weights_error")
def test_weights_that_are_all_zero_are_refused(classifier, X, y):
    assert_refused(classifier, r"(?i)weight.*zero|zero.*weight", X, y, sample_weight=np.zeros(24))


@stands_for("check_sample_weights_shape")
@pytest.mark.parametrize("shape", [(23,), (48,), (24, 2)])
def test_weights_of_another_shape_are_refused(classifier, X, y, shape):
    assert_refused(classifier, r"(?i)sample.weight", X, y, sample_weight=np.ones(shape))


@stands_for("check_classifiers_one_label_sample_weights")
def test_a_class_without_weight_is_refused(classifier, X, y):
    only_one = (y == "NORMAL").astype(float)
    assert_refused(classifier, r"\bclass(es)?\b", X, y, sample_weight=only_one)


@stands_for("check_class_weight_classifiers")
@pytest.mark.parametrize("favoured", ["NORMAL", "PNEUMONIA"])
def test_class_weights_decide(classifier, X, y, favoured):
    class_weight = {"NORMAL": 1e-4, "PNEUMONIA": 1e-4} | {favoured: 1000}
    classifier.set_params(class_weight=class_weight, epochs=5, batch_size=8, learning_rate=0.05)
    assert np.mean(classifier.fit(X, y).predict(X) == favoured) > 0.87
