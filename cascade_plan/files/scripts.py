"""The scripts that draw charts in a page."""

from __future__ import annotations

from functools import cache
from typing import Final

from cascade_plan.files.data_root import data_root

LIBRARIES: Final = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js")
"""In the order in which they need each other."""


@cache
def drawing() -> tuple[str, ...]:
    """Return the text of the scripts that a page needs to draw Vega-Lite specifications, in order.

    Raises CascadePlanError where the installation lacks them.
    """
    from cascade_plan.errors import CascadePlanError

    try:
        return tuple(
            data_root().joinpath("vega", name).read_text(encoding="utf-8").rsplit("\n//# sourceMappingURL=", 1)[0]
            for name in LIBRARIES
        )
    except OSError:
        raise CascadePlanError("the bundled vega/ is missing from this installation; reinstall cascade-plan") from None
