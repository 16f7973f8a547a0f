"""The patient of each file of a folder, and what makes patients doubtful."""

from collections import Counter

import numpy as np

from skpneumo._utils.filenames import XRayName, parse_filename
from skpneumo._utils.formatting import shorten
from skpneumo.datasets._folder_names import names_no_patient

# A folder that holds so large a fraction of a class, or more images than any patient of the Kermany
# collection has, is rarely a patient. A file in a folder of its own may well be.
_MAX_FRACTION = 0.2
_MAX_IMAGES = 31
_MIN_IMAGES = {"folder": 3, "dicom": 3, "name": 10}
# The usual number of folds: with fewer patients of a class some fold has none of it.
_MIN_PATIENTS = 5
_MIN_IMAGES_OF_CLASS = 10


def identify_patients(files, identities):
    """Identify the patient of each file, from its header, its name, or the folder of the patient.

    Parameters
    ----------
    files : list of XRayFile
        The files, in the order in which patients are numbered.
    identities : list of Identity
        Identifiers in the header of each file.

    Returns
    -------
    names : list of XRayName
        Patient, group and subtype of each file.
    sources : list of str
        What identified the patient: "dicom", "name", "folder", or "" if nothing did and the file
        counts as a patient of its own.
    """
    numbers = {"dicom": {}, "folder": {}}
    owners = _study_owners(files, identities)

    def number(kind, patient):
        # Identifiers and folders of hospitals may be people's names, and are not kept.
        key = f"{kind}-{numbers[kind].setdefault(patient, len(numbers[kind]) + 1)}"
        return XRayName(key, key, "")

    def identify(file, identity):
        if identity.patient:
            return number("dicom", ("patient", identity.patient)), "dicom"
        if identity.study:
            source, key = owners[identity.study]
            return number(source, key), source
        if (parsed := parse_filename(file.name)) is not None:
            return parsed, "name"
        if file.patient:
            return number("folder", file.patient), "folder"
        name = f"{file.target}/{file.name}"
        return XRayName(f"{file.split}/{name}", name, ""), ""

    names, sources = [], []
    for file, identity in zip(files, identities, strict=True):
        name, source = identify(file, identity)
        names.append(name if name.subtype else name._replace(subtype=file.subtype))
        sources.append(source)
    return names, sources


def _study_owners(files, identities):
    """Source and key of the patient of each study: of its files without an identifier.

    The identifier of another file of the study counts, else the folder of a patient, who may have
    several studies, else the study itself. Names of files do not: programs that export DICOM
    files count them in each folder from the start.
    """
    owners = {}
    for identity in identities:
        if identity.patient:
            owners.setdefault(identity.study, ("dicom", ("patient", identity.patient)))
    for file, identity in zip(files, identities, strict=True):
        if file.patient:
            owners.setdefault(identity.study, ("folder", file.patient))
    for identity in identities:
        owners.setdefault(identity.study, ("dicom", ("study", identity.study)))
    return owners


def number_studies(identities, patients):
    """Number studies and series, so that a later study of a patient has a larger number.

    The date of a study is the first one in any of its files; the dates of series, acquisition and
    content count only if no file has that of the study. Studies without a date come last.

    Parameters
    ----------
    identities : list of Identity
        Of each file.
    patients : list of str
        The patient of each file.

    Returns
    -------
    study, series : ndarray of shape (n_files,), dtype int
        From 1 on; 0 if the file names none. Identifiers and dates are not kept.
    """
    dates, first_rows, studies, series = {}, {}, {}, {}
    for identity in identities:
        key = identity.study or identity.series
        known = dates.get(key, identity.dates)
        dates[key] = tuple(old or new for old, new in zip(known, identity.dates, strict=True))
    for row, (identity, patient) in enumerate(zip(identities, patients, strict=True)):
        when = next(filter(None, dates[identity.study or identity.series]), "")
        place = (first_rows.setdefault(patient, row), not when, when)
        if identity.study:
            studies.setdefault(identity.study, (*place, row))
        if identity.series:
            series.setdefault(identity.series, (*place, identity.study, identity.number, row))
    studies, series = (
        {key: number for number, key in enumerate(sorted(places, key=places.get), 1)}
        for places in (studies, series)
    )
    return (
        np.array([studies.get(identity.study, 0) for identity in identities], dtype=int),
        np.array([series.get(identity.series, 0) for identity in identities], dtype=int),
    )


