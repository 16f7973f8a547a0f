"""scikit-learn's estimator checks, over every public estimator.

scikit-learn feeds its checks with tables and skips them all for estimators of images, which looks
like success. Here each check that it would make of an estimator is run as it is where it needs no
data (`AS_THEY_ARE`), has a version on X-rays (the tests that `stand_for` it), or has a reason in
`EXEMPT`. A check that a later scikit-learn adds fails the suite until it has its place. What is
made of classifiers alone is in test_estimator_checks_of_classifiers.py.
"""

import importlib
import pickle
import pkgutil
from contextlib import nullcontext
from copy import deepcopy
from functools import cache
from inspect import signature

import joblib
import numpy as np
import pytest
import sklearn
from imblearn.pipeline import make_pipeline
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import check_is_fitted

import skpneumo
from skpneumo import clear_cache, preprocessing
from skpneumo.classifiers import CNNPneumoniaClassifier, InceptionPneumoniaClassifier
from skpneumo.datasets import make_xrays
from skpneumo.images import resize_xrays
from skpneumo.model_selection import (
    FoldMeanClassifier,
    LogOddsMeanClassifier,
    OperatingPointClassifierCV,
)
from skpneumo.sites import (
    CertifiedClassifier,
    PrevalenceThresholdClassifier,
    RecallCertifier,
    RecallMonitor,
    TriageClassifierCV,
)

CNN = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, random_state=0)
INCEPTION = InceptionPneumoniaClassifier(weights=None, trainable="head", epochs=1, random_state=0)
LOADER = preprocessing.XRayLoader()
RESIZER = preprocessing.XRayResizer((9, 12))
AUGMENTER = preprocessing.XRayAugmenter(random_state=0)
DETECTOR = preprocessing.XRayOutlierDetector(contamination=0)
SAMPLER = preprocessing.XRayOverSampler(random_state=0)

CLASSIFIERS = [CNN, INCEPTION]
STATELESS = [LOADER, RESIZER, AUGMENTER]
TRANSFORMERS = [*STATELESS, DETECTOR]
ESTIMATORS = [*CLASSIFIERS, *TRANSFORMERS, SAMPLER]

# They need no data, or end before they look at them. Those of n_iter look for a parameter that
# none has, and would fail on their tables if one had it.
AS_THEY_ARE = {
    "check_do_not_raise_errors_in_init_or_set_params": ESTIMATORS,
    "check_estimator_cloneable": ESTIMATORS,
    "check_estimator_repr": ESTIMATORS,
    "check_estimator_tags_renamed": [*TRANSFORMERS, SAMPLER],
    "check_get_params_invariance": ESTIMATORS,
    "check_mixin_order": [*TRANSFORMERS, SAMPLER],
    "check_no_attributes_set_in_init": ESTIMATORS,
    "check_param_validation": ESTIMATORS,
    "check_parameters_default_constructible": ESTIMATORS,
    "check_set_params": ESTIMATORS,
    "check_valid_tag_types": ESTIMATORS,
    "check_estimators_unfitted": [*CLASSIFIERS, DETECTOR, SAMPLER],
    "check_transformer_n_iter": TRANSFORMERS,
    "check_transformers_unfitted": [DETECTOR],
}

COLUMNS = [
    "check_dataframe_column_names_consistency",
    "check_get_feature_names_out_error",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]

# scikit-learn makes these of its own estimators only.
OF_ITS_OWN = {"check_inplace_ensure_writeable", "check_param_validation", *COLUMNS}

# Older versions make these of no such estimator.
SINCE = {"check_array_api_input": "1.9"}

# Both look at scikeras's own classes, which a subclass cannot reorder; the tags they are about
# are ours, see test_estimator_checks_of_classifiers.py.
SCIKERAS = {
    "check_estimator_tags_renamed": "scikeras defines _more_tags, which nobody asks any more.",
    "check_mixin_order": "scikeras has ClassifierMixin behind BaseEstimator.",
}

