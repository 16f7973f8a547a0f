"""Trained networks of ours that a training starts from: the packaged ones and model files."""

from numbers import Integral
from typing import NamedTuple

from skpneumo._utils.model_file import (
    check_filters,
    check_weights,
    find_networks,
    is_model_file,
    nest_initial_networks,
    pretrained_path,
    read_model_file,
    reraise_as_model_file_error,
    take_array,
    unpack_weights,
)
from skpneumo.exceptions import ModelFileError

PRETRAINED = "pretrained"
# Classes by the names of the packaged networks.
_CLASSES = {"cnn": "CNNPneumoniaClassifier", "inception": "InceptionPneumoniaClassifier"}


class InitialNetwork(NamedTuple):
    """A network that a training starts from.

    Attributes
    ----------
    path : str or path
        Its file.
    weights : list of ndarray
        All of its weights, those of the head last.
    filters : tuple of int or None
        Of a CNN.
    provenance : dict
        "name", "fingerprint" and "notes" of the model, and "initial_network", the same of the
        network that it started from or None.
    """

    path: object
    weights: list
    filters: tuple | None
    provenance: dict

    def copy_weights_to(self, model):
        """Set all weights of a network.

        Parameters
        ----------
        model : keras.Model
            Changed in place.

        Raises
        ------
        ModelFileError
            If it is another network.
        """
        with reraise_as_model_file_error(self.path):
            try:
                model.set_weights(self.weights)
            except ValueError:
                raise ModelFileError("its weights are not those of its network") from None


def find_model_file(weights, name):
    """Model file that the parameter ``weights`` of a classifier names.

    Parameters
    ----------
    weights : str, path or None
        The parameter.
    name : {"cnn", "inception"}
        Name of its packaged network.

    Returns
    -------
    str, path or None
        None if it names none: it may be a file of weights of Keras.

    Raises
    ------
    ModelFileError
        If it is "pretrained", and no such network comes with the package.
    """
    if weights is None or weights == "imagenet":
        return None
    if weights == PRETRAINED:
        return pretrained_path(name)
    return weights if is_model_file(weights) else None


def read_initial_network(path, name):
    """Read the first network of a kind in a model file; nothing in the file is trusted or run.

    Parameters
    ----------
    path : str or path
        The file.
    name : {"cnn", "inception"}
        Kind of network that is wanted.

    Returns
    -------
    InitialNetwork

    Raises
    ------
    ModelFileError
        If the file is missing or damaged, or holds another kind of network.
    """
    manifest, arrays = read_model_file(path)
    with reraise_as_model_file_error(path):
        networks = list(find_networks(manifest["estimator"]))
        if not networks:
            raise ModelFileError(
                "it holds no network of its own. Wanted: a file with one of "
                f"{_CLASSES[name]}, or weights={PRETRAINED!r}"
            )
        description = next((one for one in networks if one["class"] == _CLASSES[name]), None)
        if description is None:
            raise ModelFileError(
                f"it holds a network of {str(networks[0]['class'])[:40]}. Wanted: a file with one "
                f"of {_CLASSES[name]}, or weights={PRETRAINED!r}"
            )
        weights = unpack_weights(description["fitted"]["weights"], arrays)
        filters = _read_filters(description, arrays) if name == "cnn" else None
        check_weights(weights, filters or ())
        return InitialNetwork(path, weights, filters, _read_provenance(manifest, description))


def _read_filters(description, arrays):
    filters = description["fitted"].get("filters")
    if filters is None:
        # Files that were written before it existed hold the parameter alone.
        filters = description["params"]["filters"]
    if isinstance(filters, dict):
        ((kind, filters),) = filters.items()
        filters = take_array(filters, arrays) if kind == "array" else filters
    return check_filters(filters)


def _read_provenance(manifest, description):
    model, notes = manifest["model"], manifest["notes"]
    start = {
        "name": model["name"],
        "fingerprint": model["fingerprint"],
        "notes": [list(pair) for pair in notes.items()],
    }
    return nest_initial_networks([start, *description["fitted"].get("initial_networks", [])])


def choose_filters(filters, initial):
    """Filters of a CNN to be trained.

    Parameters
    ----------
    filters : sequence of int or None
        The parameter.
    initial : InitialNetwork or None
        What its training starts from.

    Returns
    -------
    tuple of int or None
        None if neither decides.

    Raises
    ------
    ValueError
        If they are not valid, or not those of the network that the training starts from.
    """
    found = None if initial is None else initial.filters
    if filters is None:
        return found
    filters = tuple(filters)
    if len(filters) < 2 or not all(isinstance(n, Integral) and n > 0 for n in filters):
        raise ValueError(f"filters must be at least two positive integers; got {filters}.")
    filters = tuple(map(int, filters))
    if found not in (None, filters):
        raise ValueError(
            f"filters={filters} are not those of the network in {initial.path}, which are {found}. "
            "Leave filters=None to take them from it."
        )
    return filters
