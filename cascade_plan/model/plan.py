"""A plan: the scenario, the load, the fleet, the bill and the verdicts, with every figure's derivation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from cascade_plan import __version__, registry
from cascade_plan.languages.json import dump
from cascade_plan.model.ask import Site
from cascade_plan.model.bill import Bill
from cascade_plan.model.derivation import Derivation, Finding
from cascade_plan.model.fleet import Fleet, NodeGroup, Sized
from cascade_plan.model.outlook import Outlook
from cascade_plan.model.relaxation import WhyNot
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.tier import Settings
from cascade_plan.model.traffic import Traffic
from cascade_plan.model.watch import Watch
from cascade_plan.units import decimal_text

PLAN_SCHEMA_VERSION: Final = 1
ANSWER: Final = ("status", "cost_usd_per_month", "budget_usd_per_month", "over_budget_usd", "identifier")
"""What stands at the top of a plan's JSON."""
MONEY: Final = "Amounts of money are decimal text in US dollars: as exact as they were computed, which numbers are not."
S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate and how it ended."""

    figure: str
    operator: str
    limit: Decimal
    value: int | float | Decimal | None
    """The figure, unrounded; None when this plan has no such figure."""
    status: str
    """pass, fail, or unjudged (with the reason): a gate that could not be judged is never a pass."""
    reason: str = ""
    interval: tuple[float, float] | None = None
    """Between what the figure lies, where it is only known so far: `value` is the end that was judged."""

    @property
    def price_is_missing(self) -> bool:
        """Whether it is a cost that could not be judged: the bill lacks a price, the figure is "at least"."""
        return self.status == "unjudged" and self.figure.startswith("cost_")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a month costs, beside what it may."""

    status: str
    """over_budget, within_budget, not_judged (a price is missing) or no_budget (the scenario has none)."""
    cost_usd_per_month: Decimal
    """At the level the budget judges; the least it can be, where the bill lacks a price."""
    budget_usd_per_month: Decimal | None
    """None where the scenario has no budget."""
    over_budget_usd: Decimal | None
    """What a month costs above the budget, negative below it; None without a budget, or without a verdict."""


@dataclass(frozen=True, slots=True)
class Instance(Generic[S]):
    """An instance of a tier: what it was asked to be and what it became."""

    name: str
    settings: S
    sized: Sized


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a report or an emitter may know."""

    schema_version: int
    scenario: Scenario
    book: str
    """Name of the price book the bill was made from."""
    traffic: Traffic
    figures: Mapping[str, Derivation]
    fleet: Fleet
    """Everything that was sized, with its levers: simulation and verification size nothing again."""
    bill: Bill
    verdicts: tuple[Verdict, ...]
    findings: tuple[Finding, ...]
    outlook: Outlook | None = None
    """What would change the cost; None where nobody asked, as it plans the scenario some two hundred times."""
    why_not: WhyNot | None = None
    """What each requirement costs, and what could be given up; None where nobody asked, as each is a search."""

    def figure(self, name: str) -> int | float | Decimal:
        """Return a figure's value. Raises KeyError when the plan has no figure of that name."""
        return self.figures[name].value

    @property
    def application(self) -> str:
        """What emitted objects are called after: the scenario's application, or its name."""
        return self.scenario.application_name

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """All groups of instances."""
        return self.fleet.groups

    def of(self, settings_class: type[S]) -> tuple[Instance[S], ...]:
        """Return every instance of a kind with its settings, by the class of these; none where it is off."""
        found = self.scenario.all_of(settings_class).items()
        return tuple(Instance(name, settings, self.fleet.tiers[name]) for name, settings in found)

    @property
    def watches(self) -> tuple[Watch, ...]:
        """What of the fleet is watched on the running system."""
        return tuple(watch for name in self.fleet.tiers for watch in self.watches_of(name))

    def watches_of(self, tier: str) -> tuple[Watch, ...]:
        """Return what an instance's kind says is watched of it; worked out when asked, as only emitters do."""
        kind = self.fleet.tiers[tier].kind
        if not registry.has("tiers", kind, "watches"):
            return ()
        site = Site(tier, self.scenario.tiers[tier], self.scenario, self.fleet.tiers)
        found: tuple[Watch, ...] = registry.load("tiers", kind, "watches").watches(site)
        return found

    @property
    def unjudged(self) -> tuple[Verdict, ...]:
        """The gates that could not be judged, each with its reason."""
        return tuple(verdict for verdict in self.verdicts if verdict.status == "unjudged")

    @property
    def answer(self) -> Answer:
        """What it costs and whether the budget is kept: of a bill that lacks prices only an exceeded one is certain."""
        budget = self.scenario.budget
        cost: Decimal = getattr(self.bill.effective_usd, budget.level)
        most = budget.usd_per_month_most(self.scenario.users)
        if most is None:
            return Answer("no_budget", cost, None, None)
        if cost >= most:
            return Answer("over_budget", cost, most, cost - most)
        if not self.bill.complete:
            return Answer("not_judged", cost, most, None)
        return Answer("within_budget", cost, most, cost - most)

    @property
    def identifier(self) -> str:
        """What this plan is called: 12 hexadecimal digits of the scenario, the prices it is billed at and the program.

        The same for the same ones; any other one is another plan.
        """
        from hashlib import sha256

        prices = sorted(
            (str(item.key), decimal_text(item.price_usd), decimal_text(item.list_price_usd), item.as_of)
            for item in self.bill.items
        )
        said = json.dumps([__version__, self.scenario.model_dump(mode="json"), self.book, prices], sort_keys=True)
        digits = sha256(said.encode()).hexdigest()[:12]
        return "-".join((digits[:4], digits[4:8], digits[8:]))

    @property
    def failed(self) -> bool:
        """Whether any gate failed."""
        return any(verdict.status == "fail" for verdict in self.verdicts)


