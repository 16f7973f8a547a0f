"""The web server: uvicorn, with a bound on the time for the head of a request."""

import logging
import os
import socket

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

_HEAD_SECONDS = 15
_KEEP_ALIVE_SECONDS = 20
_MAX_CONNECTIONS = 512


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 that closes connections whose requests do not begin in time."""

    _head_timer = None

    def connection_made(self, transport):
        """Start the clock."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data):
        """Stop the clock once a request has its head, and start it for the next one."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait_for_head()
        else:
            self._stop_waiting()

    def connection_lost(self, exc):
        """Stop the clock."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self):
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _stop_waiting(self):
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self):
        self._head_timer = None
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()


class _Server(uvicorn.Server):
    def __init__(self, config, on_start):
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets=None):
        await super().startup(sockets)
        if self.started and self._on_start is not None:
            self._on_start()


def open_socket(settings):
    """Open the port.

    Parameters
    ----------
    settings : Settings
        Host and port.

    Returns
    -------
    socket.socket

    Raises
    ------
    OSError
        If it cannot be used.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family)
    try:
        if os.name == "posix":
            # A server that ended just now still holds its port.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((settings.host, settings.port))
    except OSError as error:
        opened.close()
        cause = (error.strerror or str(error)).lower()
        raise OSError(
            f"Cannot listen at {settings.host}, port {settings.port}: {cause}. Choose another port "
            "with --port."
        ) from None
    return opened


def run_server(app, settings, on_start):
    """Serve an application until the process is interrupted.

    Parameters
    ----------
    app : ASGI application
        Of `make_app`.
    settings : Settings
        Host and port.
    on_start : callable or None
        Called once the port is open.

    Raises
    ------
    OSError
        If the port cannot be used.
    """
    # It logs characters of damaged forms.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        # Paths and addresses of requests are not logged.
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        proxy_headers=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=2**15,
    )
    _Server(config, on_start).run(sockets=[open_socket(settings)])
