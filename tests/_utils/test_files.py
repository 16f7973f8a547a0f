"""Files are written where links lead, and into pipes."""

import os
import threading

import pytest

from skpneumo._utils.files import write_text


def test_a_link_leads_to_the_file_and_stays(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "table.csv")
    for text in ("new", "newer"):
        write_text(text, tmp_path / "link.csv")
        assert (tmp_path / "table.csv").read_text(encoding="utf-8") == text
    assert (tmp_path / "link.csv").is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link.csv", "table.csv"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_written_to_and_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    received = []
    reader = threading.Thread(
        target=lambda: received.append((tmp_path / "pipe").read_text(encoding="utf-8"))
    )
    reader.start()
    write_text("text", tmp_path / "pipe")
    reader.join(timeout=10)
    assert received == ["text"]
    assert (tmp_path / "pipe").is_fifo()
