"""The cheapest fleet that keeps every promise, exactly: best first over sums that are never above what a fleet costs.

The streams of candidates are added up best first. A sum is a lower bound of the fleet's bill: what it costs is worked
out only when no sum is lower, and the fleet takes its place again by that. The first whose turn comes by its true cost
and that keeps everything is the cheapest: all that could cost less had their turn before, and failed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count as numbers
from itertools import product
from math import sqrt
from typing import Final

from cascade_plan.choosing.candidates import MARGIN, NOTHING, Alone, Candidate, Stream, Tally, World, unmet_gate
from cascade_plan.choosing.holding import SPANS, fewest_held
from cascade_plan.formulas.losses import least_count
from cascade_plan.model.fleet import COUNT_MOST, Fleet, Sized
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.tier import HOST, Bought, Housed, Settings
from cascade_plan.planning.cases import all_left
from cascade_plan.planning.predicting import held_count, keeps
from cascade_plan.planning.promises import Promises, scale
from cascade_plan.planning.sizing import Brief, followed, places

MORE_MOST: Final = 6
"""Counts at the peak that are tried where what follows from the fleet breaks something: beside more, fewer connections
are held."""
FAILURES_MOST: Final = 50
"""Fleets that fail before it is asked which candidates fail beside any fleet, as too many connect to them."""
RARE: Final = 2.0
"""Square roots of what is held above it, at which 3 in 100 requests wait for some of it, a thousandth of their time in
the mean: within the margin (Halfin and Whitt, Operations Research 29, 1981)."""
POPPED_MOST: Final = 10_000
"""Fleets that are looked at before the search gives up."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fleet that keeps every promise, as the scenario that pins it."""

    scenario: Scenario
    fleet: Fleet
    candidates: Mapping[str, Candidate]
    cost_usd: Decimal
    upfront_usd: Decimal
    layout: int
    unpriced: tuple[str, ...]
    """What no fleet of this scenario has a price for."""


Fitted = tuple[Fit | None, str, frozenset[str]]
"""A fleet; or None, what it breaks, and the tiers that this does not hang on."""
NONE: Final[frozenset[str]] = frozenset()


@dataclass(slots=True)
class Failure:
    """A fleet that was cheaper, and what it breaks."""

    candidates: Mapping[str, Candidate]
    cost_usd: Decimal
    reason: str


@dataclass(slots=True)
class Found:
    """What a search found, and the proof that nothing cheaper does."""

    best: Fit | None
    bound_usd: Decimal
    """What every fleet that was not looked at costs at least."""
    popped: int
    failures: list[Failure]
    tally: Tally
    worlds: tuple[World, ...]
    streams: tuple[Mapping[str, Stream], ...]
    combinations: int
    """Fleets that the options make up, with their counts."""
    reason: str = ""
    """Why there is none, where there is none."""


@dataclass(order=True, slots=True)
class _Entry:
    usd: Decimal
    order: int
    layout: int = field(compare=False)
    ranks: tuple[int, ...] = field(compare=False)
    fit: Fit | None = field(compare=False, default=None)


def layouts(scenario: Scenario) -> Iterator[Scenario]:
    """Yield the scenario with each way for tiers of pods to share nodes, its own first."""
    free = scenario.optimize
    yield scenario
    if free.pools == "apart":
        return
    hosts = [name for name, each in scenario.of(HOST).items() if each.has_nodes]
    movable = [
        name
        for name, each in scenario.tiers.items()
        if isinstance(each, Housed) and each.has_nodes and not free.keeps(f"tiers.{name}.nodes_of")
    ]
    for chosen in product((None, *hosts), repeat=len(movable)):
        moved = {name: host for name, host in zip(movable, chosen, strict=True) if host is not None}
        if moved and _is_layout(scenario, movable, moved):
            tiers = {name: _on(scenario.tiers[name], host) for name, host in moved.items()}
            yield scenario.model_copy(update={"tiers": scenario.tiers | tiers})


