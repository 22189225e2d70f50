"""Prometheus's HTTP API: how a query gets there and its answer back, and in words why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cascade_plan.errors import CloudError, UsageError

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.error import HTTPError

    from cascade_plan.evidence.asking import Fetch

TIMEOUT_S: Final = 60.0
"""For which a server may be silent; Prometheus itself gives a query two minutes."""
MOST_BYTES: Final = 2**26
PATH: Final = "/api/v1/query_range"


def prometheus(url: str, token: str) -> Fetch:
    """Return a way to ask a Prometheus at an address, with a bearer token where one is given.

    A user and a password in the address are sent as such, and shown nowhere. A redirect is not followed: it would take
    the token elsewhere. Raises UsageError for what is no address; asking raises CloudError without an answer.
    """
    from base64 import b64encode
    from urllib.parse import unquote, urlsplit, urlunsplit

    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("--prometheus takes the address of a Prometheus, such as http://localhost:9090")
    if parts.query or parts.fragment:
        raise UsageError("--prometheus takes the address that /api/v1 stands below, without ? and #")
    headers = {"Accept": "application/json"}
    if parts.username is not None:
        if token:
            raise UsageError("--prometheus has a user and password, and there is a token too: give one of them")
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    elif token:
        if not token.isascii() or not token.isprintable():
            raise UsageError("the token for Prometheus has characters that no header has: does it end in a line break?")
        headers["Authorization"] = f"Bearer {token}"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix(PATH).removesuffix("/api/v1") + PATH
    address = urlunsplit((parts.scheme, f"{host}{port}", path, "", ""))
    return lambda parameters: _asked(address, headers, parameters)


def shown(url: str) -> str:
    """Return an address without user and password."""
    start, at, end = url.partition("://")
    return f"{start}{at}{end.rpartition('@')[2]}" if at else url


def _asked(address: str, headers: Mapping[str, str], parameters: Mapping[str, str]) -> tuple[int, str]:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.parse import urlencode
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stays(HTTPRedirectHandler):
        """Takes a redirect for the answer."""

        def redirect_request(self, *_: object, **__: object) -> None:
            return None

    request = Request(address, urlencode(parameters).encode(), dict(headers))
    try:
        try:
            with build_opener(Stays).open(request, timeout=TIMEOUT_S) as answer:
                return answer.status, _body(answer, address)
        except HTTPError as error:
            with error:
                if 300 <= error.code < 400:
                    to = shown(str(error.headers.get("Location", "")))[:200]
                    raise CloudError(f"{address} leads to {to!r}: give that address, or log in there first") from None
                return error.code, _body(error, address)
    except TimeoutError:
        raise CloudError(f"{address}: no answer for {TIMEOUT_S:g} s: ask for a shorter time or a longer step") from None
    except URLError as error:
        raise CloudError(f"{address}: {_reason(error.reason)}") from None
    except (OSError, HTTPException) as error:
        raise CloudError(f"{address}: {_reason(error)}") from None


def _body(answer: HTTPResponse | HTTPError, address: str) -> str:
    data = answer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise CloudError(f"{address}: an answer of more than {MOST_BYTES:,} bytes: ask for a shorter time")
    if getattr(answer, "length", 0):
        raise CloudError(f"{address}: the connection broke before the end of the answer")
    return data.decode("utf-8", errors="replace")


def _reason(error: object) -> str:
    import ssl
    from socket import gaierror

    if isinstance(error, TimeoutError):
        return f"no answer for {TIMEOUT_S:g} s: is this the address, and may one get there from here?"
    if isinstance(error, gaierror):
        return "there is no such host"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there: is Prometheus's port forwarded?"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; SSL_CERT_FILE names the authority's"
    if isinstance(error, ssl.SSLError):
        return "no TLS there: give http://, or the port that has it"
    return f"the connection broke ({type(error).__name__})"
