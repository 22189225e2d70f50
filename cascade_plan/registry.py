"""A folder is a registry: the modules of a plug-in package are its entries, imported on first use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from types import ModuleType

from cascade_plan.errors import UsageError, did_you_mean


@cache
def names(folder: str) -> tuple[str, ...]:
    """Return the sorted names of the plug-ins in `cascade_plan/<folder>/`, in the spelling the command line uses."""
    entries = (entry.name for entry in files("cascade_plan").joinpath(folder).iterdir())
    return tuple(
        sorted(name[:-3].replace("_", "-") for name in entries if name.endswith(".py") and not name.startswith("_"))
    )


def load(folder: str, name: str) -> ModuleType:
    """Return the plug-in module `name` of `folder`.

    Raises UsageError naming the known plug-ins when there is none of that name.
    """
    if name not in names(folder):
        known = names(folder)
        raise UsageError(
            f"no {folder.rstrip('s')} named {name!r}: known are {', '.join(known)}{did_you_mean(name, list(known))}"
        )
    return import_module(f"cascade_plan.{folder}.{name.replace('-', '_')}")
