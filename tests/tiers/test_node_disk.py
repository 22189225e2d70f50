"""The disks of nodes: what is asked of them beyond what they include is billed and emitted."""

from __future__ import annotations

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan


def planned(**settings: int) -> Plan:
    given = read("cascade", [("--set", f"tiers.cluster.{name}", str(value)) for name, value in settings.items()])
    return plan(given.scenario, given.book, predicted=False)


def test_what_is_included_has_no_line() -> None:
    assert not [item for item in planned().bill.items if " disk " in item.name and "nodes" in item.name]


def test_each_node_pays_for_what_is_more() -> None:
    """2 nodes on average x (5,000 - 3,000) x $0.005, and x (200 - 125) MiB/s x $0.04."""
    made = planned(disk_operations_per_s=5000, disk_mib_per_s=200)
    items = {item.name: item for item in made.bill.items}
    nodes = items["api nodes volumes (gp3)"].quantity.average / 20
    assert items["api nodes disk operations"].cost_usd.average == nodes * 10
    assert items["api nodes disk throughput"].cost_usd.average == nodes * 3
    files = "\n".join(file.text for file in emitting.everything(made).files)
    assert "volumeIOPS: 5000" in files
    assert "volumeThroughput: 200" in files
