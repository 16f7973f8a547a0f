"""``skpneumo train``."""

from pathlib import Path
from typing import Annotated

import typer

from skpneumo.cli._console import OUT
from skpneumo.cli._options import (
    AllViews,
    AsJSON,
    Classes,
    Jobs,
    Output,
    Quiet,
    open_fraction,
    output_file,
    views_to_load,
)
from skpneumo.cli._parsers import (
    Choice,
    Number,
    UsageError,
    parse_classes,
    parse_folder,
    parse_size,
)
from skpneumo.cli._run import quote, start_run

_MODELS = ("cnn", "inception")
# Image size and epochs by model, on synthetic X-rays and on a folder: a search on two cores takes
# minutes on the former and about an hour on the Kermany collection.
_ON_SYNTHETIC = {"cnn": ((72, 64), 8), "inception": ((96, 88), 3)}
_ON_FOLDER = {"cnn": ((96, 96), 20), "inception": ((150, 150), 5)}

_Folder = Annotated[
    Path | None,
    typer.Argument(
        parser=parse_folder,
        metavar="[FOLDER]",
        help="X-rays sorted into NORMAL and PNEUMONIA; synthetic ones if left out.",
    ),
]
_Model = Annotated[
    str, typer.Option(parser=Choice(_MODELS), metavar="|".join(_MODELS), help="Network to train.")
]
_Weights = Annotated[
    str | None,
    typer.Option(
        metavar="pretrained|imagenet|none|FILE",
        help="Initial weights: those of the packaged network, of ImageNet (inception only), random "
        "ones, or those in a file.",
        show_default="none for cnn, imagenet for inception",
    ),
]
_ImageSize = Annotated[
    str | None,
    typer.Option(
        metavar="ROWSxCOLUMNS",
        help="Size of the images that the network sees.",
        show_default="by model",
    ),
]
_Folds = Annotated[
    int, typer.Option(parser=Number(int, 2), metavar="N", help="Folds of the cross-validation.")
]
_Epochs = Annotated[
    int | None,
    typer.Option(
        parser=Number(int, 1),
        metavar="N",
        help="Maximum number of epochs of each fit.",
        show_default="by model",
    ),
]
_Subset = Annotated[
    int | None,
    typer.Option(
        parser=Number(int, 20),
        metavar="N",
        help="Train on about this many images, drawn by patient.",
    ),
]
_MinRecall = Annotated[
    float,
    typer.Option(
        parser=Number(float, 0, 1),
        metavar="RECALL",
        help="Recall that the mean over folds of a candidate should exceed by one standard "
        "error; with --confidence the recall to certify.",
    ),
]
_Confidence = Annotated[
    float | None,
    open_fraction(
        "CONFIDENCE",
        "Certify --min-recall for new patients with this confidence, such as 0.95: the "
        "search is repeated inside each fold, which takes --folds times as long.",
    ),
]
_Memory = Annotated[
    Path | None,
    typer.Option(
        parser=parse_folder,
        metavar="FOLDER",
        help="Keep finished fits and epochs here: the same command resumes a run that was stopped.",
    ),
]
_Test = Annotated[bool, typer.Option(help="Evaluate on the folder's test split at the end.")]
_Seed = Annotated[
    int,
    typer.Option(
        parser=Number(int, 0),
        metavar="N",
        help="Controls folds, initialization, shuffling and augmentation.",
    ),
]


