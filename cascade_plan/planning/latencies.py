"""Fleet -> the latencies it gives each named load."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.fleet import Fleet
from cascade_plan.model.place import Scale
from cascade_plan.model.scenario import LoadTest, Scenario
from cascade_plan.planning.chain import Chain, Prediction, chain, predict
from cascade_plan.planning.sizing import places

SYNC_S: Final = 15
"""Period of the HPA controller (kube-controller-manager --horizontal-pod-autoscaler-sync-period)."""
SOURCE: Final = "docs/model.md: closed network of multi-server queues, transform inversion"


def reaction_s(scenario: Scenario, fleet: Fleet) -> float:
    """Return the seconds from a rise of load to the pods that answer it: one sync, the window, a node and a pod."""
    slowest = max((lever.reaction_s for lever in fleet.levers if lever.is_scaled), default=0.0)
    return SYNC_S + scenario.autoscaling.scale_up_window_s + slowest


def is_sudden(scenario: Scenario, fleet: Fleet, load: LoadTest) -> bool:
    """Return whether a load is over before the autoscaler has answered it: the scaled-in fleet must bear it."""
    return load.duration_s < reaction_s(scenario, fleet)


def latencies(scenario: Scenario, fleet: Fleet) -> tuple[tuple[Derivation, ...], tuple[Finding, ...]]:
    """Return the latency figures of every named load on the fleet, and what is to be said of them.

    A load is answered by the nodes the autoscaler holds for its users, once it has answered; a sudden one by the
    scaled-in fleet. Every user of a load acts, whatever users.active_share says of a working day. What no service
    answers has no latency: the times of what it asks alone would pass for it.
    """
    if unanswered := _unanswered(scenario):
        return (), unanswered
    figures: list[Derivation] = []
    findings: list[Finding] = []
    for name, load in scenario.loads.items():
        scale = scale_for(scenario, fleet, load)
        on = chain(scenario, places(scenario, fleet, scale))
        if not on.places:
            continue
        prediction = predict(on, load.users)
        figures += _figures(name, load, prediction, on, scale)
        findings += _findings(name, prediction)
    return tuple(figures), tuple(findings)


def _unanswered(scenario: Scenario) -> tuple[Finding, ...]:
    """Return that a load's requests have no service, where so."""
    if not scenario.loads or all(scenario.service(action) for _, action in scenario.behaviour.mix):
        return ()
    message = "no service of this scenario answers the requests of its loads: no latency is predicted"
    return (Finding("warning", "requests-unanswered", message, "tiers"),)


def scale_for(scenario: Scenario, fleet: Fleet, load: LoadTest) -> Scale:
    """Return the counts that answer a load: those the autoscaler holds for its users, or the floor's if sudden."""
    sudden = is_sudden(scenario, fleet, load)
    return {
        lever.name: lever.floor_count if sudden else lever.at(load.users, scenario.users.peak)
        for lever in fleet.levers
        if lever.is_scaled
    }


def chain_for(scenario: Scenario, fleet: Fleet, load: LoadTest) -> Chain:
    """Return the chain of requests on the counts that answer a load."""
    return chain(scenario, places(scenario, fleet, scale_for(scenario, fleet, load)))


def _figures(name: str, load: LoadTest, prediction: Prediction, on: Chain, scale: Scale) -> list[Derivation]:
    busy = prediction.utilisation_ratio
    inputs = (
        Input(f"loads.{name}.users", load.users, "scenario"),
        Input("requests/s", prediction.requests_per_s, "computed: users / (think time + response time)"),
        *(Input(lever, count, "computed: what the autoscaler holds for these users") for lever, count in scale.items()),
        *(Input(f"units of {place.name}", place.unit_count, "computed") for place in on.places if place.is_scaled),
        *(Input(f"busy share of {station}", share, "computed") for station, share in sorted(busy.items())),
    )
    values = (
        ("p50", prediction.latency_ms_p50),
        ("p95", prediction.latency_ms_p95),
        ("p99", prediction.latency_ms_p99),
    )
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
            f"the fullest place is {prediction.bottleneck}",
        )
        for percentile, value in values
    ]


def _findings(name: str, prediction: Prediction) -> list[Finding]:
    if not prediction.saturated:
        return []
    share = prediction.utilisation_ratio[prediction.bottleneck]
    return [
        Finding(
            "warning",
            "saturated",
            f"load {name} keeps {prediction.bottleneck} {share:.0%} busy: {prediction.users:,} users wait for each "
            f"other at {prediction.requests_per_s:,.0f} requests/s",
            f"latency_ms_p95.{name}",
        )
    ]
