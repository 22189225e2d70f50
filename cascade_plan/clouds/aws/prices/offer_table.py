"""AWS's price lists in CSV: a few lines about the file, a line of headings, and a record for each price.

A file has hundreds of megabytes of which a plan needs a few hundred records. Fields stand in the file as they are, so a
line without the texts that a wanted record must have is passed over before it is split into fields.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from cascade_plan.clouds.aws.prices.offers import Edition, check_names, edition_of
from cascade_plan.errors import CloudError

_SAID: Final = {
    "FormatVersion": "formatVersion",
    "Publication Date": "publicationDate",
    "Version": "version",
    "OfferCode": "offerCode",
}
_HEADINGS_WITHIN: Final = 20
"""Lines within which the headings stand; they are the sixth line."""
_LONGEST: Final = 1 << 20
"""Characters of the longest record; a quote that stands open for longer never closes."""

Marks = Sequence[tuple[str, ...]]
"""Alternatives: the texts that all stand in a wanted record, the rarest first."""


class Table:
    """A price list that is being read. Raises CloudError for what is no price list, and for one that is cut short."""

    def __init__(self, lines: Iterable[str], offer: str, code: str) -> None:
        """Read up to the headings. `code` is what the file itself calls the offer."""
        self._lines = iter(lines)
        self._offer = offer
        said: dict[str, str] = {}
        headings: list[str] = []
        for record in _whole(islice(self._lines, _HEADINGS_WITHIN), offer):
            row = next(self._split(iter([record])), [])
            if row and row[0] == "SKU":
                if not record.endswith("\n"):
                    raise self._cut("it ends within its headings")
                headings = row
                break
            if len(row) == 2 and row[0] in _SAID:
                said[_SAID[row[0]]] = row[1]
        self.edition: Edition = edition_of(offer, code, said)
        if not headings:
            raise CloudError(f"{offer}: the file has no line of headings; try again later")
        self._width = len(headings)
        self.headings: Mapping[str, int] = {name: index for index, name in enumerate(headings)}
        """Heading -> the index of its column."""
        self._twice = {name for name in headings if headings.count(name) > 1}

    def columns(self, names: Iterable[str]) -> Mapping[str, int]:
        """Return heading -> index of its column. Raises CloudError naming those that are missing or there twice."""
        wanted = list(names)
        check_names(self._offer, wanted, self.headings)
        if twice := sorted(self._twice.intersection(wanted)):
            raise self._cut(f"the heading {twice[0]!r} stands there twice")
        return {name: self.headings[name] for name in wanted}

    def rows(self, marks: Marks) -> Iterator[list[str]]:
        """Yield the records that have all the texts of one of `marks`, and a few more, in their order."""
        for row in self._split(_marked(self._lines, marks, self._offer)):
            if len(row) != self._width:
                raise self._cut(f"a record of {len(row)} fields under {self._width} headings")
            yield row

    def _split(self, records: Iterator[str]) -> Iterator[list[str]]:
        try:
            yield from csv.reader(records, strict=True)
        except csv.Error as error:
            raise self._cut(str(error)) from error

    def _cut(self, why: str) -> CloudError:
        return CloudError(f"{self._offer}: the file is damaged or cut short: {why}; try again")


def _whole(lines: Iterator[str], offer: str) -> Iterator[str]:
    """Yield records: lines, joined where a quoted field goes over several."""
    for line in lines:
        yield _joined(line, lines, offer) if line.count('"') % 2 else line


def _marked(lines: Iterator[str], marks: Marks, offer: str) -> Iterator[str]:
    """Yield the records that have all the texts of one of `marks`, those over several lines, and the last."""
    pairs = [(rarest, others) for rarest, *others in marks]
    line, unread = "", False
    for line in lines:
        if line.count('"') % 2:
            yield _joined(line, lines, offer)
            unread = False
            continue
        unread = True
        for rarest, others in pairs:
            if rarest in line and all(other in line for other in others):
                yield line
                unread = False
                break
    if unread and line.strip():
        # Splitting the last line shows whether it is whole.
        yield line


def _joined(line: str, lines: Iterator[str], offer: str) -> str:
    """Return the record that `line` begins, with the lines its open quote goes over."""
    parts, length, open_quote = [line], len(line), True
    while open_quote:
        line = next(lines, "")
        length += len(line)
        if not line or length > _LONGEST:
            raise CloudError(f"{offer}: the file is damaged or cut short: a quoted field does not end; try again")
        parts.append(line)
        open_quote ^= line.count('"') % 2 == 1
    return "".join(parts)
