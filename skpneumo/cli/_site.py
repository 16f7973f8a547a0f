"""X-rays of a site: files, patients, and the check that other commands make on the way."""

import os

import numpy as np

from skpneumo._utils.filenames import parse_filename
from skpneumo.cli._console import ERR
from skpneumo.cli._messages import print_warning
from skpneumo.exceptions import DatasetError

# Fewer find only the grossest differences, and would be an alarm in vain now and then.
_MIN_IMAGES = 50


def find_pool(folder, views):
    """Find the X-rays of a site.

    Parameters
    ----------
    folder : path
        A folder.
    views : {"frontal", "all"}
        As `load_xray_folder` takes it.

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

    found = find_files([folder], views)
    files = sorted(found.list_readable())
    if not files:
        raise DatasetError(f"{folder} holds no X-ray that can be read. Name another folder.")
    if n_unread := len(found.files) - len(files):
        print_warning(f"{n_unread:,} files of {folder} contain no readable X-ray.", ERR)
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

    patients = []
    for file, record in zip(files, read_records(files, "all"), strict=True):
        identity = record.identity
        name = parse_filename(os.path.basename(file))
        if identity.patient or identity.study:
            patients.append(f"dicom {identity.patient or identity.study}")
        else:
            patients.append(f"file {file}" if name is None else f"name {name.group}")
    return patients


def report_check_of_files(model, files, scores):
    """Check a site as `report_check` does, with the patients of the files.

    Parameters
    ----------
    model : classifier
        The model that predicted.
    files : list of str
        X-rays of the site.
    scores : array-like of shape (n_files,)
        Score of each.
    """
    # The headers of fewer files need not be read.
    if len(files) >= _MIN_IMAGES:
        report_check(model, scores, identify_patients(files))


def report_check(model, scores, patients):
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
        print_warning(check.summarize(), ERR)
    else:
        ERR.print(check.summarize(), markup=False, highlight=False)
