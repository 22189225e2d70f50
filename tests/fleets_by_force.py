"""The cheapest fleet by looking at each one that could be cheaper: what a search must find too, to the cent.

Nothing here asks a tier for its options: ways to have one are made up anew, from the catalogue and the book. A fleet is
sized, billed and judged whole, as a scenario that pins all of it; what a part of it costs is only asked to leave those
out that cost too much before they are whole.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import islice, product
from math import ceil
from typing import Any, Final
from unittest.mock import patch

from cascade_plan import registry
from cascade_plan.clouds.aws import cloud
from cascade_plan.clouds.aws.terms import terms
from cascade_plan.errors import CascadePlanError
from cascade_plan.model.bill import Item
from cascade_plan.model.catalogue import Catalogue, Shape
from cascade_plan.model.fleet import Fleet, Sized
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.solution import Solution
from cascade_plan.model.terms import commitment_of
from cascade_plan.model.tier import Bought, Settings
from cascade_plan.planning.cases import all_left
from cascade_plan.planning.pipeline import plan
from cascade_plan.planning.predicting import keeps, worst_state
from cascade_plan.planning.promises import Promises
from cascade_plan.planning.sizing import Brief, followed, instances, size, sized
from cascade_plan.planning.traffic import traffic_of
from cascade_plan.prices import bundled
from cascade_plan.tiers.api.settings import NodeBounds

PINNED = Solution({}, ())
KINDS = ("api", "cache", "database", "gateway", "websocket", "worker")
"""The kinds of tiers of which ways are known here."""
COUNT_MOST = 40
BASES_MOST = 4
"""Times the nodes at the least load that are tried at the peak."""
LARGE = 12
"""The count that stands for many, where it is open."""
REFUSED_MOST = 6
"""Counts at the peak that keep every load and that a plan refuses, after which a fleet is given up."""
CENT = Decimal("0.01")
Tiers = dict[str, Settings]


def brief_of(scenario: Scenario) -> Brief:
    """Return what fleets of a scenario are sized from, by the bundled prices of its region."""
    solved = scenario.model_copy(update={"method": "slo"})
    book = bundled.book(scenario.cloud, scenario.region)
    return Brief(solved, traffic_of(solved), registry.load("clouds", scenario.cloud, "cloud"), book, {}, book.day)


@dataclass
class Force:
    """All fleets of a scenario that cost at most so much."""

    brief: Brief
    usd_most: Decimal
    looked_at_most: int | None = None
    """Where what is had is looked at in large numbers only, so many fleets; else all there are."""
    looked_at: int = 0
    """Fleets that were sized, billed and judged whole."""
    best_usd: Decimal | None = None
    best: Scenario | None = None
    reasons: dict[str, int] = field(default_factory=dict)

    def run(self) -> Force:
        """Look at every fleet, of each way for pods to share nodes."""
        given = self.brief
        for layout in layouts(given.scenario):
            self.brief = replace(given, scenario=layout)
            names = [name for name, _ in instances(layout)]
            hours_usd = self._hours_from(names)
            if hours_usd:
                self._grow(names, hours_usd, {}, {})
        self.brief = given
        return self

    def _hours_from(self, names: Sequence[str]) -> list[Decimal]:
        """Return what the hours of each tier and those after it cost at least: of one each, in the cheapest way.

        Nothing where a tier cannot be had at all.
        """
        tiers: dict[str, Sized] = {}
        least = []
        for name in names:
            firsts = []
            for row in rows(self.brief, name):
                own, found = next(self._that_are(row, name, tiers), (None, None))
                if own is None or found is None:
                    continue
                for each in self._paid(own, found):
                    lines = [*self._lines({name: _as_paid(found, each)})]
                    if all(isinstance(line, Item) for line in lines if line.group):
                        usd = sum((self._usd(line) for line in lines if line.unit == "hour"), Decimal(0))
                        firsts.append((usd, len(firsts), found))
            if not firsts:
                return []
            least.append(min(firsts)[0])
            tiers[name] = min(firsts)[2]
        return [sum(least[at:], Decimal(0)) for at in range(len(least) + 1)]

    def _that_are(
        self, row: Iterator[Settings], name: str, tiers: Mapping[str, Sized]
    ) -> Iterator[tuple[Settings, Sized]]:
        for own in row:
            with suppress(CascadePlanError):
                yield own, self._sized(name, own, {}, tiers)

    def _grow(
        self, names: Sequence[str], hours_usd: Sequence[Decimal], settings: Tiers, tiers: Mapping[str, Sized]
    ) -> None:
        """Add a way to have the next tier to some, in each way; what costs too much already is left there."""
        if self.looked_at_most is not None and self.looked_at >= self.looked_at_most:
            return
        if not names:
            self._judge(settings)
            return
        (name, *rest), after = names, hours_usd[1:]
        for row in rows(self.brief, name):
            for own in row if self.looked_at_most is None else [*islice(row, LARGE)][-1:]:
                try:
                    found = self._sized(name, own, settings, tiers)
                except CascadePlanError:
                    continue
                paid = [(each, {**tiers, name: _as_paid(found, each)}) for each in self._paid(own, found)]
                priced = [(each, then, cost) for each, then in paid if (cost := self._cost(then, name)) is not None]
                if all(usd + after[0] > self.usd_most for _, _, (usd, _) in priced):
                    break
                for each, then, (usd, upfront) in priced:
                    if usd + after[0] <= self.usd_most and upfront <= self._upfront_most:
                        self._grow(rest, after, {**settings, name: each}, then)

    def _sized(self, name: str, own: Settings, settings: Tiers, tiers: Mapping[str, Sized]) -> Sized:
        scenario = self._with({**settings, name: own})
        return sized(replace(self.brief, scenario=scenario), name, own, tiers, PINNED)

    def _with(self, settings: Tiers) -> Scenario:
        scenario = self.brief.scenario
        return scenario.model_copy(update={"tiers": {**scenario.tiers, **settings}})

    def _lines(self, tiers: Mapping[str, Sized]) -> Iterator[Any]:
        return self.brief.cloud.lines(Fleet(tiers, self.brief.scenario.hours_per_month), self.brief.book)

    def _usd(self, line: Any) -> Decimal:
        """Return what a line costs a month, at the level that the budget judges; 0 where it has no price."""
        level = self.brief.scenario.budget.level
        return Decimal(getattr(line.cost_usd, level)) if isinstance(line, Item) else Decimal(0)

    def _idle(self, settings: Tiers) -> tuple[Scenario, Fleet]:
        """Return a fleet with as many connections as follow from one that is idle: those by the rules bind nothing."""
        scenario = self._with(settings)
        fleet = size(replace(self.brief, scenario=scenario), PINNED)
        for figure, count in followed(scenario, fleet, {}).items():
            scenario = self._with({**settings, **self._connected(settings, figure, count)})
            fleet = size(replace(self.brief, scenario=scenario), PINNED)
        return scenario, fleet

    def _connected(self, settings: Tiers, figure: str, count: int) -> Tiers:
        name, _, leaf = figure.partition(".")
        assert leaf == "connection_count", "all that follows are the connections of a pool"
        return {name: settings[name].model_copy(update={"connections": count})}

    @property
    def _upfront_most(self) -> Decimal:
        most = self.brief.scenario.optimize.upfront_usd_max
        return Decimal("Infinity") if most is None else Decimal(str(most))

    def _cost(self, tiers: Mapping[str, Sized], name: str = "") -> tuple[Decimal, Decimal] | None:
        """Return what some tiers cost a month and on the first day.

        None where the named one, or of all any, is of a kind that is known here and lacks a price.
        """
        usd = upfront = Decimal(0)
        for line in self._lines(tiers):
            if isinstance(line, Item):
                usd, upfront = usd + self._usd(line), upfront + (line.upfront_total_usd or 0)
            elif name in ("", line.tier) and self.brief.scenario.tiers[line.tier].KIND in KINDS:
                return None
        return usd, upfront

    def _is_free(self, name: str) -> bool:
        """Return whether a tier may be paid in another way: then what its instances cost is asked when it is."""
        free = self.brief.scenario.optimize
        return free.commitment_years_max is not None or free.spot is not None

    def _paid(self, own: Settings, found: Sized) -> Iterator[Settings]:
        """Yield the settings with each way to pay."""
        free = self.brief.scenario.optimize
        if not isinstance(own, Bought) or not found.groups or not self._is_free(found.name):
            yield own
            return
        years = free.commitment_years_max
        bases: list[Any] = [own.purchase] if years is None else ["on_demand"]
        what = found.groups[0].offer.what
        bases += [term for term in terms(what) if (one := commitment_of(term)) and one.years <= (years or 0)]
        count = found.groups[0].count.floor
        spots = range(1, int(count * free.spot.share_max) + 1) if free.spot and what == "vm" else ()
        if found.kind != "api":
            spots = ()
        for base in dict.fromkeys(bases):
            yield own.model_copy(update={"purchase": base})
            for spot in spots:
                share = spot / count
                if base == "on_demand":
                    yield own.model_copy(update={"purchase": {"spot": share}})
                elif isinstance(base, str) and share < 1:
                    yield own.model_copy(update={"purchase": {base: 1 - share, "spot": share}})

    def _judge(self, settings: Tiers) -> None:
        """Take a fleet where it keeps everything and costs least."""
        self.looked_at += 1
        try:
            usd, why = self._judged(settings)
        except CascadePlanError as error:
            usd, why = None, str(error)
        if usd is None:
            self.reasons[why] = self.reasons.get(why, 0) + 1

    def _judged(self, settings: Tiers) -> tuple[Decimal | None, str]:
        scenario, fleet = self._idle(settings)
        cost = self._cost(fleet.tiers)
        if cost is None or cost[1] > self._upfront_most:
            return None, "a price, or what is paid on the first day"
        if cost[0] > self.usd_most or (self.best_usd is not None and cost[0] >= self.best_usd):
            return None, "costs more"
        judge = Promises(scenario, fleet, self.brief.traffic.requests_per_s.average)
        if not judge.kept(judge.floor(), judge.counts("floor")):
            return None, "floor"
        if not self._without_spot(judge):
            return None, "spot"
        for found in self._with_bases(settings, judge):
            if self.best_usd is None or found[0] < self.best_usd:
                self.best_usd, self.best = found
        return cost[0], ""

    def _without_spot(self, judge: Promises) -> bool:
        """Return whether what is not spot carries what it must when all that is has been taken back."""
        free = judge.scenario.optimize.spot
        if free is None:
            return True
        counts = judge.counts("floor")
        for name, own in judge.scenario.tiers.items():
            spot = sum(part.share for part in own.terms if part.term == "spot") if isinstance(own, Bought) else 0
            if own.KIND == "api" and spot:
                counts[f"{name}.node_count"] -= round(counts[f"{name}.node_count"] * spot)
                if not counts[f"{name}.node_count"]:
                    return False
        cases = judge.floor() if free.without_it == "floor" else judge.floor()[:1]
        on = judge.chain(counts)
        return all(keeps(on, case.users, case.latency_ms_p95, case.latency_ms_p99) for case in cases)

    def _with_bases(self, settings: Tiers, judge: Promises) -> Iterator[tuple[Decimal, Scenario]]:
        """Yield what a fleet costs with the fewest nodes at the peak that keep all, and its scenario.

        Of several services each way to have fewest.
        """
        counts = judge.counts("base")
        names = [lever.name for lever in judge.levers if lever.is_scaled and lever.set_by == "pinned"]
        fewest: list[dict[str, int]] = []
        refused = 0
        for each in product(*(range(counts[name], BASES_MOST * counts[name] + 9) for name in names)):
            more = dict(zip(names, each, strict=True))
            if any(all(more[name] >= known[name] for name in names) for known in fewest):
                continue
            if judge.kept(judge.base(), {**counts, **more}) and judge.held({**counts, **more}):
                if (found := self._whole(settings, judge, more)) is not None:
                    fewest.append(more)
                    yield found
                elif (refused := refused + 1) == REFUSED_MOST:
                    return

    def _whole(self, settings: Tiers, judge: Promises, bases: Mapping[str, int]) -> tuple[Decimal, Scenario] | None:
        """Return what a fleet with so many nodes at the peak costs, and its scenario; None where its plan breaks."""
        whole = dict(settings)
        for lever, base in bases.items():
            name = lever.partition(".")[0]
            whole[name] = _with_base(whole[name], base)
        counts = {**judge.counts("base"), **bases}
        busiest = max(case.users for case in judge.base())
        held = worst_state(judge.chain(all_left(judge.scenario, judge.levers, counts)), busiest).held_count
        free = self._with(settings)
        for figure, count in followed(free, size(replace(self.brief, scenario=free), PINNED), held).items():
            whole |= self._connected(settings, figure, count)
        scenario = self._with(whole)
        planned = plan(scenario, self.brief.book, with_margins=False)
        if why := broken(planned):
            self.reasons[why] = self.reasons.get(why, 0) + 1
            return None
        return getattr(planned.bill.effective_usd, scenario.budget.level), scenario


def broken(planned: Any) -> str:
    """Return what a plan says that its fleet does not keep, but for what it costs; "" where it keeps all."""
    for finding in planned.findings:
        if finding.is_broken:
            return f"{finding.code}: {finding.message}"
    for verdict in planned.verdicts:
        if verdict.status == "fail" and not verdict.figure.startswith("cost_"):
            return f"{verdict.figure} {verdict.operator} {verdict.limit}: {verdict.value}"
    return ""


def _as_paid(found: Sized, paid: Settings) -> Sized:
    if not isinstance(paid, Bought):
        return found
    return replace(found, groups=tuple(replace(group, terms=paid.terms) for group in found.groups))


def _with_base(own: Any, base: int) -> Any:
    low = own.nodes.min
    return own.model_copy(update={"nodes": NodeBounds(min=low, base=base, max=ceil(base * own.headroom_ratio - 1e-9))})


# ---------------------------------------------------------------------------------------------- the ways of each kind


def layouts(scenario: Scenario) -> Iterator[Scenario]:
    """Yield the scenario with each way for pods to stand on the nodes of a service, their own first."""
    services = [name for name, own in scenario.of("api").items() if own.nodes_of is None]
    housed = [name for name, own in scenario.tiers.items() if getattr(own, "nodes_of", 0) is None]
    for hosts in product(*([None, *services] if scenario.optimize.pools != "apart" else [None] for _ in housed)):
        of = {name: host for name, host in zip(housed, hosts, strict=True) if host is not None}
        if any(of.get(host) or (name in services and services.index(host) >= services.index(name))
               for name, host in of.items()):  # fmt: skip
            continue
        tiers = {name: scenario.tiers[name].model_copy(update={"nodes_of": host}) for name, host in of.items()}
        yield scenario.model_copy(update={"tiers": {**scenario.tiers, **tiers}})


def rows(brief: Brief, name: str) -> Iterator[Iterator[Settings]]:
    """Yield the ways to have a tier, as rows in each of which every one costs at least as much as those before it."""
    own = brief.scenario.tiers[name]
    listed = {
        "api": _services,
        "cache": _caches,
        "database": _databases,
        "gateway": _balancers,
        "websocket": _sockets,
        "worker": _workers,
    }.get(own.KIND if getattr(own, "nodes_of", None) is None else "")
    yield from listed(brief, own) if listed is not None else [iter([own])]


def _shapes(brief: Brief, what: str) -> list[str]:
    """Return the names of the shapes that a scenario's families admit."""
    families = brief.scenario.optimize.families
    shapes = brief.cloud.catalogue().of(what)
    named = {shape.name: shape.name.removeprefix("db.").removeprefix("cache.").partition(".")[0] for shape in shapes}
    return [name for name, family in named.items() if families is None or family in families]


