"""Manifests that describe no model, or one that costs much: all are refused before it is built."""

import re
import time

import numpy as np
import pytest

from skpneumo import __version__, load_model
from skpneumo.exceptions import ModelFileError
from skpneumo.persistence import model_card


@pytest.mark.parametrize("n_filters", [13, 400])
def test_networks_of_too_many_layers_are_not_built(pack, refused, n_filters):
    def claim(manifest):
        manifest["estimator"]["params"]["filters"] = [1] * n_filters

    refused(pack(claim), f"filters holds {n_filters} numbers, more than 12")


@pytest.mark.parametrize("image_size", [[34, 32], [75, 76]])
def test_inception_of_other_weights(pack, refused, image_size):
    def claim(manifest):
        estimator = manifest["estimator"]
        estimator["class"] = "InceptionPneumoniaClassifier"
        estimator["params"] = {"weights": None}
        estimator["fitted"]["image_size"] = image_size

    refused(pack(claim), "weights are not those of its network")


def test_filters_of_which_the_parameter_differs(pack, refused):
    def claim(manifest):
        manifest["estimator"]["params"]["filters"] = [3, 4, 6]

    refused(pack(claim), r"weights are not those of its network, of filters \(3, 4, 5\)")


INITIAL = {"name": "CNN", "fingerprint": "42d7", "notes": [["licence", "CC BY 4.0"]]}


@pytest.mark.parametrize(
    ("networks", "cause"),
    [
        (7, "not a list of at most 100"),
        ({"class": "Pipeline"}, "no valid model|not a list"),
        ([INITIAL] * 101, "not a list of at most 100"),
        ([INITIAL, None], "other entries than name, fingerprint, notes"),
        ([INITIAL | {"weights": []}], "other entries than"),
        ([{"name": "CNN"}], "other entries than"),
        ([INITIAL | {"notes": {"licence": "x"}}], "other entries than"),
        ([INITIAL | {"notes": [["licence"]]}], "not pairs of texts"),
        ([INITIAL | {"notes": [["licence", 7]]}], "not pairs of texts"),
        ([INITIAL | {"notes": [[["a"], "b"]]}], "not pairs of texts"),
        ([INITIAL | {"name": None}], "no short text"),
        ([INITIAL | {"fingerprint": "a" * 201}], "no short text"),
        ([INITIAL | {"notes": [["a", "b" * 2**19]]}] * 3, "take more than 1,048,576 characters"),
    ],
)
def test_initial_networks_that_are_none(pack, refused, tmp_path, networks, cause):
    def claim(manifest):
        manifest["estimator"]["fitted"]["initial_networks"] = networks

    refused(pack(claim), cause)
    with pytest.raises(ModelFileError, match=cause):
        model_card(tmp_path / "model.skpneumo")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers(pack, refused, saved, value):
    array = saved[1]["weights/0"].copy()
    array.flat[3] = value
    refused(pack(arrays={"weights/0": array}), "weights are NaN or infinite")


@pytest.mark.parametrize("shape", [(5, 5, 3, 1), (75,), (5, 5, 1, 4)])
def test_weights_of_other_shapes(pack, refused, shape):
    refused(pack(arrays={"weights/0": np.zeros(shape, "f4")}), "weights are not those of its net")


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("precision", "float8", "'float8' is not a precision. Wanted: float32 or bfloat16"),
        ("precision", ["a"], "is not a precision"),
        ("precision", "auto", "is not a precision"),
        ("precision", None, "is not a precision"),
        ("history", 5, "its history is not valid"),
        ("history", {"dict": [["loss", 5]]}, "its history is not valid"),
        ("history", {"dict": [["loss", ["a"]]]}, "its history is not valid"),
        ("history", {"dict": [[1, [0.5]]]}, "its history is not valid"),
        ("weights", ["nowhere"], "no array 'nowhere'"),
        ("weights", ["weights/0"] * 3, "no array 'weights/0', or uses it twice"),
    ],
)
def test_fits_that_are_none(pack, refused, name, value, cause):
    def claim(manifest):
        manifest["estimator"]["fitted"][name] = value

    refused(pack(claim), cause)


