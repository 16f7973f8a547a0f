"""The application: routes, errors as JSON, and what starts and ends with the server."""

import asyncio
import contextlib
import logging
import tempfile
import traceback
import warnings
from contextlib import asynccontextmanager

import numpy as np
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from PIL import Image
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.staticfiles import StaticFiles

import skpneumo
from skpneumo.exceptions import OutlierWarning
from skpneumo.images import READ_WARNINGS
from skpneumo.serving import _api, _pages, _reading_api
from skpneumo.serving._answers import answer_file
from skpneumo.serving._limits import BodyLimits
from skpneumo.serving._security import Guard
from skpneumo.serving._session import BusyError
from skpneumo.serving._state import PageState
from skpneumo.serving._words import NOTICE

LOG = logging.getLogger("skpneumo.serving")


def make_app(model, settings):
    """Create the application.

    Parameters
    ----------
    model : classifier
        Fitted, with ``predict_proba``.
    settings : Settings
        Host, token, folder and limits.

    Returns
    -------
    fastapi.FastAPI
    """
    app = FastAPI(
        title="skpneumo",
        version=skpneumo.__version__,
        description=f"Pneumonia in children's chest X-rays. {NOTICE}",
        lifespan=_lifespan,
        # Their pages load scripts from other addresses.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    state = app.state.page = PageState(model, settings)
    app.state.decoding = _api.make_decoding_limit()
    for module in (_api, _reading_api, _pages):
        app.include_router(module.router)
    # Now, not at the first request: FastAPI sets filters of warnings while it builds this. They are
    # those of the process, in which the thread of the model reads warnings about files.
    app.openapi()
    app.mount("/static", StaticFiles(directory=_pages.STATIC))
    app.add_exception_handler(BusyError, _describe_busy)
    app.add_exception_handler(RequestValidationError, _describe_invalid)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimits, limits=settings.limits)
    app.add_middleware(CatchErrors)
    app.add_middleware(Guard, host=settings.host, keeper=state.keeper)
    return app


@asynccontextmanager
async def _lifespan(app):
    state = app.state.page
    with (
        tempfile.TemporaryDirectory(prefix="skpneumo-") as state.scratch,
        warnings.catch_warnings(),
    ):
        for category in (OutlierWarning, *READ_WARNINGS):
            # They name files, and would be printed. Answers report them.
            warnings.simplefilter("ignore", category)
        work = asyncio.create_task(_work(state))
        try:
            yield
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            state.session.close()
            if state.reading_list is not None:
                state.reading_list.records.close()


async def _work(state):
    """Prepare the model, then predict the folder."""
    try:
        await state.session.run_when_free(_warm_up, state.scratch)
        state.is_ready = True
        if state.scan is not None:
            await state.scan.run()
    except Exception as error:
        LOG.error("%s", describe_failure(error))


def _warm_up(model, scratch):
    # The first prediction traces the network.
    path = f"{scratch}/first.png"
    Image.fromarray(np.zeros((64, 56), np.uint8)).save(path)
    answer_file(model, path, "first.png", label_outliers=True)


async def _describe_busy(request, error):
    return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "5"})


async def _describe_invalid(request, error):
    # Without the values, which FastAPI would send back.
    texts = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return JSONResponse({"detail": "; ".join(texts[:5])}, 422)


class CatchErrors:
    """ASGI middleware: errors of the server without their texts, which may quote a file.

    Parameters
    ----------
    app : ASGI application
        It may raise.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        has_started = False

        async def note_start(message):
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except ClientDisconnect:
            LOG.info("A client left before its request was complete")
        except Exception as error:
            LOG.error("%s", describe_failure(error))
            if scope["type"] != "http" or has_started:
                raise RuntimeError("An error of the server, logged before.") from None
            text = "The server made an error, which it has logged. The page goes on."
            await JSONResponse({"detail": text}, 500)(scope, receive, send)


def describe_failure(error):
    """Describe an unexpected error for the log: its kind and its place, but not its text."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {places}"
