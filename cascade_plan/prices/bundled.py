"""The price books and the catalogue that come with the tool, and files laid over a book.

The format of a book: YAML for the header and each section's provenance, and CSV in a literal block for its rows, one
a line. libyaml scans a literal block in C and csv reads it in C, so that a book of 1,400 rows opens in milliseconds. A
cell's control characters, line breaks and backslashes are written as \\uXXXX; any other backslash stands for itself.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from io import StringIO
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import yaml

from cascade_plan import registry
from cascade_plan.errors import PriceError, Problem, ScenarioError, UsageError, did_you_mean
from cascade_plan.files.data_root import data_root
from cascade_plan.files.documents import Document, Trail, field_name
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.model.catalogue import WHAT, Catalogue, Shape
from cascade_plan.model.price import OVERRIDE, UNITS, Book, PriceKey, Row
from cascade_plan.prices.products import PriceList, price_list

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

FORMAT: Final = 1
CURRENCY: Final = "USD"

COLUMNS: Final = [
    "item",
    "variant",
    "term",
    "unit",
    "usd",
    "upfront_usd",
    "as_of",
    "source",
    "sku",
    "confirmed_by",
    "note",
]
OPTIONAL_COLUMNS: Final = {
    "variant": "",
    "term": "on_demand",
    "upfront_usd": "",
    "sku": "",
    "confirmed_by": "",
    "note": "",
}
"""Column that a file may leave out -> what its cells then are."""
SHAPE_COLUMNS: Final = [
    "name",
    "vcpu",
    "memory_gib",
    "architecture",
    "burstable",
    "pod_count_max",
]
HEADER: Final = ("format", "cloud", "region", "currency", "generated_from", "retrieved", "retrieved_from", "sections")
RETRIEVED: Final = ("retrieved", "retrieved_from")
"""The fields of the header that say on which day and from where a whole book was last retrieved; both or neither."""
DISCOUNTS: Final = "discounts"
"""Of a file laid over a book: service -> percent off its prices."""
SECTION_HEADER: Final = ("title", "as_of", "sources", "gaps", "rows")

USD: Final = re.compile(r"(?=[0.]*[1-9])[0-9]{1,9}(?:\.[0-9]{1,12})?", re.ASCII)
"""A price: plain decimal digits, above zero; so neither NaN nor an exponent, and exact in 28-digit arithmetic."""
UPFRONT_USD: Final = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,12})?)?", re.ASCII)
"""What is paid on the first day, 0 included, or nothing where the source does not say."""
_AS_OF: Final = re.compile(r"20[0-9]{2}(?:-[0-9]{2}(?:-[0-9]{2})?)?", re.ASCII)
_NAME: Final = re.compile(r"\S+")
_ESCAPE: Final = re.compile(r"\\u([0-9a-f]{4})")
_DAMAGE: Final = (yaml.YAMLError, csv.Error, AttributeError, KeyError, TypeError, ValueError)
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def regions(cloud: str) -> tuple[str, ...]:
    """Return the sorted names of the regions of a cloud that have a bundled book."""
    names = (entry.name for entry in _directory(cloud).iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".yaml") and name != "shapes.yaml"))


@cache
def book(cloud: str, region: str) -> Book:
    """Return the bundled book of a cloud's region.

    Raises UsageError, naming the bundled regions, when there is none; PriceError when the file is damaged.
    """
    return parse_book(*_text_of(cloud, region))


@cache
def gaps(cloud: str, region: str) -> Mapping[str, tuple[str, ...]]:
    """Return section -> what the bundled book of a cloud's region is known to lack, in words. Raises as `book` does."""
    text, name = _text_of(cloud, region)
    try:
        sections = yaml.load(text, Loader=_LOADER)["sections"]
        return {section: tuple(sections[section]["gaps"]) for section in sections}
    except _DAMAGE:
        raise PriceError(_damage(text, name)) from None


@cache
def catalogue(cloud: str) -> Catalogue:
    """Return the shapes that a cloud's bundled books price. Raises PriceError when the file is damaged."""
    text = _directory(cloud).joinpath("shapes.yaml").read_text(encoding="utf-8")
    return parse_catalogue(text, f"pricing/{cloud}/shapes.yaml")


