"""The performance plan's routes on a small real server: python loadtest_server.py HTTP_PORT WS_PORT DELAY_MS

GET /seen answers with what was asked so far. A message posted to a room is sent to the WebSockets of its members, as
a login told them apart; the other routes only answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from websockets.asyncio.server import ServerConnection, broadcast, serve

SEEN: Counter[str] = Counter()
BYTES: Counter[str] = Counter()
TENANTS: Counter[str] = Counter()
ACCOUNTS: Counter[str] = Counter()
ROOMS: Counter[str] = Counter()
SOCKETS: dict[ServerConnection, str] = {}
"""Connection -> tenant."""
LOGINS = {"/api/v1/auth/login": ("email", "password", "token"), "/sessions": ("name", "secret", "access_token")}
"""Path -> what it calls who, what proves it, and what the answer calls the token."""
ROUTES = (
    *(("POST", path) for path in LOGINS),
    ("GET", r"/api/v1/workrooms"),
    ("POST", r"/api/v1/workrooms/(\d+)/messages"),
    ("POST", r"/api/v1/resources"),
)
LOOP = asyncio.new_event_loop()


class Answer(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet: two would wait for each other's acknowledgement
    delay_s = 0.0

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/seen":
            seen = {"requests": SEEN, "bytes": BYTES, "tenants": TENANTS, "accounts": ACCOUNTS, "rooms": ROOMS}
            self._send(200, seen)
            return
        route, found = next(
            (
                (f"{way} {path}", match)
                for way, path in ROUTES
                if way == method and (match := re.fullmatch(path, self.path))
            ),
            ("", None),
        )
        if found is None:
            self._send(404, {})
            return
        SEEN[route] += 1
        BYTES[route] += len(body)
        if self.path in LOGINS:
            user, password, token_field = LOGINS[self.path]
            credentials = json.loads(body)
            ACCOUNTS[credentials[user]] += 1
            right = credentials[password] == "right"
            self._send(200 if right else 401, {token_field: "t-" + credentials[user]} if right else {})
            return
        tenant = self.headers["X-Tenant-ID"] or self.headers["X-Customer"]
        TENANTS[tenant] += 1
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != "shared" and not token.endswith(f"@tenant{tenant}.example"):
            self._send(403, {})
            return
        time.sleep(self.delay_s)
        if found.groups():
            ROOMS[f"{tenant}/{found[1]}"] += 1
            members = [socket for socket, of in list(SOCKETS.items()) if of == tenant]
            LOOP.call_soon_threadsafe(broadcast, members, body.decode())
        self._send(200, {"ok": True})

    def _send(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


async def hold(connection: ServerConnection) -> None:
    """Keep one WebSocket until its client leaves."""
    assert connection.request is not None
    SOCKETS[connection] = connection.request.headers["X-Tenant-ID"]
    try:
        await connection.wait_closed()
    finally:
        del SOCKETS[connection]


async def sockets(port: int) -> None:
    """Serve WebSockets for ever."""
    async with serve(hold, "127.0.0.1", port, compression=None):
        await asyncio.Future()


class Server(ThreadingHTTPServer):
    """A server that many connect to at once."""

    request_queue_size = 512
    daemon_threads = True


def main() -> None:
    """Serve until stopped."""
    http_port, ws_port, delay_ms = (int(argument) for argument in sys.argv[1:])
    Answer.delay_s = delay_ms / 1000
    threading.Thread(target=LOOP.run_until_complete, args=(sockets(ws_port),), daemon=True).start()
    Server(("127.0.0.1", http_port), Answer).serve_forever()


if __name__ == "__main__":
    main()
