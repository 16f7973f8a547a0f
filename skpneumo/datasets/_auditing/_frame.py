"""The findings of an audit as a data frame."""

from itertools import zip_longest

from skpneumo._utils.frames import import_pandas

_COLUMNS = ("finding", "level", "group", "row", "path", "detail", "found", "advice")


def as_frame(audit):
    """List the images of all findings.

    Parameters
    ----------
    audit : Audit
        Its findings, and the paths if it has them.

    Returns
    -------
    pandas.DataFrame
        As `Audit.to_frame` describes it.
    """
    paths = audit.images if isinstance(audit.images, list) else None
    lines = [line for finding in audit.findings for line in _list_lines(finding, paths)]
    frame = import_pandas().DataFrame(lines, columns=[*_COLUMNS])
    return frame.astype({"group": "Int64", "row": "Int64"})


def _list_lines(finding, paths):
    own = {name: getattr(finding, name) for name in ("level", "found", "advice")}
    own["finding"] = finding.name
    if not (finding.rows or finding.details):
        return [own]
    # A file that was left out has a detail and no row.
    groups = zip_longest(finding.rows, finding.details, fillvalue=None)
    return [
        own
        | {"group": number, "row": row, "detail": detail}
        | ({} if paths is None or row is None else {"path": paths[row]})
        for number, (rows, detail) in enumerate(groups)
        for row in rows or [None]
    ]
