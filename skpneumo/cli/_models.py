"""The model that a command is given."""

from sklearn.frozen import FrozenEstimator

from skpneumo._utils.response import positive_scores
from skpneumo.cli._options import PRETRAINED
from skpneumo.cli._site import report_check
from skpneumo.exceptions import DatasetError
from skpneumo.persistence import is_model_file, load_model, load_pretrained, pretrained_path
from skpneumo.prediction import identify_patients
from skpneumo.sites import PrevalenceThresholdClassifier


def open_model(path):
    """Load a model file, or a pretrained network by its name.

    Parameters
    ----------
    path : str
        As typed: "default", "mean", "cnn" or "inception", or a model file. A folder or file with
        such a name is "./default".

    Returns
    -------
    classifier

    Raises
    ------
    ModelFileError
        If the file is missing or was not written by `save_model`.
    """
    return load_pretrained(PRETRAINED[path]) if path in PRETRAINED else load_model(path)


def get_model_path(name):
    """Return the file of a model.

    Parameters
    ----------
    name : str
        As `open_model` takes it.

    Returns
    -------
    str or Path
    """
    return pretrained_path(PRETRAINED[name]) if name in PRETRAINED else name


def open_first_model(names):
    """Load the model that is named before X-rays, or the default one.

    Parameters
    ----------
    names : list of str
        As typed: a model as for `open_model`, which may be missing; then X-rays.

    Returns
    -------
    model : classifier
        Fitted.
    names : list of str
        Those of the X-rays.

    Raises
    ------
    DatasetError
        If a model is named after X-rays.
    """
    model, names = (names[0], names[1:]) if _is_model(names[0]) else ("default", names)
    late = [name for name in names if _is_model(name)]
    if late:
        raise DatasetError(f"{late[0]} is a model. Name one, before the X-rays.")
    return open_model(model), names


def _is_model(name):
    return name in PRETRAINED or is_model_file(name)


def check_has_triage(model):
    """Refuse a model that predicts by one threshold where two are needed.

    Parameters
    ----------
    model : classifier
        Fitted.

    Raises
    ------
    ValueError
        If it has no ``predict_triage``.
    """
    if not hasattr(model, "predict_triage"):
        raise ValueError(
            "--triage needs a model with two thresholds, and this one has a single one. Write one "
            "with skpneumo calibrate and --min-specificity."
        )


def set_threshold(model, found, prevalence, views, run):
    """Set the threshold of a model on the files of one site.

    Parameters
    ----------
    model : classifier
        Fitted.
    found : FoundFiles
        The files.
    prevalence : float
        Proportion of their patients that have pneumonia.
    views : {"frontal", "all"}
        As `FoundFiles.list_readable` takes it.
    run : Run
        Prints the check of the site.

    Returns
    -------
    PrevalenceThresholdClassifier
    """
    files = found.list_readable(views)
    patients = identify_patients(files)
    classifier = PrevalenceThresholdClassifier(FrozenEstimator(model), prevalence=prevalence)
    classifier.fit(files, groups=patients)
    # Where the population does not differ, the threshold of the model is the better one.
    report_check(model, positive_scores(model, files), patients, run)
    return classifier
