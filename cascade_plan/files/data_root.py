"""Where the bundled data and the documents stand."""

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


def docs_root() -> Path | None:
    """Return the directory that holds README.md and `docs/`: the checkout's root, or where an installation puts them.

    None where neither is there, as after an installation for one user alone.
    """
    import sys

    checkout = Path(__file__).resolve().parent.parent.parent
    installed = Path(sys.prefix, "share", "doc", "cascade-plan")
    return next((root for root in (checkout, installed) if (root / "docs" / "scenario.md").is_file()), None)
