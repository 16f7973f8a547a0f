"""A file becomes an array: one grey ``uint8`` image, rows x columns."""

# Names that are not in __all__ are for the other packages of skpneumo.
from skpneumo.images._augment import DEFAULT_AUGMENTATION as DEFAULT_AUGMENTATION
from skpneumo.images._augment import Augmentation
from skpneumo.images._augment import check_augmentation as check_augmentation
from skpneumo.images._check import check_xrays
from skpneumo.images._files import file_identity as file_identity
from skpneumo.images._files import reraise_as_image_read_error as reraise_as_image_read_error
from skpneumo.images._folders import has_extension as has_extension
from skpneumo.images._folders import is_image as is_image
from skpneumo.images._folders import list_entries as list_entries
from skpneumo.images._formats import EXTENSIONS as EXTENSIONS
from skpneumo.images._formats import READABLE_FORMATS as READABLE_FORMATS
from skpneumo.images._header import VIEWS as VIEWS
from skpneumo.images._header import XRayHeader, read_header
from skpneumo.images._header import read_records as read_records
from skpneumo.images._picture import open_picture as open_picture
from skpneumo.images._read import READ_WARNINGS as READ_WARNINGS
from skpneumo.images._read import describe_unread_file as describe_unread_file
from skpneumo.images._read import detect_format as detect_format
from skpneumo.images._read import read_xray
from skpneumo.images._resize import ASPECTS as ASPECTS
from skpneumo.images._resize import Resizing as Resizing
from skpneumo.images._resize import check_image_size as check_image_size
from skpneumo.images._resize import resize_xray, resize_xrays
from skpneumo.images._resize import resized_positions as resized_positions
from skpneumo.images._sequence import XRaySequence
from skpneumo.images._sequence import resize_to as resize_to

__all__ = [
    "Augmentation",
    "XRayHeader",
    "XRaySequence",
    "check_xrays",
    "read_header",
    "read_xray",
    "resize_xray",
    "resize_xrays",
]


def __dir__():
    return __all__
