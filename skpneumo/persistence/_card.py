"""The model card of a file, in Markdown."""

from __future__ import annotations

import re

from skpneumo._utils.formatting import format_ends, format_metric, percent
from skpneumo._utils.model_file import (
    QUANTIZED_FORMAT,
    find_networks,
    nest_initial_networks,
    read_manifest,
    reraise_as_model_file_error,
)
from skpneumo._utils.typing import PathLike

# What would begin a heading, a link, code, a column or HTML.
_MARKUP = re.compile(r"[\\`#<>\[\]|]")
_QUANTIZED = (
    "- Weights: kernels rounded to 8 or 16 bits. Fingerprint and metrics are those of the model "
    "that was saved, which may not have been rounded."
)
_TITLES = {
    "recall": "Recall (sensitivity)",
    "specificity": "Specificity",
    "positive_predictive_value": "Positive predictive value",
    "negative_predictive_value": "Negative predictive value",
    "roc_auc": "Area under the ROC curve",
}


def model_card(path: PathLike) -> str:
    """Describe the model in a file, in Markdown.

    Parameters
    ----------
    path : str or path
        A file of `save_model`. Its manifest alone is read.

    Returns
    -------
    str

    Raises
    ------
    ModelFileError
        If the file is missing, damaged, or no model file.

    References
    ----------
    Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, 220-229.
    """
    manifest = read_manifest(path)
    with reraise_as_model_file_error(path):
        return _card(manifest)


def _plain(value):
    """A text of the file as one line without markup: a hostile file must not forge a heading."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(str(value).split()))


def _card(manifest):
    model = manifest["model"]
    # The threshold has a line of its own, and that of the classifier may not be in force.
    params = [f"{name}={value}" for name, value in model["params"].items() if name != "threshold"]
    versions = [f"{name} {version}" for name, version in manifest["versions"].items()]
    lines = [
        f"# {_plain(model['name'])}",
        "",
        "Detects pneumonia in chest X-rays of children. It is not a medical device: it may support "
        "research, and must not decide on patients.",
        "",
        "## Model",
        "",
        f"- Classes: {_plain(' and '.join(map(str, manifest['classes'])))} (positive).",
        f"- Threshold: {manifest['threshold']:.6g}, {_plain(manifest['threshold_origin'])}.",
        f"- Images: {_plain(manifest['image_contract'])}",
        *([_QUANTIZED] if manifest["format"] == QUANTIZED_FORMAT else []),
        f"- Wrapped in: {_plain(', '.join(model['layers'])) or 'nothing'}.",
        f"- Parameters: {_plain(', '.join(params))}.",
        f"- Fingerprint: `{_plain(model['fingerprint'])}`.",
        f"- Created: {_plain(manifest['created'])}, with {_plain(', '.join(versions))}.",
        "",
        "## Data",
        "",
        f"- Training data, SHA-256: `{_plain(manifest['data_fingerprint'] or 'not given')}`.",
        *_describe_notes(manifest["notes"]),
        "",
        *_describe_initial_networks(manifest["estimator"]),
        "## Metrics",
        "",
        *_describe_metrics(manifest["metrics"]),
    ]
    return "\n".join(lines) + "\n"


def _describe_notes(notes):
    return [f"- {_plain(name)}: {_plain(text)}" for name, text in notes.items()]


def _describe_initial_networks(description):
    """Section on what the training started from, whose data and licence hold for the model too."""
    chains = []
    for network in find_networks(description):
        start = nest_initial_networks(network["fitted"].get("initial_networks", []))
        # Those of folds are mostly equal.
        if start is not None and start not in chains:
            chains.append(start)
    lines = [line for start in chains for line in _describe_chain(start)]
    return ["## Initial network", "", *lines, ""] if lines else []


def _describe_chain(network):
    verb = "Started from"
    while network is not None:
        name, fingerprint = _plain(network["name"]), _plain(network["fingerprint"])
        yield f"- {verb}: {name}, fingerprint `{fingerprint}`."
        yield from _describe_notes(network["notes"])
        network, verb = network["initial_network"], "Which started from"


def _describe_metrics(evaluation):
    if evaluation is None:
        return ["None were saved with the model."]
    interval = f"{100 * evaluation['confidence']:g} % interval"
    patients = f" of {evaluation['n_patients']:d} patients" if evaluation["n_patients"] else ""
    # Development versions before 0.1.0 wrote the metrics under the name "figures".
    metrics = evaluation["figures"] if "figures" in evaluation else evaluation["metrics"]
    return [
        f"On {evaluation['n_images']:d} images{patients}, "
        f"{percent(evaluation['prevalence'])} of them with pneumonia.",
        "",
        f"| metric | estimate | {interval} |",
        "| --- | --- | --- |",
        *_metric_rows(metrics),
    ]


def _metric_rows(metrics):
    for name, title in _TITLES.items():
        metric = metrics.get(name)
        if metric is None or metric["value"] is None:
            continue
        ends = metric["low"], metric["high"]
        interval = "not defined" if None in ends else "{} to {}".format(*format_ends(name, *ends))
        yield f"| {title} | {format_metric(name, metric['value'])} | {interval} |"
