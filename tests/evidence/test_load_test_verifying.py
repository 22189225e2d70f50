"""A measured run is judged by what it shows, compared with the plan, and explained only where that is sound."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from factories import make_plan, make_scenario
from hypothesis import given
from hypothesis import strategies as st
from runs import k6_load, k6_summary, locust_history, locust_stats, make_measurement

from cascade_plan import registry
from cascade_plan.cli.app import run
from cascade_plan.errors import UsageError
from cascade_plan.evidence import verifying as measuring
from cascade_plan.evidence.deployed import Deployed, System, busy_shares, slowed
from cascade_plan.evidence.verifying import chosen, requests_per_s_asked, verify
from cascade_plan.model.measurement import Measurement, Percentile, Verification, exact
from cascade_plan.model.observation import CORES, REQUESTS_PER_S, Measure, Metrics
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.latencies import chain_for
from cascade_plan.planning.predicting import predict

USERS = 8000


@cache
def subject(p95: float = 200.0, p99: float | None = None, **changes: Any) -> Plan:
    load = {"users": 1000, "spawn_rate_per_s": 10.0, "duration_s": 600.0, "latency_ms_p95": p95, "latency_ms_p99": p99}
    scenario = make_scenario(loads={"normal": load, "peak": {**load, "users": USERS}}, gates={}, **changes)
    return make_plan(scenario, predicted=True)


def judged(measurement: Measurement, **changes: Any) -> Verification:
    return verify(subject(**changes), "normal", measurement)


def render(verification: Verification, name: str) -> str:
    text: str = registry.load("reports/verifications", name).render(verification)
    return text


def statuses(verification: Verification) -> dict[str, str]:
    verdicts = (*(each.verdict for each in verification.applied), *verification.verdicts)
    return {verdict.figure.partition(".")[0]: verdict.status for verdict in verdicts}


def findings(verification: Verification) -> dict[str, str]:
    return {finding.code: finding.message for finding in verification.findings}


def slower(scenario: Scenario, factor: float) -> Scenario:
    return slowed(scenario, dict.fromkeys(scenario.of("api"), factor))


def measured_at(factor: float, load: str = "peak", of: Plan | None = None) -> Measurement:
    """Return what a system whose CPU times are `factor` times the scenario's measures, were the model exact."""
    made = of or subject()
    slow, asked = slower(made.scenario, factor), made.scenario.loads[load]
    users, got = asked.users, predict(chain_for(slow, made.fleet, asked), asked.users)
    return make_measurement(
        got.latency_ms_p50, got.latency_ms_p95, got.latency_ms_p99, user_count=users,
        requests_per_s=got.requests_per_s, latency_ms_mean=got.latency_ms_mean,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- the limits


def test_a_run_that_keeps_every_limit_is_verified() -> None:
    verification = judged(make_measurement(p99=190.0), p99=300.0)
    assert statuses(verification) == dict.fromkeys(
        ("user_count", "duration_s", "requests_per_s", "latency_ms_p95", "latency_ms_p99", "failure_ratio"), "pass"
    )
    assert (verification.verified, verification.status) == (True, "verified")


@pytest.mark.parametrize(
    ("figure", "changes"),
    [
        ("latency_ms_p95", {"p95": 200.0}),
        ("latency_ms_p99", {"p99": 300.0}),
        ("failure_ratio", {"failure_count": 3001}),
        ("user_count", {"user_count": 999}),
        ("duration_s", {"held_s": 597.9}),
        ("requests_per_s", {"requests_per_s": 432.0}),
        ("dropped_ratio", {"dropped_count": 302}),
    ],
)
def test_one_limit_missed_is_not_verified(figure: str, changes: dict[str, Any]) -> None:
    verification = judged(make_measurement(**{"p99": 190.0, **changes}), p99=300.0)
    assert {name for name, status in statuses(verification).items() if status != "pass"} == {figure}
    assert statuses(verification)[figure] == "fail"
    assert (verification.verified, verification.status) == (False, "failed")


@pytest.mark.parametrize(
    ("p95", "rounding", "status"),
    [(190.0, 5.0, "pass"), (200.0, 5.0, "unjudged"), (195.0, 5.0, "unjudged"), (210.0, 5.0, "fail"),
     (199.0, 0.5, "pass"), (200.0, 0.0, "fail"), (205.0, 5.0, "fail")],
)  # fmt: skip
def test_rounding_decides_only_what_it_can(p95: float, rounding: float, status: str) -> None:
    verification = judged(make_measurement(p95=p95, rounding=rounding))
    assert statuses(verification)["latency_ms_p95"] == status
    assert verification.verified == (status == "pass")
    assert ("rounding" in findings(verification)) == (status == "unjudged")


def test_a_percentile_the_results_do_not_tell_is_not_verified() -> None:
    verification = judged(make_measurement(p99=None), p99=300.0)
    assert statuses(verification)["latency_ms_p99"] == "unjudged"
    assert not verification.verified


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"user_count": None}, "users"),
        ({"held_s": None}, "duration"),
        ({"requests_per_s": None}, "requests/s"),
        ({"failure_count": None}, "failure_ratio.normal"),
        ({"unanswered_told": False}, "failure_ratio.normal"),
        ({"user_count": None, "held_s": None}, "users, duration"),
    ],
)
def test_what_the_results_do_not_tell_is_not_shown(changes: dict[str, Any], shown: str) -> None:
    verification = judged(make_measurement(**changes))
    assert (verification.status, verification.verified) == ("not_shown", False)
    assert f"\nnot shown: {shown}\n" in render(verification, "table")