def wrap(inner, kind):
    if kind == "FrozenEstimator":
        return {"class": kind, "estimator": inner}
    if kind == "Pipeline":
        return {"class": kind, "steps": [["only", inner]]}
    params = {"estimator": {"estimator": inner}}
    return {"class": kind, "params": params, "estimator_": inner, "fitted": {}}


@pytest.mark.parametrize(
    "kind", ["FrozenEstimator", "Pipeline", "OperatingPointClassifierCV", "TriageClassifierCV"]
)
def test_estimators_nested_without_end(pack, refused, kind):
    def claim(manifest):
        for _ in range(8):
            manifest["estimator"] = wrap(manifest["estimator"], kind)

    refused(pack(claim), "more than 8 estimators|more than 50")


def test_pipelines_of_many_networks(pack, refused):
    def claim(manifest):
        manifest["estimator"] = {
            "class": "Pipeline",
            "steps": [[f"clf{i}", manifest["estimator"]] for i in range(20)],
        }

    refused(pack(claim), "more than one network")


def describe_folds(models):
    params = {"estimator": {"estimator": models[0] | {"fitted": None}}}
    fitted = {"resolution_": {"tuple": [1e-7, 1e-7]}}
    return {
        "class": "FoldMeanClassifier",
        "params": params,
        "fold_estimators_": models,
        "fitted": fitted,
    }


def test_models_of_folds_load(pack, tmp_path):
    def claim(manifest):
        manifest["estimator"] = describe_folds([manifest["estimator"]])

    path = tmp_path / "model.skpneumo"
    path.write_bytes(pack(claim))
    assert len(load_model(path).fold_estimators_) == 1


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda one: {"fold_estimators_": [one] * 21}, "more than 20 models of folds"),
        (lambda one: {"fold_estimators_": [one, one]}, "no array 'weights/0', or uses it twice"),
        (
            lambda one: {"fold_estimators_": [wrap(one, "OperatingPointClassifierCV")]},
            "more networks than models of folds or of a mean",
        ),
        (lambda one: {"fold_estimators_": []}, "not classifiers of the same labels"),
        (lambda one: {"fold_estimators_": None}, "nothing that an estimator learns"),
        (lambda one: {"fold_estimators_": 7}, "no valid model"),
        (lambda one: {"fold_estimators_": "ab"}, "no valid model"),
        (lambda one: {"fold_estimators_": {"a": one}}, "no valid model"),
        (
            lambda one: {"fold_estimators_": [{"class": "passthrough"}]},
            "no valid model",
        ),
        (
            lambda one: {"fold_estimators_": [{"class": "XRayLoader", "params": {}}]},
            "not classifiers of the same labels",
        ),
        (
            lambda one: {"fold_estimators_": [one, one | {"fitted": None}]},
            "no valid model",
        ),
        (
            lambda one: one | {"fold_estimators_": [one | {"fitted": None}]},
            "holds no models of folds|no valid model",
        ),
    ],
)
def test_models_of_folds_that_are_none(pack, refused, change, cause):
    def claim(manifest):
        one = manifest["estimator"]
        manifest["estimator"] = describe_folds([one | {"fitted": None}]) | change(one)

    refused(pack(claim), cause)


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
def test_models_of_folds_without_resolution(pack, refused, fitted):
    def claim(manifest):
        manifest["estimator"] = describe_folds([manifest["estimator"]]) | {"fitted": fitted}

    refused(pack(claim), "does not hold the resolution|no valid model")


@pytest.mark.parametrize(
    "kind", ["CNNPneumoniaClassifier", "OperatingPointClassifierCV", "Pipeline"]
)
def test_only_transformers_stand_before_the_last_step(pack, refused, kind):
    def claim(manifest):
        inner = manifest["estimator"]
        first = {"class": "CNNPneumoniaClassifier", "params": {}}
        first = first if kind.startswith("CNN") else wrap(first, kind)
        manifest["estimator"] = {"class": "Pipeline", "steps": [["a", first], ["b", inner]]}

    refused(
        pack(claim),
        f"{kind} stands before the last step of its pipeline, which is the place of XRay",
    )


