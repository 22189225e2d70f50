"""The emitted monitoring in the hands of promtool and amtool: every file accepted, every rule shown to work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from factories import bundled_with, make_plan, make_scenario
from hypothesis import example, given, settings
from hypothesis import strategies as st
from monitoring_files import (
    Document,
    cascade,
    emitted,
    jobs,
    planned,
    ran,
    several,
    sharded,
    texts,
    undiscovered,
    without_tenants,
)
from prometheus_cases import (
    MINUTES,
    Alerted,
    Recorded,
    Series,
    alerts,
    healthy,
    job_alerts,
    job_recordings,
    named,
    observations,
    of_both,
    out_after_an_hour,
    recordings,
    service_recordings,
)

from cascade_plan.emitters._watches.burn_rates import BURN_RATES, BurnRate
from cascade_plan.emitters._watches.latency_goals import objectives
from cascade_plan.languages.promql import literal, select
from cascade_plan.model.plan import Plan

LINT = ("--lint=all", "--lint-fatal")
RULE_FILES = ("pod_rules.yml", "recording_rules.yml", "alerting_rules.yml")

# ---------------------------------------------------------------------------------------------------------------- check


@pytest.mark.parametrize("name", bundled_with("monitoring"))
def test_every_bundled_scenarios_files_are_accepted(name: str, tmp_path: Path) -> None:
    accepted(planned(name), tmp_path)


@pytest.mark.parametrize("made", [without_tenants, sharded, several], ids=["without tenants", "sharded", "several"])
def test_the_other_forms_are_accepted(made: Callable[[], Plan], tmp_path: Path) -> None:
    accepted(made(), tmp_path)


def accepted(made: Plan, directory: Path) -> None:
    paths = emitted(made, directory)
    servers = [path for name, path in paths.items() if name.startswith("prometheus") and name.endswith(".yml")]
    assert servers
    for path in servers:
        path.write_text(yaml.safe_dump(undiscovered(yaml.safe_load(path.read_text(encoding="utf-8")))))
        assert "SUCCESS" in ran("promtool", "check", "config", *LINT, path)
    assert "SUCCESS" in ran("promtool", "check", "rules", *LINT, *(paths[name] for name in RULE_FILES))
    assert "SUCCESS" in ran("amtool", "check-config", with_urls(paths["alertmanager.yml"]))


def with_urls(path: Path) -> Path:
    """Return Alertmanager's file with URLs for the files that have them: Debian's amtool is older than url_file."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for receiver in document["receivers"]:
        for webhook in receiver["webhook_configs"]:
            assert webhook.pop("url_file") == f"/etc/alertmanager-receivers/{receiver['name']}"
            webhook["url"] = f"https://alerts.example.com/{receiver['name']}"
    path.write_text(yaml.safe_dump(document))
    return path


def test_pages_go_to_the_pager_tickets_to_the_tickets_and_the_watchdog_outside(tmp_path: Path) -> None:
    path = with_urls(emitted(cascade(), tmp_path)["alertmanager.yml"])
    for labels, receiver in (
        ("severity=page", "pager"),
        ("severity=ticket", "tickets"),
        ("alertname=Watchdog severity=none", "watchdog"),
    ):
        found = ran("amtool", "config", "routes", "test", f"--config.file={path}", *labels.split())
        assert found == f"{receiver}\n"


# ----------------------------------------------------------------------------------------------------------- test rules


