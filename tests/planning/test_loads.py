"""Loads follow the users, the peak is in every plan, and nothing is judged that nobody asked."""

from __future__ import annotations

import pytest
from factories import make_plan, make_scenario
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Load
from cascade_plan.planning.pipeline import plan


def load(**values: float) -> dict[str, float]:
    return {"duration_s": 300.0, "latency_ms_p95": 300.0, **values}


def messages(made: Plan, code: str) -> list[str]:
    return [finding.message for finding in made.findings if finding.code == code]


@given(st.integers(1, 10**9), st.floats(1e-6, 100))
def test_a_share_is_of_the_peak_and_never_of_nobody(peak: int, share: float) -> None:
    driven = make_scenario(users__peak=peak, users__average=1, loads={"one": load(share=share, ramp_s=10.0)}).driven
    users = driven["one"].users
    assert max(1, share * peak - 1e-6) <= users <= share * peak + 1
    assert driven["one"].spawn_rate_per_s == pytest.approx(users / 10)


def test_an_absolute_load_stays_as_it_is() -> None:
    scenario = make_scenario(users__peak=50_000, loads={"one": load(users=1000, spawn_rate_per_s=10.0)})
    assert scenario.driven == {"one": Load(1000, 10.0, 300.0, 300.0, None, 0.01)}


@pytest.mark.parametrize(
    "values",
    [
        {"ramp_s": 1.0}, {"users": 5, "share": 0.5, "ramp_s": 1.0}, {"users": 5},
        {"users": 5, "ramp_s": 1.0, "spawn_rate_per_s": 1.0}, {"share": 0.0, "ramp_s": 1.0},
    ],
)  # fmt: skip
def test_users_and_their_coming_are_said_once(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        make_scenario(loads={"one": load(**values)})


def test_a_load_is_not_called_what_the_peak_is() -> None:
    with pytest.raises(ValidationError, match="users_peak is the peak itself"):
        make_scenario(loads={"users_peak": load(share=1.0, ramp_s=1.0)})


def test_more_users_are_judged_at_their_peak() -> None:
    """What the bundled system is judged for at 50,000 is what a load of 50,000 gives."""
    # A database whose disk bears 12,500 writes a second.
    bears = (("storage_gib", "400"), ("data_gib", "10"), ("shape", "db.r6g.4xlarge"))
    fifty = [("--peak", "users.peak", "50000"), ("--avg", "users.average", "12000"),
             *(("--set", f"tiers.database.{name}", value) for name, value in bears)]  # fmt: skip
    made = read("cascade", fifty)
    absolute = read("cascade", [*fifty, ("--set", "loads.peak.share", "null"), ("--set", "loads.peak.users", "50000")])
    figures, same = (plan(each.scenario, each.book).figures for each in (made, absolute))
    assert made.scenario.driven["peak"].users == 50_000
    for figure in ("latency_ms_p95.peak", "latency_ms_p99.peak", "requests_per_s.peak", "latency_ms_p95.users_peak"):
        assert figures[figure].value == same[figure].value
    assert figures["requests_per_s.peak"].value > 24_000


def test_the_peak_is_in_every_plan_and_a_plan_without_its_load_says_so() -> None:
    made = make_plan(predicted=True, loads={"half": load(share=0.5, ramp_s=10.0)})
    p95 = made.figure("latency_ms_p95.users_peak")
    assert messages(made, "peak-not-driven") == [
        "no load drives the 10,000 users of the peak: half drives 5,000, and its limits say nothing of the peak, where "
        f"p95 is {p95:,.4g} ms; share: 1.0 makes a load follow the peak"
    ]
    (none,) = messages(make_plan(predicted=True, loads={}, gates={}), "peak-not-driven")
    assert none.startswith("no load is given, so that no latency is judged; p95 with all 10,000 users acting is ")
    assert not messages(make_plan(predicted=True, loads={"all": load(share=1.0, ramp_s=10.0)}), "peak-not-driven")


def test_a_gate_hides_no_limit_of_a_load_or_of_the_budget() -> None:
    made = make_plan(
        loads={"all": load(share=1.0, ramp_s=10.0)},
        gates={"latency_ms_p95.all": ["< 9000"], "cost_usd_per_1000_users_month": ["< 9000", "< 50.0"]},
    )
    limits = [(v.figure, v.operator, float(v.limit)) for v in made.verdicts]
    assert limits == [
        ("cost_usd_per_1000_users_month", "<", 9000), ("cost_usd_per_1000_users_month", "<", 50),
        ("latency_ms_p95.all", "<", 9000), ("latency_ms_p95.all", "<", 300),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("budget", "judged"),
    [
        (None, {}),
        ({"users": "average"}, {}),
        ({"usd_per_1000_users_month": 60.0}, {"cost_usd_per_1000_users_month": 60}),
        ({"usd_per_month": 900.0}, {"cost_usd_per_month.average": 900}),
        ({"usd_per_month": 900.0, "level": "ceiling"}, {"cost_usd_per_month.ceiling": 900}),
        (
            {"usd_per_month": 900.0, "usd_per_1000_users_month": 60.0},
            {"cost_usd_per_month.average": 900, "cost_usd_per_1000_users_month": 60},
        ),
    ],
)
def test_only_a_budget_that_is_given_is_judged(budget: dict[str, object] | None, judged: dict[str, float]) -> None:
    made = make_plan(budget=budget)
    assert {v.figure: float(v.limit) for v in made.verdicts if v.figure.startswith("cost_")} == judged
