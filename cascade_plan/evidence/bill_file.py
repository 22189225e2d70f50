"""A file of a bill: CSV, JSON or Parquet, gzip or not; its columns, and its rows summed by what they say in words.

A million rows are read once and kept as sums: what differs in amounts, hours and resources alone is one group.
Amounts are decimals from the file's text to the last sum.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cached_property
from io import BufferedReader, TextIOWrapper
from operator import itemgetter
from typing import Any, BinaryIO, Final, NamedTuple, cast

from cascade_plan.errors import Problem, ScenarioError, UsageError
from cascade_plan.evidence.texts import quoted

HEAD_BYTES: Final = 65_536
MOST_WHOLE: Final = 2**26
"""Bytes of a JSON document: Cost Explorer's answer for a year by two dimensions is a hundredth of this."""
MOST_HELD: Final = 2**28
"""Bytes of what comes through a pipe; a file is read a line at a time. A million gzipped lines are a tenth of this."""
MOST_GROUPS: Final = 400_000
"""A bill of a large account has thousands; what has more is no bill, or differs by something that is unique."""
MOST_KNOWN: Final = 20_000
"""Texts of tags that are remembered."""
MOST_AMOUNT: Final = Decimal(10) ** 15
NOT_THERE: Final = frozenset({"", "NULL", "null", "None", "\\N"})
PLACES: Final = "DECIMAL(38, 18)"
SETTINGS: Final[dict[str, str | int | float | list[str]]] = {
    "threads": 2,
    "memory_limit": "200MB",
    "autoinstall_known_extensions": "false",
}
"""Of DuckDB, which without the last would fetch what it lacks from the internet."""
ZONED: Final = "TIMESTAMP WITH TIME ZONE"
GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
BROKEN: Final = (EOFError, gzip.BadGzipFile, zlib.error)
DIGITS: Final = 60
"""Of a sum: 15 before the point, and more after it than any bill has."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a format say what: of several the first that a file has."""

    words: Mapping[str, tuple[str, ...]]
    amounts: Mapping[str, tuple[str, ...]]
    until: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Columns that hold all tags, as JSON or a map."""
    tag_columns: tuple[str, ...] = ()
    """What columns of one tag begin with."""


class Group(NamedTuple):
    """Rows that say the same in words."""

    words: Mapping[str, str]
    amounts: Mapping[str, Decimal]
    tags: Mapping[str, str]
    row_count: int
    until: str


class Places(NamedTuple):
    """Which column of a file holds what; None where it has no such column."""

    words: Mapping[str, int]
    amounts: Mapping[str, int]
    until: int | None
    tags: int | None
    """The column of all tags."""
    tag_columns: tuple[int, ...]
    """Without one, those of a tag each."""
    tag_names: tuple[str, ...]
    """The tags that are taken, in order."""


@dataclass(frozen=True)
class BillFile:
    """A file: its name and a way to open it, as often as it is asked for."""

    name: str
    opened: Callable[[], BinaryIO]
    is_on_disk: bool = True

    @cached_property
    def head(self) -> bytes:
        """Its first bytes, unpacked. Raises UsageError for a file that cannot be unpacked."""
        try:
            with self._unpacked() as file:
                return file.read(HEAD_BYTES)
        except BROKEN:
            raise UsageError(f"{self.name}: the gzip file is damaged or cut short") from None

    @property
    def kind(self) -> str:
        """parquet, zip, json or csv, as its first bytes tell."""
        if self.head.startswith(PARQUET):
            return "parquet"
        if self.head.startswith(ZIP):
            return "zip"
        return "json" if self.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else "csv"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns; () of JSON, and of what has no header."""
        if self.kind == "parquet":
            return tuple(name for name, _ in self._parquet_columns)
        if self.kind != "csv":
            return ()
        line = self.head.decode("utf-8-sig", errors="replace").split("\n", 1)[0].rstrip("\r")
        try:
            return tuple(name.strip() for name in next(csv.reader([line]), ()))
        except csv.Error:
            return ()

    @cached_property
    def document(self) -> Any:
        """The JSON document that it is. Raises UsageError, with its place, for what is none."""
        try:
            with self._unpacked() as file:
                data = file.read(MOST_WHOLE + 1)
        except BROKEN:
            raise UsageError(f"{self.name}: the gzip file is damaged or cut short") from None
        if len(data) > MOST_WHOLE:
            raise UsageError(f"{self.name}: larger than the {MOST_WHOLE:,} bytes allowed of JSON")
        try:
            return json.loads(data.decode("utf-8-sig"), parse_float=str, parse_int=str)
        except json.JSONDecodeError as error:
            raise UsageError(
                f"{self.name}:{error.lineno}:{error.colno}: no JSON: {error.msg}: is the file cut short?"
            ) from None
        except (ValueError, RecursionError):
            raise UsageError(f"{self.name}: no JSON that is read: not UTF-8, or nested too deep") from None

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows of a CSV file with their lines, its header first. Raises UsageError for what is no text."""
        with self._unpacked() as file, TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, strict=True)
            try:
                for row in reader:
                    yield reader.line_num, row
            except BROKEN:
                raise UsageError(f"{self.name}: the gzip file is damaged or cut short") from None
            except UnicodeError:
                raise UsageError(f"{self.name}:{reader.line_num + 1}: not UTF-8 text") from None
            except csv.Error as error:
                raise UsageError(f"{self.name}:{reader.line_num}: no CSV: {error}") from None

    def groups(self, layout: Layout, tags: Sequence[str] = ()) -> Iterator[Group]:
        """Yield the rows summed by their words and those of their tags that are asked for.

        Raises UsageError, with every problem and its line, for rows that are none.
        """
        places = _places(self.columns, layout, tags)
        summed = self._parquet_sums(places) if self.kind == "parquet" else _sums(self, places)
        for (words, tagged), (amounts, row_count, until) in summed.items():
            yield Group(
                dict(zip(places.words, words, strict=True)),
                dict(zip(places.amounts, amounts, strict=True)),
                {name: value for name, value in zip(places.tag_names, tagged, strict=True) if value},
                row_count,
                until,
            )

    @contextmanager
    def _unpacked(self) -> Iterator[BinaryIO]:
        with self.opened() as file:
            begin = file.read(len(GZIP))
            file.seek(0)
            if begin != GZIP:
                yield file
                return
            with gzip.GzipFile(fileobj=file) as unpacked, BufferedReader(unpacked, 2**18) as buffered:
                yield cast(BinaryIO, buffered)

    # ------------------------------------------------------------------------------------------------------- Parquet

    @cached_property
    def _parquet_columns(self) -> Sequence[tuple[str, str]]:
        """Name and type of each column of a Parquet file."""
        found = self._asked("DESCRIBE SELECT * FROM read_parquet(?)")
        return [(str(name), str(kind)) for name, kind, *_ in found]

    def _asked(self, query: str) -> list[tuple[Any, ...]]:
        """Return what DuckDB answers of the file. Raises UsageError without DuckDB, and for a file it cannot read."""
        if not self.is_on_disk:
            raise UsageError(f"{self.name}: Parquet is not read through a pipe: give its path")
        try:
            import duckdb
        except ImportError:
            raise UsageError(
                f"{self.name}: Parquet is read with DuckDB, which is not installed: pip install 'cascade-plan[bills]'"
            ) from None
        try:
            with duckdb.connect(":memory:", config=SETTINGS) as database:
                return database.execute(query, [self.name]).fetchall()
        except duckdb.Error as error:
            said = str(error).split("\n", 1)[0]
            raise UsageError(f"{self.name}: the Parquet file cannot be read: {quoted(said)}") from None

    def _parquet_sums(self, places: Places) -> SumsByWords:
        """Return the sums of a Parquet file: exact, as every amount is a decimal before it is added."""
        names = [_named(name) for name, _ in self._parquet_columns]
        kinds = [kind for _, kind in self._parquet_columns]
        words = [_text(names[at], kinds[at]) for at in places.words.values()]
        if places.tags is None:
            tagged = [_text(names[at], kinds[at]) for at in places.tag_columns]
        else:
            tagged = [_tag_text(names[places.tags], kinds[places.tags], tag) for tag in places.tag_names]
        amounts = [
            f"coalesce(sum(CAST(nullif(CAST({names[at]} AS VARCHAR), '') AS {PLACES})), 0)"
            for at in places.amounts.values()
        ]
        at = places.until
        until = "''" if at is None else f"max({_text(names[at], kinds[at])})"
        asked = ", ".join((*words, *tagged, *amounts, "count(*)", until))
        found = self._asked(f"SELECT {asked} FROM read_parquet(?) GROUP BY ALL")
        first, second = len(words), len(words) + len(tagged)
        summed: SumsByWords = {}
        for row in found:
            key = (tuple(map(_there, row[:first])), tuple(map(_there, row[first:second])))
            summed[key] = Sums(list(row[second:-2]), int(row[-2]), _moment(row[-1]))
        return summed


class Sums(NamedTuple):
    """What the rows of a group add up to."""

    amounts: list[Decimal]
    row_count: int
    until: str


SumsByWords = dict[tuple[tuple[str, ...], tuple[str, ...]], Sums]
"""By what rows say in words, and by their tags."""


class _UnreadError(Exception):
    """A row is none: a second look says which, and all that is wrong."""


def _sums(file: BillFile, places: Places) -> SumsByWords:
    """Return the sums of a CSV file in one pass; only one that does not go well is looked at twice."""
    try:
        with localcontext() as context:
            context.prec = DIGITS
            return _settled(_added(file, places))
    except (_UnreadError, ArithmeticError, ValueError, RecursionError):
        problems = list(_problems(file, places))
        if not problems:
            raise UsageError(f"{file.name}: more than {MOST_GROUPS:,} different lines: this is no bill") from None
        raise ScenarioError(problems) from None


def _added(file: BillFile, places: Places) -> dict[tuple[tuple[str, ...], tuple[str, ...]], list[Any]]:
    # This loop is most of the time that a bill takes: it names nothing, checks one length, and adds.
    width, until_at = len(file.columns), places.until
    words_of, amounts_of = _getter(tuple(places.words.values())), _getter(tuple(places.amounts.values()))
    tags_of = _tag_getter(places)
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Any]] = {}
    rows = file.rows()
    next(rows, None)
    for _, row in rows:
        if len(row) != width:
            if not row:
                continue
            raise _UnreadError
        words = (words_of(row), tags_of(row))
        sums = found.get(words)
        if sums is None:
            if len(found) > MOST_GROUPS:
                raise _UnreadError
            sums = found[words] = [[Decimal(0)] * len(places.amounts), 0, ""]
        sums[1] += 1
        for index, text in enumerate(amounts_of(row)):
            if text not in _ZERO:
                sums[0][index] += Decimal(text)
        if until_at is not None and row[until_at] > sums[2]:
            sums[2] = row[until_at]
    return found


_ZERO: Final = frozenset({"0", "0.0", "0.0000000000", "0.00", *NOT_THERE})


def _settled(found: Mapping[tuple[tuple[str, ...], tuple[str, ...]], list[Any]]) -> SumsByWords:
    """Return the groups with what stands for nothing as such: two that differ by that alone are one."""
    settled: SumsByWords = {}
    for (words, tagged), (amounts, row_count, until) in found.items():
        if not all(amount.is_finite() and -MOST_AMOUNT < amount < MOST_AMOUNT for amount in amounts):
            raise _UnreadError
        key, until = (tuple(map(_there, words)), tuple(map(_there, tagged))), _moment(until)
        if (before := settled.get(key)) is not None:
            amounts = [one + other for one, other in zip(before.amounts, amounts, strict=True)]
            row_count, until = before.row_count + row_count, max(before.until, until)
        settled[key] = Sums(amounts, row_count, until)
    return settled


def _tag_getter(places: Places) -> Callable[[list[str]], tuple[str, ...]]:
    """Return a way to take the asked tags of a row; texts that many rows share are read once."""
    at, names = places.tags, places.tag_names
    if at is None:
        return _getter(places.tag_columns)
    known: dict[str, tuple[str, ...]] = {}

    def taken(row: list[str]) -> tuple[str, ...]:
        text = row[at]
        values = known.get(text)
        if values is None:
            if len(known) >= MOST_KNOWN:
                known.clear()
            tags = {} if text in NOT_THERE else parsed_tags(text)
            values = known[text] = tuple(tags.get(name, "") for name in names)
        return values

    return taken


def parsed_tags(text: str) -> dict[str, str]:
    """Return tags from their JSON, without what a bill puts before their names. Raises ValueError for what is none.

    >>> parsed_tags('{"user_application": "cascade", "aws:createdBy": "me"}')
    {'application': 'cascade', 'aws:createdBy': 'me'}
    """
    given = json.loads(text)
    if not isinstance(given, dict):
        raise ValueError("tags are no object")
    return {plain_tag(str(name)): str(value) for name, value in given.items() if value is not None}


def plain_tag(name: str) -> str:
    """Return a tag's name as its owner wrote it."""
    return name.removeprefix("user_").removeprefix("user:")


