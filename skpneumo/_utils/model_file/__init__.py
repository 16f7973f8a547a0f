"""Model files: a manifest and arrays, of which nothing is ever run."""

from skpneumo._utils.model_file._files import (
    QUANTIZED_FORMAT,
    SUFFIX,
    is_model_file,
    read_manifest,
    read_model_file,
    write_model_file,
)
from skpneumo._utils.model_file._manifest import reraise_as_model_file_error

__all__ = [
    "QUANTIZED_FORMAT",
    "SUFFIX",
    "is_model_file",
    "read_manifest",
    "read_model_file",
    "reraise_as_model_file_error",
    "write_model_file",
]