EXEMPT = {
    CNN: SCIKERAS,
    INCEPTION: SCIKERAS
    | dict.fromkeys(
        [
            "check_array_api_input",
            "check_estimators_dtypes",
            "check_estimators_overwrite_params",
            "check_estimators_pickle",
            "check_f_contiguous_array_estimator",
            "check_fit_idempotent",
            "check_fit_score_takes_y",
            "check_inplace_ensure_writeable",
            "check_methods_subset_invariance",
            "check_pipeline_consistency",
            "check_readonly_memmap_input",
        ],
        "InceptionV3 takes 5 s to build and train, and seconds to copy: one fit serves all of "
        "its other checks. What these look at is code that it shares with the CNN.",
    ),
    AUGMENTER: {
        "check_transformer_general": "fit_transform changes the images and transform leaves them "
        "as they are, on purpose; scikit-learn's TargetEncoder is the precedent.",
    },
    SAMPLER: dict.fromkeys(
        [
            "check_dict_unchanged",
            "check_methods_sample_order_invariance",
            "check_methods_subset_invariance",
        ],
        "It has no method that takes images without labels, such as predict or transform.",
    ),
}

covered = {estimator: set() for estimator in ESTIMATORS}


def name_of(estimator):
    return type(estimator).__name__


def stands_for(*checks, estimators=ESTIMATORS):
    """Parametrize a test, the X-ray version of these checks, by those not exempt from them."""
    takers = [one for one in estimators if not {*checks} & {*EXEMPT.get(one, ())}]
    for estimator in takers:
        covered[estimator].update(checks)
    return pytest.mark.parametrize("original", takers, ids=name_of)


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
    since = parse_version(SINCE.get(check, "0"))
    return check not in OF_ITS_OWN and parse_version(sklearn.__version__) >= since


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=name_of)
def test_every_check_has_its_place(estimator):
    made = made_of(estimator)
    if estimator in CLASSIFIERS:
        made &= made_of(LOADER) | made_of(SAMPLER)
    as_it_is = {check for check, takers in AS_THEY_ARE.items() if estimator in takers}
    places = [as_it_is, covered[estimator], {*EXEMPT.get(estimator, ())}]
    known = set().union(*places)
    assert sum(map(len, places)) == len(known), "a check has two places"
    assert made - known == set(), "checks without a place"
    assert set(filter(is_made, known)) - made == set(), "places without a check"


def test_the_other_checks_exist():
    assert all(hasattr(estimator_checks, check) for check in OF_ITS_OWN)


def test_every_public_estimator_is_checked():
    found = [module.name for module in pkgutil.walk_packages(skpneumo.__path__, "skpneumo.")]
    modules = [skpneumo, *(importlib.import_module(name) for name in found if "._" not in name)]
    public = [getattr(one, name) for one in modules for name in getattr(one, "__all__", ())]
    classes = {one for one in public if isinstance(one, type) and issubclass(one, BaseEstimator)}
    # Operating points take tables: see model_selection/test_operating_point.py, and for triage
    # sites/test_triage.py.
    operating_points = {
        OperatingPointClassifierCV,
        FoldMeanClassifier,
        LogOddsMeanClassifier,
        TriageClassifierCV,
    }
    # Their labels are recorded, or they have none: see the tests of each in sites.
    of_sites = {
        CertifiedClassifier,
        PrevalenceThresholdClassifier,
        RecallCertifier,
        RecallMonitor,
    }
    assert classes == {*map(type, ESTIMATORS), *operating_points, *of_sites}


@pytest.mark.parametrize(
    ("check", "estimator"),
    [(check, estimator) for check, takers in AS_THEY_ARE.items() for estimator in takers],
    ids=lambda value: value if isinstance(value, str) else name_of(value),
)
def test_as_it_is(check, estimator):
    if not hasattr(estimator_checks, check):
        pytest.skip(f"scikit-learn {sklearn.__version__} has no {check}")
    getattr(estimator_checks, check)(name_of(estimator), clone(estimator))


