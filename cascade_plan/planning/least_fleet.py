"""The method slo: the least fleet that meets every load's latency with a zone and a node lost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from cascade_plan.errors import InfeasibleError
from cascade_plan.formulas.losses import least_count
from cascade_plan.model.bill import Bill
from cascade_plan.model.fleet import Fleet, Lever
from cascade_plan.model.solution import Rejection, Solution
from cascade_plan.planning.billing import bill_of
from cascade_plan.planning.cases import Case, Counts, all_left, base_cases, floor_cases, held_cases, unfit
from cascade_plan.planning.chain import Chain, chain
from cascade_plan.planning.enlarging import enlarged
from cascade_plan.planning.predicting import held_count, keeps, meets
from cascade_plan.planning.promises import scale
from cascade_plan.planning.sizing import Brief, followed, places, size

NODES_MOST: Final = 100_000
MANY: Final = 10_000
"""Instances so many that they are never what binds."""
TRIED: Final = 6
"""Instances more than needed that are tried, for a fleet with fewer nodes that costs less."""
TRIES_MOST: Final = 500


def least_fleet(brief: Brief) -> Fleet:
    """Return the least fleet that meets every load: pods a node are those that the rules choose, and so are shapes.

    Where no count helps, the cheapest larger shape does, if the scenario does not name it.
    Raises UsageError for an unknown shape and InfeasibleError when no fleet meets the loads, naming what binds, or the
    shape that would do.
    """
    sizes = enlarged(brief)
    brief, fleet = sizes
    while True:
        found = size(brief, solve(brief, fleet))
        if not _is_taken_from(found, fleet):
            return sizes.said(found)
        # What stands beside pods may grow with them, as Prometheus does: they are searched again with less room.
        fleet = found


def _is_taken_from(found: Fleet, searched: Fleet) -> bool:
    """Return whether what stands on nodes before pods requests more than it did when their counts were searched."""
    rooms = zip(found.workloads, searched.workloads, strict=True)
    return any(one.room is not None and other.room is not None and one.room.asks_more(other.room)
               for one, other in rooms)  # fmt: skip


def solve(brief: Brief, fleet: Fleet) -> Solution:
    """Return the least counts of every lever that is searched; shapes and pods a node are those of `fleet`.

    Counts are searched together, because latency is shared: for each number of instances that no autoscaler moves the
    least nodes that meet every load, then the cheapest of the pairs. What meets a load meets every smaller one, so more
    users never cost less.
    Raises InfeasibleError naming the load and the place that no count relieves.
    """
    search = _Search.of(brief, fleet)
    # What does not scale is the same for the scaled-in fleet.
    base: Counts = search.cheapest([*search.cases, *search.floor_cases])
    fixed = {lever.name: base[lever.name] for lever in search.steady}
    base, least = search.holding(base, search.least_scaled(search.floor_cases, fixed, "min"))
    least = search.held_by(search.followed(base), fixed, least)
    counts = dict(fixed)
    for lever in search.scaled:
        counts[f"{lever.name}.base"] = base[lever.name]
        counts[f"{lever.name}.min"] = min(base[lever.name], least[lever.name])
    counts |= search.followed(base)
    return Solution(counts, tuple(search.rejections(base, least)))


@dataclass(frozen=True, slots=True)
class _Search:
    brief: Brief
    fleet: Fleet
    scaled: tuple[Lever, ...]
    """Those that an autoscaler moves."""
    steady: tuple[Lever, ...]
    """Those that stand at one count."""
    usd: Mapping[str, Decimal]
    """Lever -> what one more of it costs an hour."""
    chains: dict[tuple[tuple[str, int], ...], Chain] = field(default_factory=dict)
    """Counts -> the chain at them: each is asked for every load."""

    @classmethod
    def of(cls, brief: Brief, fleet: Fleet) -> _Search:
        searched = [lever for lever in fleet.levers if lever.is_searched]
        return cls(
            brief,
            fleet,
            tuple(lever for lever in searched if lever.is_scaled),
            tuple(lever for lever in searched if not lever.is_scaled),
            {lever.name: _usd(brief, lever) for lever in searched},
        )

    @property
    def cases(self) -> list[Case]:
        """What the base fleet must keep."""
        return base_cases(self.brief.scenario)

    @property
    def floor_cases(self) -> list[Case]:
        """What the scaled-in fleet must keep."""
        return floor_cases(self.brief.scenario, self.fleet)

    def can(self, cases: Iterable[Case], counts: Counts) -> bool:
        """Return whether these counts meet every case after the losses."""
        left = self._all_left(counts)
        return all(
            not self._unfit(case, counts, left)
            and keeps(self._chain(left), case.users, case.latency_ms_p95, case.latency_ms_p99)
            for case in cases
        )

    def failure(self, case: Case, counts: Counts) -> str:
        """Return why these counts do not meet a case after the losses, in words, or ""."""
        left = self._all_left(counts)
        return self._unfit(case, counts, left) or meets(
            self._chain(left), case.users, case.latency_ms_p95, case.latency_ms_p99
        )

    def _unfit(self, case: Case, counts: Counts, left: Counts) -> str:
        """Return why what is left cannot carry a case whatever its latency, or ""."""
        average_per_s = self.brief.traffic.requests_per_s.average
        return unfit(case, self.brief.scenario, self.fleet, average_per_s, counts, left)

    def _all_left(self, counts: Counts) -> dict[str, int]:
        levers = self._levers
        searched = {lever.name for lever in levers}
        others = {name: count for name, count in counts.items() if name not in searched}
        return others | all_left(self.brief.scenario, levers, counts)

    def _chain(self, counts: Counts) -> Chain:
        """Return the chain at these counts, with pods and connections enough not to bind."""
        key = tuple(counts.items())
        if (known := self.chains.get(key)) is not None:
            return known
        found = chain(self.brief.scenario, places(self.brief.scenario, self.fleet, scale(self.fleet, counts)))
        return self.chains.setdefault(key, found)

    def least_scaled(self, cases: list[Case], fixed: Counts, level: str) -> dict[str, int]:
        """Return the least nodes of each scaled lever that meet every case. Raises InfeasibleError when none do.

        Of several levers first all in proportion to what they are asked, then each as few as the others allow, the
        dearest first.
        """
        if not self.scaled:
            return {}
        guesses = self._guesses(cases)
        whole = max(guesses.values())

        def at(step: int) -> dict[str, int]:
            return {name: max(1, math.ceil(guess * step / whole)) for name, guess in guesses.items()}

        def can(counts: Counts) -> bool:
            return self.can(cases, {**fixed, **counts})

        step = least_count(lambda count: can(at(count)), NODES_MOST, whole)
        found = at(step)
        if step == NODES_MOST and (reason := self._first_failure(cases, {**fixed, **found})):
            names = ", ".join(f"{lever.name}.{level}" for lever in self.scaled)
            beside = "".join(f" with {count} of {name}" for name, count in fixed.items())
            raise InfeasibleError(f"{names}: no number of nodes helps{beside}: {reason}")
        if len(found) > 1:
            for name in sorted(found, key=lambda each: (-self.usd[each], each)):
                others = {**found}
                found[name] = least_count(
                    lambda count, name=name, others=others: can({**others, name: count}),  # type: ignore[misc]
                    found[name],
                    found[name],
                )
        return found

    def _guesses(self, cases: list[Case]) -> dict[str, int]:
        """Return about how many nodes of each lever the busiest case fills, losses included: where a search starts."""
        asked = self.brief.scenario.availability.asked
        think_s = self.brief.scenario.behaviour.think_time_s.mean
        one = self._chain({lever.name: 1 for lever in self._levers})
        busy = one.busy(max(case.users for case in cases) / think_s)
        kept = asked.zones - min(asked.lost_zone_count, asked.zones - 1)
        guesses = {}
        for lever in self.scaled:
            filled = 0
            for workload in self.fleet.workloads:
                if self.fleet.group_of(workload).lever == lever.name:
                    servers = sum(busy.get(place.name, 0.0) for place in one.places if place.tier == workload.tier)
                    cores = workload.cores_per_pod * workload.pod_count_per_node
                    filled = max(filled, math.ceil(servers / cores))
            guesses[lever.name] = max(1, math.ceil((filled + asked.lost_node_count) * asked.zones / kept))
        return guesses

    def cheapest(self, cases: list[Case]) -> dict[str, int]:
        """Return the counts that meet every case at the least cost, fewer steady instances first.

        Steady levers are searched one after the other, each with the later ones so many that they do not bind.
        """
        fixed = self._many()
        nodes = None if self.steady else self.least_scaled(cases, fixed, "base")
        for lever in self.steady:
            fixed[lever.name], nodes = self._cheapest_of(lever, cases, fixed)
        return {**(nodes or {}), **fixed}

    def _cheapest_of(self, lever: Lever, cases: list[Case], fixed: Counts) -> tuple[int, dict[str, int]]:
        """Return the count of a steady lever with the nodes beside it that cost least together."""
        found: list[tuple[int, dict[str, int]]] = []
        least, unbound = self._least_of(lever, cases, fixed), None
        for count in range(least, min(least + TRIED, lever.tried_count_max) + 1):
            nodes = self.least_scaled(cases, {**fixed, lever.name: count}, "base")
            found.append((count, nodes))
            unbound = self.least_scaled(cases, {**fixed, **self._many(lever)}, "base") if unbound is None else unbound
            if nodes == unbound:
                break
        if len(found) == 1:
            return found[0]
        return min(found, key=lambda each: (self._usd_at_peak({**fixed, lever.name: each[0], **each[1]}), each[0]))

    def _many(self, *levers: Lever) -> dict[str, int]:
        """Return so many of steady levers, of all where none is named, that they do not bind, or as can be had."""
        return {lever.name: min(MANY, lever.tried_count_max) for lever in levers or self.steady}

    def _usd_at_peak(self, counts: Counts) -> Decimal:
        """Return what a month at the peak costs with these counts: with all that hangs on them, as the bill has it.

        By the hour of the instances alone where the bill lacks a price.
        """
        bill = self._bill(counts, counts)
        if bill.complete:
            return bill.effective_usd.peak
        return sum((self.usd[name] * count for name, count in counts.items()), Decimal(0))

    def _bill(self, base: Counts, least: Counts) -> Bill:
        """Return the bill of a fleet with counts at the peak, and scaled in, and with all that hangs on them."""
        ends = {f"{each.name}.{end}": counts[each.name] for each in self.scaled
                for end, counts in (("base", base), ("min", least))}  # fmt: skip
        solution = Solution({**base, **ends, **self.followed(base)}, ())
        return bill_of(size(self.brief, solution), self.brief.book)

    def _least_of(self, lever: Lever, cases: list[Case], fixed: Counts) -> int:
        """Return the least count of a steady lever with which some number of nodes meets every case.

        Raises InfeasibleError saying what binds where none does.
        """
        nodes = {each.name: NODES_MOST for each in self.scaled}
        base = lever.least_count
        most = min(base + TRIES_MOST - 1, lever.tried_count_max)

        def can(count: int) -> bool:
            return self.can(cases, {**fixed, **nodes, lever.name: count})

        found = base if can(base) else base - 1 + least_count(lambda above: can(base - 1 + above), most - base + 1, 2)
        if found < most or can(most):
            return found
        shown = {**fixed, lever.name: base if self._others_bind(cases) else most}
        try:
            self.least_scaled(cases, shown, "base")
            self._must_meet(cases, shown)
        except InfeasibleError as error:
            raise InfeasibleError(f"no fleet meets the loads; {error}") from None
        raise InfeasibleError(f"no fleet meets the loads with as many as {most} of {lever.name}")

    def _must_meet(self, cases: list[Case], counts: Counts) -> None:
        """Raise InfeasibleError where counts fail a case although no lever scales: nothing else looked at them."""
        if not self.scaled and (reason := self._first_failure(cases, counts)):
            raise InfeasibleError(reason)

    def _first_failure(self, cases: list[Case], counts: Counts) -> str:
        return next((f"{case.name}: {why}" for case in cases if (why := self.failure(case, counts))), "")

    def _others_bind(self, cases: list[Case]) -> bool:
        """Return whether a case fails however many there are of every lever: what no lever counts is full."""
        counts = {lever.name: NODES_MOST for lever in self.scaled} | self._many()
        return not self.can(cases, counts)

    def holding(self, base: Counts, least: Counts) -> tuple[Counts, Counts]:
        """Return counts at the peak and scaled in with which the autoscaler holds enough for every load between.

        It holds them in proportion to the peak: a load with a stricter limit may need more, all month or for each user.
        """
        fixed = {lever.name: base[lever.name] for lever in self.steady}
        unlost, peak = self.unlost(), self.brief.scenario.users.peak
        for case in held_cases(self.brief.scenario, self.fleet) if self.scaled else ():
            held = {name: max(count, math.ceil(base[name] * case.users / peak)) for name, count in least.items()}
            if unlost.can([case], {**fixed, **held}):
                continue
            needed = unlost.least_scaled([case], fixed, "min")
            ways = (
                (base, {name: max(count, needed[name]) for name, count in least.items()}),
                ({**base, **{name: max(base[name], -(-needed[name] * peak // case.users)) for name in needed}}, least),
            )
            base, least = min(ways, key=self._usd_judged)
        return base, least

    def held_by(self, follow: Counts, fixed: Counts, least: Counts) -> Counts:
        """Return the scaled-in counts that keep their cases with what follows from the peak, such as its connections.

        Where few nodes are nearly full, more may be held there at a time than at the peak.
        """
        if not self.scaled or self.can(self.floor_cases, {**fixed, **follow, **least}):
            return least
        needed = self.least_scaled(self.floor_cases, {**fixed, **follow}, "min")
        return {name: max(count, needed[name]) for name, count in least.items()}

    def unlost(self) -> _Search:
        """Return the search for fleets of which nothing is lost."""
        scenario = self.brief.scenario
        whole = scenario.availability.model_copy(update={"lost_zone_count": 0, "lost_node_count": 0})
        changed = scenario.model_copy(update={"availability": whole})
        return replace(self, brief=replace(self.brief, scenario=changed), chains={})

    def _usd_judged(self, counts: tuple[Counts, Counts]) -> tuple[Decimal, Decimal]:
        """Return what a month costs with counts at the peak and scaled in: as it is judged, and at the peak."""
        usd = self._bill(*counts).effective_usd
        judged: Decimal = getattr(usd, self.brief.scenario.budget.level)
        return judged, usd.peak

    def followed(self, base: Counts) -> Mapping[str, int]:
        """Return the counts that follow from what is held in the busiest case, after the losses."""
        users = max(case.users for case in self.cases)
        on = self._chain({**base, **self._all_left(base)})
        return followed(self.brief.scenario, self.fleet, held_count(on, users))

    @property
    def _levers(self) -> tuple[Lever, ...]:
        return (*self.scaled, *self.steady)

    def rejections(self, base: Counts, least: Counts) -> Iterator[Rejection]:
        """Yield, for each count that could be one smaller, the load that then fails."""
        steady = {lever.name: base[lever.name] for lever in self.steady}
        for level, cases, counts in (("base", self.cases, base), ("min", self.floor_cases, {**least, **steady})):
            for lever in self.scaled:
                if counts[lever.name] > 1:
                    yield from self._failing(f"{lever.name}.{level}", lever.name, cases, counts)
        for lever in self.steady:
            if base[lever.name]:
                yield from self._failing(lever.name, lever.name, self.cases, base)

    def _failing(self, figure: str, name: str, cases: list[Case], counts: Counts) -> Iterator[Rejection]:
        fewer = counts[name] - 1
        for case in cases:
            if reason := self.failure(case, {**counts, name: fewer}):
                yield Rejection(figure, fewer, case.name, f"{case.name}: {reason}")


def _usd(brief: Brief, lever: Lever) -> Decimal:
    """Return what one more costs an hour on demand; 1 where the book has no price, as counts must not hang on gaps."""
    price = brief.book.find(*brief.cloud.key(lever.offer)) if lever.offer is not None else None
    return Decimal(1) if price is None else price.usd
