"""Items of two reporting guidelines, and what a run can say to them by itself."""

from typing import NamedTuple

from skpneumo._utils.formatting import percent
from skpneumo._utils.unwrap import unwrap
from skpneumo.evaluation._estimates import KIND
from skpneumo.evaluation._text import format_figure, format_interval, intervals_line, threshold_line


class Checklist(NamedTuple):
    """A reporting guideline: its name, its source, and number and wording of its items."""

    name: str
    source: str
    items: tuple


CLAIM = Checklist(
    "CLAIM, 2024 update",
    "Tejani et al., Radiology: Artificial Intelligence 6 (2024), e240300; wording ours.",
    (
        ("1", "Title or abstract names the study as one of AI, and the technology"),
        ("2", "Summary of design, methods, results and conclusions"),
        ("3", "Background, intended use and role of the AI"),
        ("4", "Aims and hypotheses"),
        ("5", "Prospective or retrospective"),
        ("6", "Goal of the study"),
        ("7", "Sources of the data"),
        ("8", "Who was included and excluded"),
        ("9", "Preprocessing of the data"),
        ("10", "Selection of parts of the data"),
        ("11", "De-identification"),
        ("12", "What was done about missing data"),
        ("13", "How the images were acquired"),
        ("14", "Definition of the reference standard"),
        ("15", "Why this reference standard"),
        ("16", "Who made its annotations"),
        ("17", "Annotation of the test set"),
        ("18", "Agreement of and between annotators"),
        ("19", "How data were assigned to partitions"),
        ("20", "Level at which partitions are disjoint"),
        ("21", "Intended sample size"),
        ("22", "Description of the model"),
        ("23", "Software and packages"),
        ("24", "Initial values of the model's parameters"),
        ("25", "Details of the training"),
        ("26", "How the final model was selected"),
        ("27", "Ensembles"),
        ("28", "Measures of performance"),
        ("29", "Measures of significance and uncertainty"),
        ("30", "Robustness or sensitivity analysis"),
        ("31", "Methods of explanation"),
        ("32", "Evaluation on internal data"),
        ("33", "Test on external data"),
        ("34", "Registration of the trial"),
        ("35", "Numbers included and excluded"),
        ("36", "Characteristics of the cases in each partition"),
        ("37", "Performance, and its uncertainty"),
        ("38", "Diagnostic performance, and its precision"),
        ("39", "Analysis of the cases that were classified wrongly"),
        ("40", "Limitations"),
        ("41", "Implications for practice"),
        ("42", "Where the protocol or further details are"),
        ("43", "Availability of software, model and data"),
        ("44", "Funding, and the role of the funders"),
    ),
)

STARD_AI = Checklist(
    "STARD-AI, 2025",
    "Sounderajah et al., Nature Medicine 31 (2025), 3283-3289; wording ours.",
    (
        ("1", "Title or abstract names AI-centred diagnostic accuracy, and a measure of it"),
        ("2", "Structured summary"),
        ("3", "Background, intended use, novelty and place in the workflow"),
        ("4", "Objectives and hypotheses"),
        ("5", "Prospective or retrospective"),
        ("6", "Approval by an ethics committee"),
        ("7", "Eligibility of participants and of data, in the order applied"),
        ("8", "On what basis participants were identified"),
        ("9", "Where and when"),
        ("10", "Consecutive, random or convenience series"),
        ("11", "Source of the data: routine, collected for the study, or open"),
        ("12", "Who annotated the data, and how"),
        ("13", "Devices that captured the data; software of the index test, with versions"),
        ("14", "Acquisition and preprocessing of the data"),
        ("15a", "Index test, so that it can be replicated"),
        ("15b", "How the index test was developed, and on how many"),
        ("15c", "Cut-off of the index test, why, and whether specified before"),
        ("15d", "Who is to use the index test, and with what expertise"),
        ("16a", "Reference standard, so that it can be replicated"),
        ("16b", "Why this reference standard"),
        ("16c", "Cut-off of the reference standard, and why"),
        ("17a", "What those who ran the index test knew of the reference standard"),
        ("17b", "What those who set the reference standard knew of the index test"),
        ("18", "Methods of estimating and comparing accuracy"),
        ("19", "What was done about indeterminate results"),
        ("20", "What was done about missing data"),
        ("21", "Analyses of variability of the accuracy"),
        ("22", "Intended sample size"),
        ("23", "Analysis of errors; assessment of bias and fairness"),
        ("24", "Flow of participants, as a diagram"),
        ("25", "Characteristics of training, validation and test sets"),
        ("26a", "Severity of disease in those who have it"),
        ("26b", "Other diagnoses in those who do not"),
        ("27", "Time and treatment between index test and reference standard"),
        ("28", "Whether the data represent those for whom it is intended"),
        ("29", "How external data differ from those of the development"),
        ("30", "Cross-tabulation of index test and reference standard"),
        ("31", "Accuracy, and its precision"),
        ("32", "Adverse events"),
        ("33", "Limitations"),
        ("34", "Implications for practice"),
        ("35", "Ethics of its use, and fairness"),
        ("36", "Registration"),
        ("37", "Where the protocol is"),
        ("38", "Funding, and the role of the funders"),
        ("39", "Commercial interests"),
        ("40a", "Availability of data and code"),
        ("40b", "Whether outputs are stored and can be audited"),
    ),
)

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
_START = ("weights", "random_state")


