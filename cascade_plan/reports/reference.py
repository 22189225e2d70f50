"""What a scenario may say, as a document for people: every field of the schema, and how its parts work together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from cascade_plan.languages import markdown
from cascade_plan.model.scenario import AVAILABILITY
from cascade_plan.model.schemas import PARTIAL, written
from cascade_plan.units import PATTERN_WORDS, trimmed

Schema = Mapping[str, Any]

UNIT_WORDS: Final[Mapping[str, str]] = {
    "s": "seconds", "ms": "milliseconds", "minutes": "minutes", "hours": "hours", "days": "days", "bytes": "bytes",
    "kib": "KiB", "mib": "MiB", "gib": "GiB", "percent": "percent", "usd": "US dollars", "cores": "cores",
    "vcpu": "vCPU", "count": "a count", "ratio": "a ratio", "share": "a share", "weight": "a weight",
    "scv": "a squared coefficient of variation", "rate": "a rate", "confidence": "a share",
}  # fmt: skip
"""The last word of a number's name -> its unit in words; what counts things ends in the things themselves."""
QUALIFIERS: Final = re.compile(r"_(?:p95|p99|min|max|scaled_in)$")
BARE: Final = ("min", "max", "base", "peak", "average", "registered")
"""Names that take the unit of the field that holds their part: `think_time_s.min`, `users.peak`."""
PER_WORDS: Final[Mapping[str, str]] = {"s": "second", "usd": "US dollar"}
UNBOUNDED: Final = 1e8
"""A bound from here on only keeps numbers sane: nobody needs to read it."""
SEEN_ABOVE: Final[Mapping[str, tuple[str, str]]] = {
    "tiers": ("the system's tiers", "Tiers: what the system has"),
    "environments": ("systems by name", "Environments"),
    "purchase": ("a term, or a mapping of terms to shares", "How instances are paid"),
}
"""Fields whose values a section before the tables explains: in a few words, and its heading."""

INTRODUCTION: Final = """\
# The scenario

A scenario is one YAML file: who uses the system, what they do, which parts it has, and what it may cost. Everything but
users, actions and a name has a default; `cascade-plan explain` shows for each figure which values it was made from,
where they were given, and of a default where it comes from. `cascade-plan init` writes a scenario to start from,
`cascade-plan validate` checks one, and `cascade-plan schema` prints the JSON Schema from which editors complete it.

```yaml
schema_version: 1
name: my-service
users: {peak: 2000, average: 600}
behaviour:
  actions:
    list: {weight: 4, request: GET /items, cpu_ms: 5, read_count: 2}
    save: {weight: 1, request: POST /items, cpu_ms: 6, write_count: 1}
loads:
  peak: {users: 2000, spawn_rate_per_s: 50, duration_s: 600, latency_ms_p95: 300}
tiers:
  cluster: {}
  api: {}
  database: {}
  gateway: {}
  network: {}
```

A value is set from the command line by its dotted path: `--set users.peak=5000 --set tiers.database.storage_gib=500`.
"""

