"""What is watched on the running system: a recording rule, an alert and a panel are one entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series that Prometheus records. Names are level:metric:operation."""

    name: str
    expression: str
    """PromQL."""
    is_of_pods: bool = False
    """Whether it is recorded where the pods are scraped, so that others can read it."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A condition that someone is told of, with what to do."""

    name: str
    expression: str
    """PromQL that has a series while the condition holds."""
    held_s: int
    """How long it holds before someone is told."""
    severity: str
    """page (someone gets up for it) or ticket (someone looks within the working day)."""
    summary: str
    description: str
    """What is measured against what; {value}, {pod} and {job} stand for what the alarm was raised with."""
    runbook: str
    unit: str = "humanize"
    """The template function that shows the value."""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a panel."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A panel of the dashboard."""

    title: str
    unit: str
    """Grafana's name of it."""
    lines: tuple[Line, ...]
    operator: str = ""
    """With `limit`, what is drawn as the target: "< 50" is kept below 50; empty where there is none."""
    limit: float = 0.0
    description: str = ""
    is_number: bool = False
    """Whether it is one number (a success metric) and not lines over time."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Something of a tier that is watched."""

    subject: str
    """What it is about, such as latency; a page on a subject silences its tickets."""
    figure: str = ""
    """The figure whose gate it measures on the running system; empty where no gate is measured by it."""
    recorded: tuple[Recorded, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    charts: tuple[Chart, ...] = ()
