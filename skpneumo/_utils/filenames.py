"""Patients and kinds of pneumonia in the file names of the Kermany collection."""

import os
import re
from typing import NamedTuple

# Before a name: its start, or a character that ends a word, so that "xperson12" is no "person12".
_START = r"(?<![^\W_])"
_PERSON = re.compile(
    rf"{_START}person[-_ ]?([0-9]+)[-_ ]+(bacteria|virus)[-_ ]+[0-9]", re.IGNORECASE
)
_IM = re.compile(rf"{_START}((?:NORMAL2[-_ ]+)?IM)[-_ ]+([0-9]+)[-_ ]+[0-9]", re.IGNORECASE)
# The third version. A date has the same shape.
_NUMBERED = re.compile(
    rf"{_START}(BACTERIA|VIRUS|NORMAL)-(?!(?:19|20)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}})([0-9]+)-[0-9]",
    re.IGNORECASE,
)
# What may come before "IM-0115-0001" and "NORMAL-28501-0001", which other collections use too:
# words of copies, of augmentation and of folders. Names of people and hospitals are none of them.
_LEADING = re.compile(
    r"""
    [0-9]+ | [0-9a-f]{8,} | [hv] | of | de | di | da | do | von | van | the | and | with
    | cop(?:y|ies) | kopie | copie | c[oó]pia | kopia | duplicate[ds]? | dup | backup
    | aug(?:ment(?:ed|ation)?)?[0-9]* | transform(?:ed)? | synthetic | generated | gen
    | (?:re)?siz(?:e|ed|ing) | resize[ds]? | (?:re|down|up)?scaled? | crop(?:ped)? | pad(?:ded)?
    | [hv]?flip(?:ped)?(?:lr|ud)? | mirror(?:ed)? | horizontal(?:ly)? | vertical(?:ly)?
    | left | right | up | down | lr | ud | center | centre
    | rot(?:at(?:e|ed|ion))?[0-9]* | shift(?:ed)? | translat(?:e|ed|ion) | shear(?:ed)?
    | zoom(?:ed)? | warp(?:ed)? | affine | elastic | distort(?:ed|ion)?
    | bright(?:er|ness|en|ened)? | dark(?:er|en|ened)? | contrast | gamma | jitter(?:ed)? | color
    | noise | noisy | gauss(?:ian)? | blur(?:red|ry)? | sharp(?:en|ened)? | median | denoised?
    | clahe | he | hist(?:ogram)? | equali[sz](?:e|ed|ation) | enhanced? | normali[sz]ed?
    | filter(?:ed)? | invert(?:ed)? | gr[ae]y(?:scale)? | rgb | bw | (?:pre)?processed
    | orig(?:inal)? | new | final | image | img | xray | cxr | chest | scan | small | large | low
    | high | heatmap | gradcam | png | jpe?g
    | train(?:ing)? | val(?:id(?:ation)?)? | test(?:ing)? | normal | pneumonia | bacteria(?:l)?
    | virus | viral
    """,
    re.IGNORECASE | re.VERBOSE,
)


class XRayName(NamedTuple):
    """Patient and kind of pneumonia of one file name.

    Parameters
    ----------
    patient : str
        The patient, as finely as names allow: "bacteria-12", "virus-12", "IM-115",
        "NORMAL2-IM-115", "child-213622".
    group : str
        The patient, cautiously: "person-12" for either pathogen, else the same as ``patient``.
    subtype : str
        "bacteria", "virus", or "" for a normal image or an unknown name.
    """

    patient: str
    group: str
    subtype: str


def parse_filename(name):
    """Parse the patient and the kind of pneumonia from a file name.

    The names are those of Kermany's collection, in upper or lower case, with any extension:

    - ``person{N}_{bacteria|virus}_{K}``, ``IM-{N}-{V}`` and ``NORMAL2-IM-{N}-{V}`` of the second
      version and of Kaggle. N counts separately for each prefix and pathogen, so
      ``person12_bacteria`` and ``person12_virus`` are different patients, and so are ``IM-0115``
      and ``NORMAL2-IM-0115``;
    - ``{BACTERIA|VIRUS|NORMAL}-{N}-{V}`` of the third version, in which N numbers all patients.

    What follows does not matter, so that a copy belongs to its patient: ``IM-0115-0001 (1)``,
    ``IM-0115-0001_flip``. Words before it do not matter either; before ``IM`` and ``NORMAL``,
    which are not specific to the collection, words for copies and augmentation only.

    Parameters
    ----------
    name : str or path-like
        The name of a file; folders before it are ignored.

    Returns
    -------
    parsed : XRayName or None
        ``patient`` is the key for checks across splits. ``group`` merges the pathogens and is the
        key for cross-validation: the numbering splits some patients, and a group that is too large
        does no harm there. None for a name of another pattern.

    Examples
    --------
    >>> from skpneumo._utils.filenames import parse_filename
    >>> parse_filename("person12_virus_46.jpeg")
    XRayName(patient='virus-12', group='person-12', subtype='virus')
    >>> parse_filename("copy of NORMAL2-IM-0115-0001.jpeg").patient
    'NORMAL2-IM-115'
    >>> parse_filename("BACTERIA-213622-0001.jpeg")
    XRayName(patient='child-213622', group='child-213622', subtype='bacteria')
    """
    name = os.path.basename(name)
    if match := _PERSON.search(name):
        number, pathogen = int(match[1]), match[2].lower()
        return XRayName(f"{pathogen}-{number}", f"person-{number}", pathogen)
    if (match := _IM.search(name)) and _is_neutral(name[: match.start()]):
        prefix = "NORMAL2-IM" if len(match[1]) > len("IM") else "IM"
        patient = f"{prefix}-{int(match[2])}"
        return XRayName(patient, patient, "")
    if match := _NUMBERED.search(name):
        kind = match[1].lower()
        if kind != "normal" or _is_neutral(name[: match.start()]):
            patient = f"child-{int(match[2])}"
            return XRayName(patient, patient, "" if kind == "normal" else kind)
    return None


def _is_neutral(text):
    """Whether all words of a text may stand before a name without changing what it identifies."""
    return all(_LEADING.fullmatch(word) for word in re.findall(r"[^\W_]+", text))
