"""The command line: parses, calls the library, prints."""

import json
import logging
import os
import sys
import warnings
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skpneumo._format import percent
from skpneumo._tables import predictions_summary, predictions_table, settings_table, test_table

app = typer.Typer(
    help="Detect pneumonia in children's chest X-rays. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Tables go to standard output, what is only for people waiting to standard error.
_OUT, _ERR = Console(), Console(stderr=True)
_WIDE = 10_000


class Model(StrEnum):
    """Networks to train."""

    cnn = "cnn"
    inception = "inception"


# Rows, columns and epochs by model and by whether a folder is given: chosen so that a search on
# two cores takes minutes on the embedded data and about an hour on the Kermany collection.
_DEFAULTS = {
    (Model.cnn, False): ((72, 64), 8),
    (Model.cnn, True): ((96, 96), 20),
    (Model.inception, False): ((96, 88), 3),
    (Model.inception, True): ((150, 150), 5),
}


@app.callback()
def _top():
    """Detect pneumonia in children's chest X-rays. Not a medical device."""
    # To be set before the first import of TensorFlow, which logs its start at length and leaves
    # faster kernels unused on many processors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # An arrow that a terminal does not know is no reason to lose the results of an hour.
    if sys.stdout is not None:
        sys.stdout.reconfigure(errors="replace")


@contextmanager
def _silent_loading():
    """Swallow what TensorFlow writes to standard error while it loads, before it can be told."""
    if sys.stderr is None:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _parse_size(text):
    if text is None or isinstance(text, tuple):
        return text
    try:
        sides = tuple(int(side) for side in str(text).lower().split("x"))
    except ValueError:
        sides = ()
    if len(sides) not in (1, 2) or min(sides) < 1:
        raise typer.BadParameter(f"{text!r} is no size; give 112 or ROWSxCOLUMNS such as 112x96.")
    return sides * 2 if len(sides) == 1 else sides


_Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--classes",
        metavar="FOLDER=CLASS",
        help="Class of a folder of another name, such as Opacity=PNEUMONIA; may be repeated.",
    ),
]


def _parse_classes(pairs):
    """Class by name of a folder; None without pairs."""
    classes = {}
    for pair in pairs or ():
        name, separator, target = pair.rpartition("=")
        if not separator or classes.setdefault(name, target) != target:
            raise typer.BadParameter(
                "--classes takes the name of a folder and its one class, such as "
                f"Opacity=PNEUMONIA, got {pair!r}."
            )
    return classes or None


def _check_writable(file):
    """Refuse, before hours of work, a file that cannot be written to."""
    existed = file.exists()
    try:
        file.open("a").close()
    except OSError as error:
        raise typer.BadParameter(f"cannot write to {file}: {error.strerror}.") from None
    if not existed:
        file.resolve().unlink()  # a link that leads nowhere yet stays


