"""A Prometheus that the cloud runs: its samples by hand at each level, its bill, its limits, and what is emitted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read_scenario
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

SECONDS = 730 * 3600
LEVELS = ("floor", "average", "peak", "ceiling")


def scenario(peak: int = 10_000, **monitoring: Any) -> Scenario:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    document["users"]["peak"] = peak
    document["tiers"]["monitoring"] = {"managed": True, **monitoring}
    return Scenario.model_validate(document)


def planned(given: Scenario) -> Plan:
    return plan(given, bundled.book(given.cloud, given.region), predicted=False)


def samples_by_hand(made: Plan, level: str, tenants: int) -> float:
    """Return millions of samples a month: seven pods a node less four, each a histogram of queries and 701 others."""
    bounds = 0
    for value in made.figures["monitoring.series_count"].inputs:
        bounds = len(str(value.value).split()) if value.name == "buckets" else bounds
    pods = min(31, max(10, 7 * getattr(made.fleet.tiers["api"].groups[0].count, level) - 4))
    series = pods * (10 * tenants * (bounds + 3) + 1 + 700) + 3 * (tenants + 700)
    return series / 15 * SECONDS / 1e6


@pytest.mark.parametrize("by_tenant", [True, False])
def test_the_bill_is_the_samples_of_the_pods_that_run(by_tenant: bool) -> None:
    """0.09 USD a million up to 2,000 million, 0.035 up to 252,000 and 0.016 above; 0.03 a GiB-month."""
    made = planned(scenario(label_by_tenant=by_tenant))
    tenants = made.scenario.users.tenants if by_tenant else 1
    lines = [item for item in made.bill.items if item.tier == "monitoring"]
    for level in LEVELS:
        wanted = samples_by_hand(made, level, tenants)
        came = [item for item in lines if item.name.startswith("metric samples")]
        assert float(sum(getattr(item.quantity, level) for item in came)) == pytest.approx(wanted, rel=1e-9)
        tiers = (min(wanted, 2000), max(0, min(wanted, 252_000) - 2000), max(0, wanted - 252_000))
        usd = sum(amount * price for amount, price in zip(tiers, (0.09, 0.035, 0.016), strict=True))
        assert float(sum(getattr(item.cost_usd, level) for item in came)) == pytest.approx(usd, rel=1e-6)
        (read,) = (item for item in lines if item.name == "metric queries")
        assert float(getattr(read.quantity, level)) == pytest.approx(2 * wanted, rel=1e-9)
        (kept,) = (item for item in lines if item.name == "metric storage")
        gib = wanted * 1e6 / SECONDS * 15 * 86_400 * 2 / 2**30
        assert float(getattr(kept.quantity, level)) == pytest.approx(gib, abs=1e-5)
        assert getattr(kept.cost_usd, level) == getattr(kept.quantity, level) * Decimal("0.03")


def test_it_has_no_server_and_names_its_collector() -> None:
    made = planned(scenario())
    assert not made.fleet.tiers["monitoring"].groups
    assert "monitoring.node_count" not in made.figures
    assert any("collector" in words for words in made.bill.not_priced)


@pytest.mark.parametrize("settings", [{"nodes": 2}, {"purchase": "spot"}, {"series_per_node": 5, "nodes": 3}])
def test_what_only_servers_have_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{', '.join(sorted(settings))}: a managed Prometheus has no servers of ours"):
        scenario(**settings)


def test_its_limits_are_findings() -> None:
    assert {f.code for f in planned(scenario()).findings}.isdisjoint({"series-quota", "retention-quota"})
    found = {f.code for f in planned(scenario(1_000_000, retention_days=2000)).findings}
    assert {"series-quota", "retention-quota"} <= found


def test_a_collector_is_emitted_that_sends_and_evaluates_nothing() -> None:
    files = {file.path: file.text for file in emitting.everything(planned(scenario())).files}
    document = yaml.safe_load(files["monitoring/prometheus.yml"])
    assert set(document) == {"global", "scrape_configs", "remote_write"}
    assert document["remote_write"][0]["sigv4"] == {"region": "us-east-1"}
    assert "retention_period_in_days = 15" in files["infra/monitoring.tf"]
    assert "prometheus_agent_active_series" in files["monitoring/alerting_rules.yml"]
