"""What an hour of each instance type costs under a savings plan.

Source: https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_DescribeSavingsPlansOfferingRates.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cascade_plan.clouds.aws.prices.client import PATIENT, Patience, client, listing
from cascade_plan.clouds.aws.product import PREFIX
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.model.terms import HOURS_PER_YEAR
from cascade_plan.prices.rates import Rate, Request

SOURCE: Final = "aws-savings-plans"
HOME: Final = "us-east-1"
"""The service is global; its requests are signed for this region."""
PAGE_SIZE: Final = 1000
CHUNK: Final = 50
"""Types of one query: twelve rates each, and as many for capacity that is reserved and unused."""
PLANS: Final[Mapping[str, str]] = {"Compute": "compute_sp", "EC2Instance": "ec2_instance_sp"}
YEARS: Final[Mapping[int, str]] = {years * HOURS_PER_YEAR * 3600: f"{years}y" for years in (1, 3)}
"""Seconds of a plan's term -> the book's name of it."""
UPFRONT: Final[Mapping[str, str]] = {"No Upfront": "no", "Partial Upfront": "partial", "All Upfront": "all"}
_RUNNING: Final = re.compile(PREFIX + r"BoxUsage:\S+", re.ASCII)
"""An instance that runs; UnusedBox is a reserved one that does not, at the same type and region."""


def rates(request: Request, endpoint_url: str | None = None, patience: Patience = PATIENT) -> Iterator[Rate]:
    """Yield the rates of Compute and EC2 Instance Savings Plans for each wanted EC2 type: Linux, shared tenancy.

    AWS gives a rate no date: it counts from `request.today`.
    Raises CloudError when AWS cannot be asked or answers nonsense.
    """
    wanted = sorted(request.items.get("ec2", ()))
    with client("savingsplans", HOME, endpoint_url, patience) as plans:
        for first in range(0, len(wanted), CHUNK):
            query = _query(request.region, wanted[first : first + CHUNK])
            ask = plans.describe_savings_plans_offering_rates
            for page in listing(ask, "searchResults", "nextToken", **query):
                request.progress("savings plans", len(page))
                for result in page:
                    if rate := _rate(result, request):
                        yield rate


def _query(region: str, types: list[str]) -> dict[str, Any]:
    filters = {
        "region": [region],
        "productDescription": ["Linux/UNIX"],
        "tenancy": ["shared"],
        "instanceType": types,
    }
    return {
        "savingsPlanTypes": list(PLANS),
        "products": ["EC2"],
        "serviceCodes": ["AmazonEC2"],
        "filters": [{"name": name, "values": values} for name, values in filters.items()],
        "maxResults": PAGE_SIZE,
    }


def _rate(result: Any, request: Request) -> Rate | None:
    """Return an entry's rate, None for another region, platform, tenancy or plan. Raises CloudError for nonsense."""
    try:
        offering = result["savingsPlanOffering"]
        usage = result["usageType"]
        properties = {entry["name"]: entry["value"] for entry in result["properties"]}
        plan, length = PLANS.get(offering["planType"]), YEARS.get(offering["durationSeconds"])
        upfront = UPFRONT.get(offering["paymentOption"])
        offering_id, item = offering["offeringId"], properties["instanceType"]
        currency = offering.get("currency", "")
    except (KeyError, TypeError, AttributeError) as error:
        raise CloudError(f"a savings plan's rate in {request.region} is not complete: try again") from error
    here = {"region": request.region, "productDescription": "Linux/UNIX", "tenancy": "shared"}
    if any(properties.get(name) != value for name, value in here.items()) or not _RUNNING.fullmatch(usage):
        return None
    if not (plan and length and upfront and item in request.items.get("ec2", ())):
        return None
    return Rate(
        key=PriceKey("ec2", item, "linux", f"{plan}_{length}_{upfront}_upfront"),
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
