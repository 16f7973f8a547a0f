import hashlib
import io
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import platformdirs
import pytest

from skpneumo.datasets import _registry, _transfer
from skpneumo.datasets._download import data_folder, fetch_file
from skpneumo.exceptions import DatasetError

N_TRIES = _transfer._RETRIES.total + 1
FETCH = """
import sys
from skpneumo.datasets._download import fetch_file
from skpneumo.datasets._registry import RemoteFile
fetch_file(RemoteFile(*sys.argv[1:4], int(sys.argv[4]), 0), sys.argv[5])
"""


def in_a_process(remote, home):
    command = [sys.executable, "-c", FETCH, *map(str, remote[:4]), str(home)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def part_of(remote, home):
    return home / f".{remote.name}.part" / remote.name


def put_part(remote, home, content):
    part = part_of(remote, home)
    part.parent.mkdir()
    part.write_bytes(content)


def visible(folder):
    """What a user sees there; the lock is hidden."""
    return sorted(name for name in os.listdir(folder) if not name.endswith(".lock"))


@pytest.fixture
def pauses(monkeypatch):
    """Pauses between the tries, in seconds; none is made."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def test_a_file_is_downloaded_once(server, tmp_path):
    remote, home = server.remote(), tmp_path / "not" / "there yet"
    path = fetch_file(remote, home)
    assert path == home / "data.bin"
    assert path.read_bytes() == server.content
    assert visible(home) == ["data.bin"]
    assert fetch_file(remote, str(home)) == path
    assert server.ranges == [None]
    # Zenodo has refused python-requests.
    assert re.fullmatch(r"skpneumo/\d+\.\d+.*", server.agents[0])


def test_md5_checksums(server, tmp_path):
    checksum = f"md5:{hashlib.md5(server.content).hexdigest()}"
    path = fetch_file(server.remote()._replace(checksum=checksum), tmp_path)
    assert path.read_bytes() == server.content


def test_the_folder_of_data(monkeypatch, tmp_path):
    monkeypatch.setenv("SKPNEUMO_DATA", str(tmp_path / "variable"))
    assert data_folder(tmp_path / "argument") == tmp_path / "argument"
    assert data_folder() == tmp_path / "variable"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert data_folder("~/mine") == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    assert data_folder("near") == tmp_path / "near"
    for nothing in (None, ""):
        if nothing is None:
            monkeypatch.delenv("SKPNEUMO_DATA")
        else:
            monkeypatch.setenv("SKPNEUMO_DATA", nothing)
        assert str(data_folder()) == platformdirs.user_data_dir("skpneumo")


def test_a_cut_connection_is_resumed(server, tmp_path, pauses):
    server.script = [("serve", 100_000), ("serve", 50_000), ("serve", 0), ("serve", 70_000)]
    path = fetch_file(server.remote(), tmp_path)
    assert path.read_bytes() == server.content
    starts = [int(found[6:-1]) if found else 0 for found in server.ranges]
    assert len(starts) == 5
    # All but a piece of each connection is kept.
    for start, sent in zip(starts, (0, 100_000, 150_000, 150_000, 220_000), strict=True):
        assert sent - 4 * _transfer._CHUNK < start <= sent
    assert starts[1] > 0
    assert visible(tmp_path) == ["data.bin"]


def test_an_incomplete_download_is_kept(server, tmp_path, pauses):
    remote = server.remote()
    server.script = [("serve", 120_000), *[("serve", 0)] * 10]
    with pytest.raises(DatasetError, match="is not available"):
        fetch_file(remote, tmp_path)
    assert len(server.ranges) == N_TRIES
    assert not (tmp_path / "data.bin").exists()
    kept = part_of(remote, tmp_path).read_bytes()
    assert len(kept) > 60_000
    assert server.content.startswith(kept)
    server.script.clear()
    server.ranges.clear()
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges == [f"bytes={len(kept)}-"]


def test_the_next_call_requests_the_rest_only(server, tmp_path):
    remote = server.remote()
    put_part(remote, tmp_path, server.content[:123_456])
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges == ["bytes=123456-"]


def test_steady_progress_is_not_given_up(server, tmp_path, monkeypatch, pauses):
    monkeypatch.setattr(_transfer, "_STEP", 10_000)
    server.script = [("serve", 30_000)] * 3 * N_TRIES
    assert fetch_file(server.remote(), tmp_path).read_bytes() == server.content
    assert len(server.ranges) > N_TRIES


def test_a_server_that_ignores_ranges(server, tmp_path):
    remote = server.remote()
    put_part(remote, tmp_path, server.content[:100_000])
    server.script = [("ignore_range",)]
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges == ["bytes=100000-"]


def test_a_server_that_sends_another_range(server, tmp_path):
    remote = server.remote()
    put_part(remote, tmp_path, server.content[:100_000])
    server.script = [("misplace",)]
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges == ["bytes=100000-", None]


def test_a_whole_part_needs_no_server(server, tmp_path):
    remote = server.remote()
    put_part(remote, tmp_path, server.content)
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges == []


@pytest.mark.parametrize("size", [1_000, 300_001, 400_000])
def test_a_wrong_part_is_dropped(server, tmp_path, size):
    remote = server.remote()
    put_part(remote, tmp_path, b"x" * size)
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    # A range behind the end of the file is answered by 416.
    assert server.ranges == [f"bytes={size}-", None]


def test_a_part_of_a_killed_process_under_another_name_is_used(server, tmp_path):
    remote = server.remote()
    put_part(remote, tmp_path, server.content[:1_000])
    part_of(remote, tmp_path).with_name("tmpempty").touch()
    part_of(remote, tmp_path).with_name("tmpwhole").write_bytes(server.content[:-1])
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges == ["bytes=300000-"]
    assert visible(tmp_path) == ["data.bin"]


def test_wrong_bytes_are_not_kept(server, tmp_path):
    remote, wrong = server.remote(), b"<html>log in</html>"
    server.script = [("other", wrong)]
    with pytest.raises(DatasetError) as caught:
        fetch_file(remote, tmp_path)
    assert server.ranges == [None]
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert not part_of(remote, tmp_path).exists()
    assert not (tmp_path / "data.bin").exists()
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert server.ranges == [None, None]


def test_more_bytes_than_the_file_can_have_are_refused(server, tmp_path):
    remote = server.remote()
    server.script = [("other", b"x" * 5_000_000)]
    with pytest.raises(DatasetError, match="more than the 300,001 bytes"):
        fetch_file(remote, tmp_path)
    assert not part_of(remote, tmp_path).exists()


@pytest.mark.parametrize("code", [403, 404, 410])
def test_lasting_errors_are_not_retried(server, tmp_path, code, pauses):
    server.script = [("status", code)] * 9
    with pytest.raises(DatasetError, match=f"the server answers {code} "):
        fetch_file(server.remote(), tmp_path)
    assert (len(server.ranges), pauses) == (1, [])


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_server_is_retried_after_growing_pauses(server, tmp_path, code, pauses):
    server.script = [("status", code)] * (N_TRIES - 1)
    assert fetch_file(server.remote(), tmp_path).read_bytes() == server.content
    assert pauses == [0, 2, 4, 8]


@pytest.mark.parametrize("code", [429, 503])
def test_a_server_that_stays_busy(server, tmp_path, code, pauses):
    server.script = [("status", code)] * 99
    with pytest.raises(DatasetError, match=f"the server answers {code}"):
        fetch_file(server.remote(), tmp_path)
    assert len(server.ranges) == N_TRIES


def test_retry_after_is_honoured(server, tmp_path, pauses):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    server.script = [("status", 429, wait) for wait in ("7", date, "soon", "0")]
    assert fetch_file(server.remote(), tmp_path).read_bytes() == server.content
    assert pauses == [7, pytest.approx(60, abs=5), 4, 8]
    assert len(server.ranges) == N_TRIES


def test_retry_after_a_day_is_an_error(server, tmp_path, pauses):
    server.script = [("status", 429, "86400")]
    with pytest.raises(DatasetError, match=r"429 .* \(Retry-After: 86400\)"):
        fetch_file(server.remote(), tmp_path)
    assert pauses == []


def test_a_server_that_hangs(server, tmp_path, monkeypatch, pauses):
    monkeypatch.setattr(_transfer, "_TIMEOUT", (5, 0.2))
    server.script = [("stall", 100_000)]
    assert fetch_file(server.remote(), tmp_path).read_bytes() == server.content
    assert len(server.ranges) == 2
    server.script = [("stall", 0)] * 9
    with pytest.raises(DatasetError, match="timed out"):
        fetch_file(server.remote("other.bin"), tmp_path)


def test_offline_the_error_names_the_file_its_address_and_its_place(server, tmp_path, pauses):
    remote = server.remote()._replace(url="http://127.0.0.1:9/data.bin")
    try:
        raise KeyError("of someone else")
    except KeyError:
        with pytest.raises(DatasetError) as caught:
            fetch_file(remote, tmp_path)
    message = str(caught.value)
    assert "Connection refused" in message
    assert "of someone else" not in message
    for needed in (remote.url, str(tmp_path / "data.bin"), remote.checksum[7:], "SKPNEUMO_DATA"):
        assert needed in message


def test_an_unknown_host_is_not_retried(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")  # a proxy would look the name up
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it waits"))
    remote = server.remote()._replace(url="http://skpneumo.invalid/data.bin")
    with pytest.raises(DatasetError, match=r"data\.bin is not available: "):
        fetch_file(remote, tmp_path)


def test_a_file_put_there_by_hand_is_verified_and_used(server, tmp_path):
    remote, path = server.remote(), tmp_path / "data.bin"
    path.write_bytes(server.content)
    assert fetch_file(remote, tmp_path, download_if_missing=False) == path
    path.write_bytes(server.content[:-1])
    with pytest.raises(DatasetError, match="another file, or a damaged one: its SHA256 is"):
        fetch_file(remote, tmp_path, download_if_missing=False)
    assert server.ranges == []
    server.script = [("status", 404)]
    with pytest.raises(DatasetError, match=r"another file, .* and the download failed: .* 404"):
        fetch_file(remote, tmp_path)
    assert path.read_bytes() == server.content[:-1]
    assert fetch_file(remote, tmp_path).read_bytes() == server.content


def test_a_folder_in_the_place_of_the_file(server, tmp_path):
    (tmp_path / "data.bin").mkdir()
    with pytest.raises(DatasetError, match=r"data\.bin is not available: .*directory"):
        fetch_file(server.remote(), tmp_path)
    assert server.ranges == []


def test_nothing_is_downloaded_with_download_if_missing_false(server, tmp_path):
    home = tmp_path / "home"
    with pytest.raises(DatasetError, match="no such file, and download_if_missing is False") as e:
        fetch_file(server.remote(), home, download_if_missing=False)
    assert server.url in str(e.value)
    assert server.ranges == []
    assert not home.exists()


def test_a_home_that_cannot_be_written_to(server, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(DatasetError, match="is not available"):
        fetch_file(server.remote(), file)
    assert server.ranges == []


def test_a_killed_download_is_resumed(server, tmp_path):
    remote = server.remote()
    server.script = [("stall", 200_000)]
    process = in_a_process(remote, tmp_path)
    assert server.stalled.wait(20)
    for _ in range(100):
        if part_of(remote, tmp_path).exists() and part_of(remote, tmp_path).stat().st_size > 99_999:
            break
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert not (tmp_path / "data.bin").exists()
    assert fetch_file(remote, tmp_path).read_bytes() == server.content
    assert int(server.ranges[1][6:-1]) > 99_999
    assert visible(tmp_path) == ["data.bin"]


def test_two_processes_download_once(server, tmp_path):
    server.script = [("slowly",)]
    processes = [in_a_process(server.remote(), tmp_path) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode)[1] for process in processes] == [0, 0]
    assert (tmp_path / "data.bin").read_bytes() == server.content
    assert server.ranges == [None]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_bar_is_drawn_on_a_terminal_only(server, tmp_path, monkeypatch, capsys, is_terminal):
    screen = io.StringIO()
    screen.isatty = lambda: is_terminal
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    server.script = [("status", 503)]
    fetch_file(server.remote(), tmp_path)
    assert ("data.bin" in screen.getvalue()) == is_terminal
    assert capsys.readouterr().out == ""


def test_the_table_of_files_is_in_order():
    files = [_registry.KERMANY, *_registry.PNEUMONIAMNIST.values()]
    assert len({file.name for file in files}) == len({file.checksum for file in files}) == 5
    for file in files:
        assert file.url.startswith("https://")
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", file.checksum)
        assert file.n_images == 5_856
        assert file.max_bytes > 4_000_000
