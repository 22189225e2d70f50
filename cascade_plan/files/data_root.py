"""Where the bundled data stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cascade_plan.errors import CascadePlanError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


def data_root() -> Traversable:
    """Return the directory that holds `pricing/` and `scenarios/`: inside an installed wheel, or the checkout's root.

    Raises CascadePlanError when neither is there: a broken installation.
    """
    from importlib.resources import files

    installed = files("cascade_plan").joinpath("data")
    if installed.joinpath("pricing").is_dir():
        return installed
    checkout = Path(__file__).resolve().parent.parent.parent
    if (checkout / "pricing").is_dir() and (checkout / "scenarios").is_dir():
        return checkout
    raise CascadePlanError(
        "the bundled pricing/ and scenarios/ are missing from this installation; reinstall cascade-plan"
    )
