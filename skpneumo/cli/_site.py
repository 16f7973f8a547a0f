"""X-rays of a site: files, patients, and the check that other commands make on the way."""

import numpy as np

from skpneumo.exceptions import DatasetError

# Fewer find only the grossest differences, and lead to a false positive now and then.
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
    from skpneumo.prediction import identify_patients

    found = find_files([folder])
    files = sorted(found.list_readable(views))
    if not files:
        raise DatasetError(f"{folder} holds no X-ray that can be read. Name another folder.")
    if n_unread := len(found.files) - len(files):
        run.warn(f"{n_unread:,} files of {folder} contain no readable X-ray.")
    return files, identify_patients(files)


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