def nested(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted names as nested mappings: {"a.b": 1} becomes {"a": {"b": 1}}."""
    tree: dict[str, Any] = {}
    for name in sorted(figures):
        *branches, leaf = name.split(".")
        place = tree
        for branch in branches:
            place = place.setdefault(branch, {})
        place[leaf] = figures[name]
    return tree


def answered(plan: Plan) -> dict[str, str | None]:
    """Return the answer as it stands at the top of a plan's JSON: money as decimal text, without zeros at its end."""
    found = plan.answer
    money = {name: getattr(found, name) for name in ANSWER if name not in ("identifier", "status")}
    texts = {name: None if usd is None else decimal_text(usd) for name, usd in money.items()}
    return {"status": found.status, **texts, "identifier": plan.identifier}


def to_json(plan: Plan) -> str:
    """Return the plan as JSON: the answer first, money as decimal text, figures nested under their dotted names."""
    from pydantic import TypeAdapter

    document = TypeAdapter(Plan).dump_python(plan, mode="json")
    derivations = document.pop("figures")
    document["figures"] = nested({name: derivation["value"] for name, derivation in derivations.items()})
    document["derivations"] = derivations
    document["items"] = document["bill"].pop("items")
    # The answer first, the rest by name.
    return dump(answered(plan) | json.loads(json.dumps(document, sort_keys=True)))


def from_json(text: str) -> Plan:
    """Return the plan that `to_json` wrote. Raises ValueError when the text is no plan of this schema version."""
    from pydantic import TypeAdapter

    document = json.loads(text)
    if not isinstance(document, dict) or document.get("schema_version") != PLAN_SCHEMA_VERSION:
        raise ValueError(f"not a plan of schema version {PLAN_SCHEMA_VERSION}")
    for name in ANSWER:
        document.pop(name, None)
    document["figures"] = document.pop("derivations", None)
    document.setdefault("bill", {})["items"] = document.pop("items", None)
    return TypeAdapter(Plan).validate_json(json.dumps(document))


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of what `to_json` writes."""
    from pydantic import TypeAdapter

    schema = TypeAdapter(Plan).json_schema(mode="serialization")
    properties, bill = schema["properties"], schema["$defs"]["Bill"]
    properties["derivations"] = {**properties["figures"], "description": "Each figure's formula, inputs and source."}
    properties["figures"] = {"type": "object", "description": "Figures nested under their dotted names."}
    properties["items"] = bill["properties"].pop("items")
    bill["required"].remove("items")
    properties["status"] = {
        "enum": ["over_budget", "within_budget", "not_judged", "no_budget"],
        "description": "Whether the budget is kept; not_judged where a price is missing, no_budget where none is set.",
    }
    properties["identifier"] = {
        "type": "string",
        "description": "Of scenario, prices and program: the same for the same ones.",
    }
    properties["cost_usd_per_month"] = {
        "type": "string",
        "description": "What a month costs at the level the budget judges; at least, where a price is missing.",
    }
    for name, words in (
        ("budget_usd_per_month", "May cost"),
        ("over_budget_usd", "Costs more than it may; negative: less"),
    ):
        properties[name] = {
            "type": ["string", "null"],
            "description": f"{words}, a month; null where that is not known.",
        }
    schema["required"] = sorted({*schema["required"], "derivations", "items", *ANSWER})
    schema["description"] = f"{schema.get('description', '')} {MONEY}".strip()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "cascade-plan plan", **schema}