def _is_layout(scenario: Scenario, movable: Sequence[str], moved: Mapping[str, str]) -> bool:
    """Return whether pods can stand so: on nodes that there are, of two services on those of the first named."""
    services = list(scenario.of(HOST))
    if any(host in moved or (name in services and services.index(host) >= services.index(name))
           for name, host in moved.items()):  # fmt: skip
        return False
    return scenario.optimize.pools == "any" or all(name in moved or name in moved.values() for name in movable)


def _on(settings: Settings, host: str) -> Settings:
    """Return the settings of a tier whose pods stand on another's nodes: what it says of its own is left out."""
    assert isinstance(settings, Housed), "only pods stand on another's nodes"
    plain = type(settings)()
    reset = {name: getattr(plain, name) for name in settings.said(settings.OF_NODES)}
    return settings.model_copy(update={**reset, "nodes_of": host})


class Search:
    """One search over all layouts of a scenario."""

    def __init__(self, brief: Brief, months: Sequence[Brief] = (), like: Found | None = None) -> None:
        """Take a scenario of the method slo with its prices; where its fleet is for several months, those too.

        `like` is a search of a scenario that has the same ways to have each tier, of which each needs the same counts.
        """
        self.tally, self._like = Tally(), like
        self.worlds = [
            self._world(brief, months, each, None if like is None else like.worlds[layout])
            for layout, each in enumerate(layouts(brief.scenario))
        ]
        self.streams: list[dict[str, Stream]] = []
        self.failures: list[Failure] = []
        self.popped = 0
        self.slack = NOTHING
        """By how much a bound was above what its fleet costs at most: 0 unless tiers share what they cost."""
        self._order = numbers()
        self._heap: list[_Entry] = []
        self._seen: set[tuple[int, tuple[int, ...]]] = set()
        self._fewest: dict[int, Mapping[str, Sized]] = {}
        self._hopeless: dict[tuple[int, str, str, int], bool] = {}
        self._cores: dict[frozenset[str], set[tuple[int, ...]]] = {}
        """Tiers that a failure does not hang on -> the rest of the fleets that have failed so."""

    def _world(self, brief: Brief, months: Sequence[Brief], layout: Scenario, like: World | None) -> World:
        each = [replace(month, scenario=month.scenario.model_copy(update={"tiers": layout.tiers})) for month in months]
        of_months = tuple(World(month, self.tally) for month in each)
        return World(replace(brief, scenario=layout), self.tally, of_months, like)

    def run(self, below_usd: Decimal | None = None, popped_most: int = POPPED_MOST) -> Found:
        """Return the cheapest fleet that keeps every promise, and costs less than `below_usd`, or why there is none."""
        shared: dict[str, Stream] = {}
        for layout, world in enumerate(self.worlds):
            known = self._like.streams[layout] if self._like is not None else {}
            self.streams.append({name: self._stream(world, name, shared, known.get(name)) for name in world.options})
            if world.unfit:
                self.tally.struck["layout"] += 1
                self.tally.reasons["layout", str(layout)] = world.unfit
                continue
            self._push(layout, (0,) * len(world.options))
        while self._heap:
            entry = heapq.heappop(self._heap)
            if below_usd is not None and entry.usd - self.slack >= below_usd:
                return self._found(None, entry.usd - self.slack, f"every fleet costs ${below_usd:,.2f} or more")
            if entry.fit is not None:
                if self._heap and self._heap[0].usd - self.slack < entry.usd and self._heap[0].fit is None:
                    # A bound was once too high by that: what may be cheaper still has its turn before.
                    other = heapq.heappop(self._heap)
                    heapq.heappush(self._heap, entry)
                    self._look_at(other)
                    continue
                if why := unmet(self.worlds[entry.layout], entry.fit):
                    self.failures.append(Failure(entry.fit.candidates, entry.usd, why))
                    continue
                return self._found(entry.fit, entry.usd)
            if self.popped > popped_most:
                return self._found(None, entry.usd, f"gave up after {popped_most:,} fleets")
            self._look_at(entry)
        reason = self.failures[-1].reason if self.failures else self._unfit()
        return self._found(None, self.failures[-1].cost_usd if self.failures else NOTHING, reason)

    def _stream(self, world: World, name: str, shared: dict[str, Stream], like: Stream | None) -> Stream:
        """Return the candidates of a tier: those of another layout where nothing of it changes what they are."""
        if name == world.main or name in world.hosts:
            return self.stream(world, name, like)
        if name not in shared or shared[name].world.scenario.tiers[name] != world.scenario.tiers[name]:
            shared[name] = self.stream(world, name, like)
        return shared[name]

    def stream(self, world: World, name: str, like: Stream | None) -> Stream:
        """Return a tier's candidates; who asks more of them overrides it."""
        return Stream(world, name, like)

    def _unfit(self) -> str:
        """Return why a tier has no candidate at all."""
        empty = [name for streams in self.streams for name, stream in streams.items() if stream[0] is None]
        reasons = [f"{tier}: {why}" for (tier, _), why in self.tally.reasons.items() if tier in (*empty, "layout")]
        return reasons[-1] if reasons else "there is nothing to choose"

    def _found(self, best: Fit | None, bound_usd: Decimal, reason: str = "") -> Found:
        combinations = sum(self._combinations(world) for world in self.worlds)
        return Found(
            best, bound_usd, self.popped, self.failures, self.tally, tuple(self.worlds), tuple(self.streams),
            combinations, reason,
        )  # fmt: skip

    def _combinations(self, world: World) -> int:
        total = 1
        for options in world.options.values():
            total *= sum(
                option.count_max - option.count_min + 1 if option.count_max < COUNT_MOST else 1_000
                for option in options
            )
        return total

    def _push(self, layout: int, ranks: tuple[int, ...]) -> None:
        if (layout, ranks) in self._seen:
            return
        self._seen.add((layout, ranks))
        self._queue(layout, ranks)

    def _queue(self, layout: int, ranks: tuple[int, ...]) -> None:
        """Queue a fleet by what it costs at least, as far as its candidates are known; never where there are none."""
        bounds = [stream.bound(rank) for stream, rank in zip(self.streams[layout].values(), ranks, strict=True)]
        if None not in bounds:
            usd = sum((bound for bound in bounds if bound is not None), self._least_rest(layout))
            heapq.heappush(self._heap, _Entry(usd, next(self._order), layout, ranks))

    def _least_rest(self, layout: int) -> Decimal:
        """Return what the tiers without options cost at least where no candidate's charge says so."""
        world = self.worlds[layout]
        return NOTHING if world.main else world.least_charge

    def _look_at(self, entry: _Entry) -> None:
        """Work out what a fleet costs, if it keeps everything, and queue the next dearer ones.

        Where a candidate is not known yet one more way to have its tier is looked at, and the fleet queued again.
        """
        streams = self.streams[entry.layout]
        for stream, rank in zip(streams.values(), entry.ranks, strict=True):
            if rank >= len(stream.found):
                # Of a stream that another layout has looked at to its end there is none left.
                if stream.bound(rank) is not None:
                    stream.look()
                    self._queue(entry.layout, entry.ranks)
                return
        chosen = {name: stream.found[rank] for (name, stream), rank in zip(streams.items(), entry.ranks, strict=True)}
        # What fails beside any fleet, or whichever candidate some tiers have, needs another one in what it hangs on.
        hopeless = [name for name, each in chosen.items() if self._is_hopeless(entry.layout, each)]
        if hopeless:
            return self._push_next(entry, hopeless)
        aside = self._fails_with(entry.layout, chosen)
        if aside is None:
            self.popped += 1
            aside = self._fit_or_fail(entry, chosen)
        return self._push_next(entry, [name for name in chosen if name not in aside])

    def _push_next(self, entry: _Entry, names: Sequence[str]) -> None:
        """Queue the fleets in which one of some tiers has its next candidate."""
        for at, name in enumerate(self.streams[entry.layout]):
            if name in names:
                self._push(entry.layout, tuple(rank + (place == at) for place, rank in enumerate(entry.ranks)))

    def _fit_or_fail(self, entry: _Entry, chosen: Mapping[str, Candidate]) -> frozenset[str]:
        """Queue a fleet by what it costs if it keeps everything; return what its failure does not hang on."""
        world = self.worlds[entry.layout]
        most = world.scenario.optimize.upfront_usd_max
        upfront = sum((each.upfront_usd for each in chosen.values()), NOTHING)
        if most is not None and upfront > Decimal(str(most)):
            return NONE
        found, why, aside = self.fit(world, entry.layout, chosen)
        if found is None:
            self.failures.append(Failure(chosen, entry.usd, why))
            if aside:
                self._cores.setdefault(aside, set()).add(self._core(entry.layout, chosen, aside))
            return aside
        self.slack = max(self.slack, entry.usd - found.cost_usd)
        heapq.heappush(self._heap, _Entry(found.cost_usd, next(self._order), entry.layout, entry.ranks, found))
        return NONE

    def _fails_with(self, layout: int, chosen: Mapping[str, Candidate]) -> frozenset[str] | None:
        """Return the tiers that the failure of a fleet does not hang on; None where it is not known to fail."""
        known = (aside for aside, cores in self._cores.items() if self._core(layout, chosen, aside) in cores)
        return next(known, None)

    def _core(self, layout: int, chosen: Mapping[str, Candidate], aside: frozenset[str]) -> tuple[int, ...]:
        """Return what a fleet is but for some tiers."""
        return layout, *(id(each) for name, each in chosen.items() if name not in aside)

    def _is_hopeless(self, layout: int, candidate: Candidate) -> bool:
        """Return whether a candidate breaks something even beside the fewest pods that connect to it.

        Looked at only once many fleets have failed: to know those pods, each way to have a service is looked at alone.
        """
        if len(self.failures) < FAILURES_MOST:
            return False
        known = layout, candidate.tier, candidate.option.words, candidate.low
        if known not in self._hopeless:
            why = self._broken_beside_fewest(layout, candidate) or self._broken_behind(layout, candidate)
            self._hopeless[known] = bool(why)
            if why:
                self.tally.struck["limit"] += 1
                self.tally.reasons.setdefault((candidate.tier, candidate.option.words), why)
        return self._hopeless[known]

    def _broken_beside_fewest(self, layout: int, candidate: Candidate) -> str:
        """Return which limit of a candidate that hangs on others is broken beside the fewest pods of them, or ""."""
        if not any(each.of_others for each in candidate.sized.ceilings):
            return ""
        world = self.worlds[layout]
        own = world.sized(candidate.tier, candidate.settings, {**world.slight, **self._with_fewest(layout)})
        return next((why for each in own.ceilings if each.of_others and (why := each.broken(0.0, {}))), "")

    def _with_fewest(self, layout: int) -> Mapping[str, Sized]:
        """Return each tier of pods by the option, at its least count, that the fewest of them run of."""
        if layout not in self._fewest:
            world = self.worlds[layout]
            found = {name: stream.with_fewest_pods() for name, stream in self.streams[layout].items()
                     if world.slight[name].workloads}  # fmt: skip
            self._fewest[layout] = {name: own for name, own in found.items() if own is not None}
        return self._fewest[layout]

    def _broken_behind(self, layout: int, candidate: Candidate) -> str:
        """Return which gate a tier breaks whose counts follow from what requests hold while a candidate serves them.

        "" where they may hold fewer than beside an endless rest: because more of the candidate may stand at the peak
        than it needs by itself, or because they wait for what the fewest pods have of their own before they hold it.
        """
        world = self.worlds[layout]
        if any(lever.is_scaled for lever in candidate.sized.levers):
            return ""
        fleet, settings, on = Alone(world, candidate.tier, candidate.option).standing(candidate.low, candidate.base)
        if not on.held:
            return ""
        busiest = max(world.base, key=lambda case: case.users)
        self.tally.calls += len(SPANS)
        # A mean is below its p95.
        held = fewest_held(on, busiest.users, busiest.latency_ms_p95 / 1000)
        scenario = world.scenario.model_copy(update={"tiers": dict(settings)})
        ends = [{**beside, candidate.tier: candidate.sized} for beside in (world.slight, world.endless)]

        def unmet(part: float) -> str:
            """Return which gate is broken if so much of it is held."""
            some = {name: count * part for name, count in held.items()}
            one, other = (followed(scenario, Fleet(end), some) for end in ends)
            following = world.following({name: min(count, other[name]) for name, count in one.items()})
            whys = ([unmet_gate(scenario, name, world.sized(name, own, end)) for end in ends]
                    for name, own in following.items())  # fmt: skip
            return next((why[0] for why in whys if all(why)), "")

        if not (why := unmet(1 - MARGIN)):
            return ""
        part = (least_count(lambda percent: bool(unmet(percent / 100)), 100) - 1) / 100
        opened = self._opened(layout, scenario, fleet)
        if any(opened[name] < part * count + RARE * sqrt(part * count) for name, count in held.items()):
            return ""
        return why

    def _opened(self, layout: int, scenario: Scenario, fleet: Fleet) -> Mapping[str, int]:
        """Return how many servers of each place that is held the fewest pods may hold, after the losses."""
        tiers = {**fleet.tiers, **self._with_fewest(layout)}
        levers = [lever for tier in self._with_fewest(layout).values() for lever in tier.levers if lever.spread]
        left = all_left(scenario, levers, {lever.name: lever.base_count for lever in levers})
        found = places(scenario, Fleet(tiers), scale(Fleet(tiers), left))
        return {place.name: place.server_count for place in found if place.is_held}

    def fit(self, world: World, layout: int, chosen: Mapping[str, Candidate]) -> Fitted:
        """Return the fleet of some candidates, or which promise it breaks; who asks more of a fleet overrides it."""
        return fit(world, layout, chosen)


