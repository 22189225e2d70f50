"""A trace: how many requests came when, on a clock that runs evenly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """Requests in intervals that do not overlap; between two intervals nobody asked anything.

    The sequences have an entry for each interval and are sorted by time; the first interval starts at 0.
    """

    name: str
    step_s: float
    """How long a whole interval is."""
    starts_s: tuple[float, ...]
    ends_s: tuple[float, ...]
    clocks_s: tuple[float, ...]
    """What clocks showed at the start: seconds since midnight of the first day."""
    requests: tuple[float, ...]
    """In the interval."""
    words: str
    """What was read, and what was done where rows were missing, repeated or unclear."""

    @property
    def span_s(self) -> float:
        """Seconds from the start of the first interval to the end of the last one."""
        return self.ends_s[-1]

    def spans(self) -> tuple[list[float], list[float], list[float]]:
        """Return what clocks showed at the start, the length in seconds and the requests of every interval and gap."""
        clocks_s, lengths_s, requests = [], [], []
        for index, (start, end) in enumerate(zip(self.starts_s, self.ends_s, strict=True)):
            clocks_s.append(self.clocks_s[index])
            lengths_s.append(end - start)
            requests.append(self.requests[index])
            if index + 1 < len(self.starts_s) and (gap := self.starts_s[index + 1] - end) > 0:
                clocks_s.append(self.clocks_s[index] + end - start)
                lengths_s.append(gap)
                requests.append(0.0)
        return clocks_s, lengths_s, requests
