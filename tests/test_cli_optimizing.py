"""optimize as a user runs it: what it prints, what it writes, and that size, check and diff take what it wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

Cascade = Callable[..., tuple[int, str, str]]


def found(cascade: Cascade, *arguments: str) -> dict[str, Any]:
    """Return what optimize says as JSON."""
    status, out, err = cascade("optimize", *arguments, "--format", "json")
    assert status in (0, 4), err
    document: dict[str, Any] = json.loads(out)
    return document


def test_the_file_written_gives_the_same_bill_and_keeps_every_gate(cascade: Cascade, tmp_path: Path) -> None:
    best = str(tmp_path / "best.yaml")
    said = found(cascade, "startup-1k", "-o", best)
    status, out, _ = cascade("size", best, "--format", "json")
    plan = json.loads(out)
    assert status == 0
    assert Decimal(plan["cost_usd_per_month"]) == Decimal(said["cost_usd_per_month"])
    assert Decimal(said["proof"]["bound_usd_per_month"]) == Decimal(said["cost_usd_per_month"])
    assert Decimal(said["cost_usd_per_month"]) < Decimal(said["cost_usd_per_month_today"])
    assert not [finding for finding in plan["findings"] if finding["is_broken"]]
    status, out, err = cascade("check", best)
    assert status == 0, out + err
    assert not [verdict for verdict in plan["verdicts"] if verdict["status"] == "fail"]


def test_what_one_less_breaks_is_seen_with_its_flags(cascade: Cascade, tmp_path: Path) -> None:
    best = str(tmp_path / "best.yaml")
    said = found(cascade, "startup-1k", "-o", best)
    rejected = [each for part in said["parts"] for each in part["rejected"]]
    assert rejected
    for each in rejected:
        sets = [
            argument
            for path, value in each["overrides"].items()
            for argument in ("--set", f"{path}={json.dumps(value)}")
        ]
        status, out, err = cascade("size", best, *sets, "--format", "json")
        if status == 4:
            continue
        plan = json.loads(out)
        broken = [finding for finding in plan["findings"] if finding["is_broken"]]
        failed = [v for v in plan["verdicts"] if v["status"] == "fail" and not v["figure"].startswith("cost_")]
        assert broken or failed, (each, err)


def test_a_kept_shape_stays_and_costs_no_less(cascade: Cascade) -> None:
    free = found(cascade, "startup-1k")
    kept = found(cascade, "startup-1k", "--set", "tiers.database.shape=db.m6g.large", "--keep", "tiers.database.shape")
    assert kept["pinned"]["tiers"]["database"]["shape"] == "db.m6g.large"
    assert Decimal(kept["cost_usd_per_month"]) >= Decimal(free["cost_usd_per_month"])


def test_what_is_asked_of_shapes_and_terms_is_kept(cascade: Cascade) -> None:
    flags = ("--families", "m7g,m6g,c7g", "--burstable", "none", "--architecture", "arm64", "--pools", "apart")
    said = found(cascade, "startup-1k", *flags, "--commitment-years-max", "1", "--upfront-usd-max", "0")
    tiers = said["pinned"]["tiers"]
    shapes = [settings["shape"] for settings in tiers.values() if isinstance(settings.get("shape"), str)]
    assert shapes
    assert all(shape.split(".")[-2] in ("m7g", "m6g", "c7g") for shape in shapes)
    assert not any(settings.get("nodes_of") for settings in tiers.values())
    assert Decimal(said["upfront_usd"]) == 0
    terms = [settings["purchase"] for settings in tiers.values() if "purchase" in settings]
    assert all(term == "on_demand" or "_1y_no_upfront" in term for term in terms)


def test_a_budget_that_no_fleet_keeps_is_exit_4_with_the_report(cascade: Cascade, tmp_path: Path) -> None:
    status, out, _ = cascade("optimize", "startup-1k", "--budget", "1", "-o", str(tmp_path / "best.yaml"))
    assert status == 4
    assert "No fleet keeps the budget" in out
    assert (tmp_path / "best.yaml").exists()


def test_limits_that_no_fleet_keeps_are_exit_4_and_write_nothing(cascade: Cascade, tmp_path: Path) -> None:
    scenario = yaml.safe_load(cascade("optimize", "saas-300", "-o", "-")[1])
    scenario["loads"] = {"all": {"share": 1.0, "ramp_s": 10, "duration_s": 600, "latency_ms_p95": 0.01}}
    mine = tmp_path / "mine.yaml"
    mine.write_text(yaml.safe_dump(scenario), encoding="utf-8")
    status, out, err = cascade("optimize", str(mine), "-o", str(tmp_path / "best.yaml"))
    assert (status, out) == (4, "")
    assert "no fleet keeps every promise" in err
    assert not (tmp_path / "best.yaml").exists()


def test_the_fleet_may_change_by_month_or_be_one(cascade: Cascade) -> None:
    growing = ("saas-300", "--set", "growth.percent_per_month=40", "--horizon-months", "4")
    by_month, fixed = found(cascade, *growing), found(cascade, *growing, "--fixed")
    users = [month["users_peak"] for month in by_month["months"]]
    assert users == sorted(users)
    assert len(users) == 4
    assert users[-1] > 2 * users[0]
    assert fixed["months"] == []
    assert Decimal(by_month["cost_usd_per_month"]) <= Decimal(fixed["cost_usd_per_month"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--keep", "tiers.databse"), "did you mean 'database'"),
        (("--keep", "users.peak"), "a tier or one of its settings"),
        (("--objective", "latency"), "must be cost"),
        (("--commitment-years-max", "2"), "one of 0, 1, 3"),
        (("--horizon-months", "13"), "12"),
        (("--families", "M7!"), "a family such as m7g"),
        (("--burstable", "apy"), "did you mean 'api'"),
    ],
)
def test_a_wrong_flag_is_one_clear_message(cascade: Cascade, arguments: tuple[str, ...], said: str) -> None:
    status, out, err = cascade("optimize", "saas-300", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_the_screen_fits_a_terminal_and_the_page_has_the_proof(cascade: Cascade) -> None:
    _, out, _ = cascade("optimize", "startup-1k")
    assert all(len(line) <= 80 for line in out.splitlines())
    assert len(out.splitlines()) <= 30
    assert "the cheapest of" in out
    _, page, _ = cascade("optimize", "startup-1k", "--format", "markdown")
    for heading in ("## The fleet", "## One less fails", "## The proof"):
        assert heading in page


def test_same_input_same_bytes(cascade: Cascade) -> None:
    assert cascade("optimize", "saas-300", "--format", "json") == cascade("optimize", "saas-300", "--format", "json")