def fit(world: World, layout: int, chosen: Mapping[str, Candidate]) -> Fitted:
    """Return the fleet of some candidates with what follows from them, or which promise it breaks."""
    settings: dict[str, Settings] = {name: each.settings for name, each in chosen.items()}
    scenario, fleet = free = world.whole(settings)
    if least := followed(*free, {}):
        # What follows from the others is not as many as the rules say: at least those of a fleet that is idle.
        scenario, fleet = world.whole(settings | world.following(least))
    judge = Promises(scenario, fleet, world.average_per_s)
    world.tally.calls += len(world.base) + len(world.floor(fleet))
    if why := _short(judge, world.floor(fleet), "floor"):
        return None, why, NONE
    bases, why = _bases(world, judge, fleet)
    if why:
        return None, why, NONE
    for name, purchase in _less_spot(world, judge, settings).items():
        settings[name] = settings[name].model_copy(update={"purchase": purchase})
        chosen = {**chosen, name: replace(chosen[name], settings=settings[name])}
    aside = _aside(world, judge, chosen)
    for raised, follow in _standing(world, judge, free, bases) if least else [(bases, {})]:
        following = world.following(follow)
        if why := _unmet_behind(world, fleet.tiers, following):
            aside = frozenset(name for name in aside if _is_unmet_beside_any(world, name, fleet, following))
            continue
        aside, pinned = NONE, settings | _raised(chosen, raised) | following
        scenario, whole = world.whole(pinned)
        if not (why := _broken(world, scenario, whole)):
            usd, upfront, missing = world.cost_of_all(pinned, whole)
            return Fit(scenario, whole, dict(chosen), usd, upfront, layout, tuple(missing)), "", NONE
    return None, why, aside


