"""How AWS lets instances be paid: on demand, on spot, by a reservation or by a savings plan."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product
from typing import Final

from cascade_plan.errors import did_you_mean
from cascade_plan.model.terms import checked

RESERVED: Final = tuple(
    f"reserved_{years}y_{upfront}_upfront" for years, upfront in product((1, 3), ("no", "partial", "all"))
)
COMPUTE_PLANS: Final = tuple(
    f"{plan}_{years}y_{upfront}_upfront"
    for plan, years, upfront in product(("compute_sp", "ec2_instance_sp"), (1, 3), ("no", "partial", "all"))
)
DATABASE_PLANS: Final = ("database_sp_1y_no_upfront",)
"""Database Savings Plans are for one year with nothing upfront,
https://docs.aws.amazon.com/savingsplans/latest/userguide/"""
SOLD: Final = {
    "vm": ("on_demand", *RESERVED, *COMPUTE_PLANS, "spot"),
    "database": ("on_demand", *RESERVED, *DATABASE_PLANS),
    "cache": ("on_demand", *RESERVED, *DATABASE_PLANS),
}
"""What instances are -> the terms they are sold by, in the order a bill lists them."""
CALLED: Final = {"vm": "EC2 instances", "database": "databases and caches", "cache": "databases and caches"}
IN_SHORT: Final = {
    "vm": ("on_demand", "spot", "reserved_{1,3}y_{no,partial,all}_upfront", "compute_sp_{1,3}y_...",
           "ec2_instance_sp_{1,3}y_..."),
    "database": ("on_demand", "reserved_{1,3}y_{no,partial,all}_upfront", *DATABASE_PLANS),
    "cache": ("on_demand", "reserved_{1,3}y_{no,partial,all}_upfront", *DATABASE_PLANS),
}  # fmt: skip
WHAT_PLANS_COVER: Final = {
    "compute": "Compute Savings Plans are for EC2 instances",
    "ec2_instance": "EC2 Instance Savings Plans are for EC2 instances",
    "database": "Database Savings Plans are for databases and caches",
}
"""Kind of a savings plan -> what it covers, https://docs.aws.amazon.com/savingsplans/latest/userguide/"""


def terms(what: str) -> tuple[str, ...]:
    """Return the terms that vm, database or cache are sold by, on_demand first. Raises KeyError for anything else."""
    return SOLD[what]


def payable(what: str, given: object) -> object:
    """Return a term, or a mapping of terms to their shares, as given.

    Raises ValueError for a term that is none for `what` (vm, database or cache), and for shares above 1.
    """
    return checked(given, SOLD[what], lambda name: _unpayable(what, name))


def _unpayable(what: str, name: str) -> str:
    if name == "spot":
        return f"{CALLED[what]} cannot be bought on spot, only EC2 instances can"
    if any(name in sold for sold in SOLD.values()):
        return f"{name} does not cover {CALLED[what]}: {WHAT_PLANS_COVER[name.partition('_sp')[0]]}"
    hint = did_you_mean(name, list(SOLD[what]))
    return f"no term {name[:60]!r}{hint}{' ' if hint else '; '}known are {', '.join(IN_SHORT[what])}"


def unfit(what: str, engine: str, terms: Collection[str]) -> str:
    """Return why an engine of a database or cache cannot be paid by one of the terms it is sold by, or "".

    Source: https://docs.aws.amazon.com/savingsplans/latest/userguide/, Database Savings Plans: of ElastiCache Valkey.
    """
    plans = [term for term in terms if term in DATABASE_PLANS]
    if what == "cache" and engine == "redis" and plans:
        return f"{plans[0]}: AWS Database Savings Plans cover Valkey, not Redis: set engine to valkey"
    return ""


def reserved(lease: str, option: str, offering_class: str) -> str:
    """Return the term of a reservation by the price list's lease (1yr, 3yr), purchase option and class, "" for none.

    >>> reserved("1yr", "No Upfront", "standard"), reserved("3yr", "All Upfront", "convertible")
    ('reserved_1y_no_upfront', '')
    """
    years = {"1yr": "1y", "3yr": "3y", "1 yr": "1y", "3 yr": "3y"}.get(lease, "")
    paid = {"no upfront": "no", "partial upfront": "partial", "all upfront": "all"}.get(option.lower(), "")
    # RDS and ElastiCache have one class and leave it out or call it standard.
    return f"reserved_{years}_{paid}_upfront" if years and paid and offering_class in ("standard", "") else ""
