"""The JSON API: predictions, the model, pictures, and the check of a site."""

import asyncio
from functools import partial

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.concurrency import run_in_threadpool

from skpneumo.exceptions import ImageReadError
from skpneumo.serving import _schemas as schemas
from skpneumo.serving._answers import get_reason
from skpneumo.serving._folder import check_scored
from skpneumo.serving._pictures import draw_heatmap, draw_xray
from skpneumo.serving._uploads import as_path, read_uploads
from skpneumo.serving._words import ADVICE

router = APIRouter()
_MAX_ROWS = 1000
_PROBLEMS = {
    400: "The request is damaged.",
    401: "The token is missing.",
    403: "The host or the origin is foreign.",
    404: "There is no such thing.",
    408: "The request took too long to arrive.",
    409: "It is not the time for this.",
    413: "The request is too large.",
    422: "A value is not valid.",
    500: "An error of the server.",
    503: "Too many requests are waiting.",
}


def problems(*statuses):
    """Documentation of refusals, by status."""
    always = (401, 403, 500)
    return {
        status: {"model": schemas.Problem, "description": _PROBLEMS[status]}
        for status in sorted({*always, *statuses})
    }


def form_of(field, *, several):
    """Documentation of a form with files."""
    one = {"type": "string", "format": "binary"}
    files = {"type": "array", "items": one, "minItems": 1} if several else one
    schema = {"type": "object", "properties": {field: files}, "required": [field]}
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


_UPLOAD = problems(400, 408, 413, 422, 503)
_PNG = {200: {"content": {"image/png": {}}, "description": "A PNG file."}}


@router.get("/health", response_model=schemas.Health, responses=problems())
async def health(request: Request):
    """Whether the server can answer; no token is needed."""
    state = request.app.state.page
    status = "ready" if state.is_ready else "starting"
    return {"status": status, "n_waiting": state.session.n_waiting}


@router.get("/model", response_model=schemas.ModelFacts, responses=problems())
async def model(request: Request):
    """Return the model's name, thresholds, how they were chosen, and the scores at its home."""
    return request.app.state.page.facts


@router.post(
    "/predict",
    response_model=schemas.Predictions,
    responses=_UPLOAD,
    openapi_extra=form_of("files", several=True),
)
async def predict(request: Request, all_views: bool = False, label_outliers: bool = False):
    """Predict X-ray files (JPEG, PNG, TIFF, BMP, WebP, JPEG 2000, DICOM).

    The probabilities are those of ``predict_proba`` of the library for the same files, one by one.
    Files that cannot be predicted do not stop the others.
    """
    state = request.app.state.page
    uploads = await read_uploads(request, "files", state.settings.limits.max_files)
    options = {"all_views": all_views, "label_outliers": label_outliers}
    names = ("positive", "threshold", "rule_in_threshold")
    return {
        "predictions": await state.predict_uploads(uploads, **options),
        **{name: state.facts[name] for name in names},
    }


@router.post(
    "/picture",
    response_class=Response,
    responses=_UPLOAD | _PNG,
    openapi_extra=form_of("file", several=False),
)
async def picture(request: Request):
    """Return an X-ray as a grey PNG file of at most 2048 pixels on a side."""
    (upload,) = await read_uploads(request, "file", 1)
    async with request.app.state.decoding:
        return await as_png(run_in_threadpool(draw_xray, upload.content))


@router.post(
    "/heatmap",
    response_class=Response,
    responses=_UPLOAD | _PNG,
    openapi_extra=form_of("file", several=False),
)
async def heatmap(request: Request):
    """Return the evidence for pneumonia in an X-ray as a transparent PNG file."""
    state = request.app.state.page
    (upload,) = await read_uploads(request, "file", 1)
    _check_has_heatmaps(state)
    return await as_png(state.session.run(_draw_heatmap_of, upload.content, state.scratch))


@router.post(
    "/check-site",
    response_model=schemas.SiteCheckResult,
    responses=problems(400, 408, 413, 422, 503),
)
async def check_site(request: Request, scored: schemas.ScoredImages):
    """Check, without labels, whether scores are those that the model was made with."""
    state = request.app.state.page
    try:
        check = await state.session.run(check_scored, scored.images)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    return describe_check(check)


def describe_check(check):
    """A check of a site as the API returns it."""
    bars = {name: check.histogram[name] for name in ("edges", "site", "negative", "positive")}
    return {
        **{name: getattr(check, name) for name in ("shift", "headline", "meaning")},
        "advice": ADVICE[check.shift],
        "summary": check.summarize(),
        "rows": check.get_rows(),
        **bars,
    }


async def as_png(drawing):
    """Response with a picture, once it is drawn."""
    try:
        content = await drawing
    except ImageReadError as error:
        raise HTTPException(422, get_reason(error, "<bytes in memory>")) from None
    return Response(content, media_type="image/png")


def _check_has_heatmaps(state):
    if not state.facts["has_heatmaps"]:
        raise HTTPException(422, "This model has no single network whose evidence can be drawn.")


def _draw_heatmap_of(model, content, scratch):
    with as_path(content, scratch) as path:
        try:
            return draw_heatmap(model, path)
        except ImageReadError as error:
            raise ImageReadError(get_reason(error, path)) from None


def _row(scan, row):
    if not 0 <= row < len(scan.files):
        raise HTTPException(404, f"The folder has {len(scan.files)} files.")
    return scan.files[row]


@router.get("/folder", response_model=schemas.FolderProgress, responses=problems(404, 422))
async def folder(request: Request, since: int = 0):
    """Return predictions of the files of the folder, up to 1,000 from the row ``since`` on."""
    state = request.app.state.page
    scan = state.require_scan(done=False)
    start = min(max(since, 0), len(scan.answers))
    rows = range(start, min(start + _MAX_ROWS, len(scan.answers)))
    return {
        "n_files": len(scan.files),
        "n_done": len(scan.answers),
        "rows": [
            {
                "row": row,
                "path": scan.get_relative_path(row),
                "label": scan.get_label(row),
                "prediction": state.describe(scan.answers[row]),
            }
            for row in rows
        ],
        "site_check": scan.site_check and describe_check(scan.site_check),
        "site_note": scan.site_note,
    }


@router.get(
    "/folder/{row}/picture",
    response_class=Response,
    responses=problems(404, 422) | _PNG,
)
async def folder_picture(request: Request, row: int):
    """Return an X-ray of the folder as a grey PNG file."""
    file = _row(request.app.state.page.require_scan(done=False), row)
    async with request.app.state.decoding:
        return await as_png(_without_path(run_in_threadpool(draw_xray, file), file))


@router.get(
    "/folder/{row}/heatmap",
    response_class=Response,
    responses=problems(404, 422, 503) | _PNG,
)
async def folder_heatmap(request: Request, row: int):
    """Return the evidence for pneumonia in an X-ray of the folder."""
    state = request.app.state.page
    file = _row(state.require_scan(done=False), row)
    _check_has_heatmaps(state)
    return await as_png(_without_path(state.session.run(draw_heatmap, file), file))


async def _without_path(drawing, path):
    try:
        return await drawing
    except ImageReadError as error:
        raise ImageReadError(get_reason(error, path)) from None


make_decoding_limit = partial(asyncio.Semaphore, 2)