def _aside(world: World, judge: Promises, chosen: Mapping[str, Candidate]) -> frozenset[str]:
    """Return the tiers that no request passes, on whose nodes nothing else stands, and that are held to no others."""
    on = judge.chain(all_left(judge.scenario, judge.levers, judge.counts("base")))
    passed = {place.tier for place in (*on.places, *on.resting)} | world.hosts
    return frozenset(
        name for name, each in chosen.items()
        if name not in passed and not any(ceiling.of_others for ceiling in each.sized.ceilings)
    )  # fmt: skip


def _is_unmet_beside_any(world: World, name: str, fleet: Fleet, following: Mapping[str, Settings]) -> bool:
    """Return whether a gate behind stays broken whatever candidate of a tier stands there: few and endless ones."""
    ends = ({**fleet.tiers, name: beside[name]} for beside in (world.slight, world.endless))
    return all(_unmet_behind(world, end, following) for end in ends)


def _standing(
    world: World, judge: Promises, free: tuple[Scenario, Fleet], bases: Mapping[str, int]
) -> Iterator[tuple[Mapping[str, int], Mapping[str, int]]]:
    """Yield (how many stand at the peak, the counts that follow), those that keep every load first, then more of them.

    None where the most of them leaves no fewer of what follows.
    """

    def follow(more: int) -> tuple[Mapping[str, int], Mapping[str, int]]:
        raised = {name: base + more for name, base in bases.items()}
        return raised, followed(*free, _held(judge, world, raised))

    first = follow(0)
    yield first
    if not bases or follow(MORE_MOST - 1)[1] == first[1]:
        return
    known = first[1]
    for more in range(1, MORE_MOST):
        found = follow(more)
        if found[1] != known:
            yield found
        known = found[1]