TIERS: Final = """\
## Tiers: what the system has

`tiers` maps **names** to **instances**. An instance is of a **kind**, and its settings are those of its kind; the kind
is the instance's name unless `kind` says otherwise. Figures are called after the instance: `api.node_count.base`,
`search.node_count.base`.

Without the field `tiers` a scenario has the standard ones: {standard}.
With it, it has just those that it names: a system without a database pays for none.

{kinds}

### Off

`off` is the same as leaving a tier out. It is for the command line and for [environments](#environments):
`--set tiers.websocket=off --set tiers.cache=off`. A tier that is off is absent everywhere: no figure, line of the bill,
alert, panel or file speaks of it. `tiers.websocket={{}}` turns one on; a value for a tier that is off is an error.

```yaml
tiers:
  cluster: {{}}
  api: {{}}
  database: {{}}
  cache: off
```

### Several services

Every instance of the kind `api` is a service with pods, nodes, an autoscaler and alerts of its own. An action says
where it runs with `at`; without it the first service answers it. A service gets the share of the requests that its
actions have.

```yaml
behaviour:
  actions:
    list: {{weight: 3, request: GET /items, cpu_ms: 4}}
    find: {{weight: 1, request: GET /search, cpu_ms: 20, at: search}}
tiers:
  cluster: {{}}
  api: {{}}
  search: {{kind: api, shape: {{vcpu: 8, memory_gib: 16}}, users_per_node: 2000}}
  database: {{}}
```

### Several databases and caches

`read_count` and `write_count` are queries of the first database. `reads` and `writes`, in their place, say of each
database how many. `cache` names the cache that the reads of an action ask first; `off` asks none. A pool stands before
the database that its `database` names.

```yaml
behaviour:
  actions:
    list: {{weight: 3, request: GET /items, reads: {{database: 2}}, cache: sessions}}
    report: {{weight: 1, request: GET /reports, reads: {{database: 1, reports: 4}}, writes: {{reports: 1}}, cache: off}}
tiers:
  cluster: {{}}
  api: {{}}
  database: {{}}
  reports: {{kind: database, storage_gib: 500}}
  pool: {{}}
  reports_pool: {{kind: pool, database: reports}}
  cache: {{}}
  sessions: {{kind: cache, hit_ratio: 0.95}}
```

### Workers and jobs

An action leaves jobs to workers with `jobs`; a worker takes them from a queue. Nobody waits for a job: it takes no part
in the latency of a request, but its queries are load of the database, and its age has a limit (`age_s_p99`).

```yaml
behaviour:
  actions:
    score: {{weight: 9, request: POST /scores, cpu_ms: 6}}
    score_batch: {{weight: 1, request: POST /batches, cpu_ms: 3, write_count: 1, jobs: {{worker: 10}}}}
tiers:
  cluster: {{}}
  api: {{}}
  database: {{}}
  queue: {{}}
  worker: {{cpu_ms: 400, age_s_p99: 30, read_count: 3, purchase: spot}}
```

### How instances are paid

`purchase` is a term, or the shares of several: what they leave is on demand. Commitments are counted on what runs all
month, or at the level that `commitment_level` names; spot on what runs at each level. A reservation is bought for whole
instances, of a smaller size of the family where that pays for more of the share; a savings plan for dollars an hour.
What a cloud does not sell for an engine or a family is refused.

{terms}

```yaml
tiers:
  cluster: {{}}
  api: {{shape: c5.xlarge, purchase: {{reserved_1y_all_upfront: 0.6, spot: 0.2}}}}
  database: {{shape: db.m7g.xlarge, purchase: reserved_1y_no_upfront}}
```
"""

AVAILABLE: Final = """\
## How available: minimal, standard, critical

`availability` is one word, or a mapping that starts from one (`level`) and changes some of its values. Counts that a
tier does not set itself (`minimum_nodes`, `minimum_replicas`, `replicas_per_master`, `nat_gateway_per_zone`) follow it.

{table}

```yaml
availability: {{level: standard, zones: 2}}
```
"""

ENVIRONMENTS: Final = """\
## Environments

`environments` describes several systems in one file: each is the scenario with other values laid over it. Mappings are
laid over each other, everything else replaces. Name and application get the environment's name, so that both can stand
in one account. `report` and `check` take all of them, with one total; other commands the first, or that of `--env`.

```yaml
environments:
  prod: {{}}
  staging:
    users: {{peak: 100, average: 20}}
    availability: minimal
    tiers: {{monitoring: off}}
```
"""

FIELDS: Final = """\
## Every field

What is not marked as required may be left out. A default is from the case study in docs/seed.md
(`plan`), published by the maker of the thing (`cited`), measured by this project (`measured`), or nobody's figure
(`assumption`): give your own where it matters; the report says which assumptions change the cost most. KiB, MiB and
GiB are powers of 1024.
"""


def reference(schema: Schema) -> str:
    """Return the document of a scenario's schema: how its parts work together, then a table for each part."""
    definitions = {name: each for name, each in schema["$defs"].items() if not name.endswith(PARTIAL)}
    kinds = {kind: _target(each["anyOf"][0]) for kind, each in schema["properties"]["tiers"]["properties"].items()}
    standard = ", ".join(f"`{name}`" for name in schema["properties"]["tiers"]["default"])
    listed = "\n".join(f"- [`{kind}`](#{_slug(_kind(kind))}): {_first(definitions[kinds[kind]])}" for kind in kinds)
    sections = _Sections(definitions)
    parts = (
        markdown.comment("Written by `cascade-plan schema scenario --format markdown`: do not edit by hand.").strip(),
        INTRODUCTION,
        TIERS.format(standard=standard, kinds=listed, terms=_terms(kinds, definitions)),
        AVAILABLE.format(table=_availability()),
        ENVIRONMENTS.format(),
        FIELDS,
        *sections.of("", schema, "At the top"),
        *(
            text
            for kind, name in kinds.items()
            for text in sections.of(f"tiers.{kind}", definitions[name], _kind(kind))
        ),
        *sections.shared(),
    )
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _kind(kind: str) -> str:
    return f"Kind `{kind}`"


def _first(definition: Schema) -> str:
    return str(definition["description"])


def _terms(kinds: Mapping[str, str], definitions: Mapping[str, Schema]) -> str:
    """Return the terms that the kinds can be paid by, those with the same ones together."""
    sold: dict[tuple[str, ...], list[str]] = {}
    for kind, name in kinds.items():
        if (purchase := definitions[name]["properties"].get("purchase")) is not None:
            sold.setdefault(tuple(purchase["anyOf"][0]["enum"]), []).append(f"`{kind}`")
    return "\n".join(f"- {', '.join(each)}: {', '.join(f'`{term}`' for term in terms)}" for terms, each in sold.items())


