"""Fleet -> the latencies it gives each named load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import inf
from typing import Final, NamedTuple

from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.place import Scale
from cascade_plan.model.scenario import USERS_PEAK, Load, Scenario
from cascade_plan.planning.ceilings import broken, requests_per_s_most
from cascade_plan.planning.chain import Chain, Prediction, chain
from cascade_plan.planning.predicting import Question, interval_of, predict
from cascade_plan.planning.sizing import places

BUSY: Final = ".busy_ratio_peak"
"""How the name of the figure ends that says how busy a tier is."""
SYNC_S: Final = 15
"""Period of the HPA controller (kube-controller-manager --horizontal-pod-autoscaler-sync-period)."""
WAIT_MS_MOST: Final = 86_400_000.0
"""A day: who asks what does nothing waits for ever, and a figure has an end."""
Ends = tuple[tuple[float, float], ...]
"""The (low, high) of p50, p95 and p99 in ms."""
OF_LOADS: Final = ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "requests_per_s")
"""The figures that every load has, and the peak: each with a dot and the load's name behind it."""
OF_ACTIONS: Final = ("action_latency_ms_p50", "action_latency_ms_p95", "action_latency_ms_p99")
"""The figures that every action of every load has, where there are several: with a load's and an action's name."""
SOURCE: Final = "docs/model.md: closed network of multi-server queues, transform inversion"


def reaction_s(scenario: Scenario, fleet: Fleet) -> float:
    """Return the seconds from a rise of load to the pods that answer it: one sync, the window, a node and a pod."""
    slowest = max((lever.reaction_s for lever in fleet.levers if lever.is_scaled), default=0.0)
    return SYNC_S + scenario.autoscaling.scale_up_window_s + slowest


def is_sudden(scenario: Scenario, fleet: Fleet, load: Load) -> bool:
    """Return whether a load is over before the autoscaler has answered it: the scaled-in fleet must bear it."""
    return load.duration_s < reaction_s(scenario, fleet)


def latencies(
    scenario: Scenario, fleet: Fleet, by_action: bool = True
) -> tuple[tuple[Derivation, ...], tuple[Finding, ...]]:
    """Return the latency figures of every named load and of all users at peak, and what is to be said of them.

    A load is answered by the nodes the autoscaler holds for its users, once it has answered; a sudden one by the
    scaled-in fleet. Every user of a load acts, whatever users.active_share says of a working day. What no service
    answers has no latency: the times of what it asks alone would pass for it.
    """
    if unanswered := _unanswered(scenario):
        return (), unanswered
    figures: list[Derivation] = []
    findings: list[Finding] = []
    for case in _cases(scenario, fleet):
        on = chain(scenario, places(scenario, fleet, case.scale))
        if not on.places:
            continue
        question = Question.of(on, case.users)
        prediction, ends = _predicted(question)
        binding = ""
        if prediction.requests_per_s > (most := requests_per_s_most(fleet, case.scale)):
            binding = broken(fleet, prediction.requests_per_s, 0.0, case.scale)
            prediction, ends = _limited(prediction, most, on.think_s), None
        figures += (_bound(each, binding) for each in _figures(case, prediction, ends, on))
        if by_action and not binding:
            figures += _of_actions(case, prediction, _by_action(question))
        if case.name == USERS_PEAK:
            figures += _busy(prediction, on)
        # That the peak is saturated is said of the load that drives it, where one does.
        if case.name != USERS_PEAK or not any(load.users == case.users for load in scenario.driven.values()):
            findings += _saturated(case, prediction)
    return tuple(figures), (*findings, *_peak_not_driven(scenario, figures))


def at_users(scenario: Scenario, fleet: Fleet, users: int) -> Prediction | None:
    """Return how the instances that the autoscaler holds for so many users answer them; None where nothing does.

    More users than at peak are answered by the most instances that it may add.
    """
    scale = steady(fleet, users, scenario.users.peak)
    on = chain(scenario, places(scenario, fleet, scale))
    if not on.places or _unanswered(scenario):
        return None
    prediction, _ = _predicted(Question.of(on, users))
    most = requests_per_s_most(fleet, scale)
    return _limited(prediction, most, on.think_s) if prediction.requests_per_s > most else prediction


