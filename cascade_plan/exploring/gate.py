"""Who may ask: the page itself, opened by whoever was told its address, and nobody else.

The address holds a token, as the first part of its path: no cookie, which a browser sends to every port of a machine,
and nothing that another page could make a browser send along. What a browser is started with can be seen by everybody
on the machine: that is another address, which leads to the page once. The host must be the loopback address itself, so
that no name of somebody else's leads here; what changes or computes must come from the page's own origin.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from secrets import compare_digest
from typing import Any, Final

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY_BYTES: Final = 2**18
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
NOT_HERE: Final = (
    "This address is not that of a running page. Open the address that `cascade-plan explore` printed; what stands "
    "after # in a link can be put behind it.\n"
)
ELSEWHERE: Final = "Only the page itself may ask this.\n"
TOO_LARGE: Final = f"A request may have {LARGEST_BODY_BYTES:,} bytes at most.\n"
NOT_JSON: Final = "A request must be JSON.\n"


class Gate:
    """An application behind a token, on one address of the loopback interface."""

    def __init__(self, app: App, token: str, port: int, once: str = "") -> None:
        """Take the application, which sees paths without the token, and what leads to the page once."""
        self._app, self._token, self._once = app, token.encode(), once.encode()
        self._host = f"127.0.0.1:{port}".encode()
        self._origin = b"http://" + self._host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it; every answer says what a browser may do with it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *HEADERS]}
            await send(message)

        if self._opens(scope):
            self._once = b""
            await _answer(guarded, 303, "", ((b"location", b"/" + self._token + b"/"),))
            return
        if (refusal := self._refusal(scope)) is not None:
            await _answer(guarded, *refusal)
            return
        body = await _body(receive) if scope["method"] == "POST" else b""
        if body is None:
            await _answer(guarded, 413, TOO_LARGE)
            return
        path = "/" + scope["path"].lstrip("/").partition("/")[2]
        inner = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
        await self._app(inner, _once(body, receive), guarded)

    def _opens(self, scope: Scope) -> bool:
        """Return whether a request is the one that leads to the page."""
        headers = _headers(scope)
        is_meant = headers.get(b"host") == [self._host] and compare_digest(_first(scope), self._once)
        return bool(self._once) and is_meant and scope["method"] == "GET" and self._is_own("GET", headers)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and words by which a request is refused, None for one that is let through."""
        headers = _headers(scope)
        if headers.get(b"host") != [self._host] or not compare_digest(_first(scope), self._token):
            return 403, NOT_HERE
        if not self._is_own(scope["method"], headers):
            return 403, ELSEWHERE
        if scope["method"] == "POST":
            kind = headers.get(b"content-type", [b""])[0].partition(b";")[0].strip().lower()
            length = headers.get(b"content-length", [b"0"])[0]
            if kind != b"application/json":
                return 415, NOT_JSON
            if not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
                return 413, TOO_LARGE
        return None

    def _is_own(self, method: str, headers: dict[bytes, list[bytes]]) -> bool:
        """Return whether a request comes from the page, or is somebody's opening of it.

        Source: https://www.w3.org/TR/fetch-metadata/ for what browsers say of where a request comes from.
        """
        origin = headers.get(b"origin")
        if origin != [self._origin] and (method == "POST" or origin is not None):
            return False
        site = headers.get(b"sec-fetch-site", [b""])[0]
        if site in (b"", b"same-origin"):
            return True
        is_opened = headers.get(b"sec-fetch-mode") == [b"navigate"] and headers.get(b"sec-fetch-dest") == [b"document"]
        return method == "GET" and is_opened


async def _body(receive: Receive) -> bytes | None:
    """Return what a request holds, None where that is too much, however long it says it is."""
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > LARGEST_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return body


def _once(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read already, and then what else there is to receive."""
    is_given = False

    async def given() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return given


def _headers(scope: Scope) -> dict[bytes, list[bytes]]:
    """Return the values of each header of a request, by its name in lower case."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.lower(), []).append(value)
    return found


def _first(scope: Scope) -> bytes:
    """Return the first part of a request's path."""
    first: str = scope["path"].lstrip("/").partition("/")[0]
    return first.encode()


async def _answer(send: Send, status: int, words: str, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    body = words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
