"""What is to be read next, by the labels received, and the threshold at the end."""

from typing import NamedTuple

import numpy as np

from skpneumo.sites._conclusion import Conclusion, conclude
from skpneumo.sites._label_plans import (
    MIN_PATIENTS_TO_PLAN,
    PILOT_SIZE,
    RISK_WITHOUT_RANK,
    LabelPlan,
    certified_ranks,
    choose_plan,
    whole_rank,
)
from skpneumo.sites._reading import count_images_read, read_sample, read_upwards
from skpneumo.sites._remaining import (
    remaining_before_plan,
    remaining_of_sample,
    remaining_upwards,
)


class Target(NamedTuple):
    """What is to be certified, and the draw that randomises the rank."""

    min_recall: float
    confidence: float
    draw: float


class Progress(NamedTuple):
    """Where the reading of a pool stands."""

    plan: LabelPlan | None
    """None until the pilot is read."""
    unread: list
    """Rows to be read, in this order; empty at the end."""
    conclusion: Conclusion | None
    """The threshold at the end."""


def get_pilot(pool):
    """Patients who are read to choose the plan.

    Parameters
    ----------
    pool : Pool
        The images.

    Returns
    -------
    ndarray of int
        Empty in a small pool.
    """
    return pool.order[: PILOT_SIZE if len(pool.order) >= MIN_PATIENTS_TO_PLAN else 0]


def advance(pool, labels, plan, target):
    """Find what is to be read, and conclude where nothing is.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    plan : LabelPlan or None
        Once it is chosen it stays.
    target : Target
        What is to be certified.

    Returns
    -------
    Progress
    """
    if plan is None:
        unread = read_sample(pool, labels.tolist(), get_pilot(pool)).unread
        if unread:
            return Progress(None, unread, None)
        plan = _plan_by_pilot(pool, labels, target)
    follow = _follow_upwards if plan.kind == "upwards" else _follow_sample
    unread, patients, sampled, rank, risk = follow(pool, labels.tolist(), plan, target)
    if unread:
        return Progress(plan, unread, None)
    conclusion = conclude(
        pool, labels, patients, sampled, rank, min_recall=target.min_recall, risk=risk
    )
    return Progress(plan, [], conclusion)


def _plan_by_pilot(pool, labels, target):
    pilot, counts = get_pilot(pool), None
    if len(pilot):
        n_positive = read_sample(pool, labels.tolist(), pilot).n_positive
        counts = (n_positive, *count_images_read(pool, labels, pilot))
    n_patients = len(pool.order) - len(pilot)
    return choose_plan(n_patients, target.min_recall, target.confidence, counts)


def _follow_upwards(pool, labels, plan, target):
    """Rows to be read; patients that have ranks, those sampled, rank, and risk without one."""
    start = len(get_pilot(pool))
    patients = pool.order[start : start + plan.n_patients]
    sampled = patients[: plan.sample_size]
    sample = read_sample(pool, labels, sampled)
    rank, unread = 0, sample.unread
    if not unread:
        rank = whole_rank(plan.ranks[sample.n_positive], target.draw)
        unread, _ = read_upwards(pool, labels, patients, rank)
    return unread, patients, sampled, rank, RISK_WITHOUT_RANK * (1 - target.confidence)


def _follow_sample(pool, labels, plan, target):
    """As `_follow_upwards`, for a random sample."""
    patients = pool.order[len(get_pilot(pool)) :]
    sample = read_sample(pool, labels, patients, plan.n_positive)
    sampled = patients[: sample.n_patients]
    rank = certified_ranks(sample.n_positive, target.min_recall, target.confidence)[0]
    return sample.unread, sampled, sampled, whole_rank(rank, target.draw), 1 - target.confidence


def estimate_remaining(pool, labels, plan, target):
    """Estimate the number of images still to be labelled, while some are.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    plan : LabelPlan or None
        None while the pilot is read.
    target : Target
        What is to be certified.

    Returns
    -------
    int
        At least 1.
    """
    pilot = get_pilot(pool)
    goal = target.min_recall, target.confidence
    if plan is None:
        remaining = remaining_before_plan(pool, labels, pilot, *goal)
    elif plan.kind == "random sample":
        patients = pool.order[len(pilot) :]
        remaining = remaining_of_sample(pool, labels, patients, plan.n_positive)
    else:
        _, patients, sampled, rank, _ = _follow_upwards(pool, labels.tolist(), plan, target)
        known = np.concatenate([pilot, sampled])
        remaining = remaining_upwards(pool, labels, patients, known, rank, *goal)
    return max(1, round(float(remaining)))


def get_sampled(pool, labels, plan, target):
    """Patients who were read as random samples, whatever their scores.

    Parameters
    ----------
    pool : Pool
        The images.
    labels : ndarray of int of shape (n_images,)
        Label of each image.
    plan : LabelPlan
        The plan, which is complete.
    target : Target
        What is certified.

    Returns
    -------
    ndarray of int
        Those of the pilot, and of the sample after it.
    """
    follow = _follow_upwards if plan.kind == "upwards" else _follow_sample
    sampled = follow(pool, labels.tolist(), plan, target)[2]
    return np.concatenate([get_pilot(pool), sampled])
