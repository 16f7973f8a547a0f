"""Files of format 1, zip archives: they load still, and hostile ones are refused."""

import hashlib
import io
import struct
import zipfile

import numpy as np
import pytest

from skpneumo import load_model
from skpneumo.exceptions import ModelFileError
from skpneumo.persistence import is_model_file, model_card


def test_a_file_loads(pack, pack_format_1, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (3, 34, 32)).astype(np.uint8)
    probabilities, cards = [], []
    for name, packed in (("old", pack_format_1()), ("new", pack())):
        (tmp_path / name).write_bytes(packed)
        probabilities.append(load_model(tmp_path / name).predict_proba(images))
        cards.append(model_card(tmp_path / name))
        assert is_model_file(tmp_path / name)
    np.testing.assert_array_equal(*probabilities)
    assert cards[0] == cards[1]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "C:\\evil", "keras.h5", "config.json"])
def test_members_that_do_not_belong(pack_format_1, refused, name, tmp_path):
    refused(pack_format_1(members={name: b"x"}), "members are not those that its manifest lists")
    assert [path.name for path in tmp_path.iterdir()] == ["model.skpneumo"]

    def claim(manifest):
        manifest["members"][name] = {"dtype": "|u1", "shape": [1], "sha256": "0" * 64}

    refused(pack_format_1(claim, members={name: b"x"}), "changed since it was saved")


def test_missing_and_repeated_members(pack_format_1, refused):
    def fewer(manifest):
        manifest["members"].popitem()

    refused(pack_format_1(fewer), "members")
    file = io.BytesIO(pack_format_1())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("manifest.json", "{}")
    refused(file.getvalue(), "members are not those of a model file")


def test_changed_weights(pack_format_1, refused, saved):
    array = saved[1]["weights/0"].copy()
    array.flat[3] += 1
    refused(
        pack_format_1(members={"weights/0": array.tobytes()}),
        "weights/0 was changed since it was saved",
    )


def test_a_flipped_bit_anywhere(pack_format_1, tmp_path):
    path = tmp_path / "model.skpneumo"
    data = pack_format_1()
    path.write_bytes(data)
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
            # A part that is not read, such as the date of a member.
            np.testing.assert_array_equal(loaded.predict_proba(images), expected)
    assert n_refused > 40


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.999])
def test_cut_files(pack_format_1, refused, fraction):
    data = pack_format_1()
    refused(data[: int(fraction * len(data))], "no model file")


def test_compressed_members_are_not_inflated(pack_format_1, refused, little_memory):
    data = pack_format_1(members={"bomb": bytes(2**26)}, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 2**20
    with little_memory(2**24):
        refused(data, "compressed or encrypted")


def test_sizes_that_the_archive_only_claims(pack_format_1, refused):
    data = bytearray(pack_format_1())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 20 : entry + 28] = struct.pack("<II", 2**31, 2**31)
    refused(data, "claims to be larger|no model file|damaged")


def list_of_empty_members(n_members, *, zip64):
    """An archive of a list of members alone; of Zip64 the end states less than there is."""
    first = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    entries = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 3, 20, *[0] * 8, 7, *[0] * 6) + b"%07d" % i
        for i in range(n_members)
    )
    n_bytes = len(entries)
    n_stated = 0 if zip64 else n_bytes
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, n_stated, len(first), 0)
    if zip64:
        sizes = struct.pack("<4Q", n_members, n_members, n_bytes, len(first))
        entries += struct.pack("<4sQ2H2L", b"PK\6\6", 44, 45, 45, 0, 0) + sizes
        entries += struct.pack("<4sLQL", b"PK\6\7", 0, len(first) + n_bytes, 1)
    return first + entries + end


@pytest.mark.parametrize("zip64", [False, True])
def test_endless_lists_of_members_are_not_read(refused, little_memory, zip64):
    data = list_of_empty_members(100_000, zip64=zip64)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.infolist()) == 100_000
    with little_memory(2**20):
        refused(data, "no model file")


@pytest.mark.parametrize("bit", [0, 5, 6])
def test_members_of_unknown_kinds(pack_format_1, refused, bit):
    data = bytearray(pack_format_1())
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 8] |= 1 << bit
    refused(data, "damaged|encrypted")


def test_members_listed_without_descriptions(pack_format_1, refused):
    data = pack_format_1(lambda manifest: manifest | {"members": list(manifest["members"])})
    refused(data, "members are not those that its manifest lists")


@pytest.mark.parametrize(
    "shape", [[10**9], [10**9, 10**9], [-1], [1.5], ["a"], None, [1] * 2000, [2**64, 0]]
)
def test_shapes_that_do_not_fit(pack_format_1, refused, little_memory, shape):
    def claim(manifest):
        next(iter(manifest["members"].values()))["shape"] = shape

    with little_memory(2**24):
        refused(pack_format_1(claim), "not as large|shape|damaged")


@pytest.mark.parametrize("dtype", ["|O", "<U9", "<M8[s]", "float32, (9,)i4", 7, None])
def test_types_that_are_none(pack_format_1, refused, dtype):
    def claim(manifest):
        next(iter(manifest["members"].values()))["dtype"] = dtype

    refused(pack_format_1(claim), "type or shape|damaged")


def test_deep_nesting(pack_format_1, refused):
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    refused(pack_format_1(members={"manifest.json": deep}), "manifest is damaged")


def test_a_key_that_is_there_twice(pack_format_1, refused):
    refused(pack_format_1(members={"manifest.json": '{"format": 1, "format": 1}'}), "damaged")


@pytest.mark.parametrize("found", [0, 2, "1", None, [1], True, 1.0])
def test_other_formats(pack_format_1, refused, found):
    def claim(manifest):
        manifest["format"] = found
        manifest["versions"]["skpneumo"] = "9.9"

    refused(pack_format_1(claim), r"written by skpneumo 9\.9: install that version or a newer one")


@pytest.mark.parametrize(
    "manifest", [[1], {"x": 1}, {"format": 1}, {"format": 1, "members": []}, 7]
)
def test_manifests_that_are_none(pack_format_1, refused, manifest):
    refused(pack_format_1(lambda _: manifest), "refused")


def test_arrays_of_objects(pack_format_1, refused):
    objects = np.array([{}], dtype=object)
    file = io.BytesIO()
    np.save(file, objects, allow_pickle=True)
    data = file.getvalue()

    def claim(manifest):
        sha256 = hashlib.sha256(data).hexdigest()
        manifest["members"]["weights/0"] = {"dtype": "|O", "shape": [1], "sha256": sha256}

    refused(pack_format_1(claim, members={"weights/0": data}), "type or shape")
