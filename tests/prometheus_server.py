"""Something that speaks Prometheus's HTTP API on loopback, with whatever answers a test has for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from servers import free_port

Answer = Callable[[Mapping[str, str]], tuple[int, str]]
"""From what is asked to the HTTP status and the body."""


def matrix(asked: Mapping[str, str], value: Callable[[float], str | None], **labels: str) -> dict[str, Any]:
    """Return a series as Prometheus computes it: a value at every step from start to end, where there is one."""
    start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
    times = [start + number * step for number in range(int((end - start) / step + 1e-6) + 1)]
    values = [[round(time, 3), found] for time in times if (found := value(time)) is not None]
    return {"metric": labels, "values": values}


def success(*result: object, **more: object) -> tuple[int, str]:
    return 200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}, **more})


@dataclass
class Server:
    """An HTTP server that answers with what it is given, and what it was asked."""

    url: str
    paths: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)


@contextmanager
def serving(answer: Answer, more: Mapping[str, str] | None = None) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            found.paths.append(self.path)
            found.headers.append(dict(self.headers))
            status, text = answer({name: values[0] for name, values in parse_qs(body).items()})
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text.encode())), **(more or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    port = free_port()
    found = Server(f"http://127.0.0.1:{port}")
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
