"""The report in a browser: no overflow, no message on the console, light and dark."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from skpneumo.evaluation import evaluate

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on the path")

WIDTHS = (360, 768, 1280)
# The pages are measured in frames: a window cannot be as narrow as a phone.
MEASURE = """<!DOCTYPE html><body><script>
const views = %s, found = [];
for (const [name, width] of views) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`;
  frame.src = name;
  frame.onload = () => {
    const page = frame.contentDocument, right = e => e.getBoundingClientRect().right;
    page.querySelectorAll("details").forEach(part => part.open = true);
    found.push({
      view: `${name} at ${width}`,
      overflow: page.documentElement.scrollWidth - width,
      beyond: [...page.body.querySelectorAll("*")].filter(e => right(e) > width + 0.5).map(
        e => e.outerHTML.slice(0, 80)),
      background: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
      heights: [...page.querySelectorAll("svg text")].map(e => e.getBoundingClientRect().height),
    });
    if (found.length == views.length) document.title = JSON.stringify(found);
  };
  document.body.append(frame);
}
</script>"""

# Styles of pages that a report may be a part of.
NOTEBOOK = """<!DOCTYPE html><html><style>
body { margin: 0; background: canvas; color-scheme: light dark; }
.page, .card, .grid, .bar { display: flex; width: 2000px; }
table, td, th, tr { text-align: right; padding: .5em; font-size: 12px; }
</style>"""


def measure(folder, pages, scheme):
    """Measurements of pages in a browser with this colour scheme, and messages on its console."""
    for name, html in pages.items():
        (folder / name).write_text(html, encoding="utf-8")
    views = [(name, width) for name in pages for width in WIDTHS]
    (folder / "look.html").write_text(MEASURE % json.dumps(views))
    done = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder / scheme}",
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
            f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
            "--virtual-time-budget=10000",
            "--dump-dom",
            (folder / "look.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        # It makes a socket in the folder for temporary files, whose path may have 107 characters.
        env=os.environ | {"TMPDIR": "/tmp"},
    )
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title, done.stderr[-2000:]
    messages = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return json.loads(title[1]), messages


def page_with_long_names(linear, new):
    """A report with labels and subtypes that are one long word."""
    classes = linear.classes_
    linear.classes_ = np.array(["Without" * 9, "WithPneumonia" * 6])
    try:
        y = linear.classes_[(new.y == classes[1]).astype(int)]
        return evaluate(linear, new.X, y, subtype=["subtype" * 12] * len(y)).to_html()
    finally:
        linear.classes_ = classes


def test_in_a_browser(report, linear, new, tmp_path):
    pages = {
        "plain.html": report.to_html(),
        "long.html": page_with_long_names(linear, new),
        "notebook.html": NOTEBOOK + report._repr_html_(),
    }
    background = {}
    for scheme in ("light", "dark"):
        views, messages = measure(tmp_path, pages, scheme)
        assert messages == []
        assert len(views) == len(pages) * len(WIDTHS)
        for seen in views:
            assert seen["beyond"] == [], seen["view"]
            assert seen["overflow"] <= 0, seen["view"]
            assert min(seen["heights"]) > 8, seen["view"]
            background[scheme] = sum(map(int, re.findall(r"\d+", seen["background"])[:3]))
    assert background["light"] > 700
    assert background["dark"] < 100
