"""The Kubernetes control plane."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.model.support import Support, finding
from cascade_plan.tiers.cluster import pods
from cascade_plan.tiers.cluster.settings import Settings

AFTER: tuple[str, ...] = ()
SUPPORTED, PLANE = Offer("kubernetes_support"), Offer("kubernetes")


def size(ask: Ask[Settings]) -> Sized:
    """Return one control plane, charged by the hour whatever the load, and the support of a version that is old."""
    hours, version = Band.constant(ask.hours), ask.settings.version
    usages = [Usage(ask.name, "Kubernetes control plane", PLANE, hours, "hour")]
    support, has_support = ask.cloud.support("kubernetes", version), ask.cloud.sells(SUPPORTED)
    if support is not None and has_support and ask.day is not None and support.rate(ask.day) is not None:
        usages.append(Usage(ask.name, f"extended support of Kubernetes {version}", SUPPORTED, hours, "hour"))
    findings = tuple(_findings(ask, support)) if has_support else ()
    return Sized(
        ask.name,
        "cluster",
        usages=(*usages, *pods.own(ask)),
        findings=findings,
        not_priced=_not_priced(ask),
        not_emitted=_not_emitted(usages),
    )


def _not_priced(ask: Ask[Settings]) -> tuple[str, ...]:
    """Return that the control plane's logs cost what is written, which nothing here foretells."""
    types, offer = ask.settings.log_types, Offer("log_traffic")
    usd = ask.usd(offer) if ask.cloud.sells(offer) else None
    each = "" if usd is None else f": ${usd:f} a GiB"
    return (f"logs of the control plane ({', '.join(types)}), by what it writes{each}",) if types else ()


def _not_emitted(usages: list[Usage]) -> tuple[str, ...]:
    return tuple(f"{usage.name}: comes with the version" for usage in usages[1:])


def _findings(ask: Ask[Settings], support: Support | None) -> Iterator[Finding]:
    version, where = ask.settings.version, f"tiers.{ask.name}.version"
    if support is None:
        yield Finding("warning", "version-unknown", f"until when Kubernetes {version} is supported is not known", where)
    elif ask.day is not None:
        found = finding(f"Kubernetes {version}", support, ask.day, where, lambda _: _cost(ask))
        yield from (found,) if found else ()


def _cost(ask: Ask[Settings]) -> str:
    plane, more = ask.usd(PLANE), ask.usd(SUPPORTED)
    if plane is None or more is None:
        return "the control plane costs more"
    usd, usd_before = (plane + more) * ask.hours, plane * ask.hours
    return f"the control plane costs ${usd:,.2f} a month instead of ${usd_before:,.2f}"
