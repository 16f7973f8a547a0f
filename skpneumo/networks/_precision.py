"""The floating-point type in which networks compute."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

import keras

from skpneumo._utils.typing import Precision

PRECISIONS = ("auto", "float32", "bfloat16")
_VARIABLE = "SKPNEUMO_PRECISION"
_AMPERE = 8  # major compute capability of the first NVIDIA GPUs that are fast in bfloat16
_CPU_INFO = "/proc/cpuinfo"


def resolve_precision(precision: Precision) -> Literal["float32", "bfloat16"]:
    """Type to compute in on this machine.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
        "auto" is bfloat16 if it is faster: on TPUs, on GPUs from NVIDIA's Ampere on, and with
        TensorFlow on CPUs that have instructions for it (AVX512-BF16 or AMX). The environment
        variable ``SKPNEUMO_PRECISION`` overrides this detection: set it to one of the other two
        for the same networks on every machine.

    Returns
    -------
    {"float32", "bfloat16"}

    Raises
    ------
    ValueError
        If the environment variable has another value.

    Examples
    --------
    >>> from skpneumo.networks import resolve_precision
    >>> resolve_precision("float32")
    'float32'
    """
    if precision == "auto":
        # Read at every call: a process may set it after the import.
        precision = os.environ.get(_VARIABLE, "").strip().lower() or "auto"
        if precision not in PRECISIONS:
            raise ValueError(
                f"The environment variable {_VARIABLE} is {precision!r}. Wanted: one of "
                f"{', '.join(PRECISIONS)}; unset it to select by machine."
            )
    return _fast_precision() if precision == "auto" else precision


@cache
def _fast_precision():
    find = {"tensorflow": _tensorflow_is_fast, "jax": _jax_is_fast}.get(keras.backend.backend())
    return "bfloat16" if find is not None and find() else "float32"


def _tensorflow_is_fast():
    import tensorflow as tf

    if tf.config.list_physical_devices("TPU"):
        return True
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    if gpus:
        return all(found.get("compute_capability", (0,))[0] >= _AMPERE for found in details)
    # Only oneDNN uses these instructions.
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0" and cpu_computes_bfloat16()


def _jax_is_fast():
    import jax

    device = jax.devices()[0]
    if device.platform == "gpu":
        return float(getattr(device, "compute_capability", 0)) >= _AMPERE
    return device.platform == "tpu"


@cache
def computes_on_cpu():
    """Whether the backend of Keras has no other device; False if that is not known."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return all(device.device_type == "CPU" for device in tf.config.list_physical_devices())
    if backend == "jax":
        import jax

        return jax.devices()[0].platform == "cpu"
    return False


def cpu_computes_bfloat16():
    """Whether this machine's processor has instructions for bfloat16."""
    try:
        lines = Path(_CPU_INFO).read_text().splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return "avx512_bf16" in flags or "amx_bf16" in flags