def _unmet_behind(world: World, tiers: Mapping[str, Sized], following: Mapping[str, Settings]) -> str:
    """Return the first gate that a tier breaks some of whose counts follow from the others, or ""."""
    unmet = (unmet_gate(world.scenario, name, world.sized(name, own, tiers)) for name, own in following.items())
    return next(filter(None, unmet), "")


def _less_spot(world: World, judge: Promises, settings: Mapping[str, Settings]) -> dict[str, object]:
    """Return how tiers are paid of whose nodes fewer may be spot beside this fleet than beside an endless one."""
    spot: dict[str, int] = {}
    counts = judge.counts("floor")
    levers = {name: f"{name}.node_count" for name in settings}
    for name, own in settings.items():
        if isinstance(own, Bought) and own.purchase != world.scenario.tiers[name].purchase and levers[name] in counts:  # type: ignore[attr-defined]
            spot[name] = round(counts[levers[name]] * sum(part.share for part in own.terms if part.term == "spot"))
    cases, found = world.without_spot(judge.fleet), {}

    def kept(fewer: Mapping[str, int]) -> bool:
        on = judge.chain({**counts, **{levers[name]: counts[levers[name]] - fewer[name] for name in spot}})
        return all(keeps(on, case.users, case.latency_ms_p95, case.latency_ms_p99) for case in cases)

    for name, most in spot.items():
        if not most or kept(spot):
            continue
        total, others = counts[levers[name]], dict(spot)
        kept_count = least_count(lambda n, name=name, others=others, total=total: kept({**others, name: total - n}),  # type: ignore[misc]
                                 total, total - most)  # fmt: skip
        spot[name] = total - kept_count
        terms = [part.term for part in settings[name].terms if part.term != "spot"]  # type: ignore[attr-defined]
        share = spot[name] / total
        found[name] = {**dict.fromkeys(terms, 1 - share), "spot": share} if share else (*terms, "on_demand")[0]
    return found


