"""What a report of a problem should state about the machine."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

import skpneumo
from skpneumo._utils.array_store import default_location

_OPTIONAL = (
    "imagecodecs",
    "onnxruntime",
    "ai-edge-litert",
    "jax",
    "pandas",
    "torch",
    "distributed",
    "mlflow",
)
_VARIABLES = (
    "KERAS_BACKEND",
    "OMP_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "CUDA_VISIBLE_DEVICES",
    "SKPNEUMO_PRECISION",
)


def show_versions() -> None:
    """Print what a report of a problem should state: versions, backend, processor and cache.

    Nothing printed names a user, a folder or a file.

    See Also
    --------
    sklearn.show_versions : The same for scikit-learn, with its native libraries.

    Notes
    -----
    It starts the backend of Keras, which takes some seconds.

    Examples
    --------
    >>> import skpneumo
    >>> skpneumo.show_versions()  # doctest: +SKIP
    """
    sections = describe_installation() | {"Cache": {"on disk": _describe_cache()}}
    for title, values in sections.items():
        print(f"\n{title}:")
        width = max(map(len, values))
        for name, value in values.items():
            print(f"{name:>{width + 2}}: {value}")


def describe_installation():
    """Describe machine, packages, backend and environment.

    Returns
    -------
    dict of str to dict
        Values by name, by title of the section.
    """
    return {
        "System": _describe_system(),
        "Python dependencies": _find_versions(),
        "Keras": _describe_keras(),
        "Environment variables": {name: os.environ.get(name) for name in _VARIABLES},
    }


def _describe_system():
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "processors": f"{os.cpu_count()}, of which {_count_usable()} can be used",
    }


def _count_usable():
    # Containers and batch systems give a process fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _find_versions():
    try:
        # Those with a condition belong to an extra.
        texts = [text for text in requires("skpneumo") if ";" not in text]
    except PackageNotFoundError:  # a checkout that is not installed
        texts = []
    required = sorted(re.match(r"[\w.-]+", text)[0] for text in texts)
    versions = {"skpneumo": skpneumo.__version__}
    return versions | {name: _find_version(name) for name in (*required, *_OPTIONAL)}


def _find_version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _describe_keras():
    # First, as it loads Keras without the noise of TensorFlow.
    from skpneumo.networks import resolve_precision  # isort: skip
    import keras

    return {
        "backend": keras.backend.backend(),
        "devices": ", ".join(keras.distribution.list_devices()),
        "precision": resolve_precision("auto"),
    }


def _describe_cache():
    location = default_location()
    if location is None:
        return "off (SKPNEUMO_CACHE)"
    is_named = bool(os.environ.get("SKPNEUMO_CACHE", "").strip())
    return "folder of SKPNEUMO_CACHE" if is_named else "the user's cache folder"
