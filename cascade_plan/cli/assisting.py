"""mcp: a server for assistants."""

from __future__ import annotations

import sys

from cascade_plan.cli.output import note


def mcp() -> int:
    """Let an assistant plan, explain, diff, optimize and simulate: a Model Context Protocol server on stdio.

    It writes nothing, and reads bundled scenarios and YAML files below the working directory alone. Register it with
    your assistant as the command `cascade-plan mcp`, run in the directory of your scenarios, such as with
    {"mcpServers": {"cascade-plan": {"command": "cascade-plan", "args": ["mcp"]}}} in its settings. docs/mcp.md says
    what it takes and answers. It needs the extra: pip install 'cascade-plan[mcp]'.

    Examples:
      cascade-plan mcp

    Exit status:
      0  The assistant has closed the connection.
      2  The extra is not installed.
    """
    from cascade_plan.cli.tooling import serve

    if sys.stdin.isatty():
        note("waiting for an assistant on stdin, which is a terminal; Ctrl-C ends it")
    serve()
    return 0
