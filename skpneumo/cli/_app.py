"""The command line: parses, calls the library, prints."""

import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from skpneumo._utils.files import write_text
from skpneumo._utils.formatting import fold_lines, percent
from skpneumo.cli._messages import (
    errors_as_messages,
    prepare_streams,
    print_warning,
    standard_output,
    warnings_as_messages,
)
from skpneumo.cli._options import (
    Choice,
    Number,
    parse_classes,
    parse_folder,
    parse_output,
    parse_report,
    parse_size,
)
from skpneumo.cli._tables import (
    comparison_table,
    predictions_summary,
    predictions_table,
    reasons_table,
    settings_table,
)

# Usage errors are plain text: a frame around them would break paths into pieces.
app = typer.Typer(
    help="Detect pneumonia in children's chest X-rays. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class _Console(Console):
    """Console that leaves a closed pipe to `standard_output`."""

    def on_broken_pipe(self):
        raise


# Tables go to standard output, what is only for people waiting to standard error.
_OUT, _ERR = _Console(), _Console(stderr=True)
_WIDE = 10_000

MODELS = ("cnn", "inception")
# Measured by tests/benchmarks/selection_rule.py: with the margin of one standard error.
_NOT_CERTIFIED = (
    "Nothing is certified: where a mean recall over folds reaches the required one, the recall on "
    "new patients is lower in about 22% of simulated searches (7 to 45%)."
)
# Rows, columns and epochs by model and by whether a folder is given: chosen so that a search on
# two cores takes minutes on the embedded data and about an hour on the Kermany collection.
_DEFAULTS = {
    ("cnn", False): ((72, 64), 8),
    ("cnn", True): ((96, 96), 20),
    ("inception", False): ((96, 88), 3),
    ("inception", True): ((150, 150), 5),
}

_Report = Annotated[
    Path | None,
    typer.Option(
        parser=parse_report,
        metavar="FILE",
        help="Write the report here: .html (with pictures), .json or .txt.",
    ),
]
_Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--classes",
        metavar="FOLDER=CLASS",
        help="Class of a folder of another name, such as Opacity=PNEUMONIA; may be repeated.",
    ),
]
_AllViews = Annotated[
    bool,
    typer.Option(
        "--all-views",
        help="Keep lateral and oblique views and other parts of the body, which are left out by "
        "the headers of DICOM files.",
    ),
]
_Labelled = Annotated[
    Path,
    typer.Argument(
        parser=parse_folder, metavar="FOLDER", help="X-rays sorted into NORMAL and PNEUMONIA."
    ),
]


@app.callback()
def _top():
    """Detect pneumonia in children's chest X-rays. Not a medical device."""
    # To be set before the first import of TensorFlow, which logs its start at length and leaves
    # faster kernels unused on many processors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    prepare_streams()


