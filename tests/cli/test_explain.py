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
    drawn = sorted(Path("heatmaps").iterdir())
    assert [path.stem.rpartition("-")[0] for path in drawn] == [file.stem for file in files]
    assert all(str(path) in done.stdout for path in drawn)
    assert "Wrote 2 heatmaps in heatmaps. Next: open the pictures in heatmaps." in words(
        done.stderr
    )
    done = invoke(*command, "--method", "gradcam", "--heatmaps", "other", "--json")
    rows = json.loads(done.stdout)["predictions"]
    *others, out_of_distribution = [row["heatmap"] for row in rows]
    assert out_of_distribution is None
    assert sorted(map(str, Path("other").iterdir())) == sorted(others)
    # Another method has another picture.
    assert not {Path(other).name for other in others} & {path.name for path in drawn}
    assert not np.array_equal(read_pixels(rows[0]["heatmap"]), read_pixels(drawn[0]))


def test_refuses(collection, model_file, tmp_path, invoke, assert_refused):
    done = invoke("explain", model_file, collection, "--method", "lime")
    assert_refused(done, 2, "got 'lime', wanted conductance or gradcam")
    assert_refused(invoke("explain"), 2, "Name X-rays or folders of them.")
    (tmp_path / "file").touch()
    done = invoke("explain", model_file, collection, "--heatmaps", tmp_path / "file" / "maps")
    assert_refused(done, 1, "a part of this path is a file, not a folder")