def patient_warnings(files, names, sources):
    """Describe what makes patients doubtful, before training.

    Parameters
    ----------
    files : list of XRayFile
        The files.
    names : list of XRayName
        Patient, group and subtype of each.
    sources : list of str
        What identified each patient, as `identify_patients` returns it.

    Returns
    -------
    messages : list of str
    """
    messages = []
    if n_shared := _count_shared_identifier(files, names, sources):
        messages.append(
            f"All {n_shared:,} DICOM files with an identifier of a patient have the same one, "
            "as after a removal of names. They count as one patient: give groups of your own."
        )
    if large := _large_patients(files, names, sources, "folder"):
        messages.append(
            f"{'; '.join(large)}. If these are not patients, but sites, batches or kinds of "
            "images, the folds of a cross-validation cannot be balanced and intervals by patients "
            "are too wide: give groups of your own, or remove that level of folders."
        )
    if identified := _large_patients(files, names, sources, "dicom"):
        messages.append(
            f"{'; '.join(identified)}. A patient identifier of so large a part of the files may "
            "stand for several patients, as after a removal of names. If so, the folds of a "
            "cross-validation cannot be balanced and intervals by patients are too wide: give "
            "groups of your own."
        )
    if named := _large_patients(files, names, sources, "name"):
        messages.append(
            f"{'; '.join(named)}, by the names of the files. If these are not patients, give "
            "groups of your own."
        )
    messages += _doubtful_folder_warnings(files, sources, reported=" ".join(large))
    if few := _few_patients(files, names):
        messages.append(
            f"{'; '.join(few)}. A cross-validation in {_MIN_PATIENTS} folds that keeps patients "
            f"together needs at least {_MIN_PATIENTS} patients of each class."
        )
    if message := unnamed_message(sources.count(""), len(sources)):
        messages.append(message)
    return messages


def _doubtful_folder_warnings(files, sources, reported):
    doubtful = [name for name in _doubtful_folders(files, sources) if repr(name) not in reported]
    if not doubtful:
        return []
    return [
        f"{len(doubtful):,} folder(s) in class folders count as patients, although their names "
        f"do not look like patients: {shorten(doubtful)}. Give groups of your own, or move "
        "files that are not X-rays of that class elsewhere."
    ]


def _count_shared_identifier(files, names, sources):
    """Number of DICOM files with an identifier if all have the same, in both classes; else 0."""
    rows = [row for row, source in enumerate(sources) if source == "dicom"]
    patients, targets = {names[row].patient for row in rows}, {files[row].target for row in rows}
    return len(rows) if len(patients) == 1 and len(targets) == 2 else 0


def unnamed_message(n_unnamed, n_files):
    """Sentence about files without a patient; "" if there are none."""
    if not n_unnamed:
        return ""
    return (
        f"{n_unnamed:,} of {n_files:,} files name no patient; each counts as a patient of its own. "
        "If patients have several images, give groups of your own."
    )


def _large_patients(files, names, sources, wanted):
    """Describe each patient, from one source, who holds an implausibly large part of a class."""
    rows = list(zip(files, names, sources, strict=True))
    totals = Counter((file.split, file.target) for file in files)
    counts = Counter((file.split, file.target, source, name.group) for file, name, source in rows)
    folders = {name.group: file.patient for file, name, source in rows if source == "folder"}
    found = []
    for (split, target, source, group), n in sorted(counts.items()):
        total = totals[split, target]
        if source != wanted or n < _MIN_IMAGES[source]:
            continue
        if n >= _MAX_FRACTION * total or n > _MAX_IMAGES:
            which = f"the folder {folders[group]!r}" if source == "folder" else repr(group)
            found.append(
                f"{which} holds {n:,} of {total:,} {target} images of the split {split!r} and "
                "counts as one patient"
            )
    return found


def _doubtful_folders(files, sources):
    """Folders that count as patients but are named after something else."""
    rows = zip(files, sources, strict=True)
    folders = {file.patient for file, source in rows if source == "folder"}
    return sorted(filter(names_no_patient, folders))


def _few_patients(files, names):
    """Describe each class with many images of few patients."""
    n_images = Counter((file.split, file.target) for file in files)
    patients = {}
    for file, name in zip(files, names, strict=True):
        patients.setdefault((file.split, file.target), set()).add(name.group)
    return [
        f"the {n_images[key]:,} {key[1]} images of the split {key[0]!r} are of {len(found)} "
        "patient(s)"
        for key, found in sorted(patients.items())
        if len(found) < _MIN_PATIENTS and n_images[key] >= _MIN_IMAGES_OF_CLASS
    ]


def are_identified(patient, files):
    """Whether each ``patient`` identifies a patient, not the file alone.

    For data that have no ``identified``.

    Parameters
    ----------
    patient : iterable of str
        Keys of `load_xray_folder`.
    files : iterable of str
        Last part of each path.

    Returns
    -------
    ndarray of bool
    """
    return np.array(
        [not key.endswith(f"/{file}") for key, file in zip(patient, files, strict=True)], dtype=bool
    )