@app.command()
def train(
    folder: Annotated[
        Path | None,
        typer.Argument(
            parser=parse_folder,
            metavar="[FOLDER]",
            help="X-rays sorted into NORMAL and PNEUMONIA; synthetic ones if left out.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option(parser=Choice(MODELS), metavar="|".join(MODELS), help="Network to train.")
    ] = "cnn",
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|none|FILE",
            help="Initial weights of inception.",
            show_default="imagenet",
        ),
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS",
            help="Size of the images that the network sees.",
            show_default="by model",
        ),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(parser=Number(int, 2), metavar="N", help="Folds of the cross-validation."),
    ] = 5,
    epochs: Annotated[
        int | None,
        typer.Option(
            parser=Number(int, 1),
            metavar="N",
            help="Maximum number of epochs of each fit.",
            show_default="by model",
        ),
    ] = None,
    classes: _Classes = None,
    subset: Annotated[
        int | None,
        typer.Option(
            parser=Number(int, 20),
            metavar="N",
            help="Train on about this many images, drawn by patient.",
        ),
    ] = None,
    min_recall: Annotated[
        float,
        typer.Option(
            parser=Number(float, 0, 1),
            metavar="RECALL",
            help="Recall that the mean over folds of a candidate should exceed by one standard "
            "error; with --confidence the recall to certify.",
        ),
    ] = 0.98,
    confidence: Annotated[
        float | None,
        typer.Option(
            parser=Number(float, 0, 1, open=True),
            metavar="CONFIDENCE",
            help="Certify --min-recall for new patients with this confidence, such as 0.95: the "
            "search is repeated inside each fold, which takes --folds times as long.",
        ),
    ] = None,
    test: Annotated[
        bool, typer.Option(help="Evaluate on the folder's test split at the end.")
    ] = True,
    output: Annotated[
        Path | None,
        typer.Option(parser=parse_output, metavar="FILE", help="Write all results here, as JSON."),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            parser=parse_output,
            metavar="FILE",
            help="Write the model here, for predict and evaluate.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not tables.")] = False,
    all_views: _AllViews = False,
    seed: Annotated[
        int,
        typer.Option(
            parser=Number(int, 0),
            metavar="N",
            help="Controls folds, initialization, shuffling and augmentation.",
        ),
    ] = 0,
):
    """Search class weights and thresholds by cross-validation, patients kept together.

    Selects the candidate of highest specificity among those that reach the recall, fits it on all
    training images, and evaluates it on the test split beside a logistic regression. Warns if it
    does not beat that baseline; the exit status is 0 all the same.

    The recall of such a candidate is often lower on new patients. --confidence certifies it.
    """
    if confidence is not None and not 0 < min_recall < 1:
        raise typer.BadParameter(
            f"--confidence certifies a recall between 0 and 1, got --min-recall {min_recall:g}."
        )
    if output is not None and output == save:
        raise typer.BadParameter(f"--output and --save both name {output}.")
    if weights is not None and model == "cnn":
        raise typer.BadParameter("--weights is for --model inception; the cnn starts from random.")
    weights = weights or "imagenet"
    default_size, default_epochs = _DEFAULTS[model, folder is not None]
    size = default_size if image_size is None else parse_size(image_size)
    class_of_folder = parse_classes(classes)
    if class_of_folder is not None and folder is None:
        raise typer.BadParameter("--classes is for a folder; synthetic X-rays have none.")
    with errors_as_messages("Training", _ERR) as written:
        with _ERR.status("Loading TensorFlow …"):
            from skpneumo.cli import _job
        # What is wrong with the patients must be known before hours of training, not after.
        with warnings_as_messages(_ERR), _ERR.status("Reading the folder …"):
            data = _job.load_data(
                folder,
                classes=class_of_folder,
                views=_views(all_views),
                image_size=size,
                subset=subset,
                random_state=seed,
            )
        # Keras reports a download on standard output, where only results belong.
        with warnings_as_messages(_ERR), _progress() as progress, redirect_stdout(sys.stderr):
            task = progress.add_task("Reading images", total=1)
            result, fitted = _job.run(
                folder,
                data=data,
                model=model,
                weights=None if weights.lower() == "none" else weights,
                image_size=size,
                n_folds=folds,
                epochs=epochs or default_epochs,
                min_recall=min_recall,
                confidence=confidence,
                test=test,
                random_state=seed,
                on_progress=lambda done, doing: progress.update(
                    task, completed=done, description=doing
                ),
            )
        # Whatever cannot be written or printed, nothing else of hours of work is lost.
        try:
            if save is not None:
                _save(fitted, save, result)
                written.append(save)
        finally:
            try:
                if output is not None:
                    write_text(json.dumps(result, indent=2) + "\n", output)
                    written.append(output)
            finally:
                with standard_output():
                    if as_json:
                        print(json.dumps(result, indent=2))
                    else:
                        _print(result)
                if not result["beats_baseline"]:
                    print_warning(result["comparison"]["verdict"], _ERR)


