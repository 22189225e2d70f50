"""The command line as a user meets it: output, messages, exit statuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest
import yaml

from cascade_plan.cli.app import COMMANDS
from cascade_plan.model.plan import from_json

ROOT = Path(__file__).parent.parent


def test_the_line_that_must_always_work(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("size", "--peak", "10000", "--avg", "3000")
    assert status == 0
    assert "10,000 users at peak, 3,000 on average" in out
    assert out.splitlines()[-2].startswith("✗ Over budget 5.6 x: ")
    assert out.splitlines()[-1] == "  next: cascade-plan explain cost --peak 10000 --avg 3000"
    assert len(out.splitlines()) <= 24
    assert err.startswith("note: 9 of 22 prices are over 90 days old (prices update, or --max-price-age ")


def test_the_age_of_prices_is_said_once_and_can_be_accepted(cascade) -> None:  # type: ignore[no-untyped-def]
    line = ("size", "cascade", "--as-of", "2026-11-01")
    note = cascade(*line)[2]
    assert note == "note: 9 of 22 prices are over 90 days old (prices update, or --max-price-age 800)\n"
    assert cascade(*line, "--max-price-age", "900")[2] == cascade(*line, "-q")[2] == ""
    status, _, err = cascade(*line, "--strict-prices")
    assert (status, err.count("older than 90 days")) == (3, 1)


def test_peak_19999_says_what_the_floor_would_give(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("size", "--peak", "19999", "--avg", "3000", "--format", "json")
    plan = json.loads(out)
    assert plan["figures"]["api"]["node_count"]["base"] == 4
    assert any("rounding down gives 3" in finding["message"] for finding in plan["findings"])


@pytest.mark.parametrize("line", [("report",), ("size", "api-batch"), ("size", "saas-300", "--method", "slo")])
def test_json_follows_its_published_schema(cascade, line: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade(*line, "--format", "json")
    _, schema, _ = cascade("schema", "plan")
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    document = json.loads(out)
    validator.validate(document)
    assert from_json(out).scenario.tiers["api"].kind == document["scenario"]["tiers"]["api"]["kind"] == "api"
    assert isinstance(document["figures"]["cost_usd_per_month"]["average"], str)
    document["scenario"]["tiers"]["api"]["hit_ratio"] = 0.5
    assert not validator.is_valid(document)


def test_a_bundled_scenario_follows_the_published_schema(cascade) -> None:  # type: ignore[no-untyped-def]
    _, schema, _ = cascade("schema")
    text = (ROOT / "scenarios/cascade.yaml").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator(json.loads(schema)).validate(yaml.safe_load(text))


def test_schema_describes_its_fields(cascade) -> None:  # type: ignore[no-untyped-def]
    _, schema, _ = cascade("schema")
    peak = json.loads(schema)["$defs"]["UserCounts"]["properties"]["peak"]
    assert peak["description"] == "Most users connected at the same time."


@pytest.mark.parametrize(
    ("scenario", "status"),
    [("cascade", 1), ("cascade-as-written", 1), ("growth-100k", 0), ("whale-1m", 0), ("startup-1k", 0)]
    + [(f"cascade-{region}", 1) for region in ("us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1")],
)
def test_check_of_every_bundled_scenario(cascade, scenario: str, status: int) -> None:  # type: ignore[no-untyped-def]
    got, out, err = cascade("check", scenario, "-o", "report.md", "--format", "markdown")
    assert (got, out) == (status, "")
    report = Path("report.md").read_text(encoding="utf-8")
    assert scenario in report
    assert "no price in" not in err
    if status == 1:
        assert "✗ cost_usd_per_1000_users_month < 50" in err


def test_a_price_that_the_book_lacks_is_said_and_has_its_status(cascade) -> None:  # type: ignore[no-untyped-def]
    # Nothing public tells this reservation's price outside us-east-1.
    term = ("--set", "tiers.api.purchase=reserved_1y_all_upfront")
    status, out, err = cascade("check", "growth-100k", "--region", "eu-west-1", *term, "--format", "markdown")
    assert status == 3
    assert "no price in" in err
    assert "at least" in out


def test_check_statuses_for_bad_input(cascade) -> None:  # type: ignore[no-untyped-def]
    assert cascade("check", "no-such")[0] == 2
    Path("bad.yaml").write_text("name: [", encoding="utf-8")
    assert cascade("check", "bad.yaml")[0] == 2
    status, _, err = cascade("check", "--set", "tiers.cache.shape={memory_gib: 100000}")
    assert status == 4
    assert "no priced cache shape" in err


def test_junit_names_every_gate(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = cascade("check", "--format", "junit")
    suite = ElementTree.fromstring(out)
    cases = suite.findall(".//testcase")
    assert status == 1
    assert len(cases) == 8
    assert len(suite.findall(".//failure")) == 2
    assert len(suite.findall(".//skipped")) == 1


def test_github_gets_annotations_and_a_summary(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    text = (ROOT / "scenarios/cascade.yaml").read_text(encoding="utf-8")
    Path("a,b").mkdir()
    Path("a,b/c.yaml").write_text(text, encoding="utf-8")
    status, out, err = cascade("check", "a,b/c.yaml")
    line = text.splitlines().index('  cost_usd_per_1000_users_month: ["< 50"]') + 1
    place = f"file=a%2Cb/c.yaml,line={line}"
    assert status == 1
    assert f"::error {place},title=cascade-plan cascade::✗ cost_usd_per_1000_users_month < 50 = 279.21\n" in err
    assert (out + err).count("cost_usd_per_1000_users_month") == 1
    assert "::" not in out
    summary = Path("summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## cascade: ✗ Over budget 5.6 x: ")
    assert "| database | db.r5.xlarge multi-AZ, 1 replica | 2 | 1,129.50 | 41% |" in summary
    assert len(summary.splitlines()) < 40


def test_github_is_told_the_path_from_the_repository_s_root(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd()))
    Path("sub").mkdir()
    (Path("sub") / "x.yaml").write_text((ROOT / "scenarios/cascade.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir("sub")
    assert "::error file=sub/x.yaml,line=" in cascade("check", "x.yaml")[2]
    # A bundled scenario has no line in anybody's repository.
    assert "file=" not in cascade("check")[2]


@pytest.mark.parametrize("command", ["size", "report", "check", "explain"])
def test_no_text_of_an_input_is_a_command_to_github_or_a_heading(cascade, monkeypatch, command: str) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("prices.yaml").write_text(
        "format: 1\ncloud: aws\nregion: us-east-1\nsections:\n  ec2_on_demand:\n    sources: {c: '::error::source'}\n"
        "    rows: |\n      item,variant,term,unit,usd,as_of,source,note\n"
        '      m6g.large,linux,on_demand,hour,0.077,2026-01-01,c,"weak: ::error::one and words and words and words to '
        'fold ::error::two words ##[error]three"\n',
        encoding="utf-8",
    )
    arguments = (
        ["cost"] if command == "explain" else ["--full"] if command in ("size", "check") else ["--relaxations", "none"]
    )
    for text in ("::error::pwned", "# Approved by finance", "1. Pay", "- item", "=== ==="):
        out = "".join(
            cascade(command, *arguments, "--prices", "prices.yaml", "--set", f"description={json.dumps(text)}")[1:]
        )
        commands = [line for line in out.splitlines() if line.lstrip().startswith("::")]
        assert all(line.startswith(("::error title=cascade-plan", "::warning title=cascade-plan")) for line in commands)
        assert "##[" not in out
        if command == "report":
            assert f"\n{text}\n" not in out


def test_check_says_its_verdict_once(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("check")
    assert status == 1
    assert (out + err).count("cost_usd_per_1000_users_month") == 1
    assert len(out.splitlines()) < 10
    assert "Figures" in cascade("check", "--full")[1]
    _, out, err = cascade("check", "--format", "json")
    assert "✗ cost_usd_per_1000_users_month < 50 = 279.21\n" in err


def test_a_file_holds_what_a_terminal_shows(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    for columns in ("60", "80", "133"):
        monkeypatch.setenv("COLUMNS", columns)
        _, out, _ = cascade("size")
        cascade("size", "-o", "plan.txt")
        assert Path("plan.txt").read_text(encoding="utf-8") == out
        assert max(map(len, out.splitlines())) <= int(columns)


def test_colour_changes_no_word(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    _, plain, _ = cascade("size")
    monkeypatch.setattr("cascade_plan.cli.output.Color.on", lambda: True)
    _, coloured, _ = cascade("size")
    assert coloured != plain
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


@pytest.mark.parametrize("width", [60, 80, 133])
def test_every_table_keeps_to_the_page(cascade, monkeypatch: pytest.MonkeyPatch, width: int) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", str(width))
    for line in (
        ("size", "--full"),
        ("check",),
        ("simulate",),
        ("simulate", "--requests", "2000"),
    ):
        out = cascade(*line)[1]
        assert max(map(len, out.splitlines())) <= width, line


def test_explain_names_formula_origin_and_source(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = cascade("explain", "api.node_count.base", "--peak", "19999")
    assert status == 0
    assert out.splitlines()[0] == "api.node_count.base = 4 nodes"
    assert re.search(r"users\.peak += 19,999  \(--peak 19999\)", out)
    assert "source   case study (docs/seed.md), cost calculator" in out
    assert "rounding down gives 3" in out


def test_every_figure_can_be_explained(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("size", "--format", "json")
    for figure in json.loads(out)["derivations"]:
        status, text, _ = cascade("explain", figure)
        assert status == 0
        assert text.startswith(f"{figure} = ")


def test_explain_of_an_unknown_figure(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("explain", "api.node_cuont.base")
    assert (status, out) == (2, "")
    assert "did you mean 'api.node_count.base'?" in err


def test_overrides_are_checked_like_the_file(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("size", "--peak", "many", "--set", "users.tenants=-1", "--set", "rounding=sideways")
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        "error: --peak many: users.peak: must be a whole number, got 'many'",
        "error: --set rounding=sideways: rounding: must be one of 'up', 'down', got 'sideways'",
        "error: --set users.tenants=-1: users.tenants: must be at least 1, got -1",
    ]


def test_flag_before_environment_before_project_file(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def base(*arguments: str) -> int:
        return int(
            json.loads(cascade("size", "--format", "json", *arguments)[1])["figures"]["api"]["node_count"]["base"]
        )

    Path(".cascade-plan.yaml").write_text("peak: 25000\nset: [users.tenants=7]\n", encoding="utf-8")
    assert base() == 5
    monkeypatch.setenv("CASCADE_PLAN_PEAK", "30000")
    assert base() == 6
    assert base("--peak", "40000") == 8
    Path(".cascade-plan.yaml").write_text("peek: 25000\n", encoding="utf-8")
    status, _, err = cascade("size")
    assert status == 2
    assert err.startswith(
        "error: .cascade-plan.yaml:1:1: peek: unknown field; did you mean 'peak'? allowed: as_of, avg"
    )


def test_prices_override_completes_a_region(cascade) -> None:  # type: ignore[no-untyped-def]
    header = "item,variant,term,unit,usd,as_of,source,confirmed_by,note"
    Path("mine.yaml").write_text(
        "format: 1\ncloud: aws\nregion: us-west-2\nsections:\n  rds_storage:\n    sources: {a: our contract}\n"
        f"    rows: |\n      {header}\n"
        "      storage-gp3,multi_az,on_demand,gib_month,0.2,2026-11-01,a,,\n"
        "      storage-gp3,single_az,on_demand,gib_month,0.1,2026-11-01,a,,\n",
        encoding="utf-8",
    )
    status, out, _ = cascade("check", "cascade-us-west-2", "--prices", "mine.yaml", "--format", "json")
    plan = json.loads(out)
    assert status == 1
    assert plan["bill"]["unpriced"] == []
    line = next(item for item in plan["items"] if item["name"] == "database primary storage")
    assert (line["price_usd"], line["origin"], line["source"]) == ("0.2", "override", "our contract")


def test_as_of_reaches_the_report_and_the_clock_does_not(cascade) -> None:  # type: ignore[no-untyped-def]
    _, without, _ = cascade("report", "--relaxations", "none")
    assert "days old" not in without
    _, dated, _ = cascade("report", "--as-of", "2026-11-24", "--relaxations", "none")
    assert "on 2026-11-24 the oldest price, of 2024-09-25, is 790 days old" in dated
    status, _, err = cascade("report", "--as-of", "yesterday")
    assert (status, err) == (2, "error: --as-of yesterday: write a day as YYYY-MM-DD\n")


def test_init_writes_a_scenario_that_is_valid_and_never_overwrites(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("init", "mine.yaml")
    assert (status, out) == (0, "wrote mine.yaml and cascade-plan.schema.json\nnext: cascade-plan size mine.yaml\n")
    first = Path("mine.yaml").read_text(encoding="utf-8")
    assert first.startswith("# yaml-language-server: $schema=cascade-plan.schema.json\n")
    assert cascade("validate", "mine.yaml") == (0, "mine.yaml: valid\n", "")
    status, _, err = cascade("init", "mine.yaml")
    assert status == 2
    assert "--force" in err
    assert Path("mine.yaml").read_text(encoding="utf-8") == first
    assert cascade("init", "mine.yaml", "--force", "--example", "startup-1k")[0] == 0


def test_validate_shows_the_problems_of_every_file(cascade) -> None:  # type: ignore[no-untyped-def]
    Path("one.yaml").write_text("name: 1\n", encoding="utf-8")
    Path("two.yaml").write_text("- 1\n", encoding="utf-8")
    status, out, err = cascade("validate", "one.yaml", "cascade", "two.yaml")
    assert (status, out) == (2, "cascade: valid\n")
    assert "one.yaml:1:1: users: required field is missing" in err
    assert "two.yaml:1:1: the document must be a mapping" in err


def test_validate_checks_every_environment_of_a_file(cascade) -> None:  # type: ignore[no-untyped-def]
    Path("both.yaml").write_text(
        "schema_version: 1\nname: shop\nusers: {peak: 900, average: 300}\n"
        "behaviour: {actions: {list: {weight: 1, request: GET /items}}}\n"
        "environments:\n  prod: {}\n  test: {users: {peak: many}}\n",
        encoding="utf-8",
    )
    status, out, err = cascade("validate", "both.yaml")
    assert (status, out) == (2, "both.yaml (prod): valid\n")
    assert err == "error: both.yaml:7:24: users.peak: must be a whole number, got 'many' (test)\n"


OFF = ("websocket", "cache", "database", "pool", "monitoring", "gateway", "network", "cluster")


@pytest.mark.parametrize("off", [("websocket", "cache"), *((name,) for name in OFF), OFF])
@pytest.mark.parametrize("form", ["table", "markdown", "json", "csv", "junit"])
def test_a_tier_that_is_off_is_spoken_of_nowhere(cascade, off: tuple[str, ...], form: str) -> None:  # type: ignore[no-untyped-def]
    flags = [word for name in off for word in ("--set", f"tiers.{name}=off")]
    command = ("report", "--relaxations", "none") if len(off) > 1 else ("size",)
    status, out, err = cascade(*command, *flags, "--format", form)
    assert (status, "bug" in err) == (0, False)
    if form == "json":
        assert not {*json.loads(out)["fleet"]["tiers"]} & {*off}
        names = [*json.loads(out)["derivations"], *(item["tier"] + "." for item in json.loads(out)["items"])]
        assert not [name for name in names if name.startswith(tuple(f"{each}." for each in off))]


def test_a_value_for_a_tier_that_is_off_is_a_mistake(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("size", "saas-300", "--set", "tiers.websocket.nodes=3")
    assert (status, out) == (2, "")
    assert err == (
        "error: --set tiers.websocket.nodes=3: tiers.websocket.nodes: tiers.websocket is off in this scenario; "
        "tiers.websocket={} turns it on\n"
    )


def test_a_trace_becomes_the_days_profile(cascade) -> None:  # type: ignore[no-untyped-def]
    rows = "\n".join(f"2026-11-{day:02} {hour:02}:00:00,{1 + hour}" for day in (1, 2) for hour in range(24))
    Path("day.csv").write_text(f"timestamp,value\n{rows}\n", encoding="utf-8")
    status, out, _ = cascade("size", "--set", "users.trace=" + str(Path("day.csv").resolve()), "--format", "json")
    hours = json.loads(out)["traffic"]["hourly_users"]
    assert status == 0
    assert hours == sorted(hours)
    Path("short.csv").write_text("timestamp,value\n2026-11-01 00:00:00,5\n", encoding="utf-8")
    status, _, err = cascade("size", "--set", "users.trace=" + str(Path("short.csv").resolve()))
    assert status == 2
    assert "a trace needs rows of two times" in err


def test_prices_show(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = cascade("prices", "show")
    assert status == 0
    for region in ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"):
        assert region in out
    assert "no price: rds aurora-storage aurora_io_optimized" in out
    assert re.search(
        r"ec2_on_demand +170 +2026-02-17 +2026-02-17 +280 ", cascade("prices", "show", "--as-of", "2026-11-24")[1]
    )
    assert "0.0816" in cascade("prices", "show", "--shape", "m7g.large", "--region", "us-east-1")[1]
    assert json.loads(cascade("prices", "show", "--format", "json")[1])["schema_version"] == 1
    assert cascade("prices", "show", "--shape", "m99.huge")[0] == 2


def test_emit_k8s_is_pure_yaml_of_one_hpa(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = cascade("emit-k8s")
    (hpa,) = yaml.safe_load_all(out)
    assert status == 0
    assert hpa["kind"] == "HorizontalPodAutoscaler"
    assert (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) == (10, 32)


def test_unknown_commands_formats_and_flags(cascade) -> None:  # type: ignore[no-untyped-def]
    for arguments, words in (
        (("siez",), "did you mean 'size'?"),
        (("size", "--format", "tabel"), "did you mean 'table'?"),
        (("size", "--formt", "json"), "--formt"),
        (("size", "casade"), "did you mean 'cascade'?"),
        (("emit-k8s", "--with", "deploymnt"), "did you mean 'deployment'?"),
        (("size", "--set", "users.peak"), "write KEY.PATH=VALUE"),
    ):
        status, out, err = cascade(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("error: ")
        assert words in err


def test_nothing_is_written_when_something_fails(cascade) -> None:  # type: ignore[no-untyped-def]
    Path("kept.md").write_text("old", encoding="utf-8")
    assert cascade("report", "--peak", "0", "-o", "kept.md")[0] == 2
    assert Path("kept.md").read_text(encoding="utf-8") == "old"
    status, _, err = cascade("report", "-o", "no/such/dir/report.md", "--relaxations", "none")
    assert status == 2
    assert err.splitlines()[-1].startswith("error: cannot write 'no/such/dir/report.md'")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(cascade, name: str) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade(name, "-h")
    assert (status, err) == (0, "")
    assert out.startswith(f"Usage: cascade-plan {name} ")


def program(*arguments: str, **extra: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cascade_plan", *arguments], capture_output=True, text=True, check=False, **extra
    )  # type: ignore[call-overload]


def test_a_bug_is_a_short_message_and_status_70() -> None:
    code = (
        "import sys, cascade_plan.planning.pipeline as p\n"
        "def broken(*a): raise ZeroDivisionError('boom')\n"
        "p.traffic_of = broken\n"
        "from cascade_plan.__main__ import main\nmain(['size', 'cascade'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert done.stderr.splitlines()[0] == "error: ZeroDivisionError: boom"
    assert "please report it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m cascade_plan report --relaxations none | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert "Traceback" not in done.stderr


def test_version_and_same_bytes() -> None:
    assert program("--version").stdout.startswith("cascade-plan 0.")
    assert program("report", "--relaxations", "none").stdout == program("report", "--relaxations", "none").stdout


def test_simulate_reports_draws_and_repeats(cascade) -> None:  # type: ignore[no-untyped-def]
    line = ("simulate", "--peak", "50000", "--avg", "12000", "--format", "json", "--chart", "day.svg")
    status, out, err = cascade(*line)
    assert (status, err) == (0, "wrote day.svg\n")
    replay = json.loads(out)
    assert [service["recommended"] in ("cpu", "requests") for service in replay["services"]] == [True]
    assert ElementTree.parse("day.svg").getroot().tag.endswith("svg")
    assert cascade(*line)[1] == out
    for wrong in (("--days", "0"), ("--runs", "0"), ("--policy", "none"), ("--trace", "none.csv"), ("--format", "x")):
        status, out, err = cascade("simulate", *wrong)
        assert (status, out) == (2, ""), wrong
        assert err.startswith("error: ")


def test_simulate_requests_one_by_one(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = cascade("simulate", "--requests", "2000")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["normal"] * 7 + ["peak"] * 7 + ["burst"] * 7


def test_method_slo_says_what_would_not_do(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, _ = cascade("explain", "api.node_count.base", "--method", "slo")
    assert status == 0
    assert "the rule's count = 3" in out
    assert "would not do: peak" in out
    status, _, err = cascade("size", "--method", "slo", "--set", "tiers.database.write_ms=50")
    assert status == 4
    assert "primary" in err


def test_a_value_set_by_a_flag_is_said_to_be_from_it_though_the_file_lacks_its_part(cascade) -> None:  # type: ignore[no-untyped-def]
    flag = "tiers.api.users_per_node=4000"
    _, out, _ = cascade("explain", "api.node_count.base", "--set", flag)
    (line,) = [line for line in out.splitlines() if "tiers.api.users_per_node" in line and "input" in line]
    assert "= 4,000" in line
    assert f"(--set {flag})" in line
    status, _, err = cascade("size", "--set", "tiers.api.shape=m5.lrge")
    assert status == 2
    assert err.startswith("error: --set tiers.api.shape=m5.lrge: ")
