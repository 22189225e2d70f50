"""How unsure a value is: by the laws that a scenario's `uncertainty` gives, or by where the value is from.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from math import inf
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from cascade_plan.errors import did_you_mean
from cascade_plan.model.part import Part

CERTAIN: Final = "certain"
Z90: Final = 1.2815515655446004
"""Deviations above the median that a tenth of a normal law is beyond."""
Z975: Final = 1.959963984540054
Number = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
WIDE: Final = 0.5
"""Deviation of the logarithm of an assumption: eight of ten lie between half of it and twice it, as far apart as two
teams' figures for the same service are (assumption)."""
MIDDLING: Final = 0.3
"""Of a published figure, and of one that somebody wrote into a scenario: right within half of it, on other machines and
with other data (assumption)."""
NARROW: Final = 0.15
"""Of a figure that this project measured, on servers of its own: yours are up to a quarter faster or slower
(assumption; the generations of one cloud's processors lie that far apart)."""
OF_A_RUN: Final = 0.03
"""Of a calibrated value that came without an interval: 2 to 4 % lie between two runs on a real stack (measured)."""
SPREADS: Final[Mapping[str, float]] = {
    "assumption": WIDE,
    "plan": WIDE,
    "cited": MIDDLING,
    "scenario": MIDDLING,
    "measured": NARROW,
    "calibrated": OF_A_RUN,
}
"""Kind of a value -> the deviation of its logarithm; of a share, of the logarithm of its odds."""


class Spread(Part):
    """How a value is spread: one way of saying it."""

    lognormal: Annotated[float, Field(ge=1e-6, le=3)] | None = Field(default=None, examples=[0.5])
    """Deviation of its logarithm around the scenario's value, which is the median; of a share, of that of its odds."""
    p10: Number | None = Field(default=None, examples=[8000])
    """With p90: what one of ten is below, and what nine of ten are below; lognormal, of a share its odds are."""
    p90: Number | None = Field(default=None, examples=[14_000])
    """See p10."""
    uniform: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = Field(
        default=None, examples=[[0.5, 2.0]]
    )
    """The least and the most, any between them as likely."""
    triangular: Annotated[list[Number], Field(min_length=3, max_length=3)] | None = Field(
        default=None, examples=[[0.5, 1.0, 3.0]]
    )
    """The least, the likeliest and the most."""
    beta: Annotated[list[Annotated[float, Field(ge=1e-6, le=1e6)]], Field(min_length=2, max_length=2)] | None = Field(
        default=None, examples=[[18, 3]]
    )
    """Of a share: the two parameters of a beta law, such as what was counted on either side."""
    samples: Annotated[list[Number], Field(min_length=2, max_length=10_000)] | None = Field(
        default=None, examples=[[1.4, 1.6, 3.2]]
    )
    """What was measured: each is as likely."""

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        ways = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if ways != {"p10", "p90"} and (len(ways) != 1 or ways & {"p10", "p90"}):
            raise ValueError("give one of lognormal, p10 with p90, uniform, triangular, beta or samples")
        ends = self.uniform or self.triangular or [each for each in (self.p10, self.p90) if each is not None]
        if ends and (sorted(ends) != ends or ends[0] == ends[-1]):
            raise ValueError(f"the numbers rise, got {', '.join(f'{end:g}' for end in ends)}")
        if self.p10 == 0:
            raise ValueError("p10 is above 0, as its logarithm is taken")
        return self


Law = Spread | Literal["certain"]
Laws = Annotated[dict[Annotated[str, Field(max_length=200)], Law], Field(max_length=200)]
"""Dotted path, with * for any name -> how unsure it is."""


