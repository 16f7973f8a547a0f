"""Errors and warnings of skpneumo, beside those of scikit-learn."""


class ImageReadError(ValueError):
    """A file could not be read as an image; the message names the file and the cause."""


class NoXRayError(ImageReadError):
    """A file is valid, but holds no X-ray that could be shown; the message names both.

    Examples are a CT slice, a report, a screenshot in colour, or the raw data of a detector.
    """


class DatasetError(ValueError):
    """A folder holds no labelled collection of X-rays as wanted; the message says what to do."""


class WeightsError(OSError):
    """Network weights could not be loaded; the message names the file and its place."""


class ModelFileError(ValueError):
    """A file does not hold a model that can be trusted; the message says what is wrong with it."""


class OutlierWarning(UserWarning):
    """Images are out of the distribution of the training images; the message names them."""


class CacheWarning(UserWarning):
    """A result cannot be cached on disk; it is right, but will be computed again."""


class HeaderWarning(UserWarning):
    """An attribute of a header cannot be true, and is not applied; the message names it."""


class BitDepthWarning(UserWarning):
    """The number of bits of the samples of an image is a guess; the message names the file."""


class LowContrastWarning(UserWarning):
    """A picture keeps few or no grey levels of many that its file holds; the message names both.

    It is the file's own window, table or scale that leaves so few. The message also names what is
    returned instead if that is possible.
    """
