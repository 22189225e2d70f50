"""Whether a version of PostgreSQL is still supported, and what it costs once it is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import NodeGroup
from cascade_plan.model.offer import Offer
from cascade_plan.model.support import Rate, Support, finding
from cascade_plan.tiers.database.settings import Settings

WHAT = "postgres"


def support(ask: Ask[Settings]) -> str:
    """Return by which years of extended support the version is charged, "" where it is not."""
    found = ask.cloud.support(WHAT, ask.settings.version)
    if found is None or ask.day is None or (rate := found.rate(ask.day)) is None:
        return ""
    return rate.name if ask.cloud.sells(Offer("database_support", rate.name)) else ""


def vcpu(groups: Sequence[NodeGroup]) -> float:
    """Return the vCPUs that extended support is charged for, a standby's among them."""
    return sum(group.count.average * vcpu_each(group) for group in groups)


def vcpu_each(group: NodeGroup) -> float:
    """Return those of one instance of a group, its standby's among them."""
    return group.shape.vcpu * (2 if "multi_zone" in group.offer.options else 1)


def findings(ask: Ask[Settings], groups: Sequence[NodeGroup]) -> Iterator[Finding]:
    """Yield that the version is charged for, ends, or soon will."""
    version, where = ask.settings.version, f"tiers.{ask.name}.version"
    known = ask.cloud.support(WHAT, version)
    if known is not None and ask.day is not None:
        found = finding(f"PostgreSQL {version}", known, ask.day, where, lambda rate: _cost(ask, known, rate, groups))
        yield from (found,) if found else ()


def not_priced(ask: Ask[Settings]) -> tuple[str, ...]:
    """Return what the bill lacks on Aurora, whose extended support no book has a price of, in words."""
    found = ask.cloud.support(WHAT, ask.settings.version)
    if found is None or ask.day is None or ask.day < found.standard_end:
        return ()
    return (
        f"extended support of PostgreSQL {ask.settings.version} on {ask.name}, which RDS charges from "
        f"{found.standard_end} on: no price of Aurora's is known here",
    )


def _cost(ask: Ask[Settings], found: Support, rate: Rate, groups: Sequence[NodeGroup]) -> str:
    """Return what extended support costs a month at a rate, in words."""
    offer = Offer("database_support", rate.name)
    price = ask.usd(offer) if ask.cloud.sells(offer) else None
    if price is None:
        return "what that costs is not known"
    count = vcpu(groups)
    usd = Decimal(str(count)) * price * ask.hours
    later = f", more from {found.rates[-1].begin}" if rate != found.rates[-1] else ""
    return f"it costs {count:g} vCPU x ${price:f} x {ask.hours} h = ${usd:,.2f} a month{later}"
