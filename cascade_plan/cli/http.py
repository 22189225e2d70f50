"""A request to an HTTP API and its answer, whatever the status; in words why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cascade_plan.errors import CloudError

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.error import HTTPError

PLAIN: Final = ("http", "https")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request."""

    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    text: str


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for an answer and how much of it is read, and what to say where that is not enough."""

    timeout_s: float
    most_bytes: int
    less: str
    """What to ask for instead, so that the answer is shorter."""
    sooner: str
    """What to ask for instead, so that the answer comes sooner."""
    listens: str = ""
    """What to look at where nothing listens, as a question."""


class NoAnswerError(CloudError):
    """There is no answer, or no whole one: what was asked may have been done all the same."""


def sent(asked: Asked, patience: Patience) -> Answer:
    """Return the answer to a request, whatever its status. A redirect is not followed: it is an answer.

    To follow it would take a token to wherever it leads. Raises NoAnswerError with why there is no answer.
    """
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stays(HTTPRedirectHandler):
        """Takes a redirect for the answer."""

        def redirect_request(self, *_: object, **__: object) -> None:
            return None

    address = asked.address
    if urlsplit(address).scheme not in PLAIN:
        raise NoAnswerError(f"{address}: no address that begins with http:// or https://")
    request = Request(address, asked.body, dict(asked.headers), method=asked.method)
    try:
        try:
            with build_opener(Stays).open(request, timeout=patience.timeout_s) as answer:
                return _answer(answer.status, answer, address, patience)
        except HTTPError as error:
            with error:
                return _answer(error.code, error, address, patience)
    except TimeoutError:
        raise NoAnswerError(f"{address}: no answer for {patience.timeout_s:g} s: {patience.sooner}") from None
    except URLError as error:
        raise NoAnswerError(f"{address}: {_reason(error.reason, patience)}") from None
    except (OSError, HTTPException) as error:
        raise NoAnswerError(f"{address}: {_reason(error, patience)}") from None


def _answer(status: int, answer: HTTPResponse | HTTPError, address: str, patience: Patience) -> Answer:
    data = answer.read(patience.most_bytes + 1)
    if len(data) > patience.most_bytes:
        raise NoAnswerError(f"{address}: an answer of more than {patience.most_bytes:,} bytes: {patience.less}")
    if getattr(answer, "length", 0):
        raise NoAnswerError(f"{address}: the connection broke before the end of the answer")
    headers = {name.lower(): str(value) for name, value in answer.headers.items()}
    return Answer(status, headers, data.decode("utf-8", errors="replace"))


def _reason(error: object, patience: Patience) -> str:
    import ssl
    from socket import gaierror

    if isinstance(error, TimeoutError):
        return f"no answer for {patience.timeout_s:g} s: is this the address, and may one get there from here?"
    if isinstance(error, gaierror):
        return "there is no such host"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens there{': ' if patience.listens else ''}{patience.listens}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; SSL_CERT_FILE names the authority's"
    if isinstance(error, ssl.SSLError):
        return "no TLS there: give http://, or the port that has it"
    return f"the connection broke ({type(error).__name__})"
