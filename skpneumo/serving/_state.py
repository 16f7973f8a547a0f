"""What the routes of the page share."""

import asyncio
from dataclasses import asdict

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool

from skpneumo.serving._answers import answer_file
from skpneumo.serving._folder import FolderScan, find_pool
from skpneumo.serving._model_facts import collect_facts, find_reference
from skpneumo.serving._reading_list import (
    begin_reading_list,
    describe_result,
    open_reading_list,
)
from skpneumo.serving._schemas import Prediction
from skpneumo.serving._security import TokenKeeper
from skpneumo.serving._session import ModelSession
from skpneumo.serving._uploads import as_path
from skpneumo.serving._words import write_headline, write_sentences


class PageState:
    """The model, its facts, and what is done in the background.

    Parameters
    ----------
    model : classifier
        Fitted.
    settings : Settings
        Host, token, folder and limits.

    Attributes
    ----------
    scratch : str
        Folder for names of uploads, while the server runs.
    is_ready : bool
        Whether the model has predicted once.
    pool : list of str or None
        The X-rays of the folder that the reading list is for, once they are found.
    reading_lock : asyncio.Lock
        Held while the reading list is opened or begun.
    """

    def __init__(self, model, settings):
        self.settings = settings
        self.facts = collect_facts(model)
        self.reference = find_reference(model)
        self.session = ModelSession(model, settings.limits.max_waiting)
        self.keeper = TokenKeeper(settings.token)
        self.scan = None
        if settings.folder is not None:
            self.scan = FolderScan(settings.folder, self.session, self.facts["classes"])
        self.scratch = None
        self.is_ready = False
        self.pool, self.reading_list, self.reading_result = None, None, None
        self.reading_lock = asyncio.Lock()

    def describe(self, answer):
        """A prediction as the API returns it."""
        return Prediction(
            **asdict(answer),
            headline=write_headline(answer, self.facts),
            sentences=write_sentences(answer, self.facts, self.reference),
        )

    async def predict_uploads(self, uploads, **options):
        """Predictions of files that were sent, in their order."""
        answers, run = [], self.session.run
        for upload in uploads:
            answers.append(await run(_answer_upload, upload, self.scratch, options))
            # A request that has begun is not refused any more.
            run = self.session.run_when_free
        return [self.describe(answer) for answer in answers]

    def require_scan(self, *, done=True):
        """The scan of the folder; an error without a folder, or before it is done."""
        if self.scan is None:
            raise HTTPException(404, "The server was started without --folder.")
        if done and not self.scan.is_done:
            text = f"{len(self.scan.answers)} of {len(self.scan.files)} files are predicted so far."
            raise HTTPException(409, f"{text} Wait until all are.")
        return self.scan

    async def open_reading_list(self):
        """The reading list of the folder, or None if it has not begun."""
        scan = self.require_scan(done=False)
        async with self.reading_lock:
            if self.pool is None:
                self.pool = await run_in_threadpool(find_pool, scan.folder)
            if self.reading_list is None:
                self.reading_list = await self.session.run(
                    open_reading_list, scan.folder, self.pool
                )
        return self.reading_list

    async def begin_reading_list(self, start):
        """Begin the reading list of the folder."""
        if await self.open_reading_list() is not None:
            raise ValueError("The reading list of this folder has begun already. Go on with it.")
        async with self.reading_lock:
            self.reading_list = await self.session.run(
                _begin, self.scan.folder, self.pool, start.model_dump()
            )

    async def get_reading_result(self):
        """What the finished reading list certifies; its model is written once."""
        async with self.reading_lock:
            if self.reading_result is None:
                self.reading_result = await self.session.run(
                    _describe_result, self.reading_list.certifier, self.scan.folder
                )
        return self.reading_result


def _answer_upload(model, upload, scratch, options):
    with as_path(upload.content, scratch) as path:
        return answer_file(model, path, upload.name, **options)


def _begin(model, folder, files, start):
    return begin_reading_list(model, folder, files, **start)


def _describe_result(model, certifier, folder):
    return describe_result(certifier, folder)
