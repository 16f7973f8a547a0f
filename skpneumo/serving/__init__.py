"""The reading page: a model in the browser, on one machine and with nothing from outside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from skpneumo._utils.optional import import_optional
from skpneumo.serving._settings import Limits, Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["Limits", "Settings", "create_app", "serve"]


def __dir__():
    return __all__


def create_app(model: Any, settings: Settings | None = None) -> FastAPI:
    """Create the ASGI application of the reading page.

    Parameters
    ----------
    model : classifier
        Fitted, with ``predict_proba``; it takes paths. `skpneumo.load_model` and
        `skpneumo.load_pretrained` return such models.
    settings : Settings, default=None
        Host, token, folder and limits. None serves this machine alone, without a folder.

    Returns
    -------
    fastapi.FastAPI

    Raises
    ------
    ImportError
        If the packages of ``skpneumo[serve]`` are not installed.
    ValueError
        If the model has no ``predict_proba``, or the settings contradict each other.
    """
    _check_extra()
    from skpneumo.serving._app import make_app

    return make_app(model, settings or Settings())


def serve(
    model: Any, settings: Settings | None = None, *, on_start: Callable[[], Any] | None = None
) -> None:
    """Serve the reading page until the process is interrupted.

    Parameters
    ----------
    model : classifier
        As for `create_app`.
    settings : Settings, default=None
        As for `create_app`.
    on_start : callable, default=None
        Called without arguments once the page can be opened.

    Raises
    ------
    OSError
        If the port cannot be used.
    """
    app = create_app(model, settings)
    from skpneumo.serving._server import run_server

    run_server(app, settings or Settings(), on_start)


def prepare(settings):
    """Check what can be checked before a model is loaded.

    Parameters
    ----------
    settings : Settings
        Host and port.

    Raises
    ------
    ImportError
        If the packages of ``skpneumo[serve]`` are not installed.
    OSError
        If the port cannot be used.
    """
    _check_extra()
    from skpneumo.serving._server import open_socket

    open_socket(settings).close()


def _check_extra():
    for module in ("fastapi", "python_multipart", "uvicorn"):
        import_optional(module, "serve")
