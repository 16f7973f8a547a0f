"""A small model, and files of it in which something was changed."""

import copy
import hashlib
import io
import json
import tracemalloc
import zipfile
from contextlib import contextmanager

import pytest
import safetensors.numpy

from skpneumo import CNNPneumoniaClassifier, load_model, save_model
from skpneumo._utils.model_file import read_model_file
from skpneumo.datasets import make_xrays
from skpneumo.exceptions import ModelFileError


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Manifest and arrays of a small model."""
    xrays = make_xrays(30, image_size=(34, 32), random_state=0)
    clf = CNNPneumoniaClassifier(filters=(3, 4, 5), epochs=1, random_state=0)
    path = tmp_path_factory.mktemp("model") / "model.skpneumo"
    save_model(clf.fit(xrays.images, xrays.target), path)
    return read_model_file(path)


def describe_arrays(arrays, get_dtype):
    return {
        name: {
            "dtype": get_dtype(array.dtype),
            "shape": list(array.shape),
            "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
        }
        for name, array in arrays.items()
    }


@pytest.fixture
def pack(saved):
    """Bytes of a file of format 2: of the small model, of other arrays, its manifest changed."""

    def pack(change=None, *, arrays=None, text=None):
        manifest, own = copy.deepcopy(saved)
        arrays = own if arrays is None else own | arrays
        manifest["arrays"] = describe_arrays(arrays, lambda dtype: dtype.name)
        if change is not None:
            manifest = change(manifest) or manifest
        text = json.dumps(manifest) if text is None else text
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        return safetensors.numpy.save(arrays, {"manifest": text, "sha256": sha256})

    return pack


@pytest.fixture
def pack_format_1(saved):
    """Bytes of a file of format 1, as skpneumo 0.1.0 wrote it."""

    def pack(change=None, *, members=None, **options):
        manifest, arrays = copy.deepcopy(saved)
        del manifest["arrays"]
        manifest["format"] = 1
        manifest["members"] = describe_arrays(arrays, lambda dtype: dtype.str)
        if change is not None:
            manifest = change(manifest) or manifest
        content = {name: array.tobytes() for name, array in arrays.items()}
        content = {"manifest.json": json.dumps(manifest)} | content | (members or {})
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", **options) as archive:
            for name, data in content.items():
                archive.writestr(name, data)
        return file.getvalue()

    return pack


@pytest.fixture
def refused(tmp_path):
    """Check that loading a file of such bytes is refused, in words that name it."""

    def refused(data, match):
        path = tmp_path / "model.skpneumo"
        path.write_bytes(data)
        with pytest.raises(ModelFileError, match=match) as caught:
            load_model(path)
        assert str(caught.value).startswith(f"{path}")
        return str(caught.value)

    return refused


@pytest.fixture
def little_memory():
    """Check that a block takes less memory than ``n_bytes``."""

    @contextmanager
    def little_memory(n_bytes):
        tracemalloc.start()
        try:
            yield
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < n_bytes

    return little_memory