def rules(made: Plan) -> list[Document]:
    files = texts(made)
    groups = [group for name in RULE_FILES for group in yaml.safe_load(files[name])["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def expectation(found: tuple[Series, ...], minutes: int, expected: list[Document]) -> Document:
    series = [asdict(each) for each in found]
    asked = [{"eval_time": f"{minutes}m", **each} for each in expected]
    return {"interval": "1m", "input_series": series, "promql_expr_test": asked}


def firing(alert: str, labels: dict[str, str], count: int) -> Document:
    found = select("ALERTS", alertname=alert, alertstate="firing", **labels)
    return {"expr": f"count({found}) or vector(0)", "exp_samples": [{"labels": "{}", "value": count}]}


def alert_tests(alert: str, case: Alerted) -> Iterator[Document]:
    yield expectation(case.fires, case.minutes, [firing(alert, case.labels, 1)])
    for silent in case.silent:
        yield expectation(silent, case.minutes, [firing(alert, case.labels, 0)])


def run_tests(tests: list[Document], files: list[Path], directory: Path, every: str = "1m") -> None:
    path = directory / "tests.yml"
    document = {"rule_files": [str(file) for file in files], "evaluation_interval": every, "tests": tests}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    ran("promtool", "test", "rules", path)


def recording_tests(cases: Iterator[tuple[str, Recorded]]) -> list[Document]:
    return [
        expectation(
            case.given,
            20,
            [
                {
                    "expr": record,
                    "exp_samples": [
                        {"labels": record + where, "value": value} for where, value in case.expected.items()
                    ],
                }
            ],
        )
        for record, case in cases
    ]


def test_every_recorded_series_has_its_value(tmp_path: Path) -> None:
    paths = emitted(cascade(), tmp_path)
    run_tests(rounded(recording_tests(recordings("cascade"))), [paths[name] for name in RULE_FILES[:2]], tmp_path)


def test_every_recorded_series_of_jobs_has_its_value(tmp_path: Path) -> None:
    paths = emitted(jobs(), tmp_path)
    tests = recording_tests(job_recordings("api-batch"))
    run_tests(rounded(tests), [paths[name] for name in RULE_FILES[:2]], tmp_path)
    recorded = {rule["record"] for rule in rules(jobs()) if "record" in rule}
    tested = {record for record, _ in (*job_recordings("api-batch"), *recordings("api-batch"))}
    assert recorded <= tested


@pytest.mark.parametrize(("service", "other"), [("api", "search"), ("search", "api")])
def test_every_recorded_series_of_one_of_several_services_has_its_value(
    service: str, other: str, tmp_path: Path
) -> None:
    paths = emitted(several(), tmp_path)
    tests = recording_tests(service_recordings("cascade", service, other))
    run_tests(rounded(tests), [paths[name] for name in RULE_FILES[:2]], tmp_path)


def rounded(tests: list[Document]) -> list[Document]:
    """Return the tests with both sides rounded to a millionth: promtool compares floats bit by bit."""
    for each in tests:
        for asked in each["promql_expr_test"]:
            asked["expr"] = f"round({asked['expr']}, 0.000001)"
            for sample in asked["exp_samples"]:
                sample["labels"] = "{" + sample["labels"].partition("{")[2]
                sample["value"] = round(sample["value"], 6)
    return tests


def test_everything_that_a_calibration_asks_has_its_value_in_one_query(tmp_path: Path) -> None:
    given, expected = observations("cascade")
    actions = {"list_workrooms", "create_message"}
    samples = [
        {"labels": f'{{measure="{label}"' + (f',action="{name}"}}' if name in actions else "}"), "value": value}
        for label, value in expected.items()
        for name in (label.partition(":")[2],)
    ]
    query = texts(cascade())["calibration.promql"]
    asked = {"eval_time": "20m", "expr": f"round(\n{query}, 0.000001)", "exp_samples": samples}
    test = {"interval": "1m", "input_series": [asdict(each) for each in given], "promql_expr_test": [asked]}
    run_tests([test], [emitted(cascade(), tmp_path)["recording_rules.yml"]], tmp_path)
    observed = [each for watch in cascade().watches for each in watch.observed]
    assert {each.measure.what for each in observed} == {label.partition(":")[0] for label in expected}


@pytest.mark.parametrize("made", [cascade, several, jobs], ids=["cascade", "several", "jobs"])
def test_the_query_of_a_calibration_is_accepted_and_names_each_measure_once(
    made: Callable[[], Plan], tmp_path: Path
) -> None:
    query = texts(made())["calibration.promql"]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "query", "rules": [{"record": "all:of:it", "expr": query}]}]}))
    ran("promtool", "check", "rules", path)
    observed = [each for watch in made().watches for each in watch.observed]
    assert len({each.query for each in observed}) == len({each.measure for each in observed}) == len(observed)
    assert {each.measure.subject for each in observed if each.measure.subject} <= made().fleet.tiers.keys()


