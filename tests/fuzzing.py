"""Scenarios changed by chance, what must hold of whatever comes of them, and the smallest change that breaks it.

Every scenario that the schema accepts gets an answer, or a refusal in words, in bounded time and memory: `examined`
says what of that is broken. Values are drawn from the JSON Schema itself, so that a field added to it is drawn too.
By hand: `make fuzz SECONDS=3600 SEED=7`.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from focus_rows import LAWS, known_units, one_view_of_a_payment, read_back
from read_reports import words_of

from cascade_plan import registry
from cascade_plan.cli.app import run
from cascade_plan.emitters.directory import everything
from cascade_plan.errors import CascadePlanError
from cascade_plan.files.data_root import data_root
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.fleet import LEVELS
from cascade_plan.model.plan import Plan, from_json, to_json
from cascade_plan.model.schemas import scenario_schema
from cascade_plan.model.tier import STANDARD
from cascade_plan.planning.pipeline import plan as planned

Document = dict[str, Any]
Place = tuple[str | int, ...]
STATUSES: Final = (0, 1, 2, 3, 4)
ESCAPES: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, breaks a line unseen, or turns the direction of a text."""
PWNED: Final = re.compile(r"^(?:\s*::error::pwned|# Pwned|pwned:.*|\s*touch pwned.*)$", re.MULTILINE)
"""A text of the input that has become a workflow's command, a heading, a key or a command of an output."""
NEGATIVE_ZERO: Final = re.compile(r"(?<![\w.)\]])-0(?:\.0*)?(?:E-?\d+)?(?![\w.])")
TEXTS: Final = (
    "", " ", "x", "# Pwned", "::error::pwned", "a\n::error::pwned", "a\r::error::pwned", "\x1b[31mred", "\x9b31m",
    "a\npwned: true", "a\u2028b", "\u202egnp.exe", "é𝔘\u0301", "null", "~", "1e999", "'; DROP TABLE x; --", '"',
    "$(touch pwned)", "a\ntouch pwned", "${x}", "{{x}}", "{% x %}", "<script>", "[x](javascript:y)", "|", "`", "*/",
    "-->", "\\", "a" * 2001, "\ud7ff\ue000", "%s%n", "\x00", "\x7f",
)  # fmt: skip
NAMED: Final = (
    "a", "api", "search", "x1", "database", "cache", "reports", "GET /x", "POST /a/{b}", "/x", "x.example.com",
    "1.2.3.4", "us-east-1", "eu-west-1", "m7g.large", "db.r5.xlarge", "cache.r7g.large", "1.32", "< 50", ">= 0.001",
    "== 99999999999999999999", "EUR", "2026-01-01", "registry.example.com/a:1", "z" * 40, "a-b",
)  # fmt: skip
"""Texts of which each pattern of the schema takes some."""
FIGURES: Final = (
    "cost_usd_per_1000_users_month", "cost_usd_per_month.ceiling", "latency_ms_p95.normal", "latency_ms_p99.peak",
    "api.node_count.base", "pool.connection_count", "cache_hit_ratio", "websocket.node_count", "nothing.of.it",
)  # fmt: skip
JUNK: Final = (None, True, -1, 0, -0.0, 1e308, 5e-324, float("inf"), float("nan"), 10**30, "10", [], {}, [1], {"a": 1})
MEMORY: Final = Path("/proc/self/statm")
SIMULATED: Final = 0.25
"""Share of the cases whose day is simulated too; as many get their outlook, their second plan and the command line."""


class OutOfTimeError(BaseException):
    """A case took longer than anything here may; no Exception, so that nothing on the way takes it for its own."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a document: another value at a place, or none."""

    place: Place
    value: Any = None
    removes: bool = False

    def applied(self, document: Any) -> Any:
        """Return the document changed; as it is where the place is not there any more."""
        return _changed(document, self.place, self)


