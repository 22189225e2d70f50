"""Many systems as one: a row of each, what they cost together, and what buying together saves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from cascade_plan.model.bill import Amounts
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.plan import Verdict

PORTFOLIO_SCHEMA_VERSION: Final = 1
REGION: Final = "region"
"""What systems are counted by beside their tags."""


@dataclass(frozen=True, slots=True)
class Row:
    """One system of a portfolio: what it costs and keeps, or why it could not be planned."""

    place: str
    """Its file, or its row of a table."""
    name: str
    exit_code: int = 0
    """What the command alone would have ended with: 0 planned, 1 a limit is missed, 3 a price lacks, others as is."""
    message: str = ""
    """Why it could not be planned; empty where it was."""
    region: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    users_peak: int = 0
    users_average: int = 0
    cost_usd_per_month: Amounts | None = None
    """None where it could not be planned."""
    level: str = "average"
    """The point of the band that its budget judges."""
    is_complete: bool = True
    """Whether every line has a price: if not, the cost is "at least"."""
    budget_usd_per_month: Decimal | None = None
    missed: tuple[str, ...] = ()
    """The figures whose limits it misses."""
    not_judged: tuple[str, ...] = ()
    """The figures whose limits could not be judged."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """What else was asked for, by name."""
    hourly_count: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Of each instance on demand, how many run in each hour of the day; one number where always as many."""
    alone_usd_per_hour: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By the term of a commitment: what the system alone would commit to, and what its instances then cost."""

    @property
    def is_planned(self) -> bool:
        """Whether it could be planned."""
        return self.cost_usd_per_month is not None

    @property
    def judged_usd(self) -> Decimal:
        """What a month costs at the point that its budget judges; 0 where it could not be planned."""
        return Decimal(0) if self.cost_usd_per_month is None else getattr(self.cost_usd_per_month, self.level)

    @property
    def over_usd(self) -> Decimal | None:
        """What it costs above its budget, negative below; None without one."""
        most = self.budget_usd_per_month
        return None if most is None or not self.is_planned else self.judged_usd - most


def row_text(row: Row) -> str:
    """Return a row as one line of JSON, the same bytes for the same row."""
    cost, budget = row.cost_usd_per_month, row.budget_usd_per_month
    document = {
        name: getattr(row, name) for name in Row.__dataclass_fields__ if getattr(row, name) not in ((), {}, "", None)
    }
    if cost is not None:
        document["cost_usd_per_month"] = [f"{getattr(cost, level):f}" for level in LEVELS]
    if budget is not None:
        document["budget_usd_per_month"] = f"{budget:f}"
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def row_of(document: Mapping[str, Any]) -> Row:
    """Return the row that `row_text` wrote, from its parsed JSON."""
    given = dict(document)
    if (cost := given.get("cost_usd_per_month")) is not None:
        given["cost_usd_per_month"] = Amounts(*map(Decimal, cost))
    if (budget := given.get("budget_usd_per_month")) is not None:
        given["budget_usd_per_month"] = Decimal(budget)
    for name in ("missed", "not_judged"):
        given[name] = tuple(given.get(name, ()))
    for name in ("hourly_count", "alone_usd_per_hour"):
        given[name] = {key: tuple(numbers) for key, numbers in given.get(name, {}).items()}
    return Row(**given)


@dataclass(frozen=True, slots=True)
class Total:
    """Systems that have something in common, together."""

    by: str
    """region, or the name of a tag; empty of all systems."""
    name: str
    """The region, or the tag's value; empty of systems without the tag, and of all."""
    system_count: int
    failed_count: int
    """Of them, how many could not be planned: they are in no other number."""
    incomplete_count: int
    """Of those planned, how many lack a price: they cost at least what is said."""
    over_budget_count: int
    missed_count: int
    """Of those planned, how many miss a limit, their budget among them."""
    users_peak: int
    users_average: int
    cost_usd_per_month: Amounts
    judged_usd_per_month: Decimal
    """Each at the point of the band that its own budget judges."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why systems could not be planned."""

    exit_code: int
    count: int
    """How many ended so."""
    first: tuple[tuple[str, str], ...]
    """(place, message) of the first of them."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What commitments of one term do for all systems: bought by each alone, and together."""

    term: str
    system_count: int
    """Systems that run something it pays for."""
    on_demand_usd_per_month: float
    """What that costs on demand."""
    alone_committed_usd_per_hour: float
    """What the systems commit to if each buys for itself what makes it cheapest."""
    alone_usd_per_month: float
    together_committed_usd_per_hour: float
    """What makes the sum of them cheapest."""
    together_usd_per_month: float

    @property
    def saved_usd_per_month(self) -> float:
        """What buying together saves over each buying alone."""
        return self.alone_usd_per_month - self.together_usd_per_month


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Many systems as one."""

    schema_version: int
    question: str
    """What each was asked: size, slo, optimize or risk."""
    prices: tuple[str, ...]
    """The books that their costs are of."""
    total: Total
    totals: tuple[Total, ...]
    """By region and by each tag, the dearest of each first."""
    worst: tuple[Row, ...]
    """Those furthest over their budgets, then those that miss most limits."""
    failures: tuple[Failure, ...]
    shared: tuple[Shared, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def failed(self) -> bool:
        """Whether a limit on the whole is missed."""
        return any(verdict.status == "fail" for verdict in self.verdicts)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a portfolio as JSON."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Portfolio).json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "cascade-plan portfolio", **schema}
