"""The report for finance on several environments: their total first, then each one's own report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cascade_plan.model.plan import Plan
from cascade_plan.reports._marked import table
from cascade_plan.reports.environments._totals import HEADERS, NUMBERS, TITLE, rows

HEADING: Final = re.compile(r"^(#+ )", re.MULTILINE)
FORMAT: str = "Markdown for finance: the total of all environments, then the report of each"


def render(plans: Sequence[Plan], rendered: Sequence[str]) -> str:
    """Return the total and the reports of the plans, their headings a level down."""
    head = [f"# {TITLE}", "", *table(HEADERS, rows(plans), NUMBERS)]
    return "\n".join(head) + "\n" + "\n".join(_lowered(text) for text in rendered)


def _lowered(text: str) -> str:
    """Return Markdown with every heading a level down; what stands in a code block stays."""
    parts = re.split(r"(^```.*?^```)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("```") else HEADING.sub(r"#\1", part) for part in parts)
