"""The cheapest fleet for a page: what it is, its proof, and what a smaller one breaks."""

from __future__ import annotations

from collections.abc import Iterator

from cascade_plan.model.optimum import Optimum
from cascade_plan.model.schemas import written
from cascade_plan.reports._marked import code, escaped, paragraph, table
from cascade_plan.reports._words import usd
from cascade_plan.reports.optima._parts import (
    HEADERS,
    decides,
    gaps,
    headline,
    rows,
    sureness,
    title,
    verdict,
)

FORMAT: str = "Markdown: the fleet by tier, what one less breaks and how to see it, the proof"


def render(optimum: Optimum) -> str:
    """Return the optimum as GitHub-flavoured Markdown."""
    lines = [f"# {escaped(title(optimum))}", ""]
    for text in (*headline(optimum), *sureness(optimum), *gaps(optimum), verdict(optimum)):
        lines += [paragraph(text), ""] if text else []
    lines += ["## The fleet", "", *table(HEADERS, rows(optimum), (2, 4))]
    lines += [
        "## One less fails",
        "",
        *table(("Instead", "Saves a month", "Breaks", "--set"), _rejected(optimum), (1,)),
    ]
    if optimum.decides:
        lines += ["## What decides the answer", "", *(f"- {escaped(line)}" for line in decides(optimum)), ""]
    lines += ["## The proof", "", *table(("What", "How many"), _proof(optimum), (1,))]
    return "\n".join(lines).rstrip("\n") + "\n"


def _rejected(optimum: Optimum) -> Iterator[tuple[str, str, str, str]]:
    for part in optimum.parts:
        for each in part.rejected:
            sets = ", ".join(code(f"{path}={written(value)}") for path, value in each.overrides.items())
            yield f"{part.tier}: {each.words}", usd(each.saving_usd_per_month), each.reason, sets


def _proof(optimum: Optimum) -> Iterator[tuple[str, str]]:
    proof = optimum.proof
    yield "fleets that the options make up", f"{proof.combination_count:.2e}"
    for by, count in proof.struck_count.items():
        yield f"ways to have a tier, struck by {by}", f"{count:,}"
    yield "fleets looked at, the cheapest first", f"{proof.popped_count:,}"
    yield "of these, cheaper and broken together", f"{len(proof.failed):,}"
    yield "predictions", f"{proof.prediction_count:,}"
    yield "what was not looked at costs at least", usd(proof.bound_usd_per_month)
