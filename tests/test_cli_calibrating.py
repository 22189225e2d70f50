"""calibrate from files on disk: directories of results and metrics in, a report and a file out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from drawn_runs import LOADS, REAL, drawn, true_scenario
from numpy.random import default_rng
from prometheus_server import Server, matrix, serving, success
from runs import HISTORY, PERCENT, STATS, locust_row

from cascade_plan.cli.output import Talk, arguments
from cascade_plan.evidence.steady import Run

Cascade = Callable[..., tuple[int, str, str]]
FLEET = ("--pods", str(REAL.pods["api"]), "--cores", "api=2", "--database-vcpu", "2")


@pytest.fixture
def runs(tmp_path: Path) -> tuple[str, ...]:
    """Write a scenario, and a directory for each of three loads with what Locust and the monitoring left."""
    scenario = true_scenario().model_dump(mode="json", exclude_unset=True)
    scenario["behaviour"]["actions"]["read"]["cpu_ms"] = scenario["behaviour"]["actions"]["write"]["cpu_ms"] = 1.0
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    rng = default_rng(21)
    for load in LOADS:
        written(tmp_path / "runs" / load, drawn(rng, load))
    return tuple(f"runs/{load}" for load in LOADS)


def written(folder: Path, run: Run) -> None:
    """Write a run as users have it: Locust's --csv files, and a table of series."""
    folder.mkdir(parents=True)
    told = run.measurement
    assert told is not None
    p50, p95, p99 = (told.percentiles[name].latency_ms for name in ("p50", "p95", "p99"))
    row = {"rate": told.requests_per_s or 0, "mean": told.latency_ms_mean or 0, "p50": p50, "p95": p95, "p99": p99}
    count = round(row["rate"] * (len(run.metrics.starts_s) + 10))
    stats = STATS + locust_row(requests=count, **row) + locust_row("Aggregated", method="", requests=count, **row)
    (folder / "run_stats.csv").write_text(stats, encoding="utf-8")
    first, rest = int(run.metrics.starts_s[0]) - 10, ",".join(["0"] * len(PERCENT))
    seconds = range(len(run.metrics.starts_s) + 11)
    history = "".join(
        f"{first + second},{run.user_count},,Aggregated,1,0,{rest},{round(second * row['rate'])},0,1,1,1,1,1\n"
        for second in seconds
    )
    (folder / "run_stats_history.csv").write_text(HISTORY + history, encoding="utf-8")
    series = run.metrics.series
    names = ["time", *(f"{measure.what}:{measure.subject}" for measure in series)]
    lines = [",".join(map(str, window)) for window in zip(run.metrics.starts_s, *series.values(), strict=True)]
    (folder / "metrics.csv").write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")
    (folder / "notes.txt").write_text("taken on a Tuesday\n", encoding="utf-8")


def test_a_calibration_is_written_and_planned_with(cascade: Cascade, runs: tuple[str, ...]) -> None:
    status, out, err = cascade("calibrate", *runs, "--scenario", "mine.yaml", *FLEET, "-o", "calibration.yaml")
    assert status == 0, err
    assert out.startswith("test: ")
    assert "values from 3 runs; predictions can be trusted to 8" in out
    assert "wrote calibration.yaml; next: cascade-plan size 'mine.yaml' --calibration 'calibration.yaml'" in err
    held = yaml.safe_load(Path("calibration.yaml").read_text(encoding="utf-8"))
    path = "behaviour.actions.read.cpu_ms"
    assert held["values"][path]["value"] == pytest.approx(3.15, rel=0.03)
    assert held["values"][path]["low"] < 3.15 < held["values"][path]["high"]
    assert [each["load"] for each in held["runs"]] == [*LOADS]
    assert held["runs"][0]["sources"] == ["runs/low/run_stats.csv", "runs/low/metrics.csv"]
    status, out, err = cascade("explain", path, "mine.yaml", "--calibration", "calibration.yaml")
    assert (status, "given    calibrated: calibration.yaml:" in out) == (0, True)


