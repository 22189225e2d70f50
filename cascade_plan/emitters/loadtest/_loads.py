"""What a load test drives, as numbers: whole weights, bodies, accounts, and how many generators it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd, lcm
from typing import Final

from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Action, Load, Scenario
from cascade_plan.tiers.websocket.settings import Settings as WebSocketSettings

REQUESTS_PER_S_PER_PROCESS: Final = 1000
"""What one Locust process (one core) is given to send. It sent 1,490 a second of the bundled mix, a sixth of it uploads
of 100 KiB, to nginx on a busy virtual core (measured, docs/model.md); small requests up to 16,000 on an Apple M1
(https://docs.locust.io/en/stable/increase-performance.html). A generator near its limit reports its own waiting as the
system's."""
MOST_TASKS: Final = 1000
"""Locust keeps a list with each action as often as its weight."""
BINARY: Final = "application/octet-stream"
MEDIA_TYPES: Final = {
    "csv": "text/csv",
    "jpg": "image/jpeg",
    "json": "application/json",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
}
"""By the end of a file's name, https://www.iana.org/assignments/media-types/media-types.xhtml"""
SETTLE_S_MIN: Final = 3
"""Locust's workers report every 3 s (WORKER_REPORT_INTERVAL in locust/runners.py): sooner, some are still counting."""


@dataclass(frozen=True, slots=True)
class Body:
    """What an action sends: nothing, a JSON message, or a file in a form."""

    kind: str
    """"", json or form."""
    byte_count: int
    """Of the whole JSON, or of the file."""


def body(action: Action) -> Body:
    """Return what an action sends: a file if it stores an object; nothing for GET and DELETE (RFC 9110, 9.3)."""
    if action.request.split(" ")[0] in ("GET", "DELETE"):
        return Body("", 0)
    if action.object_bytes:
        return Body("form", ceil(action.object_bytes))
    return Body("json", ceil(action.request_bytes))


def forms(scenario: Scenario) -> Mapping[str, tuple[str, str, str]]:
    """Return action -> the field beside the file in its form ("" for none), the file's name, its media type."""
    return {
        name: (action.form_field or "", action.file_name, MEDIA_TYPES.get(action.file_name.rpartition(".")[2], BINARY))
        for name, action in scenario.behaviour.actions.items()
        if body(action).kind == "form"
    }


def whole_weights(weights: Sequence[float]) -> list[int]:
    """Return whole numbers in the ratio of the weights, at least 1 each; exactly so while they sum to MOST_TASKS.

    >>> whole_weights([3.0, 2.0, 1.0]), whole_weights([0.5, 0.25]), whole_weights([1e9, 1.0])
    ([3, 2, 1], [2, 1], [1000, 1])
    """
    exact = [Fraction(str(weight)) for weight in weights]
    common = lcm(*(each.denominator for each in exact))
    whole = [int(each * common) for each in exact]
    whole = [each // gcd(*whole) for each in whole]
    total = sum(whole)
    return whole if total <= MOST_TASKS else [max(1, round(each * MOST_TASKS / total)) for each in whole]


def requests_per_s_most(scenario: Scenario, load: Load) -> float:
    """Return the most requests/s a load's users send: those of a system that answers at once.

    Source: Denning and Buzen, Computing Surveys 10 (1978), X = N / (Z + R).
    """
    return load.users / scenario.behaviour.think_time_s.mean


def settle_s(scenario: Scenario, load: Load) -> int:
    """Return the seconds after the last user has come that are left out of a load's figures, whole.

    Two turns of a user, each the longest pause and an answer as late as the p95 may be: after the first every user has
    asked since the last one came, after the second what queued behind their logins and first requests is answered
    (assumption). No less than SETTLE_S_MIN.
    """
    turn_s = scenario.behaviour.think_time_s.max + load.latency_ms_p95 / 1000
    return max(SETTLE_S_MIN, ceil(2 * turn_s))


def generator_counts(scenario: Scenario) -> Mapping[str, int]:
    """Return the Locust processes that each load needs."""
    return {
        name: max(1, ceil(requests_per_s_most(scenario, load) / REQUESTS_PER_S_PER_PROCESS))
        for name, load in scenario.driven.items()
    }


def room_user_count(plan: Plan) -> int:
    """Return the users of one room: who posts, and who receives it; 0 where nothing keeps connections open.

    Without connections nobody receives anything: there are no rooms, and each user is alone.
    """
    return max((1 + round(each.settings.recipients_per_message) for each in plan.of(WebSocketSettings)), default=0)


def filled(text: str, parts: Mapping[str, str]) -> str:
    """Return a text with what stands for each <<NAME>> in it."""
    for name, part in parts.items():
        text = text.replace(f"<<{name}>>", part)
    return text


def model_lines(plan: Plan) -> list[str]:
    """Return what every load test says of its figures, a line each."""
    think = plan.scenario.behaviour.think_time_s
    return [
        f"A closed model: a fixed number of users, each waiting for its answer and then {think.min:g} to "
        f"{think.max:g} s before",
        "the next request. A slow system is asked less often, so a p95 of this test is that of the requests such users",
        "made, not that of an open system at a fixed rate (coordinated omission). cascade-plan predicts the same.",
    ]
