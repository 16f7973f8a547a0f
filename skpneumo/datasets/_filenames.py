"""What the file names of the Kermany collection tell about a child."""

import os
import re
from typing import NamedTuple

# The optional last number is rare: person447_virus_921_1.jpeg, IM-0683-0001-0002.jpeg.
_PNEUMONIA = re.compile(r"person([0-9]+)_(bacteria|virus)_[0-9]+(?:_[0-9]+)?", re.IGNORECASE)
_NORMAL = re.compile(r"((?:NORMAL2-)?IM)-([0-9]+)-[0-9]+(?:-[0-9]+)?", re.IGNORECASE)


class XRayName(NamedTuple):
    """What one file name tells.

    Parameters
    ----------
    patient : str
        The child, as finely as names can tell: "bacteria-12", "virus-12", "IM-115",
        "NORMAL2-IM-115".
    group : str
        The child, cautiously: "person-12" for either pathogen, else the same as ``patient``.
    subtype : str
        "bacteria", "virus", or "" for a normal image or an unknown name.
    """

    patient: str
    group: str
    subtype: str


def parse_filename(name):
    """Read the child and the kind of pneumonia out of a file name.

    The names are those of Kermany's collection, in upper or lower case and with any extension:
    ``person{N}_{bacteria|virus}_{K}.jpeg``, ``IM-{N}-{V}.jpeg`` and ``NORMAL2-IM-{N}-{V}.jpeg``.
    N counts separately for each prefix and pathogen, so ``person12_bacteria`` and
    ``person12_virus`` are different children, and so are ``IM-0115`` and ``NORMAL2-IM-0115``.

    Parameters
    ----------
    name : str or path-like
        The name of a file; folders before it are ignored.

    Returns
    -------
    parsed : XRayName or None
        ``patient`` is the key to look for children across splits. ``group`` merges the
        pathogens and is the one for cross-validation: the numbering split some children, and a
        group too large does no harm there. None is for a name of another pattern.

    Examples
    --------
    >>> from skpneumo.datasets._filenames import parse_filename
    >>> parse_filename("person12_virus_46.jpeg")
    XRayName(patient='virus-12', group='person-12', subtype='virus')
    >>> parse_filename("NORMAL2-IM-0115-0001.jpeg").patient
    'NORMAL2-IM-115'
    """
    stem, _ = os.path.splitext(os.path.basename(name))
    if match := _PNEUMONIA.fullmatch(stem):
        number, pathogen = int(match[1]), match[2].lower()
        return XRayName(f"{pathogen}-{number}", f"person-{number}", pathogen)
    if match := _NORMAL.fullmatch(stem):
        child = f"{match[1].upper()}-{int(match[2])}"
        return XRayName(child, child, "")
    return None
