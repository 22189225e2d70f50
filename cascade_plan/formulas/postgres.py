"""PostgreSQL's settings from an instance's memory, cores, connections and writes."""

from __future__ import annotations

from math import ceil
from typing import Final

SUPERUSER_RESERVED: Final = 3
"""superuser_reserved_connections, https://www.postgresql.org/docs/15/runtime-config-connection.html"""
RDS_RESERVED: Final = 2
"""rds.rds_superuser_reserved_connections, which RDS keeps beside PostgreSQL's own three."""
CONNECTION_MIB: Final = 5
"""Memory of one idle connection, an upper bound: 1.1-1.4 MiB private and its page tables were measured."""
SORTS_PER_QUERY: Final = 3
"""PGTune's divisor of work_mem: sorts and hashes one query may run at once, https://github.com/le0pard/pgtune"""
HASH_MEM_MULTIPLIER: Final = 2
"""A hash may take twice work_mem since PostgreSQL 15, https://www.postgresql.org/docs/15/runtime-config-resource.html"""
WORK_MEM_MIB: Final = 4
"""PostgreSQL's default of work_mem, below which none is set here."""
AUTOVACUUM_WORKERS: Final = 3
CHECKPOINT_TIMEOUT_S: Final = 300
"""PostgreSQL's default: a crash replays at most these five minutes."""
WAL_BYTES_PER_ROW_BYTE: Final = 2
"""Measured: 740 bytes of WAL for a row of 444 with a key, a B-tree and a BRIN index (PostgreSQL 15, wal_compression
off, page images included); rounded up."""
PAGES_FLUSHED_PER_WRITE: Final = 0.46
"""Pages that reach the disk for each write once many change the same pages between two checkpoints: 0.13 to 0.46 were
measured (PostgreSQL 15, rows of 400 bytes with a key and an index); the upper end."""
PAGE_BYTES: Final = 8192
COMPLETION_TARGET: Final = 0.9
"""checkpoint_completion_target's default since PostgreSQL 14."""
CHECKPOINT_WARNING_S: Final = 30
"""checkpoint_warning's default: PostgreSQL itself complains of checkpoints that come sooner."""
SCAN_PAGES: Final = 500
"""Pages of a read without index, an assumption: ten thousand rows of 400 bytes."""
READ_AHEAD_PAGES: Final = 16
"""Pages of a scan that one operation reads: the 128 KiB that Linux reads ahead,
https://www.kernel.org/doc/Documentation/ABI/stable/sysfs-block (read_ahead_kb)"""
PAGES_PER_WRITE: Final = 3
"""Pages a write leaves to vacuum, an assumption: the row's and those of two indexes."""


def connection_count_max(pool: int, other: int) -> int:
    """Return max_connections: the pool's, the others', and those PostgreSQL and RDS reserve.

    >>> connection_count_max(100, 20)
    125
    """
    return pool + other + SUPERUSER_RESERVED + RDS_RESERVED


def shared_buffers_mib(memory_mib: int) -> int:
    """Return a quarter of the memory.

    Source: https://www.postgresql.org/docs/15/runtime-config-resource.html, shared_buffers; RDS's default also
    """
    return memory_mib // 4


def effective_cache_size_mib(memory_mib: int) -> int:
    """Return three quarters of the memory: the shared buffers and the kernel's cache. Source: PGTune."""
    return memory_mib * 3 // 4


