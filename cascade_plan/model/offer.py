"""What is bought, in no cloud's words; a cloud says what it calls it and where its price is found."""

from __future__ import annotations

from typing import NamedTuple


class Offer(NamedTuple):
    """Something that has a price. Example: Offer("database", "db.r5.xlarge", ("postgres", "multi_zone"))."""

    what: str
    """vm, disk, database, database_storage, cache, queue_requests, ...: a word that a cloud's `key` knows."""
    name: str = ""
    """The shape of an instance; of a load balancer its type; empty where there is one kind only."""
    options: tuple[str, ...] = ()
    """What else decides the price, such as an engine or how many zones hold a copy."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.name, *self.options) if part)