def _changed(value: Any, place: Place, edit: Edit) -> Any:
    if not place:
        return edit.value
    step, *rest = place
    if isinstance(value, dict):
        if edit.removes and not rest:
            return {key: inner for key, inner in value.items() if key != step}
        if step in value or not rest:
            return {**value, step: _changed(value.get(step), tuple(rest), edit)}
        return {**value, step: _changed({}, tuple(rest), edit)}
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return [_changed(inner, tuple(rest), edit) if at == step else inner for at, inner in enumerate(value)]
    return value


@dataclass(frozen=True, slots=True)
class Case:
    """A bundled scenario and what is changed of it."""

    start: str
    edits: tuple[Edit, ...]
    seed: int

    @property
    def text(self) -> str:
        """The scenario as a file."""
        document = bundled(self.start)
        for edit in self.edits:
            document = edit.applied(document)
        return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=False, width=1000)


class _Plain(yaml.SafeDumper):
    """YAML without anchors, which a scenario may not have."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


@cache
def bundled(name: str) -> Document:
    """Return a bundled scenario as a document that names its tiers, so that one is changed and the others stay."""
    text = data_root().joinpath("scenarios", f"{name}.yaml").read_text(encoding="utf-8")
    found: Document = yaml.safe_load(text)
    return {"tiers": {tier: {} for tier in STANDARD}, **found}


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON Schema of a scenario."""
    return scenario_schema()


# ------------------------------------------------------------------------------------------------------------- drawing


def drawn(seed: int) -> Case:
    """Return the case of a seed: the same one always."""
    chance = random.Random(seed)
    start = chance.choice(bundled_scenarios())
    document: Any = bundled(start)
    edits: list[Edit] = []
    for _ in range(1 + min(7, int(chance.expovariate(0.6)))):
        for edit in _edits(chance, document):
            edits.append(edit)
            document = edit.applied(document)
    return Case(start, tuple(edits), seed)


def _edits(chance: random.Random, document: Any) -> list[Edit]:
    """Return one change, or a few that belong together."""
    kind = chance.random()
    if kind < 0.1:
        return [chance.choice(STRUCTURES)(chance)]
    sites = list(_sites(document, schema(), ()))
    place, inner = chance.choice(sites)
    if kind < 0.78:
        return [Edit(place, value_of(chance, inner))]
    present = [each for each, _ in sites if _has(document, each)]
    place = chance.choice(present)
    if kind < 0.86:
        return [Edit(place, removes=True)]
    if kind < 0.88:
        return [Edit((*place[:-1], chance.choice(TEXTS)), chance.choice(JUNK))]
    if kind < 0.92:
        return [Edit(place, chance.choice(TEXTS))]
    return [Edit(place, chance.choice(JUNK))]


def _many_loads(chance: random.Random) -> Edit:
    load = _resolved({"$ref": "#/$defs/LoadTest"})
    return Edit(("loads",), {f"l{at}": value_of(chance, load) for at in range(chance.randint(1, 20))})


def _many_gates(chance: random.Random) -> Edit:
    count = chance.randint(1, 50)
    limits = ("< 0", "< 50", ">= 0.5", "== 1", "> 99999999999999999999999999999999999999", "<= 0.000000000000000000001")
    return Edit(("gates",), {chance.choice(FIGURES): [chance.choice(limits)] for _ in range(count)})


def _off(chance: random.Random) -> Edit:
    return Edit(("tiers", chance.choice(registry.names("tiers"))), "off")


def _another(chance: random.Random) -> Edit:
    kind = chance.choice(registry.names("tiers"))
    name = chance.choice((kind, "x1", "search", "reports", "z" * 40))
    return Edit(("tiers", name), value_of(chance, schema()["properties"]["tiers"]["properties"][kind]["anyOf"][0]))


def _method(chance: random.Random) -> Edit:
    return Edit(("method",), "slo")


