import io
import os
import shutil
import stat
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skpneumo.datasets import _kermany, _registry
from skpneumo.datasets._folder import load_xray_folder
from skpneumo.datasets._kermany import fetch_kermany
from skpneumo.exceptions import DatasetError

NAMES = (
    "chest_xray/train/NORMAL/IM-0115-0001.jpeg",
    "chest_xray/train/NORMAL/IM-0117-0001.jpeg",
    "chest_xray/train/PNEUMONIA/person12_bacteria_46.jpeg",
    "chest_xray/train/PNEUMONIA/person12_virus_47.jpeg",
    "chest_xray/test/NORMAL/NORMAL2-IM-0115-0001.jpeg",
    "chest_xray/test/PNEUMONIA/person3_virus_48.jpeg",
)
LITTER = (
    "__MACOSX/chest_xray/train/NORMAL/._IM-0115-0001.jpeg",
    "chest_xray/.DS_Store",
    "chest_xray/train/NORMAL/.DS_Store",
)
IMAGE = np.random.default_rng(0).bytes(5_000)


def member(name, content=IMAGE, **attributes):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def archive(*members):
    """Bytes of a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for info, content in members:
            opened.writestr(info, content)
    return file.getvalue()


STAND_IN = archive(
    member("chest_xray/", b"", external_attr=(stat.S_IFDIR | 0o755) << 16),
    *(member(name, name.encode()) for name in NAMES),
    *map(member, LITTER),
)


@pytest.fixture
def offer(server, monkeypatch):
    """Put an archive on the server, in the place of the real one."""

    def offer(content=STAND_IN, n_images=6):
        remote = server.remote("ChestXRay2017.zip", n_images, content)
        monkeypatch.setattr(_registry, "KERMANY", remote)

    return offer


def seen(folder):
    return sorted(name for name in os.listdir(folder) if not name.endswith(".lock"))


def test_the_collection_is_downloaded_unpacked_and_listed(server, offer, tmp_path):
    offer()
    data = fetch_kermany(data_home=tmp_path)
    folder = tmp_path / "ChestXRay2017"
    plain = load_xray_folder(folder)
    assert set(data) == {*plain, "licence", "citation"}
    for key in {*plain} - {"DESCR"}:
        np.testing.assert_array_equal(data[key], plain[key])
    assert plain.DESCR in data.DESCR
    assert "CC BY 4.0" in data.licence
    assert "Kermany" in data.citation
    unpacked = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert unpacked == {*NAMES}
    assert (folder / NAMES[0]).read_bytes() == NAMES[0].encode()
    assert seen(tmp_path) == ["ChestXRay2017", "ChestXRay2017.zip"]


def test_once_unpacked_neither_server_nor_archive_is_needed(server, offer, tmp_path, monkeypatch):
    offer()
    first = fetch_kermany(data_home=tmp_path)
    (tmp_path / "ChestXRay2017.zip").unlink()
    monkeypatch.setenv("SKPNEUMO_DATA", str(tmp_path))
    second = fetch_kermany(download_if_missing=False)
    np.testing.assert_array_equal(first.paths, second.paths)
    assert len(server.ranges) == 1


def test_an_archive_put_there_by_hand_is_used(server, offer, tmp_path):
    offer()
    with pytest.raises(
        DatasetError, match=r"ChestXRay2017\.zip is not available: there is no such"
    ):
        fetch_kermany(data_home=tmp_path, download_if_missing=False)
    (tmp_path / "ChestXRay2017.zip").write_bytes(STAND_IN)
    assert len(fetch_kermany(data_home=tmp_path, download_if_missing=False).paths) == len(NAMES)
    assert server.ranges == []


def test_a_killed_unpacking_starts_again(offer, tmp_path):
    offer()
    left = tmp_path / ".ChestXRay2017.part" / "chest_xray" / "train" / "NORMAL" / "half.jpeg"
    left.parent.mkdir(parents=True)
    left.touch()
    data = fetch_kermany(data_home=tmp_path)
    assert "half.jpeg" not in {Path(path).name for path in data.paths}
    assert seen(tmp_path) == ["ChestXRay2017", "ChestXRay2017.zip"]


def test_an_unpacked_folder_that_was_changed_is_noticed(offer, tmp_path):
    offer()
    data = fetch_kermany(data_home=tmp_path)
    os.unlink(data.paths[0])
    with pytest.raises(DatasetError, match="holds 5 images, but 6 were unpacked"):
        fetch_kermany(data_home=tmp_path)
    shutil.rmtree(tmp_path / "ChestXRay2017" / "chest_xray" / "train" / "NORMAL")
    with pytest.raises(DatasetError, match=r"(?s)changed since.* NORMAL .*unpacks it again"):
        fetch_kermany(data_home=tmp_path)
    shutil.rmtree(tmp_path / "ChestXRay2017")
    assert len(fetch_kermany(data_home=tmp_path).paths) == 6


def test_two_at_once(server, offer, tmp_path):
    offer()
    server.script = [("slowly",)]
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fetch_kermany(data_home=tmp_path)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(data.paths) for data in found] == [len(NAMES)] * 3
    assert len(server.ranges) == 1


LINK = (stat.S_IFLNK | 0o777) << 16
PIPE = (stat.S_IFIFO | 0o777) << 16
GOOD = member(NAMES[0])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        *[
            (member(name), "does not name a place in the folder")
            for name in (
                *("../evil.jpeg", "/evil.jpeg", "a/../../evil.jpeg", "a//evil.jpeg", "./evil.jpeg"),
                *("C:/evil.jpeg", "C:evil.jpeg", "..\\evil.jpeg", "\\\\host\\evil.jpeg", "..", "/"),
                "__MACOSX/../../evil.jpeg",
            )
        ],
        (member("a", b"/etc/passwd", external_attr=LINK), "is a link or a device"),
        (member("a", b"", external_attr=PIPE), "is a link or a device"),
        (member("a", compress_type=zipfile.ZIP_BZIP2), "another method"),
        (member("a", compress_type=zipfile.ZIP_LZMA), "another method"),
        (member("a", b"\0" * 100_000), "100 times as large"),
    ],
)
def test_harmful_members_are_refused_before_anything_is_unpacked(offer, tmp_path, bad, reason):
    offer(archive(GOOD, *[member(f"b{i}") for i in range(30)], bad))
    home = tmp_path / "in" / "here"
    with pytest.raises(DatasetError, match=reason) as caught:
        fetch_kermany(data_home=home)
    assert str(home / "ChestXRay2017.zip") in str(caught.value)
    assert seen(home) == ["ChestXRay2017.zip"]
    assert os.listdir(tmp_path / "in") == ["here"]


def test_encrypted_members_are_refused(offer, tmp_path):
    content = bytearray(archive(GOOD))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    offer(bytes(content))
    with pytest.raises(DatasetError, match="is encrypted, or"):
        fetch_kermany(data_home=tmp_path)


def test_two_members_of_one_name_are_refused(offer, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        offer(archive(GOOD, GOOD))
    with pytest.raises(DatasetError, match="have one name"):
        fetch_kermany(data_home=tmp_path)


def test_an_archive_that_would_grow_is_refused(offer, tmp_path):
    # Each member by itself is harmless: 20 times its data.
    offer(archive(*[member(f"a{i}", (b"\0" * 2_000 + IMAGE[:50])) for i in range(50)]))
    with pytest.raises(DatasetError, match="more than 2 times its own"):
        fetch_kermany(data_home=tmp_path)
    assert seen(tmp_path) == ["ChestXRay2017.zip"]


def test_too_many_members_are_refused(offer, tmp_path):
    offer(archive(*[member(f"__MACOSX/{i}", b"") for i in range(_kermany._MAX_MEMBERS + 1)]))
    with pytest.raises(DatasetError, match="has 20,001 members"):
        fetch_kermany(data_home=tmp_path)


@pytest.mark.parametrize("where", ["data", "directory", "all"])
def test_a_damaged_archive_leaves_nothing_half_unpacked(offer, tmp_path, where):
    content = bytearray(archive(*map(member, NAMES)))
    place = {"data": content.rindex(IMAGE[:50]) + 99, "directory": -200, "all": 0}[where]
    content[place : place + 60] = b"\xff" * 60
    offer(b"<html>" if where == "all" else bytes(content))
    with pytest.raises(DatasetError, match="cannot be unpacked"):
        fetch_kermany(data_home=tmp_path)
    assert seen(tmp_path) == ["ChestXRay2017.zip"]


@pytest.mark.parametrize("n_members", [1, 0])
def test_an_archive_of_something_else(offer, tmp_path, n_members):
    offer(archive(*[member("README")] * n_members))
    with pytest.raises(DatasetError):
        fetch_kermany(data_home=tmp_path)
