"""Who is let in, what is refused, and that the page goes on."""

import numpy as np
import pytest

from skpneumo.serving import Limits, Settings
from skpneumo.serving._security import TokenKeeper, is_known_host, is_same_origin

TOKEN = "a token of the tests"


@pytest.mark.parametrize(
    ("host", "listens_at", "is_known"),
    [
        ("localhost:8000", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.9.9.9:1", "localhost", True),
        ("[::1]:8000", "127.0.0.1", True),
        ("evil.example", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
        ("192.168.1.7:8000", "127.0.0.1", False),
        ("192.168.1.7:8000", "0.0.0.0", True),
        ("evil.example:8000", "0.0.0.0", False),
        ("xray.clinic", "xray.clinic", True),
        ("localhost:8000@evil.example", "127.0.0.1", False),
        ("evil.example/localhost", "127.0.0.1", False),
        ("localhost:port", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_names_that_others_can_point_here_are_foreign(host, listens_at, is_known):
    assert is_known_host(host, listens_at) == is_known


@pytest.mark.parametrize(
    ("method", "headers", "is_same"),
    [
        ("POST", {"host": "localhost:8000", "origin": "http://localhost:8000"}, True),
        ("POST", {"host": "localhost:8000"}, True),
        ("POST", {"host": "localhost:8000", "origin": "http://localhost:9000"}, False),
        ("POST", {"host": "localhost:8000", "origin": "https://evil.example"}, False),
        ("POST", {"host": "localhost:8000", "origin": "null"}, False),
        ("POST", {"host": "localhost:8000", "sec-fetch-site": "cross-site"}, False),
        ("GET", {"host": "localhost:8000", "sec-fetch-site": "cross-site"}, False),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ("GET", {"host": "localhost:8000"}, True),
    ],
)
def test_other_pages_are_foreign(method, headers, is_same):
    assert is_same_origin(method, headers) == is_same


def test_foreign_requests_are_refused_and_logged_without_content(page, xrays, encode, caplog):
    files = {"files": ("Secret.png", encode(xrays.images[0]))}
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
        response = page.post("/predict?name=Secret", files=files, headers=headers)
        assert response.status_code == 403
        assert "content-security-policy" in response.headers
    assert "POST refused with 403" in caplog.text
    assert "Secret" not in caplog.text
    assert page.post("/predict", files=files).status_code == 200


def test_every_response_has_the_headers(page):
    for path in ("/", "/images", "/reading", "/model", "/static/one.js", "/nowhere"):
        headers = page.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert ("no-store" in headers["cache-control"]) == (not path.startswith("/static"))


@pytest.mark.parametrize("path", ["/", "/images", "/reading", "/login"])
def test_pages_hold_nothing_that_the_policy_forbids(page, path):
    html = page.get(path).text
    assert "<style" not in html
    assert "style=" not in html
    assert " onclick" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert "not a medical device" in html
    for script in html.split("<script")[1:]:
        assert 'src="/static/' in script.split(">")[0]
        assert script.split(">")[1].startswith("</script")


def test_another_host_requires_a_token(open_page):
    assert Settings().token is None
    assert Settings(host="localhost").token is None
    assert len(Settings(host="0.0.0.0").token) >= 32
    assert Settings(host="0.0.0.0").token != Settings(host="0.0.0.0").token
    with pytest.raises(ValueError, match="can be guessed"):
        Settings(host="0.0.0.0", token="short")
    with open_page(host="0.0.0.0", token=TOKEN) as page:
        for path in ("/model", "/predict", "/openapi.json", "/samples/0", "/folder"):
            refused = page.get(path)
            assert refused.status_code == 401
            assert "WWW-Authenticate" in refused.headers
        assert page.get("/health").status_code == 200
        assert page.get("/static/skpneumo.css").status_code == 200
        by_page = page.get("/", headers={"accept": "text/html"})
        assert (by_page.status_code, by_page.headers["location"]) == (303, "/login")
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert page.get("/model", headers=bearer).status_code == 200
        for wrong in ("Bearer", "Bearer x", f"Basic {TOKEN}", "Bearer é"):
            headers = {"authorization": wrong.encode("latin-1")}
            assert page.get("/model", headers=headers).status_code == 401


def test_the_login_gives_a_cookie_that_is_not_the_token(open_page):
    with open_page(host="0.0.0.0", token=TOKEN) as page:
        wrong = page.post("/login", data={"token": "guess"})
        assert wrong.status_code == 401
        assert "not the token" in wrong.text
        right = page.post("/login", data={"token": f" {TOKEN} "})
        assert right.status_code == 303
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert page.get("/model").status_code == 200
        page.cookies.set("skpneumo-session", "0" * 64)
    assert TokenKeeper(TOKEN).cookie != TokenKeeper(TOKEN).cookie


def test_uploads_are_bounded(open_page, xrays, encode):
    image = encode(xrays.images[0])
    limits = Limits(max_bytes=20_000, max_files=3, max_bytes_held=30_000)
    with open_page(limits=limits) as page:

        def status(files, **options):
            return page.post("/predict", files=files, **options).status_code

        assert status([("files", ("a.png", image))] * 3) == 200
        assert status([("files", ("a.png", image))] * 4) == 413
        assert status([("files", ("a.png", b"\0" * 40_000))]) == 413
        assert status([("files", ("a.png", b""))] * 10_000) == 413
        assert status([("other", ("a.png", image))]) == 400
        assert page.post("/predict", content=b"abc").status_code == 400
        for broken in (b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nabc"):
            headers = {"content-type": "multipart/form-data; boundary=x"}
            response = page.post("/predict", content=broken, headers=headers)
            assert response.status_code == 400
        headers = {"content-type": "multipart/form-data"}
        assert page.post("/predict", content=b"x", headers=headers).status_code == 400
        assert page.post("/check-site", content=b"[" * 30_000).status_code in (413, 422)
        assert status([("files", ("a.png", image))]) == 200
        held = page.app.state.page
        assert held.session.n_waiting == 0


def test_bombs_are_refused(page, encode):
    bomb = encode(np.zeros((9_000, 9_000), np.uint8))
    assert len(bomb) < 200_000
    found = page.post("/predict", files={"files": ("bomb.png", bomb)}).json()["predictions"][0]
    assert found["outcome"] == "unreadable"
    assert "more than the limit" in found["reason"]


def test_hard_files_are_answered(page, xray_data):
    """Odd, broken and hostile files of public collections: each has a prediction or a reason."""
    files = sorted(path for path in (xray_data / "hard_files").rglob("*") if path.is_file())
    files = [path for path in files if path.stat().st_size < 300_000][::5]
    if not files:
        pytest.skip("there are no hard files beside the real X-rays")
    for path in files:
        response = page.post("/predict", files={"files": (path.name, path.read_bytes())})
        assert response.status_code == 200
        found = response.json()["predictions"][0]
        assert (found["probability"] is None) == bool(found["reason"])
        assert str(path.parent) not in response.text
    assert page.get("/health").json()["n_waiting"] == 0


def test_damaged_files_are_answered(page, xrays, encode):
    rng = np.random.default_rng(0)
    contents = [encode(xrays.images[0]), encode(xrays.images[-1], "JPEG")]
    files = []
    for number in range(60):
        content = bytearray(contents[number % 2])
        for place in rng.integers(0, len(content), 1 + number // 6):
            content[place] = rng.integers(0, 256)
        files.append(("files", (f"{number}.png", bytes(content[: rng.integers(1, len(content))]))))
    response = page.post("/predict", files=files)
    assert response.status_code == 200
    for found in response.json()["predictions"]:
        assert (found["probability"] is None) == bool(found["reason"])


def test_a_full_queue_is_a_clear_refusal(open_page, xrays, encode):
    with open_page(limits=Limits(max_waiting=0)) as page:
        response = page.post("/predict", files={"files": ("a.png", encode(xrays.images[0]))})
        assert response.status_code == 503
        assert response.headers["retry-after"] == "5"
        assert "waiting for the model" in response.json()["detail"]


def test_errors_of_the_server_quote_nothing(page, xrays, encode, monkeypatch, caplog):
    from skpneumo.serving import _state

    def fail(*args, **kwargs):
        raise RuntimeError("Secret^Sally")

    monkeypatch.setattr(_state, "answer_file", fail)
    files = {"files": ("a.png", encode(xrays.images[0]))}
    response = page.post("/predict", files=files)
    assert response.status_code == 500
    assert "Secret" not in response.text + caplog.text
    assert "RuntimeError at" in caplog.text
    monkeypatch.undo()
    assert page.post("/predict", files=files).status_code == 200
