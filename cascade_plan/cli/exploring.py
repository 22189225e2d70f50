"""explore: a page of one's own machine on which a scenario is changed while its plan is watched."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from cascade_plan.cli.choice import with_choice
from cascade_plan.cli.output import note, say
from cascade_plan.errors import UsageError
from cascade_plan.inputs.choice import Choice

Port = Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65_535, help="0 takes one that is free.")]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Print the page's address and open no browser.")]
MISSING = "explore needs starlette and uvicorn, which are not installed: pip install 'cascade-plan[explore]'"


@with_choice
def explore(choice: Choice, port: Port = 0, no_open: NoOpen = False) -> int:
    """Change a scenario on a page and watch its plan: verdict, cost, latency, findings, with why of every figure.

    The page is of this machine alone: it is served on 127.0.0.1, its address holds a token, and nothing is written or
    sent elsewhere. What was changed stands in the address; the page gives it as YAML or as a command line too.

    Examples:
      cascade-plan explore my.yaml
      cascade-plan explore my.yaml --peak 50000 --no-open --port 8080

    Exit status:
      0  It was stopped with Ctrl-C.
      2  The scenario or the command line is wrong, the port is taken, or the extra is not installed.
    """
    if choice.scenario == "-":
        raise UsageError("the page reads the scenario anew with every change: give a file, not -")
    try:
        from cascade_plan.exploring.server import bound, serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "anyio"):
            raise
        raise UsageError(MISSING) from None
    import gc
    import secrets
    import webbrowser

    from cascade_plan.exploring.session import Session

    session = Session.of(choice)
    listener = bound(port)
    place, token = f"http://127.0.0.1:{listener.getsockname()[1]}", secrets.token_urlsafe(24)
    say(f"{place}/{token}/")
    note("Ctrl-C stops it")
    gc.enable()  # a start does without, a server must not
    once = "" if no_open else secrets.token_urlsafe(24)
    if once:
        webbrowser.open(f"{place}/{once}/")
    with suppress(KeyboardInterrupt):  # the server may end without passing it on
        serve(session, listener, token, once)
    note("stopped")
    return 0