def _availability() -> str:
    columns = (
        ("Zones", lambda each: each.zones),
        ("Standby of the database", lambda each: "yes" if each.has_standby else "no"),
        ("Survives the loss of", lambda each: _losses(each.lost_zone_count, each.lost_node_count)),
        ("Nodes of each kind, at least", lambda each: each.node_count),
        ("Replicas of a database, copies of each cache master, at least", lambda each: each.replica_count),
        ("NAT gateways", lambda each: "one a zone" if each.nat_gateway_per_zone else "one"),
    )
    rows = [[f"`{word}`", *(str(value(asked)) for _, value in columns)] for word, asked in AVAILABILITY.items()]
    return _table(["Word", *(title for title, _ in columns)], rows)


def _losses(zone_count: int, node_count: int) -> str:
    lost = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((zone_count, "zone"), (node_count, "node"))
            if count]  # fmt: skip
    return " and ".join(lost) or "nothing: a loss is an outage until it is replaced"


def _table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


class _Sections:
    """A table for each part, in the order in which fields lead to them, each part once."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self.definitions = definitions
        self.headings: dict[str, str] = {}
        """Definition -> the heading of its section."""
        self.several: dict[str, str] = {}
        """Definitions that several parts share -> the name of the field that holds them."""

    def of(self, path: str, definition: Schema, heading: str) -> Iterator[str]:
        """Yield the section of a part, and those of the parts that only it leads to."""
        mapping = next((each for each in definition.get("anyOf", ()) if "properties" in each), definition)
        inner = {name: field for name, field in mapping["properties"].items() if name not in ("tiers", "environments")}
        below: list[tuple[str, str, str]] = []
        for name, field in inner.items():
            for target, ending in _leads_to(field):
                if target in self.headings or target in self.several:
                    continue
                if target == "Need":
                    self.several[target] = name
                    continue
                inner_path = f"{path}.{name}{ending}".strip(".")
                self.headings[target] = f"`{inner_path}`"
                below.append((inner_path, target, self.headings[target]))
        rows = [self._row(path, name, field, mapping) for name, field in mapping["properties"].items()]
        table = _table(["Field", "Meaning", "Value", "Default", "Example"], rows)
        yield f"### {heading}\n\n{definition['description']}\n\n{table}"
        for inner_path, target, title in below:
            yield from self.of(inner_path, self.definitions[target], title)

    def shared(self) -> Iterator[str]:
        """Yield the sections of the parts that several others hold."""
        for target, name in self.several.items():
            yield from self.of(name, self.definitions[target], self._shared_heading(target))

    def _shared_heading(self, target: str) -> str:
        return f"A need, in place of a `{self.several[target]}`"

    def _row(self, path: str, name: str, field: Schema, part: Schema) -> list[str]:
        holder = re.sub(r"\..$", "", path).rpartition(".")[2]
        text = re.sub(r" (?:Default: .*|If left out: .*)$", "", str(field["description"]))
        if name in SEEN_ABOVE:
            words, heading = SEEN_ABOVE[name]
            value = f"[{words}](#{_slug(heading)})"
        else:
            value = self._value(field, unit_of(name, holder))
        return [
            f"`{name}`",
            _safe(text),
            value,
            _safe(_default(name, field, part)),
            f"`{written(self._example(field))}`",
        ]

    def _value(self, field: Schema, unit: str) -> str:
        """Return what a field may be, in words."""
        if "anyOf" in field:
            choices = [self._value(each, unit) for each in field["anyOf"] if each.get("type") != "null"]
            return ", or ".join(dict.fromkeys(choices))
        if "$ref" in field:
            return self._link(_target(field))
        if "const" in field:
            return f"`{field['const']}`"
        if "enum" in field:
            return ", ".join(f"`{written(each)}`" for each in field["enum"])
        return self._typed(field, unit)

    def _example(self, field: Schema) -> Any:
        """Return an example of a field: its own, its default, or of a part an example of its first field."""
        if "const" in field:
            return field["const"]
        if "examples" in field:
            return field["examples"][0]
        if "$ref" in field and not field.get("default"):
            name, inner = next(iter(self.definitions[_target(field)]["properties"].items()))
            return {name: self._example(inner)}
        return field["default"]

    def _typed(self, field: Schema, unit: str) -> str:
        kind = field.get("type")
        if kind in ("integer", "number"):
            return _number(field, unit)
        if kind == "boolean":
            return "`true` or `false`"
        if kind == "array":
            size = f" of {field['minItems']}" if field.get("minItems") == field.get("maxItems", 0) else ""
            return f"a list{size}: {self._value(field['items'], unit)}"
        if kind == "object":
            inner = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
            held = next((each for each in inner if isinstance(each, Mapping)), None)
            return f"a mapping of names to {self._value(held, unit)}" if held is not None else "a mapping"
        return PATTERN_WORDS.get(str(field.get("pattern")), "text")

    def _link(self, target: str) -> str:
        if target in self.several:
            return f"[a need](#{_slug(self._shared_heading(target))})"
        heading = self.headings[target]
        return f"[{heading}](#{_slug(heading)})"


def _leads_to(field: Schema) -> Iterator[tuple[str, str]]:
    """Yield (definition, what follows the field's name in the path) of the parts that a field may hold."""
    if "$ref" in field:
        yield _target(field), ""
    for each in field.get("anyOf", ()):
        yield from _leads_to(each)
    if isinstance(field.get("items"), Mapping):
        yield from ((target, "[]") for target, _ in _leads_to(field["items"]))
    for key in ("patternProperties", "additionalProperties"):
        held = field.get(key)
        values = held.values() if key == "patternProperties" and isinstance(held, Mapping) else (held,)
        for each in values:
            if isinstance(each, Mapping):
                yield from ((target, ".NAME") for target, _ in _leads_to(each))


def _target(field: Schema) -> str:
    return str(field["$ref"]).removeprefix("#/$defs/")


def unit_of(name: str, holder: str = "") -> str:
    """Return the unit of a number in words, by its name; of a bare qualifier by the name of what holds it.

    >>> unit_of("latency_ms_p95"), unit_of("users_per_node"), unit_of("min", "think_time_s"), unit_of("port")
    ('milliseconds', 'users per node', 'seconds', '')
    """
    stem, _, per = QUALIFIERS.sub("", holder if name in BARE else name).partition("_per_")
    last = stem.rpartition("_")[2]
    unit = UNIT_WORDS.get(last, last if last.endswith("s") or last in ("series",) else "")
    if not per or not unit:
        return unit
    what, has_month, _ = per.partition("_month")
    *words, last = what.split("_")
    whole = " ".join((unit, "per", *words, PER_WORDS.get(last, last)))
    return f"{whole} and month" if has_month else whole


class Allowed(NamedTuple):
    """What a field may be, in words ("" where words do not say it), and an example of it, None without one."""

    words: str
    example: Any


@cache
def allowed(part: type[BaseModel], holder: str = "") -> Mapping[str, Allowed]:
    """Return field -> what it may be, for the fields of a part that a field `holder` holds."""
    fields = part.model_json_schema()["properties"]
    given = part.model_fields
    return {
        name: Allowed(_words(fields[name], unit_of(name, holder)), next(iter(given[name].examples or ()), None))
        for name in fields
    }


def _words(field: Schema, unit: str) -> str:
    """Return what a field may be where that takes no section of its own, else ""."""
    if "anyOf" in field:
        words = [_words(each, unit) for each in field["anyOf"] if each.get("type") != "null"]
        return ", or ".join(dict.fromkeys(words)) if all(words) else ""
    if "enum" in field:
        return ", ".join(written(each) for each in field["enum"])
    if "const" in field:
        return written(field["const"])
    kind = field.get("type")
    if kind in ("integer", "number"):
        return _number(field, unit)
    return "true or false" if kind == "boolean" else PATTERN_WORDS.get(str(field.get("pattern")), "")


def _number(field: Schema, unit: str) -> str:
    """Return a number's unit and bounds in words."""
    bounds = []
    for key, word in (("exclusiveMinimum", "more than"), ("minimum", "at least"), ("maximum", "at most")):
        is_weaker = key == "exclusiveMinimum" and "minimum" in field
        if key in field and not is_weaker and abs(field[key]) < UNBOUNDED:
            bounds.append(f"{word} {trimmed(f'{field[key]:,f}')}")
    whole = "a whole number" if field["type"] == "integer" else "a number"
    return ", ".join((unit or whole, *bounds))


def _default(name: str, field: Schema, part: Schema) -> str:
    if name in part.get("required", ()):
        return "required"
    value, source = field.get("default"), field.get("default_source")
    why = f"{field['default_kind']}: {source}" if source else ""
    if value in (None, "", {}):
        return why
    return f"`{written(value)}`" + (f" ({why})" if why else "")


def _safe(text: str) -> str:
    """Return text in which nothing is taken for HTML."""
    return re.sub(r"<(?=[^`]*(?:`[^`]*`[^`]*)*$)", "&lt;", text)


def _slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading.

    >>> _slug("Kind `api`"), _slug("`behaviour.think_time_s`")
    ('kind-api', 'behaviourthink_time_s')
    """
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
