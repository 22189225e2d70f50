"""A calibration takes the place of what a scenario says, is beaten by what a person says now, and names itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import ScenarioError
from cascade_plan.files.assignments import Assignment
from cascade_plan.inputs.scenarios import read, read_scenario
from cascade_plan.model.calibration import plain
from cascade_plan.model.plan import from_json
from cascade_plan.model.scenario import value_at

Result = tuple[int, str, str]
Cascade = Callable[..., Result]
CPU = "behaviour.actions.create_message.cpu_ms"
HITS = "tiers.cache.hit_ratio"
FILE = """\
calibration_version: 1
scenario: cascade
values:
  behaviour.actions.create_message.cpu_ms: {value: 2.5, low: 2.4, high: 2.6, method: "utilisation law, 3 loads"}
  tiers.cache.hit_ratio: {value: 0.93, method: hits over lookups}
"""
SCENARIO = """\
schema_version: 1
name: mine
users: {peak: 100, average: 50}
behaviour:
  actions:
    create_message: {weight: 1, request: POST /messages, cpu_ms: 7}
tiers: {cluster: {}, api: {}, database: {}, cache: {hit_ratio: 0.5}}
calibration: calibration.yaml
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Write a scenario with its calibration beside it, in a directory of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "calibration.yaml").write_text(FILE, encoding="utf-8")
    (folder / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    return folder / "mine.yaml"


def value(scenario: Path, path: str, *assignments: tuple[str, str, str]) -> tuple[float, str]:
    read_of, origins = read_scenario(str(scenario), [Assignment(*each) for each in assignments])
    return value_at(read_of, path), origins.get(path, "")


def test_a_calibrated_value_takes_the_place_of_the_scenarios_and_of_a_default(scenario: Path) -> None:
    found, origin = value(scenario, CPU)
    assert found == 2.5
    assert origin == f"calibrated: {scenario.parent}/calibration.yaml:4, utilisation law, 3 loads, 2.4 to 2.6"
    assert value(scenario, HITS) == (
        0.93,
        f"calibrated: {scenario.parent}/calibration.yaml:5, hits over lookups",
    )


def test_what_it_does_not_give_is_the_scenarios_own(scenario: Path) -> None:
    assert value(scenario, "users.peak") == (100, f"{scenario}:3")


def test_a_flag_is_laid_over_it(scenario: Path) -> None:
    typed = ("--set x", HITS, "0.7")
    assert value(scenario, HITS, typed) == (0.7, "--set x")
    assert value(scenario, CPU, typed)[0] == 2.5


def test_the_scenario_holds_what_it_was_given(scenario: Path) -> None:
    held = read_scenario(str(scenario))[0].calibration
    assert isinstance(held, dict)
    assert (held[CPU].value, held[CPU].low, held[CPU].high) == (2.5, 2.4, 2.6)
    assert held[CPU].origin == f"{scenario.parent}/calibration.yaml:4"
    assert held[HITS].low is None


def test_an_assignment_names_another_one_or_none(scenario: Path) -> None:
    (scenario.parent / "other.yaml").write_text(FILE.replace("2.5", "3.5"), encoding="utf-8")
    assert value(scenario, CPU, ("--set", "calibration", "other.yaml"))[0] == 3.5
    assert value(scenario, CPU, ("--set", "calibration", "null")) == (7, f"{scenario}:6")


def test_an_environment_has_its_own(scenario: Path) -> None:
    (scenario.parent / "prod.yaml").write_text(FILE.replace("2.5", "4.5"), encoding="utf-8")
    environments = "environments:\n  staging: {}\n  prod: {calibration: prod.yaml, tiers: {cache: {hit_ratio: 0.6}}}\n"
    scenario.write_text(SCENARIO + environments, encoding="utf-8")
    found = {env: value_at(read_scenario(str(scenario), env=env)[0], CPU) for env in ("staging", "prod")}
    assert found == {"staging": 2.5, "prod": 4.5}
    assert value_at(read_scenario(str(scenario), env="prod")[0], HITS) == 0.93


def test_standard_tiers_stay_where_the_scenario_names_none(scenario: Path) -> None:
    lines = [line for line in SCENARIO.splitlines() if not line.startswith("tiers")]
    scenario.write_text("\n".join(lines), encoding="utf-8")
    tiers = read_scenario(str(scenario))[0].tiers
    assert {"network", "gateway", "cache"} <= {*tiers}
    assert getattr(tiers["cache"], "hit_ratio") == 0.93  # noqa: B009


@given(st.floats(0.001, 1e6), st.floats(0, 1))
def test_any_number_arrives_as_it_was_written(cpu_ms: float, hit_ratio: float) -> None:
    from tempfile import TemporaryDirectory

    lines = (
        f"  {path}: {{value: {plain(number)}, method: m}}\n" for path, number in ((CPU, cpu_ms), (HITS, hit_ratio))
    )
    with TemporaryDirectory() as folder:
        text = f"calibration_version: 1\nscenario: mine\nvalues:\n{''.join(lines)}"
        (Path(folder) / "calibration.yaml").write_text(text, encoding="utf-8")
        (Path(folder) / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
        found = read_scenario(f"{folder}/mine.yaml")[0]
    assert value_at(found, CPU) == pytest.approx(cpu_ms, abs=1e-12)
    assert value_at(found, HITS) == pytest.approx(hit_ratio, abs=1e-12)


def changed(scenario: Path, old: str, new: str) -> list[str]:
    """Return the messages after a change of the calibration, without the directory."""
    assert old in FILE
    (scenario.parent / "calibration.yaml").write_text(FILE.replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError) as raised:
        read_scenario(str(scenario))
    return [str(problem).replace(f"{scenario.parent}/", "") for problem in raised.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hit_ratio: {value: 0.93", "hit_ratio: {value: 1.2", "calibration.yaml:5:34: tiers.cache.hit_ratio: must be "
         "at most 1, got 1.2"),
        ("cpu_ms: {value: 2.5", "cpu_ms: {value: fast", "calibration.yaml:4:52: "
         'values."behaviour.actions.create_message.cpu_ms".value: must be a whole number or a number, got \'fast\''),
        ("create_message", "create_mesage", 'calibration.yaml:4:3: values."behaviour.actions.create_mesage.cpu_ms": '
         "the scenario has no action 'create_mesage', only create_message; did you mean 'create_message'?"),
        ("tiers.cache", "tiers.cash", 'calibration.yaml:5:3: values."tiers.cash.hit_ratio": the scenario has no tier '
         "'cash', only cluster, api, database, cache; did you mean 'cache'?"),
        ("tiers.cache.hit_ratio", "users.peak", 'calibration.yaml:5:3: values."users.peak": a calibration gives values '
         "of behaviour and tiers alone"),
        ("scenario: cascade\n", "", "calibration.yaml:1:1: scenario: required field is missing"),
        ("calibration_version: 1", "calibration_version: 2", "calibration.yaml:1:22: calibration_version: must be 1, "
         "got 2"),
        (FILE, "", "calibration.yaml:1:1: the document is empty"),
    ],
)  # fmt: skip
def test_a_mistake_in_it_is_named_where_it_stands(scenario: Path, old: str, new: str, message: str) -> None:
    assert changed(scenario, old, new) == [message]


def test_an_unknown_field_is_named_with_what_is_allowed(scenario: Path) -> None:
    (message,) = changed(scenario, "hit_ratio", "hit_rati")
    assert message.startswith("calibration.yaml:5:33: tiers.cache.hit_rati: unknown field; did you mean 'hit_ratio'?")


def test_mistakes_of_values_and_of_paths_are_told_together(scenario: Path) -> None:
    messages = changed(scenario, "create_message.cpu_ms: {value: 2.5", "create_mesage.cpu_ms: {value: fast")
    assert [message.partition(": ")[0] for message in messages] == ["calibration.yaml:4:3", "calibration.yaml:4:51"]


def test_mistakes_of_scenario_and_calibration_are_told_together(scenario: Path) -> None:
    scenario.write_text(SCENARIO.replace("weight: 1", "weight: none"), encoding="utf-8")
    messages = changed(scenario, "hit_ratio: {value: 0.93", "hit_ratio: {value: 1.2")
    assert [message.split(": ")[1] for message in messages] == [
        "tiers.cache.hit_ratio",
        "behaviour.actions.create_message.weight",
    ]


def test_the_command_line_takes_it_from_flag_environment_and_project(  # type: ignore[no-untyped-def]
    cascade: Cascade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file.yaml").write_text(FILE, encoding="utf-8")
    for number in ("3.5", "4.5"):
        (tmp_path / f"{number}.yaml").write_text(FILE.replace("2.5", number), encoding="utf-8")

    def shown(*more: str) -> str:
        status, out, err = cascade("explain", CPU, "cascade", *more)
        assert (status, "in place of the scenario's" in err) == (0, True)
        return out.splitlines()[0]

    (tmp_path / ".cascade-plan.yaml").write_text("calibration: file.yaml\n", encoding="utf-8")
    assert shown() == f"{CPU} = 2.5 milliseconds"
    monkeypatch.setenv("CASCADE_PLAN_CALIBRATION", "3.5.yaml")
    assert shown() == f"{CPU} = 3.5 milliseconds"
    assert shown("--calibration", "4.5.yaml") == f"{CPU} = 4.5 milliseconds"
    assert shown("--set", f"{CPU}=6") == f"{CPU} = 6 milliseconds"


def test_a_file_that_is_not_there_is_said_of_what_names_it(cascade: Cascade, tmp_path: Path) -> None:
    message = "error: --calibration no.yaml: calibration: cannot read 'no.yaml': no such file or directory\n"
    assert cascade("size", "cascade", "--calibration", "no.yaml") == (2, "", message)
    (tmp_path / ".cascade-plan.yaml").write_text("calibration: no.yaml\n", encoding="utf-8")
    message = "error: .cascade-plan.yaml:1:14: calibration: no such file: no.yaml\n"
    assert cascade("size", "cascade") == (2, "", message)


def test_explain_and_the_report_name_it(cascade: Cascade, scenario: Path) -> None:
    origin = "calibrated: here/calibration.yaml:5, hits over lookups"
    assert f"given    {origin}" in cascade("explain", HITS, "here/mine.yaml")[1]
    assert origin in cascade("explain", "database.queries_per_s_peak", "here/mine.yaml")[1]
    assert "calibration = here/calibration.yaml" in cascade("explain", "calibration", "here/mine.yaml")[1]


def test_a_saved_plan_holds_the_values_and_reads_back(cascade: Cascade, scenario: Path) -> None:
    out = cascade("size", "here/mine.yaml", "--format", "json")[1]
    held = json.loads(out)["scenario"]["calibration"]
    assert held[CPU]["value"] == 2.5
    assert from_json(out).scenario == read("here/mine.yaml").scenario
