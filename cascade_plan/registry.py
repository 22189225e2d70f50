"""A folder is a registry: what stands in a plug-in folder is its entries, imported on first use.

A folder's plug-ins are its packages; a folder without packages has modules for plug-ins. Names that start with an
underscore are the plug-ins' own, and so are modules that stand beside packages.
"""

from __future__ import annotations

from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from cascade_plan.errors import UsageError, did_you_mean

READS_ALL: Final = ("*",)
"""What a plug-in says that reads every one that does not read all."""


@cache
def names(folder: str) -> tuple[str, ...]:
    """Return the sorted names of the plug-ins in `cascade_plan/<folder>/`, in the spelling the command line uses.

    Who extends the `__path__` of that package has plug-ins elsewhere; tests do.
    """
    package = import_module(f"cascade_plan.{folder.replace('/', '.')}")
    entries = [entry for entry in iter_modules(package.__path__) if not entry.name.startswith("_")]
    found = [entry.name for entry in entries if entry.ispkg] or [entry.name for entry in entries]
    return tuple(sorted(name.replace("_", "-") for name in found))


def load(folder: str, name: str, part: str = "") -> ModuleType:
    """Return the plug-in `name` of `folder`, or the module `part` of it.

    Raises UsageError naming the known plug-ins when there is none of that name.
    """
    if name not in (known := names(folder)):
        holder, _, kind = folder.rpartition("/")
        is_format = holder == "reports" and kind != "charts"
        what = f"format {name!r} for {kind}" if is_format else f"{kind.rstrip('s')} named {name!r}"
        raise UsageError(f"no {what}: known are {', '.join(known)}{did_you_mean(name, list(known))}")
    path = ".".join((*folder.split("/"), name.replace("-", "_"), *([part] if part else [])))
    return import_module(f"cascade_plan.{path}")


def has(folder: str, name: str, part: str) -> bool:
    """Return whether the plug-in `name` of `folder` has a module `part`."""
    package = load(folder, name)
    return any(entry.name == part for entry in iter_modules(package.__path__))


@cache
def ordered(folder: str, part: str, attribute: str) -> tuple[str, ...]:
    """Return the plug-ins' names so that each comes after those that `attribute` of its `part` names, ties by name.

    One that names READS_ALL comes after every one that does not.
    Raises graphlib.CycleError when there is no such order.
    """
    named = {name: getattr(load(folder, name, part), attribute) for name in names(folder)}
    others = tuple(name for name, before in named.items() if before != READS_ALL)
    sorter = TopologicalSorter({name: others if before == READS_ALL else before for name, before in named.items()})
    sorter.prepare()
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found += ready
        sorter.done(*ready)
    return tuple(found)
