"""Files that want to do harm, or claim what they do not hold: all are refused."""

import hashlib
import io
import json
import os
import pickle
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from skpneumo import CNNPneumoniaClassifier, __version__, load_model, save_model
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import ModelFileError
from skpneumo.networks import count_cnn_weights
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


def told_of(data):
    """What a manifest tells of float32 numbers."""
    sha256 = hashlib.sha256(data).hexdigest()
    return {"dtype": "<f4", "shape": [len(data) // 4], "sha256": sha256}


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


def list_of_empty_members(n_members, *, zip64):
    """An archive of a list of members alone; of Zip64 the end tells less than there is."""
    entries = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, *[0] * 8, 7, *[0] * 6) + b"%07d" % i
        for i in range(n_members)
    )
    n_bytes = len(entries)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, 0 if zip64 else n_bytes, 0, 0)
    if zip64:
        sizes = struct.pack("<4Q", n_members, n_members, n_bytes, 0)
        entries += struct.pack("<4sQ2H2L", b"PK\6\6", 44, 45, 45, 0, 0) + sizes
        entries += struct.pack("<4sLQL", b"PK\6\7", 0, n_bytes, 1)
    return entries + end


@pytest.mark.parametrize("zip64", [False, True])
def test_lists_of_members_without_end_are_not_read(tmp_path, zip64):
    path = tmp_path / "model.skpneumo"
    path.write_bytes(list_of_empty_members(100_000, zip64=zip64))
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == 100_000
    tracemalloc.start()
    refused(path, "no model file")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("bit", [0, 5, 6])
def test_members_of_unknown_kinds(written, bit):
    path = written()
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 8] |= 1 << bit
    path.write_bytes(data)
    refused(path, "damaged|encrypted")
    with pytest.raises(ModelFileError):
        model_card(path)


def test_members_told_as_a_list(written):
    path = written(lambda manifest: manifest | {"members": list(manifest["members"])})
    refused(path, "members are not those that its manifest tells")
    with pytest.raises(ModelFileError):
        model_card(path)


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


@pytest.mark.parametrize("n_filters", [13, 400])
def test_networks_of_too_many_layers_are_not_built(written, n_filters):
    numbers = np.zeros(count_cnn_weights([1] * n_filters), "f4").tobytes()

    def claim(manifest):
        manifest["members"]["weights/all"] = told_of(numbers)
        manifest["estimator"]["params"]["filters"] = [1] * n_filters
        manifest["estimator"]["fitted"]["weights"] = ["weights/all"]

    path = written(claim, members={"weights/all": numbers})
    refused(path, f"filters holds {n_filters} numbers, where 12 are the most")


def test_inception_of_other_weights_is_not_built(written):
    def claim(manifest):
        estimator = manifest["estimator"]
        estimator["class"] = "InceptionPneumoniaClassifier"
        estimator["params"] = {"weights": None}

    refused(written(claim), "weights are not those of the network that its parameters tell")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_say_nothing(written, whole, value):
    name = next(name for name in whole if name.startswith("weights"))
    numbers = np.frombuffer(whole[name], "<f4").copy()
    numbers[3] = value

    def claim(manifest):
        manifest["members"][name]["sha256"] = told_of(numbers.tobytes())["sha256"]

    refused(written(claim, members={name: numbers.tobytes()}), "weights are NaN or infinite")


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("precision", "float8", "'float8' is no precision. Wanted: float32 or bfloat16"),
        ("precision", ["a"], "is no precision"),
        ("precision", "auto", "is no precision"),
        ("precision", None, "is no precision"),
        ("history", 5, "its history is none"),
        ("history", {"dict": [["loss", 5]]}, "its history is none"),
        ("history", {"dict": [["loss", ["a"]]]}, "its history is none"),
        ("history", {"dict": [[1, [0.5]]]}, "its history is none"),
        ("weights", ["nowhere"], "no array 'nowhere'"),
        ("weights", ["weights/0"] * 3, "no array 'weights/0', or uses it twice"),
    ],
)
def test_fits_that_none_left(written, name, value, cause):
    def claim(manifest):
        manifest["estimator"]["fitted"][name] = value

    refused(written(claim), cause)


