"""The cluster: WebSocket nodes, nginx before them, Redis behind them with the connections' state, and EKS below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cascade_plan.emitters import _connection_state, _eks, _nginx, _redis, _websocket
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

AFTER: tuple[str, ...] = ("infra",)
"""The emitters whose files are applied before these."""

PARTS: Final[tuple[Callable[[Plan], tuple[Artefact, ...]], ...]] = (
    _websocket.artefacts,
    _nginx.artefacts,
    _redis.artefacts,
    _connection_state.artefacts,
    _eks.artefacts,
)
"""Each makes the files of one program from a plan."""


def render(plan: Plan) -> tuple[Artefact, ...]:
    """Return the files of every part. Raises InfeasibleError when a cluster is larger than its software allows."""
    return tuple(artefact for part in PARTS for artefact in part(plan))
