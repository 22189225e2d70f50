"""Laws that hold for every scenario: monotone in users, exact bills, ordered bands, round trips, same bytes.

And for every set of tiers: what is off is spoken of nowhere and never costs more, services share the requests.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from read_reports import words_of

from cascade_plan import registry
from cascade_plan.clouds.aws.terms import terms, unfit
from cascade_plan.emitters.kubernetes import artefacts as k8s
from cascade_plan.formulas.profile import hourly_users
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan, from_json, to_json
from cascade_plan.model.scenario import PROFILES, Scenario
from cascade_plan.model.tier import Bought
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

peaks = st.integers(1, 3_000_000)
COUNTS = ("api.node_count.base", "api.node_count.max", "database.replica_count", "pool.connection_count",
          "cache.node_count", "websocket.node_count", "monitoring.series_count")  # fmt: skip
LEVELS = ("floor", "average", "peak", "ceiling")
STARTS = ("cascade", "cascade-as-written", "startup-1k", "growth-100k", "saas-300", "api-batch", "chat-40k")


@cache
def base(name: str = "cascade") -> Scenario:
    return read_scenario(name)[0]


def planned(scenario: Scenario, predicted: bool = True) -> Plan:
    return plan(scenario, bundled.book(scenario.cloud, scenario.region), predicted=predicted)


def document_of(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as a file would say it."""
    return scenario.model_dump(exclude_unset=True)


def without(scenario: Scenario, off: Collection[str]) -> Scenario:
    """Return a scenario with tiers off, and nobody asking for them."""
    document = document_of(scenario)
    tiers = {name: "off" if name in off else settings for name, settings in document["tiers"].items()}
    actions = {
        name: {
            key: value
            for key, value in action.items()
            if not (key == "jobs" and {*value} & {*off}) and not (key in ("at", "cache") and value in off)
        }
        for name, action in document["behaviour"]["actions"].items()
    }
    behaviour = {**document["behaviour"], "actions": actions}
    return Scenario.model_validate({**document, "tiers": tiers, "behaviour": behaviour})


