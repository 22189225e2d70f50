"""Cost Explorer's answer to GetCostAndUsage, as JSON.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from cascade_plan.errors import Problem, ScenarioError, UsageError
from cascade_plan.evidence.bill_file import MOST_AMOUNT, BillFile
from cascade_plan.evidence.texts import quoted
from cascade_plan.model.actuals import Line

READS: str = "Cost Explorer's JSON"
RESULTS: Final = "ResultsByTime"
CASH: Final = ("UnblendedCost", "NetUnblendedCost", "BlendedCost")
ACCRUAL: Final = ("NetAmortizedCost", "AmortizedCost", *CASH)
KINDS: Final = {"Tax": "tax", "Credit": "credit", "Refund": "refund"}
"""Of RECORD_TYPE, where it is grouped by."""


def claims(file: BillFile) -> bool:
    """Return whether a file is Cost Explorer's answer."""
    return file.kind == "json" and f'"{RESULTS}"'.encode() in file.head


def read(file: BillFile, tags: Sequence[str]) -> Iterator[Line]:
    """Yield a line for each group of each span of time: it has what was grouped by, and no more.

    Raises UsageError, with every problem, for a document that is no such answer.
    """
    document = file.document
    results = document.get(RESULTS) if isinstance(document, dict) else None
    if not isinstance(results, list):
        raise UsageError(f"{file.name}: {RESULTS} is no list: this is no answer of Cost Explorer")
    keys = [_key(each) for each in document.get("GroupDefinitions") or () if isinstance(each, dict)]
    problems: list[Problem] = []
    found = [line for result in results for line in _lines(file.name, result, keys, problems)]
    if problems:
        raise ScenarioError(problems)
    return iter(found)


def _key(definition: Mapping[str, Any]) -> str:
    name = str(definition.get("Key", ""))
    return f"tag {name}" if definition.get("Type") == "TAG" else name


def _lines(name: str, result: Any, keys: Sequence[str], problems: list[Problem]) -> Iterator[Line]:
    try:
        span = result["TimePeriod"]
        start, end = str(span["Start"]), str(span["End"])
        groups = result.get("Groups") or [{"Keys": [], "Metrics": result["Total"]}]
        is_final = str(result.get("Estimated", "")).lower() != "true" if "Estimated" in result else None
        for group in groups:
            named = dict(zip(keys, map(str, group["Keys"]), strict=False))
            yield _line(named, group["Metrics"], start, end, is_final)
    except (KeyError, TypeError, AttributeError) as error:
        problems.append(Problem(name, 0, 0, RESULTS, f"a result lacks {quoted(str(error))}"))
    except (ValueError, ArithmeticError) as error:
        problems.append(Problem(name, 0, 0, RESULTS, str(error)))


def _line(named: Mapping[str, str], metrics: Mapping[str, Any], start: str, end: str, is_final: bool | None) -> Line:
    billed, currency = _metric(metrics, CASH)
    effective, unit_of = _metric(metrics, ACCRUAL)
    if effective is None:
        raise ValueError(f"a group has none of the metrics {', '.join(ACCRUAL)}")
    quantity, unit = _metric(metrics, ("UsageQuantity",))
    tagged = {
        key.removeprefix("tag "): value.partition("$")[2] for key, value in named.items() if key.startswith("tag ")
    }
    return Line(
        kind=KINDS.get(named.get("RECORD_TYPE", ""), "usage"),
        month=start[:7],
        service=named.get("SERVICE", ""),
        usage_type=named.get("USAGE_TYPE", ""),
        operation=named.get("OPERATION", ""),
        region=named.get("REGION", ""),
        unit="" if unit == "N/A" else unit,
        currency=currency or unit_of,
        account=named.get("LINKED_ACCOUNT", ""),
        sku="",
        description="",
        is_committed=False,
        tags={key: value for key, value in tagged.items() if value},
        quantity=quantity if named.get("USAGE_TYPE") else None,
        billed_usd=effective if billed is None else billed,
        effective_usd=effective,
        listed_usd=effective,
        row_count=1,
        until=f"{end[:10]} 00:00",
        is_final=is_final,
    )


def _metric(metrics: Mapping[str, Any], names: Sequence[str]) -> tuple[Decimal | None, str]:
    """Return the first of some metrics that was asked for, and its unit. Raises ValueError for what is no amount."""
    name = next((name for name in names if name in metrics), None)
    if name is None:
        return None, ""
    text = metrics[name]["Amount"]
    try:
        amount = Decimal(str(text))
    except ArithmeticError:
        raise ValueError(f"{name}: {quoted(text)} is no amount") from None
    if not amount.is_finite() or not -MOST_AMOUNT < amount < MOST_AMOUNT:
        raise ValueError(f"{name}: {quoted(text)} is no amount")
    return amount, str(metrics[name].get("Unit", ""))
