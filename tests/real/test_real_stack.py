"""The benchmark against reality in its short form: a real stack, the emitted Locust file, and what was predicted.

Throughput is judged as closely as a short run allows, latencies by their order of magnitude: a machine of two cores
that also runs other tests says no more. Where it was so noisy that it says nothing, that is printed, and what holds on
any machine is judged.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import pytest
from servers import program
from stack.levels import Seen
from stack.predictions import predicted
from stack.scenarios import THINK_S

pytestmark = pytest.mark.xdist_group("real-stack")

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "real_stack.py"
SHORT = ["--levels", "30,60", "--seconds", "15", "--requests", "100"]


@pytest.fixture(autouse=True)
def _installed() -> None:
    for each in ("postgres", "pgbouncer", "redis-server"):
        program(each)


def has_ended(process: str) -> bool:
    """Return whether a process is no more."""
    return not Path(f"/proc/{process}").exists()


def test_throughput_is_as_predicted_and_latency_of_its_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *SHORT, "--keep", str(tmp_path)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    levels = [Seen.of(level) for level in json.loads((tmp_path / "measured.json").read_text(encoding="utf-8"))]
    assert [level.load for level in levels] == ["at_30", "at_60"]
    told = predicted(tmp_path / "scenario.yaml")
    for level in levels:
        measured, expected = level.overall, told[level.load].overall
        assert level.failures == 0
        # Holds of any closed system, however slow: N = X (Z + R).
        cycle_s = THINK_S + level.latency_ms_mean / 1000
        assert measured.requests_per_s == pytest.approx(level.users / cycle_s, rel=0.1), level
        if level.noise:
            with capsys.disabled():
                sys.stdout.write(f"\n{level.load}: {level.noise}: predictions are not judged\n")
            continue
        assert expected.requests_per_s == pytest.approx(measured.requests_per_s, rel=0.1), level
        assert 1 / 3 < expected.latency_ms_p95 / measured.latency_ms_p95 < 3, level
    _, _, calibrated = done.stdout.partition("from the runs of the others:")
    assert [line.split()[0] for line in calibrated.splitlines() if line.startswith("at_")] == ["at_30", "at_60"]
    started = re.findall(r"[a-z]+ (\d+)", done.stderr.partition(";")[0])
    assert len(started) == 4
    assert all(map(has_ended, started)), "everything that was started is stopped"


def test_an_interrupted_run_stops_what_it_started() -> None:
    command = [sys.executable, str(BENCHMARK), *SHORT]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            started = re.findall(r"[a-z]+ (\d+)", process.stderr.readline().partition(";")[0])
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            status = process.wait(30)
        finally:
            process.kill()
    assert (status, said) == (130, "interrupted: everything is stopped\n")
    assert len(started) == 4
    assert all(map(has_ended, started))