def test_stdout_has_the_file_alone_where_it_is_asked_for(cascade: Cascade, runs: tuple[str, ...]) -> None:
    status, out, err = cascade("calibrate", *runs[:1], "--scenario", "mine.yaml", *FLEET, "-o", "-")
    assert status == 0, err
    assert yaml.safe_load(out)["scenario"] == "test"
    assert out.splitlines()[2].startswith("# Written by: cascade-plan calibrate runs/low --scenario mine.yaml")


def test_the_file_says_how_it_came_to_be_without_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Talk, "arguments", ("calibrate", "a b", "--prometheus", "http://me:s3cr3t@prom:9090/x"))
    assert arguments() == "cascade-plan calibrate 'a b' --prometheus http://prom:9090/x"


def test_without_a_file_nothing_is_written(cascade: Cascade, runs: tuple[str, ...], tmp_path: Path) -> None:
    status, out, err = cascade("calibrate", *runs[:2], "--scenario", "mine.yaml", *FLEET, "--format", "json")
    assert status == 0, err
    assert {*json.loads(out)} >= {"values", "left", "trials", "demands", "findings", "before"}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine.yaml", "runs"]


def test_metrics_of_all_runs_may_stand_in_one_file(cascade: Cascade, runs: tuple[str, ...], tmp_path: Path) -> None:
    """Here all three runs are of the same time, so that the last one's metrics are everybody's."""
    whole = (tmp_path / "runs/high/metrics.csv").read_text(encoding="utf-8")
    for load in LOADS:
        (tmp_path / f"runs/{load}/metrics.csv").unlink()
    (tmp_path / "all.csv").write_text(whole, encoding="utf-8")
    status, out, err = cascade(
        "calibrate", "runs/high/run", "--scenario", "mine.yaml", *FLEET, "--metrics", "all.csv", "--format", "json"
    )
    assert status == 0, err
    assert json.loads(out)["demands"][0]["cpu_ms"] == pytest.approx(3.15, rel=0.03)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("nowhere",), "error: no results at 'nowhere': give "),
        (("runs/low", "--pods", "api=0"), "error: --pods api=0: must be a number above 0, got '0'"),
        (("runs/low", "--cores", "search=2"), "error: --cores search=2: the scenario has api"),
        (("runs/low", "--format", "yaml"), "error: no format 'yaml' for calibrations: known are json, markdown, table"),
        (("runs/low/run_stats.csv",), "error: no metrics in runs/low/run_stats.csv: response times alone do not tell"),
        ((), "error: Missing argument 'RUNS'."),
    ],
)
def test_what_cannot_be_used_is_said(
    cascade: Cascade, runs: tuple[str, ...], line: tuple[str, ...], message: str
) -> None:
    status, out, err = cascade("calibrate", *line, "--scenario", "mine.yaml", "-o", "calibration.yaml")
    assert status == 2
    assert message in err + out
    assert not Path("calibration.yaml").exists()


def test_a_file_of_another_scenario_is_not_written_over(cascade: Cascade, runs: tuple[str, ...]) -> None:
    other = "calibration_version: 1\nscenario: other\nvalues: {}\n"
    Path("calibration.yaml").write_text(other, encoding="utf-8")
    status, _, err = cascade("calibrate", *runs[:1], "--scenario", "mine.yaml", *FLEET, "-o", "calibration.yaml")
    assert status == 2
    assert "calibration.yaml is the calibration of other, not of test: choose another name" in err
    assert Path("calibration.yaml").read_text(encoding="utf-8") == other


# ---------------------------------------------------------------------------------------------------------- Prometheus


