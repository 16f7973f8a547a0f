"""Work on many files is the same in whatever processes, warnings included."""

import warnings
from itertools import chain
from operator import itemgetter, methodcaller

import joblib
import numpy as np
import pytest
from PIL import Image

from skpneumo._utils.parallel import map_chunks
from skpneumo.datasets import audit, load_xray_folder
from skpneumo.exceptions import BitDepthWarning, ImageReadError
from skpneumo.images import XRaySequence


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("chunk_size", [1, 3, 50, 51])
def test_chunks_in_order(n_jobs, chunk_size):
    items = list(range(50))
    with joblib.parallel_config("threading"):
        chunks = map_chunks(itemgetter(slice(None)), items, n_jobs=n_jobs, chunk_size=chunk_size)
        chunks = list(chunks)
    assert [len(chunk) for chunk in chunks[:-1]] == [chunk_size] * (len(chunks) - 1)
    assert list(chain.from_iterable(chunks)) == items


def test_few_chunks_are_computed_ahead():
    with joblib.parallel_config("threading", n_jobs=2):
        taken = []
        chunks = map_chunks(taken.extend, list(range(1000)), chunk_size=1)
        assert not taken
        next(chunks)
        assert len(taken) <= 100


def test_nothing_to_do():
    assert list(map_chunks(methodcaller("copy"), [], chunk_size=2)) == []


@pytest.fixture
def folder(make_collection, tmp_path):
    """A collection with an unreadable file, and one that is read with a warning."""
    make_collection(tmp_path, {"train": 30})
    (tmp_path / "train" / "NORMAL" / "IM-0900-0001.png").write_text("not an X-ray")
    # Of 12 bits, of which the upper half of the range is not used.
    grey = np.linspace(0, 1900, 40 * 36).reshape(40, 36).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "train" / "NORMAL" / "IM-0901-0001.png")
    return tmp_path


def collect(function, *arguments, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(*arguments, **options)
    return result, [(str(one.message), one.category) for one in caught]


def test_processes_find_the_same_faults(folder):
    data = load_xray_folder(folder)
    here, warned_here = collect(audit, data)
    there, warned_there = collect(audit, data, n_jobs=2)
    assert there.to_dict() | {"date": ""} == here.to_dict() | {"date": ""}
    assert warned_there == warned_here
    assert [category for _, category in warned_here] == [BitDepthWarning]


def test_processes_find_the_same_unreadable_files(folder):
    xrays = XRaySequence(sorted(map(str, folder.rglob("*.png"))))
    here, warned_here = collect(xrays.check, "skip")
    there, warned_there = collect(xrays.check, "skip", n_jobs=2)
    assert there == here
    assert len(here) == 1
    assert sorted(map(str, warned_there)) == sorted(map(str, warned_here))
    assert BitDepthWarning in dict(warned_here).values()
    with pytest.raises(ImageReadError, match="1 of 32 files cannot be read"):
        collect(xrays.check, n_jobs=2)
