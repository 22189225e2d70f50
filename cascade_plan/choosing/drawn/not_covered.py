"""What arrays do not know how to answer for many worlds at once."""

from __future__ import annotations


class NotCovered(Exception):  # noqa: N818
    """Worlds must be answered one by one; the message says why."""