def maintenance_work_mem_mib(memory_mib: int) -> int:
    """Return a sixteenth of the memory (PGTune), between PostgreSQL's default of 64 MiB and 1 GiB.

    Vacuum uses no more than 1 GiB before PostgreSQL 17.
    Source: https://www.postgresql.org/docs/15/runtime-config-resource.html, maintenance_work_mem
    """
    return min(1024, max(64, memory_mib // 16))


def work_mem_mib(memory_mib: int, connections: int, cores: int) -> int:
    """Return what each sort may take when every connection, and every parallel worker, runs three that hash.

    (memory - shared buffers - connections - autovacuum) / ((connections + cores) x 3 x 2), at least PostgreSQL's
    default of 4 MiB. Source: PGTune's formula, with what it leaves out.

    >>> work_mem_mib(28_180, 125, 4)
    22
    """
    left = memory_mib - taken_mib(memory_mib, connections)
    return max(WORK_MEM_MIB, left // ((connections + cores) * SORTS_PER_QUERY * HASH_MEM_MULTIPLIER))


def taken_mib(memory_mib: int, connections: int) -> int:
    """Return what shared buffers, so many connections and the vacuums take of the memory, before any query sorts.

    >>> taken_mib(1645, 181)
    1616
    """
    vacuums_mib = AUTOVACUUM_WORKERS * maintenance_work_mem_mib(memory_mib)
    return shared_buffers_mib(memory_mib) + connections * CONNECTION_MIB + vacuums_mib


def memory_mib(memory_mib: int, connections: int, each_mib: float, cores: int) -> float:
    """Return what it takes at least while queries run: each on a core sorts in the least work_mem that is set.

    Of so many connections at most cores x 2 + 1 get anywhere at once (HikariCP, About Pool Sizing).
    Source: https://www.postgresql.org/docs/15/runtime-config-resource.html, work_mem: each sort may take that much

    >>> memory_mib(621, 125, 5, 2), memory_mib(1645, 125, 5, 2)
    (1092, 1462)
    """
    vacuums_mib = AUTOVACUUM_WORKERS * maintenance_work_mem_mib(memory_mib)
    running = min(connections, cores * 2 + 1) * SORTS_PER_QUERY * HASH_MEM_MULTIPLIER * WORK_MEM_MIB
    return shared_buffers_mib(memory_mib) + vacuums_mib + connections * each_mib + running


def max_wal_size_mib(growth_bytes_per_s: float, storage_gib: int) -> int:
    """Return the WAL between two checkpoints, twice: PGTune's 4 GiB or more, never over a tenth of the storage.

    A checkpoint starts early once max_wal_size / (1 + checkpoint_completion_target) is written.
    Source: https://www.postgresql.org/docs/15/wal-configuration.html

    >>> max_wal_size_mib(0, 100), max_wal_size_mib(20e6, 1000), max_wal_size_mib(0, 20)
    (4096, 22889, 2048)
    """
    written = ceil(2 * WAL_BYTES_PER_ROW_BYTE * growth_bytes_per_s * CHECKPOINT_TIMEOUT_S / 2**20)
    return min(max(4096, written), storage_gib * 1024 // 10)


def disk_operations_per_s(writes_per_s: float, flush_ms: float) -> float:
    """Return the disk operations a second of so many committed writes: flushes of the log, and pages.

    One flush is under way at a time and takes every commit that waits with it (group commit): no more flushes than
    fit a second. Measured on PostgreSQL 15: 1.00 flush a commit with one client, 0.26 with 9, 0.10 with 50.

    >>> disk_operations_per_s(100, 1.0), disk_operations_per_s(25_000, 1.0)
    (146.0, 12500.0)
    """
    flushes_per_s = min(writes_per_s, 1000 / flush_ms) if flush_ms else writes_per_s
    return flushes_per_s + writes_per_s * PAGES_FLUSHED_PER_WRITE


def checkpoint_s(max_wal_size_mib: float, wal_bytes_per_s: float) -> float:
    """Return how often a checkpoint begins: by the clock, or as soon as its part of max_wal_size is written.

    Source: https://www.postgresql.org/docs/15/wal-configuration.html: max_wal_size / (1 + checkpoint_completion_target)

    >>> checkpoint_s(4096, 1e6), round(checkpoint_s(4096, 20e6))
    (300, 113)
    """
    if wal_bytes_per_s <= 0:
        return CHECKPOINT_TIMEOUT_S
    return min(CHECKPOINT_TIMEOUT_S, max_wal_size_mib * 2**20 / (1 + COMPLETION_TARGET) / wal_bytes_per_s)


def vacuum_cost_limit(writes_per_s: float) -> int:
    """Return the cost autovacuum may spend every 2 ms so that it cleans as fast as writes leave something to clean.

    A page costs vacuum_cost_page_miss 2 + vacuum_cost_page_dirty 20. At least the default of 200, at most 10,000.
    Source: https://www.postgresql.org/docs/15/runtime-config-resource.html, cost-based vacuum delay

    >>> vacuum_cost_limit(100), vacuum_cost_limit(5000)
    (200, 660)
    """
    return min(10_000, max(200, ceil(writes_per_s * PAGES_PER_WRITE * (2 + 20) * 0.002)))
