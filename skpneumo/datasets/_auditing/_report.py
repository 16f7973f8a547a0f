"""An audit as text and as an HTML page."""

import warnings
from contextlib import suppress

from PIL import Image

from skpneumo._reporting.images import as_data_uri
from skpneumo._reporting.pages import render_page
from skpneumo._utils.formatting import fold_lines
from skpneumo.datasets._auditing._findings import LEVELS, count
from skpneumo.datasets._auditing._shortcuts import N_FOLDS
from skpneumo.exceptions import ImageReadError
from skpneumo.images import read_xray, resize_xray

_N_LINES = 3
_N_REASONS = 20  # each of which is a group of files
_MAX_LINES = 1000
_MAX_SAMPLES = 12  # of one finding
_MAX_SAMPLES_OF_GROUP = 4
_MAX_MODES = 4
_SAMPLE_SIZE = (128, 128)
_LEVEL_NAMES = {"error": "error", "warning": "warning", "info": "note"}


def verdict(audit):
    """Number of findings, in a sentence."""
    n_of = [sum(finding.level == level for finding in audit.findings) for level in LEVELS]
    counts = [count(n, _LEVEL_NAMES[level]) for n, level in zip(n_of, LEVELS, strict=True) if n]
    return ", ".join(counts).capitalize() + "." if counts else "No findings."


def subject(audit):
    """Numbers of images and patients, and the splits."""
    return (
        f"{count(audit.n_images, 'X-ray')} of {count(audit.n_patients, 'patient')} "
        f"in {', '.join(audit.counts)}"
    )


def balance_rows(audit):
    """Rows of the splits: name, images of each class, proportion of the last class."""
    return [
        (split, [f"{n:,}" for n in row.values()], f"{[*row.values()][-1] / sum(row.values()):.1%}")
        for split, row in audit.counts.items()
    ]


def metadata_rows(audit):
    """Rows of the file metadata: name, text of each class, area under the ROC curve alone."""
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
    """Area under the ROC curve of all metadata together, in a sentence."""
    if audit.shortcut is None:
        return ""
    auc, low, high = (audit.shortcut[name] for name in ("auc", "low", "high"))
    return (
        f"All of these together, on patients left out of the fit: {auc:.2f} "
        f"({low:.2f} to {high:.2f} in {N_FOLDS} folds). 0.50 is chance."
    )


def _quantiles(facts):
    if facts is None:
        return "-"
    if isinstance(facts, dict):
        modes = sorted(facts, key=facts.get, reverse=True)
        shown = [f"{mode} {facts[mode]:,}" for mode in modes[:_MAX_MODES]]
        return ", ".join(shown + [f"{len(modes) - _MAX_MODES} more"] * (len(modes) > _MAX_MODES))
    low, middle, high = (f"{x:.2f}" if x < 10 else f"{x:,.0f}" for x in facts)
    return middle if low == high else f"{middle} ({low} to {high})"


def as_text(audit, width):
    """The audit as lines of text.

    Parameters
    ----------
    audit : Audit
        The audit.
    width : int
        Width at which lines are folded between words.

    Returns
    -------
    str
    """
    classes = list(audit.metadata)
    lines = [subject(audit) + ".", verdict(audit), ""]
    lines += _balance_lines(audit, classes)
    facts = metadata_rows(audit)
    if facts:
        lines += ["", "File metadata: median (5% to 95%); area under the ROC curve of each alone"]
    for name, texts, area in facts:
        values = "; ".join(f"{label} {text}" for label, text in zip(classes, texts, strict=True))
        lines.append(f"  {name:10} {values}{'; area ' + area if area else ''}")
    if audit.shortcut is not None:
        lines.append(f"  {shortcut_line(audit)}")
    for finding in audit.findings:
        lines += ["", f"{finding.level.upper()}: {finding.found}"]
        lines += [f"  Why: {finding.why}", f"  Do: {finding.advice}"]
        n_lines = n_lines_shown(finding)
        details, n_more = finding.details[:n_lines], len(finding.details) - n_lines
        lines += [f"    {line}" for line in details] + [f"    {n_more:,} more"] * (n_more > 0)
    if audit.skipped_checks:
        lines += ["", "Skipped checks:", *(f"  {text}" for text in audit.skipped_checks)]
    return fold_lines("\n".join(lines), width)


def _balance_lines(audit, classes):
    rows = [("", *classes, f"% {classes[-1]}")]
    rows += [(split, *numbers, proportion) for split, numbers, proportion in balance_rows(audit)]
    # Each column as wide as it must be: three of the widest would not fit in 50 columns.
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [
        f"{name:{first}}"
        + "".join(f"{text:>{3 + n}}" for text, n in zip(cells, others, strict=True))
        for name, *cells in rows
    ]


def n_lines_shown(finding):
    """Number of lines of a finding that are shown; the others are counted."""
    return _N_REASONS if finding.name == "left_out" else _N_LINES


def as_html(audit, embedded=False):
    """Render an audit as HTML.

    Parameters
    ----------
    audit : Audit
        The audit.
    embedded : bool, default=False
        Whether to render a part of a page, such as a notebook, without thumbnails. Otherwise a
        whole page.

    Returns
    -------
    str
    """
    findings = [
        (finding, n_lines_shown(finding), [] if embedded else samples(audit, finding))
        for finding in audit.findings
    ]
    return render_page(
        "skpneumo.datasets._auditing",
        "audit.html.jinja",
        embedded=embedded,
        version=audit.versions["skpneumo"],
        page_class="skp-audit",
        audit=audit,
        subject=subject(audit),
        verdict=verdict(audit),
        findings=findings,
        max_lines=_MAX_LINES,
        level_names=_LEVEL_NAMES,
        classes=list(audit.metadata),
        balance_rows=balance_rows(audit),
        metadata_rows=metadata_rows(audit),
        shortcut_line=shortcut_line(audit),
    )


def samples(audit, finding):
    """Thumbnails of the first images of a finding: line and data URIs of each of its groups."""
    groups, n = [], 0
    if finding.name in ("unreadable", "no_xrays", "left_out"):
        return groups
    for line, rows in zip(finding.details, finding.rows, strict=True):
        uris = [_thumbnail(audit.images[row]) for row in rows[:_MAX_SAMPLES_OF_GROUP]]
        n += len(uris)
        if n > _MAX_SAMPLES:
            break
        groups.append((line, [uri for uri in uris if uri]))
    return groups


def _thumbnail(image):
    """A thumbnail as data URI; "" of a file that is gone."""
    # Warnings about a file were issued when it was scanned.
    with suppress(ImageReadError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(image, str):
            small = read_xray(image, size=_SAMPLE_SIZE, aspect="pad")
        else:
            small = resize_xray(image, _SAMPLE_SIZE, aspect="pad")
        return as_data_uri(Image.fromarray(small))
    return ""