@pytest.mark.parametrize("where", ["params", "fitted"])
@pytest.mark.parametrize(
    "filters",
    [
        *([10**9] * 3, [10**9, 1], [1, 10**9], [1, 10**4, 1], [1, 10**9] * 6, [10**400, 10**400]),
        *([200] * 4, [-(10**9), 5], [3, 4, 6], [3], [], "abc", [3, 4, 5, 5], 7, ["a"], [0.5] * 3),
    ],
)
def test_networks_larger_than_their_weights_are_not_built(
    pack, refused, little_memory, filters, where
):
    def claim(manifest):
        estimator = manifest["estimator"]
        estimator[where]["filters"] = filters
        if where == "params":  # as in files of earlier versions
            del estimator["fitted"]["filters"]
        else:
            estimator["params"]["filters"] = None

    start = time.perf_counter()
    with little_memory(2**24):
        refused(pack(claim), "filters describe|are not valid|weights are not those|no valid model")
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    "sides",
    [
        *([10**9, 10**9], [50_000_000, 1], [1, 4097], [-48, -48], [0, 5], [32], [34, 32, 1]),
        *([1.5, 2], [True, True], "ab", None),
    ],
)
def test_impossible_image_sizes(pack, refused, sides):
    def claim(manifest):
        manifest["estimator"]["fitted"]["image_size"] = sides

    text = "is no image size for a model. Wanted: rows and columns, each from 1 to 4096"
    assert f"{sides} {text}" in refused(pack(claim), "refused")

    def claim_before(manifest):
        resizer = {"class": "XRayResizer", "params": {"size": sides}}
        steps = [["resizer", resizer], ["clf", manifest["estimator"]]]
        manifest["estimator"] = {"class": "Pipeline", "steps": steps}

    refused(pack(claim_before), text)


@pytest.mark.parametrize(
    ("part", "value", "cause"),
    [
        ("class", "os.system", "unknown kind, 'os.system'"),
        ("class", "Lambda", "unknown kind, 'Lambda'"),
        ("class", "KerasClassifier", "unknown kind"),
        ("class", "FrozenEstimator", "no valid model"),
        ("class", "XRayResizer", "no parameter"),
        ("class", ["Pipeline"], "no valid model"),
        ("params", {"model": "x"}, "no parameter 'model'"),
        ("params", {"filters": {"lambda": "x"}}, "unknown kind, 'lambda'"),
        ("params", {"threshold": 7}, "no valid model"),
        ("params", {"memory": "cache"}, "no parameter 'memory'"),
        ("params", {"filters": {"array": "weights/99"}}, "no array 'weights/99'"),
        ("params", None, "no valid model"),
        ("fitted", {}, "no valid model"),
        ("fitted", None, "no valid model"),
    ],
)
def test_descriptions_of_something_else(pack, refused, part, value, cause):
    def claim(manifest):
        manifest["estimator"][part] = value

    refused(pack(claim), cause)


@pytest.mark.parametrize("classes", [["a"], ["a", "a"], ["a", "b", "c"], [None, "b"], "ab"])
def test_wrong_classes(pack, refused, classes):
    def claim(manifest):
        manifest["estimator"]["fitted"]["classes"] = {"texts": classes}

    refused(pack(claim), "two labels|no valid model")


@pytest.mark.parametrize(
    ("fitted", "cause"),
    [
        ({"predict": 1}, "'predict' is nothing that an estimator learns"),
        ({"__class__": 1}, "is nothing that an estimator learns"),
        ({"best_threshold_": "0.5"}, "its best_threshold_ is a str"),
        ({"recall_": [0.9]}, "its recall_ is a list"),
        ({"curve_": None}, "its curve_ is a NoneType"),
        ({}, "it lacks best_threshold_"),
    ],
)
@pytest.mark.parametrize("kind", ["OperatingPointClassifierCV", "TriageClassifierCV"])
def test_attributes_that_nothing_learns(pack, refused, fitted, cause, kind):
    def claim(manifest):
        inner = manifest["estimator"]
        manifest["estimator"] = {
            "class": kind,
            "params": {"estimator": {"estimator": inner | {"fitted": None}}},
            "fitted": fitted,
            "estimator_": inner,
        }

    refused(pack(claim), cause)


