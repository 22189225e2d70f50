"""size, report and check: a plan as text, and its verdict as an exit status."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from cascade_plan import registry
from cascade_plan.cli.choice import MaxPriceAge, Output, format_option, planned, with_choice
from cascade_plan.cli.output import Color, complain, deliver
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import MAX_PRICE_AGE_DAYS, age_days

Format = Annotated[str, format_option("plans")]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict-prices",
        envvar="CASCADE_PLAN_STRICT_PRICES",
        help="Exit 3 when a price is missing, undated or older than --max-price-age.",
    ),
]


FAILED, NOT_JUDGED = FAIL_ON = ("failed", "not-judged")
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        metavar="WHAT",
        envvar="CASCADE_PLAN_FAIL_ON",
        help="failed: exit 1 for a gate that fails; not-judged: also for one that could not be judged.",
    ),
]


@with_choice
def size(
    choice: Choice,
    format_: Format = "table",
    output: Output = "-",
    max_price_age: MaxPriceAge = MAX_PRICE_AGE_DAYS,
    strict_prices: Strict = False,
) -> int:
    """Size every tier, price it and judge it.

    Examples:
      cascade-plan size my.yaml
      cascade-plan size my.yaml --peak 50000 --avg 12000 --region us-west-2
      cascade-plan size my.yaml --format json -o plan.json

    Exit status:
      0  The plan was printed, whatever its gates say: `check` judges them.
      3  With --strict-prices: a price is missing, undated or too old.
    """
    names = [each.env for each in choice.environments() if each.env]
    if choice.env is None and names:
        complain(f"environment {names[0]} of {', '.join(names)}; --env chooses another", "")
    plans = _planned((choice,), format_, output, max_price_age, explored=False)
    return 3 if strict_prices and not _fresh(plans, choice, max_price_age) else 0


@with_choice
def report(
    choice: Choice,
    format_: Format = "markdown",
    output: Output = "-",
    max_price_age: MaxPriceAge = MAX_PRICE_AGE_DAYS,
    strict_prices: Strict = False,
) -> int:
    """Write the report for finance: cost, commitments, assumptions, alternatives and rollout.

    Of a file with environments it is all of them with their total, unless --env chooses one.

    Examples:
      cascade-plan report my.yaml -o report.md

    Exit status:
      0  The report was written, whatever its gates say: `check` judges them.
      3  With --strict-prices: a price is missing, undated or too old.
    """
    plans = _planned(choice.environments(), format_, output, max_price_age, explored=True)
    return 3 if strict_prices and not _fresh(plans, choice, max_price_age) else 0


@with_choice
def check(
    choice: Choice,
    format_: Format = "table",
    output: Output = "-",
    max_price_age: MaxPriceAge = MAX_PRICE_AGE_DAYS,
    strict_prices: Strict = False,
    fail_on: FailOn = FAILED,
) -> int:
    """Fail when a gate fails, for a build: the verdict is the exit status.

    The report is written all the same. Of a file with environments all are judged, unless --env chooses one. A gate
    that could not be judged is named on stderr; --fail-on not-judged fails for it.

    Examples:
      cascade-plan check my.yaml
      cascade-plan check my.yaml --format junit -o capacity.xml

    Exit status:
      0  Every gate that was judged is met.
      1  A gate failed; with --fail-on not-judged also when one could not be judged.
      3  A price is missing; with --strict-prices also when one is undated or too old.
    """
    if fail_on not in FAIL_ON:
        raise UsageError(f"--fail-on {fail_on}: must be {' or '.join(FAIL_ON)}{did_you_mean(fail_on, [*FAIL_ON])}")
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    explored = on_github or format_ == "markdown"
    plans = _planned(choice.environments(), format_, output, max_price_age, explored)
    for plan in plans:
        if on_github:
            from cascade_plan.cli.github import announce

            announce(plan)
        complain("\n".join(registry.load("reports/plans", "table").failures(plan)), "")
        kind = "error" if fail_on == NOT_JUDGED else "warning"
        for verdict in plan.unjudged:
            complain(f"{verdict.figure} is not judged: {verdict.reason}", kind)
    lacking = any(
        not plan.bill.complete or any(verdict.price_is_missing for verdict in plan.verdicts) for plan in plans
    )
    if lacking or (strict_prices and not _fresh(plans, choice, max_price_age)):
        return 3
    strict = fail_on == NOT_JUDGED
    return 1 if any(plan.failed or (strict and plan.unjudged) for plan in plans) else 0


def _planned(
    choices: Sequence[Choice], format_: str, output: str, max_price_age: int, explored: bool
) -> tuple[Plan, ...]:
    """Return the plans, after printing them: as the named report, or in colour for a table on a terminal."""
    renderer = registry.load("reports/plans", format_)
    plans = tuple(planned(choice, outlook=explored, max_price_age_days=max_price_age) for choice in choices)
    for plan, choice in zip(plans, choices, strict=True):
        for message in _price_warnings(plan, choice, max_price_age):
            complain(message, "warning")
    if len(plans) > 1:
        together = registry.load("reports/environments", format_)
        deliver(together.render(plans, [renderer.render(plan) for plan in plans]), output)
    elif format_ == "table" and output == "-" and Color.on():
        from cascade_plan.cli.terminal import show

        show(plans[0])
    else:
        deliver(renderer.render(plans[0]), output)
    return plans


def _price_warnings(plan: Plan, choice: Choice, limit_days: int) -> list[str]:
    """Return what to say of the prices' age and of missing ones."""
    warnings = []
    if old := [age for age in _ages(plan, choice) if age is not None and age > limit_days]:
        of_all = f"{len(old)} of {len(plan.bill.items)} prices"
        advice = ": run `cascade-plan prices update`" if registry.has("clouds", plan.scenario.cloud, "sources") else ""
        warnings.append(f"{of_all} are older than {limit_days} days, the oldest {max(old):,} days{advice}")
    if not plan.bill.complete:
        names = ", ".join(line.name for line in plan.bill.unpriced)
        warnings.append(f"the bill is at least what it says: no price in {plan.book} for {names}")
    return warnings


def _ages(plan: Plan, choice: Choice) -> list[int | None]:
    """Return the age in days of each line's price, None for an undated one.

    The clock is read here, at the edge, and never reaches a report.
    """
    from datetime import datetime

    today = choice.as_of or datetime.now().astimezone().date()
    return [age_days(item.as_of, today) for item in plan.bill.items]


def _fresh(plans: Sequence[Plan], choice: Choice, limit_days: int) -> bool:
    """Return whether every line has a price that is dated and not too old; say on stderr when not."""
    ages = [age for plan in plans for age in _ages(plan, choice)]
    old = sum(age is None or age > limit_days for age in ages)
    if old:
        of_all = f"{old} of {len(ages)} prices are undated or older than {limit_days} days"
        complain(f"{of_all}, which --strict-prices refuses")
    return not old and all(plan.bill.complete for plan in plans)