def _services(brief: Brief, own: Any) -> Iterator[Iterator[Settings]]:
    for shape in _shapes(brief, "vm"):
        shaped = own.model_copy(update={"shape": shape})
        yield (
            _with_base(shaped.model_copy(update={"nodes": NodeBounds(min=low, base=low, max=low)}), low)
            for low in range(1, COUNT_MOST)
        )


def _sockets(brief: Brief, own: Any) -> Iterator[Iterator[Settings]]:
    for shape in _shapes(brief, "vm"):
        shaped = own.model_copy(update={"shape": shape, "minimum_nodes": None})
        yield (shaped.model_copy(update={"nodes": count}) for count in range(1, COUNT_MOST))


def _workers(brief: Brief, own: Any) -> Iterator[Iterator[Settings]]:
    for shape in _shapes(brief, "vm"):
        yield iter([own.model_copy(update={"shape": shape, "minimum_nodes": None})])


def _balancers(brief: Brief, own: Any) -> Iterator[Iterator[Settings]]:
    for balancer in ("alb", "nlb"):
        yield iter([own.model_copy(update={"balancer": balancer})])


def _caches(brief: Brief, own: Any) -> Iterator[Iterator[Settings]]:
    """Yield both engines, with one master or three and more, and a copy for each that may be lost of a master's."""
    asked = brief.scenario.availability.asked
    copies = max(asked.copy_count, asked.lost_node_count + (asked.lost_zone_count if asked.zones > 1 else 0))
    for engine in ("redis", "valkey"):
        update = {"engine": engine} if engine == own.engine else {"engine": engine, "version": None}
        for shape in _shapes(brief, "cache"):
            shaped = own.model_copy(
                update={**update, "shape": shape, "minimum_nodes": 1, "replicas_per_master": copies}
            )
            yield (
                shaped.model_copy(update={"nodes": masters * (1 + copies)})
                for masters in range(1, COUNT_MOST)
                if masters != 2
            )
        # A small case says nothing of a cache's nodes that one without nodes would have to unsay.
        plain = {"shape": type(own)().shape, "replicas_per_master": None, "minimum_nodes": 1}
        yield iter([own.model_copy(update={**update, **plain, "serverless": True})])


