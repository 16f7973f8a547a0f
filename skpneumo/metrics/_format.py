"""Figures as text."""

from math import floor

_ROUNDING = 1e-9  # the mean of folds that all sit on a floor may fall short of it by rounding


def percent(share):
    """Round down: 97.96 % shall not read as the 98.0 % that it misses."""
    return f"{floor(1000 * (share + _ROUNDING)) / 10:.1f}%"
