"""The model and the baseline on the test split."""

from collections import Counter

import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skpneumo import OperatingPointClassifierCV, XRayLoader, XRayResizer
from skpneumo.cli._training._baseline import make_baseline
from skpneumo.cli._training._test_split import evaluate_both
from skpneumo.images._files import read_files

SIZE = (36, 40)


@pytest.mark.parametrize("certified", [False, True])
def test_each_classifier_decodes_a_test_image_once(
    data, make_tiny_classifier, monkeypatch, certified
):
    train, decoded = data.train, Counter()
    model = make_pipeline(XRayLoader(), XRayResizer(SIZE), make_tiny_classifier())
    if certified:
        options = {"min_recall": 0.5, "confidence": 0.5, "cv": 2, "refit": False}
        model = OperatingPointClassifierCV(clone(model), **options)
        model.fit(train.X, train.y, groups=train.groups)
    else:
        model.fit(train.X, train.y)
    baseline = make_baseline().fit(train.X, train.y)

    def count(paths, *args):
        decoded.update(paths)
        return read_files(paths, *args)

    monkeypatch.setattr("skpneumo.images._sequence.read_files", count)
    evaluate_both(model, baseline, data.test, SIZE)
    assert decoded == dict.fromkeys(data.test.X, 2)
