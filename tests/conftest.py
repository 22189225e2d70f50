"""Hypothesis draws afresh on a developer's machine; in CI it draws the same every time, so that a red build is news."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
