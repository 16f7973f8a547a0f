"""The HTML pages, and what they are made of."""

import json
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from pydantic import ValidationError
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse

import skpneumo
from skpneumo._reporting.pages import render_page
from skpneumo.datasets import load_sample_xrays
from skpneumo.serving._reports import evaluate_folder, evaluate_scored
from skpneumo.serving._schemas import ScoredImages
from skpneumo.serving._security import COOKIE, REPORT_POLICY
from skpneumo.serving._words import NOTICE

router = APIRouter(include_in_schema=False)
STATIC = Path(__file__).parent / "static"
_Token = Annotated[str, Form(max_length=1000)]
_Table = Annotated[str, Form(max_length=2**26)]
_BASE_STYLES = Path(skpneumo.__file__).parent / "_reporting" / "base.css"


def render(request, template, **context):
    """Response with a page."""
    state = request.app.state.page
    html = render_page(
        "skpneumo.serving",
        f"templates/{template}",
        embedded=False,
        version=skpneumo.__version__,
        notice=NOTICE,
        facts=state.facts,
        has_folder=state.scan is not None,
        path=request.url.path,
        **context,
    )
    return HTMLResponse(html)


@router.get("/")
async def one_image(request: Request):
    """The page for one image."""
    samples = load_sample_xrays()
    return render(request, "one.html.jinja", n_samples=len(samples.paths), labels=samples.target)


@router.get("/images")
async def many_images(request: Request):
    """The page for many images."""
    limits = request.app.state.page.settings.limits
    return render(request, "many.html.jinja", max_bytes=limits.max_bytes)


@router.get("/reading")
async def reading_list(request: Request):
    """The page of the reading list."""
    return render(request, "reading.html.jinja")


@router.get("/login")
async def login(request: Request):
    """The page that takes the token."""
    return render(request, "login.html.jinja", is_wrong=False)


@router.post("/login")
async def take_token(request: Request, token: _Token = ""):
    """Let those in who know the token."""
    keeper = request.app.state.page.keeper
    if not keeper.is_needed:
        return RedirectResponse("/", 303)
    if not keeper.is_right(token.strip()):
        response = render(request, "login.html.jinja", is_wrong=True)
        response.status_code = 401
        return response
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE,
        keeper.cookie,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.get("/samples/{number}")
async def sample(number: int):
    """One of the sample X-rays."""
    paths = load_sample_xrays().paths
    if not 0 <= number < len(paths):
        raise HTTPException(404, f"There are {len(paths)} samples.")
    return FileResponse(paths[number], media_type="image/jpeg")


@router.get("/static/base.css")
async def base_styles():
    """The styles that pages share with reports."""
    return FileResponse(_BASE_STYLES, media_type="text/css")


@router.post("/report")
async def report(request: Request, images: _Table):
    """The evaluation report of X-rays that were predicted before, by their labels."""
    state = request.app.state.page
    try:
        scored = ScoredImages.model_validate_json(images)
    except ValidationError:
        raise HTTPException(422, "The predictions are damaged. Load the page again.") from None
    return await _as_report(state.session.run(evaluate_scored, scored.images, state.facts))


@router.post("/folder/report")
async def folder_report(request: Request, labels: _Table = "{}"):
    """The evaluation report of the folder, by the names of its folders or other labels."""
    state = request.app.state.page
    scan = state.require_scan()
    try:
        by_row = {int(row): str(label) for row, label in json.loads(labels).items()}
    except (AttributeError, RecursionError, ValueError):
        raise HTTPException(422, "The labels are damaged. Load the page again.") from None
    return await _as_report(state.session.run(evaluate_folder, scan, by_row))


async def _as_report(making):
    try:
        html = await making
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    headers = {"content-security-policy": REPORT_POLICY}
    return HTMLResponse(html, headers=headers)


@router.get("/favicon.ico")
async def icon():
    """No icon."""
    return Response(status_code=204)
