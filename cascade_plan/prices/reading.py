"""The text of a price book or a catalogue as its prices or shapes, and a file's prices laid over a book."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from decimal import Decimal
from io import StringIO
from itertools import repeat
from math import inf
from typing import Any, Final

import yaml

from cascade_plan import registry
from cascade_plan.errors import PriceError, Problem, ScenarioError
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.model.catalogue import WHAT, Catalogue, Shape
from cascade_plan.model.price import OVERRIDE, UNITS, Book, PriceKey, Row
from cascade_plan.prices import short
from cascade_plan.prices.checking import problems
from cascade_plan.prices.layout import (
    COLUMNS,
    CURRENCY,
    DISCOUNTS,
    FORMAT,
    NAME,
    RETRIEVED,
    SHAPE_COLUMNS,
    UPFRONT_USD,
    USD,
    completed,
    is_as_of,
    is_day,
    is_header,
    is_name,
    is_text,
    tidy,
    unescaped,
)
from cascade_plan.prices.products import PriceList, price_list
from cascade_plan.prices.selling import Sold

_DAMAGE: Final = (yaml.YAMLError, csv.Error, AttributeError, KeyError, TypeError, ValueError)
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_YES_OR_NO: Final = ("burstable", "takes_prefixes")
_AMOUNTS: Final = (
    "usable_memory_gib",
    *(name for name in SHAPE_COLUMNS if name.startswith(("network_", "disk_", "cpu_", "speed_"))),
)
"""Columns of the catalogue that hold an amount or nothing."""
_BURSTS: Final = tuple(name for name in _AMOUNTS if "_burst_" in name and not name.endswith("_burst_s"))


def parse_book(text: str, name: str, origin: str = "bundled") -> Book:
    """Return the book that a file's text holds. `name` is the file as messages and reports show it.

    A book that was retrieved from its source is named after that instead: its file is this user's alone.
    Raises PriceError with every problem found, each with its file and line.
    """
    # Nothing here looks at one row at a time beyond taking it apart: what is wrong is found by whole columns, and only
    # then is it worth a slower look for where it stands.
    try:
        document = yaml.load(text, Loader=_LOADER)
        if document["format"] != FORMAT or document.get("currency", CURRENCY) != CURRENCY:
            raise ValueError
        prices = price_list(_cloud_of(document))
        rows = _rows(document["sections"], origin, prices)
        region = _named(document["region"])
        title = _title(document, name)
    except _DAMAGE:
        raise PriceError(_damage(text, name)) from None
    return Book(prices.cloud, region, rows, title)


def parse_gaps(text: str, name: str) -> dict[str, tuple[str, ...]]:
    """Return section -> what a book's text says that it lacks, in words. Raises PriceError when it is damaged."""
    try:
        sections = yaml.load(text, Loader=_LOADER)["sections"]
        return {section: tuple(sections[section]["gaps"]) for section in sections}
    except _DAMAGE:
        raise PriceError(_damage(text, name)) from None


def parse_catalogue(text: str, name: str) -> Catalogue:
    """Return the catalogue that a file's text holds. Raises PriceError, with file and line, when it is damaged."""
    shapes: dict[tuple[str, str], Shape] = {}
    try:
        sections = yaml.load(text, Loader=_LOADER)["sections"]
        for what in sections:
            lines = csv.reader(StringIO(sections[what]["rows"]), strict=True)
            try:
                shapes |= {(what, shape.name): shape for shape in _shapes(what, lines)}
            except (csv.Error, ValueError) as error:
                place, line, column = parse_yaml(text, name).place(("sections", what, "rows"))
                where = Problem(place, line + lines.line_num, column, what, str(error))
                raise PriceError(f"the catalogue is damaged: {where}") from None
    except _DAMAGE as error:
        raise PriceError(f"the catalogue {name} is damaged: {type(error).__name__}: {error}") from None
    return Catalogue(shapes)


def override(book: Book, text: str, name: str) -> Book:
    """Return the book with the rows of a file laid over it. The file has a book's format, with any of its sections.

    Its `discounts`, percent by service, are taken off every price of the book that the file itself does not give.
    Tiers that are not the book's replace all of theirs. Raises ScenarioError with every problem found: no price that is
    a positive decimal, what the cloud does not sell, another unit, another region, an unknown section, source, field or
    service, tiers with holes, a text that no report can hold, no percentage between 0 and 100.
    """
    document = parse_yaml(text, name)
    if found := problems(document, book):
        raise ScenarioError(found)
    data = document.data
    percents = {service: Decimal(str(percent)) for service, percent in (data.get(DISCOUNTS) or {}).items()}
    rows = _rows(data.get("sections") or {}, OVERRIDE, price_list(book.cloud))
    rows |= {key: (*row, OVERRIDE) for key, row in short.rows(data, book)}
    replaced = Sold(book).tiers(rows)
    return book.discounted(percents, name).without(replaced).overridden(rows, name)


def _named(value: object) -> str:
    if not is_name(value):
        raise ValueError
    return str(value)


def _title(document: Mapping[str, Any], name: str) -> str:
    """Return what a book is called. Raises one of _DAMAGE when its header says only in part when it was retrieved."""
    if document.keys().isdisjoint(RETRIEVED):
        return name
    day, source = (document[field] for field in RETRIEVED)
    if not (is_day(day) and is_text(source)):
        raise ValueError
    return f"{document['cloud']}/{document['region']} retrieved {day} from {source}"


