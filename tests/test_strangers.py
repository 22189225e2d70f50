"""What is printed for an application speaks of it and of no other: not of the case study behind the defaults."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

OWN = """
schema_version: 1
name: ledger
users: {peak: 900, average: 300}
behaviour:
  actions:
    list: {weight: 3, request: GET /items, read_count: 2}
    save: {weight: 1, request: POST /items, write_count: 1, publishes: true}
loads:
  peak: {share: 1.0, ramp_s: 30, duration_s: 600, latency_ms_p95: 300}
tiers:
  cluster: {}
  api: {}
  websocket: {}
  cache: {}
  pool: {}
  database: {}
  gateway: {}
  network: {}
  monitoring: {}
"""
FOREIGN = re.compile(r"\bCASCADE\b(?!_)|\bthe plan's\b|success metric|performance plan", re.IGNORECASE)
TOOL = re.compile(r"cascade[-_]plan\S*", re.IGNORECASE)


def foreign(text: str) -> list[str]:
    """Return the lines that speak of what a reader of this scenario cannot know."""
    return [line for line in text.splitlines() if FOREIGN.search(TOOL.sub("", line))]


@pytest.mark.parametrize("scenario", ["own.yaml", "saas-300", "chat-40k", "api-batch"])
def test_no_output_speaks_of_another_application(cascade, scenario: str) -> None:  # type: ignore[no-untyped-def]
    Path("own.yaml").write_text(OWN, encoding="utf-8")
    commands = [
        ("size",),
        ("size", "--full"),
        ("report", "--relaxations", "none"),
        ("check",),
        ("simulate",),
        ("explain",),
        ("validate",),
    ]
    said = [line for command in commands for line in foreign("".join(cascade(*command, scenario)[1:]))]
    for figure in json.loads(cascade("size", scenario, "--format", "json")[1])["derivations"]:
        said += foreign("".join(cascade("explain", figure, scenario)[1:]))
    assert said == []


def test_such_a_line_is_found() -> None:
    assert foreign("default: CASCADE performance plan") == ["default: CASCADE performance plan"]
    assert foreign("run `cascade-plan size`\nbetween the plan's bounds") == ["between the plan's bounds"]
