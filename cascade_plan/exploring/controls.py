"""What of a scenario a page has a control for: each by its dotted path, with its value as --set takes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, Literal, get_args, get_origin

from cascade_plan import registry
from cascade_plan.model.catalogue import Catalogue
from cascade_plan.model.part import Part
from cascade_plan.model.scenario import AVAILABILITY, Scenario
from cascade_plan.model.schemas import written
from cascade_plan.model.tier import OFF, Bought, Settings, settings_class
from cascade_plan.model.titles import called, title
from cascade_plan.prices import books

Control = dict[str, Any]
"""path, label, kind (number, choice, text or switch), value as --set takes it, and what its kind needs."""
ZONES: Final = 6
"""Most that a scenario may ask for."""
CHOSEN: Final = ("engine", "io_mode", "serverless", "balancer", "nat")
"""Settings of a tier that a page has a list for, where its kind has them."""
LABELS: Final = {"io_mode": "I/O mode", "nat": "NAT"}
LEFT: Final = ""
"""The value of what is left out."""


def groups(scenario: Scenario, cached: bool, tiers: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the groups of a scenario's controls in the order of a page; regions also of the cache if `cached`.

    `tiers` are names that can be turned on again where the scenario has them no more.
    """
    found = (
        ("users", "Users", _users(scenario)),
        ("behaviour", "What a user does", _behaviour(scenario)),
        ("limits", "Latency limits", _limits(scenario)),
        ("money", "Budget", _money(scenario)),
        ("place", "Place and method", _place(scenario, cached)),
        ("tiers", "Tiers", _switches(scenario, tiers)),
        *((f"tier-{name}", title(name), _tier(scenario, name)) for name in scenario.tiers),
    )
    listed = ({"name": name, "title": heading, "controls": list(controls)} for name, heading, controls in found)
    return [group for group in listed if group["controls"]]


def _number(path: str, label: str, value: float | None, unit: str = "", whole: bool = False, **more: Any) -> Control:
    shown = LEFT if value is None else written(value)
    return {"path": path, "label": label, "kind": "number", "value": shown, "unit": unit, "whole": whole, **more}


def _choice(path: str, label: str, value: object, choices: Iterable[object], **more: Any) -> Control:
    """Return a list to choose from; a value that is none of it is in it too."""
    shown = LEFT if value is None else written(value)
    words = [written(each) for each in choices]
    listed = [*words, *([shown] if shown not in words else [])]
    return {
        "path": path,
        "label": label,
        "kind": "choice",
        "value": shown,
        "choices": [{"value": each, "label": each.replace("_", " ") or "as its level says"} for each in listed],
        **more,
    }


def _users(scenario: Scenario) -> Iterator[Control]:
    users = scenario.users
    yield _number("users.peak", "Users at peak", users.peak, whole=True)
    yield _number("users.average", "Users on average", users.average, whole=True)
    if users.registered is not None:
        yield _number("users.registered", "Registered users", users.registered, whole=True)


def _behaviour(scenario: Scenario) -> Iterator[Control]:
    think = scenario.behaviour.think_time_s
    yield _number("behaviour.think_time_s.min", "Think time, least", think.min, "s")
    yield _number("behaviour.think_time_s.max", "Think time, most", think.max, "s")
    share = scenario.users.active_share
    yield _number("users.active_share", "Share of users who act", share, "of 1", least=0.001, most=1)
    for name, action in scenario.behaviour.actions.items():
        yield _number(f"behaviour.actions.{name}.cpu_ms", f"CPU of {called(name)}", action.cpu_ms, "ms", scaled=True)


def _limits(scenario: Scenario) -> Iterator[Control]:
    for name, load in scenario.loads.items():
        for leaf, percentile in (("latency_ms_p95", "p95"), ("latency_ms_p99", "p99")):
            if (limit := getattr(load, leaf)) is not None:
                yield _number(f"loads.{name}.{leaf}", f"{called(name).capitalize()}, {percentile}", limit, "ms")