def _raised(chosen: Mapping[str, Candidate], bases: Mapping[str, int]) -> dict[str, Settings]:
    """Return the settings of the candidates that have so many at the peak."""
    return {
        name: _paid_as(chosen[name].option.at(chosen[name].low, base), chosen[name].settings)
        for name, base in bases.items()
    }


def _broken(world: World, scenario: Scenario, fleet: Fleet) -> str:
    """Return what a whole fleet breaks by its own counts, in words, or ""."""
    if broken := next((finding for finding in fleet.findings if finding.is_broken), None):
        return f"{broken.where}: {broken.message}"
    unmet = (why for name, tier in fleet.tiers.items() if (why := unmet_gate(scenario, name, tier)))
    if why := next(unmet, ""):
        return why
    judge = Promises(scenario, fleet, world.average_per_s)
    return _short(judge, world.floor(fleet), "floor") or _short(judge, world.base, "base")


def unmet(world: World, found: Fit) -> str:
    """Return the first gate that a whole fleet misses, of those that are no figures of one tier, in words, or "".

    What it costs is no promise.
    """
    from cascade_plan.planning.pipeline import plan

    scenario, brief = found.scenario, world.brief
    by_action = any(name.startswith("action_") for name in scenario.gates)
    made = plan(scenario, brief.book, brief.origins, brief.day, with_margins=False, by_action=by_action)
    for verdict in made.verdicts:
        if verdict.status == "fail" and not verdict.figure.startswith("cost_"):
            return f"gate {verdict.figure} {verdict.operator} {verdict.limit}: it is {verdict.value:,.6g}"
    return next((each.message for each in made.findings if each.is_broken), "")


