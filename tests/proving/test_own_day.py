"""What is said of an autoscaler in a moment is what `simulate` finds, and what emit-k8s warns of."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from factories import make_plan
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.cli.app import run as cascade
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.proving.days import AS_GOOD_MINUTES, Order, simulate
from cascade_plan.proving.own_day import misses

BUSY = ("--peak", "50000", "--avg", "12000")
MORE = (("users.peak", "50000"), ("users.average", "12000"))


def planned(name: str, *sets: tuple[str, str]) -> Plan:
    found = read(name, tuple((f"--set {path}={value}", path, value) for path, value in sets))
    return plan(found.scenario, found.book, found.origins, predicted=False)


@pytest.mark.parametrize("name", bundled_scenarios())
def test_what_is_emitted_by_default_is_not_what_simulate_rejects(name: str) -> None:
    made = planned(name)
    assert misses(made) == ()
    for replay in simulate(made, Order()).replays:
        own = {outcome.policy: outcome for outcome in replay.outcomes}[replay.own]
        assert own.missed_minutes_per_day_mean <= replay.best.missed_minutes_per_day_mean + AS_GOOD_MINUTES
        # On the day of chat-40k no metric but requests adds a pod, and none is needed.
        if name not in ("cascade-as-written", "chat-40k"):
            assert replay.recommended == replay.own


@settings(max_examples=8)
@given(
    peak=st.sampled_from([10_000, 40_000, 90_000]),
    share=st.floats(0.1, 0.5),
    metrics=st.sampled_from([["cpu"], ["requests"], ["latency"], ["latency", "memory"], ["memory"]]),
    startup_s=st.sampled_from([5.0, 30.0, 240.0]),
)
def test_minutes_are_those_of_the_simulation(peak: int, share: float, metrics: list[str], startup_s: float) -> None:
    made = make_plan(
        users__peak=peak, users__average=int(peak * share), users__active_share=1.0, autoscaling__metrics=metrics,
        tiers__api__pod_startup_s=startup_s,
    )  # fmt: skip
    (replay,) = simulate(made, Order()).replays
    minutes = {outcome.policy: outcome.missed_minutes_per_day_mean for outcome in replay.outcomes}
    found = misses(made)
    if minutes["+".join(metrics)] < AS_GOOD_MINUTES:
        assert found == ()
        return
    (miss,) = found
    assert miss.missed_minutes == minutes[miss.own]
    if miss.better:
        assert miss.better_minutes == minutes[miss.better] < miss.missed_minutes
    else:
        assert min(minutes["cpu"], minutes["requests"]) > miss.missed_minutes - AS_GOOD_MINUTES


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cascade(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_emit_k8s_warns_of_a_policy_that_misses_and_names_the_one_that_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, err = run(capsys, "emit-k8s", "cascade-as-written", *BUSY)
    (replay,) = simulate(
        planned("cascade-as-written", ("users.peak", "50000"), ("users.average", "12000")), Order()
    ).replays
    minutes = {outcome.policy: outcome.missed_minutes_per_day_mean for outcome in replay.outcomes}
    assert status == 0
    assert "HorizontalPodAutoscaler" in out
    assert f"api: by latency+memory its HPA misses the p95 of 200 ms for {minutes['latency+memory']:.1f} minutes" in err
    assert "by cpu for 0.0: give --policy cpu" in err
    assert replay.recommended == "cpu"
    for arguments in (("cascade-as-written", *BUSY, "--policy", "cpu"), ("cascade", *BUSY)):
        assert "misses" not in run(capsys, "emit-k8s", *arguments)[2]


def test_emit_all_warns_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = run(capsys, "emit-all", "cascade-as-written", *BUSY, "-o", str(tmp_path / "deploy"))
    assert status == 0
    assert "api: by latency+memory its HPA misses the p95" in err


@pytest.mark.parametrize(
    ("policy", "kinds"),
    [
        ("cpu", ["cpu"]),
        ("latency", ["cascade_query_duration_seconds_p95"]),
        ("requests", ["cascade_requests_per_second"]),
        ("latency+memory", ["cascade_query_duration_seconds_p95", "memory"]),
        ("memory, cpu", ["memory", "cpu"]),
    ],
)
def test_the_policy_that_is_asked_for_is_emitted(
    capsys: pytest.CaptureFixture[str], policy: str, kinds: list[str]
) -> None:
    status, out, _ = run(capsys, "emit-k8s", "--policy", policy)
    assert status == 0
    (hpa,) = yaml.safe_load_all(out)
    found = [each["pods"]["metric"] if each["type"] == "Pods" else each["resource"] for each in hpa["spec"]["metrics"]]
    assert [each["name"] for each in found] == kinds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "cpy"], "--policy cpy: 'cpy' is no metric: known are latency, memory, cpu, requests"),
        (["--policy", ""], "'' is no metric"),
        (["--policy", "cpu+cpu"], "names cpu twice"),
        (["--policy", "latency", "--set", "tiers.monitoring=off"], "nothing serves latency: monitoring is off"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    status, out, err = run(capsys, "emit-k8s", *arguments)
    assert (status, out) == (2, "")
    assert message in err


def test_simulate_names_what_emits_its_recommendation(capsys: pytest.CaptureFixture[str]) -> None:
    shown = " ".join(run(capsys, "simulate", "cascade-as-written", *BUSY)[1].split())
    assert "cascade-plan emit-k8s --policy cpu emits it" in shown


def test_memory_that_stays_keeps_pods_and_costs_more() -> None:
    def cost(is_returned: str) -> float:
        rules = (("autoscaling.metrics", "[latency, memory]"), ("autoscaling.memory_is_returned", is_returned))
        made = planned("cascade", *MORE, *rules)
        (replay,) = simulate(made, Order(day_count=2)).replays
        return float(replay.outcomes[0].cost_usd_per_day)

    assert cost("false") > 1.4 * cost("true")
