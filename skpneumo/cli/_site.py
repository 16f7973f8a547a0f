"""X-rays of a site: files, patients, and the check that other commands make on the way."""

import os

import numpy as np

from skpneumo._utils.filenames import parse_filename
from skpneumo.exceptions import DatasetError

# Fewer find only the grossest differences, and would be an alarm in vain now and then.
_MIN_IMAGES = 50


def find_pool(folder, views, run):
    """Find the X-rays of a site.

    Parameters
    ----------
    folder : path
        A folder.
    views : {"frontal", "all"}
        As `load_xray_folder` takes it.
    run : Run
        Warns of files that cannot be read.

    Returns
    -------
    files, patients : list of str
        Files that can be read, sorted, and the patient of each.

    Raises
    ------
    DatasetError
        If there is none.
    """
    from skpneumo.cli._prediction import find_files

    found = find_files([folder])
    files = sorted(found.list_readable(views))
    if not files:
        raise DatasetError(f"{folder} holds no X-ray that can be read. Name another folder.")
    if n_unread := len(found.files) - len(files):
        run.warn(f"{n_unread:,} files of {folder} contain no readable X-ray.")
    return files, identify_patients(files)


def identify_patients(files):
    """Identify the patient of each file: by its header, else its name, else the file itself.

    Parameters
    ----------
    files : list of str
        X-rays.

    Returns
    -------
    list of str
    """
    from skpneumo.images import read_records

    records = read_records(files, "all")
    return [get_patient(file, record.identity) for file, record in zip(files, records, strict=True)]


def get_patient(file, identity):
    """Return the patient of a file.

    Parameters
    ----------
    file : str
        An X-ray.
    identity : Identity
        Of its header.

    Returns
    -------
    str
        A name of the patient, to be compared and never shown.
    """
    if identity.patient or identity.study:
        return f"dicom {identity.patient or identity.study}"
    name = parse_filename(os.path.basename(file))
    return f"file {file}" if name is None else f"name {name.group}"


def report_check(model, scores, patients, run):
    """Check a site by the scores of a prediction, and print what was found in one line.

    Nothing is printed for fewer than 50 files or 20 patients, or a model without reference scores.

    Parameters
    ----------
    model : classifier
        The model that predicted.
    scores : array-like of shape (n_files,)
        Score of each X-ray.
    patients : sequence of str
        The patient of each.
    run : Run
        Prints it.
    """
    if len(scores) < _MIN_IMAGES:
        return
    from skpneumo.sites import check_scores

    try:
        check = check_scores(model, np.asarray(scores), groups=patients)
    except ValueError:
        # A model without reference scores, or fewer patients than a check takes.
        return
    if check.shift == "population":
        run.warn(check.summarize())
    else:
        run.note(check.summarize())
