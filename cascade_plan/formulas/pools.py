"""Connection pools: how many connections each class gets, and how many processes carry them."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Final

BUSY_MOST: Final = 0.6
"""How busy a PgBouncer may be at its peak: a queue of one thread is four times its own service there in the p95
(assumption)."""
RESERVE_SHARE: Final = 0.1
"""Share of a class's connections that PgBouncer keeps for clients that have waited reserve_pool_timeout."""


def processes_for(transactions_per_s: float, transaction_ms: float) -> int:
    """Return how many PgBouncer processes carry so many transactions: each is single-threaded.

    Source: https://www.pgbouncer.org/config.html, so_reuseport

    >>> processes_for(5_000, 0.25)
    3
    """
    return max(1, ceil(transactions_per_s * transaction_ms / 1000 / BUSY_MOST))


def per_process(connection_count: int, shares: Mapping[str, float], processes: int) -> dict[str, int]:
    """Return class -> connections in each process, by largest remainder; at least one for each class.

    All processes together have at most `connection_count`, unless it is less than one a class and process.

    >>> per_process(100, {"standard": 0.5, "large": 0.5}, 3)
    {'standard': 17, 'large': 16}
    """
    of_one = max(connection_count // processes, len(shares))
    exact = {name: share * of_one for name, share in shares.items()}
    counts = {name: max(1, floor(amount + 1e-9)) for name, amount in exact.items()}
    # The shares add up to 1, so what rounding down left over is less than one for each class, in the order of need.
    by_need = sorted(exact, key=lambda name: counts[name] - exact[name])
    while (left := of_one - sum(counts.values())) != 0:
        step = 1 if left > 0 else -1
        candidates = by_need if left > 0 else [name for name in reversed(by_need) if counts[name] > 1]
        for name in candidates[: abs(left)]:
            counts[name] += step
    return counts


def reserve(connections: int) -> int:
    """Return how many of a class's connections are its reserve, never all of them.

    >>> reserve(50), reserve(1)
    (5, 0)
    """
    return int(connections * RESERVE_SHARE)


def client_connection_count(pod_count: int, connections_per_pod: int, addresses: int) -> int:
    """Return how many clients may connect at once: every pod that may run at once, to every address.

    >>> client_connection_count(13, 15, 2)
    390
    """
    return pod_count * connections_per_pod * addresses


def file_descriptor_count(client_connections: int, server_connections: int) -> int:
    """Return how many file descriptors one PgBouncer may need: clients, servers, and 100 for files, DNS and sockets.

    Source: https://www.pgbouncer.org/config.html, max_client_conn
    """
    return client_connections + server_connections + 100
