"""Model files: a manifest and arrays, of which nothing is ever run."""

from skpneumo._utils.model_file._checks import MAX_FILTERS, check_filters, check_weights
from skpneumo._utils.model_file._files import (
    QUANTIZED_FORMAT,
    SUFFIX,
    is_model_file,
    read_manifest,
    read_model_file,
    write_model_file,
)
from skpneumo._utils.model_file._manifest import reraise_as_model_file_error
from skpneumo._utils.model_file._networks import (
    find_networks,
    list_initial_networks,
    nest_initial_networks,
    walk_estimators,
)
from skpneumo._utils.model_file._packaged import pretrained_path
from skpneumo._utils.model_file._weights import take_array, unpack_weights

__all__ = [
    "MAX_FILTERS",
    "QUANTIZED_FORMAT",
    "SUFFIX",
    "check_filters",
    "check_weights",
    "find_networks",
    "is_model_file",
    "list_initial_networks",
    "nest_initial_networks",
    "pretrained_path",
    "read_manifest",
    "read_model_file",
    "reraise_as_model_file_error",
    "take_array",
    "unpack_weights",
    "walk_estimators",
    "write_model_file",
]
