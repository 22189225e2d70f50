"""What an offer file says, whatever its layout: which edition it is, which products a request wants, and their terms.

Layouts: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Final, NamedTuple

from cascade_plan.clouds.aws.product import Product
from cascade_plan.clouds.aws.products import products_of
from cascade_plan.clouds.aws.terms import reserved
from cascade_plan.errors import CloudError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices.rates import Rate, Request

FORMAT: Final = "v1.0"
"""The only version of the layouts there has been."""
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Edition(NamedTuple):
    """Which edition of which offer a file is."""

    offer: str
    version: str
    """The moment it was made, as 14 digits."""
    as_of: str
    """The day it was published, YYYY-MM-DD."""

    @property
    def source(self) -> str:
        """What a price of this edition gives as its source."""
        return f"AWS price list {self.offer} {self.version}"


class Found(NamedTuple):
    """A product that a request wants."""

    kind: Product
    key: PriceKey
    """On demand."""
    sku: str
    is_neutral: bool = False
    """Whether it is one that AWS lists for all alike."""


class Dimension(NamedTuple):
    """One price of one term of a product."""

    offer_term: str
    effective: str
    unit: str
    amount: str
    currency: str
    begin: str
    end: str
    description: str
    rate_code: str


class Wanted:
    """The products that a request wants of one offer."""

    __slots__ = ("_kinds", "_offer", "_request")

    def __init__(self, request: Request, offer: str) -> None:
        self._request = request
        self._offer = offer
        self._kinds = tuple(kind for kind in products_of(request.services) if kind.code == offer)

    def __bool__(self) -> bool:
        return bool(self._kinds)

    @property
    def attributes(self) -> frozenset[str]:
        """Names of the attributes that tell the wanted products from the others."""
        return frozenset().union(*(kind.attributes for kind in self._kinds))

    def keep_known(self, known: Container[str], shown: Callable[[str], str] = str) -> None:
        """Leave out the kinds that a file cannot have, as none of its products has an attribute that tells them.

        A file has the attributes of the products that are sold in its region. Raises CloudError naming what is missing,
        as the file would show it, when that leaves none, or leaves out instances, which are sold in every region.
        """
        lacking = [(kind, [name for name in kind.attributes if name not in known]) for kind in self._kinds]
        kept = tuple(kind for kind, names in lacking if not names)
        broken = {shown(name) for kind, names in lacking if not (kept and kind.item) for name in names}
        check_names(self._offer, broken, ())
        self._kinds = kept

    def find(self, attributes: Mapping[str, str], sku: str) -> Found | None:
        """Return what a product is for the book, or None when it is not wanted or of another region."""
        for kind in self._kinds:
            if attributes.get(kind.region_attribute) == self._request.region:
                key = kind.key_of(attributes)
                if key is not None:
                    wanted = self._request.wants(key)
                    return Found(kind, key, sku, kind.is_neutral(attributes)) if wanted else None
        return None

    def marks(self) -> tuple[tuple[str, ...], ...]:
        """Return for each kind the texts that stand in every product of it, the rarest first."""
        region = self._request.region
        return tuple((usage_mark(kind.usage), *kind.fixed.values(), region) for kind in self._kinds)


def usage_mark(pattern: str) -> str:
    r"""Return the text that every usage type of a pattern begins with, after the region's code.

    >>> usage_mark(r"BoxUsage:\S+"), usage_mark(r"EBS:VolumeUsage\.gp3")
    ('BoxUsage:', 'EBS:VolumeUsage.gp3')
    """
    literal = re.match(r"(?:(?:\\[.-]|[\w:-])(?![?*{|]))*", pattern, re.ASCII)
    return literal[0].replace("\\", "") if literal else ""


def edition_of(offer: str, code: str, said: Mapping[str, str]) -> Edition:
    """Return which edition a file is from what it says of itself, by the JSON layout's names.

    `code` is the offer's code inside the file. Raises CloudError for another offer, another layout and no date.
    """
    if (layout := said.get("formatVersion", "")) != FORMAT:
        raise CloudError(f"{offer}: not an offer file of layout {FORMAT}, but {layout or 'something else'!r}")
    if (found := said.get("offerCode", "")) != code:
        raise CloudError(f"{offer}: the file is the offer {found!r}, not {code!r}")
    published = said.get("publicationDate", "")[:10]
    if not _DATE.fullmatch(published):
        raise CloudError(f"{offer}: the file does not say when it was published: {published!r}")
    return Edition(offer, said.get("version", ""), published)


def check_names(offer: str, needed: Iterable[str], known: Iterable[str]) -> None:
    """Raise CloudError naming the needed headings or attributes that a file does not have."""
    if missing := sorted(set(needed) - set(known)):
        shown = ", ".join(map(repr, missing))
        raise CloudError(f"{offer}: the layout has changed, there is no {shown}; a newer cascade-plan may know it")


def rate_of(edition: Edition, found: Found, key: PriceKey, price: Dimension) -> Rate:
    """Return the rate that one price of a wanted product is; `key` has the term.

    Raises CloudError when the price is another product's.
    """
    check_rate_code(edition.offer, price.rate_code, found.sku, price.offer_term)
    return Rate(
        key=key,
        unit=found.kind.unit,
        sku=found.sku,
        offer_term=price.offer_term,
        published_unit=found.kind.unit_of(price.unit),
        amount=price.amount,
        currency=price.currency,
        effective=price.effective[:10],
        as_of=edition.as_of,
        source=edition.source,
        # An upfront fee has no range.
        begin=price.begin or "0",
        end=price.end or "Inf",
        tiered=found.kind.is_tiered,
        is_neutral=found.is_neutral,
        description=price.description,
    )


def check_rate_code(offer: str, rate_code: str, sku: str, offer_term: str) -> None:
    """Raise CloudError unless the code of a price, which begins with its product's and its term's, is of these two."""
    if rate_code and not rate_code.startswith(f"{sku}.{offer_term}."):
        raise CloudError(
            f"{offer}: the file is damaged: the price {rate_code!r} stands at the product {sku!r} and its term"
            f" {offer_term!r}; try again"
        )


def key_in(found: Found, lease: str, option: str, offering_class: str) -> PriceKey | None:
    """Return the key of a product's reservation, or None when the book has no such term."""
    term = reserved(lease, option, offering_class)
    return found.key._replace(term=term) if term else None