def _users(chance: random.Random) -> Edit:
    peak = chance.choice((1, 2, 10**9, round(10 ** chance.uniform(0, 9))))
    return Edit(("users",), {"peak": peak, "average": chance.choice((1, peak, max(1, peak // 3)))})


STRUCTURES: Final[tuple[Callable[[random.Random], Edit], ...]] = (
    _many_loads, _many_gates, _off, _another, _method, _method, _users,
)  # fmt: skip


def _sites(value: Any, of: Mapping[str, Any], place: Place) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Yield the places of a document that have or could have a value, with their schemas."""
    of = _fitting(value, of)
    if place:
        yield place, of
    is_absent_tier = value is None and place[:1] == ("tiers",) and len(place) == 2
    is_part = isinstance(value, dict) or (value is None and not is_absent_tier)
    if is_part and of.get("type") == "object":
        value, names = value or {}, of.get("properties", {})
        for name, inner in names.items():
            if name != "environments":
                yield from _sites(value.get(name), _resolved(inner), (*place, name))
        _, others = _others(of)
        for name, inner_value in value.items():
            if name not in names and others:
                yield from _sites(inner_value, _resolved(others), (*place, name))
    elif isinstance(value, list) and "items" in of:
        for at, inner_value in enumerate(value):
            yield from _sites(inner_value, _resolved(of["items"]), (*place, at))


def _fitting(value: Any, of: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the alternative of a schema that a mapping is most likely meant to fit, the schema itself without any."""
    of = _resolved(of)
    if "anyOf" not in of or not isinstance(value, dict):
        return of
    choices = [_resolved(each) for each in of["anyOf"]]

    def likeness(choice: Mapping[str, Any]) -> tuple[bool, int]:
        names = choice.get("properties", {})
        is_kind = "kind" in value and names.get("kind", {}).get("const") == value["kind"]
        return is_kind, len(names.keys() & value.keys()) + bool(names)

    return max(choices, key=likeness)


def _resolved(of: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in of:
        of = {**schema()["$defs"][of["$ref"].rpartition("/")[2]], **{k: v for k, v in of.items() if k != "$ref"}}
    return of


def _has(document: Any, place: Place) -> bool:
    try:
        for step in place:
            document = document[step]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def value_of(chance: random.Random, of: Mapping[str, Any]) -> Any:
    """Return a value that a schema accepts, its extremes more often than what lies between."""
    of = _resolved(of)
    if "anyOf" in of:
        return value_of(chance, chance.choice(of["anyOf"]))
    if "const" in of:
        return of["const"]
    if "enum" in of:
        return chance.choice(of["enum"])
    return VALUES[of.get("type", "string")](chance, of)


def _number(chance: random.Random, of: Mapping[str, Any]) -> float:
    least = of.get("minimum", of.get("exclusiveMinimum", -1e12))
    most = of.get("maximum", of.get("exclusiveMaximum", 1e12))
    kind = chance.random()
    if kind < 0.2 and "minimum" in of:
        return float(least) if least else chance.choice((0.0, -0.0))
    if kind < 0.35 and "maximum" in of:
        return float(most)
    if kind < 0.45 and least <= 0:
        return chance.choice((5e-324, 1e-300, 1e-20, 1e-9))
    low = max(float(least), 1e-9)
    drawn_value = math.exp(chance.uniform(math.log(low), math.log(max(low, most))))
    return min(float(most), max(float(least), drawn_value if kind < 0.8 else float(f"{drawn_value:.1g}")))


def _integer(chance: random.Random, of: Mapping[str, Any]) -> int:
    least, most = of.get("minimum", -(10**12)), of.get("maximum", 10**12)
    kind = chance.random()
    if kind < 0.2:
        return int(least)
    if kind < 0.4:
        return int(most)
    return min(
        most, max(least, round(math.exp(chance.uniform(math.log(max(1, least)), math.log(max(1, least, most))))))
    )


def _string(chance: random.Random, of: Mapping[str, Any]) -> str:
    texts = [text for text in NAMED if re.search(of["pattern"], text)] if "pattern" in of else TEXTS
    texts = [text for text in texts if len(text) <= of.get("maxLength", 10**6)]
    return chance.choice(texts or list(NAMED))


def _array(chance: random.Random, of: Mapping[str, Any]) -> list[Any]:
    count = chance.randint(of.get("minItems", 0), min(of.get("maxItems", 5), of.get("minItems", 0) + 5))
    return [value_of(chance, of["items"]) for _ in range(count)]


def _object(chance: random.Random, of: Mapping[str, Any]) -> Document:
    made = {
        name: value_of(chance, inner)
        for name, inner in of.get("properties", {}).items()
        if name in of.get("required", ()) or chance.random() < 0.12
    }
    names, others = _others(of)
    for _ in range(chance.randint(of.get("minProperties", 0), 3) if others else 0):
        made[value_of(chance, {"type": "string", **names})] = value_of(chance, others)
    return made


def _others(of: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the schemas of a mapping's names and of their values, beside those it lists; {} where it has no others."""
    for pattern, inner in of.get("patternProperties", {}).items():
        return {"pattern": pattern, **of.get("propertyNames", {})}, inner
    inner = of.get("additionalProperties")
    return of.get("propertyNames", {}), inner if isinstance(inner, dict) else {}


VALUES: Final[Mapping[str, Callable[[random.Random, Mapping[str, Any]], Any]]] = {
    "number": _number, "integer": _integer, "string": _string, "array": _array, "object": _object,
    "boolean": lambda chance, of: chance.random() < 0.5, "null": lambda chance, of: None,
}  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- examining


@dataclass(frozen=True, slots=True)
class Limits:
    """What no case may take. The defaults find what grows without bounds, on a slow machine too."""

    seconds: float = 60.0
    """Of the processor, not of the clock: other work on the machine does not count."""
    bytes: int = 2**30
    """Memory on top of what the process has."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: the kind of fault, the same for other cases of it, and all that is known of this one."""

    kind: str
    details: str


def examined(text: str, seed: int = 0, limits: Limits = Limits()) -> Fault | None:
    """Return what is wrong with what becomes of a scenario's text; None where all holds."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "scenario.yaml")
        path.write_text(text, encoding="utf-8")
        stage = ["read"]
        try:
            with _limited(limits):
                for stage[0], found in _stages(path, random.Random(seed)):
                    if found:
                        return Fault(f"{stage[0]}: {found.partition('|')[0]}", found)
        except OutOfTimeError as error:
            return Fault(
                f"more than {limits.seconds:g} s after {stage[0]}, in {_innermost(error)}", traceback.format_exc()
            )
        except MemoryError as error:
            return Fault(f"memory after {stage[0]}, in {_innermost(error)}", traceback.format_exc())
        except Exception as error:
            return Fault(f"{type(error).__name__} after {stage[0]}, in {_innermost(error)}", traceback.format_exc())
    return None


def _innermost(error: BaseException) -> str:
    """Return the function of the program that was at work."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "cascade_plan" in each.filename]
    if not frames:
        return "the test"
    return f"{Path(frames[-1].filename).parent.name}/{Path(frames[-1].filename).name}:{frames[-1].name}"


@contextlib.contextmanager
def _limited(limits: Limits) -> Iterator[None]:
    """Limit the time and the memory of what is within."""

    def stop(signum: int, frame: object) -> None:
        raise OutOfTimeError

    before = resource.getrlimit(resource.RLIMIT_AS)
    if MEMORY.exists():
        taken = int(MEMORY.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + limits.bytes, before[1]))
    old = signal.signal(signal.SIGPROF, stop)
    # Again and again: an exception in a callback of the collector is one that nobody sees.
    signal.setitimer(signal.ITIMER_PROF, limits.seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _stages(path: Path, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield (what was done, what is wrong with it or "") one after the other, until a refusal."""
    try:
        given = read(str(path))
        yield "read", ""
        made = planned(given.scenario, given.book, given.origins)
    except CascadePlanError as error:
        yield "refusal", _wrong_refusal(error)
        return
    yield "plan", _wrong_plan(made)
    for form in registry.names("reports/plans"):
        yield f"report {form}", _wrong_text(words_of(registry.load("reports/plans", form).render(made)), form)
    yield from _emitted(made)
    if chance.random() < SIMULATED:
        again = planned(read(str(path)).scenario, given.book, given.origins)
        yield "plan again", "" if to_json(again) == to_json(made) else "another plan of the same scenario"
    if chance.random() < SIMULATED:
        yield from _simulated(made)
    if chance.random() < SIMULATED:
        yield from _commands(path)


def _wrong_refusal(error: CascadePlanError) -> str:
    if error.exit_code not in STATUSES:
        return f"exit status {error.exit_code}"
    return _wrong_words(str(error))


def _emitted(made: Plan) -> Iterator[tuple[str, str]]:
    try:
        emitted = everything(made)
    except CascadePlanError as error:
        yield "emit-all", _wrong_refusal(error)
        return
    yield "emit-all", ""
    for file in emitted.files:
        yield f"emit-all {file.path}", _wrong_text(file.text, Path(file.path).suffix[1:])


def _simulated(made: Plan) -> Iterator[tuple[str, str]]:
    from cascade_plan.proving.days import Order, simulate

    try:
        simulation = simulate(made, Order())
    except CascadePlanError as error:
        yield "simulate", _wrong_refusal(error)
        return
    yield "simulate", ""
    for form in registry.names("reports/days"):
        yield f"simulation {form}", _wrong_text(registry.load("reports/days", form).render(simulation), form)


def _commands(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the command line's own output."""
    for arguments in (
        ["validate"],
        ["check"],
        ["report", "--relaxations", "none"],
        ["explain", "cost_usd_per_month.average"],
    ):
        out, err = io.StringIO(), io.StringIO()
        command, *rest = arguments
        old = os.environ.get("GITHUB_ACTIONS")
        os.environ["GITHUB_ACTIONS"] = "true"
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = run([command, *rest, str(path)])
        finally:
            os.environ.pop("GITHUB_ACTIONS") if old is None else os.environ.update(GITHUB_ACTIONS=old)
        if status not in STATUSES:
            yield command, f"exit status {status}|{err.getvalue()}"
        yield command, _wrong_text(out.getvalue(), "md") or _wrong_words(err.getvalue())


def _wrong_plan(made: Plan) -> str:
    values = {name: figure.value for name, figure in made.figures.items()}
    for name, value in values.items():
        if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
            return f"a figure is {value}|{name}"
    for name, value in values.items():
        if name.startswith("latency_ms_p50."):
            load = name.partition(".")[2]
            if not value <= values[f"latency_ms_p95.{load}"] <= values[f"latency_ms_p99.{load}"]:
                return f"percentiles out of order|{load}"
    for band in (made.bill.effective_usd, made.bill.list_usd, *(item.quantity for item in made.bill.items)):
        amounts = [getattr(band, level) for level in LEVELS]
        if amounts != sorted(amounts) or amounts[0] < 0 or any(each.is_zero() and each.is_signed() for each in amounts):
            return f"a band out of order, below 0 or of -0|{amounts}"
    return "" if to_json(from_json(to_json(made))) == to_json(made) else "the plan is another after JSON"


def _wrong_words(text: str) -> str:
    """Return what is wrong with a text that quotes the input, "" where nothing is."""
    if found := ESCAPES.search(text):
        return f"a control character|{found.group()!r} in {text[max(0, found.start() - 80) : found.end() + 20]!r}"
    if found := PWNED.search(text):
        return f"a text of the input is a line of its own|{found.group()!r}"
    return ""


def _wrong_text(text: str, form: str) -> str:
    """Return what is wrong with an output, "" where nothing is."""
    if wrong := _wrong_words(text):
        return wrong
    if found := NEGATIVE_ZERO.search(text):
        return f"negative zero|{text[max(0, found.start() - 80) : found.end() + 20]!r}"
    if form not in ("py", "js") and (word := re.search(r"(?<![\w/.-])(?:nan|inf|NaN|Infinity)(?![\w-])", text)):
        return f"not a number|{text[max(0, word.start() - 80) : word.end() + 20]!r}"
    try:
        PARSERS.get(form, lambda text: None)(text)
    except Exception as error:
        return f"does not parse, {type(error).__name__}|{error}"
    return ""


def _csv(text: str) -> None:
    widths = {len(row) for row in csv.reader(io.StringIO(text), strict=True)}
    assert len(widths) == 1, widths


def _charges(text: str) -> None:
    _csv(text)
    # Units may be a scenario's own words, and a price may be nothing.
    laws = [law for law in LAWS if law not in (known_units, one_view_of_a_payment)]
    found = {law.__name__ for law in laws for row in read_back(text) if not law(row)}
    assert not found, found


PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    "json": json.loads, "csv": _csv, "focus": _charges,
    "yaml": lambda text: list(yaml.load_all(text, yaml.CSafeLoader)),
    "yml": lambda text: list(yaml.load_all(text, yaml.CSafeLoader)), "py": lambda text: compile(text, "x", "exec"),
}  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- shrinking


def smallest(case: Case, fault: Fault, limits: Limits = Limits()) -> Case:
    """Return the case with no edit that its fault does not need."""
    edits = case.edits
    for edit in case.edits:
        fewer = tuple(each for each in edits if each is not edit)
        if (found := examined(Case(case.start, fewer, case.seed).text, case.seed, limits)) and found.kind == fault.kind:
            edits = fewer
    return Case(case.start, edits, case.seed)


def told(case: Case, fault: Fault) -> str:
    """Return a fault, and what to change of which scenario to see it."""
    changes = "".join(
        f"  {'.'.join(map(str, edit.place))}: {'(left out)' if edit.removes else repr(edit.value)[:300]}\n"
        for edit in case.edits
    )
    return f"seed {case.seed}: {fault.kind}\n{fault.details[-1500:]}\n{case.start} with\n{changes}"


def main(case_count: int, first_seed: int, seconds: float, limits: Limits) -> int:
    """Examine cases until their count or the time is used up; print each kind of fault with its smallest case."""
    began, counts, seed = time.monotonic(), Counter[str](), first_seed
    while seed < first_seed + case_count and time.monotonic() - began < seconds:
        case = drawn(seed)
        if fault := examined(case.text, seed, limits):
            counts[fault.kind] += 1
            if counts[fault.kind] == 1:
                sys.stdout.write(f"\n{told(smallest(case, fault, limits), fault)}")
                sys.stdout.flush()
        seed += 1
    sys.stdout.write(f"{seed - first_seed} cases in {time.monotonic() - began:.0f} s, {counts.total()} with a fault\n")
    sys.stdout.writelines(f"{count:6} {kind}\n" for kind, count in counts.most_common())
    return 1 if counts else 0


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description="Examine scenarios changed by chance.")
    parser.add_argument("--cases", type=int, default=10**9, help="how many at most")
    parser.add_argument("--seconds", type=float, default=600.0, help="for how long")
    parser.add_argument("--seed", type=int, default=1, help="of the first case; the next has the next")
    parser.add_argument("--limit", type=float, default=10.0, help="seconds of the processor that one case may take")
    chosen = parser.parse_args()
    raise SystemExit(main(chosen.cases, chosen.seed, chosen.seconds, Limits(chosen.limit, 2**29)))