def _limited(prediction: Prediction, requests_per_s_most: float, think_s: float) -> Prediction:
    """Return what is left of a prediction where a ceiling lets fewer requests pass than the queues would.

    Users who wait for it take N / X - Z on average, by the interactive response time law, and no percentile from the
    middle on is taken to be less. Single actions have no figure then: which of them waits is not known.
    """
    waiting_ms = (prediction.users / requests_per_s_most - think_s) * 1000 if requests_per_s_most else inf
    least = min(waiting_ms, WAIT_MS_MOST)
    return replace(
        prediction,
        requests_per_s=requests_per_s_most,
        latency_ms_mean=max(least, prediction.latency_ms_mean),
        latency_ms_p50=max(least, prediction.latency_ms_p50),
        latency_ms_p95=max(least, prediction.latency_ms_p95),
        latency_ms_p99=max(least, prediction.latency_ms_p99),
    )


def _bound(figure: Derivation, binding: str) -> Derivation:
    """Return a figure of a load with the ceiling that binds it, where one does."""
    if not binding or figure.figure.partition(".")[0] not in OF_LOADS:
        return figure
    rate = "the rate at which a ceiling binds"
    formula = rate if figure.figure.startswith("requests_per_s") else f"at least users / {rate} - think time"
    return replace(figure, formula=formula, note=binding)


@lru_cache(maxsize=256)
def _predicted(question: Question) -> tuple[Prediction, Ends | None]:
    """Return a prediction and its interval, once for all plans and loads that ask alike."""
    prediction = predict(question.on, question.users)
    return prediction, interval_of(question.on, question.users)


@lru_cache(maxsize=256)
def _by_action(question: Question) -> Mapping[str, Sequence[float]]:
    """Return p50, p95 and p99 in ms of each action's requests; nothing where there is one action alone."""
    prediction, _ = _predicted(question)
    actions = dict.fromkeys(path.kind for path in prediction.response.paths)
    return {action: prediction.latency_ms((0.5, 0.95, 0.99), action) for action in actions} if len(actions) > 1 else {}


class _Case(NamedTuple):
    """Users who all act, and the counts of what the autoscaler moves that answer them."""

    name: str
    said: str
    """Where the scenario says how many."""
    users: int
    scale: Scale


def _cases(scenario: Scenario, fleet: Fleet) -> Iterator[_Case]:
    for name, load in scenario.driven.items():
        said = f"loads.{name}.{'users' if scenario.loads[name].share is None else 'share'}"
        yield _Case(name, said, load.users, scale_for(scenario, fleet, load))
    peak = scenario.users.peak
    yield _Case(USERS_PEAK, "users.peak", peak, steady(fleet, peak, peak))


def _unanswered(scenario: Scenario) -> tuple[Finding, ...]:
    """Return that requests have no service, where so."""
    if all(scenario.service(action) for _, action in scenario.behaviour.mix):
        return ()
    message = "no service of this scenario answers its users' requests: no latency is predicted"
    return (Finding("warning", "requests-unanswered", message, "tiers"),)


def _peak_not_driven(scenario: Scenario, figures: list[Derivation]) -> tuple[Finding, ...]:
    """Return that no load drives as many users as there are at peak, so that no limit is judged there."""
    peak, figure = scenario.users.peak, f"latency_ms_p95.{USERS_PEAK}"
    most = max(scenario.driven.items(), key=lambda load: load[1].users, default=None)
    predicted = next((f"{each.value:,.4g} ms" for each in figures if each.figure == figure), "")
    if not predicted or (most is not None and most[1].users >= peak):
        return ()
    if most is None:
        lacks = f"no load is given, so that no latency is judged; p95 with all {peak:,} users acting is {predicted}"
    else:
        lacks = (
            f"no load drives the {peak:,} users of the peak: {most[0]} drives {most[1].users:,}, and its limits say "
            f"nothing of the peak, where p95 is {predicted}; share: 1.0 makes a load follow the peak"
        )
    return (Finding("warning", "peak-not-driven", lacks, figure),)


def scale_for(scenario: Scenario, fleet: Fleet, load: Load) -> Scale:
    """Return the counts that answer a load: those the autoscaler holds for its users, or the floor's if sudden."""
    if is_sudden(scenario, fleet, load):
        return {lever.name: lever.floor_count for lever in fleet.levers if lever.is_scaled}
    return steady(fleet, load.users, scenario.users.peak)


