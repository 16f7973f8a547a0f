"""Reports as files."""

from pathlib import Path

from skpneumo._utils.files import check_parent_dir, write_text

REPORT_SUFFIXES = (".html", ".json", ".txt")


def write_report(report, path):
    """Write a report as HTML, JSON or text, depending on the suffix.

    Parameters
    ----------
    report : Audit or Evaluation
        With ``to_html``, ``to_json`` and ``__str__``.
    path : str or path
        Path of the file.

    Raises
    ------
    ValueError
        If the suffix is not ``.html``, ``.json`` or ``.txt``.
    FileNotFoundError
        If its folder does not exist.

    Notes
    -----
    File names in the report that are not UTF-8 are written with backslashes.
    """
    path = Path(path)
    if not has_report_suffix(path):
        raise ValueError(f"A report ends in {', '.join(REPORT_SUFFIXES)}; got {path.name!r}.")
    check_parent_dir(path)
    writers = (report.to_html, report.to_json, report.__str__)
    write = dict(zip(REPORT_SUFFIXES, writers, strict=True))[path.suffix.lower()]
    write_text(write(), path)


def has_report_suffix(path):
    """Whether a path ends as a report does, in any case of letters."""
    return Path(path).suffix.lower() in REPORT_SUFFIXES