def _progress():
    """Bar over all of the work, as wide as the terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        console=_ERR,
        expand=True,
    )


def _save(fitted, path, result):
    from skpneumo.persistence import save_model

    data = result["data"]
    notes = {
        "Data": f"{data['images']} images of {data['patients']} patients, {data['pneumonia']} with "
        "pneumonia",
        "Search": f"skpneumo train, {result['folds']} folds, random_state={result['random_state']}",
        "Choice": result["chosen"]["reason"],
    }
    if result["operating_point"] is not None:
        notes["Operating point"] = result["operating_point"]["reason"]
    else:
        notes["Recall"] = _NOT_CERTIFIED
    notes["Baseline"] = result["comparison"]["verdict"]
    save_model(fitted, path, notes=notes)


def _print(result):
    data = result["data"]
    _OUT.print(
        f"{escape(data['folder'] or 'Synthetic X-rays')}: "
        f"{data['images']} images of {data['patients']} "
        f"patients, {data['pneumonia']} with pneumonia. {result['folds']} folds, patients kept "
        f"together, {result['model']} at {'x'.join(map(str, result['image_size']))}.\n",
        highlight=False,
    )
    if unnamed := data["images_without_patient"]:
        _OUT.print(
            f"{unnamed} of {data['images']} files name no patient; each counts as a patient of its "
            "own, so that images of one patient may be in different folds.\n",
            highlight=False,
        )
    _OUT.print(settings_table(result, _OUT.width))
    _OUT.print(f"\n{result['chosen']['reason']}", highlight=False)
    point = result["operating_point"]
    if point is None:
        _OUT.print(f"{_NOT_CERTIFIED} --confidence certifies it.", highlight=False)
    else:
        _OUT.print(f"\n{point['reason']}\n", highlight=False)
    baseline = result["baseline"]
    rule = "the same rule" if point is None else "the rule of the searches"
    rule += "" if baseline["met"] else ", which none of its thresholds meets"
    _OUT.print(
        f"Baseline, a logistic regression on 32x32 pixels, at its threshold "
        f"{baseline['threshold']:g} by {rule}: "
        f"mean recall {percent(baseline['mean_recall'])}, mean specificity "
        f"{percent(baseline['mean_specificity'])}.\n",
        highlight=False,
    )
    if result["test"] is not None:
        _OUT.print(comparison_table(result, _OUT.width))
        if point is not None:
            _OUT.print(f"\n{point['test']['verdict']}", highlight=False)
    style = None if result["beats_baseline"] else "bold yellow"
    _OUT.print(f"\n{result['comparison']['verdict']}", style=style, highlight=False)
    _OUT.print(f"\n{result['seconds'] / 60:.1f} minutes.", highlight=False)


def _print_evaluation(report):
    """Print an evaluation; lines are folded where a person's terminal is narrow."""
    _print_text(fold_lines(str(report), _OUT.width) if _has_width() else str(report))


def _has_width():
    """Whether results are read in a terminal, and not by a program."""
    return _OUT.is_terminal or "COLUMNS" in os.environ


def _print_text(text):
    """Print lines as they are."""
    with standard_output():
        _OUT.print(text, markup=False, highlight=False, soft_wrap=True)


@app.command()
def audit(
    folder: _Labelled,
    report: _Report = None,
    classes: _Classes = None,
    all_views: _AllViews = False,
):
    """Check a dataset for duplicates, leakage and shortcuts."""
    class_of_folder = parse_classes(classes)
    with errors_as_messages("The audit", _ERR) as written:
        with warnings_as_messages(_ERR), _ERR.status("Decoding every file …"):
            from skpneumo.datasets import audit as audit_data
            from skpneumo.datasets import load_xray_folder
            from skpneumo.datasets._auditing import as_text

            result = audit_data(
                load_xray_folder(folder, classes=class_of_folder, views=_views(all_views))
            )
        if report is not None:
            result.save(report)
            written.append(report)
        # Folded once, at the width of the terminal.
        _print_text(as_text(result, _OUT.width) if _has_width() else str(result))


