"""The audit of a dataset, before anything is trained on it."""

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
    get_left_out,
    get_unreadable,
    n_patients,
    split_names,
)
from skpneumo.datasets._auditing._duplicates import exact_copies, near_copies
from skpneumo.datasets._auditing._leaks import copies, patients
from skpneumo.datasets._auditing._scan import scan_files, scan_images
from skpneumo.datasets._auditing._shortcuts import MIN_PATIENTS, get_metadata, probe
from skpneumo.datasets._auditing._suspects import find_suspects

_QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """Faults of a dataset of X-rays, certain or possible. `audit` returns it.

    ``print`` shows it as text, a notebook as HTML.

    Attributes
    ----------
    findings : list of Finding
        Errors first, then warnings, then information.
    n_images, n_patients : int
        Numbers of images and patients. An image of an unknown patient counts as a patient.
    counts : dict of str to dict of str to int
        Images by split and class.
    metadata : dict of str to dict
        By class: of width, height, aspect and kilobytes the 5 %, 50 % and 95 % quantiles, and of
        "mode" the number of images by type of file and colour mode.
    shortcut : dict or None
        Areas under the ROC curve of the label predicted from these alone, for patients that are
        not in the training folds: "auc", "low" and "high" (mean, least and greatest of five
        folds), and "alone", by name.
    skipped_checks : list of str
        Checks that these data do not allow.
    versions : dict of str to str
        Versions of the packages.
    date : str
        Time of the audit, in UTC.
    images : array-like
        The paths or images that were audited; only the HTML reads them.
    """

    findings: list
    n_images: int
    n_patients: int
    counts: dict
    metadata: dict
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
        """All findings and tables, without the images.

        Returns
        -------
        dict
            Holds numbers, texts, lists and dicts only: it can be written as JSON.
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
        """One page with all findings, and thumbnails of the first images of each.

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
            Ends in ``.html``, ``.json`` or ``.txt``, which decides the format.

        Raises
        ------
        ValueError
            If it ends in something else.
        """
        write_report(self, path)


def audit(data, *, n_jobs=None):
    """Check a dataset for duplicates, leakage and shortcuts.

    Every file is decoded once. The audit reports:

    - files that cannot be read, and those that `load_xray_folder` left out, with the reasons;
    - copies of an image, byte for byte or nearly so, with different labels, in different splits,
      or filed under different patients;
    - patients in more than one split;
    - splits too small for selection or testing, and classes that are missing or whose proportions
      differ;
    - shortcuts: how well size, shape, file size and colour mode alone predict the label;
    - lateral and oblique views, by the headers of DICOM files;
    - images that are blank, in colour, inverted, rotated, or no chest X-rays.

    Parameters
    ----------
    data : :class:`~sklearn.utils.Bunch` or dict
        As `load_xray_folder` returns it: ``paths``, ``target``, and, if known, ``split``,
        ``patient``, ``groups``, ``view`` and ``reasons``. Instead of paths it may have
        ``images``, as `make_xrays` returns them; these have no file metadata.
    n_jobs : int, default=None
        Number of workers of joblib that read the files, by default 1 with several threads. It pays
        on a cluster (``joblib.parallel_config("dask")``), whose workers must see the files.

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
        From `read_xray`, once for each file.

    Notes
    -----
    The user guide describes the criterion of each finding, and how often it is wrong.

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
    records, thumbnails = scan_files(images, n_jobs) if has_files else scan_images(images)
    readable = np.flatnonzero([not record.cause for record in records])
    metadata = get_metadata([records[row] for row in readable])
    target = collection.target[readable]
    classes = np.unique(collection.target).tolist()
    shortcut = None
    if has_files and len(classes) == 2:
        shortcut = probe(metadata, target == classes[1], collection.groups[readable])
    counts = _counts(collection, classes)
    findings = [
        *_find_unusable(data, collection, records),
        *patients(collection),
        *_find_copies(collection, records, thumbnails, readable),
        *_find_shortcuts(shortcut, classes, records if has_files else []),
        *_find_suspects(collection, records, thumbnails, readable),
        *small_splits(collection),
        *balance(counts),
    ]
    return Audit(
        findings=sorted(findings, key=lambda finding: find.LEVELS.index(finding.level)),
        n_images=len(records),
        n_patients=n_patients(collection, np.ones(len(records), dtype=bool)),
        counts=counts,
        metadata={label: _describe(metadata, target == label) for label in classes},
        shortcut=shortcut,
        skipped_checks=_list_skipped_checks(has_files, counts, shortcut),
        versions=_package_versions(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        images=images,
    )


def _find_unusable(data, collection, records):
    """Files that cannot be read, that hold no X-ray, or that were left out; other views."""
    no_xrays = {row: one.cause for row, one in enumerate(records) if one.holds_no_xray}
    unreadable = {
        row: one.cause for row, one in enumerate(records) if one.cause and row not in no_xrays
    }
    return [
        *find.unreadable(collection, unreadable, get_unreadable(data, collection)),
        *find.no_xrays(collection, no_xrays),
        *find.left_out(get_left_out(data, collection)),
        *find.other_views(collection, data.get("view", ())),
    ]


def _find_copies(collection, records, thumbnails, readable):
    """Exact copies, and near copies of one image of each group of exact ones."""
    exact = exact_copies([record.digest for record in records])
    copied = {row for group in exact for row in group[1:]}
    once = np.array([row for row in readable if row not in copied], dtype=int)
    near = [once[group].tolist() for group in near_copies(thumbnails[once])]
    return [*copies(collection, "exact", exact), *copies(collection, "near", near)]


def _find_shortcuts(shortcut, classes, records):
    sizes = {(record.width, record.height) for record in records if not record.cause}
    return find.shortcut(shortcut, classes, sizes)


def _find_suspects(collection, records, thumbnails, readable):
    colour = np.array([records[row].colour for row in readable])
    suspected = find_suspects(thumbnails[readable], colour)
    return find.suspects(collection, {kind: readable[rows] for kind, rows in suspected.items()})


def _package_versions():
    packages = ("skpneumo", "scikit-learn", "numpy", "pillow")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def _counts(collection, classes):
    """Images by split and class."""
    return {
        split: {
            label: int(((collection.split == split) & (collection.target == label)).sum())
            for label in classes
        }
        for split in split_names(collection.split)
    }


def _describe(metadata, chosen):
    """Quantiles of the numbers, and counts of the modes, of some images."""
    if not chosen.any():
        return {}
    described = {}
    for name, values in metadata.items():
        if values.dtype.kind == "U":
            modes, n_images = np.unique(values[chosen], return_counts=True)
            described[name] = dict(zip(modes.tolist(), n_images.tolist(), strict=True))
        else:
            described[name] = np.quantile(values[chosen], _QUANTILES).tolist()
    return described


def _list_skipped_checks(has_files, counts, result):
    missing = []
    if not has_files:
        missing.append("File metadata (sizes, file sizes, colour modes): there are no files.")
    elif result is None:
        missing.append(
            f"Shortcuts: two classes are needed, and {MIN_PATIENTS} patients of each with readable "
            "files."
        )
    if len(counts) == 1:
        missing.append("Copies and patients across splits: there is one split.")
    return missing
