"""The X-rays of a folder: found, predicted one by one, and checked as a site."""

import os
from pathlib import Path

import numpy as np

from skpneumo.images import XRaySequence, is_image, list_entries, read_records
from skpneumo.serving._answers import (
    PREDICTED,
    UNREADABLE,
    Answer,
    answer_file,
    clean_name,
)
from skpneumo.sites import check_scores

# Fewer find only the grossest differences.
_MIN_IMAGES = 50


def find_images(folder):
    """Find the images in a folder and below it, sorted by name.

    Parameters
    ----------
    folder : path
        Links to other folders are not followed.

    Returns
    -------
    list of str
    """
    files = []
    for entry in list_entries(folder):
        if entry.is_dir(follow_symlinks=False):
            files += find_images(entry.path)
        elif is_image(entry) and entry.is_file():
            files.append(entry.path)
    return sorted(files)


def find_pool(folder):
    """Find the frontal chest X-rays of a folder that can be read, sorted by name.

    Parameters
    ----------
    folder : path
        Those that lack a header are taken for frontal chest X-rays.

    Returns
    -------
    list of str
    """
    files = find_images(folder)
    records = read_records(files, "frontal")
    files = [file for file, record in zip(files, records, strict=True) if not record.reason]
    unreadable = XRaySequence(files).find_unreadable() if files else {}
    return [file for file in files if file not in unreadable]


def label_by_folders(file, root, classes):
    """Label of a file by the names of the folders it lies in, or None.

    Parameters
    ----------
    file, root : str
        The file, and the folder above which names do not count.
    classes : list of str
        The labels.

    Returns
    -------
    str or None
        None also if the names contradict each other.
    """
    parts = {part.casefold() for part in Path(os.path.relpath(file, root)).parts[:-1]}
    found = [label for label in classes if label.casefold() in parts]
    return found[0] if len(found) == 1 else None


def check_scored(model, answers):
    """Check a site by predictions.

    Parameters
    ----------
    model : classifier
        Fitted.
    answers : list of Answer or Scored
        With ``probability`` and ``patient``.

    Returns
    -------
    SiteCheck

    Raises
    ------
    ValueError
        If there are too few, or the model holds no reference scores.
    """
    scores = np.array([answer.probability for answer in answers], dtype=np.float64)
    patients = [answer.patient or f"image {row}" for row, answer in enumerate(answers)]
    return check_scores(model, scores, groups=patients)


def _answer_or_fail(model, file):
    """The answer for a file; one that breaks the prediction stops nothing."""
    try:
        return answer_file(model, file, file)
    except Exception as error:
        reason = f"its prediction failed ({type(error).__name__})."
        return Answer(file=clean_name(file), outcome=UNREADABLE, reason=reason)


class FolderScan:
    """The X-rays of a folder, predicted in the background.

    Parameters
    ----------
    folder : path
        The folder.
    session : ModelSession
        The model.
    classes : list of str
        Its labels.

    Attributes
    ----------
    files : list of str
        The images found, sorted.
    answers : list of Answer
        Of the first of them, as far as they are predicted.
    site_check : SiteCheck or None
        Once all are predicted.
    site_note : str or None
        Why there is no check.
    """

    def __init__(self, folder, session, classes):
        self.folder, self.session, self.classes = os.fspath(folder), session, classes
        self.files = find_images(self.folder)
        self.answers = []
        self.site_check, self.site_note = None, None

    @property
    def is_done(self):
        """Whether all files are predicted."""
        return len(self.answers) == len(self.files)

    async def run(self):
        """Predict the files one by one; others use the model in between."""
        for file in self.files:
            self.answers.append(await self.session.run_when_free(_answer_or_fail, file))
        predicted = [answer for answer in self.answers if answer.outcome == PREDICTED]
        if len(predicted) < _MIN_IMAGES:
            self.site_note = (
                f"A check of the site compares at least {_MIN_IMAGES} predicted X-rays; this "
                f"folder has {len(predicted)}."
            )
            return
        try:
            self.site_check = await self.session.run_when_free(check_scored, predicted)
        except ValueError as error:
            self.site_note = str(error)

    def get_relative_path(self, row):
        """Path of a file within the folder, safe to print."""
        parts = Path(os.path.relpath(self.files[row], self.folder)).parts
        return "/".join(map(clean_name, parts))

    def get_label(self, row):
        """Label of a file by its folders, or None."""
        return label_by_folders(self.files[row], self.folder, self.classes)
