"""Where AWS's prices are renewed from, and which parts of a book each update renews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from cascade_plan.clouds.aws.products import LISTED
from cascade_plan.clouds.aws.products import PUBLISHED as PUBLISHED

if TYPE_CHECKING:
    from cascade_plan.prices.rates import Rate, Request
    from cascade_plan.prices.updating import Wish

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
"""Update -> the sections of a book it renews whole."""
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
    if "ec2" in request.services:
        yield from savings_plans.rates(request, wish.endpoint_url)
    if SPOT in wish.services:
        yield from spot.rates(request, wish.endpoint_url, wish.spot_percentile, wish.spot_window_days)


def policy() -> str:
    """Return the smallest IAM policy that allows an update, as JSON."""
    from cascade_plan.clouds.aws.prices import client

    return client.policy()
