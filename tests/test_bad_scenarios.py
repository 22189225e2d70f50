"""Every broken scenario under tests/bad gets exactly the message beside it, exit status 2, and nothing on stdout."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cascade_plan.cli.app import run

BAD = Path(__file__).parent / "bad"
CASES = sorted(path.stem for path in BAD.glob("*.yaml"))


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 130


@pytest.mark.parametrize("case", CASES)
def test_message(case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(BAD)
    status = run(["size", f"{case}.yaml"])
    out, err = capsys.readouterr()
    golden = BAD / f"{case}.txt"
    if os.environ.get("CASCADE_PLAN_RECORD"):
        golden.write_text(err, encoding="utf-8")
    assert (status, out) == (2, "")
    assert err == golden.read_text(encoding="utf-8")


def test_every_message_has_a_case() -> None:
    assert sorted(path.stem for path in BAD.glob("*.txt")) == CASES


def test_messages_are_plain() -> None:
    for golden in BAD.glob("*.txt"):
        for line in golden.read_text(encoding="utf-8").splitlines():
            assert line.startswith("error: ")
            assert "Traceback" not in line
            assert "pydantic" not in line
            assert len(line) < 440


def test_every_message_says_where_to_the_column() -> None:
    unreadable = {"not_utf8", "trace_missing"}
    for golden in BAD.glob("*.txt"):
        for line in golden.read_text(encoding="utf-8").splitlines():
            found = re.match(rf"error: {golden.stem}\.yaml:(\d+):(\d+): \S", line)
            assert found or golden.stem in unreadable, line
