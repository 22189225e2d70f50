"""The text of a price book, and the YAML and CSV it is made of: one row a line, and the same prices the same bytes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from io import StringIO
from itertools import chain, count
from typing import Any, Final

from cascade_plan.languages.yaml import literal
from cascade_plan.model.price import PriceKey, Row
from cascade_plan.prices.layout import COLUMNS, CURRENCY, FORMAT
from cascade_plan.prices.products import PriceList

_UNSAFE: Final = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def render_book(
    prices: PriceList,
    region: str,
    rows: Mapping[PriceKey, Row],
    comment: str,
    origin: str,
    gaps: Mapping[str, Iterable[str]] | None = None,
) -> str:
    """Return a book's text, which `reading.parse_book` reads.

    `comment` and `origin` are whole lines: the file's first, and the header's that say what the book was made of.
    With `gaps`, by section, the sections have titles. The same prices give the same bytes.
    """
    parts = [
        comment,
        f"format: {FORMAT}\ncloud: {prices.cloud}\nregion: {region}\ncurrency: {CURRENCY}\n",
        origin,
        "sections:\n",
    ]
    sections: dict[str, dict[PriceKey, Row]] = {section: {} for section in prices.sections}
    for key, row in rows.items():
        sections[prices.section_of(key)][key] = row
    for section, own in sections.items():
        title = f"    title: {literal(prices.titles[section])}\n" if gaps else ""
        listed_gaps = listed("gaps", gaps.get(section, ()), 4) if gaps else ""
        parts.append(_section(section, own, title, listed_gaps))
    return "".join(parts)


def _section(section: str, rows: Mapping[PriceKey, Row], title: str, gaps: str) -> str:
    names = _source_names(row[4] for row in rows.values())
    dates = sorted(row[3] for row in rows.values() if row[3] != "undated") or ["undated"]
    lines = [
        (key.item, key.variant, key.term, unit, usd, upfront, as_of, names[source], *rest)
        for key, (unit, usd, upfront, as_of, source, *rest, _) in sorted(rows.items(), key=_order)
    ]
    return (
        f"  {section}:\n"
        f"{title}"
        f"    as_of: {{oldest: {literal(dates[0])}, newest: {literal(dates[-1])}}}\n"
        + _mapped("sources", {name: source for source, name in names.items()}, 4)
        + gaps
        + block(COLUMNS, lines)
    )


def _order(entry: tuple[PriceKey, Any]) -> tuple[Any, ...]:
    key = entry[0]
    return natural(key.item), natural(key.variant), natural(key.term), key  # m1 and m01 are equal until the key


def natural(text: str) -> list[str | int]:
    """Return what sorts text as people count: m5.2xlarge before m5.12xlarge."""
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", text))]


def _source_names(sources: Iterable[str]) -> dict[str, str]:
    """Return source -> a short name: its repository's, else its first word; numbered where several share it."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for source in sorted(set(sources)):
        match = re.match(r"[\w.-]+/([\w.-]+?)@|\W*(\w+)", source, re.ASCII)
        name = (match[1] or match[2] or "source").lower() if match else "source"
        numbered = (f"{name}-{number}" for number in count(2))
        names[source] = next(free for free in chain([name], numbered) if free not in taken)
        taken.add(names[source])
    return names


def block(columns: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """Return CSV as the literal block of a section's rows: one row a line."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_escaped(cell) for cell in line] for line in lines)
    return "    rows: |\n" + re.sub("(?m)^", "      ", text.getvalue()[:-1]) + "\n"


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def listed(name: str, texts: Iterable[str], indent: int) -> str:
    """Return a YAML list of texts under a name."""
    space = " " * indent
    lines = "".join(f"{space}  - {literal(text)}\n" for text in texts)
    return f"{space}{name}:\n{lines}" if lines else f"{space}{name}: []\n"


def _mapped(name: str, entries: Mapping[str, str], indent: int) -> str:
    space = " " * indent
    lines = "".join(f"{space}  {literal(key)}: {literal(text)}\n" for key, text in sorted(entries.items()))
    return f"{space}{name}:\n{lines}" if lines else f"{space}{name}: {{}}\n"
