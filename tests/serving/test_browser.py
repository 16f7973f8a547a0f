"""The page in a browser: real files through every path, at two widths, light and dark."""

import json
import re
import shutil

import numpy as np
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on the path")

VIEWS = [(1400, "light"), (390, "dark")]
SECONDS = 1000  # in milliseconds, as playwright counts


@pytest.fixture(scope="module")
def site(folder_of):
    return folder_of(60, random_state=11)


@pytest.fixture(scope="module")
def address(serving, model, site):
    with serving(model, folder=site) as place:
        yield place


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=VIEWS, ids=lambda view: f"{view[0]}-{view[1]}")
def tab(request, browser):
    """A tab without messages on its console, and without anything beyond its width."""
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
    )
    page, messages, addresses = context.new_page(), [], set()
    page.set_default_timeout(60 * SECONDS)
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda one: addresses.add(one.url.split("/")[2]))
    yield page
    overflow = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    context.close()
    # Not of the page: that an upload was refused, and that tests read the canvas.
    ours = [text for text in messages if not re.search("status of 4|^Canvas2D", text)]
    assert ours == []
    assert overflow <= 0
    assert len(addresses) == 1


def pixels(tab, selector="[data-viewer] canvas"):
    """The grey values on the canvas."""
    data = tab.evaluate(
        """selector => {
            const canvas = document.querySelector(selector);
            const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            return Array.from(data.filter((_, i) => i % 4 === 0 && i % 401 === 0));
        }""",
        selector,
    )
    return np.array(data)


def wait_for_picture(tab):
    tab.wait_for_selector("[data-busy][hidden]", state="attached")
    tab.wait_for_selector("[data-status]:not([hidden])")
    tab.wait_for_timeout(150)


def test_one_image(tab, address, xrays, encode):
    tab.goto(address)
    assert "not a medical device" in tab.inner_text(".skp-banner")
    assert tab.locator("[data-sample]").count() == 12
    content = encode(xrays.images[-2])
    tab.set_input_files(
        "[data-drop] [data-file]",
        {"name": "scan.png", "mimeType": "image/png", "buffer": content},
    )
    tab.wait_for_selector(".skp-headline")
    assert "The model predicts" in tab.inner_text(".skp-headline")
    assert tab.locator("svg.skp-scale [class=skp-threshold]").count() == 1
    tab.wait_for_selector("[data-heat]:not([disabled])")
    wait_for_picture(tab)
    with_heat = pixels(tab)
    tab.locator("[data-heat]").fill("0")
    tab.wait_for_timeout(150)
    plain = pixels(tab)
    assert (with_heat != plain).any()
    tab.click("[data-tool=invert]")
    tab.wait_for_timeout(150)
    assert pixels(tab).mean() != plain.mean()
    tab.locator("[data-viewer] canvas").press("i")
    tab.locator("[data-viewer] canvas").press("+")
    tab.wait_for_timeout(150)
    assert "zoom 1.3" in tab.inner_text("[data-status]") or "zoom 1.2" in tab.inner_text(
        "[data-status]"
    )
    tab.click("[data-tool=levels]")
    box = tab.locator("[data-viewer] canvas").bounding_box()
    tab.mouse.move(box["x"] + 100, box["y"] + 100)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 40, box["y"] + 160, steps=4)
    tab.mouse.up()
    tab.wait_for_timeout(150)
    assert "window 255" not in tab.inner_text("[data-status]")
    tab.click("[data-tool=reset]")
    tab.wait_for_timeout(150)
    np.testing.assert_array_equal(pixels(tab), plain)
    slider = tab.locator("[data-answer] input[type=range]")
    before = tab.inner_text(".skp-sure p")
    slider.fill("70")
    assert tab.inner_text(".skp-sure p") != before


def test_no_answer_for_what_is_no_xray(tab, address, xrays, encode):
    tab.goto(address)
    inverted = {"name": "x.png", "mimeType": "image/png", "buffer": encode(255 - xrays.images[0])}
    tab.set_input_files("[data-drop] [data-file]", inverted)
    tab.wait_for_selector(".skp-headline")
    assert "No answer" in tab.inner_text(".skp-headline")
    assert tab.locator(".skp-probability").count() == 0
    broken = {"name": "b.png", "mimeType": "image/png", "buffer": b"nothing"}
    tab.set_input_files("[data-result] [data-file]", broken)
    tab.wait_for_selector(".skp-error")
    assert "cannot be read" in tab.inner_text(".skp-headline")


def test_a_sample_is_one_click(tab, address):
    tab.goto(address)
    tab.click("[data-sample='7']")
    tab.wait_for_selector(".skp-headline")
    wait_for_picture(tab)


