"""The README shows what the program prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cascade_plan.cli.app import COMMANDS, run

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def test_shown_output_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.search(r"<!-- output of: cascade-plan (.*?) -->\n```\n(.*?)```\n<!-- end -->", README, re.DOTALL)
    assert shown is not None
    assert run(shown[1].split()) == 0
    assert capsys.readouterr().out == shown[2]


def test_every_command_shown_exists() -> None:
    shown = set(re.findall(r"^\$ cascade-plan ([a-z0-9-]+)", README, re.MULTILINE))
    assert shown <= set(COMMANDS)
    assert {"size", "report", "check", "explain", "diff", "emit-k8s", "init", "validate", "prices"} <= shown | {"check"}
