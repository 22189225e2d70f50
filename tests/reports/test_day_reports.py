"""A simulation as table, markdown, json and csv: every figure with its unit, nothing that breaks the format."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from math import inf
from typing import Any

import pytest

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.model.replay import Outcome, Replay, Simulation
from cascade_plan.reports.days._outcomes import COLUMNS, HEADERS
from cascade_plan.units import settled

FORMATS = registry.names("reports/days")
HOSTILE = "=cmd|'/c calc'!A1\n| <b>bold</b> `code` **x**\x1b[31m\x00\ud800\u202e"


def outcome(policy: str = "cpu", **changes: Any) -> Outcome:
    made = Outcome(
        policy, f"{policy} in words", 1.25, 7.5, 1812.4, 8, 24, 2, 6, 3.414, 1021.5,
        Decimal("14.912345678901234567890123"), Decimal("3123.455"),
    )  # fmt: skip
    return replace(made, **changes)


def made_replay(*outcomes: Outcome, **changes: Any) -> Replay:
    return replace(Replay("api", 1.0, outcomes, "cpu", "cpu misses least.", (), "cpu"), **changes)


def made_simulation(*replays: Replay, **changes: Any) -> Simulation:
    return replace(Simulation("Shop", "a quiet day", 2.0, 30, 7, replays, Decimal("3210.987")), **changes)


def made(*outcomes: Outcome, **changes: Any) -> Simulation:
    return made_simulation(made_replay(*outcomes), **changes)


TWO = made(outcome(), outcome("fixed-peak", pod_count_min=12, pod_count_max=12, node_count_min=3, node_count_max=3))
SERVICES = made_simulation(
    made_replay(outcome(), request_share=0.8),
    made_replay(outcome("requests"), service="search", request_share=0.2, recommended="requests", reason="So it is."),
)


def render(simulation: Simulation, name: str) -> str:
    text: str = registry.load("reports/days", name).render(simulation)
    return text


def csv_rows(simulation: Simulation) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(render(simulation, "csv"))))


def test_the_table_is_the_comparison() -> None:
    assert render(TWO, "table") == (
        "Shop: a quiet day\n"
        "2 days, 30 runs, seed 7\n"
        "\n"
        "policy           SLO        SLO    worst  pods  nodes  API nodes,      whole\n"
        "             missed,    missed,  p99, ms                  USD/day     fleet,\n"
        "            min/day,   min/day,                                    USD/month\n"
        "                mean  worst run\n"
        "----------  --------  ---------  -------  ----  -----  ----------  ---------\n"
        "cpu              1.2        7.5    1,812  8-24    2-6      $14.91  $3,123.46\n"
        "fixed-peak       1.2        7.5    1,812    12      3      $14.91  $3,123.46\n"
        "\n"
        "cpu: cpu in words\n"
        "fixed-peak: fixed-peak in words\n"
        "\n"
        "Recommended: cpu. cpu misses least. It is what the scenario has, and\n"
        "cascade-plan emit-k8s emits.\n"
    )


def test_markdown_names_every_unit_and_marks_the_recommended_policy() -> None:
    text = render(TWO, "markdown")
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in text.splitlines() if line.startswith("|")]
    assert tuple(rows[0]) == HEADERS
    assert rows[2] == ["**cpu**", "1.2", "7.5", "1,812", "8-24", "2-6", "3.41", "1,021.5", "$14.91", "$3,123.46"]
    assert [row[0] for row in rows[2:]] == ["**cpu**", "fixed-peak"]
    assert "- **cpu**: cpu in words" in text
    says = "It is what the scenario has, and cascade-plan emit-k8s emits."
    assert text.endswith(f"\nRecommended: cpu. cpu misses least. {says}\n")
    other = made_simulation(made_replay(outcome("cpu"), outcome("latency"), own="latency"))
    assert "cascade-plan emit-k8s --policy cpu emits it" in render(other, "markdown")


def test_json_holds_every_figure_and_money_as_text() -> None:
    document = json.loads(render(TWO, "json"))
    (service,) = document["services"]
    first = service["outcomes"][0]
    assert (document["schema_version"], service["recommended"], document["seed"]) == (1, "cpu", 7)
    assert (document["scenario"], document["traffic"]) == ("Shop", "a quiet day")
    assert (document["day_count"], document["run_count"], service["reason"]) == (2.0, 30, "cpu misses least.")
    assert set(first) == set(COLUMNS)
    assert first["cost_usd_per_day"] == "14.912345678901"
    assert first["worst_latency_ms_p99"] == 1812.4
    assert [entry["recommended"] for entry in service["outcomes"]] == [True, False]
    assert document["cost_usd_per_month"] == "3210.987"


def test_csv_is_a_row_a_policy_with_the_models_names_and_unrounded() -> None:
    rows = csv_rows(TWO)
    assert [row["policy"] for row in rows] == ["cpu", "fixed-peak"]
    assert tuple(rows[0]) == ("service", *COLUMNS)
    assert Decimal(rows[0]["cost_usd_per_day"]) == settled(TWO.replays[0].outcomes[0].cost_usd_per_day)
    assert float(rows[0]["node_count_mean"]) == 3.414
    assert [row["recommended"] for row in rows] == ["true", "false"]


def test_every_field_of_an_outcome_is_a_column() -> None:
    assert set(COLUMNS) == {*Outcome.__slots__, "recommended"}


def test_a_latency_without_an_end_is_told_in_every_format() -> None:
    simulation = made(outcome(worst_latency_ms_p99=inf))
    assert "overloaded" in render(simulation, "table")
    assert "| overloaded |" in render(simulation, "markdown")
    assert json.loads(render(simulation, "json"))["services"][0]["outcomes"][0]["worst_latency_ms_p99"] is None
    assert float(csv_rows(simulation)[0]["worst_latency_ms_p99"]) == inf


def test_tiny_and_huge_money_is_written_without_an_exponent() -> None:
    simulation = made(outcome(cost_usd_per_day=Decimal("1E-9"), cost_usd_per_month=Decimal("1E+7")))
    assert csv_rows(simulation)[0]["cost_usd_per_day"] == "0.000000001"
    assert json.loads(render(simulation, "json"))["services"][0]["outcomes"][0]["cost_usd_per_month"] == "10000000"
    assert "$10,000,000.00" in render(simulation, "table")


@pytest.mark.parametrize("name", FORMATS)
def test_one_day_and_one_run_are_singular_and_the_same_replay_is_the_same_bytes(name: str) -> None:
    simulation = made(outcome(), day_count=1.0, run_count=1)
    assert render(simulation, name) == render(simulation, name)
    if name in ("table", "markdown"):
        assert "1 day, 1 run, seed 7" in render(simulation, name)


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_names_break_no_format(name: str) -> None:
    hostile = outcome(HOSTILE, description=HOSTILE)
    replay = made_replay(hostile, service=HOSTILE, recommended=HOSTILE, reason=HOSTILE)
    text = render(made_simulation(replay, replay, scenario=HOSTILE, traffic=HOSTILE), name)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text)
    assert text.encode("utf-8").decode() == text
    assert text.endswith("\n")


def test_a_hostile_name_is_one_cell() -> None:
    simulation = made_simulation(made_replay(outcome(HOSTILE), recommended=HOSTILE))
    row = next(line for line in render(simulation, "markdown").splitlines() if line.startswith("| **"))
    assert len(re.findall(r"(?<!\\)\|", row)) == len(HEADERS) + 1
    assert "<b>" not in row
    cell = csv_rows(simulation)[0]["policy"]
    assert cell.startswith("'=cmd")
    assert json.loads(render(made(outcome("a\nb")), "json"))["services"][0]["outcomes"][0]["policy"] == "a\nb"


def test_the_table_keeps_to_its_width() -> None:
    long = "word " * 60
    replay = made_replay(outcome(long, description=long), service=long, reason=long)
    text = render(made_simulation(replay, replay, scenario=long, traffic=long), "table")
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_compared_is_no_error(name: str) -> None:
    text = render(made_simulation(made_replay(recommended="", reason="")), name)
    if name == "csv":
        assert text == ",".join(("service", *COLUMNS)) + "\n"
    elif name == "json":
        assert json.loads(text)["services"][0]["outcomes"] == []
    else:
        assert text.endswith("Nothing was compared.\n")


# Several services


def test_the_table_has_a_part_for_each_service_and_the_sum() -> None:
    text = render(SERVICES, "table")
    first, second, third = (
        text.index(part) for part in ("\napi: 80% of", "\nsearch: 20% of the requests\n", "\nWhole ")
    )
    assert text.index("cpu misses least.") in range(first, second)
    assert text.index("Recommended: requests. So it is.") in range(second, third)
    assert text.endswith("\nWhole fleet, every service scaled as recommended: $3,210.99 a month.\n")
    assert "API" not in text


def test_markdown_has_a_heading_for_each_service_and_the_sum() -> None:
    lines = render(SERVICES, "markdown").splitlines()
    assert [line for line in lines if line.startswith("#")] == [
        "## Simulation", "### api: 80% of the requests", "### search: 20% of the requests"
    ]  # fmt: skip
    assert lines[-1] == "Whole fleet, every service scaled as recommended: $3,210.99 a month."
    assert sum(line.startswith("| **") for line in lines) == 2


def test_one_service_needs_no_heading_and_no_sum() -> None:
    for name in ("table", "markdown"):
        text = render(TWO, name)
        assert "Whole fleet" not in text
        assert "of the requests" not in text


def test_rows_and_documents_name_the_service() -> None:
    assert [(row["service"], row["policy"]) for row in csv_rows(SERVICES)] == [("api", "cpu"), ("search", "requests")]
    services = json.loads(render(SERVICES, "json"))["services"]
    assert [(each["service"], each["request_share"]) for each in services] == [("api", 0.8), ("search", 0.2)]
    assert [each["recommended"] for each in services] == ["cpu", "requests"]


@pytest.mark.parametrize(
    ("name", "hint"), [("jsn", "did you mean 'json'?"), ("", "known are csv, json, markdown, table"), ("html", "known")]
)
def test_an_unknown_format_is_refused(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(hint)):
        render(TWO, name)
