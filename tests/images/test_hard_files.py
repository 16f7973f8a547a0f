"""Odd, broken and hostile files: an image or an ImageReadError, soon and in little memory."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skpneumo.exceptions import ImageReadError
from skpneumo.images import read_xray

_READER = r"""
import json, re, sys, time, warnings
warnings.simplefilter("error")
from skpneumo.images import read_xray
from skpneumo.exceptions import BitDepthWarning, LowContrastWarning
warnings.simplefilter("ignore", BitDepthWarning)
warnings.simplefilter("ignore", LowContrastWarning)
from skpneumo.exceptions import ImageReadError
sizes = [None, (40, 31)]
for path in sys.stdin.read().split("\n"):
    start, results_by_size = time.perf_counter(), {}
    for size in sizes:
        try:
            image = read_xray(path, size=size)
            assert image.dtype == "uint8" and image.ndim == 2 and size in (None, image.shape)
            results_by_size[str(size)] = f"read, {image.shape[0]} x {image.shape[1]}"
        except ImageReadError as error:
            results_by_size[str(size)] = str(error).removeprefix(path + ": ")
    seconds = time.perf_counter() - start
    # Not ru_maxrss, which starts at what the parent process has.
    with open("/proc/self/status") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) * 1024
    print(json.dumps([results_by_size, seconds, peak]), flush=True)
"""


def test_every_hard_file(xray_data, record_property):
    folder = xray_data / "hard_files"
    with open(folder / "MANIFEST.csv", newline="") as file:
        rows = [(row["file"], row["reference_reader_outcome"]) for row in csv.DictReader(file)]
    assert len(rows) > 180
    done = subprocess.run(
        [sys.executable, "-c", _READER],
        input="\n".join(str(folder / name) for name, _ in rows),
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    lines = []
    for (name, reference), (results_by_size, seconds, peak) in zip(rows, results, strict=True):
        full, small = results_by_size["None"], results_by_size["(40, 31)"]
        lines.append(f"{name:75} {full}")
        assert seconds < 5, name
        assert peak < 2**30, name
        assert full.startswith("read") == small.startswith("read"), name
        if name.startswith("images/") and reference != "ok":
            assert not full.startswith("read"), f"{name} is said to be damaged"
    assert sum("  read, " in line for line in lines) > 100
    record_property("table", "\n".join(["Hard files, and what becomes of them:", *lines]))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chest/RG1_J2KI", "read, 1955 x 1841"),
        ("chest/gdcm-CR-MONO1-10-chest", "read, 440 x 440"),
        ("chest/siim_cr_jpegbaseline_mono2", "read, 1024 x 1024"),
        ("chest/udacity_nih_test1", "read, 1024 x 1024"),
        ("codec/RG3_JLSL", "read, 1760 x 1760"),
        ("codec/RG3_JPLY", "read, 1760 x 1760"),
        ("codec/image_dfl", "read, 512 x 512"),
        ("codec/vlut_04", "read, 512 x 512"),
        ("codec/leadtools-8BitsJpegLossyGrayScale", "read, 535 x 800"),
        ("odd/highdicom_veterinary_thorax_dx_mono1", "read, 169 x 211"),
        ("codec/examples_ybr_color", "modality is US"),
        ("codec/liver_1frame", "modality is SEG"),
        ("codec/MR_small_bigendian", "modality is MR"),
        ("hostile/orthanc_oob_46341x46341", "46341 x 46341 pixels are more than the limit"),
        ("hostile/test-SR", "modality is SR"),
        ("odd/udacity_nih_test5", "modality is CT"),
    ],
)
def test_known_dicom_files(xray_data, name, expected):
    path = xray_data / "hard_files" / "dicom" / f"{name}.dcm"
    try:
        image = read_xray(path)
        found = f"read, {image.shape[0]} x {image.shape[1]}"
        assert image.std() > 10
    except ImageReadError as error:
        found = str(error)
    assert expected in found


def test_the_fuzzer_finds_nothing(xray_data):
    script = Path(__file__).parents[1] / "benchmarks" / "fuzz.py"
    environment = os.environ | {"SKPNEUMO_TEST_DATA": os.fspath(xray_data)}
    done = subprocess.run(
        [sys.executable, script, "3000", "1"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "swell: 0.00" in done.stdout