@cache
def xrays(original):
    """24 images that are not square, the negative ones first, and their labels."""
    image_size = (75, 80) if original is INCEPTION else (40, 36)
    data = make_xrays(24, image_size=image_size, prevalence=0.7, random_state=0)
    order = np.argsort(data.target, kind="stable")
    return data.images[order], data.target[order]


@cache
def fit_once(original):
    return clone(original).fit(*xrays(original))


@pytest.fixture
def X(original):
    return xrays(original)[0].copy()


@pytest.fixture
def y(original):
    return xrays(original)[1].copy()


@pytest.fixture
def estimator(original):
    return clone(original)


@pytest.fixture
def fitted(original):
    """Fitted. Tests share it, so they leave it as it is."""
    return fit_once(original)


def answers(estimator, X, y, names=("predict", "predict_proba", "transform", "fit_transform")):
    """What a fitted estimator makes of images, by method."""
    found = {}
    for name in names:
        if hasattr(estimator, name):
            caller = deepcopy(estimator) if name == "fit_transform" else estimator
            found[name] = getattr(caller, name)(X)
    if hasattr(estimator, "fit_resample"):
        found["fit_resample"] = estimator.fit_resample(X, y)[0]
    return found


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[name], values, atol=1e-6)
        else:
            np.testing.assert_array_equal(found[name], values)


def assert_refused(estimator, methods, message, *data):
    for name in methods:
        if hasattr(estimator, name):
            with pytest.raises(ValueError, match=message):
                getattr(estimator, name)(*data)


FITS = ["fit", "partial_fit", "fit_transform", "fit_resample"]


# -- fit and predict --------------------------------------------------------------------------


@stands_for(
    "check_estimators_fit_returns_self",
    "check_dont_overwrite_parameters",
    "check_fit_check_is_fitted",
)
def test_fit(estimator, X, y):
    before = dict(vars(estimator))
    with pytest.raises(NotFittedError) if get_tags(estimator).requires_fit else nullcontext():
        check_is_fitted(estimator)
    assert estimator.fit(X, y) is estimator
    check_is_fitted(estimator)
    public = {name for name in vars(estimator) if name[0] != "_" and name[-1] != "_"}
    assert public <= before.keys()
    assert all(vars(estimator)[name] is before[name] for name in public)


@stands_for("check_fit_score_takes_y")
def test_labels_are_the_second_argument(estimator, X, y):
    for name in [*FITS, "score"]:
        if hasattr(estimator, name):
            method = getattr(estimator, name)
            method(X, y)
            assert list(signature(method).parameters)[1] == "y"


@stands_for("check_estimators_overwrite_params")
def test_parameters_are_not_changed_in_place(estimator, X, y):
    changeable = {
        "filters": [2, 4],
        "image_size": [32, 30],
        "size": [9, 12],
        "class_weight": {"NORMAL": 1, "PNEUMONIA": 2},
        "augmentation": preprocessing.XRayAugmenter(random_state=0),
    }
    names = estimator.get_params(deep=False)
    estimator.set_params(**{name: changeable[name] for name in names if name in changeable})
    before = deepcopy(estimator.get_params(deep=False))
    estimator.fit(X, y)
    assert joblib.hash(estimator.get_params(deep=False)) == joblib.hash(before)


@stands_for("check_fit_idempotent")
def test_fitting_again_changes_nothing(estimator, X, y):
    expected = answers(estimator.fit(X, y), X, y)
    clear_cache(disk=False)
    assert_same(answers(estimator.fit(X, y), X, y), expected)


@stands_for("check_dict_unchanged")
def test_predictions_change_nothing(fitted, X, y):
    before = dict(vars(fitted))
    answers(fitted, X, y)
    assert vars(fitted) == before


@stands_for("check_estimators_pickle")
def test_pickles_answer_alike(fitted, X, y, tmp_path):
    expected = answers(fitted, X, y)
    joblib.dump(fitted, tmp_path / "fitted")
    mapped = joblib.load(tmp_path / "fitted", mmap_mode="r")
    for copy in (pickle.loads(pickle.dumps(fitted)), mapped):
        clear_cache(disk=False)
        assert_same(answers(copy, X, y), expected)


