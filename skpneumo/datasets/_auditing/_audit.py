"""A look over a collection before anything is learnt from it."""

import json
import platform
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from skpneumo._reporting.files import write_report
from skpneumo.datasets._auditing import _findings as find
from skpneumo.datasets._auditing._balance import balance, small_splits
from skpneumo.datasets._auditing._collection import (
    check_collection,
    left_out_of,
    n_patients,
    split_names,
    unreadable_of,
)
from skpneumo.datasets._auditing._duplicates import exact_copies, near_copies
from skpneumo.datasets._auditing._leaks import copies, patients
from skpneumo.datasets._auditing._scan import look_at_files, look_at_images
from skpneumo.datasets._auditing._shortcuts import FEWEST, outside_of, probe
from skpneumo.datasets._auditing._suspects import find_suspects

_QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """What is wrong with a collection of X-rays, or may be. `audit` makes it.

    ``print`` shows it as text, a notebook as HTML.

    Attributes
    ----------
    findings : list of Finding
        Errors first, then warnings, then what is good to know.
    n_images, n_patients : int
        How many were looked at. An image whose patient is not known counts as one.
    counts : dict of str to dict of str to int
        Images by split and class.
    outside : dict of str to dict
        By class: of width, height, aspect and kilobytes the 5 %, 50 % and 95 % quantiles, and of
        "mode" the number of images by type of file and colour mode.
    shortcut : dict or None
        Areas under the ROC curve of the label told by these alone, on patients not learnt from:
        "auc", "low" and "high" (mean, least and greatest of five folds), and "alone", by name.
    skipped_checks : list of str
        What these data do not allow to look for.
    versions : dict of str to str
        Of the packages.
    date : str
        When it was made, in UTC.
    images : array-like
        The paths or images that were audited; only the HTML looks at them.
    """

    findings: list
    n_images: int
    n_patients: int
    counts: dict
    outside: dict
    shortcut: dict | None
    skipped_checks: list
    versions: dict
    date: str
    images: object

    def __str__(self):
        return self.to_text()

    __repr__ = __str__

    def _repr_html_(self):
        from skpneumo.datasets._auditing._report import as_html

        return as_html(self, embedded=True)

    def to_dict(self):
        """All that was found, without the images.

        Returns
        -------
        dict
            Of numbers, texts, lists and dicts: it can be written as JSON.
        """
        found = [asdict(finding) for finding in self.findings]
        names = [field.name for field in fields(self) if field.name not in ("findings", "images")]
        return {"findings": found} | {name: getattr(self, name) for name in names}

    def to_json(self):
        """Write `to_dict` as JSON.

        Returns
        -------
        str
        """
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_text(self, width=88):
        """Format the audit as lines of text.

        Parameters
        ----------
        width : int, default=88
            Columns, at which lines are folded between words.

        Returns
        -------
        str
        """
        from skpneumo.datasets._auditing._report import as_text

        return as_text(self, width)

    def to_html(self):
        """One page with all findings, and pictures of the first images of each.

        Returns
        -------
        str
            HTML that needs no other file and no network.
        """
        from skpneumo.datasets._auditing._report import as_html

        return as_html(self)

    def save(self, path):
        """Write a report.

        Parameters
        ----------
        path : str or path
            Ending in ``.html``, ``.json`` or ``.txt``, which decides what is written.

        Raises
        ------
        ValueError
            If it ends in something else.
        """
        write_report(self, path)


