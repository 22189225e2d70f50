"""A month's bill from its files: which form they have, which lines are of the month, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Final

from cascade_plan import registry
from cascade_plan.errors import Problem, ScenarioError, UsageError
from cascade_plan.evidence.bill_file import BillFile
from cascade_plan.model.actuals import NOTHING, Line, Read
from cascade_plan.units import counted

FOLDER: Final = "evidence/bills"
DEEPEST: Final = 6
"""Folders in folders: an export has its name, data, and the billing period."""
ENDINGS: Final = (".csv", ".csv.gz", ".parquet", ".json", ".json.gz")
CENT: Final = Decimal("0.005")

Opened = Callable[[str], BillFile | None]
Listed = Callable[[str], Sequence[str] | None]


def files_of(paths: Sequence[str], opened: Opened, listed: Listed) -> list[BillFile]:
    """Return the files of a bill: those named, and those in directories that are a bill's.

    Raises UsageError, with all that is wrong: no such file, one named twice, a directory without a bill.
    """
    found: list[BillFile] = []
    wrong: list[str] = []
    for path in paths:
        names = listed(path) if path != "-" else None
        if names is None:
            file = opened(path)
            wrong += [] if file is not None else [f"there is no file {path!r}"]
            found += [] if file is None else [file]
            continue
        inside = [file for file in _inside(path, opened, listed, 0) if _claiming(file) is not None]
        wrong += [] if inside else [f"{path}: no file in it is a bill: {_reads()} are read"]
        found += inside
    twice = [name for name, count in Counter(file.name for file in found).items() if count > 1]
    wrong += [f"{name}: given twice: its lines would be counted twice" for name in twice]
    if wrong:
        raise UsageError("\n".join(wrong))
    return found


def _inside(path: str, opened: Opened, listed: Listed, depth: int) -> Iterator[BillFile]:
    for name in sorted(listed(path) or ()):
        inner = f"{path.rstrip('/')}/{name}"
        if listed(inner) is not None:
            if depth < DEEPEST and not name.startswith("."):
                yield from _inside(inner, opened, listed, depth + 1)
        elif name.endswith(ENDINGS) and (file := opened(inner)) is not None:
            yield file


def _readers() -> list[ModuleType]:
    return [registry.load(FOLDER, name) for name in registry.names(FOLDER)]


def _claiming(file: BillFile) -> ModuleType | None:
    return next((reader for reader in _readers() if reader.claims(file)), None)


def _reads() -> str:
    return ", ".join(reader.READS for reader in _readers())


def billed(files: Sequence[BillFile], tags: Sequence[str]) -> Read:
    """Return the lines of a bill with those of their tags, costs settled.

    Raises UsageError, with every problem of every file: one that is no bill, two forms of one bill, rows that are none.
    """
    problems: list[Problem] = []
    refused: list[str] = []
    lines: list[Line] = []
    forms: dict[str, str] = {}
    for file in files:
        try:
            reader = _claiming(file)
            if reader is None:
                refused.append(_refusal(file))
                continue
            forms.setdefault(reader.READS, file.name)
            lines += reader.read(file, tags)
        except ScenarioError as error:
            problems += error.problems
        except UsageError as error:
            refused.append(str(error))
    if len(forms) > 1:
        said = " and ".join(f"{name} is {form}" for form, name in forms.items())
        refused.append(f"{said}: give one form of the bill, or it is counted twice")
    if problems and not refused:
        raise ScenarioError(problems)
    if refused:
        raise UsageError("\n".join([*refused, *([str(ScenarioError(problems))] if problems else [])]))
    if not lines:
        raise UsageError(f"{', '.join(file.name for file in files)}: the bill has no lines")
    settled, notes = _settled(lines)
    return Read(next(iter(forms)), tuple(file.name for file in files), tuple(settled), tuple(notes))


def _refusal(file: BillFile) -> str:
    if file.kind == "zip":
        return f"{file.name}: a zip archive: unpack it, and give the CSV file in it"
    if not file.head.strip():
        return f"{file.name}: the file is empty"
    known = ", ".join(name.encode("ascii", "replace").decode()[:40] for name in file.columns[:4])
    has = f"; its columns begin with {known}" if file.columns else ""
    return f"{file.name}: not a bill that is read: {_reads()}{has}"


def _settled(lines: Sequence[Line]) -> tuple[list[Line], list[str]]:
    """Return the lines, on-demand usage at what was billed, and what was wrong with its effective cost in words.

    What no commitment pays for costs what is billed for it. Some exports have 0 or whole dollars there.
    """
    settled, wrong, usd = [], 0, NOTHING
    for line in lines:
        is_plain = line.kind == "usage" and not line.is_committed
        if is_plain and line.effective_usd != line.billed_usd:
            if abs(line.effective_usd - line.billed_usd) > CENT or not line.effective_usd:
                wrong, usd = wrong + line.row_count, usd + line.billed_usd - line.effective_usd
            line = replace(line, effective_usd=line.billed_usd)
        settled.append(line)
    if not wrong:
        return settled, []
    off = f"${abs(usd):,.2f} {'too little' if usd > 0 else 'too much'}"
    return settled, [
        f"the effective cost of {counted(wrong, 'row')} on demand is not what was billed, together {off}: "
        "what was billed is taken"
    ]


def of_month(read: Read, month: str | None) -> tuple[str, tuple[Line, ...]]:
    """Return a month of a bill and its lines: the one asked for, or its only one.

    Raises UsageError for a month that it has not, and where it has several and none is asked for.
    """
    months = sorted({line.month for line in read.lines if line.month})
    if not months:
        raise UsageError(f"{read.names[0]}: no line says of which month it is")
    held = months[0] if len(months) == 1 else f"{', '.join(months[:-1])} and {months[-1]}"
    if month is None:
        if len(months) > 1:
            raise UsageError(f"the bill has {held}: choose one by --month, such as --month {months[-1]}")
        month = months[0]
    if month not in months:
        raise UsageError(f"the bill is of {held}, not of {month} (--month)")
    return month, tuple(line for line in read.lines if line.month == month)
