"""Reports as files."""

from pathlib import Path

from skpneumo._utils.files import check_parent_dir, write_text


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
    writers = {".html": report.to_html, ".json": report.to_json, ".txt": report.__str__}
    if path.suffix.lower() not in writers:
        raise ValueError(f"A report ends in {', '.join(writers)}; got {path.name!r}.")
    check_parent_dir(path)
    write_text(writers[path.suffix.lower()](), path)