def test_failures_that_are_known_to_be_too_many_are_a_miss_though_not_all_are_told() -> None:
    verification = judged(make_measurement(unanswered_told=False, failure_count=3001))
    assert statuses(verification)["failure_ratio"] == "fail"


# ------------------------------------------------------------------------------------------------------------ the load


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"requests_per_s": 13.3}, "13.3 requests/s of 480.1 asked"),
        ({"user_count": 990}, "990 users of 1,000 asked"),
        ({"held_s": 300.0}, "all users held for 300 s of 600"),
        ({"held_s": None, "run_s": 300.0}, "the whole run was 300 s of 600"),
        ({"dropped_count": 24_000, "iteration_count": 126_000}, "24,000 of 150,000 iterations were dropped"),
    ],
)
def test_a_load_that_was_not_applied_names_what_is_short(changes: dict[str, Any], words: str) -> None:
    verification = judged(make_measurement(**changes))
    assert verification.status == "failed"
    assert f"\nthe load was not applied: {words}\n" in render(verification, "table")
    assert "Gates, under less than the load asked" in render(verification, "table")


def test_the_rate_that_is_asked_is_the_operational_laws() -> None:
    """1,000 users who think 2 s and wait 83 ms send 480.1 requests/s; a tenth less is allowed."""
    assert requests_per_s_asked(subject().scenario, "normal", make_measurement())[0] == pytest.approx(1000 / 2.083)
    line = next(each.verdict for each in judged(make_measurement()).applied if "requests" in each.verdict.figure)
    assert line.limit == Decimal("432.1")
    assert line.reason == "1,000 users who think 2 s and wait 0.083 s send 480.1, less 10%"


def test_no_clock_is_so_coarse_that_it_shows_a_second_of_nothing() -> None:
    """A load of 1 s is within 2 s of any run: half of it must be seen."""
    load = {"users": 1000, "spawn_rate_per_s": 10.0, "duration_s": 1.0, "latency_ms_p95": 200.0}
    brief = make_plan(make_scenario(loads={"normal": load}, gates={}), predicted=True)
    assert statuses(verify(brief, "normal", make_measurement(held_s=0.0)))["duration_s"] == "fail"
    assert statuses(verify(brief, "normal", make_measurement(held_s=0.5)))["duration_s"] == "pass"


