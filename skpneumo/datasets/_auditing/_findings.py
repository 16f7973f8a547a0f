"""Findings of an audit: each with why it matters, and what to do about it."""

from dataclasses import dataclass, field

from skpneumo.datasets._auditing._shortcuts import N_FOLDS

LEVELS = ("error", "warning", "info")
MIN_SHORTCUT = 0.6
_MAX_NAMED = 3  # files of one reason
# By words of the reasons: possible training images come first, other files last.
_ORDER_OF_REASONS = (
    ("not a frontal one", "another part of the body"),
    ("holds no X-ray",),
    ("",),
)
_UNREAD = ", which is not read"
_OTHER_FORMATS = ("this is not a ", "this is no ", "this file is empty")


@dataclass(frozen=True)
class Finding:
    """One thing that an audit found.

    Attributes
    ----------
    name : str
        Its kind, such as "exact_copies_across_splits".
    level : {"error", "warning", "info"}
        "error": metrics will be wrong; "warning": they may be wrong; "info": good to know.
    found, why, advice : str
        What was found, why it matters, what to do.
    rows : list of list of int
        The images, as rows of the arrays that were audited: each group of copies, the images of
        each patient, or one image each.
    details : list of str
        A line for each of these; of files left out, which have no row, a line for each reason.
    """

    name: str
    level: str
    found: str
    why: str
    advice: str
    rows: list = field(default_factory=list)
    details: list = field(default_factory=list)


def unreadable(collection, causes, left_out):
    """Files that cannot be read.

    Parameters
    ----------
    collection : Collection
        The images.
    causes : dict of int to str
        By row.
    left_out : list of tuple of (str, str)
        Name and cause: of files that have no row, being left out before.
    """
    details = [f"{collection.names[row]}: {cause}" for row, cause in causes.items()]
    details += [f"{name}: {cause}" for name, cause in left_out]
    if not details:
        return []
    text = f"{count(len(details), 'file')} cannot be read"
    if left_out:
        text += f", {len(left_out):,} of them already left out by load_xray_folder"
    return [
        Finding(
            "unreadable",
            "error" if causes else "warning",
            f"{text}.",
            "fit raises an error at the first of them; leaving them out changes the dataset.",
            'Get them again, or leave them out: load_xray_folder(root, on_error="skip").',
            [[row] for row in causes],
            details,
        )
    ]


def left_out(files):
    """Files that `load_xray_folder` left out.

    Parameters
    ----------
    files : list of tuple of (str, str)
        Name and reason. There is a line for each reason, with the first names.
    """
    if not files:
        return []
    return [
        Finding(
            "left_out",
            "info",
            f"{count(len(files), 'file or folder', 'files or folders')} left out by "
            "load_xray_folder.",
            "Files that are no frontal chest X-rays, or have no label, are of no use for training; "
            "X-rays left out by mistake are missing.",
            "Check the reasons. views='all' of load_xray_folder keeps other views and parts of "
            "the body.",
            [],
            _lines_by_reason(files),
        )
    ]


def _lines_by_reason(files):
    """A line for each reason: how many files, the reason, and the first names."""
    names = {}
    for name, reason in files:
        names.setdefault(reason, []).append(name)
    lines = []
    for reason in sorted(names, key=lambda reason: (_rank(reason), -len(names[reason]))):
        n_more = len(names[reason]) - _MAX_NAMED
        shown = names[reason][:_MAX_NAMED] + [f"{n_more:,} more"] * (n_more > 0)
        lines.append(f"{len(names[reason]):,}: {reason}: {', '.join(shown)}")
    return lines


def _rank(reason):
    if reason.startswith(_OTHER_FORMATS) or _UNREAD in reason:
        return len(_ORDER_OF_REASONS)
    return next(
        rank
        for rank, words in enumerate(_ORDER_OF_REASONS)
        if any(word in reason for word in words)
    )


