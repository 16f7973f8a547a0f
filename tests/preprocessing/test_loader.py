import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skpneumo.images import XRaySequence
from skpneumo.preprocessing import XRayAugmenter, XRayLoader, XRayResizer

PATHS = [f"nowhere/{i}.jpeg" for i in range(5)]
TRANSFORMERS = [XRayLoader(), XRayResizer((9, 12), aspect="pad"), XRayAugmenter(random_state=0)]
each_transformer = pytest.mark.parametrize(
    "transformer", TRANSFORMERS, ids=lambda one: type(one).__name__
)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(5, 13, 10), dtype=np.uint8)


@pytest.mark.parametrize("paths", [PATHS, np.array(PATHS), [Path(path) for path in PATHS]])
def test_paths_become_a_sequence_and_nothing_is_read(paths):
    sequence = XRayLoader().fit_transform(paths)
    assert isinstance(sequence, XRaySequence)
    assert sequence.paths.tolist() == [str(Path(path)) for path in PATHS]


def test_images_and_sequences_pass_through(images):
    assert XRayLoader().fit_transform(images) is images
    np.testing.assert_array_equal(XRayLoader().fit_transform(images / 255), images)
    sequence = XRaySequence(PATHS, size=(5, 4))
    assert XRayLoader().fit_transform(sequence) is sequence


@each_transformer
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        ("a.jpeg", "Got one path"),
        ([], r"0 sample\(s\)"),
        (np.zeros((3, 4)), "wrong shape"),
        (np.full((2, 3, 4), np.nan), "NaN"),
        (np.zeros((2, 3, 4), int), "wrong dtype"),
    ],
)
def test_what_is_no_xray_is_refused(transformer, method, X, message):
    with pytest.raises(ValueError, match=message):
        getattr(clone(transformer), method)(X)


@each_transformer
def test_fit_returns_self_and_learns_nothing(transformer, images):
    transformer = clone(transformer)
    before = vars(transformer).copy()
    assert transformer.fit(images, y=[0, 1, 1, 1, 1]) is transformer
    assert transformer.fit(PATHS) is transformer
    assert vars(transformer) == before


@each_transformer
def test_it_need_not_be_fitted(transformer, images):
    transformer = clone(transformer)
    check_is_fitted(transformer)
    expected = clone(transformer).fit(images).transform(images)
    np.testing.assert_array_equal(transformer.transform(images), expected)


@each_transformer
def test_tags_declare_images(transformer):
    tags = get_tags(transformer)
    assert not tags.requires_fit
    assert not tags.target_tags.required
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert tags.input_tags.one_d_array
    assert tags.input_tags.string
    assert tags.transformer_tags.preserves_dtype == ["uint8"]


@each_transformer
def test_clones_and_pickles(transformer, images):
    copies = [clone(transformer), pickle.loads(pickle.dumps(transformer))]
    for copy in copies:
        assert copy.get_params() == transformer.get_params()
        np.testing.assert_array_equal(copy.fit_transform(images), transformer.fit_transform(images))
    assert type(transformer).__name__ in repr(make_pipeline(transformer))


@each_transformer
def test_html(transformer, estimator_html):
    assert type(transformer).__name__ in estimator_html(transformer)


@each_transformer
def test_parameters_have_constraints(transformer):
    assert transformer.get_params().keys() == transformer._parameter_constraints.keys()


@each_transformer
@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_images_are_no_data_frames(transformer, images, output):
    assert not hasattr(transformer, "set_output")
    expected = clone(transformer).fit_transform(images)
    with config_context(transform_output=output):
        changed = clone(transformer).fit_transform(images)
        assert isinstance(clone(transformer).fit_transform(PATHS), XRaySequence)
    assert type(changed) is np.ndarray
    np.testing.assert_array_equal(changed, expected)


@each_transformer
def test_lists_of_images_become_arrays(transformer, images):
    transformer = clone(transformer)
    np.testing.assert_array_equal(
        transformer.fit_transform(list(images)),
        clone(transformer).fit_transform(images),
    )


@each_transformer
def test_the_input_is_not_changed(transformer, images):
    before = images.copy()
    images.flags.writeable = False
    transformer.fit_transform(images)
    transformer.transform(images)
    np.testing.assert_array_equal(images, before)


def test_a_pipeline_stays_lazy():
    pipe = make_pipeline(*TRANSFORMERS)
    for sequence in (pipe.fit_transform(PATHS), pipe.transform(PATHS)):
        assert isinstance(sequence, XRaySequence)
        assert sequence.size == (9, 12)
        assert sequence.paths.tolist() == PATHS