def steady(fleet: Fleet, users: float, users_peak: int) -> Scale:
    """Return the counts that the autoscaler holds for so many users, once it has answered."""
    return {lever.name: lever.at(users, users_peak) for lever in fleet.levers if lever.is_scaled}


def chain_for(scenario: Scenario, fleet: Fleet, load: Load) -> Chain:
    """Return the chain of requests on the counts that answer a load."""
    return chain(scenario, places(scenario, fleet, scale_for(scenario, fleet, load)))


def _figures(case: _Case, prediction: Prediction, ends: Ends | None, on: Chain) -> list[Derivation]:
    busy, name = prediction.utilisation_ratio, case.name
    inputs = (
        Input("users", case.users, f"scenario: {case.said}"),
        Input("requests/s", prediction.requests_per_s, "computed: users / (think time + response time)"),
        *(Input(lever, count, "computed: what the autoscaler holds for them") for lever, count in case.scale.items()),
        *(Input(f"units of {place.name}", place.unit_count, "computed") for place in on.places if place.is_scaled),
        *(Input(f"busy share of {station}", share, "computed") for station, share in sorted(busy.items())),
    )
    low_high = ends or (None, None, None)
    values = (
        ("p50", prediction.latency_ms_p50, low_high[0]),
        ("p95", prediction.latency_ms_p95, low_high[1]),
        ("p99", prediction.latency_ms_p99, low_high[2]),
    )
    note = f"the fullest place is {prediction.bottleneck}"
    if ends:
        note = f"{note}: so full that a CPU time a few per cent off moves it between the two ends"
    return [
        Derivation(
            f"requests_per_s.{name}",
            prediction.requests_per_s,
            "requests/s",
            "users / (think time + response time)",
            inputs,
            SOURCE,
            "the rate of a load generator that waits for each answer; it falls when the system is slow",
        ),
    ] + [
        Derivation(
            f"latency_ms_{percentile}.{name}",
            value,
            "ms",
            "percentile of the sum over every place a request visits, at the closed system's throughput",
            inputs,
            SOURCE,
            note,
            interval,
        )
        for percentile, value, interval in values
    ]


def _of_actions(case: _Case, prediction: Prediction, found: Mapping[str, Sequence[float]]) -> list[Derivation]:
    """Return the figures of single actions."""
    return [
        Derivation(
            f"{family}.{case.name}.{action}",
            value,
            "ms",
            f"percentile of the requests of {action} alone: the sum over every place that they visit",
            (
                Input("users", case.users, f"scenario: {case.said}"),
                Input("requests/s", prediction.requests_per_s, "computed: users / (think time + response time)"),
            ),
            SOURCE,
        )
        for action, percentiles in found.items()
        for family, value in zip(OF_ACTIONS, percentiles, strict=True)
    ]


def _busy(prediction: Prediction, on: Chain) -> list[Derivation]:
    """Return how busy each tier's fullest place is when all users at peak act: not what pods request of nodes."""
    fullest: dict[str, str] = {}
    for place in on.places:
        share = prediction.utilisation_ratio[place.name]
        if place.tier not in fullest or share > prediction.utilisation_ratio[fullest[place.tier]]:
            fullest[place.tier] = place.name
    return [
        Derivation(
            f"{tier}{BUSY}",
            prediction.utilisation_ratio[name],
            "of 1",
            f"utilisation of {name}: its requests/s x their service time / its servers",
            (Input(f"requests_per_s.{USERS_PEAK}", prediction.requests_per_s, "computed"),),
            SOURCE,
            "how busy its servers are; what pods request of a node's CPU is another thing",
        )
        for tier, name in sorted(fullest.items())
    ]


def _saturated(case: _Case, prediction: Prediction) -> list[Finding]:
    if not prediction.saturated:
        return []
    share = prediction.utilisation_ratio[prediction.bottleneck]
    who = "the peak" if case.name == USERS_PEAK else f"load {case.name}"
    return [
        Finding(
            "warning",
            "saturated",
            f"{who} keeps {prediction.bottleneck} {share:.0%} busy: {prediction.users:,} users wait for each "
            f"other at {prediction.requests_per_s:,.0f} requests/s",
            f"latency_ms_p95.{case.name}",
        )
    ]
