"""The emitted k6 script under node with stubs of k6's modules, run.sh, and the test of open connections, all for real.

k6 itself is one binary that neither Debian nor PyPI has: node runs the script's own code, and stubs of the four k6
modules (tests/real/k6) make its requests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from loadtest_system import ALONE, ANONYMOUS, emitted, small, system
from servers import program

from cascade_plan.emitters.loadtest import artefacts as loadtest
from cascade_plan.emitters.loadtest._accounts import access
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

K6 = Path(__file__).parent / "k6" / "run.mjs"
USERS, ITERATIONS = 8, 30


def k6(directory: Path, made: Plan, host: str, **environment: str) -> Any:
    """Return what the script did: its options, its requests, its pauses, its samples and its summary."""
    script = directory / "loadtest.mjs"
    script.write_text(next(a.text for a in loadtest.render(made) if a.path == "loadtest.js"), encoding="utf-8")
    subprocess.run([program("node"), "--check", str(script)], check=True)
    given = json.dumps({"LOADTEST_HOST": host, "LOADTEST_LOAD": "small", "LOADTEST_PASSWORD": "right", **environment})
    done = subprocess.run(
        [program("node"), str(K6), str(script), given, str(USERS), str(ITERATIONS)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        return done.stderr
    return json.loads(done.stdout)


def test_k6_makes_the_scenarios_requests(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        did = k6(tmp_path, small(), under_test.http)
        seen = under_test.seen()
    assert {request["status"] for request in did["requests"]} == {200}
    mix = Counter(request["tags"]["name"] for request in did["requests"])
    total = USERS * ITERATIONS
    assert mix.pop("login") == USERS
    shares = {"/api/v1/workrooms": 3 / 6, "/api/v1/workrooms/{workroom_id}/messages": 2 / 6, "/api/v1/resources": 1 / 6}
    assert set(mix) == set(shares)
    for name, share in shares.items():  # the golden ratio's multiples are even: off by two a user at most
        assert abs(mix[name] - share * total) <= 2 * USERS, name
    assert set(seen["tenants"].values()) == {total // 4}
    assert (
        seen["bytes"][r"POST /api/v1/workrooms/(\d+)/messages"] == 200 * mix["/api/v1/workrooms/{workroom_id}/messages"]
    )
    assert seen["bytes"]["POST /api/v1/resources"] > 102400 * mix["/api/v1/resources"]
    assert all(0.05 <= pause <= 0.15 for pause in did["slept"])
    assert len(did["slept"]) == total
    assert {(request["tags"]["phase"], request["tags"]["name"] == "login") for request in did["requests"]} == {
        ("hold", False), ("login", True)
    }, "a login is in no figure of the hold"  # fmt: skip


def test_k6_users_who_share_no_room_ask_for_what_is_their_own(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        did = k6(tmp_path, small(*ALONE), under_test.http)
        seen = under_test.seen()
    assert {request["status"] for request in did["requests"]} == {200}
    # Four tenants: user 1 and user 5 are of the first.
    assert set(seen["rooms"]) == {f"{number % 4 + 1}/{number + 1}" for number in range(USERS)}
    assert seen["bytes"]["POST /api/v1/resources"] > 102400


def test_the_same_run_makes_the_same_choices(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        first, second = (k6(tmp_path, small(), under_test.http)["requests"] for _ in range(2))
    assert [request["url"] for request in first] == [request["url"] for request in second]


def test_k6_thresholds_are_the_scenarios_limits(tmp_path: Path) -> None:
    given = read("cascade")
    made = plan(given.scenario, given.book)
    with system(tmp_path) as under_test:
        options = k6(tmp_path, made, under_test.http, LOADTEST_LOAD="normal,peak,burst")["options"]
    limits = {}
    for name, load in given.scenario.driven.items():
        held = f"{{load:{name},phase:hold}}"
        latency = [f"p(95)<{load.latency_ms_p95:g}"]
        latency += [f"p(99)<{load.latency_ms_p99:g}"] if load.latency_ms_p99 is not None else []
        limits |= {
            f"http_req_duration{held}": latency,
            f"http_req_failed{held}": [f"rate<={load.failure_ratio_max:g}"],
            f"http_reqs{held}": ["count>0"],
            f"http_req_failed{{load:{name},phase:login}}": [f"rate<={load.failure_ratio_max:g}"],
            f"users{held}": [f"min>={load.users}"],
            f"held_s{held}": [f"max>={load.duration_s:g}"],
        }
    found = {name: [limit["threshold"] for limit in listed] for name, listed in options["thresholds"].items()}
    assert found == limits
    assert {name: (each["startTime"], each["stages"]) for name, each in options["scenarios"].items()} == {
        "normal": ("0s", [{"duration": "100s", "target": 1000}, {"duration": "607s", "target": 1000}]),
        "peak": ("740s", [{"duration": "100s", "target": 10000}, {"duration": "307s", "target": 10000}]),
        "burst": ("1180s", [{"duration": "10s", "target": 5000}, {"duration": "67s", "target": 5000}]),
    }, "7 s of each settle: two turns of 3 s of thought and a p95 of at most 0.5 s"


def test_k6_says_how_many_users_there_were_and_for_how_long_in_the_hold_alone(tmp_path: Path) -> None:
    """The stand-in's clock is an hour into the load: the hold of 3 s is over, and no more than it is counted."""
    with system(tmp_path) as under_test:
        samples = k6(tmp_path, small(), under_test.http)["samples"]
    assert {(sample["metric"], sample["value"], sample["tags"]["phase"]) for sample in samples} == {
        ("users", USERS, "hold"), ("held_s", 3, "hold")
    }  # fmt: skip


