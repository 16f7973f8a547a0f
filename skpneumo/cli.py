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
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

app = typer.Typer(
    help="Detect pneumonia in children's chest X-rays. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Tables go to standard output, what is only for people waiting to standard error.
_OUT, _ERR = Console(), Console(stderr=True)


class Model(StrEnum):
    """Networks to train."""

    cnn = "cnn"
    inception = "inception"


# Rows, columns and epochs by model and by whether a folder is given: chosen so that a search on
# two cores takes minutes on the embedded data and about an hour on the Kermany collection.
_DEFAULTS = {
    (Model.cnn, False): ((72, 64), 8),
    (Model.cnn, True): ((112, 112), 16),
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


def _check_writable(file):
    """Refuse, before hours of work, a file that cannot be written to."""
    existed = file.exists()
    try:
        file.open("a").close()
    except OSError as error:
        raise typer.BadParameter(f"cannot write to {file}: {error.strerror}.") from None
    if not existed:
        file.unlink()


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not tables.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides folds, weights and order.")] = 0,
):
    """Search class weights and thresholds by cross-validation, patients kept together.

    Among the settings that reach the recall wanted, the one of highest specificity is taken.

    It is fitted on all images and tried on the test split, beside a logistic regression.
    """
    if output is not None:
        _check_writable(output)
    if weights is not None and model is Model.cnn:
        raise typer.BadParameter("--weights is for --model inception; the cnn starts from random.")
    weights = weights or "imagenet"
    default_size, default_epochs = _DEFAULTS[model, folder is not None]
    size = _parse_size(image_size) or default_size
    with _ERR.status("Loading TensorFlow …"), _silent_loading():
        from skpneumo import _job
    # Every new network is traced anew, as it must be.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
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
    with progress, redirect_stdout(sys.stderr):
        task = progress.add_task("epochs", total=None, visible=False)
        try:
            result = _job.run(
                folder,
                model=model.value,
                weights=None if weights.lower() == "none" else weights,
                image_size=size,
                n_folds=folds,
                epochs=epochs or default_epochs,
                subset=subset,
                min_recall=min_recall,
                test=test,
                random_state=seed,
                on_epoch=lambda n, total: progress.update(
                    task, completed=n, total=total, visible=True
                ),
            )
        except (ValueError, OSError) as error:
            progress.stop()
            message = f"[bold red]Error:[/] {escape(str(error))}"
            # A long address must stay one that can be copied out of a file.
            _ERR.print(message, highlight=False, soft_wrap=not _ERR.is_terminal)
            raise typer.Exit(1) from None
    text = json.dumps(result, indent=2)
    if as_json:
        print(text)
    else:
        _print(result)
    if output is not None:
        output.write_text(text + "\n")


def _print(result):
    data = result["data"]
    _OUT.print(
        f"{escape(data['folder'] or 'Synthetic X-rays')}: "
        f"{data['images']} images of {data['patients']} "
        f"patients, {data['pneumonia']} with pneumonia. {result['folds']} folds, patients kept "
        f"together, {result['model']} at {'x'.join(map(str, result['image_size']))}.\n",
        highlight=False,
    )
    _OUT.print(_settings(result))
    _OUT.print(f"\n{result['chosen']['reason']}", highlight=False)
    baseline = result["baseline"]
    _OUT.print(
        f"Baseline, a logistic regression on 32x32 pixels, at its threshold "
        f"{baseline['threshold']:g} by the same rule: mean recall {baseline['mean_recall']:.3f}, "
        f"mean specificity {baseline['mean_specificity']:.3f}.\n",
        highlight=False,
    )
    if result["test"] is not None:
        _OUT.print(_test(result))
    _OUT.print(f"\n{result['seconds'] / 60:.1f} minutes.", highlight=False)


def _settings(result):
    title = "Cross-validation, in %: mean ± standard deviation over folds"
    layout = {"padding": (0, 1, 0, 0), "pad_edge": False, "show_edge": False}
    table = Table(title=title, box=box.SIMPLE_HEAD, **layout)
    for title in ("#", "class\nweight", "thre-\nshold"):
        table.add_column(title, justify="right", no_wrap=True)
    columns = ("recall", "specificity", "f1", "precision", "accuracy")
    for column in columns:
        table.add_column("F1" if column == "f1" else column, justify="right", no_wrap=True)
    for i, row in enumerate(result["settings"]):
        chosen = i == result["chosen"]["index"]
        table.add_row(
            f"→ {i}" if chosen else str(i),
            f"1:{row['class_weight']:g}",
            f"{row['threshold']:g}",
            *(f"{100 * row[name]['mean']:.1f} ±{100 * row[name]['std']:.1f}" for name in columns),
            style="bold green" if chosen else None,
            end_section=i + 1 < len(result["settings"])
            and result["settings"][i + 1]["class_weight"] != row["class_weight"],
        )
    return table


def _test(result):
    sides = result["test"]
    table = Table(
        title=f"Test: {sides['model']['n_images']} images, 95 % intervals", box=box.SIMPLE_HEAD
    )
    table.add_column("")
    for name, title in (("model", result["model"]), ("baseline", "logistic regression")):
        table.add_column(title, justify="right", style="bold" if name == "model" else None)
    titles = {"f1": "F1", "roc_auc": "AUC"}
    for name in ("recall", "specificity", "f1", "precision", "accuracy", "roc_auc"):
        table.add_row(titles.get(name, name), *(_figure(side[name]) for side in sides.values()))
    for name, title in (("missed", "missed pneumonias"), ("false_alarms", "false alarms")):
        table.add_row(title, *(str(side[name]) for side in sides.values()))
    return table


def _figure(figure):
    if figure["value"] is None:
        return "n/a"
    text = f"{figure['value']:.3f}"
    if figure.get("interval"):
        text += " [{:.3f}, {:.3f}]".format(*figure["interval"])
    return text


@app.command()
def audit(
    folder: Annotated[Path, typer.Argument(help="X-rays sorted into NORMAL and PNEUMONIA.")],
    report: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write it here: .html (with pictures), .json or .txt."),
    ] = None,
):
    """Look a folder over for what makes figures wrong: copies, leaks, shortcuts, bad files."""
    from skpneumo.datasets import audit as audit_data
    from skpneumo.datasets import load_xray_folder

    if report is not None:
        if report.suffix.lower() not in (".html", ".json", ".txt"):
            raise typer.BadParameter(f"{report} must end in .html, .json or .txt.")
        _check_writable(report)
    try:
        with _ERR.status("Decoding every file …"), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("default")
            result = audit_data(load_xray_folder(folder))
    except (ValueError, OSError) as error:
        _ERR.print(f"[bold red]Error:[/] {escape(str(error))}", highlight=False)
        raise typer.Exit(1) from None
    for warning in told:
        _ERR.print(f"[bold yellow]Warning:[/] {escape(str(warning.message))}", highlight=False)
    _OUT.print(str(result), markup=False, highlight=False, soft_wrap=True)
    if report is not None:
        result.save(report)


def main():
    """Entry point of ``skpneumo``."""
    app()
