"""What programs are answered, beside the whole plan, as JSON Schemas. Money is decimal text: it stays exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NotRequired, Required

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from cascade_plan.model.optimum import Decides, Gaps, MonthFleet, Part, Proof, Rung
from cascade_plan.model.plan import Verdict
from cascade_plan.model.relaxation import WhyNot

CLOSED: Final = ConfigDict(extra="forbid")
Value = float | int | str | bool | None
"""Of a figure or an input: a number, money as text, a word; null where there is none or it is not finite."""


@with_config(CLOSED)
class Tier(TypedDict):
    """What a tier runs on and costs a month."""

    tier: str
    fleet: list[str]
    nodes: str
    cost_usd_per_month: str
    is_complete: bool


@with_config(CLOSED)
class Judged(TypedDict):
    """A gate and how it ended."""

    figure: str
    operator: str
    limit: str
    value: Value
    status: str
    reason: str


@with_config(CLOSED)
class Known(TypedDict):
    """Something the user should know."""

    severity: str
    message: str
    where: str


@with_config(CLOSED)
class Figure(TypedDict):
    """A figure of the plan."""

    value: Value
    unit: str


@with_config(CLOSED)
class Answer(TypedDict):
    """A plan as far as it answers: cost, tiers, gates, findings and every figure; `schema plan` has all of it."""

    schema_version: int
    scenario: str
    region: str
    users_peak: int
    users_average: int
    prices: str
    status: str
    """over_budget, within_budget, not_judged or no_budget."""
    cost_usd_per_month: str
    budget_usd_per_month: str | None
    over_budget_usd: str | None
    identifier: str
    """Of scenario, prices and program: the same for the same ones."""
    tiers: list[Tier]
    verdicts: list[Judged]
    findings: list[Known]
    unpriced: list[str]
    """Lines of the bill without a price: the cost is at least what is said."""
    not_priced: list[str]
    figures: dict[str, Figure]


class Explained(TypedDict):
    """Why a figure is what it is."""

    figure: Required[str]
    value: Required[Value]
    unit: Required[str]
    formula: Required[str]
    inputs: Required[list[dict[str, Value]]]
    source: Required[str]
    note: Required[str]
    interval: Required[list[float | None] | None]
    lines: NotRequired[list[dict[str, Value]]]
    months: NotRequired[list[str]]
    not_priced: NotRequired[list[str]]


@with_config(CLOSED)
class Input(TypedDict):
    """What an input means, and where it was given."""

    input: str
    value: Any
    meaning: str
    allowed: Any
    default: dict[str, Any] | None
    example: Any
    used_by: list[str]
    given: Any


@with_config(CLOSED)
class Explanation(TypedDict):
    """Why figures are what they are, or what inputs mean."""

    schema_version: int
    figures: list[Explained]
    inputs: list[Input]


@with_config(CLOSED)
class Changed(TypedDict):
    """A value that differs."""

    name: str
    unit: str
    before: Value
    after: Value


@with_config(CLOSED)
class Cause(TypedDict):
    """A part of both bills whose cost differs."""

    tier: str
    subject: str
    words: str
    cost_usd_before: str | None
    cost_usd_after: str | None
    change_usd: str
    features: list[Changed]
    unpriced: list[str]
    gives_up: list[str]


@with_config(CLOSED)
class Side(TypedDict):
    """One of the plans that are compared."""

    scenario: str
    region: str
    users_peak: int
    users_average: int
    prices: str
    is_complete: bool
    failed: bool


@with_config(CLOSED)
class Cost(TypedDict):
    """A month's cost on both sides."""

    before: str
    after: str
    change: str
    is_exact: bool


@with_config(CLOSED)
class Gate(TypedDict):
    """A gate that does not end as it did."""

    figure: str
    operator: str
    limit: str
    before: str | None
    after: str | None


@with_config(CLOSED)
class Difference(TypedDict):
    """What differs between two plans, the causes of the change of cost first."""

    schema_version: int
    headline: str
    notes: list[str]
    level: str
    cost_usd_per_month: Cost
    causes: list[Cause]
    before: Side
    after: Side
    inputs: list[Changed]
    figures: list[Changed]
    gates: list[Gate]
    findings_new: list[str]
    findings_gone: list[str]


@with_config(CLOSED)
class Optimum(TypedDict):
    """The cheapest fleet that keeps every promise, its proof, and the scenario that pins it."""

    schema_version: int
    scenario: str
    status: str
    """over_budget, within_budget or no_budget."""
    cost_usd_per_month: str
    horizon_months: int
    budget_usd_per_month: str | None
    upfront_usd: str
    cost_usd_per_month_today: str
    cost_usd_per_month_by_method_slo: str | None
    proof: Proof
    gaps: Gaps
    kept_share: float
    world_count: int
    ladder: list[Rung]
    why_not: WhyNot | None
    decides: list[Decides]
    months: list[MonthFleet]
    parts: list[Part]
    verdicts: list[Verdict]
    pinned: dict[str, Any]
    """A scenario, as `schema scenario` describes it."""


@with_config(CLOSED)
class Outcome(TypedDict):
    """What a policy of the autoscaler misses and costs."""

    policy: str
    description: str
    recommended: bool
    missed_minutes_per_day_mean: float
    missed_minutes_per_day_max: float
    worst_latency_ms_p99: float | None
    pod_count_min: int
    pod_count_max: int
    node_count_min: int
    node_count_max: int
    node_count_mean: float
    scaling_event_count_per_day: float
    cost_usd_per_day: str
    cost_usd_per_month: str
    has_added_pods: bool


@with_config(CLOSED)
class Service(TypedDict):
    """A service's policies, and which of them is recommended."""

    service: str
    request_share: float
    outcomes: list[Outcome]
    recommended: str | None
    reason: str


@with_config(CLOSED)
class Simulation(TypedDict):
    """Days of traffic through the autoscaler: what each policy misses and costs."""

    schema_version: int
    scenario: str
    traffic: str
    trace: str | None
    limits: list[str]
    day_count: int
    run_count: int
    seed: int
    cost_usd_per_month: str | None
    services: list[Service]


def schema_of(name: str, document: Any) -> dict[str, Any]:
    """Return the JSON Schema of a document as it is written, where a number that is not finite is null."""
    schema = TypeAdapter(document).json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_nullable(schema),
        "title": f"cascade-plan {name}",
    }


def _nullable(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _nullable(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return {**made, "type": ["number", "null"]} if made.get("type") == "number" else made


SCHEMAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "answer": lambda: schema_of("answer", Answer),
    "explanation": lambda: schema_of("explanation", Explanation),
    "difference": lambda: schema_of("difference", Difference),
    "optimum": lambda: schema_of("optimum", Optimum),
    "simulation": lambda: schema_of("simulation", Simulation),
}
"""By the name that `schema` prints them by."""