def _databases(brief: Brief, own: Any) -> Iterator[Iterator[Settings]]:
    asked = brief.scenario.availability.asked
    for shape in _shapes(brief, "database"):
        shaped = own.model_copy(update={"shape": shape, "minimum_replicas": None})
        yield (shaped.model_copy(update={"replicas": count}) for count in range(16))
        for mode in ("standard", "io_optimized"):
            plain = {"engine": "aurora", "io_mode": mode, "storage_gib": type(own)().storage_gib}
            aurora = shaped.model_copy(update=plain)
            least = max(asked.replica_count, 1 if asked.has_standby else 0)
            yield (aurora.model_copy(update={"replicas": count}) for count in range(least, 16))


# --------------------------------------------------------------------------------------------------- cases by chance

FAMILIES: Final = {"vm": "t4g t3 c7g m7g c8g m8g r7g m5", "database": "t4g t3 m7g m8g r7g m5", "cache": "t4g t3 m7g"}
SIZES: Final = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
SHAPES_MOST: Final = 2


@contextmanager
def few_shapes(seed: int) -> Iterator[None]:
    """Make AWS have a few shapes of each kind and no others, as long as the block runs; some of nodes hold pods."""
    chance, real = random.Random(seed), cloud.catalogue()
    kept: dict[tuple[str, str], Shape] = {}
    for what, families in FAMILIES.items():
        known = [
            shape
            for shape in real.of(what)
            if any(f".{shape.name}".find(f".{family}.") >= 0 for family in families.split())
            and shape.name.rpartition(".")[2] in SIZES
        ]
        large = [shape for shape in known if shape.memory_gib >= (4 if what == "vm" else 2) and shape.vcpu >= 2]
        for shape in [chance.choice(large), *chance.sample(known, SHAPES_MOST - 1)]:
            kept[what, shape.name] = shape
    few = Catalogue(kept)
    with patch.object(cloud, "catalogue", lambda: few):
        yield


