"""A gate that names no figure is a mistake of the scenario, wherever it is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.errors import ScenarioError
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.planning.pipeline import plan

Result = tuple[int, str, str]
SMALL = """\
schema_version: 1
name: small
users: {peak: 1000, average: 300}
behaviour: {actions: {list: {weight: 1, request: GET /items}}}
loads: {peak: {share: 1.0, ramp_s: 10, duration_s: 60, latency_ms_p95: 300}}
tiers: {api: {}, search: {kind: api}, network: {}}
gates:
"""


def problems(*gates: str) -> list[str]:
    Path("small.yaml").write_text(SMALL + "".join(f'  {gate}: ["< 50"]\n' for gate in gates), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        read("small.yaml")
    return str(caught.value).splitlines()


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (
            "cost_usd_per_1000_user_month",
            "no such figure; did you mean 'cost_usd_per_1000_users_month'?",
        ),
        ("latency_ms_p95.peek", "no load 'peek': the loads are peak, users_peak; did you mean 'latency_ms_p95.peak'?"),
        ("latency_ms_p95", "no such figure; did you mean 'latency_ms_p95.peak'?"),
        ("search.node_count.bse", "no such figure; did you mean 'search.node_count.base'?"),
        ("websocket.nod_count", "no such figure; did you mean 'websocket.node_count'?"),
        ("cash_usd", "no such figure; `cascade-plan explain` lists the figures"),
    ],
)
def test_a_misspelt_gate_is_a_mistake_with_its_place(gate: str, message: str) -> None:
    assert problems(gate) == [f"small.yaml:8:3: gates.{gate}: {message}"]


def test_all_of_them_are_told_at_once() -> None:
    found = problems("cost_usd", "latency_ms_p95.peak", "latency_ms_p59.peak", "api.nodes")
    assert [line.split(": ")[0] for line in found] == ["small.yaml:8:3", "small.yaml:10:3", "small.yaml:11:3"]


@pytest.mark.parametrize("command", ["validate", "size", "check", "report", "explain", "simulate", "emit-k8s"])
def test_every_command_refuses_it(cascade: Callable[..., Result], command: str) -> None:
    Path("small.yaml").write_text(SMALL + '  latency_ms_p95.peek: ["< 50"]\n', encoding="utf-8")
    figure = ("api.node_count.base",) if command == "explain" else ()
    status, out, err = cascade(command, *figure, "small.yaml")
    assert (status, out) == (2, "")
    assert "small.yaml:8:3: gates.latency_ms_p95.peek: no load 'peek'" in err


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_figure_of_a_plan_can_have_a_gate(name: str) -> None:
    made = read(name)
    figures = plan(made.scenario, made.book).figures
    gates = "{" + ", ".join(f'"{figure}": ["< 1"]' for figure in [*figures][:50]) + "}"
    assert len(read(name, [("--set gates", "gates", gates)]).scenario.gates) == min(50, len(figures))


@given(st.from_regex(r"[a-z]{3,12}(\.[a-z]{3,9})?", fullmatch=True))
def test_what_no_plan_has_is_never_passed_over(name: str) -> None:
    made = read("saas-300")
    known = plan(made.scenario, made.book).figures
    gates = [("--set gates", "gates", f'{{"{name}": ["< 1"]}}')]
    if name in known:
        read("saas-300", gates)
    else:
        with pytest.raises(ScenarioError, match=rf"gates\.{name}"):
            read("saas-300", gates)


def test_a_gate_on_a_tier_that_is_off_is_not_judged_and_strictness_fails_for_it(cascade: Callable[..., Result]) -> None:
    Path("small.yaml").write_text(SMALL + '  cache.node_count: ["< 5"]\n', encoding="utf-8")
    why = "cache.node_count is not judged: this scenario has no cache tier\n"
    status, _, err = cascade("check", "small.yaml")
    assert (status, f"warning: {why}" in err) == (0, True)
    status, _, err = cascade("check", "small.yaml", "--fail-on", "not-judged")
    assert (status, f"error: {why}" in err) == (1, True)
    status, _, err = cascade("check", "small.yaml", "--fail-on", "not-juged")
    assert (status, "--fail-on not-juged: must be failed or not-judged; did you mean 'not-judged'?" in err) == (2, True)


def test_a_scenario_that_asks_nothing_is_not_passed_in_silence(cascade: Callable[..., Result]) -> None:
    asks_nothing = SMALL.replace("gates:\n", "").replace(SMALL.splitlines()[4] + "\n", "")
    Path("small.yaml").write_text(asks_nothing, encoding="utf-8")
    why = "small: nothing is judged, as the scenario has no budget, no gates and no loads\n"
    status, _, err = cascade("check", "small.yaml")
    assert (status, f"warning: {why}" in err) == (0, True)
    status, _, err = cascade("check", "small.yaml", "--fail-on", "not-judged")
    assert (status, f"error: {why}" in err) == (1, True)
