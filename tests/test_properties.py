"""Laws that hold for every scenario: monotone in users, exact bills, ordered bands, round trips, same bytes."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_plan.emitters.kubernetes import artefacts as k8s
from cascade_plan.formulas.profile import hourly_users
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan, from_json, to_json
from cascade_plan.model.scenario import DATABASE_TERMS, INSTANCE_TERMS, PROFILES, Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

peaks = st.integers(1, 3_000_000)
COUNTS = ("api.node_count.base", "api.node_count.max", "database.replica_count", "pool.connection_count",
          "cache.node_count", "websocket.node_count", "monitoring.series_count")  # fmt: skip


@cache
def base(name: str = "cascade") -> Scenario:
    return read_scenario(name)[0]


def planned(scenario: Scenario) -> Plan:
    return plan(scenario, bundled.catalogue(), bundled.book(scenario.region))


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Scenarios of every bundled region and name, with users, terms, availability and behaviour drawn."""
    start = base(draw(st.sampled_from(("cascade", "cascade-as-written", "startup-1k", "growth-100k"))))
    peak = draw(st.integers(1, 500_000))
    start = start.with_users(peak, draw(st.integers(1, peak)))
    instances, databases = (
        st.sampled_from(known) | st.sampled_from(known[1:]).map(lambda term: {term: 0.5})
        for known in (INSTANCE_TERMS, [term for term in DATABASE_TERMS if "_sp_" not in term])
    )
    return Scenario.model_validate(
        {
            **start.model_dump(exclude_unset=True),
            "name": draw(st.from_regex(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?", fullmatch=True)),
            "description": draw(st.text(max_size=100)),
            "region": draw(st.sampled_from(bundled.regions())),
            "rounding": draw(st.sampled_from(("up", "down"))),
            "availability": {"zones": draw(st.integers(1, 6)), "multi_az": draw(st.booleans())},
            "purchase": {"api": draw(instances), "cache": draw(databases), "database": draw(databases)},
            "websocket": {"connections_per_user": draw(st.floats(0, 5))},
        }
    )


@settings(max_examples=60, deadline=None)
@given(peaks, peaks, st.floats(0.05, 1))
def test_more_users_never_need_less(one: int, other: int, share: float) -> None:
    fewer, more = sorted((one, other))
    small, large = (planned(base().with_users(n, max(1, int(n * share)))) for n in (fewer, more))
    for name in COUNTS:
        assert small.figure(name) <= large.figure(name), name
    for level in ("peak", "ceiling"):
        assert small.figure(f"cost_usd_per_month.{level}") <= large.figure(f"cost_usd_per_month.{level}")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 100_000), st.data(), st.integers(2, 20))
def test_a_busier_day_of_the_same_shape_never_costs_less(peak: int, data: st.DataObject, times: int) -> None:
    average = data.draw(st.integers(1, peak))
    small, large = (planned(base().with_users(peak * n, average * n)).bill.effective_usd for n in (1, times))
    for level in ("floor", "average", "peak", "ceiling"):
        # The hours of a day are rounded to a millionth of a user, which moves a bill by less than a cent.
        assert getattr(small, level) <= getattr(large, level) + Decimal("0.01")


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 1_000_000), st.data())
def test_a_higher_average_never_costs_less(peak: int, data: st.DataObject) -> None:
    low, high = sorted(data.draw(st.tuples(st.integers(1, peak), st.integers(1, peak))))
    cheap, dear = (planned(base().with_users(peak, average)) for average in (low, high))
    assert cheap.figure("api.node_count.min") <= dear.figure("api.node_count.min")
    assert cheap.bill.effective_usd.average <= dear.bill.effective_usd.average + Decimal("0.01")


@settings(max_examples=40, deadline=None)
@given(peaks, st.integers(0, 5), st.integers(0, 5))
def test_more_replicas_never_cost_less(peak: int, one: int, other: int) -> None:
    start = base().with_users(peak, 1)
    cache = start.tiers.cache
    few, many = (
        planned(
            start.model_copy(
                update={
                    "tiers": start.tiers.model_copy(
                        update={"cache": cache.model_copy(update={"replicas_per_master": count})}
                    )
                }
            )
        )
        for count in sorted((one, other))
    )
    assert few.figure("cache.master_count") == many.figure("cache.master_count")
    assert few.figure("cache.node_count") <= many.figure("cache.node_count")
    for level in ("floor", "average", "peak", "ceiling"):
        assert getattr(few.bill.effective_usd, level) <= getattr(many.bill.effective_usd, level)


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_bill_is_the_exact_sum_of_its_lines(scenario: Scenario) -> None:
    made = planned(scenario)
    for level in ("floor", "average", "peak", "ceiling"):
        total = sum((getattr(item.quantity, level) * item.price_usd for item in made.bill.items), Decimal(0))
        assert total == getattr(made.bill.effective_usd, level) == made.figure(f"cost_usd_per_month.{level}")
        listed = sum((getattr(item.quantity, level) * item.list_price_usd for item in made.bill.items), Decimal(0))
        assert listed == getattr(made.bill.list_usd, level)
    assert all(item.price_usd > 0 and item.source and item.as_of for item in made.bill.items)


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_band_is_ordered(scenario: Scenario) -> None:
    made = planned(scenario)
    for band in (made.bill.effective_usd, made.bill.list_usd, *(item.quantity for item in made.bill.items)):
        assert band.floor <= band.average <= band.peak <= band.ceiling


@settings(max_examples=80, deadline=None)
@given(scenarios())
def test_no_cost_gate_passes_on_an_incomplete_bill(scenario: Scenario) -> None:
    made = planned(scenario)
    if made.bill.unpriced:
        assert all(v.status != "pass" for v in made.verdicts if v.figure.startswith("cost_"))


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_plan_survives_json(scenario: Scenario) -> None:
    made = planned(scenario)
    text = to_json(made)
    assert from_json(text) == made
    assert to_json(from_json(text)) == text


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_same_input_same_bytes(scenario: Scenario) -> None:
    again = Scenario.model_validate(scenario.model_dump(exclude_unset=True))
    assert to_json(planned(scenario)) == to_json(planned(again))


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_emitted_yaml_parses_to_what_was_meant(scenario: Scenario) -> None:
    made = planned(scenario)
    parsed = list(yaml.safe_load_all(k8s.stream(made, k8s.PARTS)))
    assert parsed == list(k8s.objects(made).values())
    hpa = parsed[3]
    assert hpa["spec"]["minReplicas"] == made.figure("api.replica_count.min")
    assert hpa["spec"]["maxReplicas"] == made.figure("api.replica_count.max")


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