def drawn(seed: int) -> Scenario:
    """Return a small case: limits so tight that latency binds, and more or less to choose."""
    chance = random.Random(seed)
    some = chance.choice
    has_cache, has_sockets = chance.random() < 0.4, chance.random() < 0.3
    has_worker, has_second = chance.random() < 0.25, chance.random() < 0.25
    has_database = chance.random() < 0.9
    actions = {
        f"a{at}": {
            "weight": some((1, 2, 5)),
            "request": f"{some(('GET', 'POST'))} /a{at}",
            "cpu_ms": some((0.25, 0.5, 1, 2, 4, 8)),
            "read_ms": some((0.3, 1.0, 2.0, 5.0)),
            "read_count": some((0, 1, 2)) if has_database else 0,
            "write_count": some((0, 0, 1)) if has_database else 0,
            "response_bytes": some((300, 3000, 30000)),
            **({"at": "search"} if has_second and at == 1 else {}),
            **({"jobs": {"worker": 1}} if has_worker and at == 0 else {}),
        }
        for at in range(some((1, 2, 3)) + has_second)
    }
    think_s = some((0.3, 1.0, 2.0))
    # About as many users as keep so many cores busy: few enough nodes that all counts of them can be looked at.
    work_s = sum(action["weight"] * action["cpu_ms"] for action in actions.values()) / 1000
    work_s /= sum(action["weight"] for action in actions.values())
    peak = max(5, int(some((0.1, 0.3, 0.6, 1)) * think_s / work_s))
    optimize: dict[str, Any] = {}
    if chance.random() < 0.2:
        optimize["pools"] = "apart"
    if chance.random() < 0.4:
        optimize["commitment_years_max"] = some((0, 1, 3))
        if chance.random() < 0.5:
            optimize["upfront_usd_max"] = some((0, 300, 1000, 3000))
    if chance.random() < 0.25:
        optimize["spot"] = {"share_max": some((0.3, 0.5, 1.0)), "without_it": some(("average", "floor"))}
    document: dict[str, Any] = {
        "schema_version": 1,
        "name": f"case-{seed}",
        "users": {
            "peak": peak,
            "average": max(1, int(peak * some((0.1, 0.3, 0.6, 1.0)))),
            "active_share": some((0.1, 0.5, 1.0)),
        },
        "behaviour": {
            "think_time_s": {"min": think_s / 2, "max": think_s * 1.5},
            "actions": actions,
        },
        "loads": {
            "peak": {
                "share": 1.0,
                "ramp_s": 20,
                "duration_s": some((60, 600)),
                "latency_ms_p95": 1000,
            }
        },
        "tiers": {
            "cluster": {},
            "api": {"headroom_ratio": some((1.0, 1.5)), "users_per_node": some((100, 1000, 5000))},
            **({"search": {"kind": "api"} | some(({}, {"nodes_of": "api"}))} if has_second else {}),
            **({"websocket": {}} if has_sockets else {}),
            **({"worker": {"cpu_ms": some((50, 200)), "age_s_p99": 30}, "queue": {}} if has_worker else {}),
            **({"database": {}} if has_database else {}),
            **({"pool": {}} if has_database and chance.random() < 0.4 else {}),
            **({"cache": {"engine": some(("redis", "valkey"))}} if has_cache or has_sockets else {}),
            **({"gateway": {}} if chance.random() < 0.5 else {}),
            "network": {},
        },
        "availability": some(
            (
                "minimal",
                "standard",
                "critical",
                {"level": "standard", "zones": 3},
                {"level": "critical", "multi_az": False},
            )
        ),
        "budget": {"usd_per_1000_users_month": 1_000_000},
        "optimize": optimize,
    }
    return _tightened(document, chance)


