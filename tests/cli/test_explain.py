"""``skpneumo explain``."""

import json
from pathlib import Path

import numpy as np
from PIL import Image


def read_pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_explain(collection, model_file, tmp_path, invoke, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = sorted((collection / "test" / "PNEUMONIA").iterdir())[:2]
    Image.fromarray(255 - read_pixels(files[0])).save("negative.png")
    command = ("explain", model_file, *files, "negative.png")
    done = invoke(*command)
    assert done.exit_code == 0, done.output
    drawn = [Path("heatmaps", f"{i:04}-{file.stem}.png") for i, file in enumerate(files)]
    assert sorted(Path("heatmaps").iterdir()) == drawn
    assert all(str(path) in done.stdout for path in drawn)
    assert "Wrote 2 heatmaps in heatmaps. Next: open the pictures in heatmaps." in words(
        done.stderr
    )
    done = invoke(*command, "--method", "gradcam", "--heatmaps", "other", "--json")
    rows = json.loads(done.stdout)["predictions"]
    assert [row["heatmap"] for row in rows] == [
        *(f"other/{path.name}" for path in drawn),
        None,  # out of distribution
    ]
    assert not np.array_equal(read_pixels(rows[0]["heatmap"]), read_pixels(drawn[0]))


def test_refuses(collection, model_file, tmp_path, invoke, assert_refused):
    done = invoke("explain", model_file, collection, "--method", "lime")
    assert_refused(done, 2, "got 'lime', wanted conductance or gradcam")
    assert_refused(invoke("explain"), 2, "Name X-rays or folders of them.")
    (tmp_path / "file").touch()
    done = invoke("explain", model_file, collection, "--heatmaps", tmp_path / "file" / "maps")
    assert_refused(done, 1, "a part of this path is a file, not a folder")
