"""What so many connections ask of the class that a database runs on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cascade_plan.formulas import postgres
from cascade_plan.model.ask import Ask
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.ceiling import Ceiling, Demand
from cascade_plan.model.derivation import Derivation, Finding, Input
from cascade_plan.model.titles import with_article


def findings(shape: Shape, connection_count: int, where: str) -> Iterator[Finding]:
    """Yield that a class accepts fewer connections by default.

    `connection_count` is that of max_connections: with those of others, and those that are reserved.
    """
    accepted = shape.connection_count_max
    if accepted is not None and connection_count > accepted:
        words = (
            f"{connection_count:,} connections, with those of others and those reserved; {shape.name} accepts "
            f"{accepted:,} by default: set max_connections, as the emitted parameter group does, or take a larger one"
        )
        yield Finding("warning", "max-connections", words, where)


def memory_mib(ask: Ask[Any], database: str, shape: Shape, connection_count: int) -> float:
    """Return what PostgreSQL takes: shared buffers, vacuums, connections, and the sorts of as many as run at once."""
    each_mib = ask.scenario.tiers[database].memory_mib_per_connection  # type: ignore[attr-defined]
    return postgres.memory_mib(int(shape.program_gib * 1024), connection_count, each_mib, shape.cores)


def figure(ask: Ask[Any], leaf: str, database: str, shape: Shape, connection_count: int) -> Derivation:
    """Return the figure of that memory."""
    return ask.figure(
        leaf,
        memory_mib(ask, database, shape, connection_count),
        "MiB",
        f"shared buffers + {postgres.AUTOVACUUM_WORKERS} vacuums + connections x memory_mib_per_connection + "
        f"(vCPU x 2 + 1) x {postgres.SORTS_PER_QUERY} sorts x {postgres.HASH_MEM_MULTIPLIER} x "
        f"{postgres.WORK_MEM_MIB} MiB of work_mem",
        (
            Input("connections, with those of others and those reserved", connection_count, "computed"),
            ask.given(f"tiers.{database}.memory_mib_per_connection"),
            Input(f"{shape.name}: memory that PostgreSQL has, GiB", shape.program_gib, "catalogue"),
        ),
        "https://www.postgresql.org/docs/15/runtime-config-resource.html",
    )


def ceilings(ask: Ask[Any], leaf: str, database: str, shape: Shape, connection_count: int) -> Iterator[Ceiling]:
    """Yield that a class holds that in PostgreSQL's memory; none while the method slo has not found the counts."""
    if ask.scenario.method == "slo" and ask.solution is None:
        return
    yield Ceiling(
        f"{ask.name}.{leaf}", "database-memory", f"{connection_count:,} connections, buffers, vacuums and sorts take",
        f"{with_article(shape.name)} leaves PostgreSQL", "MiB",
        Demand(flat_units=memory_mib(ask, database, shape, connection_count)), shape.program_gib * 1024,
        f"take a larger one, set tiers.{database}.shape, or fewer connections",
        rests_on=ask.assumed(f"tiers.{database}.other_connections"), of_others=True,
    )  # fmt: skip
