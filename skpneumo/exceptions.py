"""Errors that skpneumo raises beside scikit-learn's own."""


class ImageReadError(ValueError):
    """A file could not be read as an image; the message names the file and the cause."""


class DatasetError(ValueError):
    """A folder does not hold a labelled collection of X-rays; the message shows how it should."""


class WeightsError(OSError):
    """Network weights could not be loaded; the message says which file to put where."""


class CacheWarning(UserWarning):
    """Something cannot be kept on disk; results are right, but are computed again."""