def test_users_who_wait_long_are_asked_for_less() -> None:
    slow = make_measurement(p95=2500.0, latency_ms_mean=2000.0, requests_per_s=250.0)
    assert statuses(judged(slow))["requests_per_s"] == "pass", "the load was applied: the system is slow"
    assert statuses(judged(slow))["latency_ms_p95"] == "fail"


def test_a_rate_of_the_whole_run_is_held_against_the_whole_run() -> None:
    """100 s of arrivals at half of the users on average, and 600 s of all: 650 of 700."""
    asked, why = requests_per_s_asked(subject().scenario, "normal", make_measurement(rate_includes_ramp=True))
    assert asked == pytest.approx(1000 / 2.083 * 650 / 700)
    assert why.endswith("send 480.1, with their ramp 445.8")


def test_tolerances_stand_where_they_are_used() -> None:
    text = render(judged(make_measurement(held_s=598.6, dropped_count=100)), "table")
    assert "✓ duration_s.normal >= 600 = 598.6 (598.6 s held, within 2 s of 600)\n" in text
    assert "(100 of 300,100 iterations, of which 0.1% may be dropped)" in text.replace("\n  ", " ")
    assert "less 10%)" in text.replace("\n  ", " ")


RANKS = {"failed": 0, "not_shown": 1, "verified": 2}


@given(
    st.fixed_dictionaries({
        "user_count": st.none() | st.integers(0, 2000),
        "held_s": st.none() | st.floats(0, 1000),
        "run_s": st.none() | st.floats(0, 1000),
        "requests_per_s": st.none() | st.floats(0, 1000),
        "dropped_count": st.none() | st.integers(0, 1000),
        "rate_includes_ramp": st.booleans(),
        "failure_count": st.none() | st.integers(0, 5000),
    }),
    st.sampled_from(("user_count", "held_s", "run_s", "requests_per_s", "dropped_count")),
    st.floats(0, 1),
)  # fmt: skip
def test_less_load_is_never_greener(run: dict[str, Any], what: str, share: float) -> None:
    if run[what] is None:
        return
    less = 2 * run[what] + 1 if what == "dropped_count" else type(run[what])(run[what] * share)
    before, after = judged(make_measurement(**run)), judged(make_measurement(**{**run, what: less}))
    assert RANKS[after.status] <= RANKS[before.status]


@given(st.sampled_from(("user_count", "held_s", "requests_per_s", "failure_count", "latency_ms_mean")))
def test_what_is_not_told_is_never_greener(what: str) -> None:
    before, after = judged(make_measurement()), judged(make_measurement(**{what: None}))
    assert RANKS[after.status] <= RANKS[before.status]


def test_gates_of_the_scenario_are_judged_too_and_none_twice() -> None:
    given = subject()
    gates = {"latency_ms_p50.normal": ["< 50"], "latency_ms_p95.normal": ["< 200", "<= 140"], "cost": ["< 1"]}
    own = replace(given, scenario=given.scenario.model_copy(update={"gates": gates}))
    found = [(v.figure, v.operator, v.limit) for v in verify(own, "normal", make_measurement()).verdicts]
    assert len(found) == len(set(found))
    assert {("latency_ms_p50.normal", "<", Decimal(50)), ("latency_ms_p95.normal", "<=", Decimal(140))} <= set(found)
    assert not [figure for figure, _, _ in found if figure == "cost"]


# ---------------------------------------------------------------------------------------------------- which load it was


def test_the_load_is_told_by_its_users() -> None:
    loads = subject().scenario.loads
    assert chosen(loads, {"": make_measurement(user_count=USERS)}, None)[0] == "peak"
    assert chosen(loads, {"": make_measurement(user_count=5)}, "peak")[0] == "peak"
    assert chosen(loads, {"normal": make_measurement()}, None)[0] == "normal"


