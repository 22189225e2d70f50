"""A cloud is one folder and its prices: a made-up one is planned, priced and reported like the one that comes along."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from read_reports import words_of

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.offer import Offer
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def made(harbour: Path) -> Plan:
    """Return the plan of the made-up cloud's scenario."""
    given = read(str(harbour))
    return plan(given.scenario, given.book, given.origins)


def test_it_is_registered_by_its_folder_alone(harbour: Path) -> None:
    assert registry.names("clouds") == ("aws", "harbour")
    assert len(bundled.book("harbour", "quay")) == 7
    assert bundled.regions("harbour") == ("quay",)


def test_every_line_has_its_own_price_and_no_word_of_another_cloud(made: Plan) -> None:
    assert made.bill.complete
    assert {item.key.service for item in made.bill.items} == {"boat", "keg", "hold", "ship"}
    words = " ".join(item.name for item in made.bill.items)
    assert not any(word in words for word in ("gp3", "EKS", "AZ", "ALB", "NAT", "IPv4"))


def test_the_bill_is_what_its_prices_and_counts_give(made: Plan) -> None:
    costs = {item.name: item.cost_usd.average for item in made.bill.items}
    nodes = made.fleet.tiers["api"].group("nodes")
    reserved = Decimal(int(nodes.count.floor * 0.5)) * 730
    hours = sum(item.quantity.average for item in made.bill.items if item.group == nodes.name and item.unit == "hour")
    assert hours == Decimal(nodes.count.average) * 730
    assert costs["api nodes (dinghy), reserved_1y_no_upfront"] == reserved * Decimal("0.06")
    assert costs["api nodes (dinghy), on demand"] == (hours - reserved) * Decimal("0.1")
    assert costs["database primary (keg)"] == 730 * Decimal("0.9")
    assert costs["read replicas (keg)"] == 730 * Decimal("0.4")
    assert {item.name for item in made.bill.items if item.group == nodes.name} >= {"api nodes volumes (hold)"}


def test_what_it_does_not_charge_has_no_line(made: Plan) -> None:
    what = {usage.offer.what for usage in made.fleet.usages}
    assert {"kubernetes", "balancer", "nat_gateway", "zone_traffic"} <= what
    assert "balancer_capacity" not in what
    assert {item.tier for item in made.bill.items} == {"api", "database", "network"}


def test_what_a_node_leaves_is_the_clouds_own(made: Plan) -> None:
    cloud = registry.load("clouds", "harbour", "cloud")
    cluster = made.scenario.tiers["cluster"]
    left = cloud.allocatable(
        made.fleet.tiers["api"].group("nodes").shape,
        cluster.vm_overhead_ratio,
        cluster.daemonset_cpu_cores,
        cluster.daemonset_memory_mib,
        cluster.daemonset_pods,
    )
    pod = made.scenario.tiers["api"].pod
    (workload,) = [each for each in made.fleet.workloads if each.tier == "api"]
    assert workload.pod_count_per_node == left.pods_of(pod.cpu_cores * 1000, pod.memory_mib)


@pytest.mark.parametrize("name", registry.names("reports/plans"))
def test_every_report_shows_it(cascade: Run, harbour: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / f"report.{name}"
    status, _, err = cascade("size", str(harbour), "--as-of", "2026-01-02", "--format", name, "-o", str(file), "-q")
    assert (status, err) == (0, "")
    content = file.read_bytes()
    out = words_of(content if name == "xlsx" else content.decode())
    if name == "json":
        assert json.loads(out)["figures"]["cost_usd_per_month"]
    if name in ("table", "markdown", "csv", "html", "xlsx"):
        assert "dinghy" in out
    for word in ("EC2", "RDS", "ElastiCache", "EKS", "gp3"):
        assert word not in out


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("tiers.api.purchase=spot", "harbour sells no vm by spot"),
        ("tiers.cache={shape: keg}", "no cache shape named 'keg'"),
        ("region=us-east-1", "region: no region 'us-east-1'; regions with prices are quay"),
    ],
)
def test_what_it_does_not_have_is_said_in_words(cascade: Run, harbour: Path, assignment: str, words: str) -> None:
    status, out, err = cascade("size", str(harbour), "--set", assignment)
    assert (status, out) == (2, "")
    assert words in err


def test_its_prices_are_shown_and_there_is_nothing_to_renew_them_from(cascade: Run, harbour: Path) -> None:
    status, out, _ = cascade("prices", "show", "--cloud", "harbour", "--shape", "dinghy")
    assert status == 0
    assert out.count("boat dinghy") == 2
    status, out, err = cascade("prices", "update", "--cloud", "harbour")
    assert (status, out) == (2, "")
    assert "come with this version: there is nothing to renew them from" in err
    err = cascade("size", str(harbour), "--max-price-age", "30")[2]
    assert "prices are over 30 days old" in err
    assert "prices update" not in err
    assert cascade("prices", "show", "--cloud", "harbor")[0] == 2


def test_a_file_of_prices_lies_over_its_book(cascade: Run, harbour: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("format: 1\ncloud: harbour\nregion: quay\ndiscounts: {keg: 50}\n", encoding="utf-8")
    before, after = (
        json.loads(cascade("size", str(harbour), "--format", "json", *more)[1])
        for more in ((), ("--prices", str(mine)))
    )
    saved = Decimal(str(before["figures"]["cost_usd_per_month"]["average"])) - Decimal(
        str(after["figures"]["cost_usd_per_month"]["average"])
    )
    assert abs(saved - 730 * Decimal("1.3") / 2) < Decimal("0.01")
    mine.write_text("format: 1\ncloud: harbour\nregion: quay\ndiscounts: {ec2: 50}\n", encoding="utf-8")
    assert "known are boat, hold, keg, ship" in cascade("size", str(harbour), "--prices", str(mine))[2]


def test_an_offer_that_it_does_not_sell_stops_the_plan(harbour: Path) -> None:
    cloud = registry.load("clouds", "harbour", "cloud")
    assert not cloud.sells(Offer("queue_requests"))
    assert cloud.sells(Offer("vm", "dinghy"))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("tiers.api", "{serverless: true}", "tiers.api.serverless: harbour runs no pods without nodes"),
        ("tiers.monitoring", "{managed: true}", "tiers.monitoring.managed: harbour runs no Prometheus"),
        ("tiers.pool", "{managed: true}", "tiers.pool.managed: harbour runs no pool of connections"),
        ("tiers.cache", "{serverless: true}", "tiers.cache.serverless: harbour sells no serverless redis"),
    ],
)
def test_what_it_does_not_sell_is_refused_by_its_field(harbour: Path, path: str, value: str, message: str) -> None:
    given = read(str(harbour), ((f"--set {path}", path, value),))
    with pytest.raises(UsageError, match=message):
        plan(given.scenario, given.book, given.origins, predicted=False)
