"""MLflow's autologging of our fits; run by the nox session ``mlflow``."""

import re
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skpneumo import CNNPneumoniaClassifier, OperatingPointClassifierCV, XRayResizer

mlflow = pytest.importorskip("mlflow")

CNN = CNNPneumoniaClassifier(filters=(2, 4), epochs=2, learning_rate=0.01, random_state=0)
Y = np.array(["NORMAL"] * 8 + ["PNEUMONIA"] * 16)
# MLflow's own, of values that it cannot log or compute.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:mlflow", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def X():
    images = np.random.default_rng(0).integers(0, 120, (24, 24, 20), dtype=np.uint8)
    images[8:] += 100
    return images


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Turn autologging on, and list the runs that it made."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    yield lambda: mlflow.search_runs(output_format="list")
    mlflow.sklearn.autolog(disable=True)


def history(run, name="loss"):
    client = mlflow.MlflowClient()
    return [metric.value for metric in client.get_metric_history(run.info.run_id, name)]


def test_a_classifier_is_logged_as_one_run(X, runs):
    clf = CNNPneumoniaClassifier(**CNN.get_params()).set_params(threshold=0.4)
    assert clf.fit(X, Y) is clf
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.tags["estimator_name"] == "CNNPneumoniaClassifier"
    assert run.data.params.keys() == clf.get_params().keys()
    expected = {"epochs": "2", "learning_rate": "0.01", "threshold": "0.4", "class_weight": "None"}
    assert expected.items() <= run.data.params.items()
    assert run.data.metrics["training_score"] == clf.score(X, Y)
    np.testing.assert_allclose(history(run), clf.history_["loss"])


def test_early_stopping_is_logged_with_both_losses(X, runs):
    clf = CNNPneumoniaClassifier(**CNN.get_params()).set_params(validation=0.25, epochs=3)
    clf.fit(X, Y)
    (run,) = runs()
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(history(run, name), clf.history_[name])


def test_a_run_of_the_user_is_used_and_left_open(X, runs):
    with mlflow.start_run() as active:
        CNNPneumoniaClassifier(**CNN.get_params()).fit(X, Y)
        assert mlflow.active_run().info.run_id == active.info.run_id
    (run,) = runs()
    assert run.info.run_id == active.info.run_id
    assert run.data.params["epochs"] == "2"


def test_a_pipeline_is_one_run_with_the_losses(X, runs):
    pipe = make_pipeline(XRayResizer((20, 16)), CNN).fit(X, Y)
    (run,) = runs()
    assert run.data.tags["estimator_name"] == "Pipeline"
    assert run.data.params["cnnpneumoniaclassifier__epochs"] == "2"
    assert run.data.metrics["training_score"] == pipe.score(X, Y)
    np.testing.assert_allclose(history(run), pipe[-1].history_["loss"])


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_search_is_one_run_with_its_candidates(X, runs, n_jobs):
    GridSearchCV(CNN, {"threshold": [0.3, 0.6]}, cv=2, n_jobs=n_jobs).fit(X, Y)
    found = runs()
    (search,) = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    assert search.data.tags["estimator_name"] == "GridSearchCV"
    assert search.data.params["best_threshold"] in ("0.3", "0.6")
    candidates = [run.data.params["threshold"] for run in found if run is not search]
    assert sorted(candidates) == ["0.3", "0.6"]


@pytest.mark.parametrize("searched", [False, True])
def test_an_operating_point_is_one_run(runs, searched):
    X = np.random.default_rng(0).normal(size=(300, 3))
    y = np.array(["NORMAL"] * 100 + ["PNEUMONIA"] * 200)
    X[100:] += 2
    inner = LogisticRegression()
    if searched:
        inner = GridSearchCV(inner, {"C": [0.1, 1]}, cv=2)
    model = OperatingPointClassifierCV(inner, min_recall=0.9, refit=True).fit(X, y)
    (run,) = runs()
    assert run.data.tags["estimator_name"] == "OperatingPointClassifierCV"
    assert run.data.params["min_recall"] == "0.9"
    assert run.data.params["estimator__estimator__C" if searched else "estimator__C"] == "1.0"
    assert ("best_C" in run.data.params) == searched
    metrics = run.data.metrics
    assert metrics["best_threshold"] == pytest.approx(float(model.best_threshold_))
    assert metrics["recall"] == model.recall_
    assert metrics["recall_lower_bound"] == pytest.approx(model.recall_lower_bound_)
    assert metrics["training_score"] == model.score(X, y)


def test_an_operating_point_of_a_network(X, runs):
    model = OperatingPointClassifierCV(CNN, min_recall=0.7, confidence=None, cv=2).fit(X, Y)
    (run,) = runs()
    assert run.data.params["estimator__epochs"] == "2"
    assert run.data.metrics["n_positive_units"] == model.n_positive_units_ == 16


def test_what_is_not_logged_elsewhere_is_not_logged_here(X, runs):
    model_selection.cross_val_score(CNN, X, Y, cv=2)
    assert runs() == []
    mlflow.sklearn.autolog(disable=True)
    CNNPneumoniaClassifier(**CNN.get_params()).fit(X, Y)
    assert runs() == []
    mlflow.sklearn.autolog(exclusive=True, log_models=False, silent=True)
    with mlflow.start_run():
        CNNPneumoniaClassifier(**CNN.get_params()).fit(X, Y)
    (run,) = runs()
    assert not run.data.params


def test_a_fit_that_fails_is_logged_as_such(X, runs):
    with pytest.raises(ValueError, match="one class"):
        CNNPneumoniaClassifier(**CNN.get_params()).fit(X, ["NORMAL"] * 24)
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert mlflow.active_run() is None


def test_the_page_in_the_user_guide(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2] / "docs" / "user_guide" / "tracking.rst"
    blocks = re.findall(r"code-block:: python\n\n((?:   .*\n|\n)+)", page.read_text("utf-8"))
    assert len(blocks) == 2
    exec("\n".join(map(dedent, blocks)), {})
    by_hand, automatic = runs()
    assert automatic.data.metrics.keys() >= {"loss", "training_score"}
    assert by_hand.data.metrics.keys() >= {"loss", "training_score", "recall", "specificity"}
    files = mlflow.MlflowClient().list_artifacts(by_hand.info.run_id)
    assert [file.path for file in files] == ["model.skpneumo"]


def test_logging_that_fails_does_not_stop_the_fit(X, runs):
    clf = CNNPneumoniaClassifier(**CNN.get_params())
    with mlflow.start_run():
        mlflow.log_param("epochs", 77)
        with pytest.warns(UserWarning, match="did not log all of this fit: "):
            clf.fit(X, Y)
    assert clf.predict(X).shape == (24,)


def test_a_server_that_does_not_answer_does_not_stop_the_fit(X, runs, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    clf = CNNPneumoniaClassifier(**CNN.get_params())
    with pytest.warns(UserWarning, match="did not log all of this fit: "):
        clf.fit(X, Y)
    assert clf.predict(X).shape == (24,)
