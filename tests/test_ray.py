"""Ray's backend of joblib gives the numbers of this process; run by ``nox -s ray``."""

import warnings

import joblib
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV

from skpneumo import CNNPneumoniaClassifier, clear_cache, save_model
from skpneumo.datasets import make_xrays
from skpneumo.prediction import predict_files

ray = pytest.importorskip("ray")


@pytest.fixture
def cluster():
    from ray.util.joblib import register_ray

    with warnings.catch_warnings():
        # Of Ray itself, while it starts.
        warnings.simplefilter("ignore")
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": "1"}},
        )
    register_ray()
    yield
    ray.shutdown()


@pytest.fixture
def files(tmp_path):
    """Paths of X-rays, and labels."""
    xrays = make_xrays(30, image_size=(37, 41), random_state=0)
    paths = [str(tmp_path / f"{i}.png") for i in range(30)]
    for path, image in zip(paths, xrays.images, strict=True):
        Image.fromarray(image).save(path)
    return paths, xrays.target.tolist()


def fit_search(files):
    """The log loss of each candidate on each fold, and the model."""
    clear_cache()
    clf = CNNPneumoniaClassifier(filters=(2, 4), epochs=1, batch_size=8, random_state=0)
    scoring = make_scorer(log_loss, response_method="predict_proba", labels=np.unique(files[1]))
    grid = {"class_weight": [None, {"PNEUMONIA": 2}], "threshold": [0.3, 0.6]}
    search = GridSearchCV(clf, grid, scoring=scoring, cv=2, error_score="raise").fit(*files)
    return [search.cv_results_[f"split{i}_test_score"].tolist() for i in range(2)], search


@pytest.mark.filterwarnings("ignore::UserWarning:ray", "ignore::FutureWarning:ray")
def test_a_search_and_predictions(cluster, files, tmp_path):
    expected, model = fit_search(files)
    save_model(model, tmp_path / "model.skpneumo")
    paths = [*files[0], str(tmp_path / "missing.png")]
    probability = [*model.predict_proba(files[0])[:, 1].tolist(), None]
    with joblib.parallel_config("ray", n_jobs=2):
        found, _ = fit_search(files)
        for source in (tmp_path / "model.skpneumo", model):
            rows = predict_files(source, paths, chunk_size=4)
            assert [row.probability for row in rows] == probability
    assert found == expected
