"""Who may ask the page's server what, and that its answers are those of the commands."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from explored import Running, running

from cascade_plan.cli.app import run
from cascade_plan.errors import UsageError
from cascade_plan.exploring import gate, server
from cascade_plan.exploring import session as session_module
from cascade_plan.exploring.session import Session, command
from cascade_plan.exploring.work import differing
from cascade_plan.inputs.choice import chosen
from cascade_plan.inputs.scenarios import bundled_scenarios, environments_of
from cascade_plan.reports import pages

Result = tuple[int, str, str]
HOSTILE = 'it\'s "$(touch made)" `touch made` <img src=x onerror=alert(1)> \\ ! é'


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("explored"), "cascade") as found:
        yield found


# ------------------------------------------------------------------------------------------------------- who may ask


def test_the_page_and_its_files_are_served_with_what_a_browser_may_do(explored: Running) -> None:
    page = explored.send("GET", explored.path, headers={"Origin": None})
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert b"<script>" not in page.body
    assert b"style=" not in page.body
    assert b"http://" not in page.body
    assert b"https://" not in page.body
    script = explored.send("GET", f"{explored.path}assets/main.js", headers={"Origin": None})
    assert (script.status, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/plan", "/favicon.ico", "//", "/assets/main.js", "/%2f/"])
def test_nothing_is_said_without_the_token(explored: Running, path: str) -> None:
    for method in ("GET", "POST"):
        reply = explored.send(method, path, b"{}" if method == "POST" else None)
        assert reply.status == 403
        assert reply.body == gate.NOT_HERE.encode()


def test_a_part_of_the_token_is_not_the_token(explored: Running) -> None:
    token = explored.path.strip("/")
    for wrong in (token[:-1], token + "x", token.swapcase(), ""):
        assert explored.send("GET", f"/{wrong}/").status == 403


@pytest.mark.parametrize("host", ["attacker.example", "localhost", "127.0.0.1", "127.0.0.1:1", "[::1]", None])
def test_only_the_loopback_address_itself_is_answered(explored: Running, host: str | None) -> None:
    named = f"{host}:{explored.port}" if host in ("localhost", "attacker.example", "[::1]") else host
    reply = explored.send("GET", explored.path, headers={"Host": named})
    assert reply.status in (400, 403)
    assert b"<html" not in reply.body


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "http://127.0.0.1:1", "http://localhost", None])
def test_another_page_cannot_ask_even_with_the_token(explored: Running, origin: str | None) -> None:
    reply = explored.send("POST", f"{explored.path}plan", b"{}", {"Origin": origin})
    assert (reply.status, reply.body) == (403, gate.ELSEWHERE.encode())


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_what_a_browser_says_of_another_page_is_believed(explored: Running, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    assert explored.send("POST", f"{explored.path}plan", b"{}", headers).status == 403
    framed = {"Origin": None, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert explored.send("GET", explored.path, None, framed).status == 403
    script = {"Origin": None, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
    assert explored.send("GET", f"{explored.path}assets/main.js", None, script).status == 403
    opened = {"Origin": None, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert explored.send("GET", explored.path, None, opened).status == 200


def test_what_is_no_question_is_refused(explored: Running) -> None:
    plan = f"{explored.path}plan"
    assert explored.send("GET", plan).status == 405
    assert explored.send("DELETE", plan, headers={"Sec-Fetch-Site": "same-origin"}).status == 405
    assert explored.send("POST", plan, b"{}", {"Content-Type": "text/plain"}).status == 415
    assert explored.send("POST", plan, b"{").status == 400
    assert explored.send("POST", plan, b"[]").status == 400
    assert explored.send("POST", plan, b"[" * 200_000).status == 400
    assert explored.send("POST", f"{explored.path}no-such", b"{}").status == 404


def test_no_other_file_of_the_machine_is_served(explored: Running) -> None:
    for name in ("../server.py", "..%2fserver.py", "%2e%2e/server.py", "/etc/passwd", "..", ".", "page", "x.js"):
        assert explored.send("GET", f"{explored.path}assets/{name}", headers={"Origin": None}).status == 404, name


def test_a_large_body_is_refused_however_long_it_says_it_is(explored: Running) -> None:
    large = b" " * (gate.LARGEST_BODY_BYTES + 1)
    assert explored.send("POST", f"{explored.path}plan", large).status == 413
    chunk = b"%x\r\n%s\r\n" % (len(large), large)
    chunked = explored.send("POST", f"{explored.path}plan", chunk + b"0\r\n\r\n", {"Transfer-Encoding": "chunked"})
    assert chunked.status == 413
    whole = json.dumps({"set": []}).encode().ljust(gate.LARGEST_BODY_BYTES)
    assert explored.send("POST", f"{explored.path}plan", whole).status == 200


def test_a_browser_is_started_with_an_address_that_leads_to_the_page_once(tmp_path: Path) -> None:
    script, seen = tmp_path / "browser", tmp_path / "seen"
    script.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(seen))}\n', encoding="utf-8")
    script.chmod(0o755)
    with running(tmp_path, "cascade", browser=str(script)) as own:
        for _ in range(100):
            if seen.exists() and seen.read_text(encoding="utf-8").endswith("\n"):
                break
            time.sleep(0.1)
        opened = seen.read_text(encoding="utf-8").strip()
        assert opened.startswith(f"{own.origin}/")
        assert own.path not in opened
        path = opened.removeprefix(own.origin)
        headers = {"Origin": None, "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert own.send("GET", path, None, {**headers, "Host": f"localhost:{own.port}"}).status == 403
        assert own.send("GET", path, None, {**headers, "Sec-Fetch-Dest": "iframe"}).status == 403
        assert own.send("POST", f"{path}plan", b"{}").status == 403
        first = own.send("GET", path, None, headers)
        assert (first.status, first.headers["location"]) == (303, own.path)
        assert own.send("GET", path, None, headers).status == 403
        assert own.send("GET", own.path, None, headers).status == 200


def test_it_listens_on_the_loopback_interface_alone() -> None:
    listener = server.bound(0)
    with listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        with pytest.raises(UsageError, match=f"--port {port}: Address already in use; 0 takes any port that is free"):
            server.bound(port)


# ------------------------------------------------------------------------------------------------------------ answers


def test_a_plan_is_the_one_that_size_makes(explored: Running, cascade: Callable[..., Result]) -> None:
    changes = [["users.peak", "20000"], ["tiers.cache.engine", "valkey"], ["tiers.websocket", "off"]]
    answer = explored.ask("plan", set=changes)
    flags = ["--peak", "20000", "--set", "tiers.cache.engine=valkey", "--set", "tiers.websocket=off"]
    status, out, _ = cascade("size", "cascade", *flags, "--format", "json")
    assert status == 0
    plan = json.loads(out)
    assert answer["plan"]["cost_usd"] == float(plan["cost_usd_per_month"])
    figures = {each["figure"]: each["value"] for each in answer["plan"]["figures"]}
    late = ("action", "break_even")
    wanted = {name: float(each["value"]) for name, each in plan["derivations"].items() if not name.startswith(late)}
    assert figures == wanted
    assert answer["notes"] == ["--peak 20000: average scaled from 3,000 to 6,000 with it; --avg sets it"]
    values = {each["path"]: each["value"] for group in answer["controls"] for each in group["controls"]}
    assert values["users.average"] == "6000"
    assert values["tiers.cache.engine"] == "valkey"
    assert values["tiers.websocket"] == "off"
    assert values["tiers.api"] == "on"


@pytest.mark.parametrize("name", bundled_scenarios())
@pytest.mark.parametrize("method", ["rules", "slo"])
def test_what_a_move_shows_stays_as_the_rest_of_the_plan_comes(name: str, method: str) -> None:
    env = next(iter(environments_of(name)), None)
    session = Session.of(chosen({"scenario": name, "env": env, "method": method}))
    at_once, whole = session.plan({}), session.whole({})
    late = ("said", "figures")
    assert {key: value for key, value in at_once["plan"].items() if key not in late} == {
        key: value for key, value in whole["plan"].items() if key not in late
    }
    assert [each for each in whole["plan"]["figures"] if not each["figure"].startswith("break_even")] == [
        each for each in at_once["plan"]["figures"] if not each["figure"].startswith("break_even")
    ]


def test_a_gate_on_how_far_limits_hold_is_judged_at_once(explored: Running) -> None:
    gates = explored.ask("plan", set=[["gates", '{break_even.cpu_ratio: ["> 1"]}']])["plan"]["gates"]
    assert [(each["figure"], each["status"]) for each in gates if "break" in each["figure"]] == [
        ("break_even.cpu_ratio", "pass")
    ]


def test_all_that_is_wrong_is_said_at_once_each_with_its_field(explored: Running) -> None:
    changes = [["users.peak", "many"], ["tiers.cache.engine", "memcached"], ["budget.usd_per_1000_users_month", "-1"]]
    answer = explored.ask("plan", set=[*changes, ["no_such", "1"]])
    assert not answer["ok"]
    said = {each["field"]: each["message"] for each in answer["problems"]}
    assert said["users.peak"] == "must be a whole number, got 'many'"
    assert said["tiers.cache.engine"] == "must be one of 'redis', 'valkey', got 'memcached'"
    assert said["budget.usd_per_1000_users_month"].endswith("got -1")
    assert said["no_such"].startswith("unknown field")
    assert "plan" not in answer


def test_a_gate_on_nothing_is_said_as_every_command_says_it(explored: Running, cascade: Callable[..., Result]) -> None:
    for changes in ([["gates", '{api.no_count: ["> 1"]}']], [["gates", '{api.no_count: ["> 1"]}'], ["method", "slo"]]):
        answer = explored.ask("plan", set=changes)
        _, _, err = cascade("size", "cascade", "--set", 'gates={api.no_count: ["> 1"]}')
        assert not answer["ok"]
        assert err.endswith(answer["problems"][0]["message"] + "\n")


def test_a_scenario_without_a_plan_keeps_its_controls(explored: Running) -> None:
    changes = [["method", "slo"], ["users.peak", "50000"], ["users.active_share", "1"]]
    answer = explored.ask("plan", set=changes)
    assert answer["ok"]
    assert answer["infeasible"].startswith("tiers.database.shape: ")
    assert "plan" not in answer
    assert {"users.peak", "tiers.database.shape"} <= {
        each["path"] for group in answer["controls"] for each in group["controls"]
    }


@pytest.mark.parametrize("name", ["cost_usd_per_month.average", "api.node_count", "users.peak", "tiers.cache"])
def test_why_is_the_text_that_explain_prints(
    explored: Running, cascade: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    status, out, _ = cascade("explain", name, "cascade", "--peak", "20000", "--set", "tiers.cache.engine=valkey")
    assert status == 0
    changes = [["users.peak", "20000"], ["tiers.cache.engine", "valkey"]]
    assert explored.ask("explain", set=changes, figure=name, columns=72)["text"] == out


def test_what_changed_is_the_text_that_diff_prints(
    explored: Running, cascade: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = cascade("diff", "cascade", "--peak", "20000", "--set", "tiers.cache.engine=valkey")
    assert status == 0
    changes = [["users.peak", "20000"], ["tiers.cache.engine", "valkey"]]
    assert explored.ask("diff", set=changes, against=[], columns=80)["text"] == out


def test_the_charts_are_those_that_chart_writes(explored: Running, cascade: Callable[..., Result]) -> None:
    for question, name in (("curve", "cost-over-users"), ("latency", "latency")):
        status, out, _ = cascade("chart", name, "cascade", "--peak", "20000")
        assert status == 0
        answer = explored.ask(question, set=[["users.peak", "20000"]])
        assert answer["ok"], answer
        assert answer["chart"] == pages.of_page(json.loads(out))


def test_a_chart_that_nobody_waits_for_is_given_up() -> None:
    session = Session.of(chosen({"scenario": "cascade"}))
    asked = session.curve

    def moved_meanwhile(posted: dict[str, object]) -> dict[str, object]:
        with pytest.MonkeyPatch.context() as patch:
            first = session_module.curve

            def curve(scenario: object, attempt: object) -> object:
                session.plan({})
                return first(scenario, attempt)  # type: ignore[arg-type]

            patch.setattr(session_module, "curve", curve)
            return asked(posted)

    assert session_module.answered(moved_meanwhile, {}) == session_module.STALE  # type: ignore[arg-type]


def test_the_command_line_makes_the_same_plan_whatever_is_in_it(explored: Running, tmp_path: Path) -> None:
    changes = [
        ["users.peak", "20000"],
        ["description", json.dumps(HOSTILE)],
        ['gates."cost_usd_per_1000_users_month"', '["< 300"]'],
        ["tiers.api.purchase", "{reserved_1y_no_upfront: 0.5}"],
        ["availability.zones", "2"],
    ]
    answer = explored.ask("plan", set=changes)
    assert answer["ok"], answer
    line = answer["command"].replace("cascade-plan", f"{shlex.quote(sys.executable)} -m cascade_plan", 1)
    environment = {**os.environ, "CASCADE_PLAN_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        ["sh", "-c", f"{line} --format json"], cwd=tmp_path, env=environment, capture_output=True, check=True, text=True
    )
    plan = json.loads(done.stdout)
    assert plan["scenario"]["description"] == HOSTILE
    assert float(plan["cost_usd_per_month"]) == answer["plan"]["cost_usd"]
    figures = {each["figure"]: each["value"] for each in answer["plan"]["figures"]}
    assert {name: float(plan["derivations"][name]["value"]) for name in figures} == figures
    assert not (tmp_path / "made").exists()


def test_the_flags_it_was_started_with_are_in_the_command_line() -> None:
    given = {"scenario": "cascade", "peak": "5000", "set_": ["tiers.cache=off"], "no_price_cache": True}
    choice = chosen({**given, "as_of": "2026-11-01"}).changed([("users.peak", "7000"), ("method", "slo")])
    line = command(choice, "size")
    flags = "--peak 7000 --set tiers.cache=off --set method=slo --no-price-cache --as-of 2026-11-01"
    assert line == f"cascade-plan size cascade {flags}"


def test_the_yaml_makes_the_same_plan(explored: Running, cascade: Callable[..., Result], tmp_path: Path) -> None:
    changes = [["users.peak", "20000"], ["tiers.websocket", "off"], ["description", json.dumps(HOSTILE)]]
    answer = explored.ask("scenario", set=changes)
    assert answer["file_name"] == "cascade.yaml"
    (tmp_path / "saved.yaml").write_text(answer["text"], encoding="utf-8")
    status, out, err = cascade("size", "saved.yaml", "--format", "json")
    assert status == 0, err
    assert float(json.loads(out)["cost_usd_per_month"]) == explored.ask("plan", set=changes)["plan"]["cost_usd"]
    assert json.loads(out)["scenario"]["description"] == HOSTILE


# ------------------------------------------------------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    "changes",
    [
        [["calibration", "/etc/passwd"]],
        [["users.trace", "/etc/passwd"]],
        [["users", "{peak: 10, average: 5, trace: {file: /etc/passwd}}"]],
        [["users.trace.file", "/etc/passwd"]],
        [["users.trace", "{file: /etc/passwd}"]],
    ],
)
def test_a_link_does_not_choose_what_the_machine_reads(explored: Running, changes: list[list[str]]) -> None:
    answer = explored.ask("plan", set=changes)
    assert not answer["ok"]
    assert "names a file, which a page may not" in answer["error"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        [["users.peak"]],
        [["users.peak", 5]],
        [["a" * 201, "1"]],
        [["description", "a" * 4001]],
        [["users.tenants", "5"]] * 201,
        "users.peak=5",
    ],
)
def test_what_no_page_sends_is_refused(explored: Running, changes: object) -> None:
    answer = explored.ask("plan", set=changes)
    assert not answer["ok"]
    assert answer["error"].startswith("set: ")
    assert answer["exit_code"] == 2


# --------------------------------------------------------------------------------------------------------------- jobs


def finished(explored: Running, job: str) -> dict[str, object]:
    """Return the last answer of a job, after waiting for it."""
    for _ in range(600):
        answer: dict[str, object] = explored.ask("job", job=job)
        if answer["status"] != "running":
            return answer
        time.sleep(0.1)
    raise AssertionError(answer)


def line_of(pid: int) -> bytes:
    """Return the command line of a process, nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def workers(explored: Running) -> list[int]:
    """Return the processes in which a server's jobs run."""
    tasks = Path(f"/proc/{explored.process.pid}/task").iterdir()
    children = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    return [pid for pid in children if b"spawn_main" in line_of(pid)]


