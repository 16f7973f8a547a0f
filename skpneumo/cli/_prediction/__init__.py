"""The work of ``skpneumo predict``: from the names of files to a prediction for each."""

from skpneumo.cli._prediction._find_files import FoundFiles, find_files
from skpneumo.cli._prediction._heatmaps import prepare_folder, write_heatmaps
from skpneumo.cli._prediction._predict_files import predict_files
from skpneumo.cli._prediction._results import (
    check_overwrites_nothing,
    describe_errors,
    describe_omissions,
    exit_status,
    print_results,
    results_as_dict,
    write_csv,
)

__all__ = [
    "FoundFiles",
    "check_overwrites_nothing",
    "describe_errors",
    "describe_omissions",
    "exit_status",
    "find_files",
    "predict_files",
    "prepare_folder",
    "print_results",
    "results_as_dict",
    "write_csv",
    "write_heatmaps",
]
