"""What every host's API has in common: JSON there and back, pages, and refusals in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from cascade_plan import __version__
from cascade_plan.cli.http import Answer, Asked, Patience, sent
from cascade_plan.cli.posting import Place, RefusedError
from cascade_plan.errors import CloudError, UsageError

PATIENCE: Final = Patience(
    timeout_s=30,
    most_bytes=2**26,
    less="the pull request has more comments than anybody reads",
    sooner="is the host down?",
)
PAGES_MOST: Final = 100
"""Of 100 comments each."""
REDIRECTS_MOST: Final = 3
NEXT: Final = re.compile(r'<([^<>]*)>\s*;[^<>,]*\brel="?next"?')
SAID: Final = 200
"""Characters of a host's own words that are shown."""


def pages(place: Place, path: str) -> Iterator[Any]:
    """Yield the entries of a list, page after page by the header Link, as far as its addresses stay with the host.

    Raises RefusedError for any status but 200, CloudError for what is no list.
    """
    address = place.api + path
    for _ in range(PAGES_MOST):
        answer = asked(place, "GET", address)
        found = _json(answer, place)
        if not isinstance(found, list):
            raise CloudError(f"{place.host}: the answer is no list of comments: {_quoted(answer.text)}")
        yield from found
        found_next = NEXT.search(answer.headers.get("link", ""))
        if found_next is None:
            return
        address = _same_host(place, found_next[1], address)
    raise CloudError(f"{place.host}: {place.named} has more than {PAGES_MOST * 100:,} comments")


def asked(place: Place, method: str, address: str, body: Mapping[str, Any] | None = None) -> Answer:
    """Return the answer to a request, redirects within the host followed.

    Raises RefusedError for a status that is no success, NoAnswerError without an answer.
    """
    data = None if body is None else json.dumps(body).encode()
    headers = {"Accept": "application/json", "User-Agent": f"cascade-plan/{__version__}", **place.headers}
    if data is not None:
        headers["Content-Type"] = "application/json"
    for _ in range(REDIRECTS_MOST + 1):
        answer = sent(Asked(method, address, headers, data), PATIENCE)
        if 200 <= answer.status < 300:
            return answer
        if answer.status not in (301, 302, 307, 308):
            raise RefusedError(place.host, answer.status, answer.headers, _message(answer.text))
        address = _same_host(place, answer.headers.get("location", ""), address)
    raise CloudError(f"{place.host}: more than {REDIRECTS_MOST} redirects")


def entry(place: Place, answer: Answer) -> Mapping[str, Any]:
    """Return what a host says of a comment that was written. Raises CloudError for what is no such answer."""
    found = _json(answer, place)
    if not isinstance(found, dict):
        raise CloudError(f"{place.host}: the answer is no comment: {_quoted(answer.text)}")
    return found


def token_of(environ: Mapping[str, str], name: str, how: str) -> str:
    """Return the token that a variable holds. Raises UsageError, saying how to give it, without one."""
    token = environ.get(name, "").strip()
    if not token:
        raise UsageError(f"{name} is not set: {how}; --dry-run prints the comment without a token")
    if not token.isascii() or not token.isprintable():
        raise UsageError(f"{name} has characters that no header has")
    return token


def api_of(address: str, variable: str) -> str:
    """Return the address of an API without a slash at its end. Raises UsageError for what is none."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{variable}={address} is no address of an API")
    return address.rstrip("/")


def number_of(found: object, variable: str) -> int:
    """Return the number of a pull request. Raises UsageError for what is none."""
    text = str(found)
    if not text.isascii() or not text.isdigit() or not int(text):
        raise UsageError(f"{variable} gives no number of a pull request: {_quoted(text)}")
    return int(text)


def _same_host(place: Place, target: str, base: str) -> str:
    """Return an address that an answer leads to. Raises CloudError where the token would go to another host."""
    address = urljoin(base, target)
    here, there = urlsplit(place.api), urlsplit(address)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise CloudError(f"{place.host}: it leads to another host, {_quoted(there.netloc)}, which gets no token")
    return address


def _json(answer: Answer, place: Place) -> Any:
    try:
        return json.loads(answer.text)
    except (ValueError, RecursionError):
        raise CloudError(f"{place.host}: the answer is no JSON: {_quoted(answer.text)}") from None


def _message(text: str) -> str:
    """Return what a host says of a refusal: its `message` or `error`, else the beginning of the answer."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        for name in ("message", "error_description", "error"):
            if found.get(name):
                return _quoted(found[name] if isinstance(found[name], str) else json.dumps(found[name]))
    return _quoted(text)


def _quoted(text: str) -> str:
    words = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return words if len(words) <= SAID else f"{words[:SAID]}…"