def test_days_are_simulated_as_the_command_does(
    explored: Running, cascade: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = explored.ask("start", kind="simulate", set=[["users.peak", "20000"]], days=1, runs=1, columns=80)
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = cascade("simulate", "cascade", "--peak", "20000")
    answer = finished(explored, started["job"])
    assert answer["status"] == "done", answer
    assert status == 0
    assert answer["result"]["text"] == out  # type: ignore[index]
    assert answer["share"] == pytest.approx(1.0)


def test_months_are_forecast_as_the_command_does(
    explored: Running, cascade: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = [["growth.percent_per_month", "8"]]
    job = explored.ask("start", kind="forecast", set=changes, months=12, columns=80)["job"]
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = cascade("forecast", "cascade", "--set", "growth.percent_per_month=8", "--months", "12")
    answer = finished(explored, job)
    assert answer["status"] == "done", answer
    assert answer["result"]["text"] == out  # type: ignore[index]
    assert answer["share"] == pytest.approx(1.0)


def test_risk_is_said_as_the_command_does(
    explored: Running, cascade: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = explored.ask("start", kind="risk", set=[["users.peak", "12000"]], worlds=500, columns=80)["job"]
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = cascade("risk", "cascade", "--peak", "12000", "--set", "method=rules", "--draws", "500")
    answer = finished(explored, job)
    assert answer["status"] == "done", answer
    assert answer["result"]["text"] == out  # type: ignore[index]


def test_the_cheapest_fleet_can_be_taken_over(explored: Running) -> None:
    answer = finished(explored, explored.ask("start", kind="optimize", set=[], columns=80)["job"])
    assert answer["status"] == "done", answer
    result = answer["result"]
    assert isinstance(result, dict)
    taken = explored.ask("plan", set=result["changes"])
    assert taken["ok"], taken
    before = explored.ask("plan", set=[["method", "slo"]])["plan"]["cost_usd"]
    assert taken["plan"]["cost_usd"] < before
    assert (
        f"{taken['plan']['cost_usd']:,.2f}" in result["text"] or f"{taken['plan']['cost_usd']:,.0f}" in result["text"]
    )


def test_a_job_that_is_cancelled_is_gone(explored: Running) -> None:
    until = time.monotonic() + 20
    while workers(explored) and time.monotonic() < until:
        time.sleep(0.05)  # Those of jobs that are done are on their way out.
    job = explored.ask("start", kind="simulate", set=[], days=14, runs=50)["job"]
    assert explored.ask("job", job=job)["status"] == "running"
    assert workers(explored)
    began = time.monotonic()
    assert explored.ask("cancel", job=job)["status"] == "cancelled"
    assert time.monotonic() - began < 5
    assert explored.ask("job", job=job)["status"] == "cancelled"
    assert not workers(explored)


def test_what_is_no_job_is_said(explored: Running) -> None:
    assert "no job 'simulat'" in explored.ask("start", kind="simulat", set=[])["error"]
    assert explored.ask("job", job="none")["error"] == "there is no such job any more"
    failed = finished(explored, explored.ask("start", kind="simulate", set=[], days=0)["job"])
    assert (failed["status"], failed["error"]) == ("failed", "days: must be a whole number between 1 and 14")


def test_two_jobs_run_at_a_time_and_end_with_the_page(tmp_path: Path) -> None:
    with running(tmp_path, "cascade") as own:
        assert own.ask("plan", set=[["users.peak", "20000"]])["notes"]
        for _ in range(2):
            assert own.ask("start", kind="simulate", set=[], days=14, runs=50)["ok"]
        third = own.ask("start", kind="simulate", set=[])
        assert third["error"] == "2 jobs are running already: cancel one, or wait"
        running_before = workers(own)
        assert len(running_before) == 2
        assert own.stop() == 0
        assert own.process.stderr is not None
        assert own.process.stderr.read().splitlines() == ["Ctrl-C stops it", "stopped"]
        assert not [pid for pid in running_before if b"spawn_main" in line_of(pid)]


@pytest.mark.parametrize("name", bundled_scenarios())
def test_what_differs_makes_one_scenario_of_the_other(name: str) -> None:
    env = next(iter(environments_of(name)), None)
    choice = chosen({"scenario": name, "env": env})
    before = choice.read().scenario
    made = choice.changed([("users.peak", str(before.users.peak * 2)), ("budget.usd_per_month", "5000")])
    after = made.read().scenario
    assert choice.changed([*differing(before, after)]).read().scenario == after
    assert [*differing(after, after)] == []


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_control_takes_its_own_value(name: str) -> None:
    env = next(iter(environments_of(name)), None)
    session = Session.of(chosen({"scenario": name, "env": env}))
    found = [each for group in session.plan({})["controls"] for each in group["controls"]]
    assert len({each["path"] for each in found}) == len(found) > 15
    values = [[each["path"], each["value"]] for each in found if each["kind"] != "switch" and each["value"] != ""]
    assert session.plan({"set": values}).get("plan") == session.plan({}).get("plan")


# -------------------------------------------------------------------------------------------------------- the command


def test_without_the_extra_it_says_what_to_install(
    cascade: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "cascade_plan.exploring.server")
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    status, out, err = cascade("explore", "--no-open")
    assert (status, out) == (2, "")
    wanted = "explore needs starlette and uvicorn, which are not installed: pip install 'cascade-plan[explore]'"
    assert err == f"error: {wanted}\n"


def test_a_scenario_that_is_wrong_is_refused_before_anything_is_served(cascade: Callable[..., Result]) -> None:
    status, out, err = cascade("explore", "--no-open", "--set", "users.peak=x", "cascade")
    assert (status, out) == (2, "")
    assert "users.peak: must be a whole number, got 'x'" in err


def test_stdin_cannot_be_read_with_every_change(cascade: Callable[..., Result]) -> None:
    status, _, err = cascade("explore", "-", "--no-open")
    assert status == 2
    assert err == "error: the page reads the scenario anew with every change: give a file, not -\n"


def test_a_part_of_availability_is_set_beside_its_word(cascade: Callable[..., Result]) -> None:
    status, out, _ = cascade("explain", "availability.zones", "cascade", "--set", "availability.zones=2")
    assert (status, "availability.zones = 2 zones" in out) == (0, True)
    _, out, _ = cascade("explain", "availability.level", "cascade", "--set", "availability.zones=2")
    assert "availability.level = critical" in out
    assert "given    cascade.yaml:77" in out
    assert run(["size", "cascade", "--set", "availability=standard", "--set", "availability.zones=x"]) == 2
