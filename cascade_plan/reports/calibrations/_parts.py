"""A calibration, as every report of it words it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from cascade_plan.model.calibrating import Calibrating, Demanded, Trial
from cascade_plan.model.calibration import Observed
from cascade_plan.model.derivation import Finding
from cascade_plan.reports._words import count, one_line, percent
from cascade_plan.units import counted

RUNS: Final = ("run", "users", "requests/s", "busy", "windows")
DEMANDS: Final = ("run", "tier", "CPU ms", "95 % interval")
VALUES: Final = ("value", "was", "is", "95 % interval")
TRIALS: Final = ("run", "busy", "figure", "measured", "fitted", "held out", "error", "interval")
TITLES: Final = {
    "runs": "Runs",
    "demands": "CPU time for a request, or a command of a cache, by the utilisation law",
    "values": "Values in place of the scenario's",
    "methods": "How they were found",
    "left": "Not told by the runs: the scenario's values stay",
    "trials": "Each run predicted from the others (! beyond 3 % of a rate, 15 % of a p95)",
    "findings": "Findings",
}
LIMITS: Final = {"requests_per_s": 0.03, "latency_ms_p95": 0.15}
FIGURES: Final = {"requests_per_s": "requests/s", "latency_ms_p50": "p50 ms", "latency_ms_p95": "p95 ms",
                  "latency_ms_p99": "p99 ms"}  # fmt: skip


class Part(NamedTuple):
    """A table of the report, or a list of lines where it has no headers."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    """Indexes of the columns that are aligned to the right."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of a list."""
        return tuple(line for (line,) in self.rows)


def parts(found: Calibrating) -> Iterator[Part]:
    """Yield the report's tables and lists in their order, those without anything left out."""
    calibration = found.calibration
    made = (
        Part(TITLES["runs"], RUNS, tuple(map(_run_row, calibration.runs)), (1, 2, 3, 4)),
        Part(TITLES["demands"], DEMANDS, tuple(map(_demand_row, found.demands)), (2,)),
        Part(TITLES["values"], VALUES, tuple(_value_rows(found)), (1, 2)),
        Part(TITLES["methods"], (), tuple((line,) for line in _method_lines(found))),
        Part(TITLES["left"], (), tuple((line,) for line in _left_lines(found))),
        Part(TITLES["trials"], TRIALS, tuple(_trial_rows(found)), (1, 3, 4, 5)),
        Part(TITLES["findings"], (), tuple((line,) for line in _finding_lines(found))),
    )
    yield from (part for part in made if part.rows)


def headline(found: Calibrating) -> str:
    """Return what was calibrated from how many runs, and to which load its predictions can be trusted."""
    calibration = found.calibration
    share = calibration.trusted_to_busy_share
    trusted = (
        f"predictions can be trusted to {percent(share)} busy"
        if share is not None
        else "its predictions are not checked"
    )
    if share is None and any(each.is_held_out for each in found.trials):
        trusted = "its predictions cannot be trusted"
    return (
        f"{calibration.scenario}: {counted(len(calibration.values), 'value')} from "
        f"{counted(len(calibration.runs), 'run')}; {trusted}"
    )


def _run_row(run: Observed) -> tuple[str, ...]:
    """Return a run as cells under RUNS."""
    return (
        one_line(run.load),
        "" if run.users is None else f"{run.users:,}",
        _number(run.requests_per_s),
        "" if run.busy_share is None else percent(run.busy_share),
        f"{run.window_count:,}",
    )


def _demand_row(demand: Demanded) -> tuple[str, ...]:
    """Return a tier's CPU time as cells under DEMANDS."""
    return one_line(demand.run), demand.tier, _number(demand.cpu_ms), _interval(demand.cpu_ms_min, demand.cpu_ms_max)


def _value_rows(found: Calibrating) -> Iterator[tuple[str, ...]]:
    """Yield the values as cells under VALUES."""
    for path, each in found.calibration.values.items():
        yield path, _number(found.before[path]), _number(each.value), _interval(each.low, each.high)


def _method_lines(found: Calibrating) -> Iterator[str]:
    """Yield how values were found, those that were found alike together."""
    return _alike({path: each.method for path, each in found.calibration.values.items()})


def _left_lines(found: Calibrating) -> Iterator[str]:
    """Yield what the runs do not tell, and why."""
    return _alike(found.calibration.left)


def _alike(said: Mapping[str, str]) -> Iterator[str]:
    """Yield what is said of paths, those of which the same is said together."""
    found: dict[str, list[str]] = {}
    for path, words in said.items():
        found.setdefault(words, []).append(path)
    for words, paths in found.items():
        yield f"{', '.join(_together(paths))}: {one_line(words)}"


def _together(paths: list[str]) -> list[str]:
    """Return paths, those of all actions as one.

    >>> _together(["behaviour.actions.a.cpu_ms", "behaviour.actions.b.cpu_ms", "tiers.cache.hit_ratio"])
    ['behaviour.actions.*.cpu_ms', 'tiers.cache.hit_ratio']
    """
    actions = "behaviour.actions."
    many = sum(path.startswith(actions) for path in paths) > 1
    return [*dict.fromkeys(f"{actions}*.{p.split('.', 3)[3]}" if many and p.startswith(actions) else p for p in paths)]


def _trial_rows(found: Calibrating) -> Iterator[tuple[str, ...]]:
    """Yield each figure of each run as cells under TRIALS: with the run in the calibration, and without."""
    held_out = {(each.run, each.figure): each for each in found.trials if each.is_held_out}
    for fitted in found.trials:
        if fitted.is_held_out:
            continue
        other = held_out.get((fitted.run, fitted.figure))
        yield (
            one_line(fitted.run),
            "" if fitted.busy_share is None else percent(fitted.busy_share),
            FIGURES[fitted.figure],
            _number(fitted.value_measured),
            _number(fitted.value_predicted),
            "" if other is None else _number(other.value_predicted),
            "" if other is None else _error(other),
            "" if other is None else _interval(other.value_min, other.value_max),
        )


def _error(trial: Trial) -> str:
    beyond = abs(trial.difference_ratio) > LIMITS.get(trial.figure, float("inf"))
    return f"{trial.difference_ratio:+.0%}{' !' if beyond else ''}"


def _finding_lines(found: Calibrating) -> Iterator[str]:
    """Yield warnings first, then notes."""
    for severity in ("warning", "info"):
        yield from (_finding(each) for each in found.findings if each.severity == severity)


def _finding(finding: Finding) -> str:
    return one_line(f"{finding.severity}: {finding.message}")


def _number(value: float | None) -> str:
    """Return a number to four digits."""
    if value is None:
        return ""
    return (
        f"{value:,.0f}" if abs(value) >= 1000 else count(float(f"{value:.4g}")) if abs(value) >= 100 else f"{value:.4g}"
    )


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{_number(low)} to {_number(high)}"