def _tightened(document: dict[str, Any], chance: random.Random) -> Scenario:
    """Return a case whose limits are near what a fleet of the largest there is gives: then latency binds."""
    load, largest = document["loads"]["peak"], {}
    shapes = {what: max(cloud.catalogue().of(what), key=lambda each: (each.vcpu, each.memory_gib)).name
              for what in FAMILIES}  # fmt: skip
    bought = {"api": "vm", "search": "vm", "websocket": "vm", "worker": "vm", "database": "database", "cache": "cache"}
    for name, given in document["tiers"].items():
        if name in bought and "nodes_of" not in given:
            given["shape"] = shapes[bought[name]]
    loose = Scenario.model_validate(document)
    brief = brief_of(loose)
    many = {"api": {"nodes": NodeBounds(min=30, base=30, max=30)}, "websocket": {"nodes": 30}}
    for name, own in loose.tiers.items():
        if own.KIND in KINDS and getattr(own, "nodes_of", None) is None and own.BOUGHT:
            largest[name] = own.model_copy(update=many.get(own.KIND, {}))
    rich = loose.model_copy(update={"tiers": {**loose.tiers, **largest}})
    figures = plan(rich, brief.book, with_margins=False, by_action=False).figures
    p95, p99 = (float(figures[f"latency_ms_{each}.peak"].value) for each in ("p95", "p99"))
    load["latency_ms_p95"] = round(p95 * chance.choice((1.01, 1.03, 1.1, 1.3, 2)) + 0.1, 2)
    if chance.random() < 0.5:
        load["latency_ms_p99"] = round(max(p99 * chance.choice((1.02, 1.1, 1.5)), load["latency_ms_p95"]) + 0.1, 2)
    return Scenario.model_validate(document)