def _money(scenario: Scenario) -> Iterator[Control]:
    budget = scenario.budget
    yield _number("budget.usd_per_1000_users_month", "For 1000 users", budget.usd_per_1000_users_month, "USD a month")
    if budget.usd_per_month is not None:
        yield _number("budget.usd_per_month", "For everything", budget.usd_per_month, "USD a month")


def _place(scenario: Scenario, cached: bool) -> Iterator[Control]:
    available = scenario.availability
    yield _choice("method", "Sized by", scenario.method, ("rules", "slo"))
    yield _choice("region", "Region", scenario.region, books.regions(scenario.cloud, cached))
    yield _choice("availability.level", "Availability", available.level, AVAILABILITY)
    asked = None if available.zones is None else available.zones
    yield _choice("availability.zones", "Zones", asked, (*([None] if asked is None else []), *range(1, ZONES + 1)))


def _tier(scenario: Scenario, name: str) -> Iterator[Control]:
    """Yield what can be chosen of a tier."""
    settings, path = scenario.tiers[name], f"tiers.{name}"
    if (shape := getattr(settings, "shape", None)) is not None and _is_chosen(settings):
        yield {
            "path": f"{path}.shape",
            "label": "Shape",
            "kind": "text",
            "value": written(shape if isinstance(shape, str) else shape.model_dump(mode="json", exclude_none=True)),
            "list": scenario.bought(name),
        }
    for field in CHOSEN:
        if (choices := _choices(type(settings), field)) and not _is_others(settings, field):
            label = LABELS.get(field, field.replace("_", " ").capitalize())
            yield _choice(f"{path}.{field}", label, getattr(settings, field), choices)
    if isinstance(settings, Bought) and _is_chosen(settings):
        terms = registry.load("clouds", scenario.cloud, "terms").terms(scenario.bought(name))
        purchase = settings.purchase if isinstance(settings.purchase, str) else dict(settings.purchase)
        yield _choice(f"{path}.purchase", "Paid", purchase, terms)


def _is_chosen(settings: Settings) -> bool:
    """Return whether a tier has instances of its own whose shape and term can be chosen."""
    return getattr(settings, "nodes_of", None) is None and not getattr(settings, "serverless", False)


def _is_others(settings: Settings, field: str) -> bool:
    """Return whether a setting is of another engine than a tier has: of Aurora alone, refused by the others."""
    is_aurora = getattr(settings, "engine", "") == "aurora"
    return settings.KIND == "database" and field in ("io_mode", "serverless") and not is_aurora


def _choices(part: type[Part], field: str) -> tuple[object, ...]:
    """Return what a field may be where that is a list or a switch; () where it is neither, or there is none."""
    if (info := part.model_fields.get(field)) is None:
        return ()
    if info.annotation is bool:
        return (False, True)
    return get_args(info.annotation) if get_origin(info.annotation) is Literal else ()


def _switches(scenario: Scenario, tiers: Collection[str]) -> Iterator[Control]:
    """Yield a switch for each tier, and for each kind that there is none of and that needs no setting to be on."""
    for name in dict.fromkeys((*tiers, *scenario.tiers)):
        yield _switch(name, "on" if name in scenario.tiers else OFF)
    for kind in registry.names("tiers"):
        is_free = not any(field.is_required() for field in settings_class(kind).model_fields.values())
        if kind not in (*tiers, *scenario.tiers) and not scenario.of(kind) and is_free:
            yield _switch(kind, OFF)


def _switch(name: str, value: str) -> Control:
    return {"path": f"tiers.{name}", "label": title(name), "kind": "switch", "value": value, "off": OFF, "on": "{}"}


def shapes(scenario: Scenario) -> dict[str, list[str]]:
    """Return what a cloud sells -> the names of its shapes, for the lists that complete a shape."""
    catalogue: Catalogue = registry.load("clouds", scenario.cloud, "cloud").catalogue()
    bought = {scenario.bought(name) for name in scenario.tiers} - {""}
    return {what: [shape.name for shape in catalogue.of(what)] for what in sorted(bought)}
