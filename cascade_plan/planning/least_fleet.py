"""The method slo: the least fleet that meets every load's latency with a zone and a node lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from cascade_plan.errors import InfeasibleError
from cascade_plan.model.brief import Brief
from cascade_plan.model.fleet import Fleet, NodeGroup
from cascade_plan.model.solution import Rejection, Solution
from cascade_plan.planning.chain import Chain, Deployed, after_loss, chain, meets, throughput
from cascade_plan.planning.latencies import cores_per_pod, is_sudden

NODES_MOST: Final = 100_000
MANY: Final = 10_000
"""Read replicas so many that they are never what binds."""
REPLICAS_TRIED: Final = 6
"""Read replicas more than needed that are tried, for a fleet with fewer API nodes that costs less."""
POOL_SPREADS: Final = 4
"""Standard deviations of the busy connections above their mean that the pool covers: 3 in 100,000 queries wait."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A load that must be met, by the base fleet or by the scaled-in one."""

    name: str
    users: int
    latency_ms_p95: float
    latency_ms_p99: float | None


def solve(brief: Brief, fleet: Fleet) -> Solution:
    """Return the least counts; shapes and pods a node are those of `fleet`, which the rules sized.

    Counts are searched together, because latency is shared: for each number of read replicas the least API nodes that
    meet every load, then the cheapest of the pairs. What meets a load meets every smaller one, so more users never
    cost less.
    Raises InfeasibleError naming the load and the station that no count relieves.
    """
    search = _Search.of(brief, fleet)
    base, replicas = search.cheapest(search.cases())
    least = search.least_nodes(search.floor_cases(), replicas, "api.node_count.min")
    pool = search.pool(base, replicas)
    sockets = search.websocket_nodes()
    return Solution(
        api_node_count_base=base,
        api_node_count_min=min(base, least),
        replica_count=replicas,
        connection_count=pool,
        websocket_node_count=sockets,
        rejections=tuple(search.rejections(base, least, replicas)),
    )


