"""Inventories of other projects for intersphinx, written without a network.

The addresses of their pages follow from the names, so that no copy of an inventory has to be kept
here, and a build does not depend on their servers.
"""

import zlib
from pathlib import Path

from sklearn.utils.discovery import all_displays, all_estimators, all_functions

SCIKIT_LEARN = "https://scikit-learn.org/stable/"
KERAS = "https://keras.io/"
NUMPY = "https://numpy.org/doc/stable/"
PANDAS = "https://pandas.pydata.org/docs/"
IMBLEARN = "https://imbalanced-learn.org/stable/"
PYTHON = "https://docs.python.org/3/"

# Names that are no estimators, functions or displays of scikit-learn, or have another address.
_GENERATED = "modules/generated/$.html#$"
_OTHERS = {
    "sklearn": {
        "sklearn.utils.Bunch": "class",
        "sklearn.pipeline.Pipeline": "class",
        "sklearn.base.BaseEstimator": "class",
        "sklearn.base.ClassifierMixin": "class",
        "sklearn.model_selection.PredefinedSplit": "class",
        "sklearn.model_selection.StratifiedGroupKFold": "class",
        "sklearn.model_selection.StratifiedKFold": "class",
    },
}
_ADDRESSES = {
    "keras": {
        "keras.Model": ("class", "api/models/model/"),
        "keras.callbacks.Callback": ("class", "api/callbacks/base_callback/"),
        "keras.optimizers.Adam": ("class", "api/optimizers/adam/"),
        "keras.applications.InceptionV3": ("function", "api/applications/inceptionv3/"),
    },
    "numpy": {
        "numpy.ndarray": ("class", "reference/generated/numpy.ndarray.html"),
        "numpy.random.SeedSequence": (
            "class",
            "reference/random/bit_generators/generated/numpy.random.SeedSequence.html",
        ),
    },
    "pandas": {"pandas.DataFrame": ("class", "reference/api/pandas.DataFrame.html")},
    "imblearn": {
        f"imblearn.{name}": ("class", f"references/generated/imblearn.{name}.html")
        for name in ("over_sampling.RandomOverSampler", "pipeline.Pipeline")
    },
    "python": {
        "pathlib.Path": ("class", "library/pathlib.html#pathlib.Path"),
        "pickle": ("module", "library/pickle.html"),
    },
}
_BASES = {
    "sklearn": SCIKIT_LEARN,
    "keras": KERAS,
    "numpy": NUMPY,
    "pandas": PANDAS,
    "imblearn": IMBLEARN,
    "python": PYTHON,
}


def write_inventories(folder):
    """Write one inventory for each project; return what ``intersphinx_mapping`` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for project, base in _BASES.items():
        entries = _list_scikit_learn() if project == "sklearn" else _ADDRESSES[project]
        path = folder / f"{project}.inv"
        _write(path, project, entries)
        mapping[project] = (base, str(path))
    return mapping


def _list_scikit_learn():
    found = {
        **{f"{_public_module(one)}.{name}": "class" for name, one in all_estimators()},
        **{f"{_public_module(one)}.{name}": "class" for name, one in all_displays()},
        **{f"{_public_module(one)}.{name}": "function" for name, one in all_functions()},
        **_OTHERS["sklearn"],
    }
    return {name: (kind, _GENERATED) for name, kind in found.items()}


def _public_module(member):
    """Module without its private parts, by which scikit-learn documents a name."""
    return ".".join(part for part in member.__module__.split(".") if not part.startswith("_"))


def _write(path: Path, project, entries):
    header = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    header += "# The remainder of this file is compressed using zlib.\n"
    lines = "".join(
        f"{name} py:{kind} 1 {address.replace('$.html', name + '.html')} -\n"
        for name, (kind, address) in sorted(entries.items())
    )
    path.write_bytes(header.encode() + zlib.compress(lines.encode()))
