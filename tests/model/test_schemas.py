"""The scenario's JSON Schema: it takes what the program takes, refuses typical mistakes, and describes every field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from factories import make_scenario
from pydantic import ValidationError

from cascade_plan import registry
from cascade_plan.clouds.aws import terms
from cascade_plan.errors import ScenarioError
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.inputs.scenarios import bundled_scenarios, read_scenario
from cascade_plan.model import tier
from cascade_plan.model.part import Part
from cascade_plan.model.schemas import described, scenario_schema

ROOT = Path(__file__).parents[2]
SCHEMA = scenario_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
MINIMAL: dict[str, Any] = {
    "schema_version": 1,
    "name": "shop",
    "users": {"peak": 1000, "average": 300},
    "behaviour": {"actions": {"list": {"weight": 1, "request": "GET /items"}}},
}
ACROSS_FIELDS = {
    "calibration_missing",
    "action_at_nowhere", "action_cache_absent", "action_jobs_for_nobody", "action_reads_absent_database",
    "action_reads_said_twice", "action_reads_without_database", "action_writes_misspelt", "actions_ask_other_kinds",
    "average_above_peak", "budget_registered_unknown", "cache_nodes_not_whole_shards", "currency_dollar",
    "currency_no_day", "extra_two_prices", "worker_of_absent_queue",
    "database_name_line_break", "gate_bad_name", "identifier_taken_twice", "identifier_too_long",
    "nodes_of_and_nodes", "nodes_of_other_kinds", "nodes_of_wrong", "nodes_out_of_order", "pool_of_absent_database",
    "profile_all_zero",
    "profile_and_trace",
    "purchase_database_plan_burstable", "purchase_database_plan_cache_family", "purchase_database_plan_generation",
    "purchase_database_plan_redis", "purchase_shares_above_one", "registered_below_peak", "replicas_out_of_order",
    "role_reserved", "shape_of_instance_unknown", "tenant_class_share_not_one", "think_time_reversed", "tier_twice",
    "trace_missing", "uncertainty_falls", "uncertainty_of_a_limit", "uncertainty_of_a_share", "uncertainty_of_nothing",
    "uncertainty_of_zero", "uncertainty_said_twice", "unknown_cloud", "unknown_region", "unknown_shape",
}  # fmt: skip
"""Broken scenarios whose fault is no field's alone, or is known by a cloud or a disk: the program's to see."""


def parts() -> dict[str, Any]:
    """Return the definitions of the parts by name, the scenario's own among them."""
    return {"Scenario": SCHEMA, **SCHEMA["$defs"]}


def fields() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (part.field, its schema) of every field."""
    for name, definition in parts().items():
        mapping = definition["anyOf"][1] if "anyOf" in definition else definition
        for field, schema in mapping["properties"].items():
            yield f"{name}.{field}", schema


def within(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return a validator of a part of the schema."""
    return jsonschema.Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_field_of_every_part_has_a_sentence() -> None:
    found = dict(fields())
    assert len(found) > 300
    assert {"Scenario.users", "UserCounts.peak", "Api.users_per_node", "ApiPod.cpu_cores", "ExtraLine.unit"} <= {*found}
    without = [name for name, schema in found.items() if not schema.get("description", "").rstrip(")").endswith(".")]
    assert without == []


def test_a_field_without_a_sentence_is_found() -> None:
    class Bare(Part):
        said: int = 1
        """A sentence."""
        unsaid: int = 1

    class Heir(Bare):
        own: int = 1
        """Another."""

    assert described(Bare) == {"said": "A sentence."}
    assert described(Heir) == {"said": "A sentence.", "own": "Another."}


def test_a_default_is_told_with_its_source() -> None:
    api = SCHEMA["$defs"]["Api"]["properties"]
    assert api["users_per_node"]["description"] == (
        "Connected users that one node serves, by the rules; of several services each by its share of the requests. "
        "Default: 5000 (plan: case study (docs/seed.md), cost calculator: 5k users per node)."
    )
    assert api["minimum_nodes"]["description"] == (
        "Fewest nodes at the peak. If left out: as many as `availability` asks for (assumption)."
    )
    assert (api["port"]["default"], api["port"]["default_kind"]) == (8000, "cited")


def test_every_default_and_example_is_what_its_field_takes() -> None:
    count = 0
    for name, schema in fields():
        if "InEnvironment" in name:
            continue
        given = [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else [])]
        assert given or name.endswith(".kind"), name
        for value in given:
            count += 1
            wrong = [error.message for error in within(schema).iter_errors(value)]
            assert not wrong, (name, value, wrong)
    assert count > 200


def test_examples_are_what_the_program_takes() -> None:
    for kind in registry.names("tiers"):
        settings = tier.settings_class(kind)
        for name, info in settings.model_fields.items():
            if info.examples and name not in tier.Settings.model_fields and name not in settings.REFERS:
                needed = {
                    each: its.examples[0]
                    for each, its in settings.model_fields.items()
                    if its.is_required() and its.examples
                }
                if name == "provisioned_operations_per_s":
                    needed["storage_gib"] = 400
                tiers = {"extra": {"lines": {"a": {"usd_per_month": 1}}}, kind: {**needed, name: info.examples[0]}}
                assert kind in make_scenario(tiers=tiers, gates=None).tiers, name


@pytest.mark.parametrize("name", bundled_scenarios())
def test_it_takes_every_bundled_scenario_as_written_and_in_full(name: str) -> None:
    file = ROOT / f"scenarios/{name}.yaml"
    VALIDATOR.validate(parse_yaml(file.read_text(encoding="utf-8"), file.name).data)
    VALIDATOR.validate(read_scenario(name)[0].model_dump(mode="json", exclude_none=True))