def train(
    folder: _Folder = None,
    model: _Model = "cnn",
    weights: _Weights = None,
    image_size: _ImageSize = None,
    folds: _Folds = 5,
    epochs: _Epochs = None,
    classes: Classes = None,
    subset: _Subset = None,
    min_recall: _MinRecall = 0.98,
    confidence: _Confidence = None,
    test: _Test = True,
    save: Annotated[
        Path | None, output_file("Write the model here, for predict and evaluate.")
    ] = None,
    memory: _Memory = None,
    jobs: Jobs = 1,
    all_views: AllViews = False,
    seed: _Seed = 0,
    output: Output = None,
    as_json: AsJSON = False,
    quiet: Quiet = False,
):
    """Search class weights and thresholds by cross-validation.

    Selects the candidate of highest specificity among those that reach the recall, fits it on all
    training images, and evaluates it on the test split beside a logistic regression. Patients are
    kept together. Warns if it does not beat that baseline; the exit status is 0 all the same.

    The recall of such a candidate is often lower on new patients. --confidence certifies it.
    """
    _check_options(folder, model, weights, classes, min_recall, confidence, output, save)
    class_of_folder = parse_classes(classes)
    default_size, default_epochs = (_ON_SYNTHETIC if folder is None else _ON_FOLDER)[model]
    size = default_size if image_size is None else parse_size(image_size)
    with start_run("Training", as_json=as_json, output=output, quiet=quiet) as run:
        # Takes seconds, for which --help and wrong options need not wait.
        with run.working("Loading TensorFlow"):
            from skpneumo.cli import _training
        # Warnings about patients are shown before hours of training, not after.
        with run.working("Reading the folder"):
            if folder is None:
                data = _training.draw_synthetic(image_size=size, subset=subset, random_state=seed)
            else:
                data = _training.load_folder(
                    folder,
                    classes=class_of_folder,
                    views=views_to_load(all_views),
                    subset=subset,
                    random_state=seed,
                )
        classifier = _training.make_classifier(
            model,
            weights=_initial_weights(weights),
            epochs=epochs or default_epochs,
            memory=memory,
            random_state=seed,
        )
        if (warning := _training.get_weights_warning(classifier)) is not None:
            run.warn(warning)
        options = _training.SearchOptions(
            image_size=size,
            n_folds=folds,
            min_recall=min_recall,
            confidence=confidence,
            n_jobs=jobs,
            random_state=seed,
        )
        seconds = _training.estimate_seconds(classifier, options, len(data.train.y))
        run.announce(seconds, "Training, without early stopping,")
        # Workers report no progress.
        doing = "Reading images" if jobs == 1 else f"Searching in {jobs} processes"
        with run.progress(doing) as show:
            result, fitted = _training.run(data, classifier, options, test=test, on_progress=show)
        _deliver(result, fitted, save, run)
        run.next_step = _next_step(folder, save)


def _check_options(folder, model, weights, classes, min_recall, confidence, output, save):
    """Refuse options that contradict each other."""
    if confidence is not None and not 0 < min_recall < 1:
        raise UsageError(
            f"--confidence certifies a recall between 0 and 1, got --min-recall {min_recall:g}."
        )
    if output is not None and output == save:
        raise UsageError(f"--output and --save both name {output}.")
    if weights is not None and weights.lower() == "imagenet" and model == "cnn":
        raise UsageError(
            "There are no ImageNet weights of the cnn, only of --model inception. Wanted: "
            "--weights pretrained, none or a model file."
        )
    if weights is not None and weights.lower() == "default":
        raise UsageError(
            "--weights is pretrained, imagenet, none or a file, got default. Leave it out for the "
            "default of the model."
        )
    if classes and folder is None:
        raise UsageError("--classes is for a folder; synthetic X-rays have none.")


def _initial_weights(text):
    if text is None:
        return "default"
    word = text.lower()
    if word in ("pretrained", "imagenet"):
        return word
    return None if word == "none" else text


def _deliver(result, model, save, run):
    """Save the model, write the results and print them; if one fails, the others are done."""
    from skpneumo.cli._training import model_notes, print_result
    from skpneumo.persistence import save_model

    # After hours of training a full disk or a closed pipe must not cost the other results.
    try:
        if save is not None:
            save_model(model, save, notes=model_notes(result))
            run.written.append(save)
    finally:
        run.deliver(result, lambda: print_result(result, OUT))
        if not result["beats_baseline"]:
            run.warn(result["comparison"]["verdict"])


def _next_step(folder, save):
    if folder is None:
        return "train on X-rays: skpneumo fetch kermany, or name a folder of your own."
    if save is None:
        return "keep the model with --save model.skpneumo."
    return f"skpneumo predict {quote(save)} IMAGES, or evaluate it on other X-rays."
