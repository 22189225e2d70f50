"""PostgreSQL's settings as a file of its own."""

from __future__ import annotations

from collections.abc import Iterable

from cascade_plan.emitters._database_parameters import Setting


def conf(made: Iterable[Setting], head: str) -> str:
    """Return postgresql.conf's fragment: every setting below its rule and source."""
    return head + "".join(f"\n# {each.rule}\n# {each.source}\n{each.name} = {each.value}\n" for each in made)
