"""emit-*: the configuration that deploys a plan."""

from __future__ import annotations

from typing import Annotated

import typer

from cascade_plan.cli.choice import Choice, Output, with_choice
from cascade_plan.cli.output import deliver

With = Annotated[
    str, typer.Option("--with", metavar="PARTS", help="Also these, comma-separated: namespace,deployment,service,pdb.")
]


@with_choice
def emit_k8s(choice: Choice, with_: With = "", output: Output = "-") -> int:
    """Emit the HorizontalPodAutoscaler of the API, and what else is asked for, as YAML."""
    from cascade_plan.emitters import k8s

    parts = [part.strip() for part in with_.split(",") if part.strip()]
    deliver(k8s.stream(choice.plan(), parts), output)
    return 0
