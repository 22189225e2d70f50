"""What explain says of an input: its value, meaning and unit, its default, and where the scenario gives it."""

from __future__ import annotations

import pytest
from factories import make_scenario

from cascade_plan.inputs.scenarios import bundled_scenarios, read, scenario_text
from cascade_plan.reports.inputs import explain, paths


def lines(name: str, scenario: str = "cascade", **assignments: str) -> list[str]:
    """Return what explain says of a bundled scenario's input, with values set by their paths."""
    sets = [(f"--set {path}={value}", path, value) for path, value in assignments.items()]
    given = read(scenario, sets)
    return explain(given.scenario, given.origins, name).splitlines()


def line_of(text: str, after: str = "") -> str:
    """Return the place of the first line of cascade.yaml that has a text, after another; "" where none has it."""
    numbered = enumerate(scenario_text("cascade")[0].splitlines(), 1)
    if after:
        next(number for number, line in numbered if after in line)
    return next((f"cascade.yaml:{number}" for number, line in numbered if text in line), "")


def test_an_input_has_its_value_its_meaning_its_default_and_its_place() -> None:
    assert lines("tiers.cache.minimum_nodes") == [
        "tiers.cache.minimum_nodes = 3 nodes",
        "  meaning  Fewest masters.",
        "  allowed  nodes, at least 1",
        "  default  1 (assumption): one master; a Redis Cluster that mends itself has three",
        "  example  --set tiers.cache.minimum_nodes=3",
        f"  given    {line_of('minimum_nodes: 3', after='cache:')}",
    ]


def test_a_default_says_that_nobody_gave_another() -> None:
    first, meaning, _, default, _, given = lines("tiers.api.users_per_node")
    assert first == "tiers.api.users_per_node = 5,000 users per node"
    assert meaning.startswith("  meaning  Connected users that one node serves")
    assert default == "  default  5000 (plan): case study (docs/seed.md), cost calculator: 5k users per node"
    assert given == "  given    nowhere, so it is the default"


@pytest.mark.parametrize(
    ("name", "assignments", "first", "given"),
    [
        ("users.peak", {"users.peak": "12000"}, "users.peak = 12,000 users", "--set users.peak=12000"),
        ("behaviour.think_time_s.min", {}, "behaviour.think_time_s.min = 1 seconds", "think_time_s:"),
        ("availability.level", {}, "availability.level = critical", "availability:"),
        ("availability.zones", {}, "availability.zones is left out", "nowhere"),
        ("loads.peak.ramp_s", {}, "loads.peak.ramp_s = 100 seconds", "  peak: {"),
        ("tiers.websocket.kind", {}, "tiers.websocket.kind = websocket", "  websocket:"),
        ("tiers.database.n_plus_one", {}, "tiers.database.n_plus_one = false", "nowhere, so it is the default"),
        (
            "tiers.search.port",
            {"tiers.search": "{kind: api, port: 9000}"},
            "tiers.search.port = 9000",
            "--set tiers.search={kind: api, port: 9000}",
        ),
        (
            "tiers.pool.tenant_class_share",
            {"tiers.pool.tenant_class_share": "{a: 0.25, b: 0.75}"},
            "tiers.pool.tenant_class_share = {a: 0.25, b: 0.75}",
            "--set tiers.pool.tenant_class_share={a: 0.25, b: 0.75}",
        ),
    ],
)
def test_a_value_is_shown_with_its_unit_and_where_it_was_given(
    name: str, assignments: dict[str, str], first: str, given: str
) -> None:
    said = lines(name, **assignments)
    assert (said[0], said[-1]) == (first, f"  given    {line_of(given) or given}")


def test_the_path_may_be_shortened() -> None:
    assert lines("api.users_per_node") == lines("tiers.api.users_per_node")
    several = [line for line in lines("users_per_node") if " = " in line]
    assert several == [
        "tiers.api.users_per_node = 5,000 users per node",
        "tiers.cache.users_per_node = 20,000 users per node",
    ]
    assert lines("tiers.users_per_node") == lines("users_per_node")


def test_a_part_is_shown_with_all_that_it_holds() -> None:
    said = lines("behaviour.actions.create_message")
    assert said[0] == "behaviour.actions.create_message"
    assert "behaviour.actions.create_message.publishes = true" in said
    shape = lines("tiers.database.shape", **{"tiers.database.shape": "{vcpu: 8, memory_gib: 64}"})
    assert "tiers.database.shape.memory_gib = 64 GiB" in shape
    assert "  meaning  An instance type, or a need for which the cheapest is taken." in shape


def test_what_is_off_is_explained_as_what_it_would_be() -> None:
    said = lines("tiers.websocket.connections_per_node", "saas-300")
    assert said[0] == "tiers.websocket.connections_per_node = 50,000 connections per node"
    assert said[-1] == "  given    nowhere: saas-300 has no websocket"
    assert lines("tiers.extra.lines", "saas-300")[0] == "tiers.extra.lines is left out"
    # By its end alone only what is there is found.
    assert lines("connections_per_node", "saas-300") == []


def test_what_is_no_input_has_no_explanation() -> None:
    for name in ("", "tiers.api.users_per", "nothing", "tiers.api.users_per_node.more", "."):
        assert lines(name) == []


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_input_of_every_scenario_has_a_meaning(name: str) -> None:
    given = read(name)
    for path in paths(given.scenario):
        said = explain(given.scenario, given.origins, path).splitlines()
        assert said[0].startswith(path)
        assert said[1].startswith("  meaning  "), path


def test_an_input_without_an_origin_that_the_scenario_has_is_given_by_it() -> None:
    assert explain(make_scenario(), {}, "users.peak").splitlines()[-1] == "  given    by the scenario"


def test_the_command_takes_a_figure_first_then_an_input_and_suggests_from_both(cascade) -> None:  # type: ignore[no-untyped-def]
    assert cascade("explain", "database.replica_count")[1].startswith("database.replica_count = 1 instances")
    status, out, _ = cascade("explain", "tiers.api.users_per_node", "saas-300")
    assert (status, out.splitlines()[0]) == (0, "tiers.api.users_per_node = 300 users per node")
    for wrong, right in (("api.node_cuont.base", "api.node_count.base"), ("user.peak", "users.peak")):
        status, out, err = cascade("explain", wrong)
        assert (status, out) == (2, "")
        assert f"no figure and no input {wrong!r}; did you mean {right!r}?" in err
