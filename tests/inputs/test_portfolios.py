"""The systems of a portfolio: what files, patterns and tables stand for, and what of them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_plan.errors import UsageError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.portfolios import files, table


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.yaml", "a.yml", "deep/c.yaml", ".hidden/d.yaml", "notes.txt"):
        (tmp_path / "systems" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "systems" / name).write_text(f"name: {Path(name).stem}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["systems"], ["systems/a.yml", "systems/b.yaml", "systems/deep/c.yaml"]),
        (["systems/*.yaml"], ["systems/b.yaml"]),
        (["systems/b.yaml", "systems", "cascade"],
         ["systems/b.yaml", "systems/a.yml", "systems/deep/c.yaml", "cascade.yaml"]),
    ],
)  # fmt: skip
def test_directories_and_patterns_are_sorted_and_no_file_comes_twice(
    tree: Path, given: list[str], found: list[str]
) -> None:
    assert [job.place for job in files(given).jobs()] == found


def test_a_pattern_may_be_absolute(tree: Path) -> None:
    assert [Path(job.place).name for job in files([f"{tree}/systems/**/*.yaml"]).jobs()] == [
        "b.yaml",
        "c.yaml",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("sytems", "sytems: neither a file, nor a directory, nor the name of a bundled scenario"),
        ("systems/*.csv", "systems/*.csv: no file matches this pattern"),
        (".git", ".git: neither a file"),
        ("cascad", "did you mean 'cascade'?"),
    ],
)
def test_what_is_nothing_is_refused(tree: Path, given: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        files([given])
    assert message in str(caught.value)


def test_the_digest_is_another_one_when_any_text_is(tree: Path) -> None:
    before = files(["systems"]).known
    assert files(["systems"]).known == before == (3, before[1])
    (tree / "systems/b.yaml").write_text("name: b\nusers: {trace: day.csv}\n", encoding="utf-8")
    named = files(["systems"]).known
    (tree / "systems/day.csv").write_text("1\n", encoding="utf-8")
    assert len({before[1], named[1], files(["systems"]).known[1]}) == 3


def test_a_table_is_a_system_for_each_row(tree: Path) -> None:
    Path("over.csv").write_text(
        "name,peak,tags.team,users.average\none,2000,4711,500\n\ntwo,,web,\n", encoding="utf-8-sig"
    )
    source = table("over.csv", "startup-1k")
    first, second = source.jobs()
    assert (first.at, first.place, first.text) == (0, "over.csv:2", "")
    assert first.assignments == (
        Assignment("over.csv:2", "name", '"one"'),
        Assignment("over.csv:2", "users.peak", "2000", True),
        Assignment("over.csv:2", "tags.team", '"4711"'),
        Assignment("over.csv:2", "users.average", "500"),
    )
    assert (second.place, [each.path for each in second.assignments]) == ("over.csv:4", ["name", "tags.team"])
    assert source.base[1] == "startup-1k.yaml"


def test_a_parquet_table_is_read_as_the_same(tree: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    rows = {"users.peak": [2000, None], "tags.team": ["web", "ops"], "tiers.database.multi_az": [True, None]}
    parquet.write_table(pyarrow.table(rows), "over.parquet")
    first, second = table("over.parquet", "startup-1k").jobs()
    assert [each.value for each in first.assignments] == ["2000", '"web"', "true"]
    assert [each.value for each in second.assignments] == ['"ops"']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "over.csv: the table is empty"),
        (
            "usres.peak\n1\n",
            "over.csv:1: column 1, 'usres.peak': no field of a scenario begins so; did you mean 'users'?",
        ),
        ("users.peak,users.peak\n1,2\n", "over.csv:1: column 2, 'users.peak': there twice"),
        ("users..peak\n1\n", "over.csv:1: column 1, 'users..peak': not a path"),
    ],
)
def test_columns_that_are_none_are_refused_before_anything_is_planned(tree: Path, text: str, message: str) -> None:
    Path("over.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        table("over.csv", "startup-1k")
    assert message in str(caught.value)


def test_a_row_with_more_cells_than_columns_is_a_problem_of_its_own(tree: Path) -> None:
    Path("over.csv").write_text("peak\n1000\n1,000\n", encoding="utf-8")
    assert [job.problem for job in table("over.csv", "startup-1k").jobs()] == ["", "over.csv:3: 2 cells, and 1 columns"]
