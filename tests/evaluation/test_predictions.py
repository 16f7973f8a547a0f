import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skpneumo.evaluation._predictions import uncalibrated_scores


def test_probabilities_before_calibration_are_of_transformed_data(train, new):
    base = LogisticRegression().fit(StandardScaler().fit_transform(train.X), train.y)
    plain = make_pipeline(StandardScaler(), base).fit(train.X, train.y)
    calibrated = make_pipeline(StandardScaler(), CalibratedClassifierCV(FrozenEstimator(base)))
    calibrated.fit(train.X, train.y)
    before = uncalibrated_scores(FrozenEstimator(calibrated), 9 * new.X)
    np.testing.assert_allclose(before, plain.predict_proba(9 * new.X)[:, 1])
    assert uncalibrated_scores(plain, new.X) is None
    values = CalibratedClassifierCV(LinearSVC(), cv=2).fit(train.X, train.y)
    assert uncalibrated_scores(values, new.X) is None
