"""Figures as text."""

from math import floor

_ROUNDING = 1e-9  # the mean of folds that all sit on a floor may fall short of it by rounding


def percent(share, digits=1):
    """Round down: 97.96 % shall not read as the 98.0 % that it misses, nor 0.04 % as nothing."""
    step = 10**-digits
    found = floor(100 * (share + _ROUNDING) / step) * step
    if found == 0 and share > _ROUNDING:
        return f"<{step:.{digits}f}%"
    return f"{found:.{digits}f}%"