@pytest.mark.parametrize(
    ("names", "users", "wanted", "message"),
    [
        (("",), 950, None, r"give --load NAME: the run had 950 users; the scenario's loads are normal \(1,000 "),
        (("",), None, None, "the run had an unknown number of users"),
        (("normal", "peak"), 1, None, "the results are of normal, peak"),
        (("other",), 1, None, "the results are of other"),
        (("normal",), 1, "peak", "--load peak: the results are of normal"),
        (("",), 1, "peka", r"--load peka: the scenario's loads are normal \(1,000 users\).*did you mean 'peak'\?"),
    ],
)  # fmt: skip
def test_no_telling_which_load_it_was(names: tuple[str, ...], users: int, wanted: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chosen(subject().scenario.loads, {name: make_measurement(user_count=users) for name in names}, wanted)


def test_two_loads_of_the_same_users_are_not_told_apart() -> None:
    load = subject().scenario.loads["normal"]
    with pytest.raises(UsageError, match="give --load NAME"):
        chosen({"a": load, "b": load}, {"": make_measurement()}, None)


# ----------------------------------------------------------------------------------------------------- the predictions


def test_what_was_predicted_stands_beside_what_was_measured() -> None:
    verification = verify(subject(), "peak", measured_at(1.0))
    assert [one.figure.partition(".")[0] for one in verification.comparisons] == [
        "latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "requests_per_s"
    ]  # fmt: skip
    assert all(one.difference_ratio == pytest.approx(0, abs=1e-9) for one in verification.comparisons)
    assert not [finding for finding in verification.findings if finding.code == "prediction"]


def test_rounding_is_no_difference() -> None:
    predicted = float(subject().figures["latency_ms_p50.normal"].value)
    run_of = make_measurement(p50=predicted * 1.3)
    assert judged(run_of).comparisons[0].beyond_tolerance
    p50 = Percentile(predicted * 1.3, predicted * 1.1, predicted * 1.5)
    rounded = replace(run_of, percentiles={**run_of.percentiles, "p50": p50})
    assert not judged(rounded).comparisons[0].beyond_tolerance


def busy_at(factor: float, load: str = "peak", of: Plan | None = None) -> dict[str, float]:
    """Return how busy the services of such a system are, as their CPU's own figures tell it."""
    made = of or subject()
    slow, asked = slower(made.scenario, factor), made.scenario.driven[load]
    shares = predict(chain_for(slow, made.fleet, asked), asked.users).utilisation_ratio
    return {name: shares[name] for name in made.scenario.of("api")}


@pytest.mark.parametrize("factor", [0.5, 1.7, 2.5])
@pytest.mark.parametrize("load", ["normal", "peak"])
def test_cpu_times_follow_from_how_busy_the_pods_were(factor: float, load: str) -> None:
    """By the utilisation law, at any load and any factor: nothing is fitted to a response time."""
    found = findings(verify(subject(), load, measured_at(factor, load), busy=busy_at(factor, load)))["cpu-time"]
    told = re.search(
        r"a request took (\S+) ms of its CPU, and the scenario says 1 \((.*?)\): set .* read (\S+), write (\S+),", found
    )
    assert told is not None
    for number in (told[1], told[3], told[4]):
        assert float(number) == pytest.approx(factor, rel=0.01)


def test_the_p95_does_not_move_the_cpu_time() -> None:
    """The same busy share and rate are the same CPU time, whatever the answers took."""
    slow = measured_at(1.7)
    late = {name: exact(one.latency_ms * 5) for name, one in slow.percentiles.items()}
    told = [
        findings(verify(subject(), "peak", each, busy=busy_at(1.7)))["cpu-time"]
        for each in (slow, replace(slow, percentiles=late))
    ]
    assert told[0] == told[1]


def test_with_its_cpu_time_a_run_is_predicted_as_it_was_measured() -> None:
    measurement = measured_at(1.7)
    message = findings(verify(subject(), "peak", measurement, busy=busy_at(1.7)))["cpu-time"]
    assert f"p95 is then predicted at {measurement.percentiles['p95'].latency_ms:.3g} ms" in message


def test_of_several_services_each_has_its_own() -> None:
    find = {"weight": 1.0, "request": "GET /found", "at": "search", "cpu_ms": 2.0}
    several = subject.__wrapped__(**{"tiers.search": {"kind": "api"}, "behaviour.actions.find": find})
    busy = busy_at(2.0, of=several)
    said = [each.message for each in verify(several, "peak", measured_at(2.0, of=several), busy=busy).findings]
    told = [message for message in said if "a request took" in message]
    assert [message.split()[0] for message in told] == ["api", "search"]
    assert "a request took 2 ms" in told[0]
    assert "a request took 4 ms" in told[1]


def test_without_the_busy_share_it_is_asked_for() -> None:
    message = findings(verify(subject(), "peak", measured_at(2.5)))["prediction"]
    assert "how busy the pods were tells whether it is the CPU time (predicted: api " in message
    assert message.endswith("give --busy api=SHARE, or --metrics FILE")
    assert "cpu-time" not in findings(verify(subject(), "peak", measured_at(2.5)))


def test_a_cpu_time_that_is_the_scenarios_says_that_the_delay_is_elsewhere() -> None:
    verification = verify(subject(), "normal", delayed("normal", 30), busy=busy_at(1.0, "normal"))
    assert "the CPU times are the scenario's, so that the delay is elsewhere" in findings(verification)["prediction"]
    assert [each.severity for each in verification.findings if each.code == "cpu-time"] == ["info"]


def test_metrics_tell_the_busy_share_with_an_interval() -> None:
    share, rate = busy_at(1.7)["api"], measured_at(1.7).requests_per_s
    made = subject()
    cores = share * System(made.scenario, made.fleet).capacity_cores("api", USERS, "peak")
    noise = [1 + 0.1 * (-1) ** second for second in range(40)]
    series = {
        Measure(CORES, "api"): tuple(cores * each for each in noise),
        Measure(REQUESTS_PER_S): (rate or 0.0,) * 40,
    }
    metrics = Metrics(tuple(float(second) for second in range(40)), 1.0, series)
    message = findings(verify(made, "peak", measured_at(1.7), metrics=metrics))["cpu-time"]
    assert re.search(r"a request took 1\.7 ms of its CPU \(1\.\d+ to 1\.\d+\)", message)


def test_the_predictions_are_of_the_fleet_that_ran() -> None:
    made = subject()
    one = Deployed({"api": 1}, {"api": 1.0})
    verification = verify(made, "normal", measured_at(1.0, "normal"), one)
    real = predict(System(made.scenario, made.fleet, one).chain(made.scenario, 1000, "normal"), 1000)
    shown = {each.figure.partition(".")[0]: each.value_predicted for each in verification.comparisons}
    assert shown["latency_ms_p95"] == real.latency_ms_p95 != made.figures["latency_ms_p95.normal"].value


def test_without_a_service_nothing_is_predicted_and_the_measured_is_judged() -> None:
    verification = verify(subject(**{"tiers.api": "off"}), "peak", measured_at(2.0))
    assert not verification.comparisons
    assert "prediction" not in findings(verification)
    assert verification.verdicts


def test_the_fleet_is_the_plans_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sized again: the fleet that was planned is the one that is judged."""
    made, measurement, busy = subject(), measured_at(1.7), busy_at(1.7)

    def size(*_: object) -> None:
        raise AssertionError("sized again")

    monkeypatch.setattr("cascade_plan.planning.sizing.size", size)
    assert "prediction" in findings(verify(made, "peak", measurement, busy=busy))


def delayed(load: str, delay_ms: float) -> Measurement:
    """Return what a system measures whose every answer comes later than predicted, by no work of its own."""
    quick = measured_at(1.0, load)
    assert quick.latency_ms_mean is not None
    mean_ms = quick.latency_ms_mean + delay_ms
    late = {name: exact(one.latency_ms + delay_ms) for name, one in quick.percentiles.items()}
    rate = subject().scenario.loads[load].users / (2.0 + mean_ms / 1000)
    return replace(quick, percentiles=late, requests_per_s=rate, latency_ms_mean=mean_ms)


@pytest.mark.parametrize(
    ("given", "found"),
    [(["0.55"], 0.55), (["55%"], 0.55), (["api=0.2"], 0.2), (["api=100%"], 1.0)],
)
def test_a_busy_share_is_a_share_or_a_percentage(given: list[str], found: float) -> None:
    assert busy_shares(subject().scenario, given) == {"api": found}


@pytest.mark.parametrize("given", ["55", "api=1.2", "api=-1", "half", "web=0.5", "x%"])
def test_what_is_no_busy_share_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"^--busy "):
        busy_shares(subject().scenario, [given])


def test_a_generator_that_does_not_keep_up_is_found() -> None:
    """1,000 users who think 2 s and wait 83 ms send 480 requests/s, whatever the system."""
    assert "generator" not in findings(judged(make_measurement()))
    message = findings(judged(make_measurement(requests_per_s=300.0)))["generator"]
    assert message.startswith("1,000 users who think 2 s and wait 0.083 s send 480.1 requests/s, but 300 were measured")


def test_users_who_think_less_are_not_laid_to_the_generator() -> None:
    message = findings(judged(make_measurement(requests_per_s=900.0)))["generator"]
    assert message.endswith("its users think less than the scenario's behaviour.think_time_s")


def test_a_run_of_other_users_is_not_compared() -> None:
    verification = judged(make_measurement(user_count=900))
    assert verification.comparisons == ()
    message = findings(verification)["users"]
    assert message == "predictions are of 1,000 users, and the run had 900: not compared"
    assert judged(make_measurement(user_count=990)).comparisons


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"includes": ("the ramp", "logins")},
            "the percentiles count the ramp and logins: the limits are for the rest",
        ),
        ({"may_include": ("logins",)}, "whether the percentiles count logins is not told: the limits are for the rest"),
        (
            {"includes": ("the ramp",), "may_include": ("logins",)},
            "the percentiles count the ramp; whether they count logins is not told: the limits are for the rest",
        ),
    ],
)
def test_what_the_percentiles_count_beside_actions_is_said_once(changes: dict[str, Any], message: str) -> None:
    verification = judged(make_measurement(**changes))
    assert findings(verification)["included"] == message
    assert "emitted load tests" not in render(verification, "table")


def test_of_the_emitted_tests_own_results_nothing_is_said_to_be_included() -> None:
    assert "included" not in findings(judged(make_measurement()))


def test_each_result_says_what_it_tells_and_what_not() -> None:
    message = findings(judged(make_measurement(user_count=None, remarks=("a remark",))))["results"]
    assert message == (
        "told by Locust's --csv files: duration, requests/s, failures, p50, p95; not told: users, p99; a remark"
    )


def test_a_load_that_was_not_applied_explains_no_prediction() -> None:
    """CPU times fitted to 13 requests/s of 480 would be those of another system."""
    assert "prediction" not in findings(judged(make_measurement(p95=190.0, requests_per_s=13.3)))


# ------------------------------------------------------------------------------------------------------------- reports


def test_table() -> None:
    text = render(judged(make_measurement(p95=210.0)), "table")
    assert text.startswith(
        "Not verified: test, load normal, by Locust (run_stats.csv): 1,000 users, 600 s,\n  300,000 "
    )
    assert "\n✗ latency_ms_p95.normal < 200 = 210\n" in text
    assert "\nmissed: latency_ms_p95.normal\n" in text
    assert "\nfigure                 predicted  measured  difference  unit\n" in text
    assert max(map(len, text.splitlines())) <= 80


def test_what_is_off_by_much_is_told_in_times() -> None:
    """10776 % tells nobody anything, and 1.1e+02 x no more."""
    predicted = float(subject().figures["latency_ms_p95.normal"].value)
    verification = judged(make_measurement(p95=predicted * 108.76, requests_per_s=440.0))
    assert [line for line in render(verification, "table").splitlines() if " 109 x ! " in line]
    assert "latency_ms_p95.normal 109 x" in findings(verification)["prediction"]


def test_json_is_json_and_complete() -> None:
    document = json.loads(render(judged(make_measurement()), "json"))
    assert document["verified"] is True
    assert (document["status"], document["reasons"]) == ("verified", [])
    p95 = {"latency_ms": 150.0, "latency_ms_max": 150.0, "latency_ms_min": 150.0}
    assert document["measurement"]["percentiles"]["p95"] == p95
    assert document["applied"][0] == {
        "figure": "user_count.normal", "limit": 1000.0, "operator": ">=", "reason": "", "status": "pass",
        "value": 1000, "interval": None, "words": "1,000 users of 1,000 asked",
    }  # fmt: skip
    assert document["verdicts"][0] == {
        "figure": "latency_ms_p95.normal", "limit": 200.0, "operator": "<", "reason": "", "status": "pass",
        "value": 150.0, "interval": None,
    }  # fmt: skip


def test_junit_fails_what_is_not_verified() -> None:
    suite = ElementTree.fromstring(render(judged(make_measurement(p95=200.0, rounding=5.0)), "junit"))[0]
    assert (suite.get("tests"), suite.get("failures")) == ("5", "1")
    (failure,) = suite.iter("failure")
    assert failure.get("type") == "not-judged"


@pytest.mark.parametrize("name", ["table", "markdown", "json", "junit"])
def test_hostile_text_stays_on_its_line(name: str) -> None:
    hostile = "a|b\n# c\x1b[31m</x>"
    text = render(judged(replace(make_measurement(), source=hostile)), name)
    assert "\n# c" not in text
    assert "\x1b" not in text


def test_unknown_format() -> None:
    with pytest.raises(UsageError, match=r"no format 'jsn' for verifications: known are json, .*; did you mean 'json'"):
        render(judged(make_measurement()), "jsn")


# ------------------------------------------------------------------------------------------------------ command line

PLATEAU = [(0, 0), *[(1000, 480 * second) for second in range(8)], *[(1000, 480 * second) for second in range(602)]]
"""A ramp of a second, 8 s to settle, and then all forgotten and 601 s of all users."""


def results(directory: Path, p95: float = 8, p99: float = 12, users: int = 1000) -> Path:
    """Write the files of a run of the bundled scenario's load normal, and return their prefix."""
    history = locust_history([(count and users, requests) for count, requests in PLATEAU])
    stats = locust_stats(p50=3, p95=p95, p99=p99, requests=480 * 601, rate=480.0, mean=4)
    (directory / "run_stats.csv").write_text(stats.text, encoding="utf-8")
    (directory / "run_stats_history.csv").write_text(history.text, encoding="utf-8")
    (directory / "run_failures.csv").write_text(
        "Method,Name,Error,Occurrences,First Seen,Last Seen\n", encoding="utf-8"
    )
    return directory / "run"


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = run(["verify", arguments[0], "cascade", *arguments[1:]])
    return status, *capsys.readouterr()


@pytest.mark.parametrize("given", ["run", "run_stats.csv", "run_stats_history.csv", ""])
def test_prefix_file_and_directory_are_the_same(given: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results(tmp_path)
    status, out, err = called(capsys, str(tmp_path / given))
    assert (status, err) == (0, ""), out
    assert out.startswith("Verified: cascade, load normal, by Locust")
    assert "✓ duration_s.normal >= 600 = 601\n" in out


def test_a_missed_limit_exits_with_1_after_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = called(capsys, str(results(tmp_path, p95=230)), "--format", "markdown")
    assert status == 1
    assert "✗ latency_ms_p95.normal < 200 = 230".replace("<", "&lt;") in out


def test_k6_of_several_loads_asks_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = k6_summary(**k6_load("normal", requests=288_000), **k6_load("peak", users=10_000))
    (tmp_path / "summary.json").write_text(summary.text, encoding="utf-8")
    status, out, err = called(capsys, str(tmp_path))
    assert (status, out) == (2, "")
    assert err.startswith("error: give --load NAME: the results are of normal, peak; the scenario's loads are normal")
    status, out, _ = called(capsys, str(tmp_path / "summary.json"), "--load", "normal")
    assert (status, "by k6" in out) == (0, True)


LOCUST = locust_stats().text.partition("\n")[0].encode() + b"\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent", None, "no results at "),
        ("run_stats.csv", b"\x00\xff\xfe", "not the results of a load test that are read; verify reads hey's -o csv, "),
        ("run_stats.csv", b"a\x00b\n", "not the results of a load test"),
        ("run_stats.csv", b"", "the file is empty"),
        ("run_stats.csv", LOCUST + b"\xff\n", "run_stats.csv:2: not UTF-8 text"),
        ("other.txt", b"hello", "not the results of a load test that are read; verify reads "),
        ("summary.json", b"{}", "not the results of a load test that are read"),
        ("summary.json", b'{"metrics": {"vus', "summary.json:1:14: no JSON: Unterminated string"),
        ("summary.json", b"[" * 100_000, "no JSON that is read: nested too deep"),
        ("run_failures.csv", b"", "cannot read "),
    ],
)
def test_bad_input_gets_one_message(
    name: str, content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    status, out, err = called(capsys, str(tmp_path / name))
    assert (status, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_file_too_large_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cascade_plan.evidence import texts

    monkeypatch.setattr(texts, "MOST_BYTES", 100)
    status, _, err = called(capsys, str(results(tmp_path)))
    assert status == 2
    assert "larger than the 100 characters allowed" in err
    (tmp_path / "s.json").write_text(k6_summary(**k6_load("normal")).text, encoding="utf-8")
    monkeypatch.setattr(texts, "MOST_WHOLE", 100)
    status, _, err = called(capsys, str(tmp_path / "s.json"))
    assert (status, "larger than the 100 characters allowed" in err) == (2, True)


def test_results_come_from_standard_input_and_from_pipes_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import os
    import threading

    text = k6_summary(**k6_load("normal")).text
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    status, out, _ = called(capsys, "-", "--load", "normal")
    assert "by k6 (<stdin>)" in out.replace("\n  ", " ")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(text,))
    writer.start()
    assert called(capsys, str(tmp_path / "pipe"), "--load", "normal")[0] == status
    writer.join()


def test_a_directory_of_several_runs_asks_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results(tmp_path)
    (tmp_path / "other_stats.csv").write_text("x")
    status, _, err = called(capsys, str(tmp_path))
    assert status == 2
    assert "holds other_stats.csv, run_stats.csv: name one" in err
    for ending in ("_stats.csv", "_stats_history.csv"):
        (tmp_path / f"run{ending}").rename(tmp_path / f"normal{ending}")
    assert called(capsys, str(tmp_path), "--load", "normal")[0] == 0


def test_a_directory_of_none_says_what_it_wants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    err = called(capsys, str(tmp_path))[2]
    assert re.search(r"holds no \*\.csv and no .*\*_stats\.csv.*: name one", err)


def test_the_tolerance_is_wider_than_the_models_own_error() -> None:
    """docs/model.md: 5 % for whole requests."""
    assert measuring.TOLERANCE > 0.05
