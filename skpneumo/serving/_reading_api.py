"""The JSON API of the reading list. It returns neither scores nor names of files."""

from fastapi import APIRouter, HTTPException, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from skpneumo.serving import _schemas as schemas
from skpneumo.serving._api import as_png, problems
from skpneumo.serving._pictures import draw_xray
from skpneumo.serving._reading_list import RecordedReading

router = APIRouter(prefix="/reading-list")
_STATUSES = problems(400, 404, 408, 409, 413, 422, 503)


@router.get("", response_model=schemas.ReadingState, responses=_STATUSES)
async def get_state(
    request: Request,
    reader: str = Query("", max_length=40),
    is_third: bool = False,
    back: int | None = Query(None, ge=0),
):
    """Return where the reading list stands for a reader, and the image to be read next.

    With ``back`` it is the image that this reader read before the row ``back``.
    """
    state = request.app.state.page
    reading_list = await _opened(state)
    if reading_list is None:
        return {"is_begun": False, "n_images": len(state.pool)}
    return await _describe(state, reading_list, _normalize(reader), is_third, back)


@router.post("", response_model=schemas.ReadingState, responses=_STATUSES)
async def begin(request: Request, start: schemas.ReadingStart):
    """Begin the reading list of the folder."""
    state = request.app.state.page
    try:
        await state.begin_reading_list(start)
    except (ValueError, OSError) as error:
        raise HTTPException(409, str(error)) from None
    return await _describe(state, state.reading_list, "", False, None)


@router.post("/readings", response_model=schemas.ReadingState, responses=_STATUSES)
async def record(request: Request, reading: schemas.Reading):
    """Record what a reader sees; it is on the disk when this returns."""
    state = request.app.state.page
    reading_list = await _opened(state)
    if reading_list is None:
        raise HTTPException(409, "The reading list has not begun.")
    reader = _normalize(reading.reader)
    recorded = RecordedReading(reader, reading.row, reading.label, reading.is_third)
    async with state.reading_lock:
        try:
            await run_in_threadpool(reading_list.record, recorded)
        except ValueError as error:
            raise HTTPException(409, str(error)) from None
    return await _describe(state, reading_list, reader, reading.is_third, None)


@router.get(
    "/{row}/picture",
    response_class=Response,
    responses=_STATUSES | {200: {"content": {"image/png": {}}, "description": "A PNG file."}},
)
async def picture(request: Request, row: int):
    """Return an X-ray of the reading list, without its score and its name."""
    state = request.app.state.page
    reading_list = await _opened(state)
    if reading_list is None or not (row in reading_list.window or row in reading_list.images):
        raise HTTPException(404, "The reading list does not want this image.")
    async with request.app.state.decoding:
        return await as_png(run_in_threadpool(draw_xray, state.pool[row]))


def _normalize(reader):
    """One name for one reader: phones write the first letter of "ab" as a capital."""
    return " ".join(reader.split()).upper()


async def _opened(state):
    try:
        return await state.open_reading_list()
    except (ValueError, OSError) as error:
        raise HTTPException(409, str(error)) from None


async def _describe(state, reading_list, reader, is_third, back):
    certifier = reading_list.certifier
    finished = certifier.finished_
    row = _find_row(reading_list, reader, is_third, back)
    known = {
        "is_begun": True,
        "n_images": len(certifier.pool_.scores),
        "min_recall": certifier.min_recall,
        "confidence": certifier.confidence,
        "n_readers": reading_list.n_readers,
        "readers": reading_list.readers,
        "plan": certifier.plan_,
        "n_read_by_me": len(reading_list.list_read(reader)),
        "n_labelled": certifier.n_labelled_,
        "n_remaining": await run_in_threadpool(getattr, certifier, "n_remaining_"),
        "n_disagreements": len(reading_list.list_disagreements()),
        "row": row,
        "label": None if is_third else reading_list.history.get(reader, {}).get(row),
    }
    if finished:
        return known | {"result": await state.get_reading_result()}
    if row is None and reader:
        known["waiting_for"] = _explain_wait(reading_list, is_third)
    return known


def _find_row(reading_list, reader, is_third, back):
    if not reader or reading_list.certifier.finished_:
        return None
    if back is None or is_third:
        return reading_list.get_next(reader, is_third=is_third)
    rows = reading_list.list_read(reader)
    end = rows.index(back) if back in rows else len(rows)
    return rows[max(end - 1, 0)] if rows else None


def _explain_wait(reading_list, is_third):
    if is_third:
        return "There is no image on which the readers disagree."
    if reading_list.list_disagreements():
        return "A third reader has to decide where the readers disagree."
    return "The next images wait for the other reader."