@stands_for("check_pipeline_consistency")
def test_a_pipeline_does_the_same(estimator, fitted, X, y):
    pipe = make_pipeline(estimator).fit(X, y)
    assert_same(answers(pipe, X, y), answers(fitted, X, y))
    if hasattr(fitted, "score"):
        assert pipe.score(X, y) == fitted.score(X, y)


@stands_for("check_methods_sample_order_invariance")
def test_the_order_of_images_does_not_matter(fitted, X, y):
    names = ["predict", "predict_proba", "transform"]
    order = np.random.default_rng(0).permutation(len(X))
    expected = {name: found[order] for name, found in answers(fitted, X, y, names).items()}
    assert_same(answers(fitted, X[order], y, names), expected)


@stands_for("check_methods_subset_invariance")
def test_images_are_looked_at_one_by_one(fitted, X, y):
    names = ["predict", "predict_proba", "transform"]
    singly = [answers(fitted, X[i : i + 1], y, names) for i in range(5)]
    found = {name: np.concatenate([one[name] for one in singly]) for name in singly[0]}
    assert_same(found, answers(fitted, X[:5], y, names))


# -- images -----------------------------------------------------------------------------------


@stands_for("check_estimators_dtypes")
def test_floats_stand_for_bytes(estimator, fitted, X, y):
    expected = answers(fitted, X, y)
    for dtype in (np.float32, np.float64):
        scaled = ((X - np.minimum(X, 0.3)) / 255).astype(dtype)  # rounded, not cut off
        assert_same(answers(clone(estimator).fit(scaled, y), scaled, y), expected)


@stands_for(
    "check_readonly_memmap_input",
    "check_inplace_ensure_writeable",
    "check_f_contiguous_array_estimator",
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_read_only_images_in_any_order_of_memory(estimator, fitted, X, y, order, tmp_path):
    expected = answers(fitted, X, y)
    clear_cache(disk=False)
    joblib.dump((np.asarray(X, order=order), y), tmp_path / "xrays")
    mapped = joblib.load(tmp_path / "xrays", mmap_mode="r")
    assert_same(answers(estimator.fit(*mapped), *mapped), expected)


@stands_for("check_array_api_input")
def test_array_api_dispatch_changes_nothing(estimator, fitted, X, y, monkeypatch):
    expected = answers(fitted, X, y)
    clear_cache(disk=False)
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    with config_context(array_api_dispatch=True):
        assert_same(answers(estimator.fit(X, y), X, y), expected)
        assert not hasattr(estimator, "score") or isinstance(estimator.score(X, y), float)


@stands_for(
    "check_complex_data",
    "check_dtype_object",
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
    "check_estimators_nan_inf",
    "check_fit1d",
    "check_fit2d_predict1d",
)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(lambda X: X + 1j, "complex", id="complex"),
        pytest.param(lambda X: X.astype(object), "dtype object", id="object"),
        pytest.param(lambda X: X.astype(int), "wrong dtype", id="int"),
        pytest.param(lambda X: np.where(X > 9, X / 255, np.nan), "NaN or infinity", id="nan"),
        pytest.param(lambda X: np.where(X > 9, X / 255, np.inf), "NaN or infinity", id="inf"),
        pytest.param(lambda X: X[:, 0, 0], "wrong shape", id="1-D"),
        pytest.param(lambda X: X[0], "wrong shape", id="one image"),
        pytest.param(lambda X: sparse.csr_array(X[:, 0]), "[Ss]parse", id="sparse array"),
        pytest.param(lambda X: sparse.csc_matrix(X[:, 0]), "[Ss]parse", id="sparse matrix"),
    ],
)
def test_what_is_no_xray_is_refused(estimator, fitted, X, y, spoil, message):
    spoiled = spoil(X)
    assert_refused(estimator, FITS, message, spoiled, y)
    assert_refused(fitted, ["predict", "predict_proba", "transform"], message, spoiled)
    assert_refused(fitted, ["score"], message, spoiled, y)


