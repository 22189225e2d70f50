"""A scenario as the document that says it: what was given, and what was pinned."""

from __future__ import annotations

from typing import Any

from cascade_plan.languages.yaml import comment, dump
from cascade_plan.model.scenario import Scenario


def document(scenario: Scenario) -> dict[str, Any]:
    """Return the mapping that a file holds: the values that were given or pinned, without those that are left out.

    The profile that a trace gave stands in its place, and calibrated values in the place of their file: the document
    needs no other file.
    """
    found: dict[str, Any] = scenario.model_dump(mode="json", exclude_unset=True, exclude={"calibration"})
    users = found.get("users", {})
    if users.pop("trace", None) is not None:
        users["profile"] = list(scenario.users.hourly_weights)
    found["tiers"] = {name: _without_nothing(tier) for name, tier in found["tiers"].items()}
    return found


def text(scenario: Scenario, head: str) -> str:
    """Return the file that says a scenario, below a remark of how it came to be."""
    return f"{comment(head)}\n{dump([document(scenario)]).removeprefix('---' + chr(10))}"


def _without_nothing(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