def _cloud_of(document: Mapping[str, Any]) -> str:
    """Return the cloud a document says it is of. Raises ValueError when there is none of that name."""
    if (cloud := document["cloud"]) not in registry.names("clouds"):
        raise ValueError
    return str(cloud)


def _rows(sections: Mapping[str, Any], origin: str, prices: PriceList) -> dict[PriceKey, Row]:
    """Return the rows of a book's sections. Raises one of _DAMAGE when something is wrong, whatever it is."""
    rows: dict[PriceKey, Row] = {}
    count = 0
    for name, section in sections.items():
        service, sources, (header, *lines) = prices.sections[name], section["sources"], _lines(section["rows"])
        if not is_header(header):
            raise ValueError
        count += len(lines)
        if lines:
            ordered = lines if header == COLUMNS else [completed(header, cells) for cells in lines]
            ordered = ordered if origin != OVERRIDE else [tidy(cells) for cells in ordered]
            rows.update(_columns(service, sources, ordered, origin))
    if len(rows) != count:
        raise ValueError
    return rows


def _columns(
    service: str, sources: Mapping[str, str], lines: list[list[str]], origin: str
) -> Iterator[tuple[PriceKey, Row]]:
    """Return the rows of a section. Raises one of _DAMAGE when a cell breaks a rule of `_Check`."""
    items, variants, terms, units, prices, upfronts, dates, names, skus, confirmed_by, notes = zip(*lines, strict=True)
    found = {name: sources[name] for name in set(names)}
    if not (
        all(map(NAME.fullmatch, {*items, *terms}))
        and UNITS.keys() >= set(units)
        and all(map(USD.fullmatch, prices))
        and all(map(UPFRONT_USD.fullmatch, set(upfronts)))
        and all(map(is_as_of, set(dates)))
        and all(map(is_text, found.values()))
    ):
        raise ValueError
    # PriceKey(...) would be a call of Python for each row; this stays in C.
    keys = map(tuple.__new__, repeat(PriceKey), zip(repeat(service), items, variants, terms))
    known = map(found.__getitem__, names)
    cells = zip(units, prices, upfronts, dates, known, skus, confirmed_by, notes, repeat(origin))
    return zip(keys, cells, strict=True)


def _lines(block: str) -> Iterator[list[str]]:
    """Return the cells of each line of a section's CSV."""
    lines = csv.reader(StringIO(block), strict=True)
    return map(unescaped, lines) if "\\u" in block else lines


def _shapes(what: str, lines: Iterator[list[str]]) -> Iterator[Shape]:
    """Yield a section's shapes. Raises ValueError for a line that is none."""
    if what not in WHAT:
        raise ValueError(f"the sections are {', '.join(WHAT)}")
    if next(lines, None) != SHAPE_COLUMNS:
        raise ValueError(f"the columns must be {','.join(SHAPE_COLUMNS)}")
    for cells in lines:
        yield _shape(what, dict(zip(SHAPE_COLUMNS, cells, strict=True)))


def _shape(what: str, cells: Mapping[str, str]) -> Shape:
    """Return the shape of a line. Raises ValueError when it can be none."""
    name, vcpu, memory_gib = cells["name"], int(cells["vcpu"]), float(cells["memory_gib"])
    burstable, takes_prefixes = (cells[column] == "true" for column in _YES_OR_NO)
    if vcpu < 1 or not 0 < memory_gib < 1e6 or not name or {cells[column] for column in _YES_OR_NO} - {"true", "false"}:
        raise ValueError(f"{name}: no shape has {vcpu} vCPU, {memory_gib:g} GiB, {' and '.join(_YES_OR_NO)} like that")
    amounts = {column: float(cells[column]) if cells[column] else None for column in _AMOUNTS}
    for column, amount in amounts.items():
        if amount is not None and not 0 < amount < 1e12:
            raise ValueError(f"{name}: {column}: {cells[column]} is no amount above 0")
    for burst in _BURSTS:
        sustained = burst.replace("burst_", "")
        if (amounts[burst] or inf) < (amounts[sustained] or 0):
            raise ValueError(f"{name}: {burst} is less than {sustained}")
    if (amounts["usable_memory_gib"] or 0) > memory_gib or (amounts["cpu_baseline_ratio"] or 0) > 1:
        raise ValueError(f"{name}: usable_memory_gib is at most memory_gib, cpu_baseline_ratio at most 1")
    connections = int(cells["connection_count_max"]) if cells["connection_count_max"] else None
    return Shape(
        what,
        name,
        vcpu,
        memory_gib,
        cells["architecture"],
        burstable,
        connection_count_max=connections,
        interface_count=int(cells["interface_count"]),
        address_count_per_interface=int(cells["address_count_per_interface"]),
        takes_prefixes=takes_prefixes,
        **amounts,
    )


def _damage(text: str, name: str) -> str:
    """Return what is wrong with a book that `_rows` did not accept: a problem a line, with its file and line."""
    try:
        found = problems(parse_yaml(text, name))
    except ScenarioError as error:
        found = error.problems
    listed = "\n".join(str(problem) for problem in found) or f"{name}: unreadable"
    return f"the price book is damaged:\n{listed}"
