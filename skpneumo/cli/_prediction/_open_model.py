"""The model among the names that ``skpneumo predict`` is given."""

from skpneumo.cli._models import DEFAULT_MODEL, open_model
from skpneumo.exceptions import DatasetError
from skpneumo.persistence import is_model_file


def open_first_model(names):
    """Load the model that is named before X-rays, or the default one.

    Parameters
    ----------
    names : list of str
        As typed: "default" or a model file, which may be missing; then X-rays.

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
    model, names = (names[0], names[1:]) if _is_model(names[0]) else (DEFAULT_MODEL, names)
    late = [name for name in names if _is_model(name)]
    if late:
        raise DatasetError(f"{late[0]} is a model. Name one, before the X-rays.")
    return open_model(model), names


def _is_model(name):
    return name == DEFAULT_MODEL or is_model_file(name)


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
            "with skpneumo calibrate and --min-specificity, or save a fitted "
            "skpneumo.sites.TriageClassifierCV."
        )