def test_many_images(tab, address, xrays, encode, tmp_path):
    tab.goto(f"{address}/images")
    tab.wait_for_selector("[data-rows] tr")
    tab.click("[data-clear]")
    rows = [*range(0, 12, 2), *range(250, 260, 2)]
    files = [
        {"name": f"s{row}.png", "mimeType": "image/png", "buffer": encode(xrays.images[row])}
        for row in rows
    ]
    table = "file;label\n" + "".join(f"s{row}.png;{xrays.target[row]}\n" for row in rows)
    files.append({"name": "labels.csv", "mimeType": "text/csv", "buffer": table.encode()})
    files.append({"name": "bad.png", "mimeType": "image/png", "buffer": b"nothing"})
    tab.set_input_files("[data-files] >> nth=0", files)
    tab.wait_for_selector("text=12 of 12 files: 11 predicted, 1 without an answer.")
    names = tab.locator("[data-rows] button").all_inner_texts()
    assert names[-1] == "bad.png"
    with tab.expect_download() as waiting:
        tab.click("[data-csv]")
    lines = waiting.value.path().read_text("utf-8").splitlines()
    assert lines[0].startswith("file,probability,predicted_label")
    by_file = {line.split(",")[0]: float(line.split(",")[1]) for line in lines[1:-1]}
    ordered = [by_file[name] for name in names[:-1]]
    assert ordered == sorted(ordered, reverse=True)
    tab.click("[data-filter=none]")
    assert tab.locator("[data-rows] button").all_inner_texts() == ["bad.png"]
    tab.click("[data-filter=all]")
    tab.click("[data-rows] button >> nth=0")
    tab.wait_for_selector("dialog[open] .skp-headline")
    wait_for_picture(tab)
    tab.click("[data-next]")
    assert tab.inner_text("[data-title]") == names[1]
    tab.keyboard.press("Escape")
    with tab.context.expect_page() as opening:
        tab.click("[data-report]")
    opening.value.wait_for_selector("text=Confusion matrix")
    opening.value.close()


def test_the_folder_of_the_server(tab, address):
    tab.goto(f"{address}/images")
    tab.wait_for_selector("[data-rows] tr >> nth=40")
    tab.wait_for_selector("text=61 of 61 files")
    tab.click("[data-rows] button >> nth=2")
    tab.wait_for_selector("dialog[open] .skp-headline")
    wait_for_picture(tab)


def test_the_reading_list_by_the_keyboard(serving, browser, model, folder_of):
    site = folder_of(26, random_state=12, broken=False)
    files = sorted(str(path) for path in site.rglob("*.png"))
    with serving(model, folder=site) as address:
        tab = browser.new_page()
        tab.set_default_timeout(60 * SECONDS)
        tab.goto(f"{address}/reading")
        tab.fill("#min-recall", "0.7")
        tab.fill("#confidence", "0.7")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("[data-who]:not([hidden])")
        tab.fill("#reader", "AB")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("[data-read]:not([hidden])")
        n_read, idle = 0, "[data-reading]:not([aria-busy])"
        while tab.locator("[data-read]:not([hidden])").count():
            wait_for_picture(tab)
            tab.wait_for_selector(idle)
            state = tab.evaluate("async () => (await fetch('/reading-list?reader=AB')).json()")
            if state["row"] is None:
                break
            if n_read == 3:
                # A slip, and back.
                tab.keyboard.press("p")
                tab.wait_for_selector("text=You have read 4.")
                # No key counts before the X-ray is shown.
                tab.wait_for_selector(idle)
                tab.keyboard.press("b")
                tab.wait_for_selector("text=You read this X-ray before")
                tab.wait_for_selector(idle)
            tab.keyboard.press("n" if "NORMAL" in files[state["row"]] else "p")
            n_read += 1
            progress = f"[data-reading]:has-text('You have read {n_read}.')"
            tab.wait_for_selector(f"{progress}, [data-result]:not([hidden])")
        tab.wait_for_selector("[data-result]:not([hidden])")
        text = tab.inner_text("[data-result]")
        tab.close()
    assert "The recall is certified" in text
    assert "What it costs" in text
    assert (site / "skpneumo-certified.skpneumo").exists()


def test_the_token_is_asked_for(serving, browser, model):
    with serving(model, host="127.0.0.1", token="a token of the tests") as address:
        tab = browser.new_page()
        tab.goto(address)
        assert tab.url.endswith("/login")
        tab.fill("#token", "wrong")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("text=This is not the token")
        tab.fill("#token", "a token of the tests")
        tab.keyboard.press("Enter")
        tab.wait_for_selector("[data-drop]")
        tab.context.clear_cookies()
        tab.goto(f"{address}/login#a%20token%20of%20the%20tests")
        tab.wait_for_selector("[data-drop]")
        assert json.loads(tab.evaluate("async () => (await fetch('/model')).text()"))["name"]
        tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(address, browser, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    ).Axe()
    tab = browser.new_page(color_scheme=scheme)
    found = []

    def look(name):
        violations = axe.run(tab).response["violations"]
        found.extend(
            (name, one["id"], one["impact"], one["nodes"][0]["html"]) for one in violations
        )

    tab.goto(address)
    look("start")
    tab.click("[data-sample='1']")
    tab.wait_for_selector(".skp-headline")
    wait_for_picture(tab)
    look("one image")
    tab.goto(f"{address}/images")
    tab.wait_for_selector("text=61 of 61 files")
    look("many images")
    tab.click("[data-rows] button >> nth=0")
    wait_for_picture(tab)
    look("dialog")
    tab.goto(f"{address}/reading")
    tab.wait_for_selector("[data-begin]:not([hidden])")
    look("reading list")
    tab.goto(f"{address}/login")
    look("token")
    tab.close()
    assert found == []
