"""What a command takes that asks which fleet ran, where it is another than the planned one."""

from __future__ import annotations

from typing import Annotated

import typer

Pods = Annotated[
    list[str] | None,
    typer.Option(
        "--pods", metavar="NUMBER", help="Pods that ran of the service, or of NAME=NUMBER.  [default: planned]"
    ),
]
Cores = Annotated[
    list[str] | None,
    typer.Option(
        "--cores", metavar="NUMBER", help="Cores that those pods had together, or NAME=NUMBER.  [default: planned]"
    ),
]
DatabaseVcpu = Annotated[
    list[str] | None,
    typer.Option(
        "--database-vcpu", metavar="NUMBER", help="vCPU of the database, or of NAME=NUMBER.  [default: its shape's]"
    ),
]
