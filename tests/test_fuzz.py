"""Scenarios changed by chance get an answer or a refusal, in CI the same ones every time; and the fuzzer finds faults.

A long run by hand is `make fuzz`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import fuzzing
import pytest
import yaml
from fuzzing import Limits, bundled, drawn, examined, smallest, told

from cascade_plan import registry
from cascade_plan.errors import CascadePlanError
from cascade_plan.inputs.scenarios import read

PARTS = 8
"""The cases are in so many parts, which run side by side."""
CASES = 15 if os.environ.get("CI") else 4
"""Cases of a part: a minute and a quarter of two processors in all in CI."""
FIRST = 1 if os.environ.get("CI") else random.SystemRandom().randrange(10**9)


@pytest.mark.parametrize("part", range(PARTS))
def test_what_the_schema_accepts_gets_an_answer_or_a_refusal(part: int, request: pytest.FixtureRequest) -> None:
    for seed in range(FIRST + part * CASES, FIRST + (part + 1) * CASES):
        case = drawn(seed)
        if fault := examined(case.text, seed):
            pytest.fail(told(smallest(case, fault), fault))


def test_a_seed_is_a_case() -> None:
    assert [drawn(seed).text for seed in range(40)] == [drawn(seed).text for seed in range(40)]
    assert len({drawn(seed).text for seed in range(40)}) > 35


def test_every_kind_of_field_is_drawn_and_many_cases_are_accepted(tmp_path: Any) -> None:
    accepted, path = 0, tmp_path / "scenario.yaml"
    for seed in range(60):
        path.write_text(drawn(seed).text, encoding="utf-8")
        try:
            read(str(path))
            accepted += 1
        except CascadePlanError:
            pass
    assert accepted > 20
    changed = {".".join(map(str, edit.place)) for seed in range(3000) for edit in drawn(seed).edits}
    assert {"users.peak", "method", "tiers.database.read_ms", "tiers.api.pod.cpu_cores", "loads.peak.duration_s",
            "behaviour.think_time_s.min", "tiers.monitoring.series_per_node"} <= changed  # fmt: skip


def failing(error: BaseException) -> Callable[..., str]:
    def render(*arguments: object, **options: object) -> str:
        raise error

    return render


def rendering(text: str) -> Callable[..., str]:
    return lambda *arguments, **options: text


@pytest.mark.parametrize(
    ("render", "kind"),
    [
        (failing(ZeroDivisionError("x")), "ZeroDivisionError after report answer"),
        (failing(MemoryError()), "memory after report answer"),
        (failing(fuzzing.OutOfTimeError()), "more than 60 s after report answer"),
        (rendering("a,b\n1"), "report csv: does not parse"),
        (rendering("a,b\n1,\x1b[31m\n"), "report csv: a control character"),
        (rendering("a\n::error::pwned\n"), "report csv: a text of the input is a line of its own"),
        (rendering("a\n-0.000\n"), "report csv: negative zero"),
        (rendering("a\nnan\n"), "report csv: not a number"),
    ],
)
def test_a_fault_is_found(render: Callable[..., str], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.load("reports/plans", "csv"), "render", render)
    fault = examined(yaml.safe_dump(bundled("startup-1k")))
    assert fault is not None
    assert fault.kind.startswith(kind)


def test_work_without_end_is_ended_and_memory_without_bounds_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*arguments: object, **options: object) -> str:
        while True:
            pass

    def boundless(*arguments: object, **options: object) -> str:
        return "x" * 2**33

    for render, kind in ((endless, "more than 0.5 s after"), (boundless, "memory after report answer")):
        monkeypatch.setattr(registry.load("reports/plans", "csv"), "render", render)
        fault = examined(yaml.safe_dump(bundled("startup-1k")), 0, Limits(0.5))
        assert fault is not None
        assert fault.kind.startswith(kind)


def test_a_fault_is_shown_with_what_it_needs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def render(plan: Any, **options: object) -> str:
        if plan.scenario.users.peak > 1000:
            raise ZeroDivisionError
        return ""

    monkeypatch.setattr(registry.load("reports/plans", "csv"), "render", render)
    edits = (fuzzing.Edit(("rounding",), "down"), fuzzing.Edit(("users", "peak"), 4000), fuzzing.Edit(("gates",), {}))
    case = fuzzing.Case("startup-1k", edits, 1)
    fault = examined(case.text, 1)
    assert fault is not None
    assert [edit.place for edit in smallest(case, fault).edits] == [("users", "peak")]
    assert "users.peak: 4000" in told(smallest(case, fault), fault)