QUANTITIES: Final = (
        "users.active_share",
        "behaviour.header_bytes",
        *(
            f"behaviour.actions.*.{leaf}"
            for leaf in ("cpu_ms", "read_ms", "write_ms", "request_bytes", "response_bytes", "database_bytes",
                         "object_bytes")
        ),
        *(
            f"tiers.*.{leaf}"
            for leaf in (
                "service_scv", "await_cpu_ms", "read_ms", "write_ms", "scan_ms", "scan_ratio", "parse_ms", "commit_ms",
                "standby_commit_ms", "commit_scv", "round_trip_ms", "round_trip_scv", "disk_read_ms", "hot_data_ratio",
                "pages_per_read", "pages_per_write", "data_gib", "hit_ratio", "command_ms", "transaction_ms",
                "managed_ms", "connections_per_user", "recipients_per_message", "message_bytes",
                "memory_kib_per_connection", "kernel_kib_per_connection", "bytes_per_query", "response_ms",
                "response_scv", "nat_gib_per_node_month", "log_bytes_per_request", "cpu_ms", "cpu_scv",
                "read_count_per_write",
            )
        ),
)  # fmt: skip
"""What nobody decides: it happens, and only the running system tells it. What is decided (shapes, counts, limits,
retention) is as it is said, and so are users and loads: a plan is for so many, whatever comes. `uncertainty` may make
any number unsure."""


def matches(pattern: str, path: str) -> bool:
    """Return whether a dotted path is one of a pattern, whose * stands for one name.

    >>> matches("behaviour.actions.*.cpu_ms", "behaviour.actions.list.cpu_ms"), matches("users.*", "users.a.b")
    (True, False)
    """
    return pattern.count(".") == path.count(".") and fnmatchcase(path, pattern)


class Numeric(NamedTuple):
    """A number of a scenario that may be unsure."""

    path: str
    value: float
    least: float
    most: float
    is_whole: bool
    """Whether it counts something."""

    @property
    def is_share(self) -> bool:
        """Whether it lies between 0 and 1 always."""
        return self.least >= 0 and self.most <= 1


def bounds(part: type[Any], name: str) -> tuple[float, float]:
    """Return what a field of a part is at least and at most."""
    metadata = part.model_fields[name].metadata
    least = max((bound.ge for bound in metadata if hasattr(bound, "ge")), default=-inf)
    return least, min((bound.le for bound in metadata if hasattr(bound, "le")), default=inf)


def problems(laws: Mapping[str, Law], numbers: Sequence[Numeric]) -> Iterator[tuple[str, str]]:
    """Yield (pattern, what is wrong) for each entry that says nothing of these numbers, or what they cannot be."""
    known = [number.path for number in numbers]
    for pattern, law in laws.items():
        own = [number for number in numbers if matches(pattern, number.path)]
        if not own:
            hint = did_you_mean(pattern, [*known, *(each for each in QUANTITIES if _is_any(each, known))])
            yield pattern, f"no number of users, behaviour or tiers stands at {pattern!r}{hint}"
        elif isinstance(law, Spread) and (why := next((why for each in own if (why := _unfit(law, each))), "")):
            yield pattern, why


def _is_any(pattern: str, paths: Sequence[str]) -> bool:
    return any(matches(pattern, path) for path in paths)


def _unfit(law: Spread, of: Numeric) -> str:
    """Return why a law is none of a number, or ""."""
    if law.lognormal is not None and (not of.value or (of.is_share and of.value == 1)):
        return (
            f"{of.path} is {of.value:g}, and stays it whatever it is taken times: give p10 and p90, uniform or samples"
        )
    if law.beta is not None and not of.is_share:
        return f"{of.path} is no share: a beta law lies between 0 and 1"
    given = [*(law.uniform or ()), *(law.triangular or ()), *(law.samples or ())]
    given += [law.p10, law.p90] if law.p10 is not None and law.p90 is not None else []
    if of.is_share and law.p90 == 1:
        return f"{of.path} is a share: its p90 is below 1"
    if any(not of.least <= each <= of.most for each in given):
        return f"{of.path} lies between {of.least:g} and {of.most:g}"
    return ""
