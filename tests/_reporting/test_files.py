"""Reports are written whole, whatever the names of the files in them."""

import json
import os
import subprocess
import sys

import pytest

from skpneumo._reporting.files import write_report
from skpneumo.datasets import audit, load_xray_folder

# Its bytes are no UTF-8; in a Latin-1 locale they are a name as any other.
LATIN_1 = b"K\xf6nig.jpeg"
NAME = os.fsdecode(LATIN_1)
WRITTEN = NAME.encode("utf-8", "backslashreplace").decode()


@pytest.fixture
def folder(make_collection, tmp_path):
    """A collection with a file that cannot be read and has a name in Latin-1."""
    make_collection(tmp_path / "xrays", {"": 6})
    name = os.path.join(os.fsencode(tmp_path), b"xrays", b"NORMAL", LATIN_1)
    try:
        with open(name, "wb") as file:
            file.write(b"bad")
    except OSError:
        pytest.skip("no such names on this file system")
    return tmp_path / "xrays"


@pytest.mark.filterwarnings("ignore:.* files name no patient")
@pytest.mark.parametrize("suffix", ["html", "txt", "json"])
def test_names_that_are_no_utf8(folder, tmp_path, suffix):
    report = audit(load_xray_folder(folder))
    report.save(tmp_path / f"report.{suffix}")
    written = json.dumps(NAME) if suffix == "json" else WRITTEN
    assert written.strip('"') in (tmp_path / f"report.{suffix}").read_text("utf-8")


def test_names_that_are_no_utf8_on_the_command_line(folder, tmp_path):
    report = tmp_path / "report.html"
    command = [sys.executable, "-m", "skpneumo", "audit", os.fspath(folder), "--report", report]
    done = subprocess.run(command, capture_output=True)
    assert b"UnicodeEncodeError" not in done.stderr
    assert WRITTEN in report.read_text("utf-8")


class Report:
    to_json = None

    def to_html(self):
        raise RuntimeError("no room")

    def __str__(self):
        return "all"


def test_a_report_that_fails_leaves_the_one_before_it(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="no room"):
        write_report(Report(), path)
    assert path.read_text(encoding="utf-8") == "before"
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere\. Create it"):
        write_report(Report(), tmp_path / "nowhere" / "report.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
