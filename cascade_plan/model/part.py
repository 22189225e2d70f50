"""What every part of a scenario is made of: the configuration all share, and the types of names and texts.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cascade_plan.languages import sql
from cascade_plan.units import Count, Gib, matching

Name = Annotated[
    str,
    matching(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", "lower-case letters, digits and dashes, starting with a letter", 53),
]
"""A Kubernetes label (RFC 1123) that leaves room for a suffix within its 63 characters."""
Key = Annotated[
    str, matching(r"^[a-z][a-z0-9_]*$", "lower-case letters, digits and underscores, starting with a letter", 40)
]
Text = Annotated[str, Field(max_length=2000)]
Label = Annotated[str, Field(min_length=1, max_length=100)]
ShapeName = Annotated[str, matching(r"^[a-z0-9][a-z0-9.-]*$", "a name such as db.r5.xlarge", 60)]
Region = Annotated[str, matching(r"^[a-z0-9][a-z0-9.-]*$", "a name such as us-east-1", 60)]
Request = Annotated[
    str,
    matching(
        r"^(GET|POST|PUT|PATCH|DELETE) /[A-Za-z0-9._~/{}=&?%:@+,-]*$", "a method and a path, GET /api/v1/orders", 500
    ),
]
Image = Annotated[
    str,
    matching(r"^[a-z0-9]([A-Za-z0-9._/:@-]*[A-Za-z0-9])?$", "an image name, registry.example.com/api:1.0.0", 255),
]
HostName = Annotated[str, matching(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", "a host name or an IPv4 address", 253)]
Version = Annotated[str, matching(r"^[0-9]+\.[0-9]+(\.[0-9]+)?$", "a version in quotes such as '1.23'", 20)]
Identifier = Annotated[str, AfterValidator(sql.checked_line_identifier)]
"""A PostgreSQL name, at most 63 bytes, that can also stand in a file of lines, such as pgbouncer.ini: all of it can be
seen."""
MetricName = Annotated[
    str, matching(r"^[a-zA-Z_][a-zA-Z0-9_]*$", "letters, digits and underscores, not starting with a digit", 40)
]
"""A Prometheus metric's name, or the start of one; a colon is for what rules record."""
Domain = Annotated[
    str,
    matching(
        r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$",
        "a DNS domain, ws-node.shop.svc.cluster.local",
        200,
    ),
]
FileName = Annotated[str, matching(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", "a file's name, upload.pdf", 100)]
HeaderName = Annotated[str, matching(r"^[A-Za-z0-9][A-Za-z0-9-]*$", "a header's name, X-Tenant-ID", 60)]
FieldName = Annotated[str, matching(r"^[A-Za-z_][A-Za-z0-9_-]*$", "a field's name, access_token", 60)]
UrlPath = Annotated[str, matching(r"^/[A-Za-z0-9._~/-]*$", "a path such as /health/ready", 200)]
Gate = Annotated[str, matching(r"^(<|<=|>|>=|==) [0-9]+(\.[0-9]+)?$", "a limit such as '< 50'", 40)]
Port = Annotated[int, Field(ge=1, le=65_535)]
TermShares = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Terms = Annotated[str, Field(max_length=60)] | Annotated[dict[str, TermShares], Field(max_length=10)]
"""A purchase term, or the shares of several; which terms there are is the cloud's."""


class Part(BaseModel):
    """The configuration all parts of a scenario share: immutable, nothing unknown, nothing coerced.

    Validators are built on first use, so that a start builds one for the scenario and none for each of its parts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


def all_defaults(examples: list[Any] | None = None) -> Any:
    """Return a field that, when left out, is validated from {} by the parent: no validator of the part's own."""
    return Field(default={}, validate_default=True, examples=examples)


_Some = TypeVar("_Some", bound=Part)


def distinct(part: _Some, named: Mapping[str, str]) -> _Some:
    """Return the part. Raises ValueError when two of its fields hold the same name."""
    seen: dict[str, str] = {}
    for name, value in named.items():
        if value in seen:
            raise ValueError(f"{seen[value]} and {name} must differ, both are {value!r}")
        seen[value] = name
    return part


class Need(Part):
    """A need instead of a type: the cheapest shape that has at least this much is taken."""

    vcpu: Count = 1
    """CPU threads at least."""
    memory_gib: Gib = Field(examples=[8])
    """Memory at least."""
    architecture: Literal["any", "arm64", "x86_64"] = "any"
    """Which processors may be taken; arm64 needs images that are built for it."""
    burstable: bool = False
    """Whether shapes on CPU credits (T families) may be taken."""
