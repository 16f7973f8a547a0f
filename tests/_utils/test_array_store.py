"""The store of arrays on disk, also when things go wrong."""

import os
import pickle
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

import skpneumo
from skpneumo import ArrayStore
from skpneumo._utils import array_store
from skpneumo._utils.caching import default_store
from skpneumo.exceptions import CacheWarning


@pytest.fixture
def store(tmp_path):
    return ArrayStore(tmp_path / "cache")


def array(i, shape=(7, 5)):
    return np.random.default_rng(i).integers(0, 256, shape, dtype=np.uint8)


def fill(store, numbers):
    store.put([*numbers], [array(i) for i in numbers])


def right(store, numbers):
    """Numbers that are there; each array that is returned must be the one that was put."""
    found = dict(zip(numbers, store.get([*numbers]), strict=True))
    for i, values in found.items():
        if values is not None:
            np.testing.assert_array_equal(values, array(i), strict=True)
    return [i for i, values in found.items() if values is not None]


def change(store, statement, *values):
    """Change the file behind the store's back."""
    with sqlite3.connect(Path(store.location, "arrays.sqlite")) as connection:
        connection.execute(statement, values)
    connection.close()


def run(code, *arguments, **options):
    """Run Python code in a process of its own."""
    start = "import sys, numpy as np; from skpneumo import ArrayStore; from numpy import random\n"
    start += "store = ArrayStore(sys.argv[1])\n"
    start += "def array(i): return random.default_rng(i).integers(0, 256, (7, 5), dtype='u1')\n"
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("dtype", ["u1", "i8", "f2", "f4", ">f8", "?", "c8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (4, 3, 2)])
def test_what_is_put_is_returned(store, dtype, shape):
    values = np.ones(shape, dtype) * 3
    values = np.asarray(values, dtype)
    store.put([("key", 1)], [values])
    (found,) = store.get([("key", 1)])
    np.testing.assert_array_equal(found, values, strict=True)


def test_what_was_not_put_is_none(store):
    fill(store, [1, 2])
    assert store.get(["1", (1,), 3]) == [None, None, None]
    assert store.get([]) == []
    store.put([], [])


def test_views_are_kept_as_they_look(store):
    values = np.arange(24).reshape(4, 6)[::2, ::-1].T
    store.put(["view"], [values])
    np.testing.assert_array_equal(store.get(["view"])[0], values)


def test_a_later_array_replaces_an_earlier_one(store):
    fill(store, [1])
    store.put([1], [np.zeros(3)])
    np.testing.assert_array_equal(store.get([1])[0], np.zeros(3))


def test_more_keys_than_one_query_takes(store):
    fill(store, range(1200))
    assert right(store, range(1201)) == [*range(1200)]


def test_threads_and_copies_use_one_store(store):
    copies = [store, pickle.loads(pickle.dumps(store)), ArrayStore(store.location)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: fill(copies[i % 3], [i, i + 1]), range(40)))
    for copy in copies:
        assert right(copy, range(41)) == [*range(41)]


def test_other_processes_use_one_store(store):
    fill(store, range(20))
    code = "print([bool((v == array(i)).all()) for i, v in enumerate(store.get([*range(20)]))])"
    assert run(code, store.location).communicate()[0] == f"{[True] * 20}\n"


def test_a_store_outlives_a_fork(store):
    fill(store, range(3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fork of a process with threads
        pid = os.fork()
    if pid == 0:
        fill(store, range(3, 6))
        os._exit(len(right(store, range(6))))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 6
    assert right(store, range(6)) == [*range(6)]


def test_no_name_enters_the_file(store):
    store.put([("/data/SMITH^JANE.dcm", 3)], [array(0)])
    store._close()
    for file in Path(store.location).iterdir():
        assert b"SMITH" not in file.read_bytes()


def test_a_fork_while_another_thread_reads(store):
    fill(store, range(20))
    stop = threading.Event()

    def read():
        while not stop.is_set():
            store.get([*range(20)])

    thread = threading.Thread(target=read)
    thread.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        children = []
        for _ in range(10):
            children.append(os.fork())
            if children[-1] == 0:
                signal.alarm(20)
                os._exit(len(right(store, range(20))))
    stop.set()
    thread.join()
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [20] * 10


def test_a_store_that_goes_closes_its_file(tmp_path):
    store = ArrayStore(tmp_path)
    fill(store, [1])
    connection = store._connection
    del store
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_others_may_not_read_it(store, tmp_path):
    fill(store, [1])
    assert Path(store.location).stat().st_mode & 0o077 == 0
    (tmp_path / "open").mkdir(mode=0o755)
    store = ArrayStore(tmp_path / "open")
    fill(store, [1])
    files = list(Path(store.location).iterdir())
    assert len(files) == 3
    assert not any(file.stat().st_mode & 0o077 for file in files)


def test_a_store_in_use_elsewhere_is_left_alone(store, monkeypatch):
    fill(store, [1])
    monkeypatch.setattr(array_store, "_WAIT_FOR_OTHERS", 0.1)
    store._close()
    with sqlite3.connect(Path(store.location, "arrays.sqlite"), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        fill(store, [2])
        monkeypatch.setattr(array_store, "_WAIT_FOR_OTHERS", 0.01)
        with pytest.raises(TimeoutError, match="in use by another process"):
            store.clear()
        other.execute("ROLLBACK")
    other.close()
    assert right(store, [1, 2]) == [1]
    fill(store, [2])
    assert right(store, [1, 2]) == [1, 2]


def test_a_store_in_use_elsewhere_is_not_waited_for_again_and_again(store, monkeypatch):
    fill(store, [1])
    monkeypatch.setattr(array_store, "_WAIT_FOR_OTHERS", 0.5)
    store._close()
    with sqlite3.connect(Path(store.location, "arrays.sqlite"), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert not store.put([2], [array(2)])
        start = time.monotonic()
        assert not any(store.put([2], [array(2)]) for _ in range(20))
        assert time.monotonic() - start < 0.5
        other.execute("ROLLBACK")
    other.close()
    time.sleep(0.5)
    assert store.put([2], [array(2)])


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="needs Linux's list of locks")
def test_a_second_store_leaves_the_locks_of_the_first(store):
    fill(store, [1])
    inode = f":{Path(store.location, 'arrays.sqlite').stat().st_ino} "

    def locks():
        return [
            line
            for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines()
            if inode in line
        ]

    before = locks()
    assert before
    second = ArrayStore(store.location)
    assert right(second, [1]) == [1]
    assert len(locks()) >= len(before)


def test_an_interruption_leaves_no_transaction_behind(store, monkeypatch):
    fill(store, [1])

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(array_store, "_drop_oldest", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fill(store, [2])
    monkeypatch.setattr(array_store, "_WAIT_FOR_OTHERS", 0.1)
    other = ArrayStore(store.location)
    assert other.put([3], [array(3)])
    assert store.put([4], [array(4)])
    assert right(store, [1, 2, 3, 4]) == [1, 3, 4]


def test_no_flipped_bit_gives_a_wrong_array_or_an_error(store, tmp_path):
    fill(store, range(40))
    change(store, "PRAGMA wal_checkpoint(TRUNCATE)")
    store._close()
    whole = Path(store.location, "arrays.sqlite").read_bytes()
    rng = np.random.default_rng(0)
    for i, place in enumerate(rng.integers(0, len(whole), 60)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.integers(8)
        damaged = ArrayStore(tmp_path / str(i))
        Path(damaged.location).mkdir()
        Path(damaged.location, "arrays.sqlite").write_bytes(flipped)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CacheWarning)
            right(damaged, range(40))
            fill(damaged, [40])
        damaged.clear()
        assert damaged.put([41], [array(41)])
        assert right(damaged, range(42)) == [41]
        damaged._close()


@pytest.mark.parametrize("column", ["used", "n_bytes"])
@pytest.mark.parametrize("value", [None, "x", b"\xff"])
def test_damage_to_what_is_noted_of_a_use_is_no_error(tmp_path, column, value):
    store = ArrayStore(tmp_path, max_bytes=3 * 285)
    fill(store, [1, 2])
    change(store, f"UPDATE uses SET {column} = ?", value)
    right(store, [1, 2])
    for i in (3, 4, 5):
        fill(store, [i])
    assert 5 in right(store, range(6))


def test_clearing_makes_room_on_a_full_disk(store, monkeypatch):
    fill(store, [1])

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(array_store, "_empty", full)
    store.clear()
    assert not Path(store.location, "arrays.sqlite").exists()
    assert store.put([2], [array(2)])
    assert right(store, [1, 2]) == [2]


@pytest.mark.parametrize(
    "wrong", [np.array([None, "a"]), np.zeros(2, dtype=[("a", int)])], ids=["objects", "records"]
)
def test_what_cannot_be_kept_is_refused(store, wrong):
    with pytest.raises(ValueError, match="objects or records cannot be kept, got dtype"):
        store.put(["a"], [wrong])


# -- bounds ---------------------------------------------------------------------------------------


def test_the_least_recently_used_go_first(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(array_store.time, "time", lambda: now[0])
    store = ArrayStore(tmp_path, max_bytes=10 * 285)
    for i in range(10):
        fill(store, [i])
        now[0] += 100
    assert right(store, [0, 1, 2]) == [0, 1, 2]
    now[0] += 100
    fill(store, [10])
    left = right(store, range(11))
    assert {0, 1, 2, 10} <= set(left)
    assert 3 not in left
    assert 35 * len(left) <= store.max_bytes


def test_the_file_stays_within_the_bound(tmp_path):
    store = ArrayStore(tmp_path, max_bytes=2**20)
    for i in range(200):
        store.put([i], [np.full(2**16, i % 256, np.uint8)])
    # pages for the keys, and a log that is folded in from time to time
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 8 * 2**20
    np.testing.assert_array_equal(store.get([199])[0], np.full(2**16, 199, np.uint8))


def test_one_array_beyond_the_bound_is_not_kept(tmp_path):
    store = ArrayStore(tmp_path, max_bytes=3 * 285)
    fill(store, [1, 2])
    assert not store.put([3, 4], [np.zeros(1000, np.uint8), array(4)])
    assert store.get([3]) == [None]
    assert right(store, [1, 2, 4])[-1] == 4
    assert len(right(store, [1, 2, 4])) >= 2


def test_rows_that_fill_their_pages_badly_stay_within_the_bound(tmp_path):
    store = ArrayStore(tmp_path, max_bytes=4 * 2**20)
    for start in range(0, 600, 10):
        store.put([*range(start, start + 10)], [np.zeros(9216, np.uint8)] * 10)
    change(store, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert Path(tmp_path, "arrays.sqlite").stat().st_size < 1.1 * 4 * 2**20


def test_clearing_drops_everything_and_gives_the_room_back(store):
    store.put([*range(50)], [np.zeros(10**5, np.uint8)] * 50)
    store.clear()
    assert store.get([*range(50)]) == [None] * 50
    assert sum(file.stat().st_size for file in Path(store.location).iterdir()) < 10**6
    fill(store, [1])
    assert right(store, [1]) == [1]


def test_clearing_creates_nothing(tmp_path):
    ArrayStore(tmp_path / "nowhere").clear()
    assert not (tmp_path / "nowhere").exists()


# -- where it is ----------------------------------------------------------------------------------


def test_the_environment_variable_sets_the_location(tmp_path, monkeypatch):
    monkeypatch.setenv("SKPNEUMO_CACHE", str(tmp_path / "here"))
    assert ArrayStore().location == str(tmp_path / "here")
    assert ArrayStore(tmp_path / "there").location == str(tmp_path / "there")
    fill(default_store(), [1])
    assert right(ArrayStore(), [1]) == [1]
    skpneumo.clear_cache()
    assert right(ArrayStore(), [1]) == []
    monkeypatch.setenv("SKPNEUMO_CACHE", "off")
    assert default_store() is None
    skpneumo.clear_cache()
    monkeypatch.delenv("SKPNEUMO_CACHE")
    assert "skpneumo" in ArrayStore().location


@pytest.mark.parametrize("off", ["off", "OFF", "0", " none "])
def test_it_can_be_switched_off(monkeypatch, off):
    monkeypatch.setenv("SKPNEUMO_CACHE", off)
    assert default_store() is None
    skpneumo.clear_cache()
    with pytest.raises(ValueError, match=r"SKPNEUMO_CACHE .*Give the store a location"):
        ArrayStore()


def test_a_home_folder_is_understood(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ArrayStore("~/mine").location == str(tmp_path / "mine")
    monkeypatch.setenv("SKPNEUMO_CACHE", "~/ours")
    assert ArrayStore().location == str(tmp_path / "ours")


def test_a_network_file_system_is_refused(tmp_path, monkeypatch):
    mounts = [
        ("/", "ext4"),
        (str(tmp_path), "autofs"),
        (str(tmp_path), "nfs4"),
        (str(tmp_path / "ho"), "ext4"),
    ]
    parts = [psutil._ntuples.sdiskpart("disk", point, kind, "") for point, kind in mounts]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: parts)
    with pytest.raises(ValueError, match=r"network file system \(nfs4\).*SKPNEUMO_CACHE"):
        ArrayStore(tmp_path / "home" / "cache")
    assert ArrayStore("/var/cache")
    monkeypatch.setenv("SKPNEUMO_CACHE", str(tmp_path / "home"))
    with pytest.warns(CacheWarning, match="Nothing is kept on disk: .*nfs4"):
        assert default_store() is None


# -- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE arrays SET data = zeroblob(35)",
        "UPDATE arrays SET data = substr(data, 1, 20)",
        "UPDATE arrays SET data = 'text'",
        "UPDATE arrays SET data = NULL",
        "UPDATE arrays SET dtype = '|i1'",
        "UPDATE arrays SET dtype = NULL",
        "UPDATE arrays SET shape = '5,7'",
        "UPDATE arrays SET shape = 35",
        "UPDATE arrays SET digest = NULL",
        "DELETE FROM uses",
    ],
)
def test_what_was_changed_is_not_returned_and_can_be_put_again(store, statement):
    fill(store, [1])
    change(store, statement)
    assert store.get([1]) == [None]
    fill(store, [1])
    assert right(store, [1]) == [1]


def test_an_array_under_another_key_is_not_returned(store):
    fill(store, [1, 2])
    change(store, "DELETE FROM arrays WHERE rowid = 2")
    other = array_store._digest(b"2")
    change(store, "UPDATE arrays SET key = ?", other)
    assert store.get([2]) == [None]


def test_a_damaged_file_warns_once_and_can_be_cleared(store):
    fill(store, range(100))
    store._close()
    file = Path(store.location, "arrays.sqlite")
    file.write_bytes(b"rubbish" * 5000)
    with pytest.warns(CacheWarning, match=r"Nothing is kept in .*clear_cache"):
        assert store.get([1]) == [None]
    fill(store, [1])
    assert store.get([1]) == [None]
    store.clear()
    fill(store, [1])
    assert right(store, [1]) == [1]


def test_a_cut_file_never_gives_wrong_arrays(tmp_path):
    full = ArrayStore(tmp_path / "full")
    fill(full, range(300))
    full._connected().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    full._close()
    content = Path(full.location, "arrays.sqlite").read_bytes()
    for part in (0.1, 0.3, 0.5, 0.7, 0.9):
        store = ArrayStore(tmp_path / str(part))
        Path(store.location).mkdir()
        Path(store.location, "arrays.sqlite").write_bytes(content[: int(part * len(content))])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CacheWarning)
            right(store, range(300))


def test_a_killed_writer_leaves_whole_arrays(store):
    code = """
for i in range(10**6):
    store.put([i, -i], [array(i), array(i)])
    print(i, flush=True)
"""
    for wait in (0.0, 0.02, 0.05, 0.1):
        writer = run(code, store.location)
        writer.stdout.readline()
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        n_reported = int(writer.communicate()[0].rpartition("\n")[0].rpartition("\n")[2] or 0)
        there = right(store, range(n_reported + 2))
        assert set(range(n_reported)) <= set(there)
    fill(store, [7])
    assert right(store, [7]) == [7]


def test_two_processes_fill_one_store(store):
    code = "for i in range(200): store.put([i, i + 1000], [array(i), array(i + 1000)])"
    writers = [run(code, store.location) for _ in range(2)]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert right(store, range(200)) == [*range(200)]
    assert right(store, range(1000, 1200)) == [*range(1000, 1200)]


def test_on_a_full_disk_nothing_is_wrong(store):
    code = """
import resource, signal, warnings
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for i in range(5000):
        store.put([i], [array(i)])
print(len(caught), caught[0].category.__name__, store.get([0, 1]))
"""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10**6
    assert run(code, store.location).communicate()[0] == "1 CacheWarning [None, None]\n"
    fresh = ArrayStore(store.location)
    assert 0 < len(right(fresh, range(5000))) < 5000


def test_a_folder_that_cannot_be_written_warns_once(tmp_path):
    (tmp_path / "file").touch()
    store = ArrayStore(tmp_path / "file" / "cache")
    with pytest.warns(CacheWarning, match=r"Nothing is kept in .*file/cache"):
        fill(store, [1])
    assert store.get([1]) == [None]
