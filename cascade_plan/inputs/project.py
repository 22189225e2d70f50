"""What the project file of the working directory gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from cascade_plan.errors import Problem, ScenarioError, did_you_mean

FILE: Final = ".cascade-plan.yaml"
KEYS: Final = ("as_of", "avg", "env", "method", "peak", "prices", "region", "scenario", "set")
"""Keys that it may have: the flags of the same names."""


def project() -> dict[str, Any]:
    """Return what the project file of the working directory gives. Raises ScenarioError for an unknown key."""
    if not Path(FILE).is_file():
        return {}
    from cascade_plan.files.disk import read_text
    from cascade_plan.files.parsing import parse_yaml

    document = parse_yaml(*read_text(FILE))
    problems = [
        Problem(*document.key_place((key,)), key, f"unknown field{did_you_mean(key, list(KEYS))}")
        for key in document.data
        if key not in KEYS
    ]
    if problems:
        raise ScenarioError(problems)
    return document.data
