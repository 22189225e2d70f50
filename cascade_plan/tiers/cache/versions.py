"""Whether a version of Redis is still supported, and what it can."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Finding
from cascade_plan.model.support import Support, finding
from cascade_plan.tiers.cache.settings import Settings

SHARDED_FROM = 7
"""Channels of one shard are Redis 7's, https://redis.io/docs/latest/commands/ssubscribe/; all of Valkey have them."""
COST = "every node costs more, 80% of its price in the first two years and 160% in the third"
"""https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support-charges.html, as of April 2026"""


def findings(ask: Ask[Settings], has_streams: bool) -> Iterator[Finding]:
    """Yield that the version ends or soon will, and that it lacks what open connections need."""
    version, where = ask.settings.engine_version, f"tiers.{ask.name}.version"
    known = _support(ask)
    if known is not None and ask.day is not None:
        found = finding(f"Redis {version}", known, ask.day, where, lambda _: COST)
        yield from (found,) if found else ()
    if has_streams and int(version.partition(".")[0]) < SHARDED_FROM:
        words = f"Redis {version} has no channels of one shard, which the messages between open connections take"
        yield Finding("warning", "no-sharded-channels", words, where)


def not_priced(ask: Ask[Settings]) -> tuple[str, ...]:
    """Return what the bill lacks once the version is charged for, in words."""
    known = _support(ask)
    if known is None or ask.day is None or known.rate(ask.day) is None:
        return ()
    return (f"extended support of Redis {ask.settings.engine_version} on {ask.name}: no price of it is known here",)


def _support(ask: Ask[Settings]) -> Support | None:
    """Return how long the version is supported where the cloud runs it; of servers of one's own nobody charges it."""
    if ask.scenario.emit.cache == "self":
        return None
    return ask.cloud.support(ask.settings.engine, ask.settings.engine_version.partition(".")[0])