def no_xrays(collection, causes):
    """Files that are sound, but hold no X-ray.

    Parameters
    ----------
    collection : Collection
        The images.
    causes : dict of int to str
        By row.
    """
    if not causes:
        return []
    return [
        Finding(
            "no_xrays",
            "error",
            f"{count(len(causes), 'file')} with a label hold{'s' * (len(causes) == 1)} no X-ray.",
            "fit raises an error at the first of them.",
            "Leave them out: load_xray_folder(root) does.",
            [[row] for row in causes],
            [f"{collection.names[row]}: {cause}" for row, cause in causes.items()],
        )
    ]


def other_views(collection, views):
    """Images that are no frontal views by their headers.

    Parameters
    ----------
    collection : Collection
        The images.
    views : array-like of str
        Of each image, as `load_xray_folder` lists them; empty if they are not known.
    """
    rows = [row for row, view in enumerate(views) if view in ("LATERAL", "OBLIQUE")]
    if not rows:
        return []
    return [
        Finding(
            "other_views",
            "warning",
            f"{_are(len(rows))} lateral or oblique by the headers of the files.",
            "A network trained on frontal X-rays is wrong on other views.",
            "Leave them out: load_xray_folder(root) does.",
            [[row] for row in rows],
            [f"{collection.names[row]}: {views[row]}" for row in rows],
        )
    ]


def shortcut(result, classes, sizes):
    """A label that metadata predict, and images that are all of one size.

    Parameters
    ----------
    result : dict or None
        Of `probe`.
    classes : list of str
        Both labels.
    sizes : set of tuple of (int, int)
        Width and height of the images.
    """
    found = []
    if result is not None and result["low"] > MIN_SHORTCUT:
        alone = max(result["alone"], key=result["alone"].get)
        found.append(
            Finding(
                "shortcut",
                "warning",
                f"File metadata alone predicts the label: {', '.join(result['alone'])} separate "
                f"{' from '.join(classes)} with an area under the ROC curve of "
                f"{result['auc']:.2f} ({result['low']:.2f} to {result['high']:.2f} in {N_FOLDS} "
                f"folds by patients; 0.50 is chance). The strongest alone: {alone}, "
                f"{result['alone'][alone]:.2f}.",
                "A network can learn how an image was made instead of pneumonia. It fails on "
                "images that are made in another way.",
                "Compare the ROC AUC of your model with this one. aspect='crop' of XRayResizer "
                "hides the shape; saving all images again at one size and quality hides the file "
                "size.",
            )
        )
    if len(sizes) == 1:
        ((width, height),) = sizes
        found.append(
            Finding(
                "one_size",
                "info",
                f"All images have {width} by {height} pixels.",
                "If they were stretched to it, the distortion still shows their original shape, "
                "and sizes carry no information here.",
                "Look for the original files.",
            )
        )
    return found


_SUSPECTS = {
    "blank": "{} all of one grey",
    "coloured": "{} in colour",
    "not_chest": "{} unlike a chest X-ray in any orientation, and may show something else",
    "inverted": "{} likely inverted: air is white",
    "rotated": "{} likely rotated by 90, 180 or 270 degrees",
}


def suspects(collection, found):
    """Images that may be no upright chest X-rays.

    Parameters
    ----------
    collection : Collection
        The images.
    found : dict of str to ndarray of int
        Of `find_suspects`.
    """
    return [
        Finding(
            f"suspects_{kind}",
            "warning",
            f"{_SUSPECTS[kind].format(_are(len(rows)))}.",
            "A network learns from them what no other X-ray shows, and its predictions on them "
            "mean nothing.",
            "Look at them: a few of a thousand good X-rays, with a hand or an arm in the picture, "
            "are flagged too."
            if kind == "not_chest"
            else "Look at them, and correct them or leave them out.",
            [[int(row)] for row in rows],
            [collection.names[row] for row in rows],
        )
        for kind, rows in found.items()
        if len(rows)
    ]


def count(n, what, plural=None):
    """Number and noun, such as "1,234 files"."""
    return f"{n:,} {what if n == 1 else plural or f'{what}s'}"


def _are(n):
    return "1 image is" if n == 1 else f"{n:,} images are"
