"""imbalanced-learn's checks of samplers, made of XRayOverSampler; see test_estimator_checks.py.

They feed tables. Each that imbalanced-learn would make is run as it is where it needs none, has a
version on X-rays (the tests that `stand_for` it), or has a reason in `EXEMPT`.
"""

from collections import Counter

import numpy as np
import pytest
from imblearn.base import is_sampler
from imblearn.utils import estimator_checks
from sklearn.preprocessing import label_binarize
from sklearn.utils import get_tags
from sklearn.utils.multiclass import type_of_target

from skpneumo.datasets import make_xrays
from skpneumo.images import XRaySequence
from skpneumo.preprocessing import XRayOverSampler

COLUMNS = "Images have no columns; the check itself passes over samplers that take no tables."
EXEMPT = {
    "check_dataframe_column_names_consistency": COLUMNS,
    "check_sampler_get_feature_names_out": COLUMNS,
    "check_sampler_get_feature_names_out_pandas": COLUMNS,
}

# imbalanced-learn makes these of its own samplers only.
OF_ITS_OWN = {"check_dataframe_column_names_consistency", "check_param_validation"}

covered = set()


def stands_for(*checks):
    """Mark a test as the X-ray version of these checks."""
    covered.update(checks)
    return lambda test: test


def test_every_check_has_its_place():
    pairs = estimator_checks.estimator_checks_generator(XRayOverSampler())
    made = {check.func.__name__ for _, check in pairs} | OF_ITS_OWN
    assert covered & EXEMPT.keys() == set(), "a check has two places"
    assert made - covered - EXEMPT.keys() == set(), "checks without a place"
    assert covered | EXEMPT.keys() == made, "places without a check"
    assert all(hasattr(estimator_checks, check) for check in OF_ITS_OWN)


@stands_for("check_param_validation")
def test_as_it_is():
    """It fails before it looks at its table."""
    estimator_checks.check_param_validation("XRayOverSampler", XRayOverSampler())


def test_imbalanced_learn_takes_it_for_a_sampler():
    """The tags decide which checks are made."""
    tags = get_tags(XRayOverSampler())
    assert is_sampler(XRayOverSampler())
    assert not tags.input_tags.sparse
    assert not tags.input_tags.dataframe
    assert not tags.input_tags.allow_nan
    assert tags.input_tags.string


@pytest.fixture
def sampler():
    return XRayOverSampler(random_state=0)


@pytest.fixture(scope="module")
def xrays():
    """20 images that are not square, of 3, 6 and 11 children with another finding each."""
    return make_xrays(20, image_size=(40, 36), random_state=0).images


@pytest.fixture
def X(xrays):
    return xrays.copy()


@pytest.fixture
def y():
    return np.repeat([0, 1, 2], [3, 6, 11])


@stands_for("check_samplers_fit")
def test_fit_counts_the_repeats(sampler, X, y):
    assert not hasattr(sampler, "sampling_strategy_")
    assert sampler.fit(X, y) is sampler
    assert sampler.sampling_strategy_ == {0: 8, 1: 5}


@stands_for("check_samplers_fit_resample")
def test_classes_become_equal(sampler, X, y):
    X_more, y_more = sampler.fit_resample(X, y)
    assert Counter(y_more.tolist()) == {0: 11, 1: 11, 2: 11}
    assert len(X_more) == 33


@stands_for("check_samplers_sampling_strategy_fit_resample")
def test_a_class_that_is_not_named_stays(sampler, X, y):
    sampler.set_params(sampling_strategy={0: 10, 2: 13})
    X_more, y_more = sampler.fit_resample(X, y)
    assert Counter(y_more.tolist()) == {0: 10, 1: 6, 2: 13}
    assert len(X_more) == 29


@stands_for("check_samplers_sample_indices")
def test_sample_indices_follow_the_tag(sampler, X, y):
    assert get_tags(sampler).sampler_tags.sample_indices
    y_more = sampler.fit_resample(X, y)[1]
    np.testing.assert_array_equal(y_more, y[sampler.sample_indices_])


@stands_for("check_samplers_preserve_dtype")
def test_dtypes_are_kept(sampler, X, y):
    X_more, y_more = sampler.fit_resample(X, y.astype(np.int32))
    assert X_more.dtype == np.uint8
    assert y_more.dtype == np.int32


@stands_for("check_samplers_list")
def test_lists(sampler, X, y):
    """A list of labels comes back as one; a list of images as an array, which takes less memory."""
    X_more, y_more = sampler.fit_resample(X, y)
    for images in (list(X), (X / 255).tolist()):
        X_list, y_list = sampler.fit_resample(images, y.tolist())
        assert isinstance(X_list, np.ndarray)
        assert isinstance(y_list, list)
        np.testing.assert_array_equal(X_list, X_more)
        np.testing.assert_array_equal(y_list, y_more)


@stands_for("check_samplers_string")
def test_strings_are_paths_and_stay_unread(sampler, y):
    paths = np.array([f"nowhere/{i}.png" for i in range(len(y))])
    sequence, y_more = sampler.fit_resample(paths.astype(object), y)
    assert isinstance(sequence, XRaySequence)
    assert len(sequence) == len(y_more) == 33
    assert sequence.paths.tolist() == paths[sampler.sample_indices_].tolist()


@stands_for("check_samplers_multiclass_ova")
def test_one_column_per_class_is_the_same(sampler, X, y):
    X_more, y_more = sampler.fit_resample(X, y)
    columns = label_binarize(y, classes=[0, 1, 2])
    X_columns, y_columns = sampler.fit_resample(X, columns)
    np.testing.assert_array_equal(X_columns, X_more)
    np.testing.assert_array_equal(y_columns.argmax(axis=1), y_more)
    assert type_of_target(y_columns) == type_of_target(columns)


@stands_for("check_samplers_2d_target")
def test_one_column_of_labels_is_the_same(sampler, X, y):
    X_more, y_more = sampler.fit_resample(X, y)
    X_column, y_column = sampler.fit_resample(X, y[:, None])
    np.testing.assert_array_equal(X_column, X_more)
    np.testing.assert_array_equal(np.ravel(y_column), y_more)


@stands_for("check_samplers_one_label")
def test_one_class_is_refused(sampler, X):
    for method in (sampler.fit, sampler.fit_resample):
        with pytest.raises(ValueError, match="class"):
            method(X, np.zeros(20))


@stands_for("check_target_type")
def test_targets_that_are_no_classes_are_refused(sampler, X):
    with pytest.raises(ValueError, match="Unknown label type"):
        sampler.fit_resample(X, np.linspace(0, 1, 20))
    labels = np.random.default_rng(0).integers(0, 2, size=(20, 3))
    with pytest.raises(ValueError, match="Multilabel and multioutput targets are not supported"):
        sampler.fit_resample(X, labels)