def wrapped(inner, kind):
    if kind == "FrozenEstimator":
        return {"class": kind, "estimator": inner}
    if kind == "Pipeline":
        return {"class": kind, "steps": [["only", inner]]}
    params = {"estimator": {"estimator": inner}}
    return {"class": kind, "params": params, "estimator_": inner, "fitted": {}}


@pytest.mark.parametrize("kind", ["FrozenEstimator", "Pipeline", "OperatingPointClassifierCV"])
def test_estimators_nested_without_end(written, kind):
    def claim(manifest):
        for _ in range(8):
            manifest["estimator"] = wrapped(manifest["estimator"], kind)

    refused(written(claim), "more than (50 estimators|8 estimators one in another)")


def test_pipelines_of_many_networks(written):
    def claim(manifest):
        manifest["estimator"] = {
            "class": "Pipeline",
            "steps": [[f"clf{i}", manifest["estimator"]] for i in range(20)],
        }

    refused(written(claim), "more than one network")


def folds_of(models):
    params = {"estimator": {"estimator": models[0] | {"fitted": None}}}
    fitted = {"resolution_": {"tuple": [1e-7, 1e-7]}}
    return {
        "class": "FoldMeanClassifier",
        "params": params,
        "fold_estimators_": models,
        "fitted": fitted,
    }


def test_models_of_folds_load(written):
    def claim(manifest):
        manifest["estimator"] = folds_of([manifest["estimator"]])

    assert len(load_model(written(claim)).fold_estimators_) == 1


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda one: {"fold_estimators_": [one] * 21}, "more than 20 models of folds"),
        (lambda one: {"fold_estimators_": [one, one]}, "no array 'weights/0', or uses it twice"),
        (
            lambda one: {"fold_estimators_": [wrapped(one, "OperatingPointClassifierCV")]},
            "more networks than models of folds",
        ),
        (lambda one: {"fold_estimators_": []}, "not classifiers of the same labels"),
        (lambda one: {"fold_estimators_": None}, "nothing that an estimator learns"),
        (lambda one: {"fold_estimators_": 7}, "makes none"),
        (lambda one: {"fold_estimators_": "ab"}, "makes none"),
        (lambda one: {"fold_estimators_": {"a": one}}, "makes none"),
        (
            lambda one: {"fold_estimators_": [{"class": "passthrough"}]},
            "makes none",
        ),
        (
            lambda one: {"fold_estimators_": [{"class": "XRayLoader", "params": {}}]},
            "not classifiers of the same labels",
        ),
        (
            lambda one: {"fold_estimators_": [one, one | {"fitted": None}]},
            "makes none",
        ),
        (
            lambda one: one | {"fold_estimators_": [one | {"fitted": None}]},
            "holds no models of folds|makes none",
        ),
    ],
)
def test_models_of_folds_that_are_none(written, change, cause):
    def claim(manifest):
        one = manifest["estimator"]
        manifest["estimator"] = folds_of([one | {"fitted": None}]) | change(one)

    refused(written(claim), cause)


@pytest.mark.parametrize(
    "fitted",
    [
        None,
        7,
        {},
        {"resolution_": [0.1, 0.1]},
        {"resolution_": {"tuple": [0.1]}},
        {"resolution_": {"tuple": [0.0, 0.1]}},
        {"resolution_": {"tuple": [0.1, "a"]}},
        {"resolution_": {"tuple": [{"float": "nan"}, 0.1]}},
    ],
)
def test_models_of_folds_without_resolution(written, fitted):
    def claim(manifest):
        manifest["estimator"] = folds_of([manifest["estimator"]]) | {"fitted": fitted}

    refused(written(claim), "does not hold the resolution|makes none")


