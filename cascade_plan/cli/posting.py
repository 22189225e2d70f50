"""One comment on a pull request: written where there is none of ours, else brought up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from cascade_plan.cli.http import NoAnswerError
from cascade_plan.errors import CloudError

ATTEMPTS: Final = 4
WAITS_S: Final = (1.0, 4.0, 15.0)
"""Before the second attempt and each one after."""
LONGEST_WAIT_S: Final = 60.0
"""Longer than this nobody waits in a build: what the host says is said, and the command fails."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the comments of a pull request are, and by what right one gets there."""

    host: str
    named: str
    """The pull request, in words."""
    api: str
    comments: str
    """The path of the list of comments below the API."""
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment that is there."""

    number: int
    body: str
    address: str
    """For people; empty where the host does not say."""


class RefusedError(CloudError):
    """A host does not do what it was asked; `status` is the HTTP status."""

    def __init__(self, host: str, status: int, headers: Mapping[str, str], said: str) -> None:
        """Take the host's name, the status, the answer's headers by lower-case names, and what it says."""
        super().__init__(f"{host} refused (HTTP status {status}): {said or 'without a word'}")
        self.status = status
        self.headers = headers

    @property
    def is_passing(self) -> bool:
        """Whether to ask again may help: the host is down, or has been asked too often."""
        return self.status >= 500 or self.status == 429 or self.is_limit

    @property
    def is_limit(self) -> bool:
        """Whether it is for being asked too often.

        GitHub answers either of its limits with 403 or 429, the first with x-ratelimit-remaining: 0, the second with
        retry-after. Source: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
        """
        spent = any(self.headers.get(name) == "0" for name in ("x-ratelimit-remaining", "ratelimit-remaining"))
        return self.status in (403, 429) and (spent or "retry-after" in self.headers)

    def wait_s(self, now_s: float) -> float | None:
        """Return for how many seconds the host wants to be left alone, None where it does not say."""
        for name in ("retry-after", "x-ratelimit-reset", "ratelimit-reset"):
            text = self.headers.get(name, "")
            if text.isascii() and text.isdigit() and (name == "retry-after" or self.is_limit):
                return max(0.0, float(text) - (0.0 if name == "retry-after" else now_s))
        return None


class Host(Protocol):
    """What a host of pull requests can be asked."""

    NAME: str
    MOST_CHARACTERS: int

    def claims(self, environ: Mapping[str, str]) -> bool:
        """Return whether this is one of its runs."""

    def base(self, environ: Mapping[str, str]) -> str:
        """Return the commit to compare with, "" where the run does not say."""

    def place(self, environ: Mapping[str, str], number: int | None) -> Place:
        """Return where the comments of a pull request are. Raises UsageError for what is missing."""

    def ours(self, place: Place, marker: str) -> Iterator[Posted]:
        """Yield the comments that begin with a marker and that nobody else can have written, the oldest first."""

    def create(self, place: Place, body: str) -> Posted:
        """Write a new comment, and return it."""

    def update(self, place: Place, posted: Posted, body: str) -> Posted:
        """Write a comment anew, and return it."""

    def advice(self, refused: RefusedError) -> str:
        """Return what to do about a refusal, in words; "" where nothing is known."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, and how it is spent."""

    now_s: Callable[[], float]
    sleep: Callable[[float], None]


def post(host: Host, place: Place, marker: str, body: str, clock: Clock) -> str:
    """Make `body` the one comment that begins with a marker, and return in words what was done.

    What fails for a time is tried again, each time from the list of comments on: an answer that was lost may have been
    to a comment that was written. Raises CloudError, with what to do, where it does not succeed.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _posted(host, place, marker, body)
        except NoAnswerError:
            if attempt == ATTEMPTS - 1:
                raise
            clock.sleep(WAITS_S[attempt])
        except RefusedError as refused:
            wait_s = refused.wait_s(clock.now_s())
            if not refused.is_passing or attempt == ATTEMPTS - 1 or (wait_s or 0) > LONGEST_WAIT_S:
                raise CloudError(_words(host, place, refused, wait_s)) from None
            clock.sleep(WAITS_S[attempt] if wait_s is None else wait_s)
    raise AssertionError("every attempt ends in an answer or an error")


def _posted(host: Host, place: Place, marker: str, body: str) -> str:
    found = [*host.ours(place, marker)]
    if not found:
        return f"wrote a comment on {place.named}{_at(host.create(place, body))}"
    first, *others = found
    more = f"; there are {len(others)} more of the same scenarios" if others else ""
    if _lines(first.body) == _lines(body):
        return f"the comment on {place.named} is up to date{_at(first)}{more}"
    try:
        return f"updated the comment on {place.named}{_at(host.update(place, first, body))}{more}"
    except RefusedError as refused:
        if refused.status != 404:
            raise
        # Somebody has deleted it since it was listed.
        return f"wrote a comment on {place.named}{_at(host.create(place, body))}"


def _lines(body: str) -> list[str]:
    """Return a comment's lines, as a host keeps them: with either kind of line break, without space at the end."""
    return body.rstrip().splitlines()


def _at(posted: Posted) -> str:
    address = "".join(each for each in posted.address if each.isprintable())
    return f": {address}" if address else ""


def _words(host: Host, place: Place, refused: RefusedError, wait_s: float | None) -> str:
    if refused.is_limit or refused.status == 429:
        again = "" if wait_s is None else f"; it answers again in {wait_s:,.0f} s"
        return f"{refused}: asked too often for {place.named}{again}"
    advised = host.advice(refused)
    return f"{refused}; {place.named}: {advised}" if advised else f"{refused}; {place.named}"
