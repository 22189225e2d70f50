"""What changed between two books: every key is in exactly one kind, and the mirror image is the other way round."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from price_rows import CELLS, KEYS

from cascade_plan.errors import PriceError
from cascade_plan.model.price import Book, PriceKey, Row
from cascade_plan.prices import bundled
from cascade_plan.prices.changes import KINDS, Change, Changes, changes, percent, render

A, B, C, D, E = (PriceKey("ec2", f"m{number}.large", "linux") for number in range(1, 6))
ALB = PriceKey("elb", "alb")


def row(usd: str, unit: str = "hour", upfront: str = "") -> Row:
    return unit, usd, upfront, "2026-11-01", "an offer", "", "", "", "cache"


def book(rows: dict[PriceKey, Row], region: str = "eu-west-1", currency: str = "USD") -> Book:
    return Book("aws", region, rows, "a book", currency)


BEFORE = book({A: row("0.1"), B: row("0.10"), C: row("0.3"), D: row("0.4"), ALB: row("0.02")})
AFTER = book({A: row("0.15"), B: row("0.1"), C: row("0.3", "gib"), E: row("0.5"), ALB: row("0.019")})


def kinds(found: Changes) -> dict[PriceKey, str]:
    return {entry.key: entry.kind for entry in found.entries}


def test_each_kind_of_change() -> None:
    found = changes(BEFORE, AFTER)
    assert kinds(found) == {A: "dearer", C: "counted differently", D: "gone", E: "new", ALB: "cheaper"}
    assert found.unchanged == (B,)
    moved = {entry.key: entry.change_percent for entry in found.entries}
    assert moved == {A: Decimal(50), C: None, D: None, E: None, ALB: Decimal(-5)}
    dearer = found.entries[0]
    assert dearer.before is not None
    assert dearer.after is not None
    assert (dearer.before.usd, dearer.after.usd) == (Decimal("0.1"), Decimal("0.15"))


def test_without_a_book_before_every_price_is_new() -> None:
    assert set(kinds(changes(None, AFTER)).values()) == {"new"}
    assert len(changes(None, AFTER).entries) == len(AFTER)
    assert changes(None, book({})) == Changes((), ())


def test_the_twelfth_decimal_counts() -> None:
    found = changes(book({A: row("123456789.000000000001")}), book({A: row("123456789.000000000002")}))
    assert kinds(found) == {A: "dearer"}
    assert found.entries[0].change_percent == Decimal("1E-10") / Decimal("123456789.000000000001")


@pytest.mark.parametrize("other", [book({A: row("1")}, region="us-east-1"), book({A: row("1")}, currency="CNY")])
def test_other_regions_and_currencies_do_not_compare(other: Book) -> None:
    with pytest.raises(PriceError, match=r"a book \(aws/eu-west-1 in USD\) and a book \(aws/.*\) do not compare"):
        changes(book({A: row("1")}), other)


BOOKS = st.dictionaries(KEYS, CELLS, max_size=8)
# Two books that share keys, with prices near enough to be equal at times.
SAMPLE = st.sampled_from([A, B, C, D, ALB])
PAIRS = st.tuples(*2 * [st.dictionaries(SAMPLE, st.builds(row, st.sampled_from(["0.1", "0.10", "0.2", "7"])))])
OPPOSITE = {"new": "gone", "dearer": "cheaper"}
OPPOSITE |= {other: one for one, other in OPPOSITE.items()} | {"counted differently": "counted differently"}


@given(BOOKS)
def test_a_book_does_not_differ_from_itself(rows: dict[PriceKey, Row]) -> None:
    found = changes(book(rows), book(dict(reversed(rows.items()))))
    assert not found
    assert set(found.unchanged) == rows.keys()


@given(PAIRS | st.tuples(BOOKS, BOOKS))
def test_every_key_is_in_one_kind_and_the_mirror_image_in_the_opposite(
    pair: tuple[dict[PriceKey, Row], dict[PriceKey, Row]],
) -> None:
    before, after = map(book, pair)
    there, back = changes(before, after), changes(after, before)
    assert sorted([*kinds(there), *there.unchanged]) == sorted(pair[0].keys() | pair[1].keys())
    assert kinds(back) == {key: OPPOSITE[kind] for key, kind in kinds(there).items()}
    assert back.unchanged == there.unchanged
    for entry in there.entries:
        change = entry.change_percent
        assert (change is None) == (entry.kind not in ("dearer", "cheaper"))
        assert change is None or (change > 0) == (entry.kind == "dearer")


def test_the_summary_counts_and_the_largest_moves_come_first() -> None:
    lines = render(changes(BEFORE, AFTER), 2).splitlines()
    assert [line.split() for line in lines if line.startswith(("ec2 ", "elb "))][:2] == [
        ["ec2", "1", "1", "1", "0", "1", "1"],
        ["elb", "0", "0", "0", "1", "0", "0"],
    ]
    assert [line.split() for line in lines[-4:]] == [
        *(["ec2", "m3.large", "linux", "on_demand", "0.3", "0.3", "hour,", "then", "gib"],),
        *(["ec2", "m1.large", "linux", "on_demand", "0.1", "0.15", "+50.00%", "hour"],),
        [],
        ["and", "1", "more"],
    ]
    everything = render(changes(BEFORE, AFTER), 10)
    assert "more" not in everything
    assert "-5.00%" in everything


def test_the_summary_of_nothing() -> None:
    assert render(changes(book({}), book({})), 5) == "no prices\n"
    same = render(changes(BEFORE, BEFORE), 5)
    assert same.splitlines()[2].split() == ["ec2", *["0"] * len(KINDS), "4"]
    assert len(same.splitlines()) == 4


@settings(deadline=None)  # the first example imports tabulate
@given(PAIRS, st.integers(0, 6))
def test_the_summary_agrees_with_the_changes(pair: tuple[dict[PriceKey, Row], dict[PriceKey, Row]], limit: int) -> None:
    found = changes(*map(book, pair))
    text = render(found, limit)
    counted: Counter[str] = Counter()
    for line in text.splitlines()[2 : 2 + len({key.service for rows in pair for key in rows})]:
        counted.update(dict(zip((*KINDS, "unchanged"), map(int, line.split()[1:]), strict=True)))
    assert {kind: counted[kind] for kind in KINDS} == {
        kind: sum(entry.kind == kind for entry in found.entries) for kind in KINDS
    }
    assert counted["unchanged"] == len(found.unchanged)
    assert text.count("%") == min(limit, counted["dearer"] + counted["cheaper"])


def test_the_bundled_books_are_summarised_without_exponents() -> None:
    region = bundled.regions("aws")[0]
    tiny = Change(A, "cheaper", None, None)
    assert tiny.change_percent is None
    text = render(changes(None, bundled.book("aws", region)), 5)
    assert [line.split()[0] for line in text.splitlines()[2:4]] == ["cloudwatch", "ebs"]
    small = render(changes(book({A: row("0.0000002")}), book({A: row("0.0000001")})), 5)
    assert "0.0000002" in small
    assert "E-" not in small


@pytest.mark.parametrize(
    ("change", "text"), [("0.01", "+0.01%"), ("-0.009", "-<0.01%"), ("1234.567", "+1234.57%"), ("0", "+0.00%")]
)
def test_a_move_as_people_read_it(change: str, text: str) -> None:
    assert percent(Decimal(change)) == text
