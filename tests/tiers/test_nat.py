"""NAT by gateways, by machines of ours, or not at all: bills by hand, and what a machine passes on at most."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml

from cascade_plan.emitters import directory as emitting
from cascade_plan.errors import UsageError
from cascade_plan.inputs.scenarios import read, read_scenario
from cascade_plan.model.plan import Plan
from cascade_plan.model.scenario import Scenario
from cascade_plan.planning.pipeline import plan
from cascade_plan.prices import bundled

HOURS = 730


def planned(upload_bytes: float | None = None, **network: Any) -> Plan:
    document = read_scenario("cascade")[0].model_dump(exclude_unset=True)
    document["tiers"]["network"] = network
    if upload_bytes is not None:
        document["behaviour"]["actions"]["upload_resource"]["object_bytes"] = upload_bytes
        document["tiers"]["objects"] = {"moved_by": "pods"}
    scenario = Scenario.model_validate(document)
    return plan(scenario, bundled.book(scenario.cloud, scenario.region), predicted=False)


def nat(made: Plan) -> dict[str, Decimal]:
    return {item.name: item.cost_usd.average for item in made.bill.items if "NAT" in item.name}


@pytest.mark.parametrize(("per_zone", "count"), [(None, 3), (False, 1)])
def test_instances_are_paid_by_the_hour_and_nothing_by_the_byte(per_zone: bool | None, count: int) -> None:
    """A t4g.small is 0.0168 USD an hour, its 8 GiB of gp3 0.08 a GiB-month."""
    made = planned(nat="instance", nat_shape="t4g.small", nat_gateway_per_zone=per_zone)
    assert nat(made) == {
        "NAT instances (t4g.small)": count * HOURS * Decimal("0.0168"),
        "NAT instances volumes": count * 8 * Decimal("0.08"),
    }
    assert made.figure("network.nat_instance_count") == count
    assert made.figure("network.nat_gateway_count") == 0
    # Each has a public address, as a gateway has.
    (addresses,) = (item for item in made.bill.items if "IPv4" in item.name)
    assert addresses.quantity.average == (count + 3) * HOURS


def test_gateways_are_paid_by_what_passes_too() -> None:
    assert {"NAT gateways", "NAT traffic"} == {*nat(planned())}
    made = planned(nat="off")
    assert nat(made) == nat(planned(nat=False)) == {}
    # Nodes reach the internet by addresses of their own.
    nodes = sum(group.count.average for group in made.groups if group.is_nodes)
    (addresses,) = (item for item in made.bill.items if "IPv4" in item.name)
    assert addresses.quantity.average == pytest.approx((nodes + 3) * HOURS)


@pytest.mark.parametrize(("upload_bytes", "is_said"), [(14_000.0, False), (15_000.0, True)])
def test_a_machine_passes_on_what_its_network_carries(upload_bytes: float, is_said: bool) -> None:
    """A t4g.nano carries 32 Mbit/s all the time, three 12 MB/s; a load of 5,000 requests/s, a sixth of them uploads."""
    made = planned(upload_bytes, nat="instance", nat_shape="t4g.nano", object_endpoint=False)
    assert [finding.is_broken for finding in made.findings if finding.code == "nat-bandwidth"] == [True] * is_said
    free = planned(upload_bytes, nat="instance", nat_shape="t4g.nano", object_endpoint=True)
    assert not [finding for finding in free.findings if finding.code == "nat-bandwidth"]


def test_a_lost_one_is_ones_own_to_mend_and_nodes_stay_private() -> None:
    made = planned(nat="instance")
    assert "nat-by-hand" in {finding.code for finding in made.findings}
    emitted = emitting.everything(made)
    cluster = yaml.safe_load({file.path: file.text for file in emitted.files}["cluster/eksctl.yaml"])
    assert cluster["vpc"]["nat"]["gateway"] == "Disable"
    assert all(group["privateNetworking"] for group in cluster["managedNodeGroups"])
    assert any(line.startswith("NAT instances (t4g.nano): made with the network") for line in emitted.left_out)


def test_a_shape_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match=r"tiers.network.nat_shape: no vm shape named 't4g.nanoo'"):
        planned(nat="instance", nat_shape="t4g.nanoo")


def test_the_word_off_is_taken_as_yaml_has_it() -> None:
    given = read("cascade", (("--set tiers.network.nat", "tiers.network.nat", "off"),))
    assert given.scenario.tiers["network"].nat == "off"  # type: ignore[attr-defined]
