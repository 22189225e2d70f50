"""A price list says a price twice: as a number, and in words ("$0.006 per used capacity unit-hour").

A damaged number is seen by its words. AWS writes the same amount in both: of 267 rows that name an amount, 69 of its
offers of 2018 to 2026 and 198 of bills that repeat an offer's words (2023-11, 2024-09), none differs. Words may count
by the thousand or the million what the number counts one by one, or name no amount at all.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_AMOUNT: Final = re.compile(
    r"(?:\$|\bUSD) ?\$?((?:[0-9][0-9,]*(?:\.[0-9]+)?|\.[0-9]+)(?:E-?[0-9]{1,2})?)", re.ASCII | re.IGNORECASE
)
"""As AWS writes it: $0.008, $ 0.337, $.04, USD 0.018, USD1.0E-4, USD $0.30."""
_MANY: Final = re.compile(
    r"\b(?:([0-9][0-9,]*) ?)?(million|thousand|[KM])\b|\b([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{4,})\b",
    re.ASCII | re.IGNORECASE,
)
"""By how many words count: per 1,000 PUT requests, per 10000 API Requests, per RDS million I/O requests, per 1M."""
_SCALE: Final = {"million": 10**6, "m": 10**6, "thousand": 10**3, "k": 10**3, "": 1}


def contradicts(description: str, price: Decimal, count: Decimal = Decimal(1)) -> bool:
    """Return whether words name amounts of money, and none of them is the price.

    `count` is how many of a smaller unit one of the price's is, where the words may name the price of that: $0.048 per
    MiBps-month is 49.152 per GiBps-month.

    >>> contradicts("$0.006 per used capacity unit-hour", Decimal("0.0061"))
    True
    >>> contradicts("$0.005 per 1,000 PUT, COPY, POST, or LIST requests", Decimal("0.000005"))
    False
    >>> contradicts("Hourly charge for Regional NAT Gateways", Decimal("0.048"))
    False
    """
    named = [_number(amount) for amount in _AMOUNT.findall(description)]
    many = [
        _number(scaled or plain or "1") * _SCALE[scale.lower()] for scaled, scale, plain in _MANY.findall(description)
    ]
    prices_said = {price, price / count, *(price * each for each in many)}
    return bool(named) and prices_said.isdisjoint(named)


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))
