"""Bounds on the bodies of requests: in size, in time, and of all together."""

import asyncio
import time

from fastapi import HTTPException


class BodyLimits:
    """ASGI middleware that stops reading a request that is too large or too slow.

    Parameters
    ----------
    app : ASGI application
        It reads the bodies.
    limits : Limits
        The bounds.

    Attributes
    ----------
    n_held : int
        Bytes of the requests that are being answered.
    """

    def __init__(self, app, limits):
        self.app, self.limits = app, limits
        self.n_held = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(self, receive)
        try:
            await self.app(scope, body.receive, send)
        finally:
            self.n_held -= body.n_bytes


class _Body:
    """The body of one request."""

    def __init__(self, owner, receive):
        self.owner, self._receive = owner, receive
        self.n_bytes = 0
        self._is_complete = False
        self._deadline = time.monotonic() + owner.limits.seconds

    async def receive(self):
        if self._is_complete:
            # What comes now is the end of the connection, for which a stream may wait for long.
            return await self._receive()
        limits = self.owner.limits
        left = min(self._deadline - time.monotonic(), limits.seconds_idle)
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0))
        except TimeoutError:
            raise HTTPException(408, "The request took too long to arrive.") from None
        self._is_complete = not message.get("more_body", False)
        n_bytes = len(message.get("body", b""))
        self.n_bytes += n_bytes
        self.owner.n_held += n_bytes
        if self.n_bytes > limits.max_bytes:
            megabytes = limits.max_bytes / 2**20
            raise HTTPException(413, f"A request may have {megabytes:g} MiB. Send smaller files.")
        if self.owner.n_held > limits.max_bytes_held:
            raise HTTPException(
                503,
                "Too much is being sent at once. Try again in a few seconds.",
                {"Retry-After": "5"},
            )
        return message
