"""Whether a model beats a baseline: by its ranking of images, and at its threshold."""

from sklearn.metrics import roc_auc_score

from skpneumo._utils.formatting import ROUNDING, percent
from skpneumo.metrics import specificity_at_recall_score

RANKING = ("roc_auc", "specificity_at_recall")
AT_THRESHOLD = ("recall", "specificity")
AT_ITS_RECALL = "specificity_at_its_recall"


def ranking_metrics(positive, score, min_recall):
    """Compute metrics that do not depend on a threshold.

    Parameters
    ----------
    positive : ndarray of shape (n,), dtype bool
        Whether each image is positive; both classes are there.
    score : ndarray of shape (n,)
        Higher for positive images.
    min_recall : float
        The required recall.

    Returns
    -------
    dict of str to float
        "roc_auc", and "specificity_at_recall": the highest specificity of the thresholds whose
        recall reaches ``min_recall``.
    """
    at_recall = specificity_at_recall_score(positive, score, min_recall=min_recall, pos_label=True)
    return {
        "roc_auc": float(roc_auc_score(positive, score)),
        "specificity_at_recall": float(at_recall),
    }


def compare(model, baseline, *, on, name, min_recall, intervals=None):
    """Compare a model with a baseline, metric by metric.

    The model beats the baseline if

    1. it is better in area under the ROC curve or in specificity at the required recall, and worse
       in neither;
    2. at its own threshold it is better than chance, and not worse in both recall and specificity;
    3. the baseline has no higher specificity at the recall that the model's threshold gives.

    Parameters
    ----------
    model, baseline : dict of str to float
        The metrics of `RANKING`, of `AT_THRESHOLD` at the threshold of each, and, if it is known,
        `AT_ITS_RECALL`: the specificity of each at the recall of the model's threshold.
    on : str
        What they were computed on, for the verdict: "the test split".
    name : str
        Name of the model, for the verdict.
    min_recall : float
        The required recall.
    intervals : dict of str to list of float, default=None
        Intervals of the differences, by metric.

    Returns
    -------
    beats : bool
    comparison : dict
        "on", "min_recall", "verdict" (a sentence or two), and by metric "model", "baseline",
        "difference" and "interval" (None without one).
    """
    intervals = intervals or {}
    rows = {
        key: {
            "model": model[key],
            "baseline": baseline[key],
            "difference": model[key] - baseline[key],
            "interval": intervals.get(key),
        }
        for key in model
    }
    beats = _beats(rows)
    verdict = (
        f"On {on} the {name} {'beats' if beats else 'does not beat'} the logistic regression. "
        f"{_describe(rows, min_recall)}."
    )
    if not beats:
        verdict += " A simpler model does as well or better: do not rely on this one."
    # Specificities at a recall have intervals of unpaired models: too wide to decide.
    elif (interval := intervals.get("roc_auc")) and interval[0] <= 0:
        verdict += " The interval of the AUC reaches 0, so the difference may be chance."
    return beats, {"on": on, "min_recall": min_recall, "verdict": verdict, "metrics": rows}


def _beats(rows):
    # A model that predicts everyone positive has a recall of 1 and a specificity of 0: better than
    # the baseline in one of them, but no better than chance.
    gains = [rows[key]["difference"] for key in RANKING]
    losses = [-rows[key]["difference"] for key in AT_THRESHOLD]
    ranks_better = min(gains) >= -ROUNDING and max(gains) > ROUNDING
    is_dominated = min(losses) >= -ROUNDING and max(losses) > ROUNDING
    is_better_than_chance = sum(rows[key]["model"] for key in AT_THRESHOLD) > 1 + ROUNDING
    is_behind = AT_ITS_RECALL in rows and rows[AT_ITS_RECALL]["difference"] < -ROUNDING
    return ranks_better and is_better_than_chance and not is_dominated and not is_behind


def _describe(rows, min_recall):
    titles = {
        "roc_auc": "AUC",
        "specificity_at_recall": f"specificity at {100 * min_recall:g}% recall",
        "recall": "recall at its threshold",
        "specificity": "specificity at its threshold",
        AT_ITS_RECALL: "specificity at the recall of the model's threshold",
    }
    return "; ".join(
        f"{title}: {_pair(key, rows[key])}" for key, title in titles.items() if key in rows
    )


def _pair(key, row):
    show = "{:.3f}".format if key == "roc_auc" else percent
    text = f"{show(row['model'])} against {show(row['baseline'])}"
    if row["interval"]:
        low, high = (100 * end for end in row["interval"])
        text += f" (difference {100 * row['difference']:+.1f} [{low:+.1f}, {high:+.1f}] points)"
    return text
