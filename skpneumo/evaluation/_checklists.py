"""Items of two reporting guidelines, and the answers that an evaluation has."""

import tomllib
from importlib.resources import files
from typing import NamedTuple

from skpneumo._utils.formatting import SUBTYPE_PREFIX, format_metric, percent
from skpneumo._utils.unwrap import unwrap
from skpneumo.evaluation._text import format_interval, intervals_line, threshold_line

_TRAINING = (
    "class_weight",
    "augmentation",
    "validation",
    "epochs",
    "head_epochs",
    "batch_size",
    "learning_rate",
    "fine_tune_learning_rate",
    "trainable",
    "precision",
)
_INITIALIZATION = ("weights", "random_state")
_ACCURACY = {
    "recall": "recall of images",
    "specificity": "specificity of images",
    "recall_of_patients": "recall of patients",
    "specificity_of_patients": "specificity of patients",
    "roc_auc": "area under the ROC curve",
}


class Checklist(NamedTuple):
    """A reporting guideline."""

    name: str
    source: str
    items: dict
    """Wording of each item by its number."""


def load_checklists():
    """Load both checklists.

    Returns
    -------
    claim, stard_ai : Checklist
    """
    text = files("skpneumo.evaluation").joinpath("checklists.toml").read_text(encoding="utf-8")
    return tuple(Checklist(**checklist) for checklist in tomllib.loads(text)["checklists"])


def fill_checklists(report, method_name):
    """Fill both checklists in, as far as an evaluation has the answers.

    Parameters
    ----------
    report : Evaluation
        The evaluation.
    method_name : str
        Name of the method of the heatmaps in the report; empty if it shows none.

    Returns
    -------
    list of (Checklist, list of (number, wording, answer, rest))
        ``answer`` is empty if the evaluation has none; ``rest`` names what is left for the
        authors, and is empty if the item is complete.
    """
    answers = _answers(report, method_name)
    by_checklist = _claim_answers(answers), _stard_ai_answers(answers)
    return [
        (
            checklist,
            [(*item, *_complete(by_number.get(item[0]))) for item in checklist.items.items()],
        )
        for checklist, by_number in zip(load_checklists(), by_checklist, strict=True)
    ]


def _complete(answer_and_rest):
    return answer_and_rest if answer_and_rest and answer_and_rest[0] else ("", "")


def _claim_answers(answers):
    """Answer, and what is left for the authors, by number of the item."""
    return {
        "9": (answers["preprocessing"], "steps before"),
        "22": (answers["model"], "layers of the network"),
        "23": (answers["software"], ""),
        "24": (answers["initialization"], "distributions"),
        "25": (answers["training"], "data and hardware"),
        "26": (answers["threshold"], "selection of model and parameters"),
        "28": (answers["measures"], "rationale"),
        "29": (answers["intervals"], ""),
        "31": (answers["explanation"], ""),
        "35": (answers["numbers"], "exclusions"),
        "37": (answers["accuracy"], ""),
        "38": (answers["accuracy"], ""),
        "39": (answers["errors"], "common features"),
        "43": ("skpneumo is open source.", "model and data"),
    }


def _stard_ai_answers(answers):
    """Answer, and what is left for the authors, by number of the item."""
    return {
        "13": (answers["software"], "devices"),
        "14": (answers["preprocessing"], "acquisition"),
        "15a": (answers["model"], "layers of the network"),
        "15c": (answers["threshold"], "whether prespecified"),
        "18": (answers["intervals"], ""),
        "19": ("None: each image is predicted as one class.", "reference standard"),
        "20": (answers["missing"], "reference standard"),
        "21": (answers["subtypes"], "whether prespecified"),
        "23": (answers["errors"], "bias and fairness"),
        "25": (answers["numbers"], "all other characteristics"),
        "30": (answers["table"], ""),
        "31": (answers["accuracy"], ""),
        "40a": ("skpneumo is open source.", "data and model"),
        "40b": ("Fingerprints of data and model are under Provenance.", "storage of outputs"),
    }


def _answers(report, method_name):
    """Answers of an evaluation by topic; empty if it has none."""
    model, t = report.provenance.model, report.table
    negative, positive = report.classes
    has_subtypes = any(name.startswith(SUBTYPE_PREFIX) for name in report.metrics)
    patients = "" if report.n_patients is None else f" of {report.n_patients} patients"
    versions = report.provenance.versions.items()
    return {
        "software": ", ".join(f"{name} {number}" for name, number in versions) + ".",
        "model": f"{model['name']}, parameters and fingerprint under Provenance.",
        "preprocessing": _size_line(report.provenance.estimator),
        "initialization": _list_params(model["params"], _INITIALIZATION),
        "training": _list_params(model["params"], _TRAINING),
        "threshold": threshold_line(report),
        "measures": "Those of the tables above, with recall first.",
        "intervals": f"{intervals_line(report)} Proportions: Clopper-Pearson with the effective "
        "number of images (Korn-Graubard); ratios and differences: MOVER; area under the ROC "
        "curve: DeLong or Obuchowski on the logit scale.",
        "explanation": (
            f"A heatmap by {method_name} beside each misclassified image." if method_name else ""
        ),
        "numbers": f"{report.n_images} images{patients}, {percent(report.prevalence)} {positive}.",
        "missing": f"Each of the {report.n_images} images given has a result.",
        "accuracy": _accuracy_line(report.metrics),
        "errors": f"{t['false_negative']} false negatives and {t['false_positive']} false "
        "positives: see Misclassified images.",
        "subtypes": "Recall by subtype, under that heading." if has_subtypes else "",
        "table": f"{positive}: {t['true_positive']} predicted {positive}, {t['false_negative']} "
        f"{negative}. {negative}: {t['true_negative']} predicted {negative}, "
        f"{t['false_positive']} {positive}.",
    }


def _accuracy_line(metrics):
    parts = [
        f"{label} {format_metric(name, metrics[name].value)} {format_interval(name, metrics[name])}"
        for name, label in _ACCURACY.items()
        if name in metrics
    ]
    return ", ".join(parts) + "."


def _size_line(estimator):
    """Size of the images that the network is given, if there is a network."""
    size = getattr(unwrap(estimator).classifier, "image_size_", None)
    return f"Grayscale, 8 bits, resized to {size[0]} rows and {size[1]} columns." if size else ""


def _list_params(params, names):
    listed = ", ".join(f"{name}={params[name]}" for name in names if name in params)
    return f"{listed}." if listed else ""