@dataclass(frozen=True, slots=True)
class _Search:
    brief: Brief
    pods_per_node: int
    cores_per_pod: float
    database_vcpu: int
    masters: int
    node_usd: Decimal
    replica_usd: Decimal

    @classmethod
    def of(cls, brief: Brief, fleet: Fleet) -> _Search:
        groups = {group.name: group for group in fleet.groups}
        api, primary = groups["api nodes"], groups["database primary"]
        figures = {figure.figure: int(figure.value) for figure in fleet.figures}
        pods, masters = figures["api.pod_count_per_node"], figures["cache.master_count"]
        return cls(
            brief,
            pods,
            cores_per_pod(brief, api, pods),
            primary.shape.vcpu,
            masters,
            _usd(brief, api),
            _usd(brief, replace(primary, variant="single_az")),
        )

    def cases(self) -> list[_Case]:
        """Return the loads the base fleet must meet, and the scenario's peak when no load is as high."""
        loads = self.brief.scenario.loads
        cases = [_Case(name, load.users, load.latency_ms_p95, load.latency_ms_p99) for name, load in loads.items()]
        peak = self.brief.scenario.users.peak
        if all(case.users < peak for case in cases):
            cases.append(_Case("users.peak", peak, *self._limits()))
        return cases

    def floor_cases(self) -> list[_Case]:
        """Return the loads that the scaled-in fleet must meet: the average, and those too sudden to scale for."""
        cases = [_Case("users.average", self.brief.scenario.users.average, *self._limits())]
        for name, load in self.brief.scenario.loads.items():
            if is_sudden(self.brief.scenario, load):
                cases.append(_Case(name, load.users, load.latency_ms_p95, load.latency_ms_p99))
        return cases

    def _limits(self) -> tuple[float, float | None]:
        loads = self.brief.scenario.loads.values()
        if not loads:
            return self.brief.scenario.autoscaling.target_latency_s_p95 * 1000, None
        p99 = [load.latency_ms_p99 for load in loads if load.latency_ms_p99 is not None]
        return min(load.latency_ms_p95 for load in loads), min(p99, default=None)

    def failure(self, case: _Case, nodes: int, replicas: int) -> str:
        """Return why `nodes` and `replicas` do not meet a case after the losses, or ""."""
        availability = self.brief.scenario.availability
        lost = availability.zones, availability.lost_zone_count
        pods = after_loss(nodes, *lost, availability.lost_node_count) * self.pods_per_node
        if not pods:
            return f"{nodes} nodes leave none when a zone and a node are lost"
        readers = after_loss(replicas, *lost, 0)
        return meets(self._chain(pods, readers), case.users, case.latency_ms_p95, case.latency_ms_p99)

    def _chain(self, pods: int, replicas: int) -> Chain:
        enough = 1_000_000
        deployed = Deployed(pods, self.cores_per_pod, self.database_vcpu, replicas, enough, self.masters)
        return chain(self.brief.scenario, deployed)

    def least_nodes(self, cases: list[_Case], replicas: int, figure: str) -> int:
        """Return the least nodes that meet every case. Raises InfeasibleError when no number does."""

        def failure(nodes: int) -> str:
            reasons = (f"{case.name}: {reason}" for case in cases if (reason := self.failure(case, nodes, replicas)))
            return next(reasons, "")

        found = _least(lambda nodes: not failure(nodes), NODES_MOST, self._guess(cases))
        if found == NODES_MOST and (reason := failure(found)):
            raise InfeasibleError(f"{figure}: no number of API nodes helps with {replicas} read replicas: {reason}")
        return found

    def _guess(self, cases: list[_Case]) -> int:
        """Return about how many nodes the busiest case fills, losses included: where a search starts."""
        availability = self.brief.scenario.availability
        think_s = self.brief.scenario.behaviour.think_time_s.mean
        one = self._chain(1, 1).stations["api"]
        pods = max(case.users for case in cases) / think_s * one.service.mean_s
        left = math.ceil(pods / self.pods_per_node) + availability.lost_node_count
        kept = availability.zones - min(availability.lost_zone_count, availability.zones - 1)
        return math.ceil(left * availability.zones / kept)

    def cheapest(self, cases: list[_Case]) -> tuple[int, int]:
        """Return the (API nodes, read replicas) that meet every case at the least cost, fewer replicas first."""
        tier = self.brief.scenario.tiers.database
        best: tuple[Decimal, int, int] | None = None
        unbound: int | None = None
        binding: InfeasibleError | None = None
        tried = 0
        for replicas in range(tier.minimum_replicas, tier.minimum_replicas + 500):
            try:
                nodes = self.least_nodes(cases, replicas, "api.node_count.base")
            except InfeasibleError as error:
                binding = error
                if self._writes_bind(cases):
                    break
                continue
            found = (nodes * self.node_usd + replicas * self.replica_usd, replicas, nodes)
            best = found if best is None else min(best, found)
            tried += 1
            if tried > REPLICAS_TRIED or replicas * self.replica_usd > best[0]:
                break
            unbound = self.least_nodes(cases, MANY, "api.node_count.base") if unbound is None else unbound
            if nodes == unbound:
                break
        if best is None:
            raise InfeasibleError(f"no fleet meets the loads; {binding}")
        return best[2], best[1]

    def _writes_bind(self, cases: list[_Case]) -> bool:
        """Return whether the primary alone fails a case: read replicas do not relieve it."""
        return any(self.failure(case, NODES_MOST, MANY) for case in cases)

    def pool(self, base: int, replicas: int) -> int:
        """Return the connections that let (nearly) no query wait for one: Little's law and its spread.

        busy = queries/s x time a connection is held; Poisson in the mean, so mean + 4 standard deviations; never fewer
        than the database can use (cores x 2 + 1, HikariCP: About Pool Sizing).
        """
        users = max(case.users for case in self.cases())
        on = self._chain(base * self.pods_per_node, replicas)
        requests_per_s = throughput(on, users)
        busy = on.stations["pool"].offered_load(requests_per_s * on.visits["pool"])
        return max(self.database_vcpu * 2 + 1, math.ceil(busy + POOL_SPREADS * math.sqrt(busy)))

    def websocket_nodes(self) -> int:
        """Return the nodes that hold every connection after the losses, the plan's minimum at least."""
        tier, availability = self.brief.scenario.tiers.websocket, self.brief.scenario.availability
        connections = math.ceil(self.brief.load.connections.peak)

        def holds(nodes: int) -> bool:
            left = after_loss(nodes, availability.zones, availability.lost_zone_count, availability.lost_node_count)
            return left * tier.connections_per_node >= connections and nodes >= tier.minimum_nodes

        return _least(holds, NODES_MOST)

    def rejections(self, base: int, least: int, replicas: int) -> list[Rejection]:
        """Return, for each count that could be one smaller, the load that then fails."""
        nodes = (("api.node_count.base", self.cases(), base), ("api.node_count.min", self.floor_cases(), least))
        tried = [(figure, case, count - 1, replicas) for figure, cases, count in nodes for case in cases if count > 1]
        smaller = [(figure, fewer, case, fewer, readers) for figure, case, fewer, readers in tried]
        if replicas:
            cases = self.cases()
            smaller += [("database.replica_count", replicas - 1, case, base, replicas - 1) for case in cases]
        return [
            Rejection(figure, fewer, case.name, f"{case.name}: {reason}")
            for figure, fewer, case, api_nodes, readers in smaller
            if (reason := self.failure(case, api_nodes, readers))
        ]


def _usd(brief: Brief, group: NodeGroup) -> Decimal:
    """Return a group's on-demand price an hour; 1 where the book has none, since counts must not depend on gaps."""
    price = brief.book.find(group.shape.service, group.shape.name, group.variant)
    return Decimal(1) if price is None else price.usd


def _least(meets_at: Callable[[int], bool], most: int, start: int = 1) -> int:
    """Return the least count for which a condition holds that, once it holds, holds for every larger count.

    Searches outwards from `start` in doubling steps, then halves; returns `most` when the condition never holds.
    """
    low, high, step = 0, min(most, max(1, start)), 1
    while high < most and not meets_at(high):
        low, high, step = high, min(most, high + step), step * 2
    if not low:
        while high > 1 and meets_at(below := max(1, high - step)):
            high, step = below, step * 2
        low = max(0, high - step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if meets_at(middle) else (middle, high)
    return high
