"""size, report and check: a plan as text, and its verdict as an exit status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

import typer

from cascade_plan import registry
from cascade_plan.cli.charges import FOCUS, FocusVersion, MonthOption, charges
from cascade_plan.cli.choice import (
    MaxPriceAge,
    Output,
    Relaxations,
    checked_relaxations,
    format_option,
    planned,
    with_choice,
)
from cascade_plan.cli.output import Color, check_binary, complain, deliver, laid_out, on_github, width
from cascade_plan.cli.papering import check_alone, papered
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice
from cascade_plan.model.plan import Plan
from cascade_plan.model.price import MAX_PRICE_AGE_DAYS, PriceKey, age_days

Format = Annotated[str, format_option("plans")]
Full = Annotated[bool, typer.Option("--full", help="Everything: levels, figures, all gates and all findings.")]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict-prices",
        envvar="CASCADE_PLAN_STRICT_PRICES",
        help="Exit 3 when a price is missing, undated or older than --max-price-age.",
    ),
]

NAMED = 3
"""Prices that one message names, and then counts."""
FAILED, NOT_JUDGED = FAIL_ON = ("failed", "not-judged")
FailOn = Annotated[
    str,
    typer.Option(
        "--fail-on",
        metavar="WHAT",
        envvar="CASCADE_PLAN_FAIL_ON",
        help="failed: exit 1 for a gate that fails; not-judged: also for one that could not be judged.",
        autocompletion=lambda: [*FAIL_ON],
    ),
]


@with_choice
def size(
    choice: Choice,
    format_: Format = "table",
    full: Full = False,
    output: Output = "-",
    max_price_age: MaxPriceAge = MAX_PRICE_AGE_DAYS,
    strict_prices: Strict = False,
    month: MonthOption = None,
    focus_version: FocusVersion = None,
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
    brief, wanted = format_ == "table" and not full, charges((choice,), format_, month, focus_version)
    plans = _planned(
        (choice,), format_, max_price_age, explored=False, strict=strict_prices, brief=brief, hours=wanted.hours
    )
    said = [_report(format_, plan, full, next_command(choice, plan, full), wanted.wishes) for plan in plans]
    _deliver(plans, format_, output, said)
    return 3 if strict_prices and not _fresh(plans, choice, max_price_age) else 0


@with_choice
def report(
    choice: Choice,
    format_: Format = "markdown",
    output: Output = "-",
    max_price_age: MaxPriceAge = MAX_PRICE_AGE_DAYS,
    strict_prices: Strict = False,
    relaxations: Relaxations = "none",
    month: MonthOption = None,
    focus_version: FocusVersion = None,
) -> int:
    """Write the report: a page that finance approves and signs, and an appendix that engineers and auditors read.

    The page says what to approve, what to decide, and what the years cost as users and data grow. The appendix has
    every line of the bill, commitments, assumptions, prices with their sources, gates and the rollout.

    Of a file with environments it is all of them with their total, unless --env chooses one.

    Examples:
      cascade-plan report my.yaml -o report.md
      cascade-plan report my.yaml --format html -o report.html
      cascade-plan report my.yaml --format xlsx -o report.xlsx
      cascade-plan report my.yaml --format focus --month 2027-01 -o plan.csv

    Exit status:
      0  The report was written, whatever its gates say: `check` judges them.
      3  With --strict-prices: a price is missing, undated or too old.
    """
    sought, choices = checked_relaxations(relaxations), choice.environments()
    wanted = charges(choices, format_, month, focus_version)
    check_alone(format_, len(choices))
    check_binary(format_, output)
    plans = _planned(
        choices,
        format_,
        max_price_age,
        explored=format_ != FOCUS,
        strict=strict_prices,
        relaxations="none" if format_ == FOCUS else sought,
        hours=wanted.hours,
    )
    wishes = [{**wanted.wishes, **papered(each, plan, format_)} for plan, each in zip(plans, choices, strict=True)]
    said = [_report(format_, plan, True, "", own) for plan, own in zip(plans, wishes, strict=True)]
    _deliver(plans, format_, output, said)
    return 3 if strict_prices and not _fresh(plans, choice, max_price_age) else 0


@with_choice
def check(
    choice: Choice,
    format_: Format = "table",
    full: Full = False,
    output: Output = "-",
    max_price_age: MaxPriceAge = MAX_PRICE_AGE_DAYS,
    strict_prices: Strict = False,
    fail_on: FailOn = FAILED,
) -> int:
    """Fail when a gate fails, for a build: the verdict is the exit status.

    The report is written all the same. Of a file with environments all are judged, unless --env chooses one. A gate
    that could not be judged is named on stderr, and so is a scenario that asks nothing; --fail-on not-judged fails for
    both.

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
    if format_ == FOCUS:
        raise UsageError("--format focus: the charges of a month judge nothing; `report --format focus` writes them")
    choices, strict = choice.environments(), fail_on == NOT_JUDGED
    plans = _planned(choices, format_, max_price_age, explored=format_ == "markdown", strict=strict_prices)
    in_text = format_ == "table" and not full
    table = registry.load("reports/plans", "table")
    # What is said on stderr is not said on stdout again.
    listed = table.NOT_MET if output != "-" else () if on_github() else ("fail",)
    said = [table.verdict(plan, width(), listed) if in_text else _report(format_, plan, full, "") for plan in plans]
    _deliver(plans, format_, output, said)
    for plan, each in zip(plans, choices, strict=True):
        if on_github():
            from cascade_plan.cli.github import announce

            announce(plan, each.read().origins)
        elif output != "-" or format_ != "table":
            complain("\n".join(table.failures(plan)), "")
        for words in _not_judged(plan):
            complain(words, "error" if strict else "warning")
    lacking = any(
        not plan.bill.complete or any(verdict.price_is_missing for verdict in plan.verdicts) for plan in plans
    )
    if lacking or (strict_prices and not _fresh(plans, choice, max_price_age)):
        return 3
    return 1 if any(plan.failed or (strict and _not_judged(plan)) for plan in plans) else 0


