"""Files of metrics in memory, read together."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cascade_plan.errors import UsageError
from cascade_plan.evidence.observing import observed
from cascade_plan.evidence.texts import Text, held
from cascade_plan.model.observation import Metrics


def read(files: Mapping[str, str], *given: str) -> Metrics:
    """Return what files tell; those that are given, else all."""

    def text(name: str) -> Text | None:
        return held(name, files[name]) if name in files else None

    return observed(given or tuple(files), text)


def refused(files: Mapping[str, str], *given: str) -> str:
    """Return the message with which files are refused, which is one line."""
    with pytest.raises(UsageError) as caught:
        read(files, *given)
    message = str(caught.value)
    assert "\n" not in message
    return message