@app.command()
def predict(
    named: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] IMAGES...",
            help="X-rays, or folders of them, after a file of save_model. Without one, or after "
            "the word default, the network that comes with skpneumo predicts.",
        ),
    ],
    csv: Annotated[
        Path | None,
        typer.Option(parser=parse_output, metavar="FILE", help="Write the table here, as CSV."),
    ] = None,
    heatmaps: Annotated[
        Path | None,
        typer.Option(
            parser=parse_folder,
            metavar="FOLDER",
            help="Write a heatmap (layer conductance) of each predicted X-ray into this folder.",
        ),
    ] = None,
    label_outliers: Annotated[
        bool,
        typer.Option("--label-outliers", help="Predict out-of-distribution images too."),
    ] = False,
    all_views: _AllViews = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not a table.")] = False,
):
    """Predict pneumonia on X-ray files; not to decide about a patient.

    Images that the model's outlier detector flags as out-of-distribution get no label. Files that
    hold no frontal chest X-ray are left out. The exit status is 1 if a file or folder cannot be
    read (the others are predicted), and 3 if a file that was named, or every file, is left out.
    """
    with errors_as_messages("The prediction", _ERR) as written:
        with warnings_as_messages(_ERR), _ERR.status("Predicting …"), redirect_stdout(sys.stderr):
            from skpneumo._utils.unwrap import unwrap
            from skpneumo.cli import _prediction
            from skpneumo.cli._find_files import find_files

            fitted, paths = _prediction.open_first_model(named)
            found = find_files(paths, _views(all_views))
            if csv is not None:
                _prediction.check_overwrites_nothing(csv, [*named, *found.files])
            if heatmaps is not None:
                _prediction.prepare_folder(heatmaps)
            rows = _prediction.predict_files(
                fitted, found.files, found.errors, found.left_out, label_outliers=label_outliers
            )
            if csv is not None:
                _prediction.write_table(rows, csv)
                written.append(csv)
            if heatmaps is not None:
                n_files = len(written)
                for n, _ in enumerate(_prediction.draw_heatmaps(fitted, rows, heatmaps), 1):
                    written[n_files:] = [f"{n} heatmap{'s' * (n > 1)} in {heatmaps}"]
        with standard_output():
            if as_json:
                result = _prediction.results_as_dict(
                    rows,
                    classes=fitted.classes_,
                    threshold=unwrap(fitted).threshold,
                    skipped=found.skipped,
                )
                print(json.dumps(result, indent=2))
            else:
                _print_predictions(
                    rows, fitted.classes_[1], unwrap(fitted).threshold, found.skipped
                )
        if found.skipped:
            print_warning(_prediction.describe_skipped(found.skipped), _ERR)
        if any(row["left_out"] for row in rows):
            print_warning(_prediction.describe_left_out(rows), _ERR)
        status = _prediction.exit_status(rows, found.named)
        if status == 1:
            raise ValueError(_prediction.describe_errors(rows))
    if status:
        raise typer.Exit(status)


def _print_predictions(rows, positive, threshold, skipped):
    """Print what is predicted, what is left out, and what cannot be read, as tables."""
    # Names stay whole where no one looks at them but a program.
    out = _OUT if _has_width() else _Console(width=_WIDE)
    left_out, unreadable = (
        {row["file"]: row[column] for row in rows if row[column]}
        for column in ("left_out", "error")
    )
    if predicted := [row for row in rows if not (row["left_out"] or row["error"])]:
        out.print(predictions_table(predicted, positive, out.width))
    if left_out:
        out.print(reasons_table("Left out, holding no frontal chest X-ray", left_out, out.width))
    if unreadable:
        out.print(reasons_table("Cannot be read", unreadable, out.width, style="red"))
    summary = predictions_summary(rows, positive, threshold, n_skipped=len(skipped))
    out.print(summary, markup=False, highlight=False)


def _views(all_views):
    return "all" if all_views else "frontal"


def _test_rows(data, folder):
    """Rows of the test split, or all rows if the folder itself is a split or has no splits."""
    from skpneumo.datasets._contents import shorten
    from skpneumo.datasets._tree import named_split
    from skpneumo.exceptions import DatasetError

    splits = sorted(set(data.split))
    if "test" in splits:
        return data.split == "test"
    if splits not in (["all"], [named_split(folder)]):
        problem = (
            f"{folder} has no test split, only {' and '.join(splits)}, which a model may have "
            "learnt from. Name the folder of a split itself to evaluate on it."
        )
        if data.left_out:
            problem += f" Left out, as not understood: {shorten(data.left_out)}."
        raise DatasetError(problem)
    return data.split == splits[0]


@app.command()
def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="File of save_model, or default: the network of skpneumo."
        ),
    ],
    folder: _Labelled,
    report: _Report = None,
    classes: _Classes = None,
    all_views: _AllViews = False,
):
    """Evaluate a model on images that it did not learn from.

    Of a folder with splits, on its test split alone.
    """
    class_of_folder = parse_classes(classes)
    with errors_as_messages("The evaluation", _ERR) as written:
        evaluating = _ERR.status("Evaluating …")
        with warnings_as_messages(_ERR), evaluating, redirect_stdout(sys.stderr):
            from skpneumo.cli._prediction import open_model
            from skpneumo.datasets import load_xray_folder
            from skpneumo.evaluation import evaluate as evaluate_model

            fitted = open_model(model)
            data = load_xray_folder(folder, classes=class_of_folder, views=_views(all_views))
            rows = _test_rows(data, folder)
            X, y, groups, subtype = (
                data[name][rows] for name in ("paths", "target", "groups", "subtype")
            )
            result = evaluate_model(fitted, X, y, groups=groups, subtype=subtype)
            if report is not None:
                result.save(report)
                written.append(report)
        _print_evaluation(result)


def main():
    """Entry point of ``skpneumo``."""
    app()
