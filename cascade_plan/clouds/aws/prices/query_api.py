"""Prices from the Price List Query API: the products that a book needs, asked for by their attributes.

Source: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html; the layout of
an answer's entries: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-the-aws-price-list-query-api.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from cascade_plan.clouds.aws.prices.client import PATIENT, Patience, client, listing
from cascade_plan.clouds.aws.prices.offers import check_rate_code
from cascade_plan.clouds.aws.product import Product
from cascade_plan.clouds.aws.products import products_of
from cascade_plan.clouds.aws.terms import reserved
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.layout import CURRENCY
from cascade_plan.prices.rates import Rate, Request

SOURCE: Final = "aws-query-api"
HOME: Final = "us-east-1"
"""Where the API is; it answers for every region of the partition."""
PAGE_SIZE: Final = 100
"""The most that GetProducts gives at once."""
THREADS: Final = 4
"""Queries that run at a time."""

_Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class _Dimension(_Answer):
    unit: str = ""
    begin_range: str = "0"
    end_range: str = "Inf"
    description: str = ""
    rate_code: str = ""
    price_per_unit: Mapping[str, str | None] = {}

    def price(self) -> tuple[str, str]:
        """Return the amount and its currency: the book's where there is one, else the first."""
        if not self.price_per_unit or CURRENCY in self.price_per_unit:
            return self.price_per_unit.get(CURRENCY) or "", CURRENCY
        currency, amount = next(iter(self.price_per_unit.items()))
        return amount or "", currency


class _Term(_Answer):
    offer_term_code: str = ""
    effective_date: _Day
    price_dimensions: Mapping[str, _Dimension] = {}
    term_attributes: Mapping[str, str] = {}


class _Terms(_Answer):
    on_demand: Mapping[str, _Term] = Field({}, alias="OnDemand")
    reserved: Mapping[str, _Term] = Field({}, alias="Reserved")


class _Described(_Answer):
    sku: Annotated[str, StringConstraints(min_length=1)]
    product_family: str = ""
    attributes: Mapping[str, str]


class _Entry(_Answer):
    product: _Described
    terms: _Terms = _Terms()
    publication_date: _Day | None = None


def rates(request: Request, endpoint_url: str | None = None, patience: Patience = PATIENT) -> Iterator[Rate]:
    """Yield the rates of every wanted product, in the order of `PRODUCTS`.

    A wanted product without an on-demand price has a rate without an amount, so that it does not go unnoticed.
    Raises CloudError when AWS cannot be asked or answers nonsense, and when none of the products is in the region.
    """
    products = products_of(request.services)
    stopped = Event()
    with client("pricing", HOME, endpoint_url, patience) as pricing, ThreadPoolExecutor(THREADS) as pool:
        queries = {pool.submit(_read, pricing, product, request, stopped): product for product in products}
        try:
            for query in as_completed(queries):
                count, _ = query.result()
                request.progress(queries[query].code, count)
        finally:
            # Ctrl-C, too, waits only for the pages that are being read.
            stopped.set()
            pool.shutdown(cancel_futures=True)
    if queries and not any(query.result()[0] for query in queries):
        raise CloudError(f"AWS lists nothing that is wanted in {request.region}: check the region's name")
    for query in queries:
        yield from query.result()[1]


def _read(pricing: Any, product: Product, request: Request, stopped: Event) -> tuple[int, list[Rate]]:
    """Return how many products of a kind there are, and the rates of the wanted ones; less than all once stopped."""
    count = 0
    found: list[Rate] = []
    if stopped.is_set():
        return count, found
    try:
        for page in listing(pricing.get_products, "PriceList", "NextToken", **_query(product, request.region)):
            for text in page:
                entry = _entry(text, product.code, request.region)
                attributes = _attributes(entry.product)
                if key := _key(attributes, product, request.region):
                    count += 1
                    rates_of = _rates_of(entry, key, product, request) if request.wants(key) else ()
                    is_neutral = product.is_neutral(attributes)
                    found += (rate._replace(is_neutral=is_neutral) for rate in rates_of)
            if stopped.is_set():
                break
    except Exception:
        # One failure ends the update: what runs stops at its next page, what waits asks nothing.
        stopped.set()
        raise
    return count, found


def _query(product: Product, region: str) -> dict[str, Any]:
    terms = {**product.fixed, product.region_attribute: region}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in terms.items()]
    return {"ServiceCode": product.code, "Filters": filters, "FormatVersion": "aws_v1", "MaxResults": PAGE_SIZE}


def _attributes(described: _Described) -> dict[str, str]:
    """Return a product's attributes with its family, which stands beside them."""
    return {**described.attributes, "productFamily": described.product_family}


def _key(attributes: Mapping[str, str], product: Product, region: str) -> PriceKey | None:
    """Return what a listed product prices, or None when it is of another kind or region."""
    return product.key_of(attributes) if attributes.get(product.region_attribute) == region else None


def _entry(text: Any, offer: str, region: str) -> _Entry:
    """Return an entry of a page. Its numbers stay text, as a price has more digits than a float keeps."""
    try:
        return _Entry.model_validate(json.loads(text, parse_float=str, parse_int=str, parse_constant=str))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CloudError(f"{offer} in {region}: an entry of the price list has no valid {where}: try again") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise CloudError(f"{offer} in {region}: an entry of the price list is not JSON: try again") from error


def _rates_of(entry: _Entry, key: PriceKey, product: Product, request: Request) -> Iterator[Rate]:
    as_of = (entry.publication_date or request.today.isoformat())[:10]
    nothing = Rate(
        key=key,
        unit=product.unit,
        sku=entry.product.sku,
        offer_term="",
        published_unit="",
        amount="",
        currency=CURRENCY,
        effective=request.today.isoformat(),
        as_of=as_of,
        source=SOURCE,
        tiered=product.is_tiered,
    )
    priced = False
    for term in entry.terms.on_demand.values():
        for rate in _rates_in(term, nothing, product):
            priced = True
            yield rate
    if not priced:
        yield nothing
    for term in entry.terms.reserved.values():
        of = term.term_attributes
        lease, option = of.get("LeaseContractLength", ""), of.get("PurchaseOption", "")
        if name := reserved(lease, option, of.get("OfferingClass", "")):
            yield from _rates_in(term, nothing._replace(key=key._replace(term=name)), product)


def _rates_in(term: _Term, blank: Rate, product: Product) -> Iterator[Rate]:
    """Yield a rate for each dimension of a term. Raises CloudError for one that is another product's."""
    for dimension in term.price_dimensions.values():
        check_rate_code(product.code, dimension.rate_code, blank.sku, term.offer_term_code)
        amount, currency = dimension.price()
        yield blank._replace(
            offer_term=term.offer_term_code,
            published_unit=product.unit_of(dimension.unit),
            amount=amount,
            currency=currency,
            effective=term.effective_date[:10],
            begin=dimension.begin_range,
            end=dimension.end_range,
            description=dimension.description,
        )
