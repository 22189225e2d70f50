"""The emitted locustfile under the real Locust against a real server, and its CSV files read by `verify`."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from loadtest_system import ALONE, ANONYMOUS, SETS, System, emitted, small, system

from cascade_plan.cli.app import run
from cascade_plan.model.plan import Plan

pytestmark = pytest.mark.xdist_group("locust")
ARGUMENTS = [argument for _, path, value in SETS for argument in ("--set", f"{path}={value}")]


@dataclass(frozen=True)
class Run:
    """A finished run of Locust."""

    directory: Path
    status: int
    out: str
    err: str
    seen: dict[str, dict[str, int]]

    def verified(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
        """Return the exit status and the output of `verify` on its results."""
        capsys.readouterr()
        status = run(["verify", str(self.directory / "results"), "cascade", *ARGUMENTS, *arguments])
        out, err = capsys.readouterr()
        assert err == ""
        return status, out


def locust(directory: Path, under_test: System, *arguments: str, made: Plan | None = None, **environment: str) -> Run:
    """Return a run of the emitted file; the results stand in `results`."""
    emitted(directory, made or small())
    (directory / "results").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--only-summary", "--host",
         under_test.http, "--csv", "results/small", *arguments],
        cwd=directory, env=os.environ | {"LOADTEST_PASSWORD": "right"} | environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return Run(directory, done.returncode, done.stdout, done.stderr, under_test.seen())


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("fast")
    with system(directory) as under_test:
        yield locust(directory, under_test)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("slow")
    with system(directory, delay_ms=250) as under_test:
        yield locust(directory, under_test)


def test_a_fast_system_passes(fast: Run) -> None:
    assert fast.status == 0, fast.err
    gates = [line for line in fast.out.splitlines() if line.startswith(("✓", "✗"))]
    assert [line.partition(" = ")[0] for line in gates] == [
        "✓ latency_ms_p95.small < 200",
        "✓ failure_ratio.small <= 0.01",
        "✓ user_count.small >= 20",
        "✓ duration_s.small >= 3",
    ]


def test_users_who_share_no_room_ask_for_what_is_their_own(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        done = locust(tmp_path, under_test, made=small(*ALONE))
    assert done.status == 0, done.out
    assert set(done.seen["rooms"]) <= {f"{number % 4 + 1}/{number + 1}" for number in range(20)}
    assert len(done.seen["rooms"]) > 10
    assert done.seen["bytes"]["POST /api/v1/resources"] > 102400
    assert not (tmp_path / "websocket_test.py").exists()


def test_a_slow_system_fails_on_latency_alone(slow: Run) -> None:
    assert slow.status == 1, slow.err
    missed = [line for line in slow.out.splitlines() if line.startswith("✗")]
    assert len(missed) == 1
    p95 = float(missed[0].removeprefix("✗ latency_ms_p95.small < 200 = "))
    assert p95 >= 250


def test_requests_are_mixed_as_the_scenario_weighs_them(fast: Run) -> None:
    """Four standard deviations of a binomial count: one run in some ten thousand falls outside by chance."""
    requests = {route: count for route, count in fast.seen["requests"].items() if "login" not in route}
    total = sum(requests.values())
    assert total > 200
    weights = {"GET /api/v1/workrooms": 3, r"POST /api/v1/workrooms/(\d+)/messages": 2, "POST /api/v1/resources": 1}
    assert set(requests) == set(weights)
    for route, weight in weights.items():
        share = weight / 6
        assert abs(requests[route] - total * share) < 4 * (total * share * (1 - share)) ** 0.5, route


def test_every_user_has_an_account_of_its_own_and_tenants_share_alike(fast: Run) -> None:
    assert len(fast.seen["accounts"]) == 20
    assert set(fast.seen["accounts"].values()) == {1}
    by_tenant = [account.partition("@")[2] for account in fast.seen["accounts"]]
    assert {by_tenant.count(f"tenant{number}.example") for number in (1, 2, 3, 4)} == {5}
    assert set(fast.seen["tenants"]) == {"1", "2", "3", "4"}
    assert set(fast.seen["rooms"]) == {"1/1", "2/2", "3/3", "4/4"}, "five members of six a room"


def test_bodies_are_as_large_as_the_scenario_says(fast: Run) -> None:
    messages = r"POST /api/v1/workrooms/(\d+)/messages"
    assert fast.seen["bytes"][messages] / fast.seen["requests"][messages] == 200
    framing = fast.seen["bytes"]["POST /api/v1/resources"] / fast.seen["requests"]["POST /api/v1/resources"] - 102400
    assert 0 < framing < 500


def test_statistics_are_by_route(fast: Run) -> None:
    stats = (fast.directory / "results" / "small_stats.csv").read_text(encoding="utf-8")
    names = {line.split(",")[1] for line in stats.splitlines()[1:]}
    assert names >= {"/api/v1/workrooms", "/api/v1/workrooms/{workroom_id}/messages", "/api/v1/resources"}
    assert names <= {"/api/v1/workrooms", "/api/v1/workrooms/{workroom_id}/messages", "/api/v1/resources", "login",
                     "Aggregated"}  # fmt: skip


def test_verify_passes_the_fast_run(fast: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = fast.verified(capsys)
    assert status == 0, out
    assert "✓ latency_ms_p95.small < 200 = " in out
    assert "percentiles count" not in out, "logins, the ramp and the first seconds after it are left out"
    assert "requests_per_s.small" in out.partition("Predicted and measured")[2]


def test_verify_measures_the_closed_models_rate(fast: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """20 users who think 0.1 s and wait R send 20 / (0.1 + R) a second, whatever the machine."""
    document = json.loads(fast.verified(capsys, "--format", "json")[1])
    waits_s = document["measurement"]["latency_ms_mean"] / 1000
    assert document["measurement"]["requests_per_s"] == pytest.approx(20 / (0.1 + waits_s), rel=0.15)
    figures = {one["figure"] for one in document["comparisons"]}
    assert figures == {f"{name}.small" for name in ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99",
                                                    "requests_per_s")}  # fmt: skip


def test_verify_fails_the_slow_run_and_says_what_was_predicted(slow: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = slow.verified(capsys)
    assert status == 1
    assert out.startswith("Not verified: cascade, load small, by Locust")
    assert "✗ latency_ms_p95.small < 200 = " in out
    text = out.replace("\n  ", " ")
    assert "measured over predicted beyond 20%: latency_ms_p50.small" in text
    # A delay before every answer is no CPU time: only how busy the pods were can tell.
    assert "how busy the pods were tells whether it is the CPU time" in text


def test_several_processes_share_the_users_and_agree_on_the_status(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        done = locust(tmp_path, under_test, "--processes", "2", LOADTEST_WORKERS="2", LOADTEST_LOAD="small")
    assert done.status == 0, done.err
    assert "✓ user_count.small >= 20 = 20" in done.out
    assert set(done.seen["accounts"].values()) == {1}, "no two users share an account"


def test_a_token_takes_the_place_of_logins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with system(tmp_path) as under_test:
        done = locust(tmp_path, under_test, LOADTEST_PASSWORD="", LOADTEST_TOKEN="shared")
    assert done.status == 0, done.err
    assert done.seen["accounts"] == {}
    assert "login" not in (tmp_path / "results" / "small_stats.csv").read_text(encoding="utf-8")
    status, out = done.verified(capsys)
    assert (status, out.splitlines()[0][:9]) == (0, "Verified:"), out
    assert "logins" not in out


def test_anonymous_requests_carry_no_token(tmp_path: Path) -> None:
    """The system refuses those: all are made, and all fail."""
    with system(tmp_path) as under_test:
        done = locust(tmp_path, under_test, made=small(*ANONYMOUS))
    assert done.status == 1
    assert "✗ failure_ratio.small <= 0.01 = 1" in done.out
    assert "✓ user_count.small >= 20 = 20" in done.out
    assert "status 403" in (tmp_path / "results" / "small_failures.csv").read_text(encoding="utf-8")
    assert done.seen["accounts"] == {}


def test_wrong_credentials_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Logins stand in a row of their own, with what went wrong, and in no total."""
    with system(tmp_path) as under_test:
        done = locust(tmp_path, under_test, LOADTEST_PASSWORD="wrong")
    assert done.status == 1
    assert "✗ user_count.small >= 20 = 0" in done.out
    status = run(["verify", str(tmp_path / "results"), "cascade", *ARGUMENTS])
    assert status == 2
    assert "no request was made but 20 logins, of which 20 failed, so there is nothing" in capsys.readouterr().err
    failures = (tmp_path / "results" / "small_failures.csv").read_text(encoding="utf-8")
    assert "POST,login," in failures


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"LOADTEST_LOAD": "smal"}, "LOADTEST_LOAD=smal: the loads are small"),
        ({}, "set LOADTEST_PASSWORD (the password of the test accounts, which log in) or LOADTEST_TOKEN (a bearer"),
    ],
)
def test_what_is_missing_is_said_before_the_start(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    emitted(tmp_path, small())
    ast.parse((tmp_path / "locustfile.py").read_text(encoding="utf-8"))
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LOADTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", "locustfile.py", "--headless", "--host", "http://127.0.0.1:9"],
        cwd=tmp_path, env=bare | environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode not in (0, None)
    assert message in done.stdout + done.stderr
