"""The reading page: a model in the browser, on one machine and with nothing from outside it."""

from skpneumo.serving._settings import Limits, Settings

__all__ = ["Limits", "Settings", "create_app", "serve"]


def create_app(model, settings=None):
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


def serve(model, settings=None, *, on_start=None):
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
    try:
        import fastapi  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"The reading page needs {error.name}, which is not installed. Install the extra "
            "packages with: pip install 'skpneumo[serve]'"
        ) from None