@pytest.fixture
def watched(runs: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Serve the metrics of the runs' directories as a Prometheus would, one load after the other, in place of files."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    scenario = yaml.safe_load((tmp_path / "mine.yaml").read_text(encoding="utf-8"))
    scenario["tiers"]["monitoring"] = {"scrape_interval_s": 1}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    series: dict[str, dict[int, str]] = {}
    for load, run in enumerate(runs):
        moved_s = 1000 * load
        table = (tmp_path / run / "metrics.csv").read_text(encoding="utf-8").splitlines()
        header, *rows = (line.split(",") for line in table)
        for row in rows:
            for name, value in zip(header[1:], row[1:], strict=True):
                # A rate at t is of the seconds that end there.
                series.setdefault(name, {})[int(float(row[0])) + moved_s + 1] = value
        (tmp_path / run / "metrics.csv").unlink()
        history = tmp_path / run / "run_stats_history.csv"
        lines = history.read_text(encoding="utf-8").splitlines()
        later = [line.split(",", 1) for line in lines[1:]]
        moved = [f"{int(at) + moved_s},{rest}" for at, rest in later]
        history.write_text("\n".join([lines[0], *moved]) + "\n", encoding="utf-8")

    def answer(asked: Mapping[str, str]) -> tuple[int, str]:
        found = []
        for name, values in series.items():
            what = name.partition(":")[0]
            is_asked = f'"{name}"' in asked["query"] or f'"{what}:$1"' in asked["query"]
            if is_asked:
                found.append(matrix(asked, lambda time, values=values: values.get(round(time)), measure=name))
        return success(*(each for each in found if each["values"]))

    with serving(answer) as server:
        yield server


def test_prometheus_itself_is_asked_for_the_time_of_the_runs(
    cascade: Cascade, runs: tuple[str, ...], watched: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASCADE_PLAN_PROMETHEUS_TOKEN", "secret")
    asked = ("--prometheus", watched.url, "--step", "1")
    status, out, err = cascade("calibrate", *runs, "--scenario", "mine.yaml", *FLEET, *asked, "-o", "calibration.yaml")
    assert status == 0, err
    assert "values from 3 runs" in out
    assert {each["Authorization"] for each in watched.headers} == {"Bearer secret"}
    held = yaml.safe_load(Path("calibration.yaml").read_text(encoding="utf-8"))
    assert held["values"]["behaviour.actions.read.cpu_ms"]["value"] == pytest.approx(3.15, rel=0.03)
    assert held["values"]["tiers.cache.hit_ratio"]["value"] == pytest.approx(0.75, rel=0.03)
    assert held["runs"][0]["sources"] == ["runs/low/run_stats.csv", watched.url]
    assert "secret" not in out + err + Path("calibration.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        (("--from", "5", "--step", "1"), 2, "--from and --step without --prometheus URL: files hold the time"),
        (("--prometheus", "{url}", "--from", "monday"), 2, "--from 'monday' is no time: give seconds since 1970"),
        (("--prometheus", "{url}", "--from", "2000", "--to", "1000"), 2, "are no two windows of 4 s"),
        (("--prometheus", "localhost"), 2, "--prometheus takes the address of a Prometheus"),
        (("--prometheus", "http://127.0.0.1:9"), 5, "nothing listens there: is Prometheus's port forwarded?"),
    ],
)
def test_what_cannot_be_asked_is_said(
    cascade: Cascade, runs: tuple[str, ...], watched: Server, flags: tuple[str, ...], status: int, message: str
) -> None:
    given = [flag.format(url=watched.url) for flag in flags]
    found, out, err = cascade("calibrate", *runs, "--scenario", "mine.yaml", *FLEET, *given)
    assert (found, out) == (status, "")
    assert message in err


def test_a_scenario_without_monitoring_does_not_say_what_metrics_are_called(
    cascade: Cascade, runs: tuple[str, ...]
) -> None:
    asked = ("--set", "tiers.monitoring=off", "--prometheus", "http://127.0.0.1:9")
    found, _, err = cascade("calibrate", *runs, "--scenario", "mine.yaml", *asked)
    assert found == 2
    assert "no tier of kind monitoring, so that nothing says what the metrics are called" in err
