"""GitHub and GitLab on loopback: the part of their REST APIs that comments are written by, with comments that stay.

Sources: https://docs.github.com/rest/issues/comments, https://docs.gitlab.com/api/notes/
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, Any, dict[str, str]]
"""Status, what is sent as JSON (text as it is), headers."""
TOKEN = "secret-token"
PER_PAGE = 3
"""The hosts' own limit is 100; so few make pages of a handful of comments."""


@dataclass
class World:
    """What a host knows, what goes wrong next, and what it was asked."""

    kind: str
    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Callable[[], Reply | None]] = field(default_factory=list)
    """Each is asked once, in order, before a request is answered; None lets it through."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    most: int = 65_536

    def written(self, body: str, **author: Any) -> dict[str, Any]:
        """Add a comment as the host keeps it, and return it."""
        number = 100 + len(self.comments)
        found: dict[str, Any] = {"id": number, "body": body}
        if self.kind == "github":
            found["html_url"] = f"https://github.example/o/r/pull/12#issuecomment-{number}"
            found |= {"user": {"login": "github-actions[bot]", "type": "Bot"}, "author_association": "NONE"} | author
        else:
            found |= {"author": {"id": 7, "username": "project_1_bot"}, "system": False} | author
        self.comments.append(found)
        return found

    def environment(self) -> dict[str, str]:
        """Return what a run's environment says, but for its event."""
        if self.kind == "github":
            return {
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": self.url,
                "GITHUB_REPOSITORY": "o/r",
                "GITHUB_TOKEN": TOKEN,
            }
        return {
            "GITLAB_CI": "true", "CI_API_V4_URL": f"{self.url}/api/v4", "CI_PROJECT_ID": "42", "GITLAB_TOKEN": TOKEN,
            "CI_MERGE_REQUEST_IID": "12",
        }  # fmt: skip


PATHS = {
    "github": (r"/repos/o/r/issues/12/comments", r"/repos/o/r/issues/comments/(\d+)", "PATCH"),
    "gitlab": (
        r"/api/v4/projects/42/merge_requests/12/notes",
        r"/api/v4/projects/42/merge_requests/12/notes/(\d+)",
        "PUT",
    ),
}


def reply(world: World, method: str, target: str, body: Any) -> Reply:
    """Return what a host answers."""
    parts = urlsplit(target)
    listed, one, changing = PATHS[world.kind]
    if world.kind == "gitlab" and method == "GET" and parts.path == "/api/v4/user":
        return 200, {"id": 7, "username": "project_1_bot"}, {}
    if method == "GET" and re.fullmatch(listed, parts.path):
        return _page(world, parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()})
    if method == "POST" and re.fullmatch(listed, parts.path):
        return _too_long(world, body) or (201, world.written(body["body"]), {})
    if method == changing and (found := re.fullmatch(one, parts.path)):
        for comment in world.comments:
            if comment["id"] == int(found[1]):
                if error := _too_long(world, body):
                    return error
                comment["body"] = body["body"]
                return 200, comment, {}
    return 404, {"message": "Not Found"}, {}


def _page(world: World, path: str, query: dict[str, str]) -> Reply:
    assert query["per_page"] == "100"
    page = int(query.get("page", "1"))
    shown = world.comments[(page - 1) * PER_PAGE : page * PER_PAGE]
    links = []
    if page * PER_PAGE < len(world.comments):
        links.append(f'<{world.url}{path}?per_page=100&page={page + 1}>; rel="next"')
    if page > 1:
        links.insert(0, f'<{world.url}{path}?per_page=100&page=1>; rel="first"')
    return 200, shown, {"Link": ", ".join(links)} if links else {}


def _too_long(world: World, body: Any) -> Reply | None:
    if len(body["body"]) <= world.most:
        return None
    return 422, {"message": f"Validation Failed: body is too long (maximum is {world.most} characters)"}, {}


class Handler(BaseHTTPRequestHandler):
    """Answers for a world, over connections that are kept open."""

    protocol_version = "HTTP/1.1"
    world: ClassVar[World]

    def answer(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.world.asked.append((self.command, self.path))
        sent = self.world.failures.pop(0)() if self.world.failures else None
        if sent is None and not self.is_known():
            sent = 401, {"message": "Bad credentials"}, {}
        status, found, headers = sent or reply(self.world, self.command, self.path, json.loads(data) if data else None)
        if status == 0:  # the connection breaks
            self.close_connection = True
            return
        text = (found if isinstance(found, str) else json.dumps(found)).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PATCH(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def is_known(self) -> bool:
        if self.world.kind == "github":
            return self.headers.get("Authorization") == f"Bearer {TOKEN}"
        return self.headers.get("PRIVATE-TOKEN") == TOKEN

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(kind: str) -> Iterator[World]:
    """Yield a host that is served on a free port of loopback."""
    world = World(kind, most=65_536 if kind == "github" else 1_000_000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"world": world}))
    server.daemon_threads = True
    world.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
