"""How long work on many files will take, measured on a few of them."""

import time
import warnings

from skpneumo.exceptions import ImageReadError, OutlierWarning
from skpneumo.images import XRaySequence

# Of fewer files the work is done before a measurement would pay.
_MIN_FILES = 500
_N_TIMED = 32


def time_reading(files):
    """Estimate how long it takes to decode files.

    Parameters
    ----------
    files : sequence of str
        X-rays.

    Returns
    -------
    float
        Seconds; 0 for fewer than 500 files.
    """
    return _time(lambda some: XRaySequence(some).find_unreadable(), files)


def time_predictions(model, files):
    """Estimate how long it takes to predict files.

    Parameters
    ----------
    model : classifier
        Fitted.
    files : sequence of str
        X-rays that can be read.

    Returns
    -------
    float
        Seconds; 0 for fewer than 500 files, or if one of a few cannot be read.
    """
    if len(files) < _MIN_FILES:
        return 0.0
    with warnings.catch_warnings():
        # The work itself warns of all files.
        warnings.simplefilter("ignore", OutlierWarning)
        try:
            model.predict_proba([files[0]])  # the first one builds the network
            return _time(model.predict_proba, files)
        except ImageReadError:
            return 0.0  # the work itself reports it


def _time(work, files):
    """Extrapolate from files all over the list: those of one class may be larger."""
    n = len(files)
    if n < _MIN_FILES:
        return 0.0
    some = [files[i] for i in range(n // (2 * _N_TIMED), n, n // _N_TIMED)][:_N_TIMED]
    started = time.perf_counter()
    work(some)
    return (time.perf_counter() - started) * n / len(some)