def test_every_alert_fires_and_stays_silent(tmp_path: Path) -> None:
    paths = emitted(cascade(), tmp_path)
    tests = [each for alert, case in alerts(cascade()) for each in alert_tests(alert, case)]
    run_tests(tests, [paths[name] for name in RULE_FILES], tmp_path)


def test_every_alert_of_a_plan_without_tenants_fires_and_stays_silent(tmp_path: Path) -> None:
    paths = emitted(without_tenants(), tmp_path)
    tested = {alert for alert, _ in alerts(cascade())}
    others = [(alert, case) for alert, case in alerts(without_tenants()) if alert not in tested]
    assert [alert for alert, _ in others] == ["QuerySeriesOverBudget", "TenantSeriesDropped"]
    tests = [each for alert, case in others for each in alert_tests(alert, case)]
    run_tests(tests, [paths[name] for name in RULE_FILES], tmp_path)


def test_every_alert_on_jobs_fires_and_stays_silent(tmp_path: Path) -> None:
    paths = emitted(jobs(), tmp_path)
    tests = [each for alert, case in job_alerts(jobs()) for each in alert_tests(alert, case)]
    run_tests(tests, [paths[name] for name in RULE_FILES], tmp_path)
    tested = {alert for alert, _ in (*job_alerts(jobs()), *alerts(cascade()), *alerts(without_tenants()))}
    assert {rule["alert"] for rule in rules(jobs()) if "alert" in rule} - tested == {"LatencyBudgetBurning"}


def test_an_alert_on_one_instance_is_silent_about_another(tmp_path: Path) -> None:
    paths = emitted(several(), tmp_path)
    tests = [each for alert, case in of_both(several()) for each in alert_tests(alert, case)]
    run_tests(tests, [paths[name] for name in RULE_FILES], tmp_path)


def test_an_alert_says_what_it_measured_and_of_what(tmp_path: Path) -> None:
    paths = emitted(cascade(), tmp_path)
    lag = Series(named("pg_replication_lag_seconds", namespace="cascade", pod="pg-exporter-1"), f"90x{MINUTES}")
    rule = next(rule for rule in rules(cascade()) if rule.get("alert") == "ReplicaLags")
    annotations = {
        **rule["annotations"],
        "description": "pg-exporter-1 sees a replica 1m 30s behind: users miss what they have just written.",
    }
    labels = {"namespace": "cascade", "pod": "pg-exporter-1", "severity": "ticket", "subject": "database"}
    raised = [{"exp_labels": labels, "exp_annotations": annotations}]
    document = {
        "interval": "1m",
        "input_series": [asdict(lag)],
        "alert_rule_test": [{"eval_time": "20m", "alertname": "ReplicaLags", "exp_alerts": raised}],
    }
    run_tests([document], [paths["alerting_rules.yml"]], tmp_path)


def test_an_outage_pages_whatever_of_the_system_is_still_there(tmp_path: Path) -> None:
    """An hour in which all is well raises nothing but the watchdog; in the hour in which nothing answers there is a
    page at any time, and where Prometheus finds nothing at all."""
    paths = emitted(cascade(), tmp_path)

    def raised(minutes: int, where: str, by: str, *samples: Document) -> Document:
        return {"eval_time": f"{minutes}m", "expr": f"count by ({by}) (ALERTS{{{where}}})", "exp_samples": [*samples]}

    def paged(minutes: int) -> Document:
        expr = 'count(ALERTS{alertstate="firing",severity="page"}) >= bool 1'
        return {"eval_time": f"{minutes}m", "expr": expr, "exp_samples": [{"labels": "{}", "value": 1}]}

    watchdog = {"labels": '{alertname="Watchdog"}', "value": 1}
    well = [raised(minutes, 'alertstate="firing"', "alertname", watchdog) for minutes in (30, 60, 119)]
    out = [raised(59, 'alertstate="firing"', "alertname", watchdog), *map(paged, (63, 70, 90, 119))]
    both = {"eval_time": "70m", "exp_samples": [{"labels": "{}", "value": 2}],
            "expr": 'count(count by (alertname) (ALERTS{alertname=~"WorkloadDown|RequestsVanished"}))'}  # fmt: skip
    tests = [
        {"interval": "1m", "input_series": [asdict(each) for each in series], "promql_expr_test": asked}
        for series, asked in (
            (healthy(cascade()), well),
            (out_after_an_hour(cascade()), [*out, both]),
            ((Series("nothing_of_it", "1x60"),), [paged(10)]),
        )
    ]
    run_tests(tests, [paths[name] for name in RULE_FILES], tmp_path)


