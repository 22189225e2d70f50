"""Files that a command line names as evidence: read where they are asked for, or once where they can be read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cascade_plan.errors import UsageError

if TYPE_CHECKING:
    from cascade_plan.evidence.texts import Text
    from cascade_plan.model.calibration import Calibration


def text(path: str) -> Text | None:
    """Return a file, or None when there is none of that name; what can be read only once is read here."""
    from functools import partial
    from pathlib import Path

    from cascade_plan.evidence.texts import MOST_WHOLE, Text, held
    from cascade_plan.files.disk import opened, read_text

    if path == "-":
        content, name = read_text(path, MOST_WHOLE)
        return held(name, content)
    try:
        if Path(path).is_file():
            return Text(path, partial(opened, path))
        if not Path(path).exists() or Path(path).is_dir():
            return None
    except (OSError, ValueError):
        return None
    with opened(path) as file:
        return held(path, file.read(MOST_WHOLE))


def before_of(output: str, scenario: str) -> Calibration | None:
    """Return the calibration that the file holds, whose other values are kept; None where there is no such file.

    Raises UsageError for a file that is none, or one of another scenario: it is not overwritten.
    """
    from pathlib import Path

    from cascade_plan.files.disk import read_text
    from cascade_plan.files.parsing import parse_yaml
    from cascade_plan.files.validating import validate
    from cascade_plan.model.calibration import Calibration

    if output == "-" or not Path(output).is_file() or not Path(output).stat().st_size:
        return None
    found = validate(Calibration, parse_yaml(*read_text(output)))
    if found.scenario != scenario:
        raise UsageError(f"{output} is the calibration of {found.scenario}, not of {scenario}: choose another name")
    return found
