"""How a cloud's own bill words what a price is for, in the columns of FOCUS.

What the FinOps Open Cost and Usage Specification allows as categories stands there:
https://focus.finops.org/focus-columns/ (ServiceCategory, ServiceSubcategory).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cascade_plan.model.price import UNITS

_WORD: Final = re.compile(r"(?<![A-Za-z0-9/])[a-z](?![A-Z])", re.ASCII)
"""The small letter that begins a word, but for one such as vCPU."""
PROVIDERS: Final[Mapping[str, tuple[str, str]]] = {
    "1.2": ("ProviderName", "PublisherName"),
    "1.4": ("HostProviderName", "ServiceProviderName"),
}
"""Version of FOCUS -> its columns of who provides. 1.3 has both pairs, which readers of 1.4 refuse."""
VERSIONS: Final = tuple(PROVIDERS)
OTHER: Final = ("Other", "Other (Other)")
"""Category and subcategory of what the specification has none for."""


@dataclass(frozen=True, slots=True)
class Billed:
    """What a line of a bill says beside its amounts."""

    provider: str
    """Who provides it, sells it and sends the invoice: one name, as one company does all three."""
    service: str
    category: str
    subcategory: str
    unit: str
    """What the bill counts it in, such as Hours."""
    unit_count: Decimal = Decimal(1)
    """How many of the bill's unit one of the book's is."""
    region: str = ""
    """The region's name for people."""
    service_code: str = ""
    usage_type: str = ""
    """What the bill calls the usage; empty where that is not known."""


def unit_words(unit: str) -> str:
    """Return a unit of the book as a bill in FOCUS writes it: of several, each word with a capital.

    >>> unit_words("gib_month"), unit_words("vcpu_hour"), unit_words("month"), unit_words("peak users")
    ('GiB-Months', 'vCPU-Hours', 'Months', 'Peak Users')
    """
    words = UNITS.get(unit) or ("months" if unit == "month" else unit)
    return _WORD.sub(lambda letter: letter[0].upper(), words)
