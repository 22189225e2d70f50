"""The price books and the catalogues that come with the tool: pricing/<cloud>/<region>.yaml and shapes.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from cascade_plan import registry
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.files.data_root import data_root
from cascade_plan.files.documents import shown
from cascade_plan.model.catalogue import Catalogue
from cascade_plan.model.price import Book
from cascade_plan.prices.reading import parse_book, parse_catalogue, parse_gaps

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@cache
def regions(cloud: str) -> tuple[str, ...]:
    """Return the sorted names of the regions of a cloud that have a bundled book; none for an unknown cloud."""
    folder = _directory(cloud)
    names = (entry.name for entry in folder.iterdir()) if folder.is_dir() else ()
    return tuple(sorted(name[:-5] for name in names if name.endswith(".yaml") and name != "shapes.yaml"))


@cache
def book(cloud: str, region: str) -> Book:
    """Return the bundled book of a cloud's region.

    Raises UsageError, naming the bundled regions, when there is none; PriceError when the file is damaged.
    """
    return parse_book(*_text_of(cloud, region))


@cache
def gaps(cloud: str, region: str) -> Mapping[str, tuple[str, ...]]:
    """Return section -> what the bundled book of a cloud's region is known to lack, in words. Raises as `book` does."""
    return parse_gaps(*_text_of(cloud, region))


@cache
def catalogue(cloud: str) -> Catalogue:
    """Return the shapes that a cloud's bundled books price. Raises PriceError when the file is damaged."""
    text = _directory(cloud).joinpath("shapes.yaml").read_text(encoding="utf-8")
    return parse_catalogue(text, f"pricing/{cloud}/shapes.yaml")


def unknown_region(cloud: str, region: str, known: Sequence[str]) -> str:
    """Return what to say of a region that is none of the `known` ones, which have prices."""
    published: Sequence[str] = ()
    if registry.has("clouds", cloud, "sources"):
        published = registry.load("clouds", cloud, "sources").REGIONS
    listed = f"regions with prices are {', '.join(known)}"
    if region in published:
        return f"no prices of {region} yet: `cascade-plan prices update --region {region}` brings them; {listed}"
    # Of regions that are told apart by a number, one that has prices is as near as any.
    numbered = [name for name in known if name[:-1] == region[:-1]]
    hint = did_you_mean(region, numbered or [*known, *published])
    return f"no region {shown(region)}{hint}{' ' if hint else '; '}{listed}"


def _directory(cloud: str) -> Traversable:
    return data_root().joinpath("pricing", cloud)


def _text_of(cloud: str, region: str) -> tuple[str, str]:
    """Return (text, name) of a region's book. Raises UsageError when there is none."""
    if region not in (known := regions(cloud)):
        raise UsageError(unknown_region(cloud, region, known))
    name = f"{region}.yaml"
    return _directory(cloud).joinpath(name).read_text(encoding="utf-8"), f"pricing/{cloud}/{name}"
