"""An HTTP address: connecting, TLS, and the first byte of an answer over a connection that is kept."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from cascade_plan import __version__
from cascade_plan.errors import UsageError
from cascade_plan.evidence.measuring._pace import now_ms, spread, turns, variability
from cascade_plan.evidence.servers import CALLED, Found, Limits, Reading, Seen, ServerError, Step
from cascade_plan.formulas import estimates

KIND: Final = "gateway"
FIELDS: Final = ("response_ms", "response_scv")
METAVAR: Final = "URL"
HELP: Final = (
    "An address that the load balancer answers itself, asked by GET: https://host/path. 'HEAD URL' asks by HEAD; "
    "other methods are refused."
)

TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 2**20
"""A longer answer is refused: reading it is no longer a short measurement."""
METHODS: Final = ("GET", "HEAD")


class _Address(NamedTuple):
    method: str
    scheme: str
    host: str
    port: int
    path: str


def _address(text: str) -> _Address:
    """Return the parts of an address. Raises UsageError for what is none."""
    method, _, url = text.strip().rpartition(" ")
    method = method.strip() or "GET"
    if method not in METHODS:
        raise UsageError(f"--http asks by GET or HEAD alone, not by {method}: other methods may change something")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("--http takes a URL such as https://example.com/healthz, or 'HEAD URL'")
    if parts.username or parts.password:
        raise UsageError("--http sends no password: name an address that needs none")
    query = f"?{parts.query}" if parts.query else ""
    return _Address(method, parts.scheme, parts.hostname, port, (parts.path or "/") + query)


def shown(address: str) -> str:
    """Return an address without what may be secret in its query. Raises UsageError for what is none."""
    found = _address(address)
    host = f"[{found.host}]" if ":" in found.host else found.host
    method = "" if found.method == "GET" else f"{found.method} "
    port = "" if found.port == {"http": 80, "https": 443}[found.scheme] else f":{found.port}"
    path, mark, _ = found.path.partition("?")
    return f"{method}{found.scheme}://{host}{port}{path}{mark}{'...' if mark else ''}"


def steps(address: str, limits: Limits) -> Iterator[Step]:
    """Yield all that is run on the server, in order."""
    yield from _steps(address, limits).values()


def _steps(address: str, limits: Limits) -> dict[str, Step]:
    secure = " and shake hands (TLS)" if _address(address).scheme == "https" else ""
    return {
        "connect": Step(
            f"connect{secure}, without a request", 10, limits.seconds * 0.3, "round trip, and what a new client pays"
        ),
        "ask": Step(
            f"{_address(address).method} on one connection, no redirect followed", 200, limits.seconds * 0.7,
            "time to the first byte",
        ),
    }  # fmt: skip


@contextmanager
def opened(address: str, limits: Limits) -> Iterator[_Session]:
    """Open the server. Raises ServerError when that fails."""
    try:
        session = _Session(_address(address), _steps(address, limits))
        try:
            yield session
        finally:
            session.close()
    except ssl.SSLCertVerificationError as error:
        raise ServerError(f"{shown(address)}: its certificate is not trusted: {error.verify_message}") from None
    except (OSError, http.client.HTTPException) as error:
        said = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
        raise ServerError(f"{shown(address)}: {said}") from None


class _Session:
    """An address that is asked over one connection."""

    def __init__(self, address: _Address, wanted: dict[str, Step]) -> None:
        self._address = address
        self._steps = wanted
        self._connecting: list[float] = []
        self._shaking: list[float] = []
        self._kept = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)
        self._connected().close()

    def close(self) -> None:
        """Hang up."""
        self._kept.close()

    def seen(self) -> Seen:
        """Return that nobody tells how busy it is."""
        return Seen(True, "how busy it is cannot be seen from outside")

    def found(self) -> Found:
        """Return what running the steps told. Raises ServerError when the server fails."""
        for _ in turns(self._steps["connect"]):
            self._connected().close()
        self._kept.sock = self._connected()
        first_bytes, server = [], ""
        for _ in turns(self._steps["ask"]):
            taken, server = self._asked()
            first_bytes.append(taken)
        trip = estimates.median(self._connecting)
        # A connection is made in one round trip: what an answer takes beyond it is the server's.
        beyond = [each - trip.value for each in first_bytes]
        taken_ms, unknown = estimates.at_least(0.0, estimates.mean(beyond)), dict[str, str]()
        asked = f"{len(first_bytes)} {self._address.method}"
        of = f"mean time to the first byte of {asked} on one connection, less a round trip"
        notes = [f"connect {spread(self._connecting)} ms"]
        notes += [f"TLS handshake {spread(self._shaking)} ms"] if self._shaking else []
        notes.append("response_ms holds all that stands behind this address: name one that the balancer answers itself")
        readings = [Reading("response_ms", *taken_ms, of, spread(first_bytes))]
        if taken_ms.low > 0:
            readings += variability("response_scv", beyond, f"{asked}, less a round trip", unknown)
        return Found(server or "HTTP", tuple(readings), unknown, tuple(notes))

    def _connected(self) -> socket.socket:
        began = now_ms()
        plain = socket.create_connection((self._address.host, self._address.port), TIMEOUT_S)
        self._connecting.append(now_ms() - began)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._address.scheme == "http":
            return plain
        began = now_ms()
        try:
            secure = ssl.create_default_context().wrap_socket(plain, server_hostname=self._address.host)
        except BaseException:
            plain.close()
            raise
        self._shaking.append(now_ms() - began)
        return secure

    def _asked(self) -> tuple[float, str]:
        """Return how long the first byte took, and the server's own name. Raises ServerError for no success."""
        if self._kept.sock is None:
            raise ServerError(
                f"{self._where}: it closes the connection after each answer: nothing can be measured on it"
            )
        default = {"http": 80, "https": 443}[self._address.scheme]
        port = "" if self._address.port == default else f":{self._address.port}"
        host = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
        head = {"User-Agent": f"{CALLED}/{__version__}", "Accept": "*/*", "Host": host + port}
        began = now_ms()
        self._kept.request(self._address.method, self._address.path, headers=head)
        answer = self._kept.getresponse()
        taken = now_ms() - began
        if len(answer.read(MOST_BYTES + 1)) > MOST_BYTES:
            raise ServerError(f"{self._where}: it answers more than {MOST_BYTES // 2**20} MiB: name a smaller answer")
        if answer.status >= 400:
            raise ServerError(f"{self._where}: it answers {answer.status} {answer.reason}, not a success")
        return taken, answer.headers.get("Server", "")

    @property
    def _where(self) -> str:
        return (
            f"{self._address.scheme}://{self._address.host}:{self._address.port}{self._address.path.partition('?')[0]}"
        )
