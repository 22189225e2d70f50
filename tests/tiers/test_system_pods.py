"""The cluster's own pods have room on the nodes that are paid for, and displace no more than they must."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

NONE = {"system_cpu_cores": 0, "system_memory_mib": 0, "system_pods": 0}


def planned(name: str = "cascade", **changes: Any) -> Plan:
    made = read(name, [("--set", path.replace("__", "."), str(value)) for path, value in changes.items()])
    return plan(made.scenario, made.book, made.origins, predicted=False)


def bounds(made: Plan) -> tuple[float, float]:
    return made.figure("api.replica_count.min"), made.figure("api.replica_count.max")


@pytest.mark.parametrize(
    ("settings", "reserved"),
    [
        # Two nodes of 3.69 cores hold 14 pods of 0.5 and have 0.19 left each.
        (NONE, 0),
        ({**NONE, "system_cpu_cores": 0.38, "system_pods": 2}, 0),
        ({**NONE, "system_cpu_cores": 0.38, "system_pods": 1}, 1),
        ({**NONE, "system_cpu_cores": 0.39, "system_pods": 2}, 1),
        ({**NONE, "system_cpu_cores": 0.78, "system_pods": 10}, 1),
        ({**NONE, "system_cpu_cores": 1.38, "system_pods": 2}, 2),
        # They run 58 pods each, four of them agents.
        ({**NONE, "system_pods": 94}, 0),
        ({**NONE, "system_pods": 97}, 3),
    ],
)
def test_what_is_over_displaces_whole_pods_once(settings: dict[str, Any], reserved: int) -> None:
    made = planned(**{f"tiers__cluster__{name}": value for name, value in settings.items()})
    assert made.figure("api.pod_count_per_node") == 7
    (run,) = made.fleet.tiers["api"].workloads
    # More nodes leave more free, which they may stand on in the places' stead.
    assert bounds(made) == (14 - reserved, run.held(5))
    assert 35 - reserved <= run.held(5) <= 35
    assert (run.reserved_pod_count, run.pod_count_max) == (reserved, run.held(5))


def test_only_the_first_service_makes_room() -> None:
    made = planned(tiers__search="{kind: api}", behaviour__actions__list_workrooms__at="search")
    assert {
        name: each.workloads[0].reserved_pod_count for name, each in made.fleet.tiers.items() if each.workloads
    } == {
        "api": 4,
        "search": 0,
        "websocket": 0,
    }
    without = planned(tiers__cluster="off")
    assert without.fleet.tiers["api"].workloads[0].reserved_pod_count == 0


def test_nodes_too_small_for_them_are_said() -> None:
    made = planned(tiers__api__shape="c6g.medium", tiers__cluster__system_cpu_cores=2)
    (words,) = [each.message for each in made.findings if each.code == "system-pods"]
    assert words.startswith("2 nodes at the floor do not hold the cluster's own pods")
    assert bounds(made)[0] == 1
    assert not [each for each in planned().findings if each.code == "system-pods"]