def is_as_of(text: str) -> bool:
    """Return whether text is the date of a price: YYYY, YYYY-MM, YYYY-MM-DD or "undated"."""
    if not _AS_OF.fullmatch(text):
        return text == "undated"
    try:
        date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError:
        return False
    return True


def _directory(cloud: str) -> Traversable:
    return data_root().joinpath("pricing", cloud)


def _text_of(cloud: str, region: str) -> tuple[str, str]:
    """Return (text, name) of a region's book. Raises UsageError when there is none."""
    if region not in (known := regions(cloud)):
        raise UsageError(
            f"no bundled prices for region {region!r}: known are {', '.join(known)}{did_you_mean(region, list(known))}"
        )
    name = f"{region}.yaml"
    return _directory(cloud).joinpath(name).read_text(encoding="utf-8"), f"pricing/{cloud}/{name}"


# ------------------------------------------------------------------------------------------------------------ reading


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
    Raises ScenarioError with every problem found: no price that is a positive decimal, a unit other than the book's,
    another region, an unknown section, source, field or service, no percentage between 0 and 100.
    """
    document = parse_yaml(text, name)
    check = _Check(document, book)
    if problems := check.problems():
        raise ScenarioError(problems)
    data = document.data
    percents = {service: Decimal(str(percent)) for service, percent in (data.get(DISCOUNTS) or {}).items()}
    rows = _rows(data.get("sections") or {}, OVERRIDE, price_list(book.cloud))
    return book.discounted(percents, name).overridden(rows, name)


def _named(value: object) -> str:
    if not _is_name(value):
        raise ValueError
    return str(value)


def _title(document: Mapping[str, Any], name: str) -> str:
    """Return what a book is called. Raises one of _DAMAGE when its header says only in part when it was retrieved."""
    if document.keys().isdisjoint(RETRIEVED):
        return name
    day, source = (document[field] for field in RETRIEVED)
    if not (_is_day(day) and _is_text(source)):
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
        if not _is_header(header):
            raise ValueError
        count += len(lines)
        if lines:
            ordered = lines if header == COLUMNS else [_completed(header, cells) for cells in lines]
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
        all(map(_NAME.fullmatch, {*items, *terms}))
        and UNITS.keys() >= set(units)
        and all(map(USD.fullmatch, prices))
        and all(map(UPFRONT_USD.fullmatch, set(upfronts)))
        and all(map(is_as_of, set(dates)))
        and all(map(_is_text, found.values()))
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
    return map(_unescaped, lines) if "\\u" in block else lines


def _is_header(columns: Sequence[str]) -> bool:
    """Return whether columns are a section's: each once, in any order, none unknown, only optional ones left out."""
    given = set(columns)
    return len(given) == len(columns) and {*COLUMNS} - OPTIONAL_COLUMNS.keys() <= given <= {*COLUMNS}