@pytest.mark.parametrize(
    "kind", ["CNNPneumoniaClassifier", "OperatingPointClassifierCV", "Pipeline"]
)
def test_only_transformers_stand_before_the_last_step(written, kind):
    def claim(manifest):
        inner = manifest["estimator"]
        first = {"class": "CNNPneumoniaClassifier", "params": {}}
        first = first if kind.startswith("CNN") else wrapped(first, kind)
        manifest["estimator"] = {"class": "Pipeline", "steps": [["a", first], ["b", inner]]}

    refused(written(claim), f"{kind} stands before the last step of its pipeline, where only XRay")


@pytest.mark.parametrize("filters", [[10**9] * 3, [3, 4, 6], [3], [], "abc", [3, 4, 5, 5], 7])
def test_networks_larger_than_their_weights_are_not_built(written, filters):
    def claim(manifest):
        manifest["estimator"]["params"]["filters"] = filters

    tracemalloc.start()
    refused(written(claim), "weights are not those|makes none")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


@pytest.mark.parametrize(
    "sides",
    [
        *([10**9, 10**9], [50_000_000, 1], [1, 4097], [-48, -48], [0, 5], [32], [34, 32, 1]),
        *([1.5, 2], [True, True], "ab", None),
    ],
)
def test_impossible_image_sizes(written, sides):
    def claim(manifest):
        manifest["estimator"]["fitted"]["image_size"] = sides

    text = "is no image size for a model. Wanted: rows and columns, each from 1 to 4096"
    assert f"{sides} {text}" in refused(written(claim), "refused")

    def claim_before(manifest):
        resizer = {"class": "XRayResizer", "params": {"size": sides}}
        steps = [["resizer", resizer], ["clf", manifest["estimator"]]]
        manifest["estimator"] = {"class": "Pipeline", "steps": steps}

    refused(written(claim_before), text)


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
        ("params", {"filters": {"array": "weights/99"}}, "no array 'weights/99'"),
        ("params", None, "makes none"),
        ("fitted", {}, "makes none"),
        ("fitted", None, "makes none"),
    ],
)
def test_descriptions_of_something_else(written, part, value, cause):
    def claim(manifest):
        manifest["estimator"][part] = value

    refused(written(claim), cause)


@pytest.mark.parametrize("classes", [["a"], ["a", "a"], ["a", "b", "c"], [None, "b"], "ab"])
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
            "params": {"estimator": {"estimator": inner | {"fitted": None}}},
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
    text = refused(path, r"written by skpneumo 9\.9: install that version or a newer one")
    with pytest.raises(ModelFileError, match="install"):
        model_card(path)
    assert "format 1" in text


@pytest.mark.parametrize("versions", [{"skpneumo": __version__}, {}, [1], None])
@pytest.mark.parametrize("found", [2, True, 1.0])
def test_other_formats_of_no_other_version(written, versions, found):
    def claim(manifest):
        manifest |= {"format": found, "versions": versions}

    text = refused(written(claim), "It tells no other version that could read it")
    assert "nstall" not in text


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


FORGED = (
    "x\n\n## Figures\n\n| Recall | 1.000 |\n<script>alert(1)</script> [here](http://x) `\\` # y"
)


@pytest.mark.parametrize(
    "change",
    [
        {"notes": {"data": FORGED}},
        {"notes": {"# Figures": "all", FORGED: "data"}},
        {"created": FORGED},
        {"image_contract": FORGED},
        {"threshold_origin": FORGED},
        {"data_fingerprint": FORGED},
        {"classes": ["NORMAL", FORGED]},
        {"versions": {FORGED: FORGED}},
        {"model": {"name": FORGED, "params": {FORGED: 1}, "layers": [FORGED], "fingerprint": "a"}},
    ],
)
def test_texts_of_a_file_make_no_part_of_a_card(written, change):
    card = model_card(written(lambda manifest: manifest | change))
    lines = card.splitlines()
    headings = [line for line in lines if line.lstrip("- ").startswith("#")]
    assert headings == [lines[0], "## Model", "## Data", "## Figures"]
    assert not re.search(r"(?<!\\)(\\\\)*[<>\[\]|]", card)
