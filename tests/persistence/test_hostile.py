"""Files that want to do harm, or claim what they do not hold: all are refused."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from skpneumo import CNNPneumoniaClassifier, load_model, save_model
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import ModelFileError
from skpneumo.persistence import model_card


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Members of a good file, by name."""
    xrays = make_xrays(30, image_size=(34, 32), random_state=0)
    clf = CNNPneumoniaClassifier(filters=(3, 4, 5), epochs=1, random_state=0)
    path = tmp_path_factory.mktemp("model") / "model.skpneumo"
    save_model(clf.fit(xrays.images, xrays.target), path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def written(tmp_path, whole):
    """Write the good file, changed."""

    def write(change=None, *, members=None, **options):
        content = dict(whole)
        manifest = json.loads(content["manifest.json"])
        if change is not None:
            manifest = change(manifest) or manifest
        content["manifest.json"] = json.dumps(manifest)
        content |= members or {}
        path = tmp_path / "model.skpneumo"
        with zipfile.ZipFile(path, "w", **options) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
        return path

    return write


def refused(path, match):
    """The file is refused by all that read it, in words that name it."""
    with pytest.raises(ModelFileError, match=match) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}")
    return str(caught.value)


def test_the_good_file_loads(written):
    load_model(written())


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def pickled_bomb():
    return pickle.dumps(Bomb())


def array_of_bombs():
    file = io.BytesIO()
    np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    return file.getvalue()


def zipped_bomb():
    file = io.BytesIO()
    np.savez(file, a=np.array([Bomb()], dtype=object))
    return file.getvalue()


@pytest.mark.parametrize("content", [pickled_bomb, array_of_bombs, zipped_bomb])
def test_pickles_are_not_run(tmp_path, monkeypatch, content, written, whole):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "pickle.skpneumo"
    path.write_bytes(content())
    refused(path, "no model file|not those of a model file")
    with pytest.raises(ModelFileError):
        model_card(path)
    weights = next(name for name in whole if name != "manifest.json")
    refused(written(members={weights: content()}), "not the size|changed")
    assert not os.path.exists("harm")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "C:\\evil", "keras.h5", "config.json"])
def test_members_that_do_not_belong(written, name, tmp_path):
    before = {*tmp_path.iterdir()}
    path = written(members={name: b"x"})
    refused(path, "members are not those that its manifest tells")
    assert {*tmp_path.iterdir()} == before | {path}

    def told(manifest):
        manifest["members"][name] = {"dtype": "|u1", "shape": [1], "sha256": "0" * 64}

    refused(written(told, members={name: b"x"}), "changed since it was saved")


def test_missing_and_repeated_members(written, whole, tmp_path):
    def fewer(manifest):
        manifest["members"].popitem()

    refused(written(fewer), "members")
    path = written()
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("manifest.json", whole["manifest.json"])
    refused(path, "members are not those of a model file")


def test_changed_weights(written, whole):
    name = max(whole, key=lambda name: len(whole[name]) * name.startswith("weights"))
    data = bytearray(whole[name])
    data[7] ^= 1
    refused(written(members={name: bytes(data)}), f"{name} was changed since it was saved")


def test_a_flipped_bit_anywhere(written):
    path = written()
    data = path.read_bytes()
    good = load_model(path)
    images = np.random.default_rng(0).integers(0, 255, (3, 34, 32)).astype(np.uint8)
    expected = good.predict_proba(images)
    rng = np.random.default_rng(0)
    n_refused = 0
    for _ in range(60):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            loaded = load_model(path)
        except ModelFileError:
            n_refused += 1
        else:
            # What no one reads, such as the date of a member.
            np.testing.assert_array_equal(loaded.predict_proba(images), expected)
    assert n_refused > 40


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_cut_files(written, share):
    path = written()
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(path, "no model file")


def test_compressed_members_are_not_inflated(written):
    path = written(members={"bomb": bytes(2**26)}, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**20
    tracemalloc.start()
    refused(path, "compressed or encrypted")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


def test_sizes_that_the_archive_only_claims(written):
    path = written()
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 20 : entry + 28] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(data)
    refused(path, "claims to be larger|no model file|damaged")


@pytest.mark.parametrize(
    "shape", [[10**9], [10**9, 10**9], [-1], [1.5], ["a"], None, [1] * 2000, [2**64, 0]]
)
def test_shapes_that_do_not_fit(written, shape):
    def claim(manifest):
        next(iter(manifest["members"].values()))["shape"] = shape

    tracemalloc.start()
    refused(written(claim), "size|shape|damaged")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


@pytest.mark.parametrize("dtype", ["|O", "<U9", "<M8[s]", "float32, (9,)i4", 7, None])
def test_types_that_are_none(written, dtype):
    def claim(manifest):
        next(iter(manifest["members"].values()))["dtype"] = dtype

    refused(written(claim), "type or shape|damaged")


