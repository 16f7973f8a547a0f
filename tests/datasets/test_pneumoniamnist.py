import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from skpneumo.datasets import _registry
from skpneumo.datasets._pneumoniamnist import fetch_pneumoniamnist, load_pneumoniamnist
from skpneumo.exceptions import DatasetError

ROWS = ("target", "groups", "patient", "subtype", "split")


def content(n=None, size=(9, 7), labels="uint8", seed=0):
    """Arrays like those of PneumoniaMNIST."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, n_images in (n or {"train": 6, "val": 3, "test": 4}).items():
        arrays[f"{split}_images"] = rng.integers(256, size=(n_images, *size), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(n_images)[:, None] % 3 > 0).astype(labels)
    return arrays


def save(path, arrays, write=np.savez_compressed):
    write(path, **arrays)
    return path


def header(shape, descr="|u1", magic=b"\x93NUMPY\x01\x00"):
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return magic + struct.pack("<H", len(text)) + text


def zipped(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("labels", ["uint8", "int64", ">i4"])
def test_all_is_in_the_order_of_the_file(tmp_path, write, labels):
    arrays = content(labels=labels)
    data = load_pneumoniamnist(save(tmp_path / "a.npz", arrays, write))
    assert data.images.shape == (13, 9, 7)
    assert data.images.dtype == np.uint8
    assert data.images.flags.c_contiguous
    assert [*data.split] == ["train"] * 6 + ["val"] * 3 + ["test"] * 4
    for split in ("train", "val", "test"):
        np.testing.assert_array_equal(data.images[data.split == split], arrays[f"{split}_images"])
        is_positive = arrays[f"{split}_labels"].ravel() == 1
        np.testing.assert_array_equal(data.target[data.split == split] == "PNEUMONIA", is_positive)
    assert {*data.target} == {"NORMAL", "PNEUMONIA"}


def test_the_bunch_is_that_of_the_other_loaders(tmp_path):
    data = load_pneumoniamnist(str(save(tmp_path / "a.npz", content())))
    assert set(data) == {"images", *ROWS, "filename", "DESCR", "licence", "citation"}
    for key in ROWS:
        assert data[key].shape == (13,)
        assert data[key].dtype.kind == "U"
    assert len({*data.patient}) == len({*data.groups}) == 13
    for split, patient, group in zip(data.split, data.patient, data.groups, strict=True):
        assert group == f"{split}/{patient}"
    assert {*data.subtype} == {""}
    assert "train 6, val 3, test 4, 9 x 7 pixels" in data.DESCR
    assert str(tmp_path / "a.npz") in data.DESCR
    assert "CC BY 4.0" in data.licence
    assert "MedMNIST" in data.citation
    assert "Kermany" in data.citation


@pytest.mark.parametrize(
    "n", [{"test": 1}, {"val": 5, "train": 700}, {"train": 0, "test": 3}, {"val": 2}]
)
def test_counts_are_free_and_splits_may_be_missing(tmp_path, n):
    arrays = content(n)
    data = load_pneumoniamnist(save(tmp_path / "a.npz", arrays))
    for split in ("train", "val", "test"):
        assert (data.split == split).sum() == n.get(split, 0)
    order = [split for split in ("train", "val", "test") if split in n]
    np.testing.assert_array_equal(
        data.images, np.concatenate([arrays[f"{split}_images"] for split in order])
    )


def test_arrays_in_the_order_of_fortran(tmp_path):
    arrays = {key: np.asfortranarray(value) for key, value in content({"test": 5}).items()}
    data = load_pneumoniamnist(save(tmp_path / "a.npz", arrays))
    np.testing.assert_array_equal(data.images, arrays["test_images"])
    assert data.images.flags.c_contiguous


def test_labels_may_be_flat(tmp_path):
    arrays = content()
    arrays |= {key: value.ravel() for key, value in arrays.items() if key.endswith("labels")}
    assert len(load_pneumoniamnist(save(tmp_path / "a.npz", arrays)).target) == 13


CHANGES = {
    "it holds 'extra'": {"extra": np.zeros(2)},
    "val_images is int16 of shape (3, 9, 7)": {"val_images": np.zeros((3, 9, 7), "int16")},
    "val_images is float32": {"val_images": np.zeros((3, 9, 7), "float32")},
    "val_images is uint8 of shape (3, 9, 7, 3)": {"val_images": np.zeros((3, 9, 7, 3), "uint8")},
    "val_images is uint8 of shape (3, 0, 7)": {"val_images": np.zeros((3, 0, 7), "uint8")},
    "val_images is uint8 of shape ()": {"val_images": np.uint8(3)},
    "several sizes: [(7, 9), (9, 7)]": {"val_images": np.zeros((3, 7, 9), "uint8")},
    "val_labels is uint8 of shape (4,)": {"val_labels": np.zeros(4, "uint8")},
    "val_labels is uint8 of shape (3, 2)": {"val_labels": np.zeros((3, 2), "uint8")},
    "val_labels is float64": {"val_labels": np.zeros(3)},
    "val_labels is bool": {"val_labels": np.zeros(3, bool)},
    "val_labels is <U6": {"val_labels": np.array(["NORMAL"] * 3)},
    "val_labels holds [0, 1, 2]": {"val_labels": np.arange(3)},
    "val_labels holds [-1, 0]": {"val_labels": np.array([0, 0, -1])},
}


@pytest.mark.parametrize("problem", CHANGES)
def test_another_content_is_refused_with_what_came_and_what_was_wanted(tmp_path, problem):
    path = save(tmp_path / "a.npz", content() | CHANGES[problem])
    with pytest.raises(DatasetError) as caught:
        load_pneumoniamnist(path)
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)
    assert "<split>_images   uint8, of shape (n, rows, columns)" in str(caught.value)


@pytest.mark.parametrize("key", ["val_images", "val_labels"])
def test_images_and_labels_go_together(tmp_path, key):
    arrays = content()
    del arrays[key]
    with pytest.raises(DatasetError, match="go together, but val_"):
        load_pneumoniamnist(save(tmp_path / "a.npz", arrays))


@pytest.mark.parametrize("n", [{}, {"val": 0}])
def test_a_file_without_images(tmp_path, n):
    arrays = content(n) if n else {}
    with pytest.raises(DatasetError, match="it holds no image"):
        load_pneumoniamnist(save(tmp_path / "a.npz", arrays))


def test_not_all_names_of_many_other_members_are_listed(tmp_path):
    path = save(tmp_path / "a.npz", {f"k{i}": np.zeros(1) for i in range(500)})
    with pytest.raises(DatasetError, match="and 492 more") as caught:
        load_pneumoniamnist(path)
    assert len(str(caught.value)) < 1_000


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize("key", ["test_images", "test_labels", "extra"])
def test_nothing_is_unpickled(tmp_path, key):
    arrays = content() | {key: np.array([Evil()] * 4, dtype=object)}
    with pytest.raises(DatasetError, match=r"holds (Python objects, which are never|'extra')"):
        load_pneumoniamnist(save(tmp_path / "a.npz", arrays))
    # Bytes of a pickle in the place of an array.
    members = {f"{name}.npy": b"\x80\x04cos\nsystem\n" for name in content()}
    with pytest.raises(DatasetError):
        load_pneumoniamnist(zipped(tmp_path / "b.npz", members))


def refused_in_little_memory(path, match):
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=match):
            load_pneumoniamnist(path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "shape",
    [(10**9, 28, 28), (10**18, 28, 28), (-1, 28, 28), (4, -28, -28), (5, 28, 28), (3, 28, 28)],
)
@pytest.mark.parametrize("n_more", [0, 10**7])
def test_headers_that_claim_more_or_less_than_there_is(tmp_path, shape, n_more):
    images = header(shape) + bytes(4 * 784 + n_more)
    members = {"test_images.npy": images, "test_labels.npy": header((4, 1)) + bytes(4)}
    del images
    path = zipped(tmp_path / "a.npz", members)
    refused_in_little_memory(path, "has another size than its shape")


def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    n = 200_000
    path = tmp_path / "a.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("test_images.npy", "w") as member,
    ):
        member.write(header((n, 28, 28)))
        for _ in range(n // 1_000):
            member.write(bytes(784_000))
    assert path.stat().st_size < 10**6
    refused_in_little_memory(path, "claim 156,800,.* bytes, more than the 67,108,864 that")


def test_a_member_that_is_larger_than_it_claims(tmp_path):
    arrays = save(tmp_path / "a.npz", content({"test": 4}), np.savez).read_bytes()
    place = arrays.index(b"PK\x01\x02") + 24
    changed = arrays[:place] + struct.pack("<I", 130) + arrays[place + 4 :]
    path = tmp_path / "b.npz"
    path.write_bytes(changed)
    with pytest.raises(DatasetError):
        load_pneumoniamnist(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_numpy_does_not_write_are_refused(tmp_path, method):
    members = {}
    for key, array in content().items():
        file = io.BytesIO()
        np.save(file, array)
        members[f"{key}.npy"] = file.getvalue()
    with pytest.raises(DatasetError, match="another method"):
        load_pneumoniamnist(zipped(tmp_path / "a.npz", members, method))
    assert len(load_pneumoniamnist(zipped(tmp_path / "b.npz", members)).target) == 13


def test_a_key_that_is_there_twice(tmp_path):
    path = save(tmp_path / "a.npz", content())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("val_labels.npy", archive.read("val_labels.npy"))
    with pytest.raises(DatasetError, match="a key twice"):
        load_pneumoniamnist(path)


@pytest.mark.parametrize(
    "head",
    [
        header("(4, 9, 7)", magic=b"\x93NUMPY\x09\x09"),
        header("(4, " + "(" * 5_000),
        header((4, 9, 7), descr="no type"),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff{",
        b"",
    ],
)
def test_headers_that_are_none(tmp_path, head):
    members = {"test_images.npy": head + bytes(252), "test_labels.npy": header((4, 1)) + bytes(4)}
    with pytest.raises(DatasetError):
        load_pneumoniamnist(zipped(tmp_path / "a.npz", members))


def test_any_damage_is_a_dataset_error_or_harmless(tmp_path):
    whole = save(tmp_path / "a.npz", content({"test": 4})).read_bytes()
    good = load_pneumoniamnist(tmp_path / "a.npz")
    rng, path, n_refused = np.random.default_rng(0), tmp_path / "b.npz", 0
    for i in range(300):
        damaged = bytearray(whole)
        if i % 3:
            for place in rng.integers(len(whole), size=i % 5 + 1):
                damaged[place] = rng.integers(256)
        else:
            del damaged[rng.integers(len(whole)) :]
        path.write_bytes(damaged)
        try:
            data = load_pneumoniamnist(path)
        except DatasetError:
            n_refused += 1
        else:
            np.testing.assert_array_equal(data.images, good.images)
            np.testing.assert_array_equal(data.target, good.target)
    assert n_refused > 150


@pytest.mark.parametrize("what", ["missing", "folder", "text", "array"])
def test_what_is_no_such_file(tmp_path, what):
    path = tmp_path / "a.npz"
    if what == "folder":
        path.mkdir()
    elif what == "text":
        path.write_text("<html>")
    elif what == "array":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    is_read = what in ("text", "array")
    reason = r"this is no \.npz file, or a damaged one" if is_read else ""
    with pytest.raises(DatasetError, match=rf"a\.npz: {reason}.*\nWanted: an \.npz file"):
        load_pneumoniamnist(path)


@pytest.mark.parametrize("size", [28, 64, 128, 224])
def test_each_size_is_fetched_by_its_own_file(server, tmp_path, monkeypatch, size):
    file = io.BytesIO()
    np.savez(file, **content(size=(size, size)))
    name = _registry.PNEUMONIAMNIST[size].name
    remote = server.remote(name, content=file.getvalue())
    monkeypatch.setitem(_registry.PNEUMONIAMNIST, size, remote)
    data = fetch_pneumoniamnist(size, data_home=tmp_path)
    assert data.images.shape == (13, size, size)
    assert (tmp_path / name).is_file()
    monkeypatch.setenv("SKPNEUMO_DATA", str(tmp_path))
    again = fetch_pneumoniamnist(size=size, download_if_missing=False)
    np.testing.assert_array_equal(again.images, data.images)
    assert len(server.ranges) == 1


def test_the_smallest_is_the_default(tmp_path):
    with pytest.raises(
        DatasetError, match=r"pneumoniamnist\.npz is not available.*\n.*zenodo\.org"
    ):
        fetch_pneumoniamnist(data_home=tmp_path, download_if_missing=False)


@pytest.mark.parametrize("size", [27, "28", None, (28, 28)])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=r"one of \[28, 64, 128, 224\], got"):
        fetch_pneumoniamnist(size)
