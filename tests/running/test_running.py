"""Systems planned in any way are the same rows in the same order, whatever ends on the way."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import CloudError, UsageError
from cascade_plan.inputs.portfolios import Job, table
from cascade_plan.running import cluster, cores, here, portfolio
from cascade_plan.running.answering import Setup, lines_of
from cascade_plan.running.feeding import AHEAD, Feed
from cascade_plan.running.journal import Journal
from cascade_plan.running.portfolio import Told, Where, rows_of, run

SETUP = Setup("size", cached=False)
QUIET = Told(lambda total, done: None, lambda more: None)
COUNT = 24


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("table") / "over.csv"
    rows = [f"system-{at},{500 + 400 * at},{'web' if at % 3 else 'ops'}" for at in range(COUNT)]
    rows[5] = "system-5,many,web"
    path.write_text("\n".join(["name,peak,tags.team", *rows]) + "\n", encoding="utf-8")
    return table(str(path), "startup-1k")


def setup_of(systems: Any) -> Setup:
    return Setup("size", systems.base, cached=False)


def feed(systems: Any) -> Feed:
    return Feed(systems.jobs(), 0, COUNT)


@pytest.fixture(scope="module")
def expected(systems: Any) -> list[str]:
    return list(here.answered(setup_of(systems), feed(systems)))


def test_each_system_has_its_row_and_a_broken_one_says_why(expected: list[str]) -> None:
    rows = [row for line in expected for row in rows_of(line)]
    assert [row.name for row in rows] == [f"system-{at}" for at in range(COUNT)]
    assert [row.exit_code for row in rows].count(2) == 1
    assert rows[5].tags == {"team": "web"}
    assert "over.csv:7: users.peak: must be a whole number, got 'many'" in rows[5].message
    assert rows[4].users_peak == 2100


def test_processes_give_the_same_lines(systems: Any, expected: list[str]) -> None:
    assert list(cores.answered(setup_of(systems), feed(systems), 2)) == expected


def test_a_cluster_gives_the_same_lines(systems: Any, expected: list[str]) -> None:
    assert list(cluster.answered(setup_of(systems), feed(systems), "local", 2)) == expected


def _killed_soon(name: bytes) -> None:
    """Kill one process that this one has begun, once it plans."""
    for _ in range(400):
        for children in Path("/proc/self/task").glob("*/children"):
            for pid in children.read_text(encoding="ascii").split():
                try:
                    used = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                    if name in Path(f"/proc/{pid}/cmdline").read_bytes() and int(used[11]) > 150:
                        os.kill(int(pid), signal.SIGKILL)
                        return
                except OSError:
                    continue
        time.sleep(0.02)


def test_a_process_that_is_killed_is_replaced_and_nothing_is_lost(systems: Any) -> None:
    many = [job._replace(at=at) for at, job in enumerate(job for _ in range(8) for job in systems.jobs())]
    killer = threading.Thread(target=_killed_soon, args=(b"spawn_main",))
    killer.start()
    found = list(cores.answered(setup_of(systems), Feed(iter(many), 0, len(many)), 2))
    killer.join()
    assert found == list(here.answered(setup_of(systems), Feed(iter(many), 0, len(many))))


def _ends(connection: Any, setup: Setup) -> None:
    """Answer all but the system that ends its process."""
    while True:
        try:
            jobs = connection.recv()
        except EOFError:
            return
        if any(job.place == "deadly" for job in jobs):
            os.kill(os.getpid(), signal.SIGKILL)
        connection.send(([f"answered {job.at}" for job in jobs], 0.01))


def test_a_system_that_ends_its_process_each_time_has_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import multiprocessing

    monkeypatch.setattr(cores, "_serve", _ends)
    context = multiprocessing.get_context("fork")
    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: context)
    jobs = [Job(at, "deadly" if at == 3 else "fine", "name: x") for at in range(9)]
    lines = list(cores.answered(SETUP, Feed(iter(jobs), 0, 9), 2))
    assert [line for at, line in enumerate(lines) if at != 3] == [f"answered {at}" for at in range(9) if at != 3]
    (row,) = rows_of(lines[3])
    assert (row.exit_code, row.place, row.is_planned) == (70, "deadly", False)
    assert row.message == "RuntimeError: the process that planned it ended without an answer, 3 times"


def test_a_scheduler_that_is_not_there_is_said(systems: Any) -> None:
    cluster_wait, cluster.CONNECT_S = cluster.CONNECT_S, 0.5
    try:
        with pytest.raises(CloudError, match=r"--scheduler tcp://127\.0\.0\.1:1: no scheduler with a worker answers"):
            list(cluster.answered(SETUP, feed(systems), "tcp://127.0.0.1:1", 1))
    finally:
        cluster.CONNECT_S = cluster_wait


class _Other:
    """A cluster whose worker has another version."""

    def run(self, function: Any) -> dict[str, Any]:
        return {"tcp://10.0.0.1:1": ("0.0.1", "3.9")}


def test_a_worker_of_another_version_is_refused() -> None:
    with pytest.raises(CloudError, match=r"the worker tcp://10\.0\.0\.1:1 has cascade-plan 0\.0\.1 on Python 3\.9"):
        cluster._check_versions(_Other(), "x")


# -------------------------------------------------------------------------------------------------------------- feeding


@given(st.data())
def test_answers_in_any_order_are_passed_on_in_theirs(data: st.DataObject) -> None:
    total = data.draw(st.integers(0, 60))
    found = Feed((Job(at, str(at), "") for at in range(total)), 0, total)
    out, lines = [], []
    while not found.is_empty or out:
        jobs = found.take(3)
        if jobs:
            out.append(jobs)
        if out and (not jobs or data.draw(st.booleans())):
            jobs = out.pop(data.draw(st.integers(0, len(out) - 1)))
            if len(jobs) > 1 and data.draw(st.booleans()):
                found.give_back(jobs)
            else:
                lines += found.answered(jobs, [job.place for job in jobs], 0.001 * len(jobs))
    assert lines == [str(at) for at in range(total)]


def test_no_more_is_handed_out_than_memory_holds() -> None:
    found = Feed((Job(at, "", "") for at in range(10**6)), 0, 10**6)
    first = found.take(1)
    out = 0
    while jobs := found.take(1):
        out += len(jobs)
        assert list(found.answered(jobs, ["x"] * len(jobs), 1e-9)) == []
    assert out + len(first) == AHEAD
    assert len(list(found.answered(first, ["x"] * len(first), 1.0))) == AHEAD


# -------------------------------------------------------------------------------------------------------------- journal


def test_a_journal_keeps_what_was_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "rows.csv.journal")
    first = Journal(path, "digest")
    for line in ("one", "zwei €", "three"):
        first.add(line)
    first.close()
    whole = Path(path).read_bytes()
    for length in range(len(whole)):
        Path(path).write_bytes(whole[:length])
        again = Journal(path, "digest")
        kept = list(again.lines())
        assert kept == ["one", "zwei €", "three"][: again.done]
        assert again.done == max(0, whole[:length].count(b"\n") - 1)
        again.add("four")
        assert list(again.lines())[again.done - 1] == "four"
        again.close()


def test_a_journal_of_something_else_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.journal"
    Journal(str(path), "one").close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="holds rows of other systems, prices, options or another version"):
        Journal(str(path), "other")
    assert path.read_bytes() == before
    path.write_text("mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match="other systems"):
        Journal(str(path), "one")
    assert path.read_text(encoding="utf-8") == "mine\n"


def test_a_journal_in_use_is_refused(tmp_path: Path) -> None:
    first = Journal(str(tmp_path / "x.journal"), "one")
    with pytest.raises(UsageError, match="another run is writing it"):
        Journal(str(tmp_path / "x.journal"), "one")
    first.close()


def _stopped(lines: Iterator[str], after: int) -> Iterator[str]:
    for at, line in enumerate(lines):
        if at == after:
            raise KeyboardInterrupt
        yield line


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_what_is_stopped_twice_ends_in_the_same_bytes(
    systems: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    whole, parts = (str(tmp_path / f"{name}.{ending}") for name in ("whole", "parts"))
    expected = run(systems, setup_of(systems), [], whole, Where(1), QUIET)
    planned, genuine = [], portfolio.here.answered
    monkeypatch.setattr(
        portfolio.here, "answered", lambda setup, feed: _stopped(planned.append(1) or genuine(setup, feed), 9)
    )
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(systems, setup_of(systems), [], parts, Where(1), QUIET)
    monkeypatch.undo()
    begun: list[tuple[int, int]] = []
    told = Told(lambda total, done: begun.append((total, done)), lambda more: None)
    assert run(systems, setup_of(systems), [], parts, Where(2), told) == expected
    assert begun == [(COUNT, 18)]
    assert Path(parts).read_bytes() == Path(whole).read_bytes()
    assert [path.name for path in tmp_path.iterdir() if "journal" in path.name] == []


def test_other_options_do_not_go_on_from_a_journal(systems: Any, tmp_path: Path) -> None:
    rows = str(tmp_path / "rows.csv")
    Journal(f"{rows}.journal", portfolio.digest(systems, setup_of(systems))).close()
    with pytest.raises(UsageError, match="other systems, prices, options"):
        run(systems, Setup("slo", systems.base, cached=False), [], rows, Where(1), QUIET)


def test_a_row_written_and_read_is_the_same(expected: list[str]) -> None:
    from cascade_plan.model.portfolio import row_of, row_text

    for line in expected:
        assert row_text(row_of(json.loads(line))) == line


def test_any_failure_of_ours_is_a_row_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from cascade_plan.running import answering

    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(answering, "laid", broken)
    (line,) = lines_of(SETUP, [Job(0, "a.yaml", "name: shop\ntags: {team: web}\n")])
    (row,) = rows_of(line)
    assert (row.name, row.tags, row.exit_code) == ("shop", {"team": "web"}, 70)
    assert row.message == "ZeroDivisionError: division by zero"
