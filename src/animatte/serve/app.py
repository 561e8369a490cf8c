"""The application: a model, two verbs, and what an operator wants to know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import swagger_ui_bundle
from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from animatte import __version__
from animatte.catalogue import shipped_models
from animatte.predictor import Predictor
from animatte.serve.counters import Counters
from animatte.serve.desk import Desk, DeskFullError, NoPlaceError
from animatte.serve.limits import Limits
from animatte.serve.orders import Answer, Wishes, answered, num_pixels, order_of
from animatte.serve.pace import Pace
from animatte.serve.refusals import RefusalError
from animatte.serve.uploads import PHOTO_FIELD, drain, received_photo

PAGE = Path(__file__).parent / "page"
_CHUNK = 2**16
# The page asks nobody but this server, and shows what the visitor chose.
_POLICY = "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'self'"
_PHOTO = {"type": "string", "format": "binary"}
_PHOTO_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": _PHOTO},
            "application/octet-stream": {"schema": _PHOTO},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [PHOTO_FIELD],
                    "properties": {PHOTO_FIELD: _PHOTO},
                }
            },
        },
    }
}
_PICTURE = {"content": {"image/*": {"schema": _PHOTO}}, "description": "The picture"}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    408: {"description": "The photo did not arrive in time"},
    413: {"description": "The body or the photo is too large"},
    415: {"description": "The body is neither an image nor a form"},
    422: {"description": "The photo cannot be read, or an option is unknown"},
    503: {"description": "The queue is full, or the wait would be too long; see Retry-After"},
    504: {"description": "Cutting the photo took too long"},
}


def _matte_wishes(  # noqa: PLR0917  FastAPI passes them by name
    output_format: Annotated[
        str, Query(alias="format", description="png, webp, png16, tiff16 or jpg")
    ] = "png",
    subject: Annotated[str, Query(description="all or largest")] = "all",
    point: Annotated[str | None, Query(description="X,Y: the subject there")] = None,
    box: Annotated[str | None, Query(description="X0,Y0,X1,Y1: the subject there")] = None,
    crop: Annotated[bool, Query(description="Cut the result to the subject")] = False,
    straighten: Annotated[str, Query(description="never, auto, always, or degrees")] = "never",
    zoom: Annotated[str, Query(description="never, auto or always")] = "never",
) -> Wishes:
    return Wishes(True, output_format, None, subject, point, box, crop, straighten, zoom)


def _cutout_wishes(
    common: Annotated[Wishes, Depends(_matte_wishes)],
    background: Annotated[
        str | None, Query(description="A colour or blur: the subject on it, nothing transparent")
    ] = None,
) -> Wishes:
    return replace(common, matte=False, background=background)


def create_app(
    predictor: Predictor, limits: Limits | None = None, pace: Pace | None = None
) -> FastAPI:
    """Return the application that serves one model.

    Args:
        predictor: the model, loaded once; only its network and strategy are used.
        limits: what is taken on.
        pace: how long photos take, as far as it is known; None for nothing.
    """
    limits = limits or Limits()
    desk = Desk(limits, pace)
    counters = Counters(desk)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(
        title="animatte",
        version=__version__,
        summary="Cut animals out of photos, down to the whiskers.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.exception_handler(RefusalError)(_refused)
    app.exception_handler(RequestValidationError)(_badly_asked)
    app.exception_handler(HTTPException)(_not_served)
    app.middleware("http")(partial(_counted, counters))
    _add_verbs(app, predictor, limits, desk, counters)
    _add_information(app, predictor, limits, counters)
    _add_pages(app)
    return app


def _add_verbs(
    app: FastAPI, predictor: Predictor, limits: Limits, desk: Desk, counters: Counters
) -> None:
    async def cut(request: Request, wishes: Wishes) -> Response:
        order = order_of(wishes, limits.pixels)
        try:
            async with desk.place():
                photo = await received_photo(request, limits)
                pixels = await desk.looked(partial(num_pixels, photo, limits.pixels))
                answer = await desk.done(partial(answered, predictor, photo, order), pixels)
        except NoPlaceError as error:
            await drain(request, limits.body)
            raise _busy(error) from error
        except DeskFullError as error:
            raise _busy(error) from error
        except TimeoutError as error:
            raise RefusalError(
                504, f"the photo took longer than {limits.seconds:g} s; send a smaller one"
            ) from error
        counters.pixels.inc(answer.photo_size[0] * answer.photo_size[1])
        return _streamed(answer, order.media_type)

    verb = partial(
        app.post,
        openapi_extra=_PHOTO_BODY,
        responses={200: _PICTURE, **_REFUSALS},
        response_class=Response,
    )

    @verb("/v1/cutout", summary="A photo in, its subject out")
    async def cutout(
        request: Request, wishes: Annotated[Wishes, Depends(_cutout_wishes)]
    ) -> Response:
        return await cut(request, wishes)

    @verb("/v1/matte", summary="A photo in, its alpha matte out, grey")
    async def matte(
        request: Request, wishes: Annotated[Wishes, Depends(_matte_wishes)]
    ) -> Response:
        return await cut(request, wishes)


def _add_information(
    app: FastAPI, predictor: Predictor, limits: Limits, counters: Counters
) -> None:
    @app.get("/v1/models", summary="The models, and which of them is served")
    async def models() -> dict[str, Any]:
        shown = ("name", "summary", "parameters", "licence", "sources", "scores")
        cards = [{name: getattr(card, name) for name in shown} for card in shipped_models()]
        return {"served": predictor.name, "models": cards}

    @app.get("/healthz", summary="Whether the server takes requests")
    async def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "model": predictor.name,
            "device": predictor.device,
            "version": __version__,
            "max_bytes": limits.body,
            "max_pixels": limits.pixels,
        }

    @app.get("/metrics", summary="Counters, for Prometheus", response_class=Response)
    async def metrics() -> Response:
        return Response(counters.text(), media_type=CONTENT_TYPE_LATEST)


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": _POLICY})

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="animatte",
            swagger_js_url="/swagger/swagger-ui-bundle.js",
            swagger_css_url="/swagger/swagger-ui.css",
            swagger_favicon_url="/page/icon.svg",
        )

    app.mount("/page", StaticFiles(directory=PAGE))
    app.mount("/swagger", StaticFiles(directory=swagger_ui_bundle.swagger_ui_path))


async def _counted(
    counters: Counters, request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:
    start = perf_counter()

    def count(status: int) -> None:
        route = getattr(request.scope.get("route"), "path", "other")  # never what strangers make up
        counters.requests.labels(route, str(status)).inc()
        counters.seconds.labels(route).observe(perf_counter() - start)

    try:
        response = await answer(request)
    except Exception:  # what nobody expected, which the server behind this answers
        count(500)
        raise
    count(response.status_code)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, RefusalError)
    return refusal.response()


async def _badly_asked(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return RefusalError(422, f"{where}: {first['msg']}").response()


async def _not_served(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    line = f"{request.method} {request.url.path} is not served; /docs lists what is"
    return RefusalError(error.status_code, line, error.headers).response()


def _busy(error: DeskFullError) -> RefusalError:
    seconds = ceil(error.seconds)
    line = f"the server is busy; try again in {seconds} s"
    return RefusalError(503, line, {"Retry-After": str(seconds)})


def _streamed(answer: Answer, media_type: str) -> StreamingResponse:
    height, width = answer.photo_size
    headers = {
        "Content-Length": str(len(answer.data)),
        "X-Animatte-Size": f"{width}x{height}",
        "X-Animatte-Empty": str(answer.is_empty).lower(),
        "Cache-Control": "no-store",
    }
    if answer.confidence is not None:
        headers["X-Animatte-Confidence"] = f"{answer.confidence:.3f}"
        headers["X-Animatte-Review"] = str(answer.needs_review).lower()
    return StreamingResponse(_chunks(answer.data), media_type=media_type, headers=headers)


def _chunks(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK):
        yield bytes(view[start : start + _CHUNK])
