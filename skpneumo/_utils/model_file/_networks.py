"""Networks in the manifest of a model file, and the networks that their training started from."""

from skpneumo.exceptions import ModelFileError

_MAX_NETWORKS = 100
_MAX_TEXT = 2**20
_MAX_NAME = 200


def find_networks(description):
    """Find the fitted networks in the description of an estimator.

    Parameters
    ----------
    description : dict
        Of a manifest. Nothing in it is trusted.

    Yields
    ------
    dict
        Description of a classifier with a network, the outer and the first ones first.
    """
    for one, _ in walk_estimators(description):
        fitted = one.get("fitted")
        if isinstance(fitted, dict) and "weights" in fitted:
            yield one


def walk_estimators(value, depth=0):
    """Find the descriptions of estimators in the description of one.

    Parameters
    ----------
    value : dict, list or any other value of a manifest
        Nothing in it is trusted.
    depth : int, default=0
        Number of estimators around it.

    Yields
    ------
    description : dict
        From the outside in.
    depth : int
        Number of estimators around it and itself.
    """
    if isinstance(value, dict):
        if "class" in value:
            depth += 1
            yield value, depth
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from walk_estimators(inner, depth)


def list_initial_networks(initial_network):
    """List a starting network, the one that it started from, and so on.

    Parameters
    ----------
    initial_network : dict or None
        As ``initial_network_`` of a classifier.

    Returns
    -------
    list of dict
        With "name", "fingerprint" and "notes", the latter as a list of pairs of texts: a note may
        be named like a key of the manifest.
    """
    entries = []
    while initial_network is not None:
        entries.append(
            {
                "name": initial_network["name"],
                "fingerprint": initial_network["fingerprint"],
                "notes": [list(pair) for pair in initial_network["notes"].items()],
            }
        )
        initial_network = initial_network["initial_network"]
    return entries


def nest_initial_networks(entries):
    """Check and undo `list_initial_networks`.

    Parameters
    ----------
    entries : list of dict
        As in a manifest. Nothing in it is trusted.

    Returns
    -------
    dict or None
        None if there are none.

    Raises
    ------
    ModelFileError
        If there are too many, or one is something else.
    """
    if not isinstance(entries, list) or len(entries) > _MAX_NETWORKS:
        raise ModelFileError(f"its initial networks are not a list of at most {_MAX_NETWORKS}")
    n_characters = sum(map(_count_characters, entries))
    if n_characters > _MAX_TEXT:
        raise ModelFileError(
            f"the notes of its initial networks take more than {_MAX_TEXT:,} characters"
        )
    nested = None
    for entry in reversed(entries):
        nested = {
            "name": entry["name"],
            "fingerprint": entry["fingerprint"],
            "notes": dict(entry["notes"]),
            "initial_network": nested,
        }
    return nested


def _count_characters(entry):
    is_dict = isinstance(entry, dict) and set(entry) == {"name", "fingerprint", "notes"}
    if not is_dict or not isinstance(entry["notes"], list):
        raise ModelFileError("an initial network has other entries than name, fingerprint, notes")
    names = entry["name"], entry["fingerprint"]
    if not all(isinstance(text, str) and len(text) <= _MAX_NAME for text in names):
        raise ModelFileError("the name or the fingerprint of an initial network is no short text")
    for pair in entry["notes"]:
        is_pair = isinstance(pair, list) and len(pair) == 2
        if not is_pair or not all(isinstance(text, str) for text in pair):
            raise ModelFileError("the notes of an initial network are not pairs of texts")
    return sum(len(text) for pair in entry["notes"] for text in pair)
