"""A file becomes an array: one grey ``uint8`` image, rows x columns."""

from skpneumo.images._augment import USUAL_AUGMENTATION, Augmentation, check_augmentation
from skpneumo.images._check import as_xrays
from skpneumo.images._files import file_identity, named_errors
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
from skpneumo.images._sequence import XRaySequence, bring_to_size

__all__ = [
    "ASPECTS",
    "EXTENSIONS",
    "MAX_PIXELS",
    "READABLE_FORMATS",
    "READ_WARNINGS",
    "USUAL_AUGMENTATION",
    "VIEWS",
    "Augmentation",
    "Resizing",
    "XRayHeader",
    "XRaySequence",
    "as_xrays",
    "bring_to_size",
    "check_augmentation",
    "check_image_size",
    "file_identity",
    "image_type",
    "named_errors",
    "open_picture",
    "read_header",
    "read_records",
    "read_xray",
    "resize_xray",
    "resize_xrays",
    "resized_positions",
    "why_not_read",
]
