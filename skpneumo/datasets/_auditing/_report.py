"""An audit as text, and as one HTML page that needs nothing else."""

import base64
import io
import warnings
from contextlib import suppress

from PIL import Image

from skpneumo._utils.formatting import fold_lines
from skpneumo.datasets._auditing._findings import LEVELS, count
from skpneumo.datasets._auditing._shortcuts import N_FOLDS
from skpneumo.exceptions import ImageReadError
from skpneumo.images import read_xray, resize_xray

_WIDTH = 88
_LINES = 3
_LINES_OF_REASONS = 20  # each of which is a group of files
_MAX_LINES = 1000
_MAX_PICTURES = 12  # of one finding
_MAX_MODES = 4
_PICTURES_OF_GROUP = 4
_PICTURE = (128, 128)
_QUALITY = 72
_LEVEL_NAMES = {"error": "error", "warning": "warning", "info": "note"}


def verdict(audit):
    """How much was found, in a sentence."""
    n_of = [sum(finding.level == level for finding in audit.findings) for level in LEVELS]
    told = [count(n, _LEVEL_NAMES[level]) for n, level in zip(n_of, LEVELS, strict=True) if n]
    return ", ".join(told).capitalize() + "." if told else "Nothing was found."


def heading(audit):
    """What was audited."""
    return (
        f"{count(audit.n_images, 'X-ray')} of {count(audit.n_patients, 'patient')} "
        f"in {', '.join(audit.counts)}"
    )


def balance_rows(audit):
    """Table of the splits: name, images of each class, share of the last class."""
    return [
        (split, [f"{n:,}" for n in row.values()], f"{[*row.values()][-1] / sum(row.values()):.1%}")
        for split, row in audit.counts.items()
    ]


def outside_rows(audit):
    """Table of the outside of the images: name, text of each class, area of this alone."""
    names = list(dict.fromkeys(name for facts in audit.metadata.values() for name in facts))
    alone = {} if audit.shortcut is None else audit.shortcut["alone"]
    return [
        (
            name,
            [_quantiles(facts.get(name)) for facts in audit.metadata.values()],
            f"{alone[name]:.2f}" if name in alone else "",
        )
        for name in names
    ]


def shortcut_line(audit):
    """What the probe came to."""
    if audit.shortcut is None:
        return ""
    auc, low, high = (audit.shortcut[name] for name in ("auc", "low", "high"))
    return (
        f"All of these together, on patients not learnt from: {auc:.2f} "
        f"({low:.2f} to {high:.2f} in {N_FOLDS} folds). 0.50 is chance."
    )


def _quantiles(facts):
    if facts is None:
        return "-"
    if isinstance(facts, dict):
        modes = sorted(facts, key=facts.get, reverse=True)
        told = [f"{mode} {facts[mode]:,}" for mode in modes[:_MAX_MODES]]
        return ", ".join(told + [f"{len(modes) - _MAX_MODES} more"] * (len(modes) > _MAX_MODES))
    low, middle, high = (f"{x:.2f}" if x < 10 else f"{x:,.0f}" for x in facts)
    return middle if low == high else f"{middle} ({low} to {high})"


def as_text(audit, width=_WIDTH):
    """The audit as lines of text.

    Parameters
    ----------
    audit : Audit
        The run.
    width : int, default=88
        Columns, at which lines are folded between words.

    Returns
    -------
    str
    """
    classes = list(audit.metadata)
    lines = [heading(audit) + ".", verdict(audit), ""]
    columns = [*classes, f"% {classes[-1]}"]
    wide = 3 + max(map(len, columns))
    lines.append(f"{'':10}" + "".join(f"{label:>{wide}}" for label in columns))
    for split, numbers, share in balance_rows(audit):
        lines.append(f"{split:10}" + "".join(f"{text:>{wide}}" for text in (*numbers, share)))
    facts = outside_rows(audit)
    if facts:
        lines += ["", "Outside: median (5% to 95%), and area under the ROC curve of each alone"]
    for name, texts, area in facts:
        told = "; ".join(f"{label} {text}" for label, text in zip(classes, texts, strict=True))
        lines.append(f"  {name:10} {told}{'; area ' + area if area else ''}")
    if audit.shortcut is not None:
        lines.append(f"  {shortcut_line(audit)}")
    for finding in audit.findings:
        lines += ["", f"{finding.level.upper()}: {finding.found}"]
        lines += [f"  Why: {finding.why}", f"  Do: {finding.advice}"]
        n_lines = n_lines_shown(finding)
        details, n_more = finding.details[:n_lines], len(finding.details) - n_lines
        lines += [f"    {line}" for line in details] + [f"    {n_more:,} more"] * (n_more > 0)
    if audit.skipped_checks:
        lines += ["", "Not looked for:", *(f"  {text}" for text in audit.skipped_checks)]
    return fold_lines("\n".join(lines), width)


def n_lines_shown(finding):
    """How many lines of a finding are shown before the rest is only counted."""
    return _LINES_OF_REASONS if finding.name == "left_out" else _LINES


def as_html(audit, embedded=False):
    """The audit as HTML.

    Parameters
    ----------
    audit : Audit
        The run.
    embedded : bool, default=False
        A part of a page, such as a notebook, without pictures. Otherwise a whole page.

    Returns
    -------
    str
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("skpneumo.datasets", "_auditing"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [(finding, [] if embedded else pictures(audit, finding)) for finding in audit.findings]
    return environment.get_template("audit.html.jinja").render(
        audit=audit,
        embedded=embedded,
        heading=heading(audit),
        verdict=verdict(audit),
        shown=shown,
        n_lines_shown=n_lines_shown,
        most_lines=_MAX_LINES,
        level_names=_LEVEL_NAMES,
        classes=list(audit.metadata),
        balance_rows=balance_rows(audit),
        outside_rows=outside_rows(audit),
        shortcut_line=shortcut_line(audit),
    )


def pictures(audit, finding):
    """The first images of a finding: for each of its groups the line on it, and data URIs."""
    groups, n = [], 0
    if finding.name in ("unreadable", "no_xrays", "left_out"):
        return groups
    for line, rows in zip(finding.details, finding.rows, strict=True):
        uris = [_picture(audit.images[row]) for row in rows[:_PICTURES_OF_GROUP]]
        n += len(uris)
        if n > _MAX_PICTURES:
            break
        groups.append((line, [uri for uri in uris if uri]))
    return groups


def _picture(image):
    """A small picture as data URI; "" of a file that is gone."""
    # What is said of a file is said where it is first looked at.
    with suppress(ImageReadError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(image, str):
            small = read_xray(image, size=_PICTURE, aspect="pad")
        else:
            small = resize_xray(image, _PICTURE, aspect="pad")
        file = io.BytesIO()
        Image.fromarray(small).save(file, "JPEG", quality=_QUALITY, optimize=True)
        return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    return ""
