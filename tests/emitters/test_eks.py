"""eksctl's and Karpenter's files: valid against their published schemas, and the plan's counts and shapes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from factories import make_plan

from cascade_plan.emitters.eks import artefacts as _eks
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

SCHEMAS = Path(os.environ.get("CASCADE_PLAN_CRD_SCHEMAS") or Path(__file__).resolve().parents[3] / "shared/crd_schemas")
"""eksctl's own JSON Schema and Karpenter's CustomResourceDefinitions, where somebody keeps them."""
needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason="no schemas beside the checkout or named")


def planned(name: str) -> Plan:
    given = read(name)
    return plan(given.scenario, given.catalogue, given.book, given.origins)


def documents(made: Plan, path: str) -> list[dict[str, Any]]:
    (artefact,) = [artefact for artefact in _eks.render(made) if artefact.path == path]
    return list(yaml.safe_load_all(artefact.text))


def custom_resource(kind: str) -> dict[str, Any]:
    """Return the schema of a Karpenter kind, with unknown fields refused as the API server's strict mode does."""
    for path in SCHEMAS.glob("karpenter*.yaml"):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        if definition["spec"]["names"]["kind"] == kind:
            (version,) = [v for v in definition["spec"]["versions"] if v["name"] == "v1"]
            return closed(version["schema"]["openAPIV3Schema"])
    raise AssertionError(f"no definition of {kind} in {SCHEMAS}")


def closed(schema: Any) -> Any:
    """Return a schema in which objects with known properties have no others."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(item) for key, item in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and "metadata" not in schema:
        made.setdefault("additionalProperties", False)
    return made


@needs_schemas
@pytest.mark.parametrize("name", bundled_scenarios())
def test_eksctl_accepts_the_cluster(name: str) -> None:
    schema = json.loads((SCHEMAS / "eksctl_schema.json").read_text(encoding="utf-8"))
    (cluster,) = documents(planned(name), "eksctl.yaml")
    jsonschema.Draft7Validator(schema).validate(cluster)


@needs_schemas
def test_eksctl_refuses_a_field_it_does_not_have() -> None:
    schema = json.loads((SCHEMAS / "eksctl_schema.json").read_text(encoding="utf-8"))
    (cluster,) = documents(planned("cascade"), "eksctl.yaml")
    cluster["managedNodeGroups"][0]["minimumSize"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(cluster)


@needs_schemas
@pytest.mark.parametrize("name", bundled_scenarios())
def test_karpenter_accepts_the_pools(name: str) -> None:
    for document in documents(planned(name), "karpenter.yaml"):
        jsonschema.Draft202012Validator(custom_resource(document["kind"])).validate(document)


@needs_schemas
@pytest.mark.parametrize("kind", ["NodePool", "EC2NodeClass"])
def test_karpenter_refuses_a_field_it_does_not_have(kind: str) -> None:
    document = next(d for d in documents(planned("cascade"), "karpenter.yaml") if d["kind"] == kind)
    document["spec"]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(custom_resource(kind)).validate(document)


def test_counts_shapes_and_ceilings_are_the_plans() -> None:
    made = planned("cascade")
    (cluster,) = documents(made, "eksctl.yaml")
    groups = {group["name"]: group for group in cluster["managedNodeGroups"]}
    assert set(groups) == {"api", "websocket", "monitoring"}
    api = groups["api"]
    assert (api["minSize"], api["desiredCapacity"], api["maxSize"], api["instanceTypes"]) == (2, 3, 5, ["c6g.xlarge"])
    assert cluster["vpc"]["nat"]["gateway"] == "HighlyAvailable"
    pools = {d["metadata"]["name"]: d["spec"] for d in documents(made, "karpenter.yaml") if d["kind"] == "NodePool"}
    # Five nodes of four cores.
    assert pools["cascade-api"]["limits"] == {"cpu": "20"}
    assert pools["cascade-websocket"]["disruption"]["consolidationPolicy"] == "WhenEmpty"


def test_the_two_ways_to_buy_nodes_agree() -> None:
    for name in bundled_scenarios():
        made = planned(name)
        (cluster,) = documents(made, "eksctl.yaml")
        pools = [d for d in documents(made, "karpenter.yaml") if d["kind"] == "NodePool"]
        for group, pool in zip(cluster["managedNodeGroups"], pools, strict=True):
            values = {r["key"]: r["values"] for r in pool["spec"]["template"]["spec"]["requirements"]}
            assert values["node.kubernetes.io/instance-type"] == group["instanceTypes"]
            shape = next(g.shape for g in made.groups if g.tier == group["name"].removesuffix("-spot"))
            assert int(pool["spec"]["limits"]["cpu"]) == group["maxSize"] * shape.vcpu


def test_a_share_on_spot_is_a_group_of_its_own() -> None:
    made = make_plan(purchase__api={"spot": 0.4}, tiers__api__nodes={"min": 4, "base": 5, "max": 10})
    (cluster,) = documents(made, "eksctl.yaml")
    groups = {group["name"]: group for group in cluster["managedNodeGroups"]}
    bounds = [[groups[name][key] for key in ("minSize", "desiredCapacity", "maxSize")] for name in ("api", "api-spot")]
    assert bounds == [[3, 3, 6], [1, 2, 4]]
    assert [groups[name]["spot"] for name in ("api", "api-spot")] == [False, True]


def test_a_group_all_on_spot_has_no_other() -> None:
    (cluster,) = documents(make_plan(purchase__api="spot"), "eksctl.yaml")
    assert {group["name"] for group in cluster["managedNodeGroups"]} == {"api-spot", "websocket", "monitoring"}
