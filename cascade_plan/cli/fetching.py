"""Prometheus's HTTP API: how a query gets there and its answer back, and in words why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cascade_plan.errors import CloudError, UsageError

if TYPE_CHECKING:
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
    from urllib.parse import urlencode

    from cascade_plan.cli.http import Asked, Patience, sent

    patience = Patience(
        TIMEOUT_S,
        MOST_BYTES,
        less="ask for a shorter time",
        sooner="ask for a shorter time or a longer step",
        listens="is Prometheus's port forwarded?",
    )
    answer = sent(Asked("POST", address, headers, urlencode(parameters).encode()), patience)
    if 300 <= answer.status < 400:
        to = shown(answer.headers.get("location", ""))[:200]
        raise CloudError(f"{address} leads to {to!r}: give that address, or log in there first")
    return answer.status, answer.text
