"""What is watched on the running system: a recording rule, an alert and a panel are one entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from cascade_plan.languages.promql import labelled
from cascade_plan.model.observation import LABEL, Measure


class Limit(NamedTuple):
    """What a gate asks of a figure: "< 50" is kept below 50."""

    operator: str
    value: Decimal


def limits(gates: Mapping[str, Sequence[str]], figure: str, goal: str = "") -> tuple[Limit, ...]:
    """Return the limits that a scenario's gates set to a figure, or the goal that a tier's settings set to it.

    >>> limits({"cache.hit_ratio": ["> 0.9"]}, "cache.hit_ratio")
    (Limit(operator='>', value=Decimal('0.9')),)
    """
    texts = gates.get(figure, [goal] if goal else [])
    return tuple(Limit(operator, Decimal(value)) for operator, _, value in (text.partition(" ") for text in texts))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series that Prometheus records. Names are level:metric:operation."""

    name: str
    expression: str
    """PromQL."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What tells the series from others of the name."""
    is_of_pods: bool = False
    """Whether it is recorded where the pods are scraped, so that others can read it."""
    served_as: str = ""
    """The name under which an autoscaler asks for each pod's value; empty where none does."""
    scales_by: str = ""
    """The metric of `autoscaling.metrics` that it is served as."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a calibration asks of the running system."""

    measure: Measure
    expression: str
    """PromQL: one series, or one for each value of the label `by`."""
    by: str = ""
    """The label whose values are the subjects."""

    @property
    def query(self) -> str:
        """PromQL whose series say by a label what they measure, so that their answer can be read when it is saved."""
        start = f"{self.measure.what}:" if self.by else self.measure.label
        return labelled(self.expression, LABEL, start, self.by)


LABELS: Final = ("pod", "job", "node", "container", "database", "persistentvolumeclaim")
"""The labels of what is measured that an alarm's description may name."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """A condition that someone is told of, with what to do."""

    name: str
    expression: str
    """PromQL that has a series while the condition holds."""
    held_s: int
    """How long it holds before someone is told."""
    severity: str
    """page (someone gets up for it), ticket (someone looks within the working day), none (it says that all is well)."""
    summary: str
    """What is wrong, without the application's name."""
    description: str
    """What is measured against what; {value} and the LABELS in braces stand for what the alarm was raised with."""
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
    """Something of a tier, or of the whole plan, that is watched."""

    subject: str
    """What it is about, such as latency; a page on a subject silences its tickets."""
    figure: str = ""
    """The figure whose gate it measures on the running system; empty where no gate is measured by it."""
    exporter: str = ""
    """The exporter that its series come from, such as postgres; empty where they are of the application's own pods."""
    sign: str = ""
    """What of it shows why requests are slow, in a runbook's words; empty where it is no such sign."""
    recorded: tuple[Recorded, ...] = ()
    observed: tuple[Observed, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    charts: tuple[Chart, ...] = ()
