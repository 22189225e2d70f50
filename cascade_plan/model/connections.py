"""What so many connections ask of the class that a database runs on."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.formulas import postgres
from cascade_plan.model.catalogue import Shape
from cascade_plan.model.derivation import Finding


def findings(shape: Shape, connection_count: int, where: str) -> Iterator[Finding]:
    """Yield that a class accepts fewer connections by default, and that its memory does not hold them.

    `connection_count` is that of max_connections: with those of others, and those that are reserved.
    """
    accepted = shape.connection_count_max
    if accepted is not None and connection_count > accepted:
        words = (
            f"{connection_count:,} connections, with those of others and those reserved; {shape.name} accepts "
            f"{accepted:,} by default: set max_connections, as the emitted parameter group does, or take a larger one"
        )
        yield Finding("warning", "max-connections", words, where)
    memory_mib = int(shape.program_gib * 1024)
    taken_mib = postgres.taken_mib(memory_mib, connection_count)
    if taken_mib > memory_mib:
        words = (
            f"{connection_count:,} connections of up to {postgres.CONNECTION_MIB} MiB, the shared buffers and the "
            f"vacuums take {taken_mib:,} MiB; {shape.name} leaves PostgreSQL {memory_mib:,}: take a larger one, or "
            "fewer connections"
        )
        yield Finding("warning", "connection-memory", words, where)
