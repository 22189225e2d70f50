"""The page's server: its files, and the questions that it asks, on a port of the loopback interface."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cascade_plan.errors import UsageError
from cascade_plan.exploring.gate import App, Gate
from cascade_plan.exploring.jobs import Jobs
from cascade_plan.exploring.session import Answer, Session, answered
from cascade_plan.exploring.state import text_of
from cascade_plan.files.scripts import drawing
from cascade_plan.reports import pages

LOOPBACK: Final = "127.0.0.1"
PAGE: Final = "page.html"
KINDS: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
"""How the name of a file ends -> what it is."""


def app_of(session: Session, token: str, port: int, once: str = "") -> App:
    """Return the application that answers a session's page behind a token; `once` leads there one time."""
    jobs = Jobs()

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        yield
        jobs.stop()

    def start(posted: Mapping[str, Any]) -> Answer:
        return {"job": jobs.start(text_of(posted, "kind"), session.changed(posted), posted)}

    asked: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
        "base": session.base,
        "plan": session.plan,
        "whole": session.whole,
        "curve": session.curve,
        "latency": session.latency,
        "explain": session.explain,
        "diff": session.difference,
        "scenario": session.document,
        "start": start,
        "job": lambda posted: jobs.answer(text_of(posted, "job")),
        "cancel": lambda posted: jobs.cancel(text_of(posted, "job")),
    }
    routes = [Route(f"/{name}", _answering(ask), methods=["POST"]) for name, ask in asked.items()]
    routes += [Route("/", _page), Route("/assets/drawing.js", _drawing), Route("/assets/fitted.js", _fitted)]
    routes += [Route("/assets/{name}", _asset)]
    return Gate(Starlette(routes=routes, lifespan=running), token, port, once)


def _answering(ask: Callable[[Mapping[str, Any]], Answer]) -> Callable[[Request], Any]:
    """Return what answers a question that a page posts as JSON."""

    async def answer(request: Request) -> Response:
        try:
            posted = json.loads(await request.body())
        except (ValueError, RecursionError):
            posted = None
        if not isinstance(posted, dict):
            return PlainTextResponse("A request must be a JSON object.\n", 400)
        return JSONResponse(await run_in_threadpool(answered, ask, posted))

    return answer


async def _page(request: Request) -> Response:
    return _file(PAGE)


async def _asset(request: Request) -> Response:
    return _file(request.path_params["name"])


async def _drawing(request: Request) -> Response:
    """Return what draws charts: the libraries in the order in which they need each other, as one script."""
    return Response("\n".join(drawing()), headers={"content-type": KINDS[".js"]})


async def _fitted(request: Request) -> Response:
    """Return the module that makes a chart as wide as its place, by the function that every page of charts has."""
    return Response(f"{pages.FITTED}export {{ fitted }};\n", headers={"content-type": KINDS[".js"]})


def _file(name: str) -> Response:
    """Return a file of the page: one of those that there are, by their names alone."""
    known = {entry.name: entry for entry in files("cascade_plan.exploring").joinpath("assets").iterdir()}
    kind = KINDS.get(name[name.rfind(".") :])
    if name not in known or kind is None:
        return PlainTextResponse("There is no such file.\n", 404)
    return Response(known[name].read_bytes(), headers={"content-type": kind})


def bound(port: int) -> socket.socket:
    """Return a socket that listens on a port of the loopback interface, 0 for any that is free.

    Raises UsageError where something else has the port, or nobody may.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A page that was stopped a moment ago leaves its port in a state in which only this may have it again.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UsageError(f"--port {port}: {error.strerror}; 0 takes any port that is free") from None
    return listener


def serve(session: Session, listener: socket.socket, token: str, once: str = "") -> None:
    """Answer a session's page until the process is interrupted, which raises KeyboardInterrupt."""
    app = app_of(session, token, listener.getsockname()[1], once)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=1, ws="none"
    )
    uvicorn.Server(config).run(sockets=[listener])
