"""Numbers with their unit: understood from a flag where the field's unit is plain, refused in a file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from cascade_plan.errors import ScenarioError
from cascade_plan.files.amounts import hint, meant
from cascade_plan.files.assignments import Assignment, set_values
from cascade_plan.files.documents import Trail
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.files.validating import validate
from cascade_plan.model.part import Part
from cascade_plan.model.scenario import Scenario
from cascade_plan.model.tier import settings_class
from cascade_plan.units import Milliseconds, Share, Users

FIELDS = {
    "users": ("users", "peak"),
    "rate": ("loads", "peak", "spawn_rate_per_s"),
    "ms": ("tiers", "database", "read_ms"),
    "limit": ("loads", "peak", "latency_ms_p95"),
    "s": ("behaviour", "think_time_s", "min"),
    "slo": ("autoscaling", "target_latency_s_p95"),
    "days": ("tiers", "monitoring", "retention_days"),
    "bytes": ("behaviour", "actions", "list", "request_bytes"),
    "per sample": ("tiers", "monitoring", "bytes_per_sample"),
    "kib": ("tiers", "websocket", "kernel_kib_per_connection"),
    "mib": ("tiers", "api", "pod", "memory_mib"),
    "gib": ("tiers", "database", "storage_gib"),
    "cores": ("tiers", "api", "pod", "cpu_cores"),
    "ratio": ("loads", "peak", "failure_ratio_max"),
    "share": ("users", "active_share"),
    "spot": ("tiers", "api", "purchase", "spot"),
    "percent": ("autoscaling", "target_memory_percent"),
    "usd": ("budget", "usd_per_1000_users_month"),
    "item": ("users", "profile", 3),
}


@pytest.mark.parametrize(
    ("field", "text", "number"),
    [
        ("users", "10k", 10_000), ("users", "10K", 10_000), ("users", "1.5M", 1_500_000), ("users", "10,000", 10_000),
        ("users", "1,234,567", 1_234_567), ("users", "1e4", 10_000), ("users", "1.5e3", 1500), ("users", "-5k", -5000),
        ("users", "5%", None), ("users", "10 k", 10_000), ("users", "10m", None), ("users", "1,5", None),
        ("users", "10,00", None), ("users", "$5", None), ("users", "200ms", None), ("users", "1e999", None),
        ("users", "9" * 26, None), ("users", "many", None), ("users", "", None), ("users", "k", None),
        ("users", "100/s", None), ("rate", "100/s", 100), ("rate", "1k/s", 1000), ("rate", "100s", None),
        ("ms", "200ms", 200), ("ms", "0.5s", 500), ("ms", "100us", 0.1), ("ms", "100 µs", 0.1), ("ms", "1min", 60_000),
        ("ms", "2m", None), ("limit", "0.2s", 200), ("limit", "200 ms", 200), ("limit", "10k", None),
        ("s", "500ms", 0.5), ("s", "2min", 120), ("s", "1h", 3600), ("slo", "200ms", 0.2), ("days", "36h", 1.5),
        ("days", "2d", 2), ("bytes", "100kB", 100_000), ("bytes", "1KiB", 1024), ("bytes", "10k", None),
        ("per sample", "2B", 2), ("kib", "1MiB", 1024), ("mib", "2GiB", 2048), ("gib", "8GiB", 8), ("gib", "8 GiB", 8),
        ("gib", "512MiB", 0.5), ("gib", "1TiB", 1024), ("gib", "8GB", None), ("cores", "500m", 0.5),
        ("ratio", "5%", 0.05), ("ratio", "0.1 %", 0.001), ("share", "90%", 0.9), ("spot", "20%", 0.2),
        ("percent", "70%", 70), ("usd", "$50", 50), ("usd", "50 USD", 50), ("usd", "$1,200.50", 1200.5),
        ("usd", "$2k", 2000), ("usd", "50%", None), ("item", "5k", 5000), ("item", "5%", None),
    ],
)  # fmt: skip
def test_what_a_text_means_to_a_field(field: str, text: str, number: float | None) -> None:
    found = meant(FIELDS[field], text)
    assert found == number
    assert found is None or type(found) is type(number)


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("users", "10k", "write 10000"),
        ("ms", "200ms", "write 200 (milliseconds)"),
        ("s", "200ms", "write 0.2 (seconds)"),
        ("ratio", "5%", "write 0.05"),
        ("percent", "70%", "write 70 (percent)"),
        ("usd", "$50", "write 50 (USD)"),
        ("gib", "8GB", "write 8 (GiB) for 8GiB"),
        ("bytes", "10k", "write 10000 (bytes) for 10kB or 10240 (bytes) for 10KiB"),
        ("ms", "2m", "write 120000 (milliseconds) for 2min or 2 (milliseconds) for 2ms"),
        ("users", "5%", ""),
        ("users", "many", ""),
    ],
)
def test_how_to_write_it(field: str, text: str, words: str) -> None:
    assert hint(FIELDS[field], text) == words


@given(st.integers(1, 10**9))
def test_a_number_as_the_program_prints_it_is_itself(number: int) -> None:
    assert meant(FIELDS["users"], f"{number:,}") == meant(FIELDS["users"], str(number)) == number


@given(st.floats(0.001, 1e6), st.sampled_from(["us", "ms", "s", "min", "h", "d"]))
def test_a_time_is_the_same_in_every_field(value: float, unit: str) -> None:
    text = f"{value:.6f}{unit}"
    in_ms, in_s = meant(FIELDS["ms"], text), meant(FIELDS["s"], text)
    assert in_ms is not None
    assert in_s is not None
    assert math.isclose(in_ms, in_s * 1000, rel_tol=1e-12)


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_none(text: str) -> None:
    for trail in FIELDS.values():
        found = meant(trail, text)
        assert found is None or math.isfinite(found)
        assert hint(trail, text) == "" or found is not None or " for " in hint(trail, text)


class Small(Part):
    """A document for these tests."""

    peak: Users
    hit_ratio: Share = 0.5
    wait_ms: Milliseconds = 1.0
    name: str = "a"
    nodes: Users | list[Users] = 1


def small(text: str, *values: tuple[str, str]) -> Small:
    document = parse_yaml(text, "f")
    return validate(Small, set_values(document, [Assignment(f"--set {p}={v}", p, v) for p, v in values]))


def test_a_flag_takes_them_and_leaves_texts_alone() -> None:
    given = small("peak: 5", ("peak", "10k"), ("hit_ratio", "90%"), ("wait_ms", "0.2s"), ("name", "10k"))
    assert (given.peak, given.hit_ratio, given.wait_ms, given.name) == (10_000, 0.9, 200, "10k")
    assert small("peak: 5", ("nodes", "2k")).nodes == 2000
    assert small("peak: 5", ("nodes", "[2k, 3]")).nodes == [2000, 3]


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("peak: 10k", (), "f:1:7: peak: must be a whole number, got '10k'; write 10000"),
        ("peak: 5\nhit_ratio: 5%", (), "f:2:12: hit_ratio: must be a number, got '5%'; write 0.05"),
        ("peak: 5\nwait_ms: 0.2s", (), "f:2:10: wait_ms: must be a number, got '0.2s'; write 200 (milliseconds)"),
        ("peak: '5'", (), "f:1:7: peak: must be a whole number, got '5'; remove the quotes"),
        ("peak: 5", [("peak", "'5'")], "--set peak='5': peak: must be a whole number, got '5'; remove the quotes"),
        ("peak: 5", [("peak", "0.5e0")], "--set peak=0.5e0: peak: must be a whole number, got 0.5"),
        ("peak: 5", [("hit_ratio", "500%")], "--set hit_ratio=500%: hit_ratio: must be at most 1, got 5"),
        ("peak: 5", [("wait_ms", "2m")], "--set wait_ms=2m: wait_ms: must be a number, got '2m'; write 120000 "
         "(milliseconds) for 2min or 2 (milliseconds) for 2ms"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_to_write(text: str, values: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        small(text, *values)
    assert str(caught.value) == message


def test_one_flag_understood_leaves_what_is_wrong_with_others() -> None:
    with pytest.raises(ScenarioError) as caught:
        small("peak: 5", ("peak", "10k"), ("wait_ms", "soon"), ("hit_ratio", "200%"))
    assert str(caught.value).splitlines() == [
        "--set hit_ratio=200%: hit_ratio: must be at most 1, got 2",
        "--set wait_ms=soon: wait_ms: must be a number, got 'soon'",
    ]


def numeric(model: type[BaseModel], trail: Trail = ()) -> Iterator[Trail]:
    for name, field in model.model_fields.items():
        annotation: Any = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from numeric(annotation, (*trail, name))
        elif annotation in (int, float):
            yield (*trail, name)


@pytest.mark.parametrize("kind", ["", "api", "cache", "database", "websocket", "worker", "queue", "monitoring"])
def test_every_number_of_a_scenario_is_written_in_one_unit(kind: str) -> None:
    # What a field takes beside a plain number is a share of 100, a time, a size, money, cores or thousands: never two.
    probes = ("5%", "5s", "5GiB", "$5", "5m", "5k")
    fields = list(numeric(settings_class(kind) if kind else Scenario))
    assert fields
    for trail in fields:
        taken = [probe for probe in probes if meant(trail, probe) is not None]
        assert len(taken) == 1 or taken == [], (trail, taken)
        units = {"ms": "5s", "s": "5s", "gib": "5GiB", "mib": "5GiB", "kib": "5GiB", "ratio": "5%", "share": "5%"}
        for part in str(trail[-1]).partition("_per_")[0].split("_"):
            if part in units:
                assert taken == [units[part]], (trail, taken)
