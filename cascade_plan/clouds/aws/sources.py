"""Where AWS's prices are renewed from, and which parts of a book each update renews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from cascade_plan.clouds.aws.product import PUBLISHED as PUBLISHED
from cascade_plan.clouds.aws.products import LISTED as LISTED

if TYPE_CHECKING:
    from cascade_plan.prices.rates import Rate, Request
    from cascade_plan.prices.updating import Wish

REGIONS: Final = (
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
)  # fmt: skip
"""The regions that prices can be asked of, for suggestions alone: an update asks of any. Those in China have a price
list of their own. Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"""
SPOT: Final = "spot"
"""The update of spot prices alone."""


def _sections_of() -> dict[str, tuple[str, ...]]:
    sections: dict[str, dict[str, None]] = {}
    for product in LISTED:
        for section in (product.section, product.committed):
            if section is not None:
                sections.setdefault(product.service, {})[section.name] = None
        if product.spot is not None:
            sections.setdefault(SPOT, {})[product.spot.name] = None
    return {update: tuple(names) for update, names in sections.items()}


SECTIONS_OF: Final[Mapping[str, tuple[str, ...]]] = _sections_of()
"""Update -> the sections of a book that its prices stand in."""
SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "bulk": tuple(update for update in SECTIONS_OF if update != SPOT),
    "api": tuple(SECTIONS_OF),
}
"""Source -> the updates it has; the bulk offers hold no spot prices."""


def rates(request: Request, wish: Wish) -> Iterator[Rate]:
    """Yield what AWS publishes of what a request wants. Raises CloudError when AWS cannot be asked."""
    if wish.source == "bulk":
        from cascade_plan.clouds.aws.prices import bulk

        yield from bulk.rates(request, wish.endpoint_url or bulk.BASE_URL)
        return
    from cascade_plan.clouds.aws.prices import query_api, savings_plans, spot

    yield from query_api.rates(request, wish.endpoint_url)
    yield from savings_plans.rates(request, wish.endpoint_url)
    if SPOT in wish.services:
        yield from spot.rates(request, wish.endpoint_url, wish.spot_percentile, wish.spot_window_days)


def policy() -> str:
    """Return the smallest IAM policy that allows an update, as JSON."""
    from cascade_plan.clouds.aws.prices import client

    return client.policy()