def payments(what: str, engine: str, shape: object) -> st.SearchStrategy[Any]:
    """Terms, or shares of one, that something is sold by."""
    named = shape if isinstance(shape, str) else ""
    known = [term for term in terms(what) if not unfit(what, engine, named, (term,))]
    return st.sampled_from(known) | st.sampled_from(known[1:]).map(lambda term: {term: 0.5})


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Scenarios of every bundled region and several names, with users, terms, availability and behaviour drawn."""
    start = base(draw(st.sampled_from(STARTS)))
    peak = draw(st.integers(1, 500_000))
    start = start.with_users(peak, draw(st.integers(1, peak)))
    document = document_of(start)
    for name, tier in start.tiers.items():
        if isinstance(tier, Bought):
            document["tiers"][name]["purchase"] = draw(
                payments(tier.BOUGHT, getattr(tier, "engine", ""), getattr(tier, "shape", ""))
            )
            document["tiers"][name]["commitment_level"] = draw(st.sampled_from(LEVELS))
    if "websocket" in document["tiers"]:
        document["tiers"]["websocket"]["connections_per_user"] = draw(st.floats(0, 5))
    word = st.sampled_from(("minimal", "standard", "critical"))
    zones = st.fixed_dictionaries({"level": word, "zones": st.integers(1, 6), "multi_az": st.booleans()})
    return Scenario.model_validate(
        {
            **document,
            "name": draw(st.from_regex(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?", fullmatch=True)),
            "description": draw(st.text(max_size=100)),
            "region": draw(st.sampled_from(bundled.regions("aws"))),
            "rounding": draw(st.sampled_from(("up", "down"))),
            "availability": draw(word | zones),
        }
    )


@settings(max_examples=30)
@given(peaks, peaks, st.floats(0.05, 1))
def test_more_users_never_need_less(one: int, other: int, share: float) -> None:
    fewer, more = sorted((one, other))
    small, large = (planned(base().with_users(n, max(1, int(n * share)))) for n in (fewer, more))
    for name in COUNTS:
        assert small.figure(name) <= large.figure(name), name
    for level in ("peak", "ceiling"):
        assert small.figure(f"cost_usd_per_month.{level}") <= large.figure(f"cost_usd_per_month.{level}")


@settings(max_examples=30)
@given(st.integers(1, 100_000), st.data(), st.integers(2, 20))
def test_a_busier_day_of_the_same_shape_never_costs_less(peak: int, data: st.DataObject, times: int) -> None:
    average = data.draw(st.integers(1, peak))
    small, large = (planned(base().with_users(peak * n, average * n)).bill.effective_usd for n in (1, times))
    for level in LEVELS:
        # The hours of a day are rounded to a millionth of a user, which moves a bill by less than a cent.
        assert getattr(small, level) <= getattr(large, level) + Decimal("0.01")


@settings(max_examples=30)
@given(st.sampled_from(STARTS), peaks, peaks, st.floats(0.01, 1))
def test_a_higher_peak_alone_makes_the_floor_cheaper_by_what_is_metered_and_by_no_node(
    name: str, one: int, other: int, share: float
) -> None:
    fewer, more = sorted((one, other))
    small, large = (planned(base(name).with_users(n, max(1, int(fewer * share)))) for n in (fewer, more))
    assert min(large.traffic.hourly_users) <= min(small.traffic.hourly_users) + 1e-6
    counts = {group.name: group.count.floor for group in large.groups}
    assert all(group.count.floor <= counts[group.name] for group in small.groups)


@settings(max_examples=30)
@given(st.integers(2, 1_000_000), st.data())
def test_a_higher_average_never_costs_less(peak: int, data: st.DataObject) -> None:
    low, high = sorted(data.draw(st.tuples(st.integers(1, peak), st.integers(1, peak))))
    cheap, dear = (planned(base().with_users(peak, average)) for average in (low, high))
    assert cheap.figure("api.node_count.min") <= dear.figure("api.node_count.min")
    assert cheap.bill.effective_usd.average <= dear.bill.effective_usd.average + Decimal("0.01")


@settings(max_examples=40)
@given(peaks, st.integers(0, 5), st.integers(0, 5))
def test_more_replicas_never_cost_less(peak: int, one: int, other: int) -> None:
    document = document_of(base().with_users(peak, 1))
    few, many = (
        planned(
            Scenario.model_validate(
                {**document, "tiers": {**document["tiers"], "cache": {"replicas_per_master": count}}}
            )
        )
        for count in sorted((one, other))
    )
    assert few.figure("cache.master_count") == many.figure("cache.master_count")
    assert few.figure("cache.node_count") <= many.figure("cache.node_count")
    for level in LEVELS:
        assert getattr(few.bill.effective_usd, level) <= getattr(many.bill.effective_usd, level)


@settings(max_examples=80)
@given(scenarios())
def test_bill_is_the_exact_sum_of_its_lines(scenario: Scenario) -> None:
    made = planned(scenario)
    for level in LEVELS:
        total = sum((getattr(item.quantity, level) * item.price_usd for item in made.bill.items), Decimal(0))
        assert total == getattr(made.bill.effective_usd, level) == made.figure(f"cost_usd_per_month.{level}")
        listed = sum((getattr(item.quantity_used, level) * item.list_price_usd for item in made.bill.items), Decimal(0))
        assert listed == getattr(made.bill.list_usd, level)
    assert all(item.price_usd > 0 and item.source and item.as_of for item in made.bill.items)


@settings(max_examples=80)
@given(scenarios())
def test_band_is_ordered(scenario: Scenario) -> None:
    made = planned(scenario)
    for band in (made.bill.effective_usd, made.bill.list_usd, *(item.quantity for item in made.bill.items)):
        assert band.floor <= band.average <= band.peak <= band.ceiling


@settings(max_examples=80)
@given(scenarios())
def test_no_cost_gate_passes_on_an_incomplete_bill(scenario: Scenario) -> None:
    made = planned(scenario)
    if made.bill.unpriced:
        assert all(v.status != "pass" for v in made.verdicts if v.figure.startswith("cost_"))


@settings(max_examples=40)
@given(scenarios())
def test_plan_survives_json(scenario: Scenario) -> None:
    made = planned(scenario)
    text = to_json(made)
    assert from_json(text) == made
    assert to_json(from_json(text)) == text


@settings(max_examples=40)
@given(scenarios())
def test_same_input_same_bytes(scenario: Scenario) -> None:
    again = Scenario.model_validate(scenario.model_dump(exclude_unset=True))
    assert to_json(planned(scenario)) == to_json(planned(again))


@settings(max_examples=40)
@given(scenarios())
def test_emitted_yaml_parses_to_what_was_meant(scenario: Scenario) -> None:
    made = planned(scenario, predicted=False)
    parts = k8s.parts(made)
    parsed = list(yaml.safe_load_all(k8s.stream(made, [part.name for part in parts])))
    assert parsed == [part.document for part in parts] == list(k8s.objects(made).values())
    scalers = {each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in parsed if "Autoscaler" in each["kind"]}
    for service in made.fleet.of("api"):
        scaler = scalers[service.workloads[0].name]
        assert scaler["minReplicas"] == made.figure(f"{service.name}.replica_count.min")
        assert scaler["maxReplicas"] == made.figure(f"{service.name}.replica_count.max")


def spoken_of(made: Plan) -> set[str]:
    """Return the tiers that any part of a plan is of."""
    fleet = made.fleet
    names = {*fleet.tiers, *(item.tier for item in made.bill.items), *(line.tier for line in made.bill.unpriced)}
    names |= {each.tier for each in (*fleet.groups, *fleet.usages, *fleet.workloads)}
    names |= {lever.name.partition(".")[0] for lever in fleet.levers}
    names |= {name.partition(".")[0] for name in made.figures}
    for figure in made.figures.values():
        names |= {each.name.split(".")[1] for each in figure.inputs if each.name.startswith("tiers.")}
    return names | {finding.where.partition(".")[0] for finding in made.findings}


@settings(max_examples=60)
@given(st.sampled_from(STARTS), st.data())
def test_what_is_off_is_spoken_of_nowhere_and_never_costs_more(name: str, data: st.DataObject) -> None:
    whole = base(name)
    off = data.draw(st.sets(st.sampled_from(sorted(whole.tiers))))
    made, before = planned(without(whole, off)), planned(whole, predicted=False)
    assert set(made.fleet.tiers) == set(whole.tiers) - off
    assert not spoken_of(made) & off
    for level in LEVELS:
        assert getattr(made.bill.effective_usd, level) <= getattr(before.bill.effective_usd, level), level
    for form in registry.names("reports/plans"):
        assert registry.load("reports/plans", form).render(made)


PROGRAMS = {
    "websocket": "websocket", "cache": "redis|valkey", "database": "postgres|pgbouncer|rds", "pool": "pgbouncer",
    "monitoring": "prometheus",
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
@pytest.mark.parametrize("off", PROGRAMS)
def test_no_report_names_the_program_of_what_is_off(name: str, off: str) -> None:
    gone = {off, *(("pool", "worker", "queue") if off == "database" else ())}
    bare = {key: value for key, value in document_of(base(name)).items() if key not in ("gates", "description")}
    made = planned(without(Scenario.model_validate(bare), gone))
    for form in registry.names("reports/plans"):
        text = words_of(registry.load("reports/plans", form).render(made))
        named = re.findall(rf".*\b(?:{PROGRAMS[off]}).*", text, re.IGNORECASE)
        # Whose image asks PgBouncer how it is, the pool says.
        assert [line for line in named if "exporter_image" not in line] == [], form


@settings(max_examples=12)
@given(st.lists(st.tuples(st.floats(0.1, 10), st.integers(0, 3), st.floats(0.1, 20)), min_size=1, max_size=8))
def test_services_share_the_requests_and_each_has_figures_of_its_own(drawn: list[tuple[float, int, float]]) -> None:
    services = ("api", "search", "files", "admin")
    actions = {
        f"action_{number}": {"weight": weight, "request": "GET /x", "cpu_ms": cpu_ms, "at": services[index]}
        for number, (weight, index, cpu_ms) in enumerate(drawn)
    }
    document = document_of(base())
    document["behaviour"]["actions"] = actions
    document["tiers"] |= {name: {"kind": "api"} for name in services[1:]}
    made = planned(Scenario.model_validate(document))
    shares = made.traffic.service_share
    assert abs(sum(shares.values()) - 1) < 1e-9
    total = sum(weight for weight, _, _ in drawn)
    for index, name in enumerate(services):
        asked = sum(weight for weight, at, _ in drawn if at == index) / total
        assert abs(shares.get(name, 0.0) - asked) < 1e-9
        for leaf in ("node_count.base", "node_count.min", "node_count.max", "replica_count.max"):
            assert made.figure(f"{name}.{leaf}") >= 1
        assert [group.name for group in made.groups if group.tier == name] == [f"{name} nodes"]
        assert [item for item in made.bill.items if item.tier == name]
    alone = planned(
        Scenario.model_validate(
            {
                **document,
                "tiers": {**document_of(base())["tiers"]},
                "behaviour": {**document["behaviour"], "actions": _at_one(actions)},
            }
        )
    )
    for leaf in ("node_count.base", "node_count.max"):
        assert sum(made.figure(f"{name}.{leaf}") for name in services) >= alone.figure(f"api.{leaf}")


def _at_one(actions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: value for key, value in action.items() if key != "at"} for name, action in actions.items()}


@given(
    st.floats(1, 1e9),
    st.floats(0.001, 1),
    st.one_of(
        st.sampled_from(sorted(PROFILES)).map(PROFILES.__getitem__),
        st.lists(st.floats(0, 1), min_size=23, max_size=23).map(lambda weights: (*weights, 1.0)),
    ),
)
def test_day_has_the_given_mean_and_never_exceeds_the_peak(
    peak: float, share: float, weights: tuple[float, ...]
) -> None:
    average = peak * share
    hours = hourly_users(peak, average, weights)
    assert max(hours) <= peak
    assert min(hours) >= 0
    assert abs(sum(hours) / 24 - average) <= 1e-6 + 1e-9 * average