@pytest.mark.parametrize("filters", [[10**9] * 3, [3, 4, 6], [3], [], "abc", [3, 4, 5, 5], 7])
def test_networks_larger_than_their_weights_are_not_built(written, filters):
    def claim(manifest):
        manifest["estimator"]["params"]["filters"] = filters

    tracemalloc.start()
    refused(written(claim), "weights are not those|makes none")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


@pytest.mark.parametrize("sides", [[10**9, 10**9], [0, 5], [32], [1.5, 2], "ab", None])
def test_impossible_image_sizes(written, sides):
    def claim(manifest):
        manifest["estimator"]["fitted"]["image_size"] = sides

    refused(written(claim), "refused")


@pytest.mark.parametrize(
    ("part", "value", "cause"),
    [
        ("class", "os.system", "unknown kind, 'os.system'"),
        ("class", "Lambda", "unknown kind, 'Lambda'"),
        ("class", "KerasClassifier", "unknown kind"),
        ("class", "FrozenEstimator", "makes none"),
        ("class", "XRayResizer", "no parameter"),
        ("class", ["Pipeline"], "makes none"),
        ("params", {"model": "x"}, "no parameter 'model'"),
        ("params", {"filters": {"lambda": "x"}}, "unknown kind, 'lambda'"),
        ("params", {"threshold": 7}, "makes none"),
        ("params", {"memory": "cache"}, "no parameter 'memory'"),
        ("params", {"filters": {"array": "weights/99"}}, "makes none"),
        ("params", None, "makes none"),
        ("fitted", {}, "makes none"),
        ("fitted", None, "makes none"),
    ],
)
def test_descriptions_of_something_else(written, part, value, cause):
    def claim(manifest):
        manifest["estimator"][part] = value

    refused(written(claim), cause)


@pytest.mark.parametrize("classes", [["a"], ["a", "b", "c"], [None, "b"], "ab"])
def test_wrong_classes(written, classes):
    def claim(manifest):
        manifest["estimator"]["fitted"]["classes"] = {"texts": classes}

    refused(written(claim), "two labels|makes none")


@pytest.mark.parametrize(
    ("fitted", "cause"),
    [
        ({"predict": 1}, "'predict' is nothing that an estimator learns"),
        ({"__class__": 1}, "is nothing that an estimator learns"),
        ({"best_threshold_": "0.5"}, "its best_threshold_ is a str"),
        ({"recall_": [0.9]}, "its recall_ is a list"),
        ({"curve_": None}, "its curve_ is a NoneType"),
        ({}, "does not tell best_threshold_"),
    ],
)
def test_attributes_that_nothing_learns(written, fitted, cause):
    def claim(manifest):
        inner = manifest["estimator"]
        manifest["estimator"] = {
            "class": "OperatingPointClassifierCV",
            "params": {"estimator": {"estimator": inner}},
            "fitted": fitted,
            "estimator_": inner,
        }

    refused(written(claim), cause)


def test_deep_nesting(written):
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    refused(written(members={"manifest.json": deep}), "manifest is damaged")


@pytest.mark.parametrize("found", [0, 2, "1", None, [1]])
def test_other_formats_say_what_to_do(written, found):
    def claim(manifest):
        manifest["format"] = found
        manifest["versions"]["skpneumo"] = "9.9"

    path = written(claim)
    text = refused(path, r"written by skpneumo 9\.9; this is .* Install")
    with pytest.raises(ModelFileError, match="Install"):
        model_card(path)
    assert "format 1" in text


@pytest.mark.parametrize("manifest", [[], {}, {"members": []}, {"members": {"a": 1}}, 7])
def test_manifests_that_are_none(written, manifest):
    refused(written(lambda _: manifest or {"x": 1}), "refused")


def test_files_that_are_none(tmp_path):
    refused(tmp_path / "nowhere", "there is no such file")
    refused(tmp_path, "directory")
    path = tmp_path / "empty"
    path.touch()
    refused(path, "no model file")


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", 0.99), ("threshold", None), ("classes", ["ILL", "WELL"]), ("classes", None)],
)
def test_a_manifest_that_tells_another_model(written, name, value):
    def claim(manifest):
        manifest[name] = value

    refused(written(claim), "other classes or another threshold than its model has")


@pytest.mark.parametrize(
    "estimator",
    [
        {"class": "passthrough"},
        {"class": "Pipeline", "steps": []},
        {"class": "Pipeline", "steps": [["a", {"class": "passthrough"}]]},
        {"class": "XRayResizer", "params": {"size": {"tuple": [32, 32]}}},
    ],
)
def test_what_is_no_classifier(written, estimator):
    def claim(manifest):
        manifest["estimator"] = estimator

    refused(written(claim), "refused")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", None),
        ("model", {"name": 1}),
        ("notes", 7),
        ("versions", []),
        ("metrics", {}),
        ("metrics", {"figures": 1}),
        ("threshold", "high"),
    ],
)
def test_cards_of_odd_manifests(written, name, value):
    def claim(manifest):
        manifest[name] = value

    with pytest.raises(ModelFileError, match="refused"):
        model_card(written(claim))
