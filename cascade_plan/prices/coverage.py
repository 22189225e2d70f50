"""What a price book covers: how many rows, how old, how many with a caveat, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cascade_plan.model.price import Book, Price
from cascade_plan.prices.products import price_list

NO_PRICE: Final = "no price: "
"""Starts a gap that names the key of a price the book should have and has not."""


@dataclass(frozen=True, slots=True)
class SectionCoverage:
    """What one section of a book holds."""

    section: str
    row_count: int
    as_of_oldest: str
    """Date of the oldest dated row, as its source gives it (YYYY, YYYY-MM or YYYY-MM-DD); "" when none is dated."""
    as_of_newest: str
    undated_count: int
    weak_count: int
    """Rows whose note says what weakens them."""
    gaps: tuple[str, ...]
    """What is known to be missing, in words."""


def coverage(book: Book, gaps: Mapping[str, Sequence[str]] | None = None) -> list[SectionCoverage]:
    """Return the coverage of every section, empty ones too, in the order of the book's file.

    `gaps` is what `bundled.gaps` returns for the book's region; a price that an override has since given is no gap, and
    of a section that an update renewed only the prices still missing are.
    """
    prices = price_list(book.cloud)
    rows: dict[str, list[Price]] = {section: [] for section in prices.sections}
    for price in book:
        rows[prices.section_of(price.key)].append(price)
    filled = {f"{NO_PRICE}{price.key}" for price in book}
    known = gaps or {}
    return [
        _covered(
            section, listed, tuple(_open(known.get(section, ()), filled, any(p.origin == "cache" for p in listed)))
        )
        for section, listed in rows.items()
    ]


def _open(gaps: Sequence[str], filled: Collection[str], is_renewed: bool) -> Iterator[str]:
    """Yield the gaps that are still some: what was said of a section's sources no longer holds once it is renewed."""
    for gap in gaps:
        if gap not in filled and (gap.startswith(NO_PRICE) or not is_renewed):
            yield gap


def _covered(section: str, prices: Sequence[Price], gaps: tuple[str, ...]) -> SectionCoverage:
    dates = [price.as_of for price in prices if price.as_of != "undated"]
    return SectionCoverage(
        section=section,
        row_count=len(prices),
        as_of_oldest=min(dates, default=""),
        as_of_newest=max(dates, default=""),
        undated_count=len(prices) - len(dates),
        weak_count=sum(price.weak for price in prices),
        gaps=gaps,
    )
