"""How far a long command has come, and what is said when it is interrupted: on a terminal of its own, in a process."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from factories import make_plan
from rich.console import Console
from rich.progress import Progress

from cascade_plan.cli.app import run
from cascade_plan.cli.progress import Downloads
from cascade_plan.proving.requests import TOLD_EVERY, checked

SRC = str(Path(__file__).parent.parent)
PROGRAM = (sys.executable, "-m", "cascade_plan")


def on_terminal(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Return status, stdout and what a terminal of 100 columns got on stderr."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": SRC, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=theirs, cwd=cwd, env=environment, text=True
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            said += part
        assert process.stdout is not None
        out = process.stdout.read()
    os.close(ours)
    return process.returncode, out, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())


def test_requests_are_counted_of_all_with_the_time_left(tmp_path: Path) -> None:
    status, out, err = on_terminal("simulate", "--requests", "30000", cwd=tmp_path)
    assert status == 0
    assert "of 90,000 requests" in err
    assert " left" in err
    assert re.search(r"simulating load (normal|peak|burst)", err)
    quiet_status, quiet_out, quiet_err = on_terminal("simulate", "--requests", "30000", "-q", cwd=tmp_path)
    assert (quiet_status, quiet_out, quiet_err) == (0, out, "")


def test_days_show_the_share_that_is_done(tmp_path: Path) -> None:
    status, _, err = on_terminal("simulate", "--runs", "20", "--days", "3", cwd=tmp_path)
    assert status == 0
    shares = [int(share) for share in re.findall(r"(\d+)%", err)]
    assert shares == sorted(shares)
    assert len({*shares}) > 3


def test_nothing_is_shown_where_nobody_looks(cascade) -> None:  # type: ignore[no-untyped-def]
    assert cascade("simulate", "--requests", "12000")[2] == ""
    assert cascade("simulate", "--runs", "2")[2] == ""


def test_what_is_told_adds_up_and_changes_nothing() -> None:
    told: list[tuple[str, int]] = []
    plan, count = make_plan(), 2 * TOLD_EVERY + 500
    with_words = checked(plan, count, 1, lambda load, answered: told.append((load, answered)))
    assert with_words == checked(plan, count, 1)
    for load in plan.scenario.loads:
        assert [answered for name, answered in told if name == load] == [TOLD_EVERY, TOLD_EVERY, 500]


def test_files_say_how_much_of_how_much_and_when_they_are_done() -> None:
    bar = Progress(console=Console(file=StringIO()))
    shown = Downloads(bar)

    def said() -> dict[str, str]:
        return {task.description: task.fields["said"] for task in bar.tasks}

    shown.expect("us-east-1", "AmazonEC2", 1_000_000)
    shown.read("us-east-1", "AmazonEC2", 500_000)
    assert said() == {"us-east-1 AmazonEC2": "0.5 of 1.0 MB"}
    shown.expect("us-east-1", "AmazonEC2", 3_000_000)  # its index was the first file of the same offer
    shown.read("us-east-1", "AmazonEC2", 3_500_000)
    assert said() == {"us-east-1 AmazonEC2": "4.0 of 4.0 MB"}
    shown.expect("us-east-1", "AmazonRDS", 0)
    assert bar.tasks[0].finished
    shown.read("us-east-1", "AmazonRDS", 2_500_000)
    shown.read("eu-west-1", "spot prices", 1_234)
    assert said() == {
        "us-east-1 AmazonEC2": "4.0 of 4.0 MB, done",
        "us-east-1 AmazonRDS": "2.5 MB",
        "eu-west-1 spot prices": "1,234 read",
    }
    shown.end("us-east-1", has_failed=False)
    shown.end("eu-west-1", has_failed=True)
    assert [*said().values()] == ["4.0 of 4.0 MB, done", "2.5 MB, done", "1,234 read, failed"]
    assert all(task.finished for task in bar.tasks)


def interrupted(*arguments: str, cwd: Path, when: float = 1.5) -> tuple[int, str, str]:
    """Return status, stdout and stderr of a command line that is sent what Ctrl-C sends, once it is at work."""
    environment = {**os.environ, "PYTHONPATH": SRC}
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment,
        # Who starts the tests in the background has the signal ignored, and so would the program.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(when)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
    out, err = process.communicate()
    return process.returncode, out, err


@pytest.mark.parametrize(
    "line",
    [("simulate", "--requests", "10000000"), ("simulate", "--days", "366", "--runs", "2000", "--chart", "day.svg")],
    ids=["requests", "numpy"],
)
def test_an_interrupted_simulation_says_that_nothing_was_written(tmp_path: Path, line: tuple[str, ...]) -> None:
    status, out, err = interrupted(*line, "-o", "out.txt", cwd=tmp_path, when=4)
    assert (status, out) == (130, "")
    assert err.splitlines()[-1] == "interrupted; nothing was written"
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_start_is_no_traceback(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "class Stopped:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'cascade_plan.cli.described':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stopped())\n"
        "from cascade_plan.__main__ import main\n"
        "main(['size', '-o', 'x.txt'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": SRC}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_what_was_written_before_is_said(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from cascade_plan.files import disk

    write, written = disk.write_atomically, []

    def stopped(path: Path, text: str) -> None:
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(path)
        write(path, text)

    monkeypatch.setattr(disk, "write_atomically", stopped)
    status, out, err = cascade("emit-all", "-o", "deploy")
    assert (status, out) == (130, "")
    assert re.search(r"^interrupted; written before: 3 of \d+ files in deploy$", err, re.MULTILINE)
    assert sum(path.is_file() for path in Path("deploy").rglob("*")) == 3


def test_interrupted_while_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from cascade_plan.planning import pipeline

    def stopped(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "plan", stopped)
    assert run(["size", "cascade"]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was written\n"