def _paid_as(settings: Settings, like: Settings) -> Settings:
    """Return settings that are paid as others are."""
    if "purchase" not in type(settings).model_fields:
        return settings
    return settings.model_copy(update={"purchase": like.purchase})  # type: ignore[attr-defined]


def _short(judge: Promises, cases: Sequence[object], level: str) -> str:
    """Return what the counts of a level do not keep, or "": the words are worked out only where they do not."""
    counts = judge.counts(level)
    return "" if judge.kept(cases, counts) else judge.unkept(cases, counts)  # type: ignore[arg-type]


def _bases(world: World, judge: Promises, fleet: Fleet) -> tuple[dict[str, int], str]:
    """Return how many of each scaled count stand at the peak: as few as keep every load, all in proportion.

    Besides why no number does, or "".
    """
    scaled = {lever.name: lever for lever in fleet.levers if lever.is_scaled and lever.spread}
    counts = judge.counts("base")
    own = {name.partition(".")[0]: counts[name] for name in scaled}
    own = {name: base for name, base in own.items() if name in world.options}

    def kept(bases: Mapping[str, int]) -> bool:
        return judge.kept(world.base, bases) and judge.held(bases)

    if kept(counts):
        return own, ""
    if not own:
        return {}, judge.unkept(world.base, counts)

    def at(step: int) -> dict[str, int]:
        return {**counts, **{name: -(-counts[name] * step // 100) for name in scaled}}

    step = least_count(lambda percent: kept(at(percent)), 100_000, 101)
    if not kept(at(step)):
        return {}, judge.unkept(world.base, at(step)) or "no count at the peak makes an autoscaler hold enough below it"
    more = at(step)
    for name in sorted(scaled):
        others = dict(more)
        more[name] = least_count(
            lambda count, name=name, others=others: kept({**others, name: count}),  # type: ignore[misc]
            more[name],
            more[name],
        )
    return {name.partition(".")[0]: more[name] for name in scaled if name.partition(".")[0] in own}, ""


def _held(judge: Promises, world: World, bases: Mapping[str, int]) -> Mapping[str, float]:
    """Return how many servers of what is held the busiest case holds after the losses."""
    counts = judge.counts("base")
    counts |= {name: bases[name.partition(".")[0]] for name in counts if name.partition(".")[0] in bases}
    busiest = max(world.base, key=lambda case: case.users)
    on = judge.chain(all_left(judge.scenario, judge.levers, counts))
    return held_count(on, busiest.users)