def audit(data):
    """Look over a collection of X-rays for what makes figures wrong.

    Every file is decoded once. Looked for are:

    - files that cannot be read, and those that `load_xray_folder` left out, with the reasons;
    - copies of an image, byte for byte or nearly so, and whether these have different labels, are
      in different splits, or are filed under different patients;
    - patients in more than one split;
    - splits too small to choose or judge by, classes that are missing or whose shares differ;
    - shortcuts: how well size, shape, weight and colour mode of the files alone tell the label;
    - lateral and oblique views, by the headers of DICOM files;
    - images that are blank, in colour, inverted, turned, or no chest X-rays.

    Parameters
    ----------
    data : :class:`~sklearn.utils.Bunch` or dict
        As `load_xray_folder` gives it: ``paths``, ``target``, and, where known, ``split``,
        ``patient``, ``groups``, ``view`` and ``reasons``. In place of paths it may have
        ``images``, as `make_xrays` gives; of these there are no files to look at.

    Returns
    -------
    Audit
        Printed it is a text; ``save("audit.html")`` writes a page. A file is shown by split,
        class and its own name, never with its folders.

    Raises
    ------
    DatasetError
        If ``data`` lacks what is needed, or its arrays differ in length. It is a ValueError.

    Warns
    -----
    BitDepthWarning, HeaderWarning, LowContrastWarning
        Of `read_xray`, once for each file.

    Notes
    -----
    What each finding rests on, and how often it is wrong, is in the user guide.

    Examples
    --------
    >>> from skpneumo.datasets import audit, make_xrays
    >>> xrays = make_xrays(60, random_state=0)
    >>> xrays.images[1] = 255 - xrays.images[1]
    >>> report = audit(xrays)
    >>> [finding.name for finding in report.findings if finding.level == "warning"]
    ['suspects_inverted']
    >>> report.findings[0].rows
    [[1]]
    """
    images, collection = check_collection(data)
    has_files = "paths" in data
    looks, small = look_at_files(images) if has_files else look_at_images(images)
    causes = {row: look.cause for row, look in enumerate(looks) if look.cause}
    broken = {row: cause for row, cause in causes.items() if not looks[row].holds_no_xray}
    readable = np.flatnonzero([not look.cause for look in looks])
    outside = outside_of([looks[row] for row in readable])
    target = collection.target[readable]
    classes = np.unique(collection.target).tolist()
    result = None
    if has_files and len(classes) == 2:
        result = probe(outside, target == classes[1], collection.groups[readable])
    exact = exact_copies([look.digest for look in looks])
    copied = {row for group in exact for row in group[1:]}
    once = np.array([row for row in readable if row not in copied], dtype=int)
    near = [once[group].tolist() for group in near_copies(small[once])]
    colour = np.array([looks[row].colour for row in readable])
    suspected = find_suspects(small[readable], colour)
    counts = _counts(collection, classes)
    sizes = {(look.width, look.height) for look in looks if not look.cause}
    findings = [
        *find.unreadable(collection, broken, unreadable_of(data, collection)),
        *find.no_xrays(collection, {row: causes[row] for row in causes if row not in broken}),
        *find.left_out(left_out_of(data, collection)),
        *find.other_views(collection, data.get("view", ())),
        *patients(collection),
        *copies(collection, "exact", exact),
        *copies(collection, "near", near),
        *find.shortcut(result, classes, sizes if has_files else set()),
        *find.suspects(collection, {kind: readable[rows] for kind, rows in suspected.items()}),
        *small_splits(collection),
        *balance(counts),
    ]
    return Audit(
        findings=sorted(findings, key=lambda finding: find.LEVELS.index(finding.level)),
        n_images=len(looks),
        n_patients=n_patients(collection, np.ones(len(looks), dtype=bool)),
        counts=counts,
        outside={label: _describe(outside, target == label) for label in classes},
        shortcut=result,
        skipped_checks=_not_looked_for(has_files, counts, result),
        versions={"python": platform.python_version()}
        | {name: version(name) for name in ("skpneumo", "scikit-learn", "numpy", "pillow")},
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        images=images,
    )


def _counts(collection, classes):
    """Images by split and class."""
    return {
        split: {
            label: int(((collection.split == split) & (collection.target == label)).sum())
            for label in classes
        }
        for split in split_names(collection.split)
    }


def _describe(outside, chosen):
    """Quantiles of the numbers, and counts of the modes, of some images."""
    if not chosen.any():
        return {}
    described = {}
    for name, values in outside.items():
        if values.dtype.kind == "U":
            modes, n_images = np.unique(values[chosen], return_counts=True)
            described[name] = dict(zip(modes.tolist(), n_images.tolist(), strict=True))
        else:
            described[name] = np.quantile(values[chosen], _QUANTILES).tolist()
    return described


def _not_looked_for(has_files, counts, result):
    missing = []
    if not has_files:
        missing.append("What files tell (sizes, weight, colour modes): there are images only.")
    elif result is None:
        missing.append(
            f"Shortcuts: it takes two classes, and {FEWEST} patients of each whose files can be "
            "read."
        )
    if len(counts) == 1:
        missing.append("Copies and patients across splits: there is one split.")
    return missing
