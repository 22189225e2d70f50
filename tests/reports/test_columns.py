"""Tables fit their page: columns are dropped, cells are folded, no word is broken and nothing is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.reports._fitting import folded, shown_width
from cascade_plan.reports.columns import aligned

WORDS = st.text("abcü語", min_size=1, max_size=9)
CELLS = st.lists(WORDS, max_size=8).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]], set[int]]:
    columns = draw(st.integers(1, 5))
    row = st.lists(CELLS, min_size=columns, max_size=columns)
    return draw(row), draw(st.lists(row, min_size=1, max_size=4)), draw(st.sets(st.integers(0, columns - 1)))


@given(tables(), st.integers(40, 200))
def test_no_word_is_broken_and_none_is_lost(table: tuple[list[str], list[list[str]], set[int]], width: int) -> None:
    headers, rows, right = table
    lines = aligned(headers, rows, right, width).split("\n")
    shown = sorted(word for line in lines for word in line.split() if set(word) != {"-"})
    assert shown == sorted(word for row in (headers, *rows) for cell in row for word in cell.split())


@given(tables(), st.integers(40, 200))
def test_a_table_is_no_wider_than_its_page_unless_its_words_are(
    table: tuple[list[str], list[list[str]], set[int]], width: int
) -> None:
    headers, rows, right = table
    least = sum(
        max(
            *(shown_width(word) for word in headers[index].split(" ")),
            *(
                shown_width(part)
                for row in rows
                for part in ([row[index]] if index in right else row[index].split(" "))
            ),
        )
        + 2
        for index in range(len(headers))
    )
    widest = max(shown_width(line) for line in aligned(headers, rows, right, width).split("\n"))
    assert widest <= max(width, least - 2)


def test_columns_are_dropped_in_their_order_before_a_cell_is_folded() -> None:
    headers, row = ["tier", "fleet", "paid", "idle"], ["api", "c6g.xlarge " * 3 + "x", "on demand", "5%"]
    titles = {width: aligned(headers, [row], {3}, width, (2, 3)).split("\n")[0].split() for width in (57, 56, 45, 40)}
    assert titles == {57: headers, 56: ["tier", "fleet", "idle"], 45: ["tier", "fleet"], 40: ["tier", "fleet"]}
    lines = {width: len(aligned(headers, [row], {3}, width, (2, 3)).split("\n")) for width in (57, 56, 40, 39)}
    assert lines == {57: 3, 56: 3, 40: 3, 39: 4}


def test_numbers_stand_to_the_right_and_are_never_folded() -> None:
    table = aligned(["what is paid", "n"], [["one two three", "1 000 000"]], {1}, 20)
    assert table == "what is          n\npaid\n-------  ---------\none two  1 000 000\nthree"


def test_a_table_without_headers_has_no_line_of_them() -> None:
    assert aligned((), [["a", "1"], ["bcd", "22"]], {1}) == "a     1\nbcd  22"
    assert aligned((), [], ()) == ""


def test_later_lines_are_indented_and_count_their_indent() -> None:
    assert folded("one two three four", 9, "  ") == ["one two", "  three", "  four"]
    assert folded("incomprehensibilities", 5) == ["incomprehensibilities"]
    assert folded("", 5) == [""]
