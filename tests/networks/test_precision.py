"""bfloat16 where this machine is fast in it, float32 elsewhere."""

import sys
from types import SimpleNamespace

import keras
import pytest

from skpneumo.networks import _precision, resolve_precision


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    monkeypatch.delenv("SKPNEUMO_PRECISION", raising=False)
    _precision._fast_precision.cache_clear()
    yield
    _precision._fast_precision.cache_clear()


def pretend(monkeypatch, backend, **module):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setitem(sys.modules, backend, SimpleNamespace(**module))


def tensorflow_with(gpus=(), tpus=()):
    devices = {"GPU": list(gpus), "TPU": list(tpus)}
    experimental = SimpleNamespace(get_device_details=lambda gpu: gpu)
    config = SimpleNamespace(list_physical_devices=devices.get, experimental=experimental)
    return {"config": config}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_named_is_taken(precision):
    assert resolve_precision(precision) == precision


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_environment_overrides_the_detection_alone(monkeypatch, precision):
    monkeypatch.setenv("SKPNEUMO_PRECISION", precision)
    assert resolve_precision("auto") == precision
    assert resolve_precision("float32") == "float32"


@pytest.mark.parametrize("value", ["", " AUTO "])
def test_an_environment_that_overrides_nothing(monkeypatch, value):
    detected = resolve_precision("auto")
    monkeypatch.setenv("SKPNEUMO_PRECISION", value)
    assert resolve_precision("auto") == detected


def test_the_environment_names_another_type(monkeypatch):
    monkeypatch.setenv("SKPNEUMO_PRECISION", "float16")
    with pytest.raises(ValueError, match=r"SKPNEUMO_PRECISION is 'float16'.*float32, bfloat16"):
        resolve_precision("auto")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512_bf16 sse", "bfloat16"),
        ("fpu amx_bf16 amx_tile", "bfloat16"),
        ("fpu avx2 avx512f", "float32"),
        (None, "float32"),
    ],
)
def test_a_processor_with_instructions_for_it(monkeypatch, tmp_path, flags, expected):
    file = tmp_path / "cpuinfo"
    if flags is not None:
        file.write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    monkeypatch.setattr(_precision, "_CPU_INFO", str(file))
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    pretend(monkeypatch, "tensorflow", **tensorflow_with())
    assert resolve_precision("auto") == expected


def test_without_onednn_no_processor_is_fast(monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text("flags : amx_bf16\n")
    monkeypatch.setattr(_precision, "_CPU_INFO", str(tmp_path / "cpuinfo"))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    pretend(monkeypatch, "tensorflow", **tensorflow_with())
    assert resolve_precision("auto") == "float32"


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        ([{"compute_capability": (9, 0)}], "bfloat16"),
        ([{"compute_capability": (7, 5)}], "float32"),
        ([{"compute_capability": (8, 0)}, {"compute_capability": (7, 0)}], "float32"),
        ([{}], "float32"),
    ],
)
def test_tensorflow_on_gpus(monkeypatch, gpus, expected):
    pretend(monkeypatch, "tensorflow", **tensorflow_with(gpus))
    assert resolve_precision("auto") == expected


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ({"platform": "cpu"}, "float32"),
        ({"platform": "gpu", "compute_capability": "9.0"}, "bfloat16"),
        ({"platform": "gpu", "compute_capability": "7.5"}, "float32"),
        ({"platform": "tpu"}, "bfloat16"),
    ],
)
def test_jax(monkeypatch, device, expected):
    pretend(monkeypatch, "jax", devices=lambda: [SimpleNamespace(**device)])
    assert resolve_precision("auto") == expected


def test_another_backend_computes_in_float32(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert resolve_precision("auto") == "float32"
