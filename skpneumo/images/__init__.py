"""A file becomes an array: one grey ``uint8`` image, rows x columns."""

from skpneumo.images._augment import DEFAULT_AUGMENTATION, Augmentation, check_augmentation
from skpneumo.images._check import check_xrays
from skpneumo.images._files import file_identity, reraise_as_image_read_error
from skpneumo.images._folders import has_extension as has_extension
from skpneumo.images._folders import is_image as is_image
from skpneumo.images._folders import list_entries as list_entries
from skpneumo.images._formats import EXTENSIONS, READABLE_FORMATS
from skpneumo.images._header import VIEWS, XRayHeader, read_header, read_records
from skpneumo.images._picture import open_picture
from skpneumo.images._read import MAX_PIXELS, READ_WARNINGS, image_type, read_xray, why_not_read
from skpneumo.images._resize import (
    ASPECTS,
    Resizing,
    check_image_size,
    resize_xray,
    resize_xrays,
    resized_positions,
)
from skpneumo.images._sequence import XRaySequence, resize_to

__all__ = [
    "ASPECTS",
    "DEFAULT_AUGMENTATION",
    "EXTENSIONS",
    "MAX_PIXELS",
    "READABLE_FORMATS",
    "READ_WARNINGS",
    "VIEWS",
    "Augmentation",
    "Resizing",
    "XRayHeader",
    "XRaySequence",
    "check_augmentation",
    "check_image_size",
    "check_xrays",
    "file_identity",
    "image_type",
    "open_picture",
    "read_header",
    "read_records",
    "read_xray",
    "reraise_as_image_read_error",
    "resize_to",
    "resize_xray",
    "resize_xrays",
    "resized_positions",
    "why_not_read",
]
