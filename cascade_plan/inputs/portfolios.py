"""The systems of a portfolio: files, directories, patterns, or a table of what each has otherwise than one scenario."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.files.assignments import Assignment, steps_of
from cascade_plan.inputs.choice import FIELDS, FOLLOWED
from cascade_plan.inputs.scenarios import bundled_scenarios, scenario_text
from cascade_plan.languages.yaml import literal
from cascade_plan.model.scenario import Scenario

ENDINGS: Final = (".yaml", ".yml")
MAGIC: Final = re.compile(r"[*?\[]")
TEXTS: Final = ("name", "application", "description", "tags.")
"""What of a table is text, whatever it looks like."""
SHORT: Final = {name: path for name, path in FIELDS if name != "calibration"}
"""Columns that are called as flags are."""
_OTHERS: Final = re.compile(r"\b(?:trace|file|calibration):\s*[\"']?([^\s\"',{}]+)")
"""Files that a scenario may name: what they hold counts as what it says."""


class Job(NamedTuple):
    """One system to plan."""

    at: int
    """Its number, from 0, in the order of the rows."""
    place: str
    """Its file, or its row of a table."""
    text: str
    """Its scenario; empty where it is the base's."""
    assignments: tuple[Assignment, ...] = ()
    problem: str = ""
    """Why it cannot be read."""


@dataclass(frozen=True)
class Source:
    """Where systems come from; `jobs` may be asked for again, from any of them on."""

    jobs: Callable[[], Iterator[Job]]
    base: tuple[str, str] = ("", "")
    """Text and display name of the scenario that a table changes."""

    @cached_property
    def known(self) -> tuple[int, str]:
        """How many systems there are, and a digest of all that is known of them."""
        found, count = sha256(_packed(*self.base)), 0
        for job in self.jobs():
            count += 1
            others = (_bytes(Path(job.place).parent / name) for name in _OTHERS.findall(job.text))
            assigned = (part for each in job.assignments for part in map(str, each))
            found.update(_packed(job.place, job.text, job.problem, *assigned, *others))
        return count, found.hexdigest()


def _packed(*parts: str | bytes) -> bytes:
    """Return texts as bytes that no other texts have."""
    raw = [part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part for part in parts]
    return b"".join(b"%d:%b" % (len(part), part) for part in (b"%d" % len(raw), *raw))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        return b""


# ------------------------------------------------------------------------------------------------------------- files


def files(given: Sequence[str]) -> Source:
    """Return the systems of files, of all YAML files below directories, and of all that patterns match, sorted.

    Raises UsageError for what is none of these, and where nothing is found.
    """
    paths = list(dict.fromkeys(path for each in given for path in _expanded(each)))
    return Source(lambda: (_read(at, path) for at, path in enumerate(paths)))


def _expanded(given: str) -> list[str]:
    path = Path(given)
    if path.is_dir():
        inside = (each for ending in ENDINGS for each in path.rglob(f"*{ending}"))
        below = [str(each) for each in inside if not _is_hidden(each.relative_to(path)) and each.is_file()]
        if not below:
            raise UsageError(f"{given}: no .yaml file is in this directory")
        return sorted(below)
    if not path.is_file() and MAGIC.search(given):
        matched = [str(each) for each in _matched(given) if each.is_file()]
        if not matched:
            raise UsageError(f"{given}: no file matches this pattern")
        return sorted(matched)
    if not path.is_file() and given not in (names := bundled_scenarios()):
        raise UsageError(
            f"{given}: neither a file, nor a directory, nor the name of a bundled scenario"
            f"{did_you_mean(given, list(names))}"
        )
    return [given]


def _matched(pattern: str) -> Iterator[Path]:
    """Yield what a pattern matches, but for what is hidden below the part of it that is no pattern."""
    parts = Path(pattern).parts
    first = next(at for at, part in enumerate(parts) if MAGIC.search(part))
    start = Path(*parts[:first])
    yield from (each for each in start.glob(str(Path(*parts[first:]))) if not _is_hidden(each.relative_to(start)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _read(at: int, path: str) -> Job:
    try:
        text, name = scenario_text(path)
    except UsageError as error:
        return Job(at, path, "", problem=str(error))
    return Job(at, name, text)


# ------------------------------------------------------------------------------------------------------------- tables


def table(path: str, base: str) -> Source:
    """Return a system for each row of a CSV or Parquet file: the base with what the row has in its columns.

    A column is a dotted path, as --set takes it, or peak, avg, region or method, as the flags do; an empty cell leaves
    what the base has. Raises UsageError for a file that cannot be read, and for columns that are none.
    """
    rows = _parquet_rows if path.endswith(".parquet") else _csv_rows
    header = next(iter(rows(path)), None)
    if header is None:
        raise UsageError(f"{path}: the table is empty")
    columns = _columns(path, header[1])

    def jobs() -> Iterator[Job]:
        cells = iter(rows(path))
        next(cells, None)
        return (_job(at, f"{path}:{line}", columns, each) for at, (line, each) in enumerate(cells))

    return Source(jobs, scenario_text(base))


def _columns(path: str, header: Sequence[str]) -> list[str]:
    """Return the columns of a table. Raises UsageError with all that are no path, or there twice."""
    problems, known = [], [*SHORT, *Scenario.model_fields]
    for at, name in enumerate(header):
        try:
            first = str(steps_of(name)[0])
        except ValueError as error:
            problems.append(f"{path}:1: column {at + 1}, {name!r}: {error}")
            continue
        if first not in known:
            problems.append(
                f"{path}:1: column {at + 1}, {name!r}: no field of a scenario begins so{did_you_mean(first, known)}"
            )
        elif name in header[:at]:
            problems.append(f"{path}:1: column {at + 1}, {name!r}: there twice")
    if problems:
        raise UsageError("\n".join(problems))
    return list(header)


def _job(at: int, place: str, columns: Sequence[str], cells: Sequence[str]) -> Job:
    if len(cells) > len(columns):
        return Job(at, place, "", problem=f"{place}: {len(cells)} cells, and {len(columns)} columns")
    found = [
        Assignment(place, SHORT.get(name, name), _value(name, cell), name in FOLLOWED)
        for name, cell in zip(columns, cells, strict=False)
        if cell != ""
    ]
    return Job(at, place, "", tuple(found))


def _value(name: str, cell: str) -> str:
    return literal(cell) if name.startswith(TEXTS) else cell


def _csv_rows(path: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield (line, cells) of a CSV file, its header first; empty lines are left out."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if cells:
                    yield reader.line_num, [cell.strip() for cell in cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"cannot read {path!r}: {reason}") from None


def _parquet_rows(path: str) -> Iterable[tuple[int, Sequence[str]]]:
    """Yield (number, cells) of a Parquet file, its columns first. Raises UsageError where pyarrow is not installed."""
    parquet = parquet_module(path)
    try:
        file = parquet.ParquetFile(path)
        yield 1, file.schema_arrow.names
        line = 1
        for batch in file.iter_batches():
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                line += 1
                yield line, [_cell(value) for value in values]
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path!r}: {error}") from None


def parquet_module(path: str) -> Any:
    """Return what reads and writes Parquet. Raises UsageError, with what to install, where it is not there."""
    try:
        import pyarrow.parquet
    except ImportError:
        raise UsageError(f"{path}: Parquet needs pyarrow: pip install 'cascade-plan[parquet]', or use CSV") from None
    return pyarrow.parquet


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
