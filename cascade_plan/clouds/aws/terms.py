"""How AWS lets instances be paid, and what it sells by which term: on demand, spot, reservations, savings plans."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import product
from typing import Final, NamedTuple

from cascade_plan.errors import did_you_mean
from cascade_plan.model.terms import checked, commitment_of

UPFRONTS: Final = ("no", "partial", "all")
RESERVED: Final = tuple(f"reserved_{years}y_{upfront}_upfront" for years, upfront in product((1, 3), UPFRONTS))


class Rule(NamedTuple):
    """Some terms, and what AWS sells by them."""

    what: str
    """vm, database or cache."""
    kind: str
    """spot, or the kind of a commitment."""
    called: str
    """What AWS calls it."""
    terms: tuple[str, ...]
    in_short: tuple[str, ...]
    """The terms as a message lists them."""
    source: str
    limits: str = ""
    """For how long and how paid it is sold, where that is not every way there is."""
    engines: tuple[str, ...] = ()
    """The engines it covers; all where empty."""
    families: str = r".+"
    """Pattern of the families it covers: what stands before the size, such as db.r7g."""
    covers: str = ""
    """What it covers, in words, where that is not every shape."""


def _plans(kind: str) -> tuple[str, ...]:
    return tuple(f"{kind}_{years}y_{upfront}_upfront" for years, upfront in product((1, 3), UPFRONTS))


_EC2: Final = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/"
_PLANS: Final = "https://docs.aws.amazon.com/savingsplans/latest/userguide/"
_DATABASE_PLAN: Final = ("database_sp_1y_no_upfront",)
_DATABASE_PLANS: Final = f"{_PLANS}; the families are those of AWS's file AWSDatabaseSavingsPlans of 2026-04-22"
_ANY: Final = ("reserved_{1,3}y_{no,partial,all}_upfront",)
RULES: Final = (
    Rule("vm", "reserved", "reserved EC2 instances", RESERVED, _ANY, f"{_EC2}ec2-reserved-instances.html"),
    Rule("vm", "compute_sp", "Compute Savings Plans", _plans("compute_sp"), ("compute_sp_{1,3}y_...",), _PLANS),
    Rule(
        "vm",
        "ec2_instance_sp",
        "EC2 Instance Savings Plans",
        _plans("ec2_instance_sp"),
        ("ec2_instance_sp_{1,3}y_...",),
        _PLANS,
    ),
    Rule("vm", "spot", "spot", ("spot",), ("spot",), f"{_EC2}using-spot-instances.html"),
    Rule(
        "database",
        "reserved",
        "reserved RDS instances",
        tuple(term for term in RESERVED if term != "reserved_3y_no_upfront"),
        ("reserved_{1,3}y_{partial,all}_upfront", "reserved_1y_no_upfront"),
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithReservedDBInstances.html, read "
        "2026-11-26: no upfront is only available as a one-year reservation",
        "with nothing upfront for one year only",
    ),
    Rule(
        "database",
        "database_sp",
        "Database Savings Plans",
        _DATABASE_PLAN,
        _DATABASE_PLAN,
        _DATABASE_PLANS,
        "for one year with nothing upfront only",
        families=r"db\.(?!t\d)[a-z]+(?:[7-9]|[1-9]\d)[a-z]*",
        covers="generation 7 and newer",
    ),
    Rule(
        "cache",
        "reserved",
        "reserved ElastiCache nodes",
        RESERVED,
        _ANY,
        "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.Reserved.html",
    ),
    Rule(
        "cache",
        "database_sp",
        "Database Savings Plans",
        _DATABASE_PLAN,
        _DATABASE_PLAN,
        _DATABASE_PLANS,
        "for one year with nothing upfront only",
        engines=("valkey",),
        families=r"cache\.[mr]7g",
        covers="Valkey on cache.m7g and cache.r7g",
    ),
)
"""By which terms AWS sells what. A savings plan is money an hour for its kind of use, and never for spot."""
SOLD: Final = {
    what: ("on_demand", *(term for rule in RULES if rule.what == what for term in rule.terms))
    for what in ("vm", "database", "cache")
}
"""What instances are -> the terms they are sold by, in the order a bill lists them."""
CALLED: Final = {"vm": "EC2 instances", "database": "databases and caches", "cache": "databases and caches"}


def terms(what: str) -> tuple[str, ...]:
    """Return the terms that vm, database or cache are sold by, on_demand first. Raises KeyError for anything else."""
    return SOLD[what]


def payable(what: str, given: object) -> object:
    """Return a term, or a mapping of terms to their shares, as given.

    Raises ValueError for a term that is none for `what` (vm, database or cache), and for shares above 1.
    """
    return checked(given, SOLD[what], lambda name: _unpayable(what, name))


def unfit(what: str, engine: str, shape: str, terms: Collection[str]) -> str:
    """Return why instances cannot be paid by one of the terms that their kind is sold by, and what can, or "".

    An engine or a shape that is "" is not decided yet, and no reason.
    """
    wanted = [rule for rule in RULES if rule.what == what and set(rule.terms) & {*terms}]
    return next((reason for rule in wanted if (reason := _uncovered(rule, engine, shape))), "")


def commitments(what: str, engine: str, shape: str, region: str) -> Iterator[tuple[str, str]]:
    """Yield (term, what it is bought for) of each commitment that pays for an instance, whoever of them runs it.

    A reservation is for its shape in a region (sizes of a family, which are exchanged, are not looked at here), an EC2
    Instance Savings Plan for a family in a region; the others are for whatever of their kind runs anywhere, "". An
    organisation's accounts share them unless it turns that off.

    Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/ri-behavior.html,
    https://docs.aws.amazon.com/savingsplans/latest/userguide/what-is-savings-plans.html

    >>> dict(commitments("vm", "", "m7g.large", "us-east-1"))["ec2_instance_sp_1y_no_upfront"]
    'm7g in us-east-1'
    """
    places = {"reserved": f"{shape} {engine} in {region}", "ec2_instance_sp": f"{shape.partition('.')[0]} in {region}"}
    for rule in RULES:
        if rule.what == what and rule.kind != "spot" and not _uncovered(rule, engine, shape):
            yield from ((term, places.get(rule.kind, "")) for term in rule.terms)


def _uncovered(rule: Rule, engine: str, shape: str) -> str:
    """Return why a rule does not cover an engine or a shape, or ""."""
    if not rule.covers:
        return ""
    covers = f"AWS {rule.called} cover {rule.covers}"
    instead = _any_of(_alike(rule.what, rule.terms[0], but=rule.kind))
    if engine and rule.engines and engine not in rule.engines:
        return f"{covers}, not {engine.title()}: set engine to {rule.engines[0]}, or take {instead}"
    family = shape.rpartition(".")[0]
    if family and not re.fullmatch(rule.families, family):
        return f"{covers}, not {family}: take {instead}, or a {_newer(family)} shape"
    return ""


def _newer(family: str) -> str:
    """Return the family of generation 7 that is likest: r7g for what has much memory, m7g for the rest.

    >>> _newer("db.r5"), _newer("cache.t4g")
    ('db.r7g', 'cache.m7g')
    """
    prefix, _, name = family.rpartition(".")
    return f"{prefix}.{'r' if name[0] in 'rx' else 'm'}7g"


def _unpayable(what: str, name: str) -> str:
    """Return why nothing of `what` is sold by a term, and the nearest by which it is."""
    if name == "spot":
        return f"{CALLED[what]} cannot be bought on spot, only EC2 instances can: take {RESERVED[0]}"
    kind = commitment.kind if (commitment := commitment_of(name)) else ""
    rules = [rule for rule in RULES if rule.kind == kind]
    for rule in rules:
        if rule.what == what:
            return f"AWS sells {rule.called} {rule.limits}: take {_any_of(_alike(what, name))}"
    if rules:
        covered = CALLED[rules[0].what]
        reason = f"{name} does not cover {CALLED[what]}: AWS {rules[0].called} are for {covered}"
        return f"{reason}; take {_any_of(_alike(what, name))}"
    hint = did_you_mean(name, list(SOLD[what]))
    known = ("on_demand", *(short for rule in RULES if rule.what == what for short in rule.in_short))
    return f"no term {name[:60]!r}{hint}{' ' if hint else '; '}known are {', '.join(known)}"


def _any_of(terms: tuple[str, ...]) -> str:
    *others, last = terms
    return f"{', '.join(others)} or {last}" if others else last


def _alike(what: str, name: str, but: str = "") -> tuple[str, ...]:
    """Return the terms of `what` that are nearest to a commitment, those of the kind `but` left out.

    Of its own kind the first that is paid alike and the first that is for as long, or the first of all; where that kind
    is not sold, those for as long and paid alike that cover every shape.

    >>> _alike("database", "reserved_3y_no_upfront"), _alike("cache", "compute_sp_3y_no_upfront")
    (('reserved_1y_no_upfront', 'reserved_3y_partial_upfront'), ('reserved_3y_no_upfront',))
    """
    asked = commitment_of(name)
    known = [(term, found) for term in SOLD[what] if (found := commitment_of(term)) and found.kind != but]
    if asked is None:
        return ()
    own = [(term, found) for term, found in known if found.kind == asked.kind]
    paid_alike = [term for term, found in own if found.upfront == asked.upfront]
    as_long = [term for term, found in own if found.years == asked.years]
    if own:
        return tuple(dict.fromkeys([*paid_alike[:1], *as_long[:1]] or [own[0][0]]))
    limited = {term for rule in RULES if rule.what == what and rule.covers for term in rule.terms}
    alike = [term for term, found in known if (found.years, found.upfront) == (asked.years, asked.upfront)]
    return tuple(term for term in alike if term not in limited) or tuple(term for term, _ in known[:1])


def reserved(lease: str, option: str, offering_class: str) -> str:
    """Return the term of a reservation by the price list's lease (1yr, 3yr), purchase option and class, "" for none.

    >>> reserved("1yr", "No Upfront", "standard"), reserved("3yr", "All Upfront", "convertible")
    ('reserved_1y_no_upfront', '')
    """
    years = {"1yr": "1y", "3yr": "3y", "1 yr": "1y", "3 yr": "3y"}.get(lease, "")
    paid = {"no upfront": "no", "partial upfront": "partial", "all upfront": "all"}.get(option.lower(), "")
    # RDS and ElastiCache have one class and leave it out or call it standard.
    return f"reserved_{years}_{paid}_upfront" if years and paid and offering_class in ("standard", "") else ""