def filled_in(report, method_name):
    """Both checklists with what the run can say.

    Parameters
    ----------
    report : Evaluation
        The run.
    method_name : str
        What the heatmaps of the report were made by; empty where it shows none.

    Returns
    -------
    list of (Checklist, list of (number, wording, answer, rest))
        ``answer`` is empty where the run knows nothing; ``rest`` names what is left for the
        authors, and is empty where the item is done.
    """
    said = _sayings(report, method_name)
    claim = {
        "9": (said["preprocessing"], "what was done before"),
        "22": (said["model"], "layers of the network"),
        "23": (said["software"], ""),
        "24": (said["start"], "how they are drawn"),
        "25": (said["training"], "data and hardware"),
        "26": (said["threshold"], "choice of model and parameters"),
        "28": (said["measures"], "why these"),
        "29": (said["intervals"], ""),
        "31": (said["explanation"], ""),
        "35": (said["numbers"], "who was excluded"),
        "37": (said["accuracy"], ""),
        "38": (said["accuracy"], ""),
        "39": (said["errors"], "what they have in common"),
        "43": ("skpneumo is open source.", "model and data"),
    }
    stard = {
        "13": (said["software"], "devices"),
        "14": (said["preprocessing"], "acquisition"),
        "15a": (said["model"], "layers of the network"),
        "15c": (said["threshold"], "whether specified before"),
        "18": (said["intervals"], ""),
        "19": ("None: each image is called one or the other.", "reference standard"),
        "20": (f"Each of the {report.n_images} images given has a result.", "reference standard"),
        "21": (said["kinds"], "whether specified before"),
        "23": (said["errors"], "bias and fairness"),
        "25": (said["numbers"], "all else"),
        "30": (said["table"], ""),
        "31": (said["accuracy"], ""),
        "40a": ("skpneumo is open source.", "data and model"),
        "40b": ("Fingerprints of data and model are under Provenance.", "where outputs are stored"),
    }
    return [
        (checklist, [(*item, *_answer(answers, item[0])) for item in checklist.items])
        for checklist, answers in ((CLAIM, claim), (STARD_AI, stard))
    ]


def _answer(answers, number):
    answer, rest = answers.get(number, ("", ""))
    return (answer, rest) if answer else ("", "")


def _sayings(report, method_name):
    negative, positive = report.classes
    t, figures, params = report.table, report.figures, report.model["params"]
    kinds = [name for name in figures if name.startswith(KIND)]
    patients = "" if report.groups is None else f" of {report.n_patients} patients"
    return {
        "software": ", ".join(f"{name} {number}" for name, number in report.versions.items()) + ".",
        "model": f"{report.model['name']}, parameters and fingerprint under Provenance.",
        "preprocessing": _size_line(report),
        "start": _listed(params, _START),
        "training": _listed(params, _TRAINING),
        "threshold": threshold_line(report),
        "measures": "Those of the tables above, with recall first.",
        "intervals": f"{intervals_line(report)} Proportions: Clopper-Pearson with the effective "
        "number of images (Korn-Graubard); ratios and differences: MOVER; area under the ROC "
        "curve: DeLong or Obuchowski on the logit scale.",
        "explanation": (
            f"A heatmap by {method_name} beside each misclassified image." if method_name else ""
        ),
        "numbers": f"{report.n_images} images{patients}, {percent(report.prevalence)} {positive}.",
        "accuracy": ", ".join(
            f"{label} {format_figure(name, figures[name].value)} "
            f"{format_interval(name, figures[name])}"
            for name, label in (
                ("recall", "recall of images"),
                ("specificity", "specificity of images"),
                ("recall_of_patients", "recall of patients"),
                ("specificity_of_patients", "specificity of patients"),
                ("roc_auc", "area under the ROC curve"),
            )
            if name in figures
        )
        + ".",
        "errors": f"{t['false_negative']} missed and {t['false_positive']} false alarms: "
        "see Images called wrong.",
        "kinds": "Recall by kind, under that heading." if kinds else "",
        "table": f"{positive}: {t['true_positive']} called {positive}, {t['false_negative']} "
        f"{negative}. {negative}: {t['true_negative']} called {negative}, {t['false_positive']} "
        f"{positive}.",
    }


def _size_line(report):
    """Size of the images that the network sees, where there is one."""
    size = getattr(unwrap(report.estimator).classifier, "image_size_", None)
    return f"Grey, 8 bits, brought to {size[0]} rows and {size[1]} columns." if size else ""


def _listed(params, names):
    listed = ", ".join(f"{name}={params[name]}" for name in names if name in params)
    return f"{listed}." if listed else ""
