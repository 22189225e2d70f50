"""Everything that is wrong with a price book's file, or with a file laid over a book, and where it stands."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from cascade_plan import registry
from cascade_plan.errors import Problem, did_you_mean
from cascade_plan.files.documents import Document, Trail, field_name, shown
from cascade_plan.model.price import UNITS, Book, PriceKey
from cascade_plan.prices import short
from cascade_plan.prices.layout import (
    COLUMNS,
    CURRENCY,
    DISCOUNTS,
    FORMAT,
    HEADER,
    NAME,
    OPTIONAL_COLUMNS,
    RETRIEVED,
    SECTION_HEADER,
    SHORT,
    SHORT_HEADER,
    UNKNOWN,
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
    unsafe,
)
from cascade_plan.prices.products import price_list
from cascade_plan.prices.selling import Sold, gap


def problems(document: Document, book: Book | None = None) -> list[Problem]:
    """Return the problems of a book's document, or of one that overrides `book`, in the order of the file."""
    return _Check(document, book).problems()


class _Check:
    """Finds everything wrong with a book, or with a file that overrides `book`, and where it stands."""

    def __init__(self, document: Document, book: Book | None = None) -> None:
        self.document = document
        self.book = book
        self.found: list[Problem] = []
        self.sections: Mapping[str, str] = {}
        """Of the document's cloud; empty where there is no such cloud."""
        self.sold = Sold(book) if book else None
        self.rows: dict[PriceKey, Problem] = {}
        """Each row, with where it stands."""

    def problems(self) -> list[Problem]:
        """Return the problems in the order of the file."""
        data = self.document.data
        clouds = (self.book.cloud,) if self.book else registry.names("clouds")
        if data.get("cloud") in clouds:
            self.sections = price_list(data["cloud"]).sections
        retrieved = () if data.keys().isdisjoint(RETRIEVED) else RETRIEVED
        is_discount = self.book is not None and DISCOUNTS in data
        is_short = self.book is not None and SHORT in data
        sections = () if is_discount or is_short else ("sections",)
        allowed = HEADER if self.book is None else (*HEADER, DISCOUNTS, SHORT, *SHORT_HEADER)
        self._fields((), allowed, ("format", "cloud", "region", *sections, *retrieved))
        if is_discount and self.sections:
            self._discounts(data[DISCOUNTS])
        if is_short and self.sections:
            self._short(data[SHORT])
        self._must((), "format", lambda value: value == FORMAT, f"must be {FORMAT}, the format this version reads")
        self._must((), "cloud", lambda value: value in clouds, f"must be {' or '.join(clouds)}")
        self._must((), "currency", lambda value: value == CURRENCY, f"must be {CURRENCY}")
        self._must((), "retrieved", is_day, "must be a day, YYYY-MM-DD")
        self._must((), "retrieved_from", is_text, "must be text")
        if self._must((), "region", is_name, "must be the name of a region") and self.book:
            region = self.book.region
            self._must((), "region", lambda value: value == region, f"must be {region}, the region of the scenario")
        has_sections = bool(sections) or data.get("sections") is not None
        if has_sections and self.sections and self._must((), "sections", _is_mapping, "must be a mapping of sections"):
            for name in data["sections"]:
                self._section(name)
        self._tiers()
        return sorted(self.found)

    def _short(self, given: object) -> None:
        """Check the prices that a file gives by their words alone."""
        if not isinstance(given, dict) or not given:
            self._refuse((SHORT,), "must be a mapping of prices, such as {vpc public-ipv4: {usd: 0.005, per: hour}}")
            return
        for name in SHORT_HEADER:
            if name not in self.document.data:
                self.found.append(Problem(*self.document.place(()), name, "is missing: of the short prices"))
        self._must((), "source", is_text, "must be text: who says so")
        self._must((), "as_of", lambda value: is_as_of(str(value)), "must be YYYY, YYYY-MM, YYYY-MM-DD or undated")
        for words in given:
            place = self.document.key_place((SHORT, words))
            for message in self._short_faults(words, given[words], Problem(*place, field_name((SHORT, words)), "")):
                self.found.append(Problem(*place, field_name((SHORT, words)), message))

    def _short_faults(self, words: str, given: object, where: Problem) -> Iterator[str]:
        """Yield what is wrong with a short price."""
        assert self.book is not None
        if (key := short.key(words, self.book.cloud)) is None:
            services = sorted({*self.sections.values()})
            hint = did_you_mean(words.split(" ")[0], services)
            yield f"must be a service, an item and what else tells it apart; services are {', '.join(services)}{hint}"
            return
        if not isinstance(given, dict) or not given.keys() <= {"usd", "per"} or "usd" not in given:
            yield "must be {usd: 0.005, per: hour}: the price, and per what it is"
            return
        cells = [*key[1:], *short.cells(key, given, self.book, "undated", "s")]
        yield from self._faults(key.service, cells, {"s": "s"})
        yield from self._again(key, where)

    def _tiers(self) -> None:
        """Refuse tiers that leave a hole or overlap, where a file replaces all of a price's."""
        if self.sold is not None:
            for keys in self.sold.tiers(self.rows).values():
                if (found := gap(keys)) is not None:
                    where = self.rows[found[0]]
                    self.found.append(Problem(where.file, where.line, where.column, where.field, found[1]))

    def _again(self, key: PriceKey, where: Problem) -> Iterator[str]:
        """Remember a row; yield what is wrong when there is one before."""
        if (first := self.rows.setdefault(key, where)) is not where:
            yield f"priced before, on line {first.line}"

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
            if named and self.book is not None:
                for short, source in section["sources"].items():
                    if fault := isinstance(source, str) and unsafe(source):
                        self._refuse((*trail, "sources", short), f"{fault}, got {shown(source)}")
            self._must(trail, "gaps", _is_list, "must be a list of texts")
            if self._must(trail, "rows", _is_block, "must be CSV in a literal block (rows: |)"):
                self._rows(trail, known[name], section["rows"], section["sources"] if named else None)

    def _rows(self, trail: Trail, service: str, block: str, sources: Mapping[str, Any] | None) -> None:
        """Check a section's CSV, a line at a time."""
        lines = csv.reader(StringIO(block), strict=True)
        try:
            if not is_header(header := next(lines, [])):
                optional = f"; optional are {', '.join(OPTIONAL_COLUMNS)}"
                message = f"the first line of a literal block (rows: |) must be {','.join(COLUMNS)}{optional}"
                self._refuse_line(trail, 1, message)
                return
            for given in map(unescaped, lines):
                if len(given) != len(header):
                    message = f"must have {len(header)} cells ({','.join(header)}), got {len(given)}"
                    self._refuse_line(trail, lines.line_num, message)
                    continue
                cells = tidy(completed(header, given))
                for message in self._faults(service, cells, sources):
                    self._refuse_line(trail, lines.line_num, message)
                for message in self._again(PriceKey(service, *cells[:3]), self._line(trail, lines.line_num, "")):
                    self._refuse_line(trail, lines.line_num, message)
        except csv.Error as error:
            self._refuse_line(trail, lines.line_num, f"no CSV: {error}")

    def _faults(self, service: str, cells: list[str], sources: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield what is wrong with the cells of a row."""
        item, variant, term, unit, usd, upfront_usd, as_of, source, *_ = cells
        names = (("item", item), ("term", term))
        yield from (f"{column}: must be a name, got {cell!r}" for column, cell in names if not NAME.fullmatch(cell))
        if usd == UNKNOWN and self.book:
            yield f"usd: a price is still to be written in place of {UNKNOWN}"
        elif not USD.fullmatch(usd):
            yield f"usd: must be a decimal number above 0, such as 0.192, got {usd!r}"
        if not UPFRONT_USD.fullmatch(upfront_usd):
            yield f"upfront_usd: must be a decimal number, or empty where it is not known, got {upfront_usd!r}"
        if not is_as_of(as_of):
            yield f"as_of: must be YYYY, YYYY-MM, YYYY-MM-DD or undated, got {as_of!r}"
        if sources is not None and not is_text(sources.get(source)):
            yield f"source: must be one of the section's sources ({', '.join(sources)}), got {source!r}"
        if unit not in UNITS:
            yield f"unit: must be one of {', '.join(sorted(UNITS))}, got {unit!r}{did_you_mean(unit, sorted(UNITS))}"
        if self.sold is not None:
            yield from self._unsold(self.sold, PriceKey(service, item, variant, term), cells)

    def _unsold(self, sold: Sold, key: PriceKey, cells: list[str]) -> Iterator[str]:
        """Yield what is wrong with a row that a file lays over the book: what it prices, and what its texts hold."""
        if NAME.fullmatch(key.item) and NAME.fullmatch(key.term):
            yield from sold.faults(key, cells[COLUMNS.index("unit")])
        texts = zip(COLUMNS, cells, strict=True)
        yield from (f"{column}: {fault}, got {shown(cell)}" for column, cell in texts if (fault := unsafe(cell)))

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
        self.found.append(self._line(trail, number, message))

    def _line(self, trail: Trail, number: int, message: str) -> Problem:
        """Return a problem of a line of the rows, which start on the line below their key."""
        name, line, column = self.document.key_place((*trail, "rows"))
        return Problem(name, line + number, column + 2, field_name((*trail, "rows")), message)


def _is_percent(value: object) -> bool:
    """Return whether a value is percent off a price: with two decimals at most, so that prices stay exact."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return 0 < value < 100 and re.fullmatch(r"[0-9]{1,2}(?:\.[0-9]{1,2})?", str(value)) is not None


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_block(value: object) -> bool:
    return isinstance(value, str)
