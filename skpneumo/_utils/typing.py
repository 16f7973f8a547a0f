"""Types of parameters that several public functions share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Literal, Protocol, TypeAlias

import joblib
import numpy as np
from numpy.typing import ArrayLike

PathLike: TypeAlias = str | os.PathLike[str]
# What a list of paths lacks in ArrayLike: a path is no number, text or array. A sequence of X-rays
# is one, as it has ``__array__``.
XRays: TypeAlias = ArrayLike | Sequence[PathLike]
XRaySource: TypeAlias = PathLike | bytes | BinaryIO
Size: TypeAlias = tuple[int, int] | Sequence[int] | np.ndarray
Aspect: TypeAlias = Literal["stretch", "crop", "pad"]
Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]
Unit: TypeAlias = Literal["patient", "image"]
Label: TypeAlias = str | float | bool
Memory: TypeAlias = PathLike | joblib.Memory
RandomState: TypeAlias = int | np.random.RandomState


class Augmenter(Protocol):
    """An `XRayAugmenter`, or something like it."""

    def to_augmentation(self) -> Any:
        """Return the augmentation that it describes."""


class Splitter(Protocol):
    """A splitter of scikit-learn, or something like it."""

    def split(self, X: Any, y: Any, groups: Any, /) -> Iterable[Any]:
        """Generate training and test rows."""