def _completed(header: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Return a row's cells in the order of COLUMNS. Raises ValueError when there are not as many as in the header."""
    given = dict(zip(header, cells, strict=True))
    return [given.get(column, OPTIONAL_COLUMNS.get(column, "")) for column in COLUMNS]


def _unescaped(cells: list[str]) -> list[str]:
    return [_ESCAPE.sub(lambda match: chr(int(match[1], 16)), cell) for cell in cells]


def _shapes(what: str, lines: Iterator[list[str]]) -> Iterator[Shape]:
    """Yield a section's shapes. Raises ValueError for a line that is none."""
    if what not in WHAT:
        raise ValueError(f"the sections are {', '.join(WHAT)}")
    if next(lines, None) != SHAPE_COLUMNS:
        raise ValueError(f"the columns must be {','.join(SHAPE_COLUMNS)}")
    for name, vcpu, memory_gib, architecture, burstable, pods in lines:
        shape = Shape(what, name, int(vcpu), float(memory_gib), architecture, burstable == "true", int(pods))
        if shape.vcpu < 1 or not 0 < shape.memory_gib < 1e6 or burstable not in ("true", "false") or not name:
            raise ValueError(f"{name}: no shape has {vcpu} vCPU, {memory_gib} GiB, burstable {burstable}")
        yield shape


# ----------------------------------------------------------------------------------------------------------- checking


def _damage(text: str, name: str) -> str:
    """Return what is wrong with a book that `_rows` did not accept: a problem a line, with its file and line."""
    try:
        problems = _Check(parse_yaml(text, name)).problems()
    except ScenarioError as error:
        problems = error.problems
    listed = "\n".join(str(problem) for problem in problems) or f"{name}: unreadable"
    return f"the price book is damaged:\n{listed}"


class _Check:
    """Finds everything wrong with a book, or with a file that overrides `book`, and where it stands."""

    def __init__(self, document: Document, book: Book | None = None) -> None:
        self.document = document
        self.book = book
        self.found: list[Problem] = []
        self.seen: dict[tuple[str, ...], tuple[str | int, int]] = {}
        self.sections: Mapping[str, str] = {}
        """Of the document's cloud; empty where there is no such cloud."""

    def problems(self) -> list[Problem]:
        """Return the problems in the order of the file."""
        data = self.document.data
        clouds = (self.book.cloud,) if self.book else registry.names("clouds")
        if data.get("cloud") in clouds:
            self.sections = price_list(data["cloud"]).sections
        retrieved = () if data.keys().isdisjoint(RETRIEVED) else RETRIEVED
        is_discount = self.book is not None and DISCOUNTS in data
        sections = () if is_discount else ("sections",)
        allowed = HEADER if self.book is None else (*HEADER, DISCOUNTS)
        self._fields((), allowed, ("format", "cloud", "region", *sections, *retrieved))
        if is_discount and self.sections:
            self._discounts(data[DISCOUNTS])
        self._must((), "format", lambda value: value == FORMAT, f"must be {FORMAT}, the format this version reads")
        self._must((), "cloud", lambda value: value in clouds, f"must be {' or '.join(clouds)}")
        self._must((), "currency", lambda value: value == CURRENCY, f"must be {CURRENCY}")
        self._must((), "retrieved", _is_day, "must be a day, YYYY-MM-DD")
        self._must((), "retrieved_from", _is_text, "must be text")
        if self._must((), "region", _is_name, "must be the name of a region") and self.book:
            region = self.book.region
            self._must((), "region", lambda value: value == region, f"must be {region}, the region of the scenario")
        has_sections = not is_discount or data.get("sections") is not None
        if has_sections and self.sections and self._must((), "sections", _is_mapping, "must be a mapping of sections"):
            for name in data["sections"]:
                self._section(name)
        return sorted(self.found)

    def _discounts(self, discounts: object) -> None:
        """Check the percents that a file takes off the prices of whole services."""
        if not isinstance(discounts, dict) or not discounts:
            self._refuse((DISCOUNTS,), "must be a mapping of services to percent, such as {service: 12}")
            return
        services = sorted({*self.sections.values()})
        for service, percent in discounts.items():
            if service not in services:
                message = f"unknown service; known are {', '.join(services)}{did_you_mean(service, services)}"
                self._refuse((DISCOUNTS, service), message)
            elif not _is_percent(percent):
                message = f"must be percent above 0 and below 100, at most two decimals, got {percent!r}"
                self._refuse((DISCOUNTS, service), message)

    def _section(self, name: str) -> None:
        trail, section = ("sections", name), self.document.data["sections"][name]
        if name not in (known := self.sections):
            self._refuse(trail, f"unknown section; known are {', '.join(known)}{did_you_mean(name, list(known))}")
        elif not _is_mapping(section):
            self._refuse(trail, "must be a mapping with sources and rows")
        else:
            self._fields(trail, SECTION_HEADER, ("sources", "rows"))
            named = self._must(trail, "sources", _is_mapping, "must be a mapping of short names to sources")
            self._must(trail, "gaps", _is_list, "must be a list of texts")
            if self._must(trail, "rows", _is_block, "must be CSV in a literal block (rows: |)"):
                self._rows(trail, known[name], section["rows"], section["sources"] if named else None)

    def _rows(self, trail: Trail, service: str, block: str, sources: Mapping[str, Any] | None) -> None:
        """Check a section's CSV, a line at a time."""
        lines = csv.reader(StringIO(block), strict=True)
        try:
            if not _is_header(header := next(lines, [])):
                optional = f"; optional are {', '.join(OPTIONAL_COLUMNS)}"
                message = f"the first line of a literal block (rows: |) must be {','.join(COLUMNS)}{optional}"
                self._refuse_line(trail, 1, message)
                return
            for given in map(_unescaped, lines):
                if len(given) != len(header):
                    message = f"must have {len(header)} cells ({','.join(header)}), got {len(given)}"
                    self._refuse_line(trail, lines.line_num, message)
                    continue
                cells = _completed(header, given)
                for message in self._faults(service, cells, sources):
                    self._refuse_line(trail, lines.line_num, message)
                place = (trail[-1], lines.line_num)
                if (first := self.seen.setdefault((service, *cells[:3]), place)) != place:
                    self._refuse_line(trail, lines.line_num, f"priced before, by row {first[1] - 1} of {first[0]}")
        except csv.Error as error:
            self._refuse_line(trail, lines.line_num, f"no CSV: {error}")

    def _faults(self, service: str, cells: list[str], sources: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield what is wrong with the cells of a row."""
        item, variant, term, unit, usd, upfront_usd, as_of, source, *_ = cells
        for column, cell in (("item", item), ("term", term)):
            if not _NAME.fullmatch(cell):
                yield f"{column}: must be a name, got {cell!r}"
        if not USD.fullmatch(usd):
            yield f"usd: must be a decimal number above 0, such as 0.192, got {usd!r}"
        if not UPFRONT_USD.fullmatch(upfront_usd):
            yield f"upfront_usd: must be a decimal number, or empty where it is not known, got {upfront_usd!r}"
        if not is_as_of(as_of):
            yield f"as_of: must be YYYY, YYYY-MM, YYYY-MM-DD or undated, got {as_of!r}"
        if sources is not None and not _is_text(sources.get(source)):
            yield f"source: must be one of the section's sources ({', '.join(sources)}), got {source!r}"
        if unit not in UNITS:
            yield f"unit: must be one of {', '.join(sorted(UNITS))}, got {unit!r}{did_you_mean(unit, sorted(UNITS))}"
        elif self.book and (price := self.book.find(service, item, variant, term)) and price.unit != unit:
            yield f"unit: the book prices {price.key} per {price.unit}, got {unit}"

    def _fields(self, trail: Trail, allowed: Sequence[str], required: Iterable[str]) -> None:
        mapping = self._at(trail)
        for name in mapping:
            if name not in allowed:
                hint = did_you_mean(name, list(allowed))
                self._refuse((*trail, name), f"unknown field{hint}; allowed: {', '.join(allowed)}")
        for name in required:
            if name not in mapping:
                self.found.append(Problem(*self.document.place(trail), field_name((*trail, name)), "is missing"))

    def _must(self, trail: Trail, name: str, holds: Callable[[Any], bool], message: str) -> bool:
        """Return whether a field is there and as it must be; refuse it when it is there and not so."""
        mapping = self._at(trail)
        if name in mapping and not holds(mapping[name]):
            self._refuse((*trail, name), message)
            return False
        return name in mapping

    def _at(self, trail: Trail) -> dict[str, Any]:
        value: Any = self.document.data
        for step in trail:
            value = value[step]
        return dict(value)

    def _refuse(self, trail: Trail, message: str) -> None:
        self.found.append(Problem(*self.document.key_place(trail), field_name(trail), message))

    def _refuse_line(self, trail: Trail, number: int, message: str) -> None:
        """Refuse a line of the rows, which start on the line below their key."""
        name, line, column = self.document.key_place((*trail, "rows"))
        self.found.append(Problem(name, line + number, column + 2, field_name((*trail, "rows")), message))


def _is_percent(value: object) -> bool:
    """Return whether a value is percent off a price: with two decimals at most, so that prices stay exact."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 < value < 100 and re.fullmatch(r"[0-9]{1,2}(?:\.[0-9]{1,2})?", str(value)) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not value.isspace() and value != ""


def _is_day(value: object) -> bool:
    text = str(value)  # YAML's own reader makes a date of one without quotes
    return len(text) == 10 and is_as_of(text)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_block(value: object) -> bool:
    return isinstance(value, str)
