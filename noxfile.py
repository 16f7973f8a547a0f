"""Checks that CI has no time for: other Pythons, lowest versions, precisions, backends, docs."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "lowest", "precision", "jax", "torch", "mlflow", "ray", "docs"]

LOWEST = [
    "imbalanced-learn==0.14.0",
    "joblib==1.3.2",
    "jinja2==3.1.0",
    "keras==3.10.0",
    "matplotlib==3.8.4",
    "numpy==2.0.2",
    "pillow==11.0.0",
    "rich==13.7.1",
    "safetensors==0.4.3",
    "scikeras==0.13.0",
    "scikit-learn==1.7.2",
    "scipy==1.13.1",
    "tensorflow==2.18.1",
    "typer==0.15.1",
    "urllib3==2.0.7",
]

# Fit, predict, grid search, save and load, the packaged network, heatmaps, Inception.
MAIN_PARTS = [
    "tests/classifiers/test_fit.py",
    "tests/classifiers/test_inception.py",
    "tests/classifiers/test_meta_estimators.py",
    "tests/classifiers/test_trace_cache.py",
    "tests/inspection/test_gradcam.py",
    "tests/networks",
    "tests/persistence/test_export.py",
    "tests/persistence/test_models.py",
    "tests/persistence/test_pretrained.py",
]


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session):
    """Run the suite on each Python."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python="3.11")
def lowest(session):
    """Run the suite on the lowest versions that pyproject.toml allows."""
    session.install(".[test]", *LOWEST)
    session.run("pytest", *session.posargs)


@nox.session(python="3.12")
@nox.parametrize("precision", ["float32", "bfloat16"])
def precision(session, precision):
    """Run the suite in the precision of each kind of processor."""
    session.install(".[test]")
    session.run("pytest", *session.posargs, env={"SKPNEUMO_PRECISION": precision})


@nox.session(python="3.12")
def jax(session):
    """Run the main parts on the JAX backend of Keras."""
    session.install(".[test]", "jax")
    session.run("pytest", *(session.posargs or MAIN_PARTS), env={"KERAS_BACKEND": "jax"})


@nox.session(python="3.12")
def torch(session):
    """Run the main parts on the PyTorch backend of Keras."""
    session.install(".[test]", "torch")
    session.run("pytest", *(session.posargs or MAIN_PARTS), env={"KERAS_BACKEND": "torch"})


@nox.session(python="3.12")
def mlflow(session):
    """Run the tests of MLflow's autologging."""
    session.install(".[test]", "mlflow-skinny")
    session.run(
        "pytest", "--numprocesses=0", "tests/_utils/test_mlflow_tracking.py", *session.posargs
    )


@nox.session(python="3.12")
def ray(session):
    """Run a search and predictions on the workers of Ray."""
    session.install(".[test]", "ray")
    session.run("pytest", "--numprocesses=0", "tests/test_ray.py", *session.posargs)


@nox.session(python="3.12")
def docs(session):
    """Build the documentation, warnings being errors."""
    session.install(".[docs]")
    session.run("sphinx-build", "-W", "-b", "html", "docs", "docs/_build")
