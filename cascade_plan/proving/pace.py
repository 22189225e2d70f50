"""How fast a HorizontalPodAutoscaler follows what its metrics ask for, for many runs at once: formulas/hpa_behavior.

Rows are arrays of one entry a run; the history of counts is a sequence of rows, one a tick.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cascade_plan.formulas.hpa import Autoscaler
from cascade_plan.formulas.hpa_behavior import Policy, Rules, complete
from cascade_plan.proving.windows import Floats, Window, row, ticks_within

NEVER: Final = np.iinfo(np.int64).max


class Ledger:
    """What the controller has forgotten of one direction's events while a policy still asks for them.

    Events older than the longest of their own direction's periods are outdated, and a new event takes the place of the
    last outdated one; the other direction's policies may look further back. `lost[n]` is what is missing from the
    events of the last n ticks.
    """

    def __init__(self, own: Rules, spans: set[int], tick_s: int, runs: int) -> None:
        longest_s = max(policy.period_s for policy in own.policies)
        self.outdated = longest_s // tick_s + 1
        """The least age in ticks of an event that is outdated: also the most events ever kept."""
        # An event is outdated at the earliest a tick before it leaves a span one longer: no tick sees that loss.
        self.lost = {span: np.zeros(runs) for span in spans if span > self.outdated + 1}
        self.expiring = {span: np.zeros((span, runs)) for span in self.lost}
        self.last_due = dict.fromkeys(self.lost, -1)
        """The last tick at which a loss may end, by span."""
        self.order = np.arange(1, self.outdated + 1)[:, None]
        self.ticks = np.full((self.outdated, runs), NEVER)
        self.changes = np.zeros(self.outdated * runs)
        self.used, self.runs = np.zeros(runs, dtype=np.intp), runs

    def expire(self, tick: int) -> None:
        """Let go of losses whose events would not count any more."""
        for span, rows in self.expiring.items():
            if tick <= self.last_due[span]:
                ended = rows[tick % span]
                np.subtract(self.lost[span], ended, out=self.lost[span])
                ended.fill(0.0)

    def record(self, tick: int, runs: NDArray[np.intp], amounts: Floats) -> None:
        """Keep an event in each of `runs`, as the controller would, and note what it overwrites."""
        outdated = np.less_equal(self.ticks.take(runs, axis=1), tick - self.outdated)
        last = np.maximum.reduce(self.order * outdated, axis=0)
        overwrites = last > 0
        slot = np.where(overwrites, last - 1, self.used.take(runs)) * self.runs + runs
        ticks = self.ticks.reshape(-1)
        past = ticks.take(slot)
        for span, lost in self.lost.items():
            [found] = (overwrites & (past > tick - span)).nonzero()
            if found.size:
                where, until = runs[found], past[found] + span
                amount = self.changes[slot[found]]
                lost[where] += amount
                self.expiring[span][until % span, where] += amount
                self.last_due[span] = tick + span - self.outdated
        self.used[runs] += ~overwrites
        ticks[slot] = tick
        self.changes[slot] = amounts


class Step(NamedTuple):
    """A policy in rows: from the count `span` ticks ago, plus `amount` pods or times `amount`."""

    span: int
    is_percent: bool
    amount: Floats
    is_whole: bool
    """Whether whole counts stay whole, and need no rounding."""

    @classmethod
    def of(cls, policy: Policy, sign: int, tick_s: int, runs: int) -> Step:
        """Return the step of a policy that adds (sign 1) or removes (sign -1)."""
        is_percent = policy.type == "Percent"
        amount = 1 + sign * policy.value / 100 if is_percent else float(sign * policy.value)
        return cls(ticks_within(policy.period_s, tick_s), is_percent, row(amount, runs), amount.is_integer())


class Pace:
    """How far the policies of one direction reach from a count."""

    def __init__(self, rules: Rules, is_up: bool, tick_s: int, runs: int) -> None:
        self.is_disabled = rules.select == "Disabled"
        self.steps = [Step.of(policy, 1 if is_up else -1, tick_s, runs) for policy in rules.policies]
        self.pick: np.ufunc = np.maximum if is_up == (rules.select != "Min") else np.minimum
        self.whole: np.ufunc = np.ceil if is_up else np.trunc
        # Down by 100 % reaches 0 from anywhere, and the largest change is the one that counts.
        everything = [policy for policy in rules.policies if policy.type == "Percent" and policy.value == 100]
        self.is_boundless = not is_up and rules.select == "Max" and bool(everything)
        self.start = np.empty(runs)

    @property
    def spans(self) -> set[int]:
        """How many ticks back the policies look."""
        return set() if self.is_disabled or self.is_boundless else {step.span for step in self.steps}

    def reach(self, tick: int, rows: Sequence[Floats], now: int, ledgers: tuple[Ledger, Ledger], out: Floats) -> None:
        """Write where the policies end to `out`; `rows` are the counts of past ticks, up to `now` - 1."""
        if self.is_disabled:
            np.copyto(out, rows[now - 1])
            return
        for place, (span, is_percent, amount, is_whole) in enumerate(self.steps):
            begun, reached = rows[now - span], self.start if place else out
            for ledger, account in zip(ledgers, (np.add, np.subtract), strict=True):
                if ledger.last_due.get(span, -1) > tick:
                    begun = account(begun, ledger.lost[span], out=reached)
            if is_percent:
                np.multiply(begun, amount, out=reached)
            else:
                np.add(begun, amount, out=reached)
            if not is_whole:
                self.whole(reached, out=reached)
            if place:
                self.pick(out, reached, out=out)


class Tempered:
    """Windows, policies and bounds: how much of a recommendation is followed, with `behavior`."""

    def __init__(self, spec: Autoscaler, rules: tuple[Rules, Rules], tick_s: int, runs: int) -> None:
        up, down = rules
        self.low, self.high = row(spec.replica_count_min, runs), row(spec.replica_count_max, runs)
        self.lows = Window(max(1, ticks_within(up.window_s or 0, tick_s)), runs, inf, np.minimum)
        self.highs = Window(max(1, ticks_within(down.window_s or 0, tick_s)), runs, -inf, np.maximum)
        self.first = (bool(up.window_s), bool(down.window_s))
        self.up, self.down = Pace(up, True, tick_s, runs), Pace(down, False, tick_s, runs)
        spans = self.up.spans | self.down.spans
        self.ledgers = (Ledger(up, spans, tick_s, runs), Ledger(down, spans, tick_s, runs))
        self.lag = max({1} | spans)
        self.least, self.most = np.empty(runs), np.empty(runs)

    def follow(self, tick: int, rows: Sequence[Floats], now: int, wanted: Floats) -> None:
        """Write the new count to rows[now]; rows before it hold the counts of past ticks."""
        current, new = rows[now - 1], rows[now]
        self._stabilize(tick, current, wanted, new)
        for ledger in self.ledgers:
            ledger.expire(tick)
        self.up.reach(tick, rows, now, self.ledgers, self.most)
        np.maximum(self.most, current, out=self.most)
        np.minimum(self.most, self.high, out=self.most)
        np.minimum(new, self.most, out=new)
        if self.down.is_boundless:
            np.maximum(new, self.low, out=new)
        else:
            self.down.reach(tick, rows, now, self.ledgers, self.least)
            np.minimum(self.least, current, out=self.least)
            np.maximum(self.least, self.low, out=self.least)
            np.maximum(new, self.least, out=new)
        for ledger, before, after in zip(self.ledgers, (current, new), (new, current), strict=True):
            if ledger.lost and (moved := np.less(before, after).nonzero()[0]).size:
                ledger.record(tick, moved, after[moved] - before[moved])

    def _stabilize(self, tick: int, current: Floats, wanted: Floats, out: Floats) -> None:
        """Write the present count moved no further than the windows allow.

        At the first tick the count found is itself a recommendation of that moment, to a window that has a length.
        """
        lowest, highest = wanted, wanted
        if tick == 0:
            lowest = np.minimum(wanted, current) if self.first[0] else wanted
            highest = np.maximum(wanted, current) if self.first[1] else wanted
        self.lows.push(lowest, self.least)
        self.highs.push(highest, self.most)
        np.maximum(current, self.least, out=out)
        np.minimum(out, self.most, out=out)


class Clamped:
    """The window and the bounds without `behavior`: down no faster than the window, up to max(2 x count, 4)."""

    lag: Final = 1

    def __init__(self, spec: Autoscaler, window_s: int, tick_s: int, runs: int) -> None:
        self.low, self.high = row(spec.replica_count_min, runs), row(spec.replica_count_max, runs)
        self.four = row(4, runs)
        # Unlike with `behavior`, a recommendation exactly as old as the window counts.
        self.highs = Window(window_s // tick_s + 1, runs, -inf, np.maximum)
        self.doubled = np.empty(runs)

    def follow(self, tick: int, rows: Sequence[Floats], now: int, wanted: Floats) -> None:
        """Write the new count to rows[now]; rows before it hold the counts of past ticks."""
        current, new = rows[now - 1], rows[now]
        self.highs.push(np.maximum(wanted, current) if tick == 0 else wanted, new)
        np.add(current, current, out=self.doubled)
        np.maximum(self.doubled, self.four, out=self.doubled)
        np.minimum(self.doubled, self.high, out=self.doubled)
        np.maximum(new, self.low, out=new)
        np.minimum(new, self.doubled, out=new)


def follower(spec: Autoscaler, downscale_window_s: int, tick_s: int, runs: int) -> Tempered | Clamped:
    """Return how an autoscaler's counts follow its recommendations, with or without `behavior`."""
    if spec.behavior is None:
        return Clamped(spec, downscale_window_s, tick_s, runs)
    return Tempered(spec, complete(spec.behavior, downscale_window_s), tick_s, runs)
