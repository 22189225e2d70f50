"""What a running system taught of a scenario: values with their intervals, and how far they can be trusted.

Annotations are evaluated here, at definition: pydantic would evaluate postponed ones at every start.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from cascade_plan.model.part import Name, Part, ShapeName, Text
from cascade_plan.units import Users

CALIBRATION_VERSION: Final = 1
CALIBRATED: Final = "calibrated"
"""The kind of a value that was measured on the system itself, beside the four kinds of a default."""
MOST_VALUES: Final = 2000
Number = Annotated[int, Field(ge=0, le=10**12)] | Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class Calibrated(Part):
    """A value of the scenario as it was measured."""

    value: Number = Field(examples=[2.91])
    """What takes the place of the scenario's value."""
    low: Number | None = Field(default=None, examples=[2.88])
    """The lower end of its 95 % interval, of chance alone; left out where the data give none."""
    high: Number | None = Field(default=None, examples=[2.95])
    """The upper end."""
    method: Text = Field(examples=["utilisation law, 3 loads"])
    """How it was found, and from what."""
    origin: Text = Field(default="", examples=["calibration.yaml:12"])
    """Where it stands: the program fills it in when it reads the file."""

    @property
    def is_of_a_server(self) -> bool:
        """Whether `measure` found it, on the server alone."""
        return self.method.startswith("measure ")

    @property
    def interval(self) -> str:
        """The interval in words; "" without one."""
        return "" if self.low is None or self.high is None else f"{self.low:.4g} to {self.high:.4g}"


class Observed(Part):
    """A run that values were found from."""

    load: Text = Field(examples=["normal"])
    """What the run is called: its load, or its files."""
    users: Users | None = Field(default=None, examples=[560])
    """Users who were there; left out where no file tells."""
    requests_per_s: float | None = Field(default=None, examples=[278.2])
    """Requests a second in the windows that were taken."""
    busy_share: float | None = Field(default=None, examples=[0.81])
    """How busy the service was."""
    window_count: int = Field(default=0, examples=[47])
    """Windows of monitoring that were taken."""
    sources: list[Text] = Field(default_factory=list, examples=[["normal_stats.csv"]])
    """The files it was read from."""


class Checked(Part):
    """A load that was left out, predicted from the others, and compared with what was measured."""

    load: Text = Field(examples=["normal"])
    """The load that was left out."""
    figure: Text = Field(examples=["latency_ms_p95"])
    """What was predicted."""
    predicted: float = Field(examples=[44.3])
    measured: float = Field(examples=[42.9])
    error_ratio: float = Field(examples=[0.03])
    """Predicted over measured, less 1."""


class Calibration(Part):
    """A file that `calibrate` writes, and `measure` too."""

    calibration_version: Literal[1] = Field(examples=[CALIBRATION_VERSION])
    """The version of this format."""
    scenario: Name = Field(examples=["cascade"])
    """The scenario whose values were calibrated."""
    written_by: Text = Field(default="", examples=["cascade-plan 0.1.0"])
    """The program that wrote the file."""
    runs: Annotated[list[Observed], Field(max_length=100)] = Field(default_factory=list)
    """What the values were found from."""
    measured_on: ShapeName | None = Field(default=None, examples=["m7i.large"])
    """The instance type that the CPU times are of, as `behaviour.measured_on` of the scenario; left out, that stays."""
    values: Annotated[dict[Text, Calibrated], Field(max_length=MOST_VALUES)] = Field(
        examples=[{"tiers.cache.hit_ratio": {"value": 0.93, "method": "hits over lookups"}}]
    )
    """Dotted path of the scenario -> the value that takes its place."""
    left: Annotated[dict[Text, Text], Field(max_length=MOST_VALUES)] = Field(default_factory=dict)
    """Dotted path -> why the data do not tell it: the scenario's value stays."""
    checks: Annotated[list[Checked], Field(max_length=1000)] = Field(default_factory=list)
    """Each load predicted from the others."""
    trusted_to_busy_share: float | None = Field(default=None, examples=[0.81])
    """Up to this busy share of the service the checks were within their limits; left out where nothing was checked."""


def plain(value: int | float) -> str:
    """Return a number without an exponent, which YAML 1.1 would take for text: to twelve decimals.

    >>> plain(4), plain(0.5), plain(1e-7), plain(2.0)
    ('4', '0.5', '0.0000001', '2.0')
    """
    if isinstance(value, int):
        return str(value)
    whole, _, decimals = f"{value:.12f}".partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"
