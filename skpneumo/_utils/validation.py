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


def check_cost(name, value):
    """Return ``value`` if it is a finite number of at least 0."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise ValueError(f"{name} must be a number of at least 0, got {value!r}.")
    if not 0 <= value < np.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {value!r}.")
    return float(value)
