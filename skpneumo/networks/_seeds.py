"""Independent seeds from one, without any process-wide generator."""

from itertools import count

import numpy as np


def seed_stream(seed=None):
    """Yield seeds that are statistically independent of each other.

    Keras draws the seed of a layer without one from Python's process-wide generator, so that a
    network depends on what other threads draw. Each layer gets one of these instead.

    Parameters
    ----------
    seed : int, default=None
        Seed of the stream, by :class:`numpy.random.SeedSequence`; None takes entropy from the
        operating system.

    Yields
    ------
    int
        At least 0, below 2**31.

    Examples
    --------
    >>> from skpneumo.networks import seed_stream
    >>> stream, same = seed_stream(3), seed_stream(3)
    >>> next(stream) == next(same), next(stream) == next(same)
    (True, True)
    """
    entropy = np.random.SeedSequence(seed).entropy
    for i in count():
        child = np.random.SeedSequence(entropy, spawn_key=(i,))
        yield int(child.generate_state(1)[0]) >> 1
