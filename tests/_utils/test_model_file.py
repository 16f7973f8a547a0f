"""Kernels as integers in a model file."""

import numpy as np
import pytest

from skpneumo._utils.model_file import read_manifest, read_model_file, write_model_file
from skpneumo._utils.model_file._quantization import dequantize_kernels, quantize_kernels
from skpneumo.exceptions import ModelFileError


def make_arrays(seed=0):
    rng = np.random.default_rng(seed)
    spread = np.geomspace(1e-6, 1e3, 40)
    return {
        "weights/0": (rng.standard_normal((3, 3, 20, 40)) * spread).astype(np.float32),
        "weights/1": rng.standard_normal((7, 1, 600, 40)).astype(np.float32),
        "weights/2": np.zeros((1, 3, 5, 2), np.float32),
        "weights/3": rng.standard_normal(40).astype(np.float32),
        "arrays/4": rng.standard_normal((8, 1)),
        "weights/5": rng.standard_normal((500, 3)).astype(np.float32),
    }


def test_rounding_is_within_half_a_step_of_each_channel():
    arrays = make_arrays()
    quantized = quantize_kernels(arrays)
    restored = dequantize_kernels(quantized)
    assert quantized["weights/0"].dtype == np.int16
    assert quantized["weights/1"].dtype == np.int8
    assert sorted(restored) == sorted(arrays)
    # Scales are rounded up: to 16 digits, or to powers of two.
    for name, largest_integer in (("weights/0", 2**14), ("weights/1", 127 * (1 - 2**-15))):
        kernel = arrays[name]
        step = np.abs(kernel).max(axis=(0, 1, 2)) / largest_integer
        assert restored[name].dtype == np.float32
        assert (np.abs(restored[name] - kernel) <= step / 2 * 1.001).all()
    for name in ("weights/2", "weights/3", "arrays/4", "weights/5"):
        np.testing.assert_array_equal(restored[name], arrays[name])


def test_rounded_kernels_round_to_themselves():
    once = dequantize_kernels(quantize_kernels(make_arrays()))
    twice = dequantize_kernels(quantize_kernels(once))
    for name, array in once.items():
        np.testing.assert_array_equal(twice[name], array)


def test_a_quantized_file_takes_a_quarter_of_the_room(tmp_path):
    arrays = {"weights/0": make_arrays()["weights/1"]}
    sizes = []
    for quantize in (False, True):
        path = tmp_path / f"{quantize}.skpneumo"
        write_model_file(path, {"a": 1}, arrays, quantize=quantize)
        sizes.append(path.stat().st_size)
        assert read_manifest(path)["format"] == 2 + quantize
        found = read_model_file(path)[1]["weights/0"]
        np.testing.assert_allclose(found, arrays["weights/0"], atol=0.02 * quantize)
    assert sizes[1] < 0.26 * sizes[0]


def change(name, array):
    return quantize_kernels(make_arrays()) | {name: array}


def test_integers_without_scales_are_refused():
    arrays = quantize_kernels(make_arrays())
    del arrays["weights/1/scales"]
    with pytest.raises(ModelFileError, match="weights/1 has no scales"):
        dequantize_kernels(arrays)


@pytest.mark.parametrize(
    "arrays",
    [
        change("weights/0/scales", np.ones(39, np.float32)),
        change("weights/0/scales", np.ones(40)),
        change("weights/0/scales", np.ones((1, 40), np.float32)),
        change("weights/0", np.ones((3, 3, 20, 40), np.float32)),
        change("weights/0", np.ones((3, 3, 20, 40), np.int64)),
        change("weights/0", np.ones((20, 40), np.int8)),
        change("weights/9/scales", np.ones(40, np.float32)),
    ],
)
def test_integers_and_scales_that_do_not_fit_are_refused(arrays):
    with pytest.raises(ModelFileError, match=r"weights/[09] and its scales do not fit"):
        dequantize_kernels(arrays)
