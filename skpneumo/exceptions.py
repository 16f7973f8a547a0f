"""Errors that skpneumo raises beside scikit-learn's own."""


class ImageReadError(ValueError):
    """A file could not be read as an image; the message names the file and the cause."""


class NoXRayError(ImageReadError):
    """A file is sound, but holds no X-ray that could be shown; the message names both.

    Such as a CT slice, a report, a screenshot in colour, or the raw data of a detector.
    """


class DatasetError(ValueError):
    """There is no labelled collection of X-rays as wanted; the message shows what to do."""


class WeightsError(OSError):
    """Network weights could not be loaded; the message says which file to put where."""


class ModelFileError(ValueError):
    """A file does not hold a model that can be trusted; the message says what is wrong with it."""


class OutlierWarning(UserWarning):
    """Images are out of distribution; the message names them."""


class CacheWarning(UserWarning):
    """Something cannot be kept on disk; results are right, but are computed again."""


class HeaderWarning(UserWarning):
    """What a header says of its image cannot be true, and is not applied; the message names it."""


class BitDepthWarning(UserWarning):
    """How many bits the samples of an image have is a guess; the message names the file."""


class LowContrastWarning(UserWarning):
    """A picture keeps few or no grey levels of many that its file holds; the message names both.

    It is the file's own window, table or scale that leaves so few. The message also names what is
    returned instead where that is possible.
    """
