"""What a model file tells of itself, for people."""

import re

from skpneumo._utils.formatting import format_ends, format_metric, percent
from skpneumo.persistence._archive import read_manifest
from skpneumo.persistence._models import check_format, reraise_as_model_file_error

# What would begin a heading, a link, code, a column or HTML.
_MARKUP = re.compile(r"[\\`#<>\[\]|]")
_FIGURES = {
    "recall": "Recall (sensitivity)",
    "specificity": "Specificity",
    "positive_predictive_value": "Positive predictive value",
    "negative_predictive_value": "Negative predictive value",
    "roc_auc": "Area under the ROC curve",
}


def model_card(path):
    """Write what a model file tells of itself, as Markdown.

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
    check_format(manifest, path)
    with reraise_as_model_file_error(path):
        return _card(manifest)


def _plain(value):
    """A text of the file, whoever wrote it, as one line of Markdown without any markup."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(str(value).split()))


def _card(manifest):
    model = manifest["model"]
    # The threshold has a line of its own, and that of the classifier may not be in force.
    told = [item for item in model["params"].items() if item[0] != "threshold"]
    params = [f"{name}={value}" for name, value in told]
    versions = [f"{name} {version}" for name, version in manifest["versions"].items()]
    lines = [
        f"# {_plain(model['name'])}",
        "",
        "Detects pneumonia in chest X-rays of children. It is not a medical device: it may support "
        "research, and must not decide on patients.",
        "",
        "## Model",
        "",
        f"- Classes: {_plain(' and '.join(map(str, manifest['classes'])))}; the second is called "
        "where its score reaches the threshold.",
        f"- Threshold: {manifest['threshold']:.6g}, {_plain(manifest['threshold_origin'])}.",
        f"- Images: {_plain(manifest['image_contract'])}",
        f"- Around it: {_plain(', '.join(model['layers'])) or 'nothing'}.",
        f"- Parameters: {_plain(', '.join(params))}.",
        f"- Fingerprint: `{_plain(model['fingerprint'])}`.",
        f"- Made: {_plain(manifest['created'])}, with {_plain(', '.join(versions))}.",
        "",
        "## Data",
        "",
        f"- Training data, SHA-256: `{_plain(manifest['data_fingerprint'] or 'not told')}`.",
        *(f"- {_plain(name)}: {_plain(text)}" for name, text in manifest["notes"].items()),
        "",
        "## Figures",
        "",
        *_figures(manifest["metrics"]),
    ]
    return "\n".join(lines) + "\n"


def _figures(metrics):
    if metrics is None:
        return ["None were saved with the model."]
    interval = f"{100 * metrics['confidence']:g} % interval"
    patients = f" of {metrics['n_patients']:d} patients" if metrics["n_patients"] else ""
    lines = [
        f"On {metrics['n_images']:d} images{patients}, "
        f"{percent(metrics['prevalence'])} of them with pneumonia.",
        "",
        f"| figure | value | {interval} |",
        "| --- | --- | --- |",
    ]
    # The name of the metrics in files of skpneumo 0.1.0.
    by_name = metrics["figures"] if "figures" in metrics else metrics["metrics"]
    for name, title in _FIGURES.items():
        figure = by_name.get(name)
        if figure is None or figure["value"] is None:
            continue
        ends = figure["low"], figure["high"]
        told = "not defined" if None in ends else "{} to {}".format(*format_ends(name, *ends))
        lines.append(f"| {title} | {format_metric(name, figure['value'])} | {told} |")
    return lines