def test_no_rule_lacks_a_test() -> None:
    for made in (cascade(), without_tenants()):
        recorded = {rule["record"] for rule in rules(made) if "record" in rule}
        assert recorded == {record for record, _ in recordings("cascade")}
    alerting = [rule for made in (cascade(), without_tenants()) for rule in rules(made) if "alert" in rule]
    cases = [(alert, case.labels) for made in (cascade(), without_tenants()) for alert, case in alerts(made)]
    burning = 0
    for rule in alerting:
        if rule["alert"] == "LatencyBudgetBurning":
            burning += 1
        else:
            assert any(
                alert == rule["alert"] and labels.items() <= rule["labels"].items() for alert, labels in cases
            ), rule["alert"]
    assert burning == 2 * len(objectives(cascade())) * len(BURN_RATES) == 16


# ----------------------------------------------------------------------------------------------------------- burn rates

STEP_S = 150
SECONDS = {"m": 60, "h": 3600, "d": 86_400}


def steps(window: str) -> int:
    return int(window[:-1]) * SECONDS[window[-1]] // STEP_S


def grown(parts: list[tuple[float, int]]) -> str:
    """Return a counter that grows by each rate a step for so many steps."""
    value, texts = 0.0, []
    for rate, count in parts:
        texts.append(f"{value:.12g}+{rate:.12g}x{count - 1}")
        value += rate * count
    return " ".join([*texts, f"{value:.12g}"])


def traffic(made: Plan, parts: list[tuple[float, int]]) -> list[Document]:
    """Return a hundred requests a step; in each part as many are over a goal's limit as spend its budget so fast."""
    labels = {"namespace": made.application, "pod": "api-1", "outcome": "ok"}
    metric = "cascade_request_duration_seconds"
    series = [Series(named(f"{metric}_count", **labels), grown([(100, sum(count for _, count in parts))]))]
    for goal in objectives(made):
        within = [(100 * (1 - min(1, burn * goal.budget)), count) for burn, count in parts]
        series.append(Series(named(f"{metric}_bucket", **labels, le=f"{goal.limit_s}"), grown(within)))
    return [asdict(each) for each in series]


def burn_tests(made: Plan, burn: BurnRate) -> Iterator[Document]:
    long, short, five = steps(burn.long), steps(burn.short), steps("5m")
    all_of_it = 1e9
    cases: list[tuple[list[tuple[float, int]], int]] = [
        ([(burn.factor * 1.1, long + 4)], 1),
        ([(burn.factor * 0.9, long + 4)], 0),
        # The long window is over, and it is past; the short one is over, and it is not for long.
        ([(all_of_it, long), (0, short + five + 1)], 0),
        ([(0, long), (2 * burn.factor, short)], 0),
    ]
    for parts, count in cases:
        labels = {"burn_rate": f"{burn.factor:g}"}
        ended = f"{sum(each for _, each in parts) * STEP_S}s"
        asked = [
            {**firing("LatencyBudgetBurning", {**labels, "objective": f"p{goal.percent}"}, count), "eval_time": ended}
            for goal in objectives(made)
        ]
        yield {"interval": f"{STEP_S}s", "input_series": traffic(made, parts), "promql_expr_test": asked}


def needed(rule: Document, burn: BurnRate) -> bool:
    """Return whether a rule is one that the alerts of a burn rate rest on: all rules over three days take a minute."""
    windows = {f"namespace:cascade_slow_requests:ratio_rate{window}" for window in (burn.long, burn.short)}
    rates = {"namespace:cascade_requests:rate5m", "namespace:cascade_slow_requests:rate5m"}
    return rule.get("record") in windows | rates or rule.get("labels", {}).get("burn_rate") == f"{burn.factor:g}"


