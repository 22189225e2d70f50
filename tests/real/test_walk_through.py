"""The walk through everything that is emitted, as a person takes it who follows the index: every step works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from postgres import directory
from servers import program

pytestmark = pytest.mark.xdist_group("walk-through")
SCRIPT = Path(__file__).parent / "walk_through.py"


def test_every_step_of_the_index_works_on_real_programs() -> None:
    for name in ("postgres", "pgbouncer", "redis-server", "promtool", "unshare"):
        program(name)
    with directory() as home:
        command = [sys.executable, str(SCRIPT), "--keep", str(home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        steps = re.findall(r"^### \d+\. (.+)$", (home / "deploy" / "README.md").read_text(encoding="utf-8"), re.M)
    taken = re.findall(r"^  ✓ (.+) \(\d+\.\d s\)$", done.stdout, re.M)
    assert taken == steps
    judged = dict(re.findall(r"^      ✓ (\S+) (?:<|<=|>=|==|>) \S+ = (\S+)", done.stdout, re.M))
    assert float(judged["failure_ratio.walk"]) == 0
    assert int(judged["deliveries_due"]) > 0
    assert judged["deliveries_lost"] == "0"
    assert done.stdout.endswith("alerts that fire: Watchdog\n")