def test_k6_writes_a_summary_and_its_gates(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        summary = k6(tmp_path, small(), under_test.http)["summary"]
    assert "http_req_duration" in json.loads(summary["summary.json"])["metrics"]
    assert summary["stdout"].splitlines() == ["✓ http_req_duration p(95)<200", "✗ http_req_duration p(99)<300"]


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"LOADTEST_LOAD": "smal"}, "LOADTEST_LOAD=smal: the loads are small"),
        ({"LOADTEST_LOAD": "constructor"}, "LOADTEST_LOAD=constructor: the loads are small"),
        ({"LOADTEST_LOAD": ""}, "set LOADTEST_LOAD with -e: the loads are small"),
        ({"LOADTEST_HOST": ""}, "set LOADTEST_HOST with -e"),
        ({"LOADTEST_PASSWORD": ""}, "set LOADTEST_PASSWORD (the password of the test accounts, which log in) or"),
    ],
)
def test_k6_refuses_what_it_cannot_run(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    assert message in k6(tmp_path, small(), "http://127.0.0.1:9", **environment)


def test_k6_logs_nobody_in_without_a_password(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        shared = k6(tmp_path, small(), under_test.http, LOADTEST_PASSWORD="", LOADTEST_TOKEN="shared")
        anonymous = k6(tmp_path, small(*ANONYMOUS), under_test.http)
        assert under_test.seen()["accounts"] == {}
    for did, status in ((shared, 200), (anonymous, 403)):  # the system knows nobody without a token
        assert [request["status"] for request in did["requests"]] == [status] * USERS * ITERATIONS
        assert not [name for name in did["options"]["thresholds"] if "login" in name]


def test_k6_leaves_a_user_whose_login_fails(tmp_path: Path) -> None:
    with system(tmp_path) as under_test:
        said = k6(tmp_path, small(), under_test.http, LOADTEST_PASSWORD="wrong")
        assert "login" not in " ".join(route for route in under_test.seen()["rooms"])
    assert "login of user1@tenant1.example: status 401" in said


def sockets(directory: Path, count: int, delay_ms: int = 0, **environment: str) -> tuple[int, str]:
    """Return exit status and output of the emitted test of open connections."""
    emitted(directory, small())
    with system(directory, delay_ms) as under_test:
        given = {
            "LOADTEST_HOST": under_test.http,
            "LOADTEST_WS_URL": under_test.ws,
            "LOADTEST_PASSWORD": "right",
            "LOADTEST_CONNECTIONS": str(count),
        }
        done = subprocess.run(
            [sys.executable, "websocket_test.py"],
            cwd=directory, env=os.environ | given | environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_hundreds_of_connections_get_every_broadcast(tmp_path: Path) -> None:
    status, out = sockets(tmp_path, 300)
    assert status == 0, out
    assert "✓ connection_count >= 300 = 300" in out
    assert "✓ deliveries_lost == 0 = 0" in out
    due = int(out.partition("deliveries_due > 0 = ")[2].split("\n")[0])
    assert 50 * 4 <= due <= 50 * 5, "50 messages to the five others of a room, fewer in a room that is not full"


def test_a_token_opens_connections(tmp_path: Path) -> None:
    status, out = sockets(tmp_path, 24, LOADTEST_PASSWORD="", LOADTEST_TOKEN="shared", LOADTEST_MESSAGES="10")
    assert status == 0, out


def test_late_broadcasts_fail(tmp_path: Path) -> None:
    status, out = sockets(tmp_path, 24, delay_ms=250, LOADTEST_MESSAGES="10")
    assert status == 1
    assert "✓ deliveries_lost == 0 = 0" in out
    assert "✗ delivery_ms_p95 < 200 = " in out


def test_connections_that_cannot_be_opened_fail(tmp_path: Path) -> None:
    status, out = sockets(tmp_path, 5, LOADTEST_WS_URL="ws://127.0.0.1:9/ws")
    assert status == 1
    assert "✗ connection_count >= 5 = 0" in out


def test_run_sh_runs_each_load_and_fails_when_one_does(tmp_path: Path) -> None:
    """With a locust that only tells how it was called."""
    given = read("cascade")
    emitted(tmp_path, plan(given.scenario, given.book))
    stand_in = tmp_path / "locust"
    stand_in.write_text('#!/bin/sh\necho "$LOADTEST_LOAD $LOADTEST_WORKERS: $*"\ntest "$LOADTEST_LOAD" != burst\n')
    stand_in.chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "LOADTEST_HOST": "http://x",
        "LOADTEST_PASSWORD": "right",
    }

    def called(*loads: str) -> tuple[int, list[str]]:
        done = subprocess.run(
            ["bash", "run.sh", *loads], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert ("load peak takes 5 cores" in done.stderr) == ("peak" in done.stdout and cores < 5)
        return done.returncode, done.stdout.splitlines()

    cores = os.sysconf("SC_NPROCESSORS_ONLN")
    command = "-f locustfile.py --headless --only-summary --host http://x --csv results"
    assert called() == (1, [
        f"normal 1: {command}/normal",
        f"peak 5: {command}/peak --processes 5",
        f"burst 3: {command}/burst --processes 3",
    ])  # fmt: skip
    assert called("peak")[0] == 0
    assert called("normal", "other") == (2, []), "nothing is started for a name that is no load"


def test_run_sh_says_what_to_set(tmp_path: Path) -> None:
    emitted(tmp_path, small())
    environment = {"PATH": os.environ["PATH"], "LOADTEST_HOST": "http://x"}
    done = subprocess.run(
        ["bash", "run.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"set {access(small())}\n"


def test_run_sh_says_that_locust_is_missing_before_it_starts(tmp_path: Path) -> None:
    emitted(tmp_path, small())
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(program(name))
    done = subprocess.run(
        [program("bash"), "run.sh"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": str(tmp_path), "LOADTEST_HOST": "http://x", "LOADTEST_PASSWORD": "right"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "locust is not installed, or not in PATH: pip install locust (or run loadtest.js with k6)\n"
    assert not (tmp_path / "results").exists()
