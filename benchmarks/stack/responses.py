"""Beside the emitted locustfile: every response with its end, its name and unrounded milliseconds, and when the load
ended, so that percentiles are of exactly the seconds that the load was held.

Logins have an event of their own in the emitted file, and are not among them.
"""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path
from typing import Any

from locust import events

FOUND: list[tuple[str, str, str, int]] = []


@events.request.add_listener
def keep(name: str, response_time: float, exception: BaseException | None, **_: Any) -> None:
    """Keep a response."""
    FOUND.append((f"{time.time():.4f}", name, f"{response_time:.4f}", int(exception is not None)))


@events.test_stopping.add_listener
def end(**_: Any) -> None:
    """Write them, and the end of the load as the last row, once."""
    path = Path(os.environ["RESPONSES"])
    if not path.exists():
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([*FOUND, (f"{time.time():.4f}", "", "0", 0)])
