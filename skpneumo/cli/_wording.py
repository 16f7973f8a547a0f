"""Options as they are typed, in texts of the library, which names them as Python does."""

import re

# What the library calls by its names in Python, by pattern, and how it is typed here.
_OPTIONS = "min_recall|min_specificity|confidence|prevalence|weights|model"
_TYPED = [
    (re.compile(pattern), typed)
    for pattern, typed in (
        (r"load_xray_folder\(root, classes=\{[^}]*\}\), or on the command line ", ""),
        (r" For example, classes=\{[^}]*\}\.", " For example, --classes Opacity=PNEUMONIA."),
        (r"views='all', or --all-views on the command line, keeps", "--all-views keeps"),
        (r", or set confidence=None to require it only of the images at hand\.", "."),
        (r"pass the file as weights=\.\.\.", "pass the file as --weights FILE"),
        (
            r"'pretrained', the path of a file of save_model, or None for random weights",
            "pretrained, a model file, or none for random weights",
        ),
        (
            r"'imagenet' downloads them, None trains from scratch",
            "imagenet downloads them, none trains from scratch",
        ),
        (r"Set image_size, for example to \(150, 150\)", "Give --image-size 150 or more"),
        (r"Raise alpha, or count fewer checks", "Count fewer --checks"),
        (r"With n_checks=", "With --checks "),
        (r"weights=None", "--weights none"),
        (rf"\b({_OPTIONS})='([^']*)'", r"--\1 \2"),
        (rf"\b({_OPTIONS})=(\d\S*)", r"--\1 \2"),
        (r"(?<![\w-])(min_recall|min_specificity)\b", r"--\1"),
        (r"--min_", "--min-"),
        (r"lower (--min-\w+) or confidence", r"lower \1 or --confidence"),
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
    """
    for pattern, typed in _TYPED:
        text = pattern.sub(typed, text)
    return text
