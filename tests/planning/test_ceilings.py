"""One fleet, one answer: what breaks a ceiling is said by plans, by the method slo and by simulated days alike."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.ceilings import broken, requests_per_s_most
from cascade_plan.planning.pipeline import plan

Run = Callable[..., tuple[int, str, str]]
UNEVEN = {
    "tiers.database.data_gib": "90",
    "tiers.database.hot_data_ratio": "0.8",
    "tiers.cache.hit_ratio": "0.5",
    "tiers.database.provisioned_operations_per_s": "3000",
}
"""Reads that neither the cache nor the memory answers: 3,750/s x 2 pages x 0.77 on one replica."""
PINNED = UNEVEN | {"tiers.database.replicas": "1"}


def flags(values: dict[str, str]) -> list[str]:
    return [flag for path, value in values.items() for flag in ("--set", f"{path}={value}")]


def planned(values: dict[str, str], *, predicted: bool = False) -> Plan:
    given = read("cascade", [(f"--set {path}", path, value) for path, value in values.items()])
    return plan(given.scenario, given.book, predicted=predicted)


def test_the_rate_that_a_fleet_bears_is_where_its_first_ceiling_breaks() -> None:
    fleet = planned(PINNED).fleet
    most = requests_per_s_most(fleet, {})
    assert 0 < most < 5000
    assert not broken(fleet, most * 0.999, 0, {})
    assert "each replica is asked" in broken(fleet, most * 1.001, 0, {})
    assert requests_per_s_most(fleet, {"database.replica_count": 4}) > most


def test_the_method_takes_the_replicas_that_a_disk_needs() -> None:
    by_rules = planned(UNEVEN)
    by_slo = planned(UNEVEN | {"method": "slo", "tiers.database.commit_ms": "1"})
    assert any(finding.code == "disk-operations" for finding in by_rules.findings)
    assert not any(finding.code == "disk-operations" for finding in by_slo.findings)
    # 2,150 of 3,000 operations are the writes': what is left for reads takes seven replicas, and zones may be lost.
    assert by_slo.figure("database.replica_count") >= 7
    assert "is asked" in by_slo.figures["database.replica_count"].note


@pytest.mark.parametrize("command", ["size", "simulate"])
def test_a_plan_and_its_days_say_what_breaks(cascade: Run, command: str) -> None:
    _, out, err = cascade(command, "cascade", *flags(PINNED), "--format", "json")
    assert "each replica is asked" in out, err
    if command == "simulate":
        document = json.loads(out)
        (limit,) = document["limits"]
        assert "min a day are above that" in limit


def test_requests_one_by_one_say_what_breaks(cascade: Run) -> None:
    _, _, err = cascade("simulate", "cascade", *flags(PINNED), "--requests", "500")
    assert "load peak: each replica is asked" in err
    assert "load normal: each" not in err


def test_the_method_ends_where_nothing_helps(cascade: Run) -> None:
    status, out, err = cascade("size", "cascade", "--method", "slo", *flags(PINNED))
    assert (status, out) == (4, "")
    assert "GiB of gp3 do 3,000" in err


def test_nothing_is_said_of_a_fleet_that_bears_its_loads(cascade: Run) -> None:
    _, out, _ = cascade("simulate", "cascade", "--format", "json")
    assert json.loads(out)["limits"] == []
    assert not broken(planned({}).fleet, 5000, 150, {})


def test_nodes_that_are_busier_than_their_credits_are_for_are_said() -> None:
    """150 requests/s on average of 20 ms are 3 cores, of two t3.medium with 4 vCPU: 75%, and 20% is earned."""
    values = {
        f"behaviour.actions.{name}.cpu_ms": "20" for name in ("list_workrooms", "create_message", "upload_resource")
    }
    nodes = {"tiers.api.shape": "t3.medium", "tiers.api.nodes": "{min: 2, base: 2, max: 2}"}
    nodes["behaviour.measured_on"] = "t3.medium"
    made = planned(values | nodes)
    (message,) = [finding.message for finding in made.findings if finding.code == "cpu-credits"]
    assert message == (
        "t3.medium earns credits for 20% of its 2 vCPU, and requests keep the api nodes 75% busy on average: "
        "1,606 vCPU-hours a month are billed at $0.05, $80.30"
    )
    (line,) = [item for item in made.bill.items if "CPU credits" in item.name]
    assert float(line.cost_usd.average) == pytest.approx(80.30)
    assert not [finding for finding in planned(nodes).findings if finding.code == "cpu-credits"]


def test_credits_are_billed_at_the_peak_though_the_most_nodes_need_none() -> None:
    """A quarter busy at the peak on as many nodes as it asks for, a sixth on half as many more: a fifth is earned."""
    values = {
        f"behaviour.actions.{name}.cpu_ms": "4" for name in ("list_workrooms", "create_message", "upload_resource")
    }
    made = planned(
        values
        | {"tiers.api.shape": "t3.medium", "tiers.api.nodes": "{min: 2, base: 4, max: 6}"}
        | {"behaviour.measured_on": "t3.medium"}
    )
    (line,) = [item for item in made.bill.items if item.name == "api nodes CPU credits"]
    assert line.quantity.ceiling == line.quantity.average == 0
    # 500 requests/s of 4 ms are 2 cores of 8, and 1.6 are earned: 0.4 x 730 h.
    assert float(line.quantity.peak) == pytest.approx(0.4 * 730)


def test_what_is_broken_is_the_first_that_a_screen_says(cascade: Run) -> None:
    copies = {"tiers.cache.nodes": "6", "tiers.cache.replicas_per_master": "1"}
    _, out, _ = cascade("size", "cascade", *flags(PINNED | copies))
    first = next(line for line in out.splitlines() if line.startswith("  ! "))
    assert first.startswith("  ! each replica is asked")


def test_a_load_beyond_a_ceiling_keeps_no_limit_on_its_latency() -> None:
    """10,000 users of whom the disk lets X pass a second wait 10,000 / X - 2 s on average: the law of response time."""
    made = planned(PINNED, predicted=True)
    most = requests_per_s_most(made.fleet, {})
    assert made.figure("requests_per_s.peak") == pytest.approx(most)
    waiting_ms = (10_000 / most - 2) * 1000
    assert waiting_ms > 500
    for figure in ("latency_ms_p50.peak", "latency_ms_p95.peak", "latency_ms_p99.peak"):
        assert made.figure(figure) >= waiting_ms - 1e-6
        assert "each replica is asked" in made.figures[figure].note
    missed = {verdict.figure for verdict in made.verdicts if verdict.status == "fail"}
    assert {"latency_ms_p95.peak", "latency_ms_p99.peak"} <= missed
    assert "latency_ms_p95.normal" not in missed


def test_a_read_that_its_memory_has_not_takes_the_disk_that_much_longer() -> None:
    """Lists alone, each of 2 reads of 2 pages, of which without skew 1 - 21.84 / 100 are missed and wait 5 ms."""
    values = {
        "tiers.database.storage_gib": "400", "tiers.database.hot_data_ratio": "0.8", "tiers.cache": "off",
        "tiers.websocket": "off", "tiers.database.disk_read_ms": "5", "users.peak": "500", "users.average": "100",
        "tiers.pool.connections": "200",
        "behaviour.actions.create_message.weight": "0.000001", "behaviour.actions.upload_resource.weight": "0.000001",
    }  # fmt: skip
    kept, missed = (
        planned(values | {"tiers.database.data_gib": gib}, predicted=True).figure("requests_per_s.users_peak")
        for gib in ("10", "100")
    )
    # X = N / (Z + R): what R grows by is told by the rates.
    assert 500 / missed - 500 / kept == pytest.approx(2 * 2 * (1 - 21.84 / 100) * 0.005, rel=0.02)


@pytest.mark.parametrize("response_bytes", [200_000, 1_000_000, 3_000_000])
def test_the_hours_of_a_day_above_a_ceiling_are_held_against_its_burst(response_bytes: int) -> None:
    """The busiest run of hours, across midnight too, counted in a string of them."""
    path = "behaviour.actions.list_workrooms.response_bytes"
    made = planned({path: str(response_bytes), "loads.peak.duration_s": "60", "users.active_share": "1.0"})
    (ceiling,) = [each for each in made.fleet.ceilings if each.code == "cache-network"]
    hours = made.traffic.hourly_users
    rates = [made.traffic.requests_per_s.peak * users / max(hours) for users in hours]
    marks = "".join("+" if ceiling.broken(rate, {}) else "-" for rate in rates)
    run = max(map(len, (marks * 2).split("-"))) if "-" in marks else 24
    (finding,) = [each for each in made.findings if each.code == "cache-network"]
    assert run > 0
    if ceiling.asked(max(rates), {}) > ceiling.burst.limit:
        assert "even in a burst it does 1,192" in finding.message
    else:
        hours_said = "1 hour" if run == 1 else f"{run} hours"
        assert f"a burst of 1,192 lasts 5 minutes, the day's peak {hours_said}: then it is slowed" in finding.message
