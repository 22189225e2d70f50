"""A registry: the images of every workload, so many versions of each."""

from __future__ import annotations

from cascade_plan.model.ask import Ask
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.registry import READS_ALL
from cascade_plan.tiers.registry.settings import Settings

AFTER: tuple[str, ...] = READS_ALL


def size(ask: Ask[Settings]) -> Sized:
    """Return what the images take; nothing where no pod runs."""
    images = {workload.image for sized in ask.fleet.values() for workload in sized.workloads}
    gib = len(images) * ask.settings.version_count * ask.settings.image_gib
    usage = Usage(ask.name, "container images", Offer("image_storage"), Band.constant(gib), "gib_month")
    return Sized(
        ask.name,
        "registry",
        usages=(usage,),
        figures=(
            ask.figure(
                "image_gib",
                gib,
                "GiB",
                f"{len(images)} images x version_count x image_gib",
                (ask.own("version_count"), ask.own("image_gib")),
            ),
        ),
        not_emitted=(f"{usage.name}: the repository is made by hand",),
    )
