"""risk as a command: one screen in plain words, the same bytes for the same seed, and JSON by its schema."""

from __future__ import annotations

import json
from collections.abc import Callable

import jsonschema

Command = Callable[..., tuple[int, str, str]]


def test_one_screen_says_how_sure_a_plan_is(cascade: Command) -> None:
    status, out, err = cascade("risk", "cascade", "--draws", "150", "--sobol")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0] == "cascade: 10,000 users at peak, us-east-1; its fleet in 150 worlds (seed 1)"
    assert "Every limit is kept in" in out
    assert "cascade-plan calibrate" in " ".join(out.split())


def test_the_same_seed_gives_the_same_bytes(cascade: Command) -> None:
    one, again, other = (cascade("risk", "saas-300", "--draws", "100", "--seed", seed)[1] for seed in ("1", "1", "2"))
    assert one == again != other


def test_its_document_keeps_its_schema(cascade: Command) -> None:
    status, out, _ = cascade("risk", "saas-300", "--draws", "200", "--loss-usd", "100", "--format", "json")
    document, schema = json.loads(out), json.loads(cascade("schema", "risk")[1])
    jsonschema.validate(document, schema)
    assert (status, document["draw_count"], document["loss_usd_per_month"]) == (0, 200, 100)
    assert {each["name"] for each in document["drivers"]} > {"behaviour.actions.*.cpu_ms", "tiers.database.read_ms"}
    rows = cascade("risk", "saas-300", "--draws", "200", "--loss-usd", "100", "--format", "csv")[1].splitlines()
    assert len(rows) == 1 + len(document["drivers"])
    page = cascade("risk", "saas-300", "--draws", "200", "--loss-usd", "100", "--format", "markdown")[1]
    assert "| actions." in page
