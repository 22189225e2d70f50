"""What instances do at most of one thing, and what requests ask of each of them.

A tier declares its ceilings when it is sized; plans, the search for the least fleet and simulations hold the same ones
against the rates they look at, so that none of them passes what another refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final, Literal, NamedTuple

from cascade_plan.model.derivation import Finding

NEAR: Final = 0.8
"""The share of a ceiling from which on it is said to be near (assumption)."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What each of some instances is asked at a rate of requests, in the unit of a figure."""

    each_units_per_request: float = 0.0
    """By a request of every instance, such as a write that all replicas replay."""
    shared_units_per_request: float = 0.0
    """By a request of all instances together."""
    flat_units: float = 0.0
    """Whatever the rate, of all instances together, such as what is stored."""
    saving_units_per_request: float = 0.0
    """By a request of every instance, up to the most below: flushes that take others with them."""
    saving_units_per_s_max: float | None = None

    def at(self, requests_per_s: float, part: float) -> float:
        """Return what one instance is asked that has so large a part of what is shared."""
        saving = self.saving_units_per_request * requests_per_s
        if self.saving_units_per_s_max is not None:
            saving = min(saving, self.saving_units_per_s_max)
        shared = (self.shared_units_per_request * requests_per_s + self.flat_units) * part
        return shared + self.each_units_per_request * requests_per_s + saving

    def requests_per_s(self, limit: float, part: float) -> float:
        """Return the rate of requests at which one instance is asked so much; infinite where they ask nothing."""
        slope = self.each_units_per_request + self.shared_units_per_request * part
        left, most = limit - self.flat_units * part, self.saving_units_per_s_max
        if most is not None and self.saving_units_per_request and left >= most:
            whole = (left - most) / slope if slope else inf
            if whole * self.saving_units_per_request >= most:
                return whole
        slope += self.saving_units_per_request
        return max(0.0, left / slope) if slope else inf


class BurstRate(NamedTuple):
    """The most of one thing that is done for a while, and then not again before a rest."""

    limit: float
    """In the unit of the figure."""
    lasting_s: float
    """For how long, at least."""

    @classmethod
    def above(cls, sustained: float, limit: float | None, lasting_s: float | None) -> BurstRate | None:
        """Return a burst, or None where it does no more than all the time, or nothing is known of it."""
        return None if limit is None or lasting_s is None or limit <= sustained else cls(limit, lasting_s)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most of one thing that each of some instances does."""

    figure: str
    """The figure that is held against it."""
    code: str
    """Of the finding where it is broken or near."""
    asks: str
    """Who is asked, as a sentence begins: "the primary is asked"."""
    does: str
    """What does the most, as a sentence begins: "its 100 GiB of gp3 do"."""
    unit: str
    """Of the amounts as they are shown."""
    demand: Demand
    limit: float
    """In the unit of the figure."""
    way: str
    """What raises it, in words."""
    lever: str = ""
    """What counts the instances that share the work; empty where one does it all."""
    count: int = 1
    """How many of them there are where nothing else is said."""
    stands_in: bool = False
    """Whether it is one instance, which does the shared work only while the lever's count is 0."""
    rate: Literal["peak", "average"] = "peak"
    """Whether it is the busiest moment that counts, or the mean of a day."""
    bytes_per_unit: float = 1.0
    """2**20 where MiB are shown and the figure counts bytes."""
    burst: BurstRate | None = None
    """What it does for a while; None where it never does more."""
    rests_on: tuple[str, ...] = ()
    """Dotted paths of the assumptions that what is asked, or the most, rests on."""
    of_others: bool = False
    """Whether how many there are of other tiers decides what is asked, so that only a whole fleet can be held to it."""

    def asked(self, requests_per_s: float, counts: Mapping[str, int]) -> float:
        """Return what one instance is asked; `counts` overrides the lever's count. 0 where there is no instance."""
        part = self._part(counts)
        return 0.0 if part is None else self.demand.at(requests_per_s, part)

    def broken(self, requests_per_s: float, counts: Mapping[str, int]) -> str:
        """Return in words what breaks it at a rate, and what raises it, or "" where nothing does."""
        asked = self.asked(requests_per_s, counts)
        return f"{self._compared(asked)}: {self.way}" if asked > self.limit else ""

    def finding(self, requests_per_s: float, above: Mapping[str, float]) -> Finding | None:
        """Return that it is broken, or that it is near; None where it is far.

        `above` says for how many seconds on end which loads are above it.
        """
        if words := self.broken(requests_per_s, {}):
            words += self._bursting(requests_per_s, above)
            return Finding("warning", self.code, words, self.figure, is_broken=True, rests_on=self.rests_on)
        asked = self.asked(requests_per_s, {})
        if asked < NEAR * self.limit:
            return None
        near = f"{self._compared(asked)}: {asked / self.limit:.0%} of it"
        return Finding("info", f"{self.code}-near", near, self.figure, rests_on=self.rests_on)

    def requests_per_s_most(self, counts: Mapping[str, int]) -> float:
        """Return the highest rate of requests that does not break it; infinite where requests ask nothing of it."""
        part = self._part(counts)
        return inf if part is None else self.demand.requests_per_s(self.limit, part)

    def _bursting(self, requests_per_s: float, above: Mapping[str, float]) -> str:
        """Return for how long a burst carries what is above the limit, in words; "" where there are no bursts."""
        longest = max(above, key=lambda load: above[load], default="")
        if self.burst is None or not longest:
            return ""
        most = shown(self.burst.limit / self.bytes_per_unit)
        if self.asked(requests_per_s, {}) > self.burst.limit:
            return f"; even in a burst it does {most}"
        lasts, is_carried = spell(self.burst.lasting_s), above[longest] <= self.burst.lasting_s
        then = "once it has rested, that carries it" if is_carried else "then it is slowed"
        return f"; a burst of {most} lasts {lasts}, {longest} {spell(above[longest])}: {then}"

    def _part(self, counts: Mapping[str, int]) -> float | None:
        """Return the part of what is shared that an instance has; None where there is no instance."""
        count = counts.get(self.lever, self.count)
        if self.stands_in:
            return 0.0 if count else 1.0
        return 1 / count if count else None

    def _compared(self, asked: float) -> str:
        amount, most = shown(asked / self.bytes_per_unit), shown(self.limit / self.bytes_per_unit)
        if amount == most and asked > self.limit:
            amount = f"more than {amount}"
        return f"{self.asks} {amount} {self.unit}; {self.does} {most}"


def spell(seconds: float) -> str:
    """Return a time as a person says it.

    >>> spell(45), spell(60), spell(1800), spell(5400), spell(86400)
    ('45 s', '1 minute', '30 minutes', '1.5 hours', '24 hours')
    """
    amount, unit = (seconds, "s") if seconds < 60 else (seconds / 60, "minute")
    if seconds >= 3600:
        amount, unit = seconds / 3600, "hour"
    plural = "" if unit == "s" or round(amount, 1) == 1 else "s"
    return f"{round(amount, 1):g} {unit}{plural}"


def shown(amount: float) -> str:
    """Return an amount as a person reads it: whole from 100 on, else with three digits.

    >>> shown(12345.6), shown(99.46), shown(0.01234)
    ('12,346', '99.5', '0.0123')
    """
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"
