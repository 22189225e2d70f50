"""A running `cascade-plan explore`, and questions to it as a browser or somebody else would ask them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Running:
    """A server of the page."""

    address: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Its port."""
        port = urlsplit(self.address).port
        assert port is not None
        return port

    @property
    def origin(self) -> str:
        """Its origin, as a browser says it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def path(self) -> str:
        """The path of its page: the token between two slashes."""
        return urlsplit(self.address).path

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str | None] | None = None
    ) -> Reply:
        """Return the reply to a request whose headers are these, None for one that is left out."""
        given = {"Host": f"127.0.0.1:{self.port}", "Origin": self.origin, "Content-Type": "application/json"}
        wanted = {name: value for name, value in {**given, **(headers or {})}.items() if value is not None}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in wanted.items():
                connection.putheader(name, value)
            if body is not None and "Transfer-Encoding" not in wanted:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            found = connection.getresponse()
            return Reply(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()

    def ask(self, name: str, **posted: Any) -> Any:
        """Return the answer to a question as the page asks it."""
        reply = self.send("POST", self.path + name, json.dumps(posted).encode())
        assert reply.status == 200, reply
        return reply.json

    def stop(self) -> int:
        """Stop it as Ctrl-C does, and return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@contextmanager
def running(folder: Path, *arguments: str, browser: str = "") -> Iterator[Running]:
    """Yield a server that runs in a folder, and stop it; it opens the page with a browser, where one is given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("CASCADE_PLAN_", "GITHUB_"))}
    environment = {**ours, "CASCADE_PLAN_CACHE_DIR": str(folder / "cache"), "BROWSER": browser}
    command = [sys.executable, "-m", "cascade_plan", "explore", *(() if browser else ("--no-open",)), *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            address = process.stdout.readline().strip()
            assert address, process.stderr.read()
            yield Running(address, process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