def _not_judged(plan: Plan) -> list[str]:
    """Return what was asked and not judged, each with its reason; of a scenario that asks nothing, that."""
    if not plan.verdicts:
        return [f"{plan.scenario.name}: nothing is judged, as the scenario has no budget, no gates and no loads"]
    return [f"{verdict.figure} is not judged: {verdict.reason}" for verdict in plan.unjudged]


def _planned(
    choices: Sequence[Choice],
    format_: str,
    max_price_age: int,
    explored: bool,
    strict: bool,
    brief: bool = False,
    relaxations: str = "none",
    hours: int | None = None,
) -> tuple[Plan, ...]:
    """Return the plans, after a warning of what is wrong with their prices. Raises UsageError for an unknown format."""
    registry.load("reports/plans", format_)
    plans = tuple(planned(choice, None, explored, max_price_age, brief, relaxations, hours) for choice in choices)
    if not strict and (message := _old_prices(plans, choices[0], max_price_age)):
        complain(message, "note")
    for message in _missing_prices(plans):
        complain(message, "warning")
    return plans


def _report(
    format_: str, plan: Plan, full: bool, command: str, wishes: Mapping[str, object] = MappingProxyType({})
) -> Any:
    return laid_out(registry.load("reports/plans", format_), plan, full=full, command=command, **wishes)


def _deliver(plans: Sequence[Plan], format_: str, output: str, said: Sequence[str | bytes]) -> None:
    """Print what is said of one plan, or of several together: a terminal gets it in colour."""
    text = said[0]
    if len(plans) > 1:
        text = laid_out(registry.load("reports/environments", format_), plans, said)
    if isinstance(text, str) and format_ == "table" and output == "-" and Color.on():
        from cascade_plan.cli.terminal import coloured

        text = coloured(text)
    deliver(text, output)


def next_command(choice: Choice, plan: Plan, full: bool) -> str:
    """Return the command line to go on with: for the prices that lack, for the cause of the cost, or for the rest."""
    from shlex import join

    if not plan.bill.complete and registry.has("clouds", plan.scenario.cloud, "sources"):
        return f"cascade-plan prices update --region {plan.scenario.region}"
    arguments = join(choice.words[1:] if choice.taken else choice.words)
    command, *others = (["explain cost"] if plan.failed else []) + ([] if full else ["size --full"]) + ["report"]
    line = f"cascade-plan {command} {arguments}".rstrip()
    more = f"  (or {', '.join(others)})" if others else ""
    return line + more if len(f"  next: {line}{more}") <= width() else line


def _old_prices(plans: Sequence[Plan], choice: Choice, limit_days: int) -> str:
    """Return what to say of prices that are too old, once for all plans, and how to be told no more; "" of none."""
    ages = [age for plan in plans for age in _ages(plan, choice)]
    if not (old := [age for age in ages if age is not None and age > limit_days]):
        return ""
    accepted = f"--max-price-age {-(-max(old) // 100) * 100}"
    can_renew = registry.has("clouds", plans[0].scenario.cloud, "sources")
    said = f"{len(old)} of {len(ages)} prices are over {limit_days} days old"
    # One line of 80 columns: the first screen stands below it.
    missed = [age for _, age in _not_renewed(plans, choice, limit_days) if age is not None]
    if can_renew and len(missed) == len(old):
        return f"{said}: none newer was found ({accepted})"
    return f"{said} ({f'prices update, or {accepted}' if can_renew else accepted})"


def _not_renewed(plans: Sequence[Plan], choice: Choice, limit_days: int) -> list[tuple[PriceKey, int | None]]:
    """Return the old and undated bundled prices whose service has been updated, with their ages in days.

    The last update did not find these: to run it again is no way out.
    """
    found = []
    for plan in plans:
        renewed = {item.key.service for item in plan.bill.items if item.origin == "cache"}
        for item, age in zip(plan.bill.items, _ages(plan, choice), strict=True):
            if item.origin == "bundled" and item.key.service in renewed and (age is None or age > limit_days):
                found.append((item.key, age))
    return found


def _missing_prices(plans: Sequence[Plan]) -> list[str]:
    """Return what to say of the lines that have no price. On GitHub an annotation says it."""
    if on_github():
        return []
    lacking = [plan for plan in plans if not plan.bill.complete]
    return [
        f"no price in {plan.book} for {', '.join(line.name for line in plan.bill.unpriced)}: the cost is at least "
        f"what is said, without {', '.join(map(str, plan.bill.missing(plan.scenario.budget.level)))}"
        for plan in lacking
    ]


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
        if missed := list(dict.fromkeys(str(key) for key, _ in _not_renewed(plans, choice, limit_days))):
            shown = ", ".join(missed[:NAMED]) + (f" and {len(missed) - NAMED} more" if len(missed) > NAMED else "")
            complain(f"the last update found no newer price of {shown}: give them in a file with --prices")
    return not old and all(plan.bill.complete for plan in plans)
