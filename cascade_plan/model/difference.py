"""What differs between two plans: the money with its causes, what changed in the inputs, figures and gates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from cascade_plan.model.derivation import Finding
from cascade_plan.model.plan import Plan, Verdict

Value = int | float | Decimal | str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that differs; None where one plan has none."""

    name: str
    """A figure, an input's path, or a feature of a part of the bill."""
    unit: str
    value_before: Value
    value_after: Value

    @property
    def reversed(self) -> Difference:
        """The same seen from the other plan."""
        return replace(self, value_before=self.value_after, value_after=self.value_before)


@dataclass(frozen=True, slots=True)
class Cause:
    """A part of both bills whose cost differs: a group of instances with its disks, a metered use, or a whole tier."""

    tier: str
    subject: str
    """What the bill calls it; of a whole tier its name."""
    what: str
    """group, use or tier."""
    cost_usd_before: Decimal | None
    """A month's cost at the level compared; None where it is not there."""
    cost_usd_after: Decimal | None
    features: tuple[Difference, ...] = ()
    """What of it differs: count, shape, options, terms, amount, price_usd, storage_gib, storage_price_usd."""
    unpriced: tuple[str, ...] = ()
    """In which of the bills (before, after) a line of it has no price."""
    gives_up: tuple[str, ...] = ()
    """Where it costs less, what is given up for that, in words."""

    @property
    def change_usd(self) -> Decimal:
        """What it adds to the month's cost."""
        return (self.cost_usd_after or Decimal(0)) - (self.cost_usd_before or Decimal(0))

    def feature(self, name: str) -> Difference | None:
        """Return what differs of a feature, or None where nothing does."""
        return next((feature for feature in self.features if feature.name == name), None)


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that does not end as it did; None where one plan has no such gate."""

    figure: str
    operator: str
    limit: Decimal
    verdict_before: Verdict | None
    verdict_after: Verdict | None


@dataclass(frozen=True, slots=True)
class Differences:
    """Two plans and what differs between them. The causes' changes add up to that of the month's cost, exactly."""

    before: Plan
    after: Plan
    level: str
    """The point of the cost band that is compared: the one both budgets judge, the average where they differ."""
    causes: tuple[Cause, ...]
    """By size of the change, the largest first."""
    inputs: tuple[Difference, ...]
    figures: tuple[Difference, ...]
    gates: tuple[Gate, ...]
    findings_new: tuple[Finding, ...]
    """Of a code and a place of which the plan before has none."""
    findings_gone: tuple[Finding, ...]

    @property
    def cost_usd_before(self) -> Decimal:
        """The month's cost before, "at least" where its bill lacks a price."""
        return self._cost_usd(self.before)

    @property
    def cost_usd_after(self) -> Decimal:
        """The month's cost after, in the same way."""
        return self._cost_usd(self.after)

    @property
    def change_usd(self) -> Decimal:
        """What the month's cost changes by: the sum of the causes' changes."""
        return self.cost_usd_after - self.cost_usd_before

    @property
    def is_exact(self) -> bool:
        """Whether no price is missing, or just the same amounts of the same lines miss it in both bills."""
        return not any(True for _ in self.lacking)

    @property
    def lacking(self) -> Iterator[tuple[str, str]]:
        """(before or after, name of a line) of every line without a price that the other bill lacks not alike."""
        old, new = (
            {(line.name, line.key, getattr(line.quantity, self.level)) for line in plan.bill.unpriced}
            for plan in (self.before, self.after)
        )
        yield from (("before", name) for name, _, _ in sorted(old - new))
        yield from (("after", name) for name, _, _ in sorted(new - old))

    def _cost_usd(self, plan: Plan) -> Decimal:
        cost: Decimal = getattr(plan.bill.effective_usd, self.level)
        return cost


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a scenario by a change of files: both plans, or why there is none."""

    called: str
    """The scenario's file or name, with its environment."""
    before: Plan | None
    after: Plan | None
    differences: Differences | None
    """None where one of the plans is not there."""
    problem_before: str = ""
    """Why what was before cannot be planned; empty where it can, or was not there."""
    problem_after: str = ""
    """The same of what is there now."""

    @property
    def is_new(self) -> bool:
        """Whether there was no such scenario."""
        return self.before is None and not self.problem_before

    @property
    def is_gone(self) -> bool:
        """Whether there is no such scenario any more."""
        return self.after is None and not self.problem_after

    @property
    def change_usd(self) -> Decimal:
        """What a month's cost changes by: of what is new all of its cost, of what is gone all that it was."""
        if self.differences is not None:
            return self.differences.change_usd
        return sum((sign * paid_usd(plan) for sign, plan in self._alone), Decimal(0))

    @property
    def _alone(self) -> Iterator[tuple[int, Plan]]:
        if self.is_new and self.after is not None:
            yield 1, self.after
        if self.is_gone and self.before is not None:
            yield -1, self.before


def paid_usd(plan: Plan) -> Decimal:
    """Return what a month of a plan costs at the level that its budget judges."""
    cost: Decimal = getattr(plan.bill.effective_usd, plan.scenario.budget.level)
    return cost
