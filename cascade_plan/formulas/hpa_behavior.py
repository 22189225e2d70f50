"""How fast a HorizontalPodAutoscaler may move: stabilization windows, policies, bounds, and their history.

Nothing here keeps state: the history goes in and comes out. Times are seconds on one clock of the caller's.

Source: Kubernetes v1.28 pkg/controller/podautoscaler/horizontal.go and pkg/apis/autoscaling/v2/defaults.go; the
tolerance of each direction from v1.33.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final, Literal

Select = Literal["Max", "Min", "Disabled"]
Limit = Literal["DesiredWithinRange", "ScaleUpLimit", "ScaleDownLimit", "TooFewReplicas", "TooManyReplicas"]


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `value` pods, or percent of the pods, in `period_s`."""

    type: Literal["Pods", "Percent"]
    value: int
    period_s: int


@dataclass(frozen=True, slots=True)
class Rules:
    """One direction's behavior. What is None or empty takes the API's default."""

    policies: tuple[Policy, ...] = ()
    select: Select | None = None
    window_s: int | None = None
    """Stabilization window."""
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Behavior:
    """Both directions; a direction that is None takes the API's defaults."""

    scale_up: Rules | None = None
    scale_down: Rules | None = None


SCALE_UP: Final = Rules((Policy("Pods", 4, 15), Policy("Percent", 100, 15)), "Max", 0)
SCALE_DOWN: Final = Rules((Policy("Percent", 100, 15),), "Max")
"""The API's defaults. Scaling down has no window of its own: the controller's flag gives it, 300 s unless set."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A count that the metrics asked for, before anything tempered it."""

    replica_count: int
    at_s: float


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """A change that was made in one direction, as a positive count."""

    change_count: int
    at_s: float
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class Events:
    """The changes made in both directions, each in the order of the controller's slots, not of time."""

    up: tuple[ScaleEvent, ...] = ()
    down: tuple[ScaleEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Limited:
    """A count within its limits, and which limit was met."""

    replica_count: int
    reason: Limit


# ------------------------------------------------------------------------------------------------------------ defaults


def _completed(rules: Rules | None, defaults: Rules) -> Rules:
    """Return rules with the gaps filled from defaults."""
    if rules is None:
        return defaults
    return Rules(
        rules.policies or defaults.policies,
        rules.select or defaults.select,
        defaults.window_s if rules.window_s is None else rules.window_s,
        rules.tolerance,
    )


def default_scale_up(rules: Rules | None) -> Rules:
    """Return the rules of scaling up as the API stores them: 4 pods or 100 % in 15 s, the larger; no window."""
    return _completed(rules, SCALE_UP)


def default_scale_down(rules: Rules | None) -> Rules:
    """Return the rules of scaling down as the API stores them: 100 % in 15 s; the window stays None if not given."""
    return _completed(rules, SCALE_DOWN)


def complete(behavior: Behavior, downscale_window_s: int) -> tuple[Rules, Rules]:
    """Return the rules of scaling up and down with every gap filled, the last from the controller's flag."""
    up, down = default_scale_up(behavior.scale_up), default_scale_down(behavior.scale_down)
    return up, down if down.window_s is not None else replace(down, window_s=downscale_window_s)


# ------------------------------------------------------------------------------------------------------- stabilization


def _recorded(log: Sequence[Recommendation], new: Recommendation, old: Sequence[bool]) -> tuple[Recommendation, ...]:
    """Return a log with `new` in the place of the last entry that is too old to matter, else at its end."""
    if not any(old):
        return (*log, new)
    place = max(index for index, is_old in enumerate(old) if is_old)
    return (*log[:place], new, *log[place + 1 :])


def stabilize_downscale(
    desired: int, log: Sequence[Recommendation], window_s: float, now_s: float
) -> tuple[int, tuple[Recommendation, ...]]:
    """Return the largest count recommended within the window, and the new log: the way without `behavior`.

    An entry that is exactly as old as the window counts.
    """
    old = [entry.at_s < now_s - window_s for entry in log]
    recent = [entry.replica_count for entry, is_old in zip(log, old, strict=True) if not is_old]
    return max([desired, *recent]), _recorded(log, Recommendation(desired, now_s), old)


def stabilize(
    current: int, desired: int, log: Sequence[Recommendation], up_window_s: float, down_window_s: float, now_s: float
) -> tuple[int, tuple[Recommendation, ...]]:
    """Return `current` moved no further than every recommendation of its window allows, and the new log.

    Up to the least of the up window, down to the largest of the down window; the newest belongs to both. An entry that
    is exactly as old as a window does not count.

    >>> stabilize(10, 20, (Recommendation(12, 0.0),), up_window_s=60, down_window_s=300, now_s=30.0)[0]
    12
    """
    low = min([desired, *(entry.replica_count for entry in log if entry.at_s > now_s - up_window_s)])
    high = max([desired, *(entry.replica_count for entry in log if entry.at_s > now_s - down_window_s)])
    old = [entry.at_s < now_s - max(up_window_s, down_window_s) for entry in log]
    return min(max(current, low), high), _recorded(log, Recommendation(desired, now_s), old)


# -------------------------------------------------------------------------------------------------------------- events


def replicas_changed(period_s: float, events: Sequence[ScaleEvent], now_s: float) -> int:
    """Return the pods changed in the last `period_s`; an event exactly that old does not count."""
    return sum(event.change_count for event in events if event.at_s > now_s - period_s)


def store_event(change_count: int, events: Sequence[ScaleEvent], rules: Rules, now_s: float) -> tuple[ScaleEvent, ...]:
    """Return the events of one direction with a new one, in the place of the last outdated one if there is any.

    Outdated is what is older than the longest period of that direction's own policies. The other direction's policies
    look at these events too: where their period is longer, what they miss is the controller's to miss.
    """
    longest_s = max((policy.period_s for policy in rules.policies), default=0)
    marked = [replace(event, is_outdated=event.is_outdated or event.at_s < now_s - longest_s) for event in events]
    outdated = [index for index, event in enumerate(marked) if event.is_outdated]
    if outdated:
        marked[outdated[-1]] = ScaleEvent(change_count, now_s)
    else:
        marked.append(ScaleEvent(change_count, now_s))
    return tuple(marked)


def record_change(events: Events, before: int, after: int, rules: tuple[Rules, Rules] | None, now_s: float) -> Events:
    """Return the events after the replicas went from `before` to `after`; `rules` are those of up and down.

    Without rules (no `behavior`) nothing is remembered, for nothing would use it.
    """
    if rules is None:
        return events
    up, down = rules
    if after > before:
        return Events(store_event(after - before, events.up, up, now_s), events.down)
    return Events(events.up, store_event(before - after, events.down, down, now_s))


# -------------------------------------------------------------------------------------------------------------- limits


def _selected(
    current: int, events: Events, rules: Rules, now_s: float, reach: Callable[[int, Policy], int], is_up: bool
) -> int:
    """Return the count that the selected policy reaches from where its period began.

    The period began at the present count less what was added since, plus what was removed.
    """
    if rules.select == "Disabled":
        return current
    reached = []
    for policy in rules.policies:
        added = replicas_changed(policy.period_s, events.up, now_s)
        removed = replicas_changed(policy.period_s, events.down, now_s)
        reached.append(reach(current - added + removed, policy))
    return max(reached) if is_up == (rules.select != "Min") else min(reached)


def scale_up_limit(current: int, events: Events, rules: Rules, now_s: float) -> int:
    """Return the most replicas the policies of scaling up reach; may lie below `current`. Percentages round up.

    `rules` are completed ones (they have a policy).
    """

    def reach(start: int, policy: Policy) -> int:
        return start + policy.value if policy.type == "Pods" else ceil(start * (1 + policy.value / 100))

    return _selected(current, events, rules, now_s, reach, is_up=True)


def scale_down_limit(current: int, events: Events, rules: Rules, now_s: float) -> int:
    """Return the fewest replicas the policies of scaling down reach; may lie above `current`. Percentages are cut off.

    `rules` are completed ones (they have a policy).
    """

    def reach(start: int, policy: Policy) -> int:
        return start - policy.value if policy.type == "Pods" else int(start * (1 - policy.value / 100))

    return _selected(current, events, rules, now_s, reach, is_up=False)


def limit(current: int, desired: int, low: int, high: int) -> Limited:
    """Return a count within the bounds and at most max(2 x current, 4): the way without `behavior`.

    >>> limit(3, 9, 1, 100)
    Limited(replica_count=6, reason='ScaleUpLimit')
    """
    doubled = max(2 * current, 4)
    if desired < low:
        return Limited(low, "TooFewReplicas")
    if desired > min(high, doubled):
        return Limited(doubled, "ScaleUpLimit") if high > doubled else Limited(high, "TooManyReplicas")
    return Limited(desired, "DesiredWithinRange")


def limit_rate(
    current: int, desired: int, low: int, high: int, rules: tuple[Rules, Rules], events: Events, now_s: float
) -> Limited:
    """Return a count within the bounds and the policies of `rules` (up, down), both completed.

    A bound is met only by moving: a present count outside of them stays when no move is desired.
    """
    up, down = rules
    if desired > current:
        reach = max(current, scale_up_limit(current, events, up, now_s))
        if desired > min(high, reach):
            return Limited(reach, "ScaleUpLimit") if high > reach else Limited(high, "TooManyReplicas")
    elif desired < current:
        reach = min(current, scale_down_limit(current, events, down, now_s))
        if desired < max(low, reach):
            return Limited(reach, "ScaleDownLimit") if low < reach else Limited(low, "TooFewReplicas")
    return Limited(desired, "DesiredWithinRange")
