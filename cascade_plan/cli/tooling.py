"""The Model Context Protocol server: tools that answer from plans, change nothing, and read nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from pydantic import BaseModel, ValidationError

from cascade_plan import __version__, registry
from cascade_plan.errors import CascadePlanError, UsageError, did_you_mean

if TYPE_CHECKING:
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult

Ask: TypeAlias = Callable[[str], None]
"""Is told what was done of which whoever asks should know."""
FOLDER: Final = "cli/tools"
INSTRUCTIONS: Final = (
    "cascade-plan sizes a platform from its users, prices it from AWS prices with their source and date, and judges "
    "it against budget and latency limits. Begin with plan; ask explain before you doubt a figure; diff says what a "
    "change costs, optimize finds the cheapest fleet that keeps every promise, simulate replays a day through the "
    "autoscaler. "
    "Money is US dollars as decimal text. A bundled scenario such as cascade or saas-300 shows how one is written."
)
MISSING: Final = "the MCP server needs the extra mcp: pip install 'cascade-plan[mcp]'"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answers."""

    text: str
    """For people, and for programs that read no documents."""
    document: Mapping[str, Any]
    """By the schema that the tool names."""


class Tool(Protocol):
    """What every tool has."""

    DESCRIPTION: str
    SCHEMA: str
    """The name that `cascade-plan schema` prints the schema of its document by."""
    Input: type[BaseModel]

    def answer(self, asked: Any, tell: Ask) -> Answer:
        """Return the answer. Raises CascadePlanError for what is wrong with what is asked."""


def serve() -> None:
    """Answer requests on stdin with answers on stdout, until stdin ends. Raises UsageError without the SDK."""
    try:
        import anyio
        from mcp.server.lowlevel import Server
        from mcp.server.stdio import stdio_server
    except ImportError:
        raise UsageError(MISSING) from None

    # One question after another: a search takes a whole core as it is.
    limiter = anyio.CapacityLimiter(1)

    async def listed(_: Any, __: Any) -> ListToolsResult:
        from mcp_types import ListToolsResult

        return ListToolsResult(tools=[_described(name) for name in registry.names(FOLDER)])

    async def called(_: Any, asked: CallToolRequestParams) -> CallToolResult:
        return await anyio.to_thread.run_sync(
            lambda: _result(asked.name, asked.arguments or {}), limiter=limiter, abandon_on_cancel=True
        )

    server: Any = Server(
        "cascade-plan", version=__version__, instructions=INSTRUCTIONS, on_list_tools=listed, on_call_tool=called
    )

    async def run() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(run)


def _described(name: str) -> Any:
    from mcp_types import Tool, ToolAnnotations

    from cascade_plan.model.schemas import SCHEMAS

    tool = registry.load(FOLDER, name)
    hints = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    return Tool(
        name=name,
        description=tool.DESCRIPTION,
        input_schema=tool.Input.model_json_schema(),
        output_schema=SCHEMAS[tool.SCHEMA](),
        annotations=hints,
    )


def _result(name: str, arguments: Mapping[str, Any]) -> CallToolResult:
    """Return what a tool answers; what is wrong is an answer too, which an assistant reads and mends."""
    if name not in (known := registry.names(FOLDER)):
        return _wrong(f"no tool {name!r}: known are {', '.join(known)}{did_you_mean(name, list(known))}")
    notes: list[str] = []
    tool = registry.load(FOLDER, name)
    try:
        return _right(tool, tool.answer(_asked(tool, arguments), notes.append), notes)
    except CascadePlanError as error:
        return _wrong(str(error))
    except RecursionError:
        return _wrong("what is asked is nested too deeply")
    except Exception as error:
        from cascade_plan.cli.app import NEW_ISSUE

        sys.stderr.write(f"{type(error).__name__} in {name}\n")
        return _wrong(f"{type(error).__name__}: {NEW_ISSUE}")


def _asked(tool: ModuleType, arguments: Mapping[str, Any]) -> Any:
    """Return what is asked. Raises UsageError with everything that is wrong with it."""
    try:
        return tool.Input.model_validate(arguments)
    except ValidationError as error:
        fields = list(tool.Input.model_fields)
        lines = []
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            place = ".".join(map(str, each["loc"]))
            words = f"{place}: {each['msg'][:1].lower()}{each['msg'][1:]}" if place else each["msg"]
            if each["type"] == "extra_forbidden":
                words = f"{place}: unknown; known are {', '.join(fields)}{did_you_mean(place, fields)}"
            lines.append(words.replace("value error, ", "").replace("Value error, ", ""))
        raise UsageError("\n".join(lines)) from None


def _right(tool: ModuleType, answer: Answer, notes: list[str]) -> CallToolResult:
    """Return an answer, its document validated: an assistant is told nothing that the schema does not promise."""
    import jsonschema
    from mcp_types import CallToolResult, TextContent

    from cascade_plan.model.schemas import SCHEMAS

    jsonschema.Draft202012Validator(SCHEMAS[tool.SCHEMA]()).validate(answer.document)
    texts = [answer.text, *(f"note: {note}" for note in dict.fromkeys(notes))]
    content: Any = [TextContent(type="text", text=text) for text in texts]
    return CallToolResult(content=content, structured_content=dict(answer.document))


def _wrong(message: str) -> CallToolResult:
    from mcp_types import CallToolResult, TextContent

    # What UTF-8 cannot hold does not go into JSON.
    text = message.encode("utf-8", "replace").decode()
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
