"""What of a cache could be given up."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Site
from cascade_plan.model.relaxation import Relaxation
from cascade_plan.model.titles import called
from cascade_plan.tiers.cache.options import copies_least
from cascade_plan.tiers.cache.settings import Settings


def relaxations(site: Site[Settings]) -> Iterator[Relaxation]:
    """Yield masters without copies."""
    path = f"tiers.{site.name}.replicas_per_master"
    kept = site.scenario.optimize.keeps(path)
    copies = site.settings.replicas_per_master if kept else copies_least(site.scenario.availability.asked)
    if not site.settings.serverless and copies:
        yield Relaxation(
            f"the {called(site.name)} survives a lost node",
            "what it keeps, when one of its nodes is lost",
            {path: 0},
            "loss",
            keeps=(path,),
        )