def _text(name: str, kind: str) -> str:
    """Return a column as text in SQL, nothing as ""; a time in UTC, wherever the machine is."""
    value = f"make_timestamp(epoch_us({name}))" if kind.upper() == ZONED else name
    return f"coalesce(CAST({value} AS VARCHAR), '')"


def _tag_text(name: str, kind: str, tag: str) -> str:
    """Return a tag of a column of all tags as text in SQL, whichever way a bill begins its name."""
    tags = f"nullif({name}, '')" if kind.upper() == "VARCHAR" else f"to_json({name})"
    pointer = tag.replace("~", "~0").replace("/", "~1").replace("'", "''")
    values = [f"json_extract_string({tags}, '/{prefix}{pointer}')" for prefix in ("user_", "user:", "")]
    return f"coalesce({', '.join(values)}, '')"


def _named(column: str) -> str:
    """Return a column's name for SQL."""
    return '"' + column.replace('"', '""') + '"'


def _places(columns: Sequence[str], layout: Layout, tags: Sequence[str]) -> Places:
    at = {name: index for index, name in reversed(list(enumerate(columns)))}

    def first(names: Sequence[str]) -> int | None:
        return next((at[name] for name in names if name in at), None)

    def there(fields: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
        return {field: place for field, names in fields.items() if (place := first(names)) is not None}

    every = first(layout.tags)
    of_tag = {tag: first([f"{prefix}{tag}" for prefix in layout.tag_columns]) for tag in tags}
    alone = {tag: place for tag, place in of_tag.items() if place is not None}
    return Places(
        there(layout.words),
        there(layout.amounts),
        first(layout.until),
        every,
        () if every is not None else tuple(alone.values()),
        tuple(tags) if every is not None else tuple(alone),
    )


def _getter(indexes: tuple[int, ...]) -> Callable[[list[str]], tuple[str, ...]]:
    """Return a way to take some fields of a row, always as a tuple."""
    if len(indexes) == 1:
        only = indexes[0]
        return lambda row: (row[only],)
    return cast(Callable[[list[str]], tuple[str, ...]], itemgetter(*indexes)) if indexes else lambda row: ()


def _there(text: str) -> str:
    return "" if text in NOT_THERE else text


def _moment(text: str) -> str:
    """Return when something ended as YYYY-MM-DD HH:MM.

    >>> _moment("2027-02-01T00:00:00.000Z"), _moment("2027-02-01")
    ('2027-02-01 00:00', '2027-02-01 00:00')
    """
    day, time = text[:10], text[11:16]
    return f"{day} {time or '00:00'}" if day and text not in NOT_THERE else ""


def _problems(file: BillFile, places: Places) -> Iterator[Problem]:
    """Yield everything that is wrong with the rows of a CSV file, each with its line."""
    width = len(file.columns)
    rows = file.rows()
    next(rows, None)
    for line, row in rows:
        if not row:
            continue
        if len(row) != width:
            fields = "field" if len(row) == 1 else "fields"
            message = (
                f"{len(row)} {fields} for {width} columns: the row is cut short, or has a comma that is not quoted"
            )
            yield Problem(file.name, line, 1, "", message)
            continue
        for place in places.amounts.values():
            if not _is_amount(row[place]):
                name = file.columns[place]
                yield Problem(file.name, line, 1, quoted(name)[1:-1], f"{quoted(row[place])} is no amount")
        if places.tags is not None and not _are_tags(row[places.tags]):
            name = file.columns[places.tags]
            yield Problem(file.name, line, 1, name, f"{quoted(row[places.tags])} is no JSON object of tags")


def _is_amount(text: str) -> bool:
    try:
        amount = Decimal(text) if text not in NOT_THERE else Decimal(0)
    except ArithmeticError:
        return False
    return amount.is_finite() and -MOST_AMOUNT < amount < MOST_AMOUNT


def _are_tags(text: str) -> bool:
    try:
        if text not in NOT_THERE:
            parsed_tags(text)
    except (ValueError, RecursionError):
        return False
    return True
