"""A price list server on the loopback interface, with the files of `offer_world` and faults to order."""

from __future__ import annotations

import gzip
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from urllib.parse import urlsplit

import offer_world as world


@dataclass(slots=True)
class Fault:
    """What is wrong with an answer. Each answer with it uses up one of its times."""

    times: float = float("inf")
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    change: Callable[[bytes], bytes] = lambda body: body
    """Makes another body of the right one."""
    sent_share: float = 1.0
    """Share of the body that comes before the connection ends, or stalls."""
    has_length: bool = True
    stalls: bool = False


@cache
def body_of(path: str) -> bytes | None:
    """Return the file at a path, or None."""
    if match := re.fullmatch(r"/(offers|savingsPlan)/v1.0/aws/(\w+)/current/region_index.json", path):
        index = world.offer_index if match[1] == "offers" else world.plan_index
        return index(match[2]).encode()
    if match := re.fullmatch(rf"/(offers|savingsPlan)/v1.0/aws/(\w+)/{world.VERSION}/([\w-]+)/index.(csv|json)", path):
        kind, code, region, layout = match.groups()
        if region not in world.REGIONS:
            return None
        if kind == "savingsPlan":
            return world.plan_csv(code, region).encode() if layout == "csv" else None
        listed = world.products(region)
        return (world.offer_csv if layout == "csv" else world.offer_json)(code, listed).encode()
    return None


class OfferServer:
    """The server, running while it is entered. `faults` maps a pattern of paths to what is wrong there."""

    def __init__(self, identity: Path | None = None) -> None:
        """`identity` holds a key and its certificate; without it there is no TLS."""
        self.faults: dict[str, Fault] = {}
        self.requests: list[str] = []
        self.proxy_logins: list[str] = []
        self.sent_byte_count = 0
        self.is_compressing = False
        self.closing = Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing: a test reads `requests`."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self.url = f"{'https' if identity else 'http'}://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> OfferServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer a request, with a fault when one is ordered. A proxy's absolute addresses are answered too."""
        path = urlsplit(request.path).path
        self.requests.append(path)
        self.proxy_logins.append(request.headers.get("Proxy-Authorization", ""))
        fault = self._fault(path)
        body = body_of(path)
        if body is None:
            request.send_error(404)
            return
        body = fault.change(body)
        kind = "text/csv" if path.endswith("csv") else "application/json"
        headers = {"Content-Type": kind} | dict(fault.headers)
        if self.is_compressing and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if fault.has_length:
            headers["Content-Length"] = str(len(body))
        request.send_response(fault.status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        sent = body[: int(len(body) * fault.sent_share)]
        self.sent_byte_count += len(sent)
        request.wfile.write(sent)
        if fault.stalls:
            request.wfile.flush()
            self.closing.wait(30)

    def _fault(self, path: str) -> Fault:
        for pattern, fault in self.faults.items():
            if fault.times > 0 and re.search(pattern, path):
                fault.times -= 1
                return fault
        return Fault()
