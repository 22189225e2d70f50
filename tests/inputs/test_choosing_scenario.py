"""Which scenario a command takes, what the flags, variables and project file change in it, and what of it is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cascade_plan.cli.app import COMMANDS, LazyGroup, run
from cascade_plan.errors import ScenarioError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.choice import chosen
from cascade_plan.inputs.scenarios import read
from cascade_plan.inputs.variables import KNOWN, unknown_variables

Result = tuple[int, str, str]
SMALL = (Path(__file__).parent.parent.parent / "scenarios" / "saas-300.yaml").read_text(encoding="utf-8")
TAKEN = "note: no SCENARIO given: using "


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Return a function that runs a command line in the working directory, which is below a project's root."""
    for name in list(os.environ):
        if name.startswith("CASCADE_PLAN_") and name != "CASCADE_PLAN_CACHE_DIR":
            monkeypatch.delenv(name)
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    (tmp_path / "shop" / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shop" / "src")

    def called(*arguments: str) -> Result:
        status = run(list(arguments))
        return status, *capsys.readouterr()

    return called


def peak(out: str) -> int:
    return int(json.loads(out)["scenario"]["users"]["peak"])


def test_the_order_in_which_a_scenario_is_taken(
    command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*arguments: str) -> tuple[str, str]:
        status, out, err = command("size", "--format", "json", *arguments)
        assert status == 0, err
        notes = [line for line in err.splitlines() if line.startswith(TAKEN)]
        return json.loads(out)["scenario"]["name"], "".join(notes).removeprefix(TAKEN)

    assert taken() == ("cascade", "the bundled scenario cascade")
    Path("../cascade-plan.yaml").write_text(SMALL.replace("saas-300", "shop"), encoding="utf-8")
    assert taken() == ("shop", "../cascade-plan.yaml")
    monkeypatch.chdir("deep")
    assert taken() == ("shop", "../../cascade-plan.yaml")
    Path("../../plans").mkdir()
    Path("../../plans/desk.yaml").write_text(SMALL.replace("saas-300", "desk"), encoding="utf-8")
    Path("../../.cascade-plan.yaml").write_text("scenario: plans/desk.yaml\n", encoding="utf-8")
    assert taken() == ("desk", "../../plans/desk.yaml (../../.cascade-plan.yaml)")
    Path("../../.cascade-plan.yaml").write_text("scenario: startup-1k\n", encoding="utf-8")
    assert taken() == ("startup-1k", "startup-1k (../../.cascade-plan.yaml)")
    monkeypatch.setenv("CASCADE_PLAN_SCENARIO", "whale-1m")
    assert taken() == ("whale-1m", "whale-1m (CASCADE_PLAN_SCENARIO)")
    assert taken("saas-300") == ("saas-300", "")


@pytest.mark.parametrize("border", [".git", "home"])
def test_the_search_ends_at_a_repository_and_at_home(
    command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, border: str
) -> None:
    Path("../../cascade-plan.yaml").write_text(SMALL, encoding="utf-8")
    Path("../../.cascade-plan.yaml").write_text("peak: 7\navg: 7\n", encoding="utf-8")
    if border == "home":
        Path("../.git").rmdir()
        monkeypatch.setenv("HOME", str(Path("..").resolve()))
    status, out, err = command("size", "--format", "json")
    assert (status, peak(out)) == (0, 10_000)
    assert f"{TAKEN}the bundled scenario cascade\n" in err


def test_another_projects_name_is_no_scenario(command: Callable[..., Result]) -> None:
    Path("cascade-plan.yaml").mkdir()
    assert command("size")[2].startswith(f"{TAKEN}the bundled scenario cascade\n")


def test_validate_takes_the_projects_scenario(command: Callable[..., Result]) -> None:
    Path("../cascade-plan.yaml").write_text(SMALL, encoding="utf-8")
    assert command("validate") == (0, "../cascade-plan.yaml: valid\n", f"{TAKEN}../cascade-plan.yaml\n")


@pytest.mark.parametrize(
    ("arguments", "counts", "notes"),
    [
        (("--peak", "1000"), (1000, 300, None), ["--peak 1000: average scaled from 3,000 to 300 with it"]),
        (("--peak", "50k"), (50_000, 15_000, None), ["--peak 50k: average scaled from 3,000 to 15,000 with it"]),
        (("--peak", "10000"), (10_000, 3000, None), []),
        (("--peak", "1"), (1, 1, None), ["--peak 1: average scaled from 3,000 to 1 with it"]),
        (("--peak", "1000", "--avg", "900"), (1000, 900, None), []),
        (("--peak", "9000", "--set", "users.average=800"), (9000, 800, None), []),
        (("--set", "users.peak=9000"), (9000, 3000, None), []),
        (
            ("--set", "users.registered=30000", "--peak", "20000"),
            (20_000, 6000, 30_000),
            ["--peak 20000: average scaled from 3,000 to 6,000 with it"],
        ),
    ],
)  # fmt: skip
def test_users_that_go_with_the_peak_follow_it(
    command: Callable[..., Result], arguments: tuple[str, ...], counts: tuple[int, int, int | None], notes: list[str]
) -> None:
    status, out, err = command("size", "cascade", "--format", "json", *arguments)
    users = json.loads(out)["scenario"]["users"]
    assert status == 0
    assert (users["peak"], users["average"], users.get("registered")) == counts
    assert [line for line in err.splitlines() if line.startswith("note: --")] == [
        f"note: {note}; --avg sets it" for note in notes
    ]


def test_registered_users_follow_the_peak_and_are_never_fewer(command: Callable[..., Result]) -> None:
    Path("s.yaml").write_text(SMALL, encoding="utf-8")
    status, out, err = command("size", "s.yaml", "--peak", "30", "--format", "json")
    users = json.loads(out)["scenario"]["users"]
    before = [line for line in err.splitlines() if "registered users scaled from " in line]
    assert status == 0
    assert users["registered"] >= users["peak"] == 30
    assert before[0].endswith(f" to {users['registered']:,} with it; --set users.registered=COUNT sets them")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--avg", "20000"), "--avg 20000: users.average: 20,000 is above the peak of 10,000; --peak sets that"),
        (("--avg", "20k"), "--avg 20k: users.average: 20,000 is above the peak of 10,000; --peak sets that"),
        (
            ("--peak", "10", "--avg", "20"),
            "--avg 20: users.average: 20 is above the peak of 10; --peak sets that",
        ),
        (
            ("--set", "users.peak=1000"),
            "--set users.peak=1000: users.peak: 1,000 is below the scenario's average, 3,000; --avg sets that",
        ),
        (
            ("--set", "users.registered=5"),
            "--set users.registered=5: users.registered: 5 is below the peak of 10,000; --peak sets that",
        ),
        (("--peak", "0"), "--peak 0: users.peak: must be at least 1, got 0"),
        (("--peak", ""), "--peak : users.peak: must be a whole number, got nothing"),
        (("--method", "SLO"), "--method SLO: method: must be one of 'rules', 'slo', got 'SLO'; did you mean 'slo'?"),
        (("--region", "US-EAST-1"), "--region US-EAST-1: region: must be a name such as us-east-1, got 'US-EAST-1'; "
         "did you mean 'us-east-1'?"),
        (("--region", "eu-north-1"), "--region eu-north-1: region: no prices of eu-north-1 yet: `cascade-plan prices "
         "update --region eu-north-1` brings them; regions with prices are ap-southeast-1, eu-central-1, eu-west-1, "
         "us-east-1, us-west-2"),
        (("--as-of", "soon"), "--as-of soon: write a day as YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_a_flag_is_blamed_by_its_name(command: Callable[..., Result], arguments: tuple[str, ...], message: str) -> None:
    assert command("size", "cascade", *arguments) == (2, "", f"error: {message}\n")


def test_a_variable_is_blamed_by_its_name(command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value, message in (
        ("PEAK", "abc", "users.peak: must be a whole number, got 'abc'"),
        ("AVG", "20000", "users.average: 20,000 is above the peak of 10,000; --peak sets that"),
        ("AS_OF", "soon", "write a day as YYYY-MM-DD"),
        ("ENV", "prod", "it has no environments"),
    ):
        monkeypatch.setenv(f"CASCADE_PLAN_{variable}", value)
        status, out, err = command("size", "cascade")
        assert (status, out, err) == (2, "", f"error: CASCADE_PLAN_{variable}={value}: {message}\n")
        monkeypatch.setenv(f"CASCADE_PLAN_{variable}", "")
    monkeypatch.setenv("CASCADE_PLAN_PEAK", "abc")
    assert "--peak 7" in command("size", "cascade", "--peak", "7")[2]


def test_an_unknown_variable_is_said(command: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASCADE_PLAN_PEEK", "5")
    status, _, err = command("size", "cascade", "--format", "json")
    assert status == 0
    words = "CASCADE_PLAN_PEEK: no such variable, it changes nothing; did you mean 'CASCADE_PLAN_PEAK'?"
    assert err.count(f"warning: {words}\n") == 1
    assert list(unknown_variables(["CASCADE_PLAN_AVG", "PATH", "CASCADE_PLANNER"])) == []


def test_every_variable_of_every_command_is_known() -> None:
    found = {"CASCADE_PLAN_CACHE_DIR", "CASCADE_PLAN_RECORD", "CASCADE_PLAN_DEBUG", "CASCADE_PLAN_PROMETHEUS_TOKEN"}
    for name in COMMANDS:
        command = LazyGroup().get_command(None, name)
        for each in [command, *getattr(command, "commands", {}).values()]:
            for parameter in each.params:
                given = getattr(parameter, "envvar", None)
                found |= {given} if isinstance(given, str) else set(given or ())
    assert found == KNOWN


# -------------------------------------------------------------------------------------------------------- project file


@pytest.mark.parametrize(
    "text",
    [
        "set: {tiers.cache.engine: valkey, users.tenants: 7}\n",
        "set: [tiers.cache.engine=valkey, users.tenants=7]\n",
        "set:\n  - tiers.cache.engine=valkey\n  - users.tenants=7\n",
    ],
)
def test_set_is_a_mapping_or_a_list(command: Callable[..., Result], text: str) -> None:
    Path(".cascade-plan.yaml").write_text(text, encoding="utf-8")
    given = json.loads(command("size", "cascade", "--format", "json")[1])["scenario"]
    assert (given["tiers"]["cache"]["engine"], given["users"]["tenants"]) == ("valkey", 7)


def test_a_value_of_any_kind_is_set_as_it_stands(command: Callable[..., Result]) -> None:
    text = "set: {description: '5', users.profile: [" + "1, " * 23 + "2.5e-07], tiers.websocket: off}\n"
    Path(".cascade-plan.yaml").write_text(text, encoding="utf-8")
    given = json.loads(command("size", "cascade", "--format", "json")[1])["scenario"]
    assert (given["description"], given["users"]["profile"][23]) == ("5", 2.5e-07)
    assert "websocket" not in given["tiers"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prices: [a]", "1:1: prices: must be text, got a list"),
        ("prices: 5", "1:9: prices: must be text, got 5"),
        ("prices: none.yaml", "1:9: prices: no such file: none.yaml"),
        ("prices: " + "x" * 2000, "1:9: prices: no such file: " + "x" * 2000),
        ("set: 5", "1:6: set: must be a mapping or a list, got 5"),
        ("set: [1]", "1:7: set[0]: must be text, got 1"),
        ("set: [users.peak]", "1:7: set[0]: write KEY.PATH=VALUE, or a mapping, such as set: {users.tenants: 500}"),
        ("set: {users.peak: many}", "1:19: users.peak: must be a whole number, got 'many'"),
        ("set: {users.paek: 5}", "1:19: users.paek: unknown field; did you mean 'peak'? allowed: active_share, "
         "average, average_before, peak, profile, registered, tenants, trace"),
        ("avg: 0", "1:6: avg: must be at least 1, got 0"),
        ("peak: 0", "1:7: peak: must be at least 1, got 0"),
        ("peak: 10k", "1:7: peak: must be a whole number, got '10k'; write 10000"),
        ("peak: 7\navg: 8", "2:6: users.average: 8 is above the peak of 7; --peak sets that"),
        ("scenario: casade", "1:11: scenario: no such file: casade, and no bundled scenario; did you mean 'cascade'?"),
        ("region: us-wset-2", "1:9: region: no region 'us-wset-2'; did you mean 'us-west-2'? regions with prices are "
         "ap-southeast-1, eu-central-1, eu-west-1, us-east-1, us-west-2"),
        ("as_of: soon", "1:8: as_of: must be a day, YYYY-MM-DD, got 'soon'"),
        ("as_of: 2026-02-30", "1:8: write a day as YYYY-MM-DD"),
        ("env: prod", "1:6: it has no environments"),
    ],
)  # fmt: skip
def test_a_mistake_of_the_project_file_is_said_where_it_stands(
    command: Callable[..., Result], text: str, message: str
) -> None:
    Path(".cascade-plan.yaml").write_text(text + "\n", encoding="utf-8")
    status, out, err = command("size", *([] if text.startswith("scenario") else ["cascade"]))
    assert (status, out, err) == (2, "", f"error: .cascade-plan.yaml:{message}\n")


def test_all_mistakes_of_the_project_file_at_once(command: Callable[..., Result]) -> None:
    Path(".cascade-plan.yaml").write_text("peak: 0\nset: 5\nformat: json\nprices: [a]\n", encoding="utf-8")
    err = command("size")[2]
    assert [line.split(": ")[1] for line in err.splitlines()] == [
        f".cascade-plan.yaml:{place}" for place in ("1:7", "2:6", "3:1", "4:1")
    ]


def test_the_project_file_gives_how_old_prices_may_be(command: Callable[..., Result]) -> None:
    assert "are over 90 days old" in command("size", "cascade", "--as-of", "2026-11-01")[2]
    Path("../.cascade-plan.yaml").write_text("max_price_age: 2000\nas_of: 2026-11-01\n", encoding="utf-8")
    assert command("size", "cascade")[2] == ""
    assert "are over 30 days old" in command("size", "cascade", "--max-price-age", "30")[2]
    Path("../.cascade-plan.yaml").write_text("strict_prices: true\nas_of: 2026-11-01\n", encoding="utf-8")
    assert command("size", "cascade")[0] == 3


def test_paths_of_the_project_file_are_relative_to_it(command: Callable[..., Result]) -> None:
    Path("../deal.yaml").write_text(
        "format: 1\ncloud: aws\nregion: us-east-1\ndiscounts: {ec2: 10}\n", encoding="utf-8"
    )
    Path("../.cascade-plan.yaml").write_text("prices: deal.yaml\n", encoding="utf-8")
    status, out, _ = command("size", "cascade", "--format", "json")
    assert status == 0
    assert "% off by ../deal.yaml" in out


def test_a_choice_needs_no_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    choice = chosen({"peak": "1000", "scenario": "cascade"}, tell=told.append)
    assert choice.taken == ""
    assert choice.read().scenario.users.average == 300
    assert told == ["--peak 1000: average scaled from 3,000 to 300 with it; --avg sets it"]


# ---------------------------------------------------------------------------------------------------------- wrong files


def test_a_directory_is_called_one(command: Callable[..., Result]) -> None:
    assert command("size", ".") == (
        2,
        "",
        "error: '.' is a directory: name a scenario file in it (no .yaml file is in it)\n",
    )
    for name in "abcdefg":
        Path(f"{name}.yaml").write_text("", encoding="utf-8")
    Path(".cascade-plan.yaml").write_text("peak: 5\n", encoding="utf-8")
    found = "found: a.yaml, b.yaml, c.yaml, d.yaml, e.yaml and 2 more"
    assert command("size", ".")[2] == f"error: '.' is a directory: name a scenario file in it ({found})\n"
    Path("startup-1k").mkdir()
    assert command("validate", "startup-1k")[0] == 0


def test_a_wrong_file_is_not_read_out(command: Callable[..., Result]) -> None:
    Path("secrets.yaml").write_text("".join(f"user{n}: hash{n}\n" for n in range(500)), encoding="utf-8")
    for line in (("size", "secrets.yaml"), ("validate", "secrets.yaml")):
        status, out, err = command(*line)
        lines = err.splitlines()
        assert (status, out, len(lines)) == (2, "", 11)
        assert lines[-1] == "error: and 494 more"
        assert err.count("allowed: application, ") == 1
        assert "hash" not in err


def test_a_log_is_shown_shortened(command: Callable[..., Result]) -> None:
    Path("log").write_text("".join(f"12:30:{n:02} GET /things 200\n" for n in range(60)), encoding="utf-8")
    status, _, err = command("size", "./log")
    assert (status, len(err.splitlines())) == (2, 1)
    assert len(err) < 200


@pytest.mark.parametrize(
    "text",
    [
        '"\\e[31mred": 1\n',
        "name: !e%1B%5B31m x\n",
        'name: "\\e]0;x\\a"\n',
        'gates: {"a\\u202eb": ["< 5"]}\n',
        "\x1b[1m: 5\n",
    ],
)
def test_no_escape_of_a_file_reaches_the_terminal(command: Callable[..., Result], text: str) -> None:
    Path("s.yaml").write_text(text, encoding="utf-8")
    for line in (("size", "s.yaml"), ("validate", "s.yaml"), ("size", "--set", text.strip())):
        status, out, err = command(*line)
        assert (status, out) == (2, "")
        assert err.replace("\n", "").isprintable()


# ------------------------------------------------------------------------------------------------- all problems at once


def test_a_mistake_of_one_field_hides_none_that_the_whole_scenario_shows(command: Callable[..., Result]) -> None:
    text = """\
schema_version: 1
name: Shop
region: eu-wset-1
users: {peak: 10, average: 5}
behaviour:
  actions:
    list: {weight: 1, request: GET /a, at: serch, reads: {reports: 1}, jobs: {worker: 1}, cpu_ms: fast}
tiers:
  api: {shape: m5.lrge}
  search: {kind: api, headroom_ratio: much}
  cache: off
environments:
  prod: {environments: {}}
  staging: 5
budget: {users: registered, usd_per_month: 5}
loads: {peak: {share: 1.0, ramp_s: 1, duration_s: 60, latency_ms_p95: fast}}
gates: {cost_usd_per_1000_user_month: ["< 50"], latency_ms_p95.peek: ["< 5"], search.node_count.base: ["< 9"]}
"""
    Path("s.yaml").write_text(text, encoding="utf-8")
    changes = [("--set", "tiers.cache.nodes", "3"), ("--set", "users..peak", "1")]
    with pytest.raises(ScenarioError) as caught:
        read("s.yaml", [Assignment(*change) for change in changes])
    assert sorted(problem.field for problem in caught.value.problems) == [
        "",
        "behaviour.actions.list.at",
        "behaviour.actions.list.cpu_ms",
        "behaviour.actions.list.jobs.worker",
        "behaviour.actions.list.reads.reports",
        "environments.prod.environments",
        "environments.staging",
        "gates.cost_usd_per_1000_user_month",
        "gates.latency_ms_p95.peek",
        "loads.peak.latency_ms_p95",
        "name",
        "region",
        "tiers.api.shape",
        "tiers.cache.nodes",
        "tiers.search.headroom_ratio",
        "users..peak",
    ]
    for line in (("size", "s.yaml"), ("validate", "s.yaml")):
        status, _, err = command(*line)
        assert (status, len(err.splitlines())) == (2, 11)