@pytest.mark.parametrize("burn", BURN_RATES, ids=lambda burn: f"{burn.factor:g}")
def test_a_burn_rate_fires_only_while_both_windows_show_it(burn: BurnRate, tmp_path: Path) -> None:
    kept = [rule for rule in rules(cascade()) if needed(rule, burn)]
    assert len(kept) == 1 + 3 + 2 + len(objectives(cascade()))
    subset = tmp_path / "subset.yml"
    subset.write_text(yaml.safe_dump({"groups": [{"name": "needed", "rules": kept}]}))
    run_tests(list(burn_tests(cascade(), burn)), [subset], tmp_path, every=f"{STEP_S}s")


# -------------------------------------------------------------------------------------------------------------- hostile

HOSTILE = st.text(st.sampled_from(list("ab\"'\\\n;$`{}[]()|*+?.^<>%#&=~ é漢\u2028𝒳")), min_size=1, max_size=20)


@example("~")
@example("null")
@settings(max_examples=15)
@given(HOSTILE)
def test_hostile_texts_come_back_intact(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """A name the schema would refuse stays one value in the rules, the configuration and Alertmanager's file."""
    directory = tmp_path_factory.mktemp("hostile")
    made = make_plan(make_scenario().model_copy(update={"application": name}))
    paths = emitted(made, directory)
    ran("promtool", "check", "rules", *(paths[each] for each in RULE_FILES))
    document = undiscovered(yaml.safe_load(paths["prometheus.yml"].read_text(encoding="utf-8")))
    assert document["global"]["external_labels"]["application"] == name
    paths["prometheus.yml"].write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    ran("promtool", "check", "config", "--syntax-only", paths["prometheus.yml"])
    up = {"series": f'up{{namespace={literal(name)},job={literal(name + "-redis")},pod="p"}}', "values": "0x10"}
    labels = {"alertname": "TargetDown", "namespace": name, "job": f"{name}-redis"}
    asked = {
        "expr": f"count({select('ALERTS', **labels)})",
        "eval_time": "9m",
        "exp_samples": [{"labels": "{}", "value": 1}],
    }
    run_tests(
        [{"interval": "1m", "input_series": [up], "promql_expr_test": [asked]}],
        [paths["alerting_rules.yml"]],
        directory,
    )


TIERS = ("cluster", "api", "websocket", "database", "pool", "cache", "gateway", "network")


@settings(max_examples=15)
@given(
    st.integers(1, 500_000),
    st.sets(st.sampled_from(TIERS)),
    st.sampled_from((0.001, 0.2, 1.0, 35.7, 1000.0, 86_400_000.0)),
    st.booleans(),
    st.floats(1, 75),
)
def test_any_scenario_of_the_schema_is_accepted(
    tmp_path_factory: pytest.TempPathFactory,
    peak: int,
    off: set[str],
    limit_ms: float,
    by_tenant: bool,
    interval_s: float,
) -> None:
    """Whatever is off, and wherever the limits are."""
    load = {"users": 7, "spawn_rate_per_s": 1.0, "duration_s": 60.0, "latency_ms_p95": limit_ms}
    gates = {
        "latency_ms_p95.normal": ["< 0", "> 200", "== 35.70"],
        "latency_ms_p50.n_2": ["<= 99999999999999999999"],
        "cache.hit_ratio": ["> 0.9", ">= 0.95"],
        "pool.connection_count_per_10000_users": ["<= 100"],
        "api.node_count.base": ["< 5"],
    }
    made = make_plan(
        **{f"tiers.{tier}": "off" for tier in off},
        **{"users.peak": peak, "users.average": max(1, peak // 3), "loads": {"normal": load, "n_2": load}},
        **{"gates": gates, "tiers.monitoring": {"label_by_tenant": by_tenant, "scrape_interval_s": interval_s}},
    )
    accepted(made, tmp_path_factory.mktemp("drawn"))
