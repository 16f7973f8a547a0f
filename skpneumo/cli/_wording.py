"""Options as they are typed, in texts of the library, which names them as Python does."""

import re

_OPTION = r"(?<![\w/.-])(min_recall|min_specificity|confidence|prevalence|weights)"
# By pattern, each narrow enough to leave names of files alone.
_TYPED = [
    (re.compile(pattern), typed)
    for pattern, typed in (
        (r"load_xray_folder\(root, classes=\{[^}]*\}\), or on the command line ", ""),
        (r"For example, classes=\{[^}]*\}\.", "For example, --classes Opacity=PNEUMONIA."),
        (r"views='all', or --all-views on the command line, keeps", "--all-views keeps"),
        (r"pass the file as weights=\.\.\.", "pass the file as --weights FILE"),
        (
            "'pretrained', the path of a file of save_model, or None for random weights",
            "pretrained, a model file, or none for random weights",
        ),
        (
            "'imagenet' downloads them, None trains from scratch",
            "imagenet downloads them, none trains from scratch",
        ),
        (r"Set image_size, for example to \(150, 150\)", "Give --image-size 150 or more"),
        (
            r"lower (\w+) or confidence, or set confidence=None to require it only of the images "
            r"at hand\.",
            r"lower --\1 or --confidence.",
        ),
        (
            r"Lower (\w+) or confidence, or set confidence=None to require it only of the images "
            r"at hand\.",
            r"Lower --\1 or --confidence.",
        ),
        (
            r"lower min_recall, min_specificity or confidence\.",
            "lower --min-recall, --min-specificity or --confidence.",
        ),
        (r"with a lower min_recall\.", "with a lower --min-recall."),
        (r"With n_checks=", "With --checks "),
        (r"Raise alpha, or count fewer checks\.", "Count fewer --checks."),
        (rf"{_OPTION}=None\b", r"--\1 none"),
        (rf"{_OPTION}='([^']*)'", r"--\1 \2"),
        (rf"{_OPTION}=(\d\S*)", r"--\1 \2"),
        (r"--min_(recall|specificity)", r"--min-\1"),
    )
]


def in_typed_words(text):
    """Name options as they are typed: ``--weights none``, where Python has ``weights=None``.

    Parameters
    ----------
    text : str
        Text of an error or a warning of the library.

    Returns
    -------
    str

    Examples
    --------
    >>> from skpneumo.cli._wording import in_typed_words
    >>> in_typed_words("Fetch the file, or train from scratch with weights=None.")
    'Fetch the file, or train from scratch with --weights none.'
    """
    for pattern, typed in _TYPED:
        text = pattern.sub(typed, text)
    return text
