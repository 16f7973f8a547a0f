"""Numbers that parameters may be."""

from numbers import Real

import numpy as np


def check_fraction(name, value):
    """Return ``value`` if it is a number from 0 to 1."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, got {value!r}.")
    return float(value)


def check_open_fraction(name, value):
    """Return ``value`` if it is a number between 0 and 1, neither included."""
    if not 0 < check_fraction(name, value) < 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value!r}.")
    return float(value)


def check_non_negative(name, value, *, word=None):
    """Return ``value`` if it is a finite number of at least 0, or the word that may replace it."""
    if word is not None and isinstance(value, str) and value == word:
        return value
    # A bool is a number in Python, but as a cost or a margin it is an error.
    number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    if not number or not 0 <= value < np.inf:
        or_word = "" if word is None else f", or {word!r}"
        raise ValueError(f"{name} must be a finite number of at least 0{or_word}, got {value!r}.")
    return float(value)
