"""A folder is a registry: the modules of a plug-in package are its entries, imported on first use."""

from __future__ import annotations

from functools import cache
from graphlib import TopologicalSorter
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


@cache
def ordered(folder: str) -> tuple[str, ...]:
    """Return the plug-ins' names so that each comes after those it names in its AFTER, ties by name.

    Raises graphlib.CycleError when there is no such order.
    """
    sorter = TopologicalSorter({name: load(folder, name).AFTER for name in names(folder)})
    sorter.prepare()
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found += ready
        sorter.done(*ready)
    return tuple(found)
