"""What each requirement costs and what could be given up, for a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cascade_plan.model.relaxation import Relaxed, WhyNot
from cascade_plan.reports._marked import Marked, code, escaped, paragraph, table
from cascade_plan.reports._words import usd

TITLE = "What each requirement costs"


def section(found: WhyNot) -> Iterator[str]:
    """Yield the lines of a section: each requirement alone, and what to give up together where it must be."""
    yield from (f"## {TITLE}", "")
    yield from (paragraph(" ".join(_head(found))), "")
    headers = ("Requirement", "Saves a month", "Costs then", "Upfront", "What is given up with it", Marked("`--set`"))
    yield from table(headers, [_row(each) for each in found.marginal], (1, 2, 3))
    if not found.is_met:
        yield from _ways_out(found)


def _head(found: WhyNot) -> Iterator[str]:
    """Yield sentences: what all requirements cost, what they may cost, and what the table below is."""
    if found.cost_usd_per_month is None:
        yield "No fleet keeps all that is required."
    else:
        yield f"The cheapest fleet that keeps all that is required costs {usd(found.cost_usd_per_month)} a month."
    if found.budget_usd_per_month is not None:
        yield f"The budget is {usd(found.budget_usd_per_month)}."
    yield (
        "Each row is one requirement given up by itself, and the cheapest fleet then, by a search of its own. None is "
        "recommended as such."
    )


def _row(each: Relaxed) -> tuple[str, ...]:
    saves = each.saves_usd
    said = "" if saves is None else f"{usd(-saves)} more" if saves < 0 else usd(saves)
    return (*_names(each), said, _cost(each), _upfront(each), *_lost(each))


def _names(each: Relaxed) -> tuple[str, ...]:
    return (Marked("<br>".join(escaped(name) for name in each.names)),)


def _cost(each: Relaxed) -> str:
    return "no fleet" if each.cost_usd_per_month is None else usd(each.cost_usd_per_month)


def _upfront(each: Relaxed) -> str:
    return "" if each.upfront_usd is None else usd(each.upfront_usd)


def _lost(each: Relaxed) -> tuple[str, str]:
    lost = Marked("<br>".join(escaped(text) for text in each.gives_up))
    return lost, Marked("<br>".join(code(change) for change in each.overrides))


def _ways_out(found: WhyNot) -> Iterator[str]:
    """Yield why the budget is not met, the sets without which it is, and from how many users on it would be."""
    if found.irreducible:
        text = (
            f"These cannot be kept together within the budget, though all others be given up: "
            f"{_listed(found.irreducible)}. Without any one of these and all the others it is met."
        )
        yield from (paragraph(text), "")
    elif found.least_usd_per_month is not None:
        text = f"Even with all of them given up the cheapest fleet costs {usd(found.least_usd_per_month)}."
        yield from (paragraph(text), "")
    if found.sets:
        yield from ("### What to give up together", "")
        headers = ("Requirements", "Costs then", "Upfront", "What is given up with them", Marked("`--set`"))
        rows = [(*_names(each), _cost(each), _upfront(each), *_lost(each)) for each in found.sets]
        yield from table(headers, rows, (1, 2))
    if found.sets_left_count:
        yield from (f"{found.sets_left_count:,} more sets were not looked at.", "")
    if text := crossing(found):
        yield from (paragraph(text), "")


def _listed(names: Iterable[str]) -> str:
    return "; ".join(names)


def crossing(found: WhyNot) -> str:
    """Return from how many users on the budget is met with all that is required, in a sentence; "" where not asked."""
    if not found.looked_at_users:
        return ""
    if found.crossing_users is None:
        return (
            f"With all that is required no number of users that was looked at, up to {found.looked_at_users:,} at "
            "peak, costs less than the budget per 1000."
        )
    return f"With all that is required the budget per 1000 is met from about {found.crossing_users:,} users at peak on."
