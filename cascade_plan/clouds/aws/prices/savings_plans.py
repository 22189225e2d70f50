"""What an hour of each instance type costs under a savings plan.

Source: https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_DescribeSavingsPlansOfferingRates.html; which
plans discount which products: the service's model in botocore 1.44.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from cascade_plan.clouds.aws.prices.client import PATIENT, Patience, client, listing
from cascade_plan.clouds.aws.prices.discounted import discounted
from cascade_plan.errors import CloudError
from cascade_plan.model.terms import HOURS_PER_YEAR
from cascade_plan.prices.rates import Rate, Request

SOURCE: Final = "aws-savings-plans"
HOME: Final = "us-east-1"
"""The service is global; its requests are signed for this region."""
PAGE_SIZE: Final = 1000
CHUNK: Final = 50
"""Types of one query: twelve rates each, and as many for capacity that is reserved and unused."""
YEARS: Final[Mapping[int, str]] = {years * HOURS_PER_YEAR * 3600: f"{years}y" for years in (1, 3)}
"""Seconds of a plan's term -> the book's name of it."""
UPFRONT: Final[Mapping[str, str]] = {"No Upfront": "no", "Partial Upfront": "partial", "All Upfront": "all"}


class Family(NamedTuple):
    """Savings plans that discount the instances of one service."""

    service: str
    """The book's name of it."""
    offer: str
    product: str
    """The plans' name of it."""
    plans: Mapping[str, str]
    """Type of a plan -> how the book's terms begin."""
    properties: Mapping[str, str]
    """What a rate must say of itself besides its region; AWS selects by it."""
    is_by_type: bool
    """Whether AWS can be asked for the wanted types alone: rates of databases name a family in place of some types."""


FAMILIES: Final = (
    Family(
        "ec2",
        "AmazonEC2",
        "EC2",
        {"Compute": "compute_sp", "EC2Instance": "ec2_instance_sp"},
        {"productDescription": "Linux/UNIX", "tenancy": "shared"},
        True,
    ),
    Family("rds", "AmazonRDS", "RDS", {"Database": "database_sp"}, {}, False),
    Family("elasticache", "AmazonElastiCache", "ElastiCache", {"Database": "database_sp"}, {}, False),
)


def rates(request: Request, endpoint_url: str | None = None, patience: Patience = PATIENT) -> Iterator[Rate]:
    """Yield the rates of savings plans for each wanted instance type: of EC2 those of Linux and shared tenancy.

    AWS gives a rate no date: it counts from `request.today`.
    Raises CloudError when AWS cannot be asked or answers nonsense.
    """
    with client("savingsplans", HOME, endpoint_url, patience) as plans:
        ask = plans.describe_savings_plans_offering_rates
        for family in FAMILIES:
            for query in _queries(family, request) if family.service in request.services else ():
                for page in listing(ask, "searchResults", "nextToken", **query):
                    request.progress("savings plans", len(page))
                    for result in page:
                        if rate := _rate(result, family, request):
                            yield rate


def _queries(family: Family, request: Request) -> Iterator[dict[str, Any]]:
    """Yield what to ask of a family of plans; nothing where no type is wanted."""
    wanted = sorted(request.items.get(family.service, ()))
    step = CHUNK if family.is_by_type else max(len(wanted), 1)
    for first in range(0, len(wanted), step):
        types = {"instanceType": wanted[first : first + step]} if family.is_by_type else {}
        of = {"region": [request.region], **{name: [value] for name, value in family.properties.items()}, **types}
        yield {
            "savingsPlanTypes": list(family.plans),
            "products": [family.product],
            "serviceCodes": [family.offer],
            "filters": [{"name": name, "values": values} for name, values in of.items()],
            "maxResults": PAGE_SIZE,
        }


def _rate(result: Any, family: Family, request: Request) -> Rate | None:
    """Return an entry's rate, None for another region, product or plan. Raises CloudError for nonsense."""
    try:
        offering = result["savingsPlanOffering"]
        usage, operation = result["usageType"], result["operation"]
        properties = {entry["name"]: entry["value"] for entry in result["properties"]}
        plan, length = family.plans.get(offering["planType"]), YEARS.get(offering["durationSeconds"])
        upfront = UPFRONT.get(offering["paymentOption"])
        offering_id = offering["offeringId"]
        currency = offering.get("currency", "")
    except (KeyError, TypeError, AttributeError) as error:
        raise CloudError(f"a savings plan's rate in {request.region} is not complete: try again") from error
    here = {"region": request.region, **family.properties}
    if any(properties.get(name) != value for name, value in here.items()):
        return None
    key = discounted(family.offer, usage, operation, f"{plan}_{length}_{upfront}_upfront")
    if key is None or not request.wants(key):
        return None
    return Rate(
        key=key,
        unit="hour",
        sku=f"{offering_id}/{usage}",
        offer_term=offering_id,
        published_unit=result.get("unit", ""),
        amount=result.get("rate") or "",
        currency=currency,
        effective=request.today.isoformat(),
        as_of=request.today.isoformat(),
        source=SOURCE,
    )
