"""A calibration as the file that a scenario includes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cascade_plan.languages import yaml
from cascade_plan.model.calibration import Calibrated, Calibration, plain


def written(calibration: Calibration, arguments: str = "") -> str:
    """Return a calibration as its file: how it came to be in a comment, then what a scenario includes.

    Numbers have no exponent, so that every parser of YAML reads them as numbers.
    """
    lines = [
        f"# Measured values of the scenario {calibration.scenario}, which take the place of its own.",
        "# A scenario includes them by `calibration: FILE`; `cascade-plan explain PATH` names them.",
        *((f"# Written by: {yaml.literal(arguments)[1:-1]}",) if arguments else ()),
        f"calibration_version: {calibration.calibration_version}",
        f"scenario: {calibration.scenario}",
        f"written_by: {yaml.literal(calibration.written_by)}",
        *((f"measured_on: {calibration.measured_on}",) if calibration.measured_on else ()),
        *_listed("runs", [_fields(each.model_dump(exclude_none=True)) for each in calibration.runs]),
        "values:" if calibration.values else "values: {}",
        *(f"  {path}: {_value(each)}" for path, each in calibration.values.items()),
    ]
    if calibration.left:
        lines += ["left: # what the runs do not tell: the scenario's values stay"]
        lines += [f"  {yaml.literal(path)}: {yaml.literal(why)}" for path, why in calibration.left.items()]
    lines += _listed("checks", [_fields(each.model_dump()) for each in calibration.checks])
    if calibration.trusted_to_busy_share is not None:
        lines.append(f"trusted_to_busy_share: {plain(calibration.trusted_to_busy_share)}")
    return "\n".join(lines) + "\n"


def _value(each: Calibrated) -> str:
    given = {name: getattr(each, name) for name in ("value", "low", "high") if getattr(each, name) is not None}
    return _fields({**given, "method": each.method})


def _listed(name: str, rows: Sequence[str]) -> list[str]:
    return [f"{name}:", *(f"  - {row}" for row in rows)] if rows else []


def _fields(given: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{name}: {_scalar(value)}" for name, value in given.items()) + "}"


def _scalar(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_scalar, value)) + "]"
    if isinstance(value, int | float):
        return f"-{plain(-value)}" if value < 0 else plain(value)
    return yaml.literal(str(value))