@app.command()
def train(
    folder: Annotated[
        Path | None,
        typer.Argument(help="X-rays sorted into NORMAL and PNEUMONIA; synthetic ones if left out."),
    ] = None,
    model: Annotated[Model, typer.Option(help="Network to train.")] = Model.cnn,
    weights: Annotated[
        str | None,
        typer.Option(
            help="Start of inception: imagenet, a weights file, or none.", show_default="imagenet"
        ),
    ] = None,
    image_size: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS", help="What the network sees.", show_default="by model"
        ),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 5,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of each training.", show_default="by model")
    ] = None,
    classes: _Classes = None,
    subset: Annotated[
        int | None, typer.Option(min=20, help="Learn from about so many images, by patient.")
    ] = None,
    min_recall: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Mean recall that a setting should reach.")
    ] = 0.98,
    test: Annotated[bool, typer.Option(help="Look at the folder's test split at the end.")] = True,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write all results here, as JSON.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write the model here, for predict and evaluate."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not tables.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides folds, weights and order.")] = 0,
):
    """Search class weights and thresholds by cross-validation, patients kept together.

    Among the settings that reach the recall wanted, the one of highest specificity is taken.

    It is fitted on all images and tried on the test split, beside a logistic regression.
    """
    if output is not None and output == save:
        raise typer.BadParameter(f"--output and --save both name {output}.")
    for file in (output, save):
        if file is not None:
            _check_writable(file)
    if weights is not None and model is Model.cnn:
        raise typer.BadParameter("--weights is for --model inception; the cnn starts from random.")
    if classes and folder is None:
        raise typer.BadParameter("--classes is for a folder; synthetic X-rays have none.")
    class_of_folder = _parse_classes(classes)
    weights = weights or "imagenet"
    default_size, default_epochs = _DEFAULTS[model, folder is not None]
    size = _parse_size(image_size) or default_size
    with _ERR.status("Loading TensorFlow …"), _silent_loading():
        from skpneumo import _job
    # Every new network is traced anew, as it must be.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    with _told_errors(), _told_warnings():
        # What is wrong with the patients must be known before hours of training, not after.
        data = _job.load_data(
            folder, classes=class_of_folder, image_size=size, subset=subset, random_state=seed
        )
    progress = Progress(
        TextColumn("Training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=_ERR,
    )
    # Keras reports a download on standard output, where only results belong.
    with _told_errors(), progress, redirect_stdout(sys.stderr):
        task = progress.add_task("epochs", total=None, visible=False)
        result, fitted = _job.run(
            folder,
            data=data,
            model=model.value,
            weights=None if weights.lower() == "none" else weights,
            image_size=size,
            n_folds=folds,
            epochs=epochs or default_epochs,
            min_recall=min_recall,
            test=test,
            random_state=seed,
            on_epoch=lambda n, total: progress.update(task, completed=n, total=total, visible=True),
        )
    text = json.dumps(result, indent=2)
    if output is not None:
        output.write_text(text + "\n")
    if as_json:
        print(text)
    else:
        _print(result)
    if save is not None:
        with _told_errors():
            _save(fitted, save, result)


def _save(fitted, path, result):
    from skpneumo.persistence import save_model

    data = result["data"]
    images = f"{data['images']} images of {data['patients']} patients, {data['pneumonia']} ill"
    search = f"skpneumo train, {result['folds']} folds, random_state={result['random_state']}"
    notes = {"Data": images, "Search": search, "Choice": result["chosen"]["reason"]}
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
    _OUT.print(settings_table(result))
    _OUT.print(f"\n{result['chosen']['reason']}", highlight=False)
    baseline = result["baseline"]
    rule = "the same rule" + ("" if baseline["met"] else ", which none of its thresholds meets")
    _OUT.print(
        f"Baseline, a logistic regression on 32x32 pixels, at its threshold "
        f"{baseline['threshold']:g} by {rule}: "
        f"mean recall {percent(baseline['mean_recall'])}, mean specificity "
        f"{percent(baseline['mean_specificity'])}.\n",
        highlight=False,
    )
    if result["test"] is not None:
        _OUT.print(test_table(result))
    _OUT.print(f"\n{result['seconds'] / 60:.1f} minutes.", highlight=False)


@contextmanager
def _told_errors():
    """End with what is wrong in words, not in a traceback."""
    try:
        yield
    except (ValueError, OSError) as error:
        message = f"[bold red]Error:[/] {escape(str(error))}"
        # A long address must stay one that can be copied out of a file.
        _ERR.print(message, highlight=False, soft_wrap=not _ERR.is_terminal)
        raise typer.Exit(1) from None


@contextmanager
def _told_warnings():
    """Tell warnings in words, at the end."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default", UserWarning)
        yield
    for warning in told:
        _ERR.print(f"[bold yellow]Warning:[/] {escape(str(warning.message))}", highlight=False)


def _check_report(file):
    if file.suffix.lower() not in (".html", ".json", ".txt"):
        raise typer.BadParameter(f"{file} must end in .html, .json or .txt.")
    _check_writable(file)


@app.command()
def audit(
    folder: Annotated[Path, typer.Argument(help="X-rays sorted into NORMAL and PNEUMONIA.")],
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write it here: .html (with pictures), .json or .txt."),
    ] = None,
    classes: _Classes = None,
):
    """Look a folder over for what makes figures wrong: copies, leaks, shortcuts, bad files."""
    from skpneumo.datasets import audit as audit_data
    from skpneumo.datasets import load_xray_folder

    if report is not None:
        _check_report(report)
    class_of_folder = _parse_classes(classes)
    with _told_errors(), _told_warnings(), _ERR.status("Decoding every file …"):
        result = audit_data(load_xray_folder(folder, classes=class_of_folder))
    _OUT.print(str(result), markup=False, highlight=False, soft_wrap=True)
    if report is not None:
        result.save(report)


@app.command()
def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] IMAGES...",
            help="X-rays, or folders of them, after a file of save_model. Without one, or after "
            "the word default, the network that comes with skpneumo is asked.",
        ),
    ],
    csv: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the table here.")] = None,
    heatmaps: Annotated[
        Path | None, typer.Option(file_okay=False, help="Draw the evidence into this folder.")
    ] = None,
):
    """Ask a model about X-rays; not to decide about a patient.

    Files that cannot be read are told, and make the exit status 1.
    """
    if csv is not None:
        _check_writable(csv)
    with _told_errors(), _ERR.status("Looking …"), redirect_stdout(sys.stderr):
        with _silent_loading():
            from skpneumo import _predicting
            from skpneumo.inspection._layers import threshold_of
        if heatmaps is not None:
            heatmaps.mkdir(parents=True, exist_ok=True)
        fitted, images = _predicting.open_first_model(images)
        rows = _predicting.predict_files(fitted, _predicting.find_files(images))
        if csv is not None:
            _predicting.write_table(rows, csv)
        if heatmaps is not None:
            _predicting.draw_heatmaps(fitted, rows, heatmaps)
    # Names stay whole where no one looks at them but a program.
    out = _OUT if _OUT.is_terminal else Console(width=_WIDE)
    out.print(predictions_table(rows, fitted.classes_[1]))
    out.print(predictions_summary(rows, fitted.classes_[1], threshold_of(fitted)), markup=False)
    if any(row["error"] for row in rows):
        raise typer.Exit(1)


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
        typer.Argument(help="File of save_model, or default: that of skpneumo."),
    ],
    folder: Annotated[Path, typer.Argument(help="X-rays sorted into NORMAL and PNEUMONIA.")],
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write it here: .html (with pictures), .json or .txt."),
    ] = None,
    classes: _Classes = None,
):
    """Evaluate a model on images that it did not learn from.

    Of a folder with splits, on its test split alone.
    """
    if report is not None:
        _check_report(report)
    class_of_folder = _parse_classes(classes)
    looking = _ERR.status("Evaluating …")
    with _told_errors(), _told_warnings(), looking, redirect_stdout(sys.stderr):
        with _silent_loading():
            from skpneumo._predicting import open_model
            from skpneumo.datasets import load_xray_folder
            from skpneumo.evaluation import evaluate as evaluate_model
        fitted, data = open_model(model), load_xray_folder(folder, classes=class_of_folder)
        rows = _test_rows(data, folder)
        X, y, groups, subtype = (
            data[name][rows] for name in ("paths", "target", "groups", "subtype")
        )
        result = evaluate_model(fitted, X, y, groups=groups, subtype=subtype)
        if report is not None:
            result.save(report)
    _OUT.print(str(result), markup=False, highlight=False, soft_wrap=True)


def main():
    """Entry point of ``skpneumo``."""
    app()
