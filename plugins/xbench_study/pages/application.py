"""The application that serves a study: routes, and what every request goes through."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xbench_study.answers.book import AnswerBook
from xbench_study.categories.pages import Categorising
from xbench_study.material.study import Study
from xbench_study.pages.admin import Administration
from xbench_study.pages.consent import Consent
from xbench_study.pages.leaving import Leaving
from xbench_study.pages.limits import Limits
from xbench_study.pages.participant import Participation
from xbench_study.pages.preview import NOTICE, Preview
from xbench_study.pages.rendering import FOLDER, STATIC, error_page
from xbench_study.pages.security import Guard
from xbench_study.pages.service import Service, home

THREADS = 8
"""How many requests are answered at once, besides pictures and the one newcomer's."""


def application(
    study: Study,
    book: AnswerBook,
    *,
    admin_token: str | None = None,
    pilot: bool = False,
    preview: bool = False,
    clock: Callable[[], float] = time.time,
    limits: Limits | None = None,
) -> Starlette:
    """The study's pages, or with `preview` all kinds of them with invented answers.

    Without an `admin_token` there is no admin page. Of a pilot no answer counts.
    """
    service = Service(study, book, clock, pilot, limits or Limits())
    if preview:
        routes = Preview(replace(service, notice=NOTICE)).routes()
    else:
        routes = _routes(service, admin_token)
    return _guarded(study, routes)


def categorising(
    study: Study, book: AnswerBook, token: str, *, clock: Callable[[], float] = time.time
) -> Starlette:
    """The pages alone on which researchers annotate errors."""
    return _guarded(study, Categorising(Service(study, book, clock), token).routes())


def _guarded(study: Study, routes: list[Route]) -> Starlette:
    guard = Middleware(Guard, error=partial(error_page, study))
    return Starlette(
        routes=[*routes, Route("/static/{name}", static)],
        middleware=[guard],
        lifespan=_few_threads,
        exception_handlers={HTTPException: partial(_refused, study)},
    )


@asynccontextmanager
async def _few_threads(_: Starlette) -> AsyncIterator[None]:
    """Let few requests be at work at once: more threads wait for each other."""
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


def _routes(service: Service, admin_token: str | None) -> list[Route]:
    consent, leaving, participation = Consent(service), Leaving(service), Participation(service)
    routes = [
        Route("/", consent.sheet),
        Route("/i/{code}", consent.sheet),
        Route("/erased", leaving.erased, name="erased"),
        _post("/consent", consent.consent),
        Route("/p/{token}/", participation.step, name="step"),
        Route("/p/{token}/asset/{position:int}/{number:int}", participation.asset),
        _post("/p/{token}/answer", participation.answer),
        _post("/p/{token}/go-on", participation.go_on),
        _post("/p/{token}/comprehension", participation.comprehension),
        Route("/p/{token}/leave", leaving.ask),
        _post("/p/{token}/leave", leaving.leave),
    ]
    if admin_token:
        administration = Administration(service, admin_token)
        routes += [Route("/admin", administration.ask), _post("/admin", administration.show)]
        routes += Categorising(service, admin_token).routes()
    return routes


def _post(path: str, endpoint: Callable[[Request], Any]) -> Route:
    return Route(path, endpoint, methods=["POST"])


def static(request: Request) -> Response:
    """The style sheet, or the icon."""
    name = request.path_params["name"]
    if name not in STATIC:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response((FOLDER / name).read_bytes(), media_type=STATIC[name], headers=headers)


async def _refused(study: Study, request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = "token" in request.path_params and status not in (404, 405)
    root = request.scope.get("root_path", "")
    return error_page(study, status, root=root, back=home(request) if known else "")
