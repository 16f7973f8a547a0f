"""Which of two labels is positive."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skpneumo import OperatingPointClassifierCV
from skpneumo._utils.targets import two_classes

IN_ORDER = [
    ("NORMAL", "PNEUMONIA"),
    (0, 1),
    (0.0, 1.0),
    (-1, 1),
    (False, True),
    ("0", "1"),
    ("False", "True"),
    ("negative", "positive"),
    ("neg", "pos"),
    ("N", "Y"),
    ("no", "yes"),
    ("healthy", "pneumonia"),
    ("healthy", "unhealthy"),
    ("Healthy", "Sick"),
    ("normal", "viral pneumonia"),
    ("normal", "not normal"),
    ("absent", "present"),
    ("CONTROL", "case"),
    ("Normal", "Opacity"),
    ("No Finding", "Pneumonia"),
    ("NoFinding", "Pneumonia"),
    ("no_pneumonia", "pneumonia"),
    ("non-COVID", "pneumonia"),
    ("pneumonia absent", "pneumonia present"),
    ("pneumonia_0", "pneumonia_1"),
    ("NORMAL", "other"),
    ("other", "pneumonia"),
    ("gesund", "krank"),
    ("Kontrolle", "Lungenentzündung"),
    ("absente", "présente"),
    ("negatif", "positif"),
    ("negativo", "positivo"),
    ("assente", "presente"),
    ("afwezig", "longontsteking"),
    ("no", "sí"),
    ("não", "sim"),
    ("正常", "肺炎"),
]
IN_DOUBT = [
    ("PNEUMONIA", "other", "'PNEUMONIA' looks positive"),
    ("infected", "uninfected", "'infected' looks positive"),
    ("Present", "absent", "'Present' looks positive"),
    ("affected", "unaffected", "'affected' looks positive"),
    ("abnormal", "normal", "'abnormal' looks positive"),
    ("ABNORMAL", "NORMAL", "'ABNORMAL' looks positive"),
    ("  Abnormal", "normal ", "looks positive"),
    ("AbNormal", "normal", "looks positive|looks negative"),
    ("COVID-19", "Normal", "'COVID-19' looks positive"),
    ("COVID", "non_COVID", "looks positive"),
    ("Pneumonia", "Without Pneumonia", "looks positive"),
    ("Pneumonia", "pneumonia-negative", "looks positive|looks negative"),
    ("Lung_Opacity", "Normal", "looks positive"),
    ("Yes", "no", "'Yes' looks positive"),
    ("case", "control", "'case' looks positive"),
    ("ill", "well", "looks positive"),
    ("sick", "well", "looks positive"),
    ("pathological", "physiological", "looks positive"),
    ("bacteria", "virus", "'bacteria' looks positive"),
    ("BACTERIA", "NORMAL", "looks positive"),
    ("cat", "healthy", "'healthy' looks negative"),
    ("active", "inactive", "'active' looks positive"),
    ("zebra", "zebra-free", "looks negative"),
    ("foo", "nonfoo", "'foo' looks positive"),
    ("foo", "unfoo", "'foo' looks positive"),
    ("abfoo", "foo", "'abfoo' looks positive"),
    ("cat", "dog", "do not show which one is positive"),
    (1, 2, "do not show which one is positive"),
    ("1", "2", "do not show which one is positive"),
    ("krank", "normal", "looks positive"),
    ("auffällig", "unauffällig", "looks positive"),
    ("infiziert", "nicht infiziert", "looks positive"),
    ("Lungenentzündung", "gesund", "looks positive"),
    ("anormal", "normal", "looks positive"),
    ("atteint", "sain", "looks positive"),
    ("malade", "sain", "looks positive"),
    ("neumonía", "sano", "looks positive"),
    ("infectado", "no infectado", "looks positive"),
    ("doente", "saudável", "looks positive"),
    ("malato", "sano", "looks positive"),
    ("afwijkend", "normaal", "looks positive"),
    ("feiyan", "zhengchang", "looks positive"),
    ("haien", "seijou", "looks positive"),
    ("肺炎", "非肺炎", "looks positive"),
    ("阳性", "阴性", "looks positive"),
]


@pytest.mark.parametrize(("negative", "positive"), IN_ORDER)
def test_labels_in_order_are_taken_in_silence(negative, positive):
    y = np.array([negative] * 5 + [positive] * 2)
    assert two_classes(y).tolist() == [negative, positive]


@pytest.mark.parametrize(("first", "second", "doubt"), IN_DOUBT)
def test_labels_in_doubt_are_warned_of_with_the_remedy(first, second, doubt):
    y = np.array([first] * 5 + [second] * 2)
    with pytest.warns(UserWarning, match=doubt) as record:
        assert two_classes(y).tolist() == [first, second]
    (warning,) = record
    assert f"y = (y == {first!r}).astype(int)" in str(warning.message)
    two_classes((y == first).astype(int))
    two_classes(np.where(y == first, "PNEUMONIA", "NORMAL"))


def test_labels_of_dtype_object():
    with pytest.warns(UserWarning, match="'cat'"):
        two_classes(np.array(["cat", "dog"], dtype=object))


class Checked(LogisticRegression):
    """A classifier that checks its labels, as those of the package do."""

    def fit(self, X, y):
        two_classes(y)
        return super().fit(X, y)


def test_nested_fits_warn_once():
    rng = np.random.default_rng(0)
    y = np.repeat(["infected", "uninfected"], [30, 50])
    X = rng.normal(size=(80, 3)) + 2 * (y == "uninfected")[:, np.newaxis]
    model = OperatingPointClassifierCV(Checked(), min_recall=0.5, cv=3)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert sum("looks positive" in str(warning.message) for warning in record) == 1
    with pytest.warns(UserWarning, match="looks positive"):
        Checked().fit(X, y)


def test_warnings_of_folds_come_from_one_line():
    """So that the usual filters show one of them."""
    y = np.array(["infected", "uninfected"])
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        two_classes(y)
        Checked().fit(np.eye(2), y)
    assert len({(warning.filename, warning.lineno) for warning in record}) == 1
