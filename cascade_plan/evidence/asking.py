"""What a running Prometheus is asked: the queries of a plan over a stretch of time, and its answers as one text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, isfinite
from typing import Any, Final, TypeAlias

from cascade_plan.errors import CloudError, UsageError
from cascade_plan.evidence.matrix import ASKED, STEP
from cascade_plan.evidence.texts import quoted
from cascade_plan.model.plan import Plan
from cascade_plan.model.series import scrapes_s
from cascade_plan.model.watch import Observed
from cascade_plan.traces.times import NUMBER, moment

Fetch: TypeAlias = Callable[[Mapping[str, str]], tuple[int, str]]
"""A way to ask /api/v1/query_range: returns the HTTP status and the body."""

POINTS_MOST: Final = 10_000
"""Points of a series in one answer: Prometheus refuses more than 11,000.

Source: https://github.com/prometheus/prometheus/blob/main/web/api/v1/api.go, queryRange.
"""
WINDOWS_MOST: Final = 100_000
"""A week of windows of 6 s."""
TOKEN: Final = "CASCADE_PLAN_PROMETHEUS_TOKEN"
TIMES: Final = "seconds since 1970, or a time with its zone such as 2026-03-05T14:30:00Z"
STATUSES: Final = {
    401: f"it lets nobody in without a token: set {TOKEN}",
    403: f"the token is not allowed to query: set {TOKEN} to one that is",
    404: "there is no Prometheus API: give the address that /api/v1 stands below",
    405: "it takes no POST at this address: give the address of Prometheus itself",
}
"""HTTP status -> what to do."""


def observed(plan: Plan) -> tuple[Observed, ...]:
    """Return what the tiers of a plan are asked. Raises UsageError where no tier says what its metrics are called."""
    found = tuple(each for watch in plan.watches for each in watch.observed)
    if not found:
        raise UsageError(
            "the scenario has no tier of kind monitoring, so that nothing says what the metrics are called: save the "
            "answers to the queries of docs/calibrate.md, and give them by --metrics FILE"
        )
    return found


def step_s(plan: Plan) -> float:
    """Return how long a window is: as long as a rate of the plan's queries looks back."""
    (monitoring,) = plan.scenario.of("monitoring").values()
    settings: Any = monitoring
    return scrapes_s(settings.scrape_interval_s)


def answers(observed: Sequence[Observed], fetch: Fetch, from_s: float, to_s: float, step_s: float) -> str:
    """Return the answers to the queries over windows from one time to another, as JSON that `observing` reads.

    Times are in seconds since 1970; the first window begins at `from_s`. A long stretch is asked for in pieces.
    Raises UsageError for a stretch without two windows, CloudError for what Prometheus refuses and for what answers
    something else.
    """
    if not step_s > 0 or not to_s - from_s >= 2 * step_s:
        raise UsageError(f"from {from_s:.0f} to {to_s:.0f} are no two windows of {step_s:g} s: ask for a longer time")
    if (to_s - from_s) / step_s > WINDOWS_MOST:
        raise UsageError(f"more than {WINDOWS_MOST:,} windows of {step_s:g} s: ask for a shorter time or a longer step")
    found = [answer for each in observed for answer in _pieces(each, fetch, from_s, to_s, step_s)]
    return json.dumps(found, ensure_ascii=False)


def _pieces(observed: Observed, fetch: Fetch, from_s: float, to_s: float, step_s: float) -> Iterator[Any]:
    """Yield an answer for each piece of a stretch, those without series left out where another has some."""
    windows = int((to_s - from_s) / step_s + 1e-9)
    pieces = ceil(windows / POINTS_MOST)
    made = []
    for piece in range(pieces):
        first, last = piece * POINTS_MOST + 1, min((piece + 1) * POINTS_MOST, windows)
        asked = {
            "query": observed.query,
            "start": f"{from_s + first * step_s:.3f}",
            "end": f"{from_s + last * step_s:.3f}",
            "step": f"{step_s:.3f}",
        }
        made.append({**_answer(observed, *fetch(asked)), STEP: step_s})
    filled = [each for each in made if each["data"]["result"]]
    yield from filled or made[:1]


def _answer(observed: Observed, status: int, body: str) -> Any:
    name = str(observed.measure)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict) and answer.get("status") == "error":
        raise CloudError(f"Prometheus, asked for {name}: {quoted(answer.get('error'))} (HTTP status {status})")
    if status != 200:
        raise CloudError(f"Prometheus, asked for {name}: {STATUSES.get(status, 'it fails')} (HTTP status {status})")
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict) or data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
        raise CloudError(f"Prometheus, asked for {name}: the answer is not its own: {quoted(body)}")
    return {**answer, ASKED: name}


def at_s(text: str, option: str) -> float:
    """Return a time as seconds since 1970. Raises UsageError, naming the option, for what is none or has no zone.

    >>> at_s("1709596800.5", "--from"), at_s("2024-03-05T01:00:00+01:00", "--from")
    (1709596800.5, 1709596800.0)
    """
    try:
        if NUMBER.fullmatch(text.strip()) and isfinite(seconds := float(text)):
            return seconds
        found = moment(text.strip(), day_first=None)
    except ValueError:
        raise UsageError(f"{option} {quoted(text)} is no time: give {TIMES}") from None
    if found.offset_s is None:
        raise UsageError(f"{option} {quoted(text)} has no zone: give {TIMES}")
    return found.clock_s - found.offset_s
