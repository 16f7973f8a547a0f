"""The result of a training job in the terminal and in the model card."""

from skpneumo._utils.formatting import percent
from skpneumo.cli._training._tables import candidates_table, evaluation_table

# Measured by tests/benchmarks/selection_rule.py: with the margin of one standard error.
_NOT_CERTIFIED = (
    "Nothing is certified: if a mean recall over folds reaches the required one, the recall on "
    "new patients is lower in about 22% of simulated searches (7 to 45%)."
)


def print_result(result, console):
    """Print the result of a training job.

    Parameters
    ----------
    result : dict
        Returned by `run`.
    console : rich.console.Console
        Standard output.
    """
    point, test = result["operating_point"], result["test"]
    _print_text(console, f"{_describe_data(result)}\n")
    console.print(candidates_table(result, console.width))
    _print_text(console, f"\n{result['selected']['reason']}")
    if point is None:
        _print_text(console, f"{_NOT_CERTIFIED} --confidence certifies it.")
    else:
        _print_text(console, f"\n{point['reason']}\n")
    _print_text(console, f"{_describe_baseline(result)}\n")
    if test is not None:
        console.print(evaluation_table(result, console.width))
        if point is not None:
            _print_text(console, f"\n{point['test']['verdict']}")
    style = None if result["beats_baseline"] else "bold yellow"
    _print_text(console, f"\n{result['comparison']['verdict']}", style)
    _print_text(console, f"\n{result['seconds'] / 60:.1f} minutes.")


def _print_text(console, text, style=None):
    console.print(text, style=style, markup=False, highlight=False)


def _describe_data(result):
    data = result["data"]
    rows, columns = result["image_size"]
    text = (
        f"{data['folder'] or 'Synthetic X-rays'}: {data['images']} images of {data['patients']} "
        f"patients, {data['pneumonia']} with pneumonia. {result['folds']} folds, patients kept "
        f"together, {result['model']} at {rows}x{columns}"
        f"{_describe_weights(result['weights'])}.\n"
    )
    if n := data["images_without_patient"]:
        text += (
            f"\n{n} of {data['images']} files name no patient; each counts as a patient of its "
            "own, so that images of one patient may be in different folds.\n"
        )
    return text.removesuffix("\n")


def _describe_weights(weights):
    return "" if weights is None else f", initial weights: {weights}"


def _describe_baseline(result):
    baseline = result["baseline"]
    rule = "the same rule" if result["operating_point"] is None else "the rule of the searches"
    if not baseline["met"]:
        rule += ", which none of its thresholds meets"
    return (
        f"Baseline, a logistic regression on 32x32 pixels, at its threshold "
        f"{baseline['threshold']:g} by {rule}: mean recall {percent(baseline['mean_recall'])}, "
        f"mean specificity {percent(baseline['mean_specificity'])}."
    )


def model_notes(result):
    """Summarize the result of a training job for the model card.

    Parameters
    ----------
    result : dict
        Returned by `run`.

    Returns
    -------
    dict of str to str
    """
    data, point = result["data"], result["operating_point"]
    notes = {
        "Data": f"{data['images']} images of {data['patients']} patients, {data['pneumonia']} with "
        "pneumonia",
        "Search": f"skpneumo train, {result['folds']} folds, random_state={result['random_state']}",
        "Selection": result["selected"]["reason"],
    }
    if result["weights_warning"] is not None:
        notes["Initial network"] = result["weights_warning"]
    if point is None:
        notes["Recall"] = _NOT_CERTIFIED
    else:
        notes["Operating point"] = point["reason"]
    return notes | {"Baseline": result["comparison"]["verdict"]}