@stands_for("check_estimators_empty_data_messages")
def test_emptiness_is_refused(estimator, X, y):
    assert_refused(estimator, FITS, r"0 sample\(s\)", X[:0], y[:0])
    assert_refused(estimator, FITS, "without pixels", X[:, :0], y)


@stands_for(
    "check_estimator_sparse_tag", "check_fit_non_negative", "check_positive_only_tag_during_fit"
)
def test_tags_name_the_accepted_images(estimator, X, y):
    tags = get_tags(estimator).input_tags
    assert tags.one_d_array  # of paths
    assert tags.string
    assert tags.three_d_array
    assert not tags.two_d_array
    assert not tags.sparse
    assert_refused(estimator, FITS, "outside", X / -255, y)
    assert tags.positive_only


@stands_for("check_fit2d_1sample", "check_fit2d_1feature")
def test_one_image_or_one_pixel(original, estimator, X, y):
    learns, few = get_tags(estimator).requires_fit, r"1 class|one class|n_samples=1"
    with pytest.raises(ValueError, match=few) if learns else nullcontext():
        estimator.fit(X[:1], y[:1])
    too_small = original is INCEPTION
    with pytest.raises(ValueError, match="at least 75") if too_small else nullcontext():
        estimator.fit(X[:, :1, :1], y)


# A part of an image is unlike the others.
@pytest.mark.filterwarnings("ignore:.*out of distribution")
@stands_for("check_n_features_in", "check_n_features_in_after_fitting")
def test_images_have_a_size_and_no_features(estimator, fitted, X, y):
    assert not hasattr(estimator, "image_size_")
    assert not hasattr(fitted, "n_features_in_")
    others = X[:, 3:, 2:]
    found = answers(fitted, others, y)
    if hasattr(fitted, "predict"):  # the network has a size, and what has another is resized
        assert fitted.image_size_ == X.shape[1:]
        assert_same(found, answers(fitted, resize_xrays(others, X.shape[1:]), y))


@stands_for(*COLUMNS)
def test_images_are_no_columns(estimator, fitted):
    assert not hasattr(estimator, "set_output")
    if hasattr(estimator, "get_feature_names_out"):  # of imbalanced-learn's base
        with pytest.raises(NotFittedError):
            fitted.get_feature_names_out()
    table = pytest.importorskip("pandas").DataFrame(np.zeros((3, 4)))
    assert_refused(estimator, FITS, "wrong shape", table, [0, 1, 1])


@stands_for("check_requires_y_none", estimators=[*CLASSIFIERS, SAMPLER])
def test_labels_are_required(estimator, X):
    assert get_tags(estimator).target_tags.required
    message = r"the target y is None|array-like .*, got None|y should be a 1d array"
    assert_refused(estimator, FITS, message, X, None)


class NotAnArray:
    """Can be made an array, and nothing else."""

    def __init__(self, data):
        self.data = np.asarray(data)

    def __array__(self, dtype=None, copy=None):
        return self.data


@stands_for("check_transformer_data_not_an_array", estimators=TRANSFORMERS)
def test_lists_are_images_too(estimator, X, y):
    expected = answers(clone(estimator).fit(X, y), X, y)
    for given in (list(X), (X / 255).tolist(), NotAnArray(X)):
        assert_same(answers(clone(estimator).fit(given, y), given, y), expected)


@stands_for("check_transformer_preserve_dtypes", estimators=TRANSFORMERS)
def test_images_come_out_as_bytes(fitted, X, y):
    assert get_tags(fitted).transformer_tags.preserves_dtype == ["uint8"]
    for given in (X, X / 255):
        assert {found.dtype.name for found in answers(fitted, given, y).values()} == {"uint8"}


@stands_for("check_transformer_general", estimators=TRANSFORMERS)
def test_fit_transform_is_fit_and_transform(estimator, fitted, X, y):
    np.testing.assert_array_equal(estimator.fit_transform(X, y), fitted.transform(X))


@stands_for("check_transformers_unfitted_stateless", estimators=STATELESS)
def test_transform_needs_no_fit(estimator, fitted, X):
    np.testing.assert_array_equal(estimator.transform(X), fitted.transform(X))