@pytest.mark.parametrize(
    "tiers",
    [
        {},
        {"api": {}, "websocket": "off"},
        {"api": {}, "websocket": False},
        {"api": {"kind": "api"}, "search": {"kind": "api", "users_per_node": 100}},
        {"reports": {"kind": "database", "purchase": {"reserved_1y_no_upfront": 0.5}}},
        {"api": {"purchase": "spot"}},
        {"worker": {}, "queue": {}, "extra": {"lines": {"support": {"usd_per_month": 100}}}},
    ],
)
def test_it_takes_tiers_that_are_on_off_or_of_a_named_kind(tiers: dict[str, Any]) -> None:
    VALIDATOR.validate({**MINIMAL, "tiers": tiers})


@pytest.mark.parametrize(
    "tiers",
    [
        ["api"], "off", {"api": 3}, {"api": "on"}, {"api": True}, {"api": None}, {"websockt": "off"},
        {"search": {}}, {"search": {"users_per_node": 100}}, {"search": {"kind": "apii"}},
        {"api": {"user_per_node": 100}}, {"search": {"kind": "api", "hit_ratio": 0.5}}, {"my-api": {"kind": "api"}},
        {"api": {"pod": {"cpu": 1}}}, {"database": {"purchase": "spot"}}, {"api": {"purchase": {"spot": 2}}},
        {"api": {"purchase": {"on_demand": 0.5}}}, {"pool": {"purchase": "on_demand"}}, {"extra": {}},
    ],
)  # fmt: skip
def test_it_refuses_mistakes_in_tiers_as_the_program_does(tiers: Any) -> None:
    assert not VALIDATOR.is_valid({**MINIMAL, "tiers": tiers})
    with pytest.raises(ValidationError):
        make_scenario(tiers=tiers)


@pytest.mark.parametrize("given", ["standard", {"level": "minimal"}, {"zones": 2}])
def test_availability_is_a_word_or_a_mapping(given: Any) -> None:
    VALIDATOR.validate({**MINIMAL, "availability": given})
    assert not VALIDATOR.is_valid({**MINIMAL, "availability": "high"})
    assert not VALIDATOR.is_valid({**MINIMAL, "availability": {"zone": 2}})


def test_it_refuses_every_broken_scenario_whose_fault_is_one_fields() -> None:
    taken, read = set(), 0
    for file in (ROOT / "tests/bad").glob("*.yaml"):
        try:
            document = parse_yaml(file.read_text(encoding="utf-8"), file.name)
        except (ScenarioError, UnicodeDecodeError):
            continue
        read += 1
        if VALIDATOR.is_valid(document.data):
            taken.add(file.stem)
    assert read > 110
    assert taken == ACROSS_FIELDS


def test_every_kind_is_described_by_its_own_settings() -> None:
    kinds = SCHEMA["properties"]["tiers"]["properties"]
    assert set(kinds) == set(registry.names("tiers"))
    for kind, schema in kinds.items():
        definition = SCHEMA["$defs"][schema["anyOf"][0]["$ref"].rpartition("/")[2]]
        settings = tier.settings_class(kind)
        assert set(definition["properties"]) == set(settings.model_fields)
        assert definition["properties"]["kind"]["const"] == kind
        assert definition["description"].endswith("several." if settings.SEVERAL else "one at most.")


def test_editors_complete_the_terms_that_are_sold() -> None:
    for name, what in (("Api", "vm"), ("Database", "database"), ("Cache", "cache")):
        assert SCHEMA["$defs"][name]["properties"]["purchase"]["anyOf"][0]["enum"] == [*terms.terms(what)]


def test_an_environment_gives_what_differs() -> None:
    def with_environment(values: Any) -> dict[str, Any]:
        return {**MINIMAL, "environments": {"prod": {}, "test": values}}

    VALIDATOR.validate(
        with_environment({"users": {"peak": 10}, "tiers": {"search": {"users_per_node": 5}, "cache": "off"}})
    )
    VALIDATOR.validate(with_environment({"behaviour": {"actions": {"list": {"cpu_ms": 3}}}}))
    for wrong in (
        {"users": {"peek": 10}},
        {"tiers": {"api": {"user_per_node": 5}}},
        {"environments": {"a": {}}},
        [],
        None,
    ):
        assert not VALIDATOR.is_valid(with_environment(wrong)), wrong


def test_a_text_that_reads_as_a_number_is_shown_in_quotes() -> None:
    pool = SCHEMA["$defs"]["Pool"]["properties"]
    assert 'Default: "1.23" (assumption: ' in pool["pgbouncer_version"]["description"]


def numbers(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the schema of every number."""
    if isinstance(schema, dict):
        if schema.get("type") in ("number", "integer") and not {"const", "enum"} & schema.keys():
            yield schema
        for inner in schema.values():
            yield from numbers(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from numbers(inner)


def test_every_number_is_bounded_above_and_below() -> None:
    found = list(numbers({name: SCHEMA[name] for name in ("properties", "$defs")}))
    assert len(found) > 100
    for number in found:
        assert "maximum" in number, number
        # A part of one may be as small as somebody likes: nothing is divided by it.
        assert "minimum" in number or number["maximum"] == 1, number


@pytest.mark.parametrize("path", ["users.active_share", "tiers.cache.hit_ratio", "behaviour.header_bytes"])
def test_negative_zero_is_zero(path: str) -> None:
    scenario, _ = read_scenario("cascade", [("--set", path, "-0.0")])
    value: Any = scenario
    for step in path.split("."):
        value = value[step] if isinstance(value, dict) else getattr(value, step)
    assert str(value) == "0.0"
