"""``skpneumo audit``."""

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise


def test_audit(collection, tmp_path, words, invoke):
    page = tmp_path / "audit.html"
    done = invoke("audit", collection, "--report", page)
    assert done.exit_code == 0, done.output
    assert "75 X-rays" in done.stdout
    assert f"Wrote {page}. Next: " in words(done.stderr)
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")


def test_audit_text_is_folded_once_at_the_width_of_the_terminal(collection, tmp_path):
    shutil.copytree(collection, tmp_path / "copy")
    for name in ("copy1.jpeg", "copy2.jpeg"):
        folder = tmp_path / "copy" / "train" / "NORMAL"
        shutil.copy(next(folder.glob("IM*")), folder / name)
    command = [sys.executable, "-m", "skpneumo", "audit", str(tmp_path / "copy")]
    done = subprocess.run(
        command, env=os.environ | {"COLUMNS": "60"}, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 60
    # In each finding, what goes on in the next line has no room in this one.
    heads = ("ERROR: ", "WARNING: ", "INFO: ", "  Why: ", "  Do: ")
    in_finding, n_folds = False, 0
    for line, following in pairwise(lines):
        in_finding = line.startswith(heads[:3]) or (in_finding and not line.startswith("  Do: "))
        if in_finding and not following.startswith(heads):
            assert len(f"{line} {following.split()[0]}") > 60, (line, following)
            n_folds += 1
    assert n_folds


def test_audit_warns_of_what_is_left_out(collection, tmp_path, invoke):
    shutil.copytree(collection, tmp_path / "copy")
    (tmp_path / "copy" / "train" / "NORMAL" / "notes.txt").touch()
    done = invoke("audit", tmp_path / "copy")
    assert done.exit_code == 0, done.output
    assert re.search(r"^Warning: 1 file.*notes\.txt", done.stderr, re.DOTALL | re.MULTILINE)
    assert "UserWarning" not in done.output


def test_audit_refuses_other_folders_and_formats(tmp_path, invoke):
    done = invoke("audit", tmp_path)
    assert done.exit_code == 1
    assert "holds no folders of classes" in re.sub(r"\s+", " ", done.output)
    done = invoke("audit", tmp_path, "--report", "a.pdf")
    assert done.exit_code == 2
    assert "must end in .html" in re.sub(r"\s+", " ", done.output)