@pytest.mark.parametrize("found", [0, 1, 4, "2", None, [2]])
def test_other_formats_name_the_version_to_install(pack, refused, tmp_path, found):
    def claim(manifest):
        manifest["format"] = found
        manifest["versions"]["skpneumo"] = "9.9"

    text = refused(pack(claim), r"written by skpneumo 9\.9: install that version or a newer one")
    assert "reads formats 1, 2, 3" in text
    with pytest.raises(ModelFileError, match="install"):
        model_card(tmp_path / "model.skpneumo")


@pytest.mark.parametrize("versions", [{"skpneumo": __version__}, {}, [1], None])
@pytest.mark.parametrize("found", [4, True, 2.0])
def test_other_formats_of_no_other_version(pack, refused, versions, found):
    def claim(manifest):
        manifest |= {"format": found, "versions": versions}

    text = refused(pack(claim), "It names no other version that could read it")
    assert "nstall" not in text


@pytest.mark.parametrize(
    ("name", "value"),
    [("threshold", 0.99), ("threshold", None), ("classes", ["A", "B"]), ("classes", None)],
)
def test_a_manifest_that_states_another_model(pack, refused, name, value):
    def claim(manifest):
        manifest[name] = value

    refused(pack(claim), "other classes or another threshold than its model has")


@pytest.mark.parametrize(
    "estimator",
    [
        {"class": "passthrough"},
        {"class": "Pipeline", "steps": []},
        {"class": "Pipeline", "steps": [["a", {"class": "passthrough"}]]},
        {"class": "XRayResizer", "params": {"size": {"tuple": [32, 32]}}},
    ],
)
def test_what_is_no_classifier(pack, refused, estimator):
    def claim(manifest):
        manifest["estimator"] = estimator

    refused(pack(claim), "refused")


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
def test_cards_of_odd_manifests(pack, tmp_path, name, value):
    def claim(manifest):
        manifest[name] = value

    path = tmp_path / "model.skpneumo"
    path.write_bytes(pack(claim))
    with pytest.raises(ModelFileError, match="refused"):
        model_card(path)


FORGED = (
    "x\n\n## Metrics\n\n| Recall | 1.000 |\n<script>alert(1)</script> [here](http://x) `\\` # y"
)


@pytest.mark.parametrize(
    "change",
    [
        {"notes": {"data": FORGED}},
        {"notes": {"# Metrics": "all", FORGED: "data"}},
        {"created": FORGED},
        {"image_contract": FORGED},
        {"threshold_origin": FORGED},
        {"data_fingerprint": FORGED},
        {"classes": ["NORMAL", FORGED]},
        {"versions": {FORGED: FORGED}},
        {"model": {"name": FORGED, "params": {FORGED: 1}, "layers": [FORGED], "fingerprint": "a"}},
    ],
)
def test_texts_of_a_file_make_no_part_of_a_card(pack, tmp_path, change):
    path = tmp_path / "model.skpneumo"
    path.write_bytes(pack(lambda manifest: manifest | change))
    card = model_card(path)
    lines = card.splitlines()
    headings = [line for line in lines if line.lstrip("- ").startswith("#")]
    assert headings == [lines[0], "## Model", "## Data", "## Metrics"]
    assert not re.search(r"(?<!\\)(\\\\)*[<>\[\]|]", card)


def test_texts_of_an_initial_network_make_no_part_of_a_card(pack, tmp_path):
    initial = {"name": FORGED, "fingerprint": FORGED, "notes": [[FORGED, FORGED]]}

    def claim(manifest):
        manifest["estimator"]["fitted"]["initial_networks"] = [initial, initial]

    path = tmp_path / "model.skpneumo"
    path.write_bytes(pack(claim))
    card = model_card(path)
    headings = [line for line in card.splitlines() if line.lstrip("- ").startswith("#")]
    assert headings[1:] == ["## Model", "## Data", "## Initial network", "## Metrics"]
    assert not re.search(r"(?<!\\)(\\\\)*[<>\[\]|]", card)
