"""Who may talk to the page: hosts, origins, tokens, and the headers of every response."""

import hashlib
import hmac
import logging
import secrets
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse

from skpneumo.serving._settings import is_address, is_loopback

LOG = logging.getLogger("skpneumo.serving")
COOKIE = "skpneumo-session"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Without the token: the page that takes it, how it looks, and whether the server runs.
_OPEN = ("/login", "/health")
_STATIC = "/static/"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# Reports bring their styles and pictures with them, and no script.
REPORT_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    # Not "no-referrer", with which browsers hide the origin of forms.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class TokenKeeper:
    """Compares tokens, and makes the cookie of those who know it.

    Parameters
    ----------
    token : str or None
        None lets everybody in.
    """

    def __init__(self, token):
        self._token = token
        # Other ones in every run, so that a cookie ends with the server.
        self.cookie = (
            token and hmac.new(secrets.token_bytes(32), token.encode(), "sha256").hexdigest()
        )

    @property
    def is_needed(self):
        """Whether a token is needed."""
        return self._token is not None

    def is_right(self, token):
        """Whether a token is the one, compared in constant time."""
        return _equal(token, self._token)

    def lets_in(self, headers):
        """Whether the headers of a request hold the token or the cookie."""
        if not self.is_needed:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.is_right(token.strip())
        # Not http.cookies, which drops all of them for one of another program that it dislikes.
        given = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        return given is not None and _equal(given, self.cookie)


def _equal(given, wanted):
    digests = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in (given, wanted)]
    return hmac.compare_digest(*digests)


class Guard:
    """ASGI middleware: refuses foreign hosts and origins and those without the token.

    Parameters
    ----------
    app : ASGI application
        It gets what is not refused.
    host : str
        Where the server listens.
    keeper : TokenKeeper
        The token.
    """

    def __init__(self, app, host, keeper):
        self.app, self.host, self.keeper = app, host, keeper

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no web sockets
        refusal = self._refuse(scope)
        if refusal is not None:
            LOG.warning("%s refused with %d", scope["method"], refusal.status_code)
        app = self.app if refusal is None else refusal
        await app(scope, receive, _with_headers(send, scope["path"]))

    def _refuse(self, scope):
        """The response to a request that is refused, or None."""
        headers, path = Headers(scope=scope), scope["path"]
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_known_host(hosts[0], self.host):
            text = "This address is not one of the server. Open the page by the address it printed."
            return JSONResponse({"detail": text}, 403)
        if not is_same_origin(scope["method"], headers):
            return JSONResponse({"detail": "Requests of other pages are refused."}, 403)
        is_open = path in _OPEN or path.startswith(_STATIC)
        if is_open or self.keeper.lets_in(headers):
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        text = "The token of the server is needed: Authorization: Bearer TOKEN."
        return JSONResponse({"detail": text}, 401, {"WWW-Authenticate": "Bearer"})


def is_known_host(value, listens_at):
    """Whether the header ``Host`` names this server.

    Names that others can point to this machine (DNS rebinding) are not known.

    Parameters
    ----------
    value : str
        Of the header.
    listens_at : str
        Where the server listens.

    Returns
    -------
    bool
    """
    try:
        host = urlsplit(f"//{value}").hostname
        urlsplit(f"//{value}").port  # noqa: B018 - raises if it is no number
    except ValueError:
        return False
    if not host or any(character in value for character in "/@?#\\ "):
        return False
    if is_loopback(host):
        return True
    if is_loopback(listens_at):
        return False
    names = {listens_at.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}
    return host in names or is_address(host)


def is_same_origin(method, headers):
    """Whether a request was made by this page, or by a program that is no browser.

    Parameters
    ----------
    method : str
        Of HTTP.
    headers : mapping
        Of the request.

    Returns
    -------
    bool
    """
    site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
    origin = headers.get("origin")
    if method in _SAFE_METHODS:
        # A link on another page may lead here; its scripts and pictures may not.
        is_link = mode == "navigate" and method == "GET"
        return site in (None, "same-origin", "none") or is_link
    if origin is not None:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    return site in (None, "same-origin", "none")


def _with_headers(send, path):
    async def send_with_headers(message):
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            lasting = "no-cache" if path.startswith(_STATIC) else "no-store"
            headers.setdefault("cache-control", lasting)
        await send(message)

    return send_with_headers
