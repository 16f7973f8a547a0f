"""Files that are no safetensors file, or one that lies: all are refused, at little cost."""

import hashlib
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import safetensors.numpy

from skpneumo import load_model
from skpneumo.exceptions import ModelFileError
from skpneumo.persistence import is_model_file, model_card


def test_the_good_file_loads(pack, tmp_path):
    path = tmp_path / "named otherwise"
    path.write_bytes(pack())
    load_model(path)
    assert is_model_file(path)


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


def zip_that_inflates():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(2**26))
    return file.getvalue()


@pytest.mark.parametrize(
    "content", [pickled_bomb, array_of_bombs, zipped_bomb, zip_that_inflates, bytes]
)
def test_files_of_other_formats(tmp_path, monkeypatch, refused, little_memory, content):
    monkeypatch.chdir(tmp_path)
    data = content()
    with little_memory(2**24):
        refused(data, "no model file|not those of a model file|compressed")
    with pytest.raises(ModelFileError):
        model_card("model.skpneumo")
    assert not os.path.exists("harm")
    os.rename("model.skpneumo", "model")
    assert not is_model_file("model")


def split(data):
    """Header of a safetensors file, and the numbers behind it."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def join(header, numbers):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(header).to_bytes(8, "little") + header + numbers


def test_changed_weights(pack, refused):
    header, numbers = split(pack())
    name, place = max(header.items(), key=lambda item: item[1].get("data_offsets", [0])[0])
    data = bytearray(numbers)
    data[place["data_offsets"][0]] ^= 1
    refused(join(header, bytes(data)), f"{name} was changed since it was saved")


def test_a_changed_manifest(pack, refused):
    header, numbers = split(pack())
    text = header["__metadata__"]["manifest"]
    header["__metadata__"]["manifest"] = text.replace('"NORMAL"', '"MORNAL"')
    refused(join(header, numbers), "manifest was changed since it was saved")


@pytest.mark.parametrize("key", ["manifest", "sha256"])
def test_metadata_that_lack_a_part(pack, refused, key):
    header, numbers = split(pack())
    del header["__metadata__"][key]
    refused(join(header, numbers), "another safetensors file|manifest was changed")
    del header["__metadata__"]
    refused(join(header, numbers), "another safetensors file")


def test_a_flipped_bit_anywhere(pack, refused):
    data = pack()
    n_header = int.from_bytes(data[:8], "little")
    rng = np.random.default_rng(0)
    places = [*rng.integers(8 + n_header, size=100), *rng.integers(len(data), size=40), *range(8)]
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.integers(8)
        if damaged[8 : 8 + n_header].rstrip() != data[8 : 8 + n_header].rstrip() or place < 8:
            refused(bytes(damaged), "refused")


@pytest.mark.parametrize("fraction", [0, 0.1, 0.5, 0.9, 0.999])
def test_cut_files(pack, refused, fraction):
    data = pack()
    refused(data[: int(fraction * len(data))], "no model file")


def test_bytes_behind_the_last_array(pack, refused):
    refused(pack() + b"\0", "no model file")


@pytest.mark.parametrize("n_bytes", [2**20, 2**31, 2**40, 2**63, 2**64 - 1])
def test_a_header_that_claims_to_be_longer_than_the_file(pack, refused, little_memory, n_bytes):
    data = pack()
    with little_memory(2**20):
        refused(n_bytes.to_bytes(8, "little") + data[8:], "no model file")


def test_a_huge_header_is_not_parsed(pack, refused, little_memory):
    header, numbers = split(pack())
    data = join(json.dumps(header).encode() + b" " * 2**24, numbers)
    with little_memory(2**20):
        refused(data, r"header takes 16,\d{3},\d{3} bytes, more than 8,388,608")


def test_a_huge_file_is_not_read(pack, tmp_path, little_memory):
    path = tmp_path / "model.skpneumo"
    path.write_bytes(pack())
    os.truncate(path, 2**40)  # which takes no room on the disk
    with little_memory(2**20), pytest.raises(ModelFileError, match="more than 2,147,483,648"):
        load_model(path)


def test_many_arrays(refused):
    arrays = {f"a{i}": np.zeros(0, "f4") for i in range(10_001)}
    refused(safetensors.numpy.save(arrays, {"manifest": "{}"}), "more than 10,000 arrays")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data_offsets", [0, 2**40]),
        ("data_offsets", [2**62, 2**63]),
        ("data_offsets", [4, 0]),
        ("data_offsets", [-4, 0]),
        ("data_offsets", None),
        ("data_offsets", [1, 2, 3]),
        ("shape", [10**9]),
        ("shape", [10**9, 10**9, 10**9]),
        ("shape", [2**62, 2**62, 0]),
        ("shape", [-1]),
        ("shape", [1.5]),
        ("shape", None),
        ("shape", [1] * 2000),
        ("dtype", "F64"),
        ("dtype", "I32"),
        ("dtype", "O"),
        ("dtype", "F4"),
        ("dtype", None),
    ],
)
def test_places_shapes_and_types_that_lie(pack, refused, little_memory, name, value):
    header, numbers = split(pack())
    header["weights/0"][name] = value
    with little_memory(2**22):
        refused(join(header, numbers), "no model file|changed since|damaged")


def test_arrays_that_overlap(pack, refused):
    header, numbers = split(pack())
    first, second = [name for name in header if header[name].get("shape") == [4]][:2]
    header[first]["data_offsets"] = header[second]["data_offsets"]
    refused(join(header, numbers), "no model file")


def test_gaps_between_arrays(pack, refused):
    header, numbers = split(pack())
    last = max(header.values(), key=lambda place: place.get("data_offsets", [0, 0])[1])
    last["data_offsets"] = [end + 4 for end in last["data_offsets"]]
    refused(join(header, numbers + bytes(4)), "no model file")


@pytest.mark.parametrize("name", ["weights/0", "__metadata__", "new", "manifest"])
def test_names_that_are_there_twice(pack, refused, name):
    header, numbers = split(pack())
    text = json.dumps(header)
    if name == "manifest":
        text = text.replace('"__metadata__": {', '"__metadata__": {"manifest": "{}", ')
    else:
        twice = json.dumps(header.get(name, {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}))
        text = text.removesuffix("}") + f', "{name}": {twice}' + "}"
        if name == "new":
            text = text.removesuffix("}") + f', "{name}": {twice}' + "}"
    refused(join(text.encode(), numbers), "holds a name twice|no model file")


@pytest.mark.parametrize("dtype", ["BF16", "C64", "F8_E4M3"])
def test_types_that_hold_no_numbers_of_a_network(refused, dtype):
    n_bytes = {"BF16": 2, "C64": 8, "F8_E4M3": 1}[dtype]
    sha256 = hashlib.sha256(bytes(n_bytes)).hexdigest()
    description = {"dtype": "float32", "shape": [1], "sha256": sha256}
    text = json.dumps({"format": 2, "arrays": {"a": description}})
    header = {
        "__metadata__": {"manifest": text, "sha256": hashlib.sha256(text.encode()).hexdigest()},
        "a": {"dtype": dtype, "shape": [1], "data_offsets": [0, n_bytes]},
    }
    refused(join(header, bytes(n_bytes)), "no model file|is of type")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "C:\\evil", "Ünïcode\0☠", "__init__"])
def test_arrays_that_do_not_belong(pack, refused, name, tmp_path):
    def claim(manifest):
        del manifest["arrays"][name]

    array = {name: np.zeros(1, "f4")}
    refused(pack(claim, arrays=array), "arrays are not those that its manifest lists")
    # One that is listed and not used does no harm.
    path = tmp_path / "model.skpneumo"
    path.write_bytes(pack(arrays=array))
    load_model(path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.skpneumo"]


@pytest.mark.parametrize("arrays", [None, [], ["weights/0"], {"a": 1}, {"a": None}])
def test_lists_of_arrays_that_are_none(pack, refused, arrays):
    refused(pack(lambda manifest: manifest | {"arrays": arrays}), "arrays are not those")


@pytest.mark.parametrize("description", [None, 7, {}, {"dtype": "float32"}])
def test_descriptions_of_arrays_that_are_none(pack, refused, description):
    def claim(manifest):
        manifest["arrays"]["weights/0"] = description

    refused(pack(claim), "weights/0 was changed since it was saved")


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "[" * 100_000,
        '{"format": 2, "format": 2}',
        "",
        "7",
        "[]",
        '{"format": 2',
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_manifests_that_are_damaged(pack, refused, text):
    refused(pack(text=text), "manifest is damaged")


def test_headers_nested_without_end(refused, little_memory):
    with little_memory(2**24):
        refused(join(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b""), "no model file")


def test_headers_that_are_not_utf8(refused):
    refused(join(b'{"\xff\xfe": {}}', b""), "no model file")


def test_missing_files_and_directories(tmp_path):
    for path, match in ((tmp_path / "nowhere", "there is no such file"), (tmp_path, "directory")):
        with pytest.raises(ModelFileError, match=match) as caught:
            load_model(path)
        assert str(caught.value).startswith(f"{path}")
        assert not is_model_file(path)
    assert is_model_file(tmp_path / "nowhere.SKPNEUMO")


def test_pipes_and_devices_are_not_opened(tmp_path):
    pipe = tmp_path / "model.skpneumo"
    os.mkfifo(pipe)  # to read it would wait for ever
    for path in (pipe, "/dev/zero"):
        with pytest.raises(ModelFileError, match="a pipe or a device"):
            load_model(path)


def test_links_are_followed_and_loops_are_not(pack, tmp_path):
    path = tmp_path / "whole"
    path.write_bytes(pack())
    (tmp_path / "link.skpneumo").symlink_to(path)
    load_model(tmp_path / "link.skpneumo")
    (tmp_path / "loop.skpneumo").symlink_to("loop.skpneumo")
    with pytest.raises(ModelFileError, match="link"):
        load_model(tmp_path / "loop.skpneumo")


def test_names_of_files_that_are_no_path():
    with pytest.raises(ModelFileError):
        load_model("a\0b")


@pytest.mark.parametrize("n_bytes", [0, 1, 7, 8, 9])
def test_files_of_a_few_bytes(refused, n_bytes):
    for byte in (0, 1, 255):
        refused(bytes([byte]) * n_bytes, "no model file")


def test_a_file_that_begins_like_an_archive(pack, tmp_path):
    header, numbers = split(pack())
    text = json.dumps(header).encode()
    path = tmp_path / "model"
    path.write_bytes(join(text.ljust(int.from_bytes(b"PK\1", "little")), numbers))
    assert path.read_bytes().startswith(b"PK")
    load_model(path)
