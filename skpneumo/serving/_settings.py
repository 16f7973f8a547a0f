"""Where the reading page is served, to whom, and how much it accepts."""

import ipaddress
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

MIN_TOKEN = 16
_LOCAL_NAMES = ("localhost", "ip6-localhost")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on requests.

    Parameters
    ----------
    max_bytes : int, default=128 MiB
        Bytes of one request.
    max_files : int, default=100
        Files of one request.
    max_bytes_held : int, default=512 MiB
        Bytes of all requests at a time.
    max_waiting : int, default=64
        Requests that wait for the model, beyond which one is refused with status 503.
    seconds : float, default=120
        Within which a request has to arrive as a whole.
    seconds_idle : float, default=20
        Within which the next bytes of a request have to arrive.
    """

    max_bytes: int = 2**27
    max_files: int = 100
    max_bytes_held: int = 2**29
    max_waiting: int = 64
    seconds: float = 120.0
    seconds_idle: float = 20.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Where the reading page is served, to whom, and how much it accepts.

    Parameters
    ----------
    host : str, default="127.0.0.1"
        Address to listen at. Any but one of this machine alone requires a token.
    port : int, default=8000
        Port to listen at.
    folder : path, default=None
        X-rays of a site, for the list of its images, the check of the site and the reading list.
        What readers record, and the model for the site, are written into it; without a folder
        nothing is written.
    token : str, default=None
        What users type to be let in, at least 16 characters. None makes one if `host` requires it.
    limits : Limits, default=Limits()
        Bounds on requests.

    Raises
    ------
    ValueError
        If the token is too short, or there is no such folder.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    folder: Path | None = None
    # Not to be printed with the others.
    token: str | None = field(default=None, repr=False)
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self):
        if self.folder is not None and not os.path.isdir(self.folder):
            raise ValueError(f"{self.folder}: there is no such folder. Check the name.")
        if self.token is None and not is_loopback(self.host):
            object.__setattr__(self, "token", secrets.token_urlsafe(24))
        if self.token is not None and len(self.token) < MIN_TOKEN:
            raise ValueError(
                f"A token of {len(self.token)} characters can be guessed. Use one of at least "
                f"{MIN_TOKEN}, or none, so that one is made."
            )


def is_loopback(host):
    """Whether a host is reached from its own machine alone.

    Parameters
    ----------
    host : str
        A name, or an address without brackets.

    Returns
    -------
    bool
    """
    return host.lower() in _LOCAL_NAMES or is_address(host, loopback=True)


def is_address(host, *, loopback=False):
    """Whether a host is an IP address, and with ``loopback`` one of this machine alone."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or not loopback
