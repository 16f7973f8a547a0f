"""What a model file tells of itself, for people."""

from skpneumo.metrics._format import percent
from skpneumo.persistence._archive import read_manifest
from skpneumo.persistence._models import check_format, refused_where_odd

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
    with refused_where_odd(path):
        return _card(manifest)


def _card(manifest):
    model = manifest["model"]
    classes = " and ".join(map(str, manifest["classes"]))
    lines = [
        f"# {model['name']}",
        "",
        "Detects pneumonia in chest X-rays of children. It is not a medical device: it may support "
        "research, and must not decide on patients.",
        "",
        "## Model",
        "",
        f"- Classes: {classes}; the second is called where its score reaches the threshold.",
        f"- Threshold: {manifest['threshold']:.6g}, {manifest['threshold_origin']}.",
        f"- Images: {manifest['image_contract']}",
        f"- Around it: {', '.join(model['layers']) or 'nothing'}.",
        f"- Parameters: {', '.join(f'{k}={v}' for k, v in model['params'].items())}.",
        f"- Fingerprint: `{model['fingerprint']}`.",
        f"- Made: {manifest['created']}, with "
        + ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
        + ".",
        "",
        "## Data",
        "",
        f"- Training data, SHA-256: `{manifest['data_fingerprint'] or 'not told'}`.",
        *(f"- {name}: {text}" for name, text in manifest["notes"].items()),
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
    patients = f" of {metrics['n_patients']} patients" if metrics["n_patients"] else ""
    lines = [
        f"On {metrics['n_images']} images{patients}, "
        f"{percent(metrics['prevalence'])} of them with pneumonia.",
        "",
        f"| figure | value | {interval} |",
        "| --- | --- | --- |",
    ]
    for name, title in _FIGURES.items():
        figure = metrics["figures"].get(name)
        if figure is None or figure["value"] is None:
            continue
        ends = [figure["low"], figure["high"]]
        told = "not defined" if None in ends else "{:.3f} to {:.3f}".format(*ends)
        lines.append(f"| {title} | {figure['value']:.3f} | {told} |")
    return lines
