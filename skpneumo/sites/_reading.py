"""Which images to read next, and the threshold that follows from the labels received.

Of a patient of a sample, images are read from the lowest score upwards until one is positive: it
has the score of the patient.
"""

from typing import NamedTuple

import numpy as np

UNREAD, UNSURE, NEGATIVE, POSITIVE = -2, -1, 0, 1


class Pool:
    """Scores and patients of some images, in the orders in which they are read.

    Parameters
    ----------
    scores : ndarray of shape (n_images,)
        Score of each image.
    patients : ndarray of shape (n_images,), dtype int
        Patient of each image, numbered from 0.
    order : ndarray of shape (n_patients,), dtype int
        The patients in random order.
    """

    def __init__(self, scores, patients, order):
        self.scores, self.patients, self.order = scores, patients, order
        self.upwards = np.argsort(scores, kind="stable")
        by_patient = self.upwards[np.argsort(patients[self.upwards], kind="stable")]
        ends = np.cumsum(np.bincount(patients, minlength=len(order)))
        self.images = [part.tolist() for part in np.split(by_patient, ends[:-1])]


class Sample(NamedTuple):
    """What is known of patients who are read one after another."""

    unread: list
    """The next image of each patient who is not known yet."""
    n_positive: int
    """Number of patients known as positive."""
    n_patients: int
    """Number of patients up to the end of the sample."""


def read_sample(pool, labels, patients, n_positive=None):
    """Find what is to be read of a random sample.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : sequence of int
        Label of each image.
    patients : sequence of int
        In the order in which they are read.
    n_positive : int, default=None
        Number of positive patients at which the sample ends; None for the last patient.

    Returns
    -------
    Sample
    """
    unread, found, n_patients = [], 0, 0
    for patient in patients:
        if found == n_positive:
            break
        n_patients += 1
        for row in pool.images[patient]:
            if labels[row] == UNREAD:
                unread.append(row)
                break
            if labels[row] == POSITIVE:
                found += 1
                break
    return Sample(unread, found, n_patients)


def read_upwards(pool, labels, patients, rank):
    """Find what is to be read from the lowest score upwards.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : sequence of int
        Label of each image.
    patients : sequence of int
        Images of others are passed over.
    rank : int
        Number of positive patients at which the reading ends. Unsure ones count as positive.

    Returns
    -------
    unread : list of int
        The rows, in ascending order of score.
    found : int
        Number of positive patients that were found.
    """
    unread, waiting = [], np.zeros(len(pool.order), dtype=bool)
    waiting[patients] = True
    found = 0
    for row in pool.upwards[waiting[pool.patients[pool.upwards]]].tolist():
        patient = pool.patients[row]
        if not waiting[patient]:
            continue
        if labels[row] == UNREAD:
            unread.append(row)
        elif labels[row] != NEGATIVE:
            waiting[patient] = False
            found += 1
            if found == rank:
                break
    return unread, found


def lowest_scores(pool, labels, patients):
    """Lowest score of each patient with an image that is positive or unsure.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    patients : sequence of int
        Others are left out.

    Returns
    -------
    ndarray
        In ascending order.
    """
    lowest = np.full(len(pool.order), np.inf, dtype=pool.scores.dtype)
    rows = (labels == POSITIVE) | (labels == UNSURE)
    np.minimum.at(lowest, pool.patients[rows], pool.scores[rows])
    lowest = lowest[patients]
    return np.sort(lowest[np.isfinite(lowest)])


def count_images_read(pool, labels, patients):
    """Mean number of images that were read, of all patients and of the negative ones.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    patients : sequence of int
        Those of a sample.

    Returns
    -------
    mean, mean_of_negative : float
        The latter is the former if no patient is negative.
    """
    read = np.bincount(pool.patients, labels != UNREAD, minlength=len(pool.order))[patients]
    positive = np.bincount(pool.patients, labels == POSITIVE, minlength=len(pool.order))[patients]
    negative = read[positive == 0]
    return float(read.mean()), float(negative.mean() if len(negative) else read.mean())


def highest_negative_scores(pool, labels, patients):
    """Highest score of each patient all of whose images are labelled negative.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    patients : ndarray of int
        Others are left out.

    Returns
    -------
    ndarray
    """
    n_images = np.bincount(pool.patients, minlength=len(pool.order))
    n_negative = np.bincount(pool.patients, labels == NEGATIVE, minlength=len(pool.order))
    highest = np.full(len(pool.order), -np.inf, dtype=pool.scores.dtype)
    np.maximum.at(highest, pool.patients, pool.scores)
    return highest[patients[(n_images == n_negative)[patients]]]
