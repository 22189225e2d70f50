"""docs/scenario.md: what the generator writes now, with examples that work and a row for every field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_conventions import NO_UNIT

from cascade_plan.files.parsing import parse_yaml
from cascade_plan.inputs.scenarios import environments_of, read
from cascade_plan.model.scenario import AVAILABILITY
from cascade_plan.model.schemas import scenario_schema
from cascade_plan.planning.pipeline import plan
from cascade_plan.reports.reference import reference, unit_of

DOCUMENT = Path(__file__).parents[2] / "docs/scenario.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
HEADINGS = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL), re.MULTILINE)


def slug(heading: str) -> str:
    """Return the anchor GitHub gives a heading: lower case, punctuation gone, blanks as dashes."""
    return "".join("-" if each == " " else each for each in heading.lower() if each.isalnum() or each in " -_")


def test_the_document_is_what_the_generator_writes(cascade: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = cascade("schema", "scenario", "--format", "markdown")
    assert (status, err) == (0, "")
    assert out == TEXT, "write it anew: cascade-plan schema --format markdown -o docs/scenario.md"


def test_only_a_scenario_has_a_document(cascade: Callable[..., tuple[int, str, str]]) -> None:
    assert cascade("schema", "plan", "--format", "markdown")[0] == 2
    status, out, err = cascade("schema", "--format", "markdwn")
    assert (status, out) == (2, "")
    assert "did you mean 'markdown'?" in err


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields of the scenario and of each of its parts."""
    for name, definition in {"": schema, **schema["$defs"]}.items():
        if not name.endswith("InEnvironment"):
            yield (definition["anyOf"][1] if "anyOf" in definition else definition)["properties"]


def rows() -> list[list[str]]:
    return [line[2:-2].split(" | ") for line in TEXT.splitlines() if line.startswith("| `")]


def test_every_field_has_a_row_with_meaning_value_and_example() -> None:
    fields = sorted(f"`{name}`" for part in parts(scenario_schema()) for name in part)
    found = [row for row in rows() if row[0].strip("`") not in AVAILABILITY]
    assert sorted(row[0] for row in found) == fields
    for row in found:
        assert len(row) == 5, row
        assert all(row[column] for column in (0, 1, 2, 4)), row


def test_a_row_tells_unit_bounds_default_and_source() -> None:
    assert (
        "| `hit_ratio` | Share of the reads that it answers; the others reach the database. | "
        "a ratio, at least 0, at most 1 | `0.9` (plan: case study (docs/seed.md), target: 90% hits, to be "
        "measured) | `0.9` |"
    ) in TEXT
    assert "| `peak` | Most users connected at the same time. | users, at least 1 | required | `10000` |" in TEXT


def test_every_number_is_shown_with_its_unit() -> None:
    numbers = 0
    for part in parts(scenario_schema()):
        for name, field in part.items():
            types = {field.get("type"), *(each.get("type") for each in field.get("anyOf", ()))}
            if types & {"integer", "number"} and name not in NO_UNIT:
                numbers += 1
                assert unit_of(name, "think_time_s"), name
    assert numbers > 100


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("duration_s", "seconds"), ("minimum_nodes_scaled_in", "nodes"), ("spawn_rate_per_s", "a rate per second"),
        ("usd_per_1000_users_month", "US dollars per 1000 users and month"), ("usd_per_month", "US dollars per month"),
        ("memory_kib_per_connection", "KiB per connection"), ("read_count", "a count"), ("speed", ""),
        ("speed_per_s", ""), ("nat_gib_per_node_month", "GiB per node and month"),
    ],
)  # fmt: skip
def test_a_unit_is_read_from_a_name(name: str, unit: str) -> None:
    assert unit_of(name) == unit


def test_every_link_leads_to_one_heading() -> None:
    anchors = [slug(heading) for heading in HEADINGS]
    assert len(anchors) == len({*anchors})
    links = re.findall(r"\]\(#([^)]*)\)", TEXT)
    assert len(links) > 40
    assert {*links} <= {*anchors}


def test_availability_is_spelled_out() -> None:
    found = {row[0].strip("`"): row[1:] for row in rows() if row[0].strip("`") in AVAILABILITY}
    assert set(found) == {"minimal", "standard", "critical"}
    for word, asked in AVAILABILITY.items():
        zones, standby, losses, node_count, replica_count, nat = found[word]
        assert (int(zones), int(node_count), int(replica_count)) == (asked.zones, asked.node_count, asked.replica_count)
        assert (standby == "yes", nat == "one a zone") == (asked.has_standby, asked.nat_gateway_per_zone)
        assert ("zone" in losses, "node" in losses) == (asked.lost_zone_count > 0, asked.lost_node_count > 0)


def test_there_are_examples_of_everything_tiers_can_do() -> None:
    together = "\n".join(EXAMPLES)
    for words in ("at: search", "kind: api", "reads: {", "writes: {", "cache: off", "kind: database", "jobs: {",
                  "purchase:", "environments:", "availability:", "queue: {}"):  # fmt: skip
        assert words in together, words
    assert "{{" not in TEXT


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.partition(":")[0] + str(EXAMPLES.index(text)))
def test_an_example_is_a_scenario_that_has_a_plan(example: str, tmp_path: Path) -> None:
    whole = parse_yaml(EXAMPLES[0], "example").data
    file = tmp_path / "scenario.yaml"
    file.write_text(yaml.safe_dump(whole | parse_yaml(example, "example").data), encoding="utf-8")
    for env in environments_of(str(file)) or (None,):
        given = read(str(file), env=env)
        made = plan(given.scenario, given.book, given.origins)
        assert made.figure("cost_usd_per_month.average") > 0
        assert not made.bill.unpriced


def test_nothing_in_it_is_taken_for_html() -> None:
    schema = scenario_schema()
    schema["properties"]["name"]["description"] = "a <b> | c"
    assert "| a &lt;b> &#124; c |" in reference(schema)
