"""What the method slo found: the least counts that meet every load, and why fewer do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rejection:
    """A smaller fleet and the load that it fails."""

    figure: str
    """The figure that was smaller, such as api.node_count.base."""
    value: int
    """The count that fails."""
    load: str
    reason: str
    """Which limit is broken, by what."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Counts by figure, each the least given the others, and a rejection for each that could have been smaller."""

    counts: Mapping[str, int]
    """Figure, such as api.node_count.base or database.replica_count -> its count."""
    rejections: tuple[Rejection, ...]

    def why(self, figure: str) -> str:
        """Return why the figure is not one smaller, or "" when nothing was tried."""
        for rejection in self.rejections:
            if rejection.figure == figure:
                return f"{rejection.value} would not do: {rejection.reason}"
        return ""
