"""The disk: text in and out, YAML that knows where each value stands, and problems in plain words."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, TypeVar

import yaml

from cascade_plan.errors import CascadePlanError, Problem, ScenarioError, UsageError, did_you_mean

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from pydantic import BaseModel, ValidationError

    M = TypeVar("M", bound=BaseModel)

Trail: TypeAlias = tuple[str | int, ...]
"""The way to a value: keys and list indexes from the top of the document. () is the document itself."""

MAX_BYTES: Final = 2**20
MAX_DEPTH: Final = 50
MAX_ALIASES: Final = 100
MAX_NODES: Final = 20_000
MAX_DIGITS: Final = 100
"""Longest number read, in characters. Python refuses to convert 4,300 digits; no quantity here needs 100."""

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# Whatever PyYAML writes without quotes because it takes it for text must stay text here: so no 1e3, and no -.5.
_NUMBER: Final = (  # compiled, and then cached by re, on first use: not every start reads YAML
    r"(?P<integer>[-+]?(?:0|[1-9]\d*(?:_\d+)*))"
    r"|(?P<decimal>(?:[-+]?\d+(?:_\d+)*\.\d*|\.\d+)(?:[eE][-+]\d+)?)"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_CORE: Final[dict[str, tuple[type, ...]]] = {
    "tag:yaml.org,2002:str": (str,),
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (float, int),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
    "tag:yaml.org,2002:seq": (list,),
    "tag:yaml.org,2002:map": (dict,),
}


# ---------------------------------------------------------------------------------------------------- text in and out


def data_root() -> Traversable:
    """Return the directory that holds `pricing/` and `scenarios/`: inside an installed wheel, or the checkout's root.

    Raises CascadePlanError when neither is there: a broken installation.
    """
    from importlib.resources import files

    installed = files("cascade_plan").joinpath("data")
    if installed.joinpath("pricing").is_dir():
        return installed
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pricing").is_dir() and (checkout / "scenarios").is_dir():
        return checkout
    raise CascadePlanError(
        "the bundled pricing/ and scenarios/ are missing from this installation; reinstall cascade-plan"
    )


def read_text(path_or_dash: str, limit: int = MAX_BYTES) -> tuple[str, str]:
    """Return (text, display name) of a UTF-8 file of at most `limit` bytes; "-" is standard input. A BOM is dropped.

    Raises UsageError, in one line, when it cannot be read, is larger, or is not UTF-8.
    """
    name = "<stdin>" if path_or_dash == "-" else path_or_dash
    try:
        raw = _bytes_of(path_or_dash, limit + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {name!r}: {_reason(error)}") from None
    if len(raw) > limit:
        raise UsageError(f"cannot read {name!r}: it is larger than the {limit:,} bytes allowed")
    try:
        return raw.decode("utf-8-sig"), name
    except UnicodeDecodeError as error:
        raise UsageError(
            f"cannot read {name!r}: it is not UTF-8 text (byte 0x{raw[error.start]:02x} at offset {error.start})"
        ) from None


def write_output(path_or_dash: str | Path, text: str) -> None:
    """Write text to a file atomically, or to standard output for "-": always UTF-8, so that the same text is the
    same bytes everywhere.

    Raises UsageError when it cannot be written; BrokenPipeError as it is when the reader of standard output has gone.
    """
    if str(path_or_dash) != "-":
        write_atomically(Path(path_or_dash), text)
        return
    if sys.stdout is None:
        raise UsageError("cannot write to standard output: it is closed")
    try:
        if (binary := getattr(sys.stdout, "buffer", None)) is None:
            sys.stdout.write(text)
        else:
            sys.stdout.flush()
            binary.write(text.encode())
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write to standard output: {_reason(error)}") from None


def write_atomically(path: Path, text: str) -> None:
    """Write UTF-8 text so that a reader finds the old file or the new one whole, also after a crash or a full disk.

    A link is followed, the permissions of an existing file are kept, a new one follows the umask. What is no regular
    file (a pipe, /dev/null) cannot be replaced and is written to instead.
    Raises UsageError, in one line, when it cannot be written; the old file is then untouched and nothing is left over.
    """
    try:
        target = os.path.realpath(path)
        data = text.encode()
        mode = _mode(target)
        if mode is not None and not stat.S_ISREG(mode):
            _write_in_place(target, data)
        else:
            _replace(target, data, mode)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {str(path)!r}: {_reason(error)}") from None


def _bytes_of(path_or_dash: str, count: int) -> bytes:
    if path_or_dash != "-":
        with Path(path_or_dash).open("rb") as file:
            return file.read(count)
    if sys.stdin is None:
        raise ValueError("it is closed")
    data: str | bytes = getattr(sys.stdin, "buffer", sys.stdin).read(count)
    return data.encode() if isinstance(data, str) else data


def _mode(target: str) -> int | None:
    try:
        return Path(target).stat().st_mode
    except FileNotFoundError:
        return None


def _write_in_place(target: str, data: bytes) -> None:
    descriptor = os.open(target, os.O_WRONLY)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _replace(target: str, data: bytes, mode: int | None) -> None:
    """Put data where target is by way of a new file beside it; remove that file on any failure, also Ctrl-C."""
    # Not tempfile: importing it costs more than the write, and it would create 0600 whatever the umask says.
    beside = Path(target).parent / f".cascade-plan-{os.urandom(8).hex()}.tmp"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        try:
            if mode is not None:
                beside.chmod(mode & 0o777)  # before the first byte: the old file may have been private
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:1].lower() + error.strerror[1:]
    return str(error)


# ------------------------------------------------------------------------------------------------------- the document


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Document:
    """A mapping as YAML held it, and where each of its values and keys stands."""

    data: dict[str, Any]
    marks: Mapping[Trail, tuple[int, int]]
    """1-based (line, column) of each value."""
    name: str
    """The file, as the user named it."""
    key_marks: Mapping[Trail, tuple[int, int]] = field(default_factory=dict)
    """1-based (line, column) of the key of each value in a mapping."""
    origins: Mapping[Trail, str] = field(default_factory=dict)
    """What gave a value that is not from the file, such as "--set users.peak=20000"; also for all below it."""

    def place(self, trail: Trail) -> tuple[str, int, int]:
        """Return (file or origin, line, column) of a value, or of the nearest place around it that the document has.

        A mapping or list stands where its key does; line and column are 0 for what is not from the file.
        """
        while trail:
            if trail in self.origins:
                return self.origins[trail], 0, 0
            if trail in self.marks:
                nested = isinstance(_value_at(self.data, trail), dict | list)
                mark = self.key_marks.get(trail) if nested else None
                return self.name, *(mark or self.marks[trail])
            trail = trail[:-1]
        return self.name, *self.marks.get((), (0, 0))

    def key_place(self, trail: Trail) -> tuple[str, int, int]:
        """Return (file or origin, line, column) of a value's key, else what `place` returns."""
        name, line, column = self.place(trail)
        return (name, *self.key_marks[trail]) if line and trail in self.key_marks else (name, line, column)


def field_name(trail: Trail) -> str:
    """Return the dotted name of a place, which --set takes too: users.profile[3], gates."latency_ms_p95.normal"."""
    name = ""
    for step in trail:
        if isinstance(step, int):
            name += f"[{step}]"
        else:
            name += ("." if name else "") + (step if re.fullmatch(r"[\w-]+", step) else _quoted(step))
    return name


def _quoted(key: str) -> str:
    return f'"{key}"' if key.isprintable() and '"' not in key and len(key) <= 60 else _shown(key)


def _shown(value: object) -> str:
    """Return a value as a message quotes it: as YAML spells it, short, and without control characters."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def trails_below(data: Any, trail: Trail) -> Iterator[Trail]:
    """Yield a trail and those of everything within the value it leads to."""
    yield trail
    value = _value_at(data, trail)
    if isinstance(value, dict):
        for key in value:
            yield from trails_below(data, (*trail, key))


def _value_at(data: Any, trail: Trail) -> Any:
    for step in trail:
        data = data[step]
    return data


# ------------------------------------------------------------------------------------------------------------ reading


def parse_yaml(text: str, name: str, max_nodes: int = MAX_NODES) -> Document:
    """Return the document that YAML text holds: a mapping with text keys, of at most `max_nodes` values.

    Plain scalars are YAML 1.1's without its surprises: only true and false are booleans (yes, no, on, off are text),
    dates, 12:30, 010 and 0x10 are text, 10_000 is a number. Values under an alias are repeated, not shared.
    Raises ScenarioError with every problem found (a syntax error ends the search): duplicate keys, keys that are no
    text, merge keys, tags beyond the core ones, .nan and .inf, several documents, an empty one, one that is no
    mapping, more than 50 levels, 100 aliases or `max_nodes` values.
    """
    root = _tree(text, name, max_nodes)
    reader = _Reader(name)
    if root is None or (isinstance(root.event, yaml.ScalarEvent) and not root.event.value):
        raise ScenarioError([Problem(name, 1, 1, "", "the document is empty")])
    data = reader.value(root, ())
    if not isinstance(data, dict):
        reader.refuse(root.event, (), f"the document must be a mapping of fields, got {_shown(data)}")
    if reader.problems:
        raise ScenarioError(list(dict.fromkeys(reader.problems)))
    return Document(data, reader.marks, name, reader.key_marks)


class _Node:
    """An event and what it holds: values of a list; keys and values by turns of a mapping."""

    __slots__ = ("children", "event", "first", "size")

    def __init__(self, event: Any, first: int) -> None:
        self.event = event
        self.children: list[_Node] = []
        self.first = first
        """Values before this one, to know at its end how many it holds."""
        self.size = 0
        """Values in it, itself included; 0 until it has ended."""


def _tree(text: str, name: str, max_nodes: int) -> _Node | None:
    """Return the root of the text's nodes, or None for no document. Raises ScenarioError for the first problem."""
    # From events rather than yaml.compose: nothing recurses before the depth is known, and aliases can be counted.
    builder = _Builder(name, max_nodes)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.add(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ScenarioError([Problem(name, *place, "", _plain_syntax(error, text))]) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise ScenarioError([_unreadable(text, name)]) from None
    return builder.root


class _Builder:
    """Builds the tree from events and stops at the first thing that is out of bounds."""

    def __init__(self, name: str, max_nodes: int) -> None:
        self.name = name
        self.max_nodes = max_nodes
        self.root: _Node | None = None
        self.open: list[_Node] = []
        self.anchors: dict[str, _Node] = {}
        self.count = 0
        self.aliases = 0

    def add(self, event: Any) -> None:
        if isinstance(event, yaml.NodeEvent):
            node = self._aliased(event) if isinstance(event, yaml.AliasEvent) else self._new(event)
            if self.count > self.max_nodes:
                self._stop(event, f"more than {self.max_nodes:,} values, aliases included")
            if self.open:
                self.open[-1].children.append(node)
            else:
                self.root = node
            if isinstance(event, yaml.CollectionStartEvent):
                self.open.append(node)
                if len(self.open) > MAX_DEPTH:
                    self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self.open.pop()
            ended.size = self.count - ended.first
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._stop(event, "a second document starts here; one file holds one document")

    def _new(self, event: Any) -> _Node:
        node = _Node(event, self.count)
        self.count += 1
        if isinstance(event, yaml.ScalarEvent):
            node.size = 1
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def _aliased(self, event: Any) -> _Node:
        node = self.anchors.get(event.anchor)
        self.aliases += 1
        if node is None:
            self._stop(event, f"the alias *{event.anchor} has no anchor &{event.anchor} above it")
        if not node.size:
            self._stop(event, f"the alias *{event.anchor} stands inside what it refers to")
        if self.aliases > MAX_ALIASES:
            self._stop(event, f"more than {MAX_ALIASES} aliases")
        self.count += node.size
        return node

    def _stop(self, event: Any, message: str) -> NoReturn:
        raise ScenarioError([Problem(self.name, *_mark(event), "", message)])


def _mark(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


class _Reader:
    """Turns nodes into values, noting where each stands and everything that is wrong with them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: dict[Trail, tuple[int, int]] = {}
        self.key_marks: dict[Trail, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def refuse(self, event: Any, trail: Trail, message: str) -> None:
        self.problems.append(Problem(self.name, *_mark(event), field_name(trail), message))

    def value(self, node: _Node, trail: Trail) -> Any:
        """Return a node's value. What is refused is noted in `problems`."""
        event = node.event
        self.marks[trail] = _mark(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, trail)
        if len(trail) >= MAX_DEPTH:  # only aliases get here: the tree itself is not so deep
            self.refuse(event, trail[:3], f"nested deeper than {MAX_DEPTH} levels")
            return None
        is_list = isinstance(event, yaml.SequenceStartEvent)
        if event.tag not in (None, "!", "tag:yaml.org,2002:seq" if is_list else "tag:yaml.org,2002:map"):
            self.refuse(event, trail, _tag_message(event.tag))
        if is_list:
            return [self.value(child, (*trail, index)) for index, child in enumerate(node.children)]
        return self._mapping(node, trail)

    def _mapping(self, node: _Node, trail: Trail) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in zip(node.children[::2], node.children[1::2], strict=True):
            key = self._key(key_node, trail)
            if key is None:
                continue
            inner = (*trail, key)
            if key in mapping:
                self.refuse(key_node.event, inner, f"duplicate key; first given on line {self.key_marks[inner][0]}")
                continue
            self.key_marks[inner] = _mark(key_node.event)
            mapping[key] = self.value(value_node, inner)
        return mapping

    def _key(self, node: _Node, trail: Trail) -> str | None:
        """Return a mapping's key, or None (and a problem) when it is not text."""
        event = node.event
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse(event, trail, "a key must be text, got a mapping or list; quote it if it is meant as text")
        elif event.value == "<<" and event.tag is None and event.implicit[0]:
            self.refuse(event, trail, "merge keys (<<) are not supported; write the fields out")
        else:
            known = len(self.problems)
            if isinstance(key := self._scalar(event, trail), str):
                return key
            if len(self.problems) == known:
                self.refuse(event, trail, f"a key must be text, got {_shown(key)}; put it in quotes")
        return None

    def _scalar(self, event: Any, trail: Trail) -> Any:
        text, tag = event.value, event.tag
        try:
            if tag in ("!", "tag:yaml.org,2002:str"):
                return text
            if tag is None:
                return _plain(text) if event.implicit[0] else text
            if tag not in _CORE:
                raise ValueError(_tag_message(tag))
            if not isinstance(value := _plain(text), _CORE[tag]):
                raise ValueError(f"{_shown(text)} is no {tag.rpartition(':')[2]}, which its tag says it is")
            return value
        except ValueError as error:
            self.refuse(event, trail, str(error))
            return None


def _plain(text: str) -> bool | int | float | str | None:
    """Return what a scalar without quotes means. Raises ValueError for a number that is infinite or too long."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    number = re.fullmatch(_NUMBER, text, re.ASCII)
    if number is None:
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number may have at most {MAX_DIGITS} characters, got {len(text)}")
    if number.lastgroup == "integer":
        return int(text)
    if number.lastgroup is None or isinf(value := float(text)):
        raise ValueError(f"must be a finite number, got {text}")
    return value


def _tag_message(tag: str) -> str:
    return f"the tag {tag.replace('tag:yaml.org,2002:', '!!')} is not supported; remove it"


_SYNTAX: Final = (
    ("mapping values are not allowed", "a ':' cannot stand here; check the indentation, or quote text that holds ': '"),
    ("could not find expected ':'", "a ':' is missing after a key"),
    ("expected ',' or '}'", "a ',' or '}' is missing"),
    ("expected ',' or ']'", "a ',' or ']' is missing"),
    ("expected node content", "a value is missing or cannot start like this; quote it if it is text"),
    ("expected key", "unexpected here; check the indentation and the quotes"),
    ("expected <block end>", "unexpected here; check the indentation and the quotes"),
    ("expected '-' indicator", "unexpected here; every item of this list starts with '- '"),
    ("unknown escape character", "unknown escape in double quotes; use single quotes, or double the backslash"),
    ("maximum nesting depth", f"nested deeper than {MAX_DEPTH} levels"),
)
"""A piece of the parser's problem text (libyaml's or PyYAML's own), and the same in plain words."""

_WITHIN: Final = (("mapping", "mapping"), ("sequence", "list"), ("collection", "list"), ("scalar", "text"))


def _plain_syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    """Return a syntax error in plain words, with the line where the thing it breaks began when that is another."""
    problem = error.problem or error.context or "not YAML"
    if "end of stream" in problem and "quoted" in (error.context or "") and error.context_mark:
        return f"the quote opened on line {error.context_mark.line + 1} is never closed"
    if "cannot start any token" in problem and error.problem_mark:
        return _bad_start(text, error.problem_mark)
    plain = next((plain for piece, plain in _SYNTAX if piece in problem), problem)
    start, end, context = error.context_mark, error.problem_mark, error.context or ""
    within = next((word for piece, word in _WITHIN if piece in context), "")
    if within and start and end and start.line != end.line:
        return f"{plain} (in the {within} that starts on line {start.line + 1})"
    return plain


def _bad_start(text: str, mark: Any) -> str:
    found = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)[mark.line][mark.column : mark.column + 1]
    return "indent with spaces, not tabs" if found == "\t" else f"a value cannot start with {found!r}; quote it"


def _unreadable(text: str, name: str) -> Problem:
    """Return the problem of text that holds a character YAML does not allow (YAML 1.1, c-printable)."""
    found = re.search("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if found is None:
        return Problem(name, 1, 1, "", "not YAML: it holds an escape for a character that does not exist")
    before = text[: found.start()]
    column = len(before) - (before.rfind("\n") + 1) + 1
    message = f"the character U+{ord(found[0]):04X} is not allowed; in double quotes, write it as an escape"
    return Problem(name, before.count("\n") + 1, column, "", message)


# ------------------------------------------------------------------------------------------------------------- --set


def set_values(document: Document, assignments: Sequence[tuple[str, str, str]]) -> Document:
    """Return the document with values given elsewhere: (origin, dotted path, YAML scalar or [..] or {..}) each, in
    order. The document given is left as it is.

    A path is users.peak, users.profile[3] (or users.profile.3), or gates."latency_ms_p95.normal"; mappings missing on
    the way are created, list items must exist. `place` names the origin, without a line, for such a value.
    Raises ScenarioError with every path or value that is unusable.
    """
    problems: list[Problem] = []
    for origin, path, raw in assignments:
        try:
            document = _with_value(document, origin, _steps(path), _flow_value(raw))
        except ScenarioError as error:
            problems += [Problem(origin, 0, 0, _joined(path, one.field), one.message) for one in error.problems]
        except ValueError as error:
            problems.append(Problem(origin, 0, 0, path, str(error)))
    if problems:
        raise ScenarioError(problems)
    return document


def _joined(path: str, inner: str) -> str:
    return path + ("." if inner and inner[0] != "[" else "") + inner


def _steps(path: str) -> Trail:
    """Return the steps of a dotted path: [3] is an int; the digits of .3 stay text until what they index is known."""
    if not re.fullmatch(r'(?:[^."\[\]]+|"[^"]+")(?:\.(?:[^."\[\]]+|"[^"]+")|\[\d{1,9}\])*', path, re.ASCII):
        raise ValueError('not a path such as users.peak, users.profile[3] or gates."latency_ms_p95.normal"')
    found = re.findall(r'"([^"]+)"|\[(\d+)\]|([^."\[\]]+)', path)
    return tuple(int(index) if index else quoted or plain for quoted, index, plain in found)


def _flow_value(raw: str) -> Any:
    """Return the value of a YAML scalar or flow collection. Raises ScenarioError, ValueError for a block collection."""
    root = _tree(raw, "", MAX_NODES)
    if root is None:
        return None
    if isinstance(root.event, yaml.CollectionStartEvent) and not root.event.flow_style:
        raise ValueError("must be a plain value, [..] or {..}; put text that holds ': ' or starts with '- ' in quotes")
    reader = _Reader("")
    value = reader.value(root, ())
    if reader.problems:
        raise ScenarioError(reader.problems)
    return value


def _with_value(document: Document, origin: str, steps: Trail, value: Any) -> Document:
    """Return a document with one value set. Raises ValueError when the path leads through a plain value."""
    data, trail, created = _assigned(document.data, steps, value)
    above = trail[:created]

    def kept(places: Mapping[Trail, Any]) -> dict[Trail, Any]:
        return {place: mark for place, mark in places.items() if place[:created] != above}

    origins = kept(document.origins) | {above: origin}
    return Document(data, kept(document.marks), document.name, kept(document.key_marks), origins)


def _assigned(data: Any, steps: Trail, value: Any) -> tuple[Any, Trail, int]:
    """Return (copy of data with the value set, the trail to it, the length of the trail up to what is new)."""
    if not steps:
        return value, (), 0
    if data is None:
        data = {}
    step = _step_into(data, steps[0])
    copy = data.copy()
    is_new = isinstance(data, dict) and data.get(step) is None
    inner, trail, created = _assigned(data.get(step) if isinstance(data, dict) else data[step], steps[1:], value)
    copy[step] = inner
    return copy, (step, *trail), 1 if is_new else created + 1


def _step_into(data: Any, step: str | int) -> str | int:
    """Return the key or index that a step of a path means here. Raises ValueError when it can mean none."""
    if isinstance(data, dict):
        if isinstance(step, int):
            raise ValueError(f"[{step}] needs a list, but there is a mapping")
        return step
    if not isinstance(data, list):
        raise ValueError(f"{step!r} cannot be set inside the value {_shown(data)}")
    if isinstance(step, str) and not re.fullmatch(r"\d{1,9}", step, re.ASCII):
        raise ValueError(f"a list is indexed by numbers, not {step!r}")
    if int(step) >= len(data):
        raise ValueError(f"there is no item {step}: the list holds {len(data)}, counted from 0")
    return int(step)


# --------------------------------------------------------------------------------------------------------- validating


def validate(model: type[M], document: Document) -> M:
    """Return the document as a model. Raises ScenarioError with every problem pydantic finds, in plain words.

    The model sets `strict=True`: text is no number, 3.0 is no whole number, true is no number; 3 is a float.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise ScenarioError(problems_of(error, document, fields_of(model))) from None


def fields_of(model: type[BaseModel]) -> Callable[[Trail], list[str]]:
    """Return a function from a place in a document of this model to the names of the fields allowed there, sorted.

    It returns [] where any key is allowed, or none.
    """

    def fields(trail: Trail) -> list[str]:
        kinds: list[Any] = [model]
        for step in trail:
            kinds = [inner for kind in kinds for inner in _kinds_inside(kind, step)]
        return sorted({name for kind in kinds for name in getattr(kind, "model_fields", ())})

    return fields


def _kinds_inside(kind: Any, step: str | int) -> Iterator[Any]:
    """Yield the types that a value of this type may have at a key or index."""
    from typing import get_args, get_origin

    if hasattr(kind, "model_fields"):
        if step in kind.model_fields:
            yield from _alternatives(kind.model_fields[step].annotation)
    elif get_origin(kind) is not None and get_args(kind):
        yield from _alternatives(get_args(kind)[-1 if isinstance(step, str) else 0])


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield the types an annotation allows, out of Annotated and unions."""
    from types import UnionType
    from typing import Annotated, Union, get_args, get_origin

    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for choice in get_args(annotation):
            yield from _alternatives(choice)
    else:
        yield annotation


def problems_of(error: ValidationError, document: Document, fields: Callable[[Trail], Sequence[str]]) -> list[Problem]:
    """Return pydantic's errors as problems in plain words, one for each thing that is wrong.

    `fields` returns the names allowed in the mapping at a place (see `fields_of`). The errors of a union's branches
    become those of the branch whose kind fits, or one problem that names all kinds.
    """
    faults = [_fault(details, document.data) for details in error.errors(include_url=False)]
    return [_problem(fault, document, fields) for fault in _one_branch_each(faults, 0)]


class _Fault:
    """One of pydantic's errors, its location taken apart."""

    __slots__ = ("branches", "details", "kinds", "trail")

    def __init__(
        self, trail: Trail, branches: Sequence[tuple[Trail, str | int]], details: Mapping[str, Any], *kinds: str
    ) -> None:
        self.trail = trail
        """Where it is in the document; for a missing field, where that would be."""
        self.branches = branches
        """(place of a union, pydantic's label of its branch) for each union on the way."""
        self.details = details
        self.kinds = kinds
        """What a value here may be, when no branch of a union fits."""

    @property
    def wanted(self) -> str:
        """What kind of value was wanted instead, or "" when the kind is not what is wrong."""
        if self.details["type"] == "literal_error":
            return " or ".join(_choices(self.details))
        return _WANTED.get(self.details["type"], "")


def _fault(details: Mapping[str, Any], data: Any) -> _Fault:
    """Return pydantic's error with the labels of union branches taken out of its location.

    Pydantic mixes them with keys; what is no key or index of the data at that place is a label.
    """
    location, trail, branches = details["loc"], [], []
    ends_outside = details["type"] == "missing" or location[-1:] == ("[key]",)
    for step in location[:-1] if ends_outside else location:
        if (isinstance(data, dict) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        ):
            trail.append(step)
            data = data[step]
        else:
            branches.append((tuple(trail), step))
    if details["type"] == "missing":
        trail.append(location[-1])
    return _Fault(tuple(trail), branches, details)


def _one_branch_each(faults: Iterable[_Fault], depth: int) -> list[_Fault]:
    """Return the faults with those of each union reduced to one branch, unions inside unions too."""
    unions: dict[Trail, dict[str | int, list[_Fault]]] = {}
    result = []
    for fault in faults:
        if len(fault.branches) > depth:
            place, label = fault.branches[depth]
            unions.setdefault(place, {}).setdefault(label, []).append(fault)
        else:
            result.append(fault)
    for place, branches in unions.items():
        fitting = [branch for branch in branches.values() if not any(_is_misfit(fault, place) for fault in branch)]
        if fitting:
            result += _one_branch_each(sorted(fitting, key=len)[0], depth + 1)
        else:
            misfits = [next(fault for fault in branch if _is_misfit(fault, place)) for branch in branches.values()]
            kinds = dict.fromkeys(fault.wanted for fault in misfits)
            result.append(_Fault(place, (), _literal_first(misfits).details, *kinds))
    return result


def _is_misfit(fault: _Fault, place: Trail) -> bool:
    return fault.trail == place and bool(fault.wanted)


def _literal_first(faults: list[_Fault]) -> _Fault:
    return next((fault for fault in faults if fault.details["type"] == "literal_error"), faults[0])


def _problem(fault: _Fault, document: Document, fields: Callable[[Trail], Sequence[str]]) -> Problem:
    """Return a fault as a problem: where it stands, and what is wrong in plain words."""
    details, trail = fault.details, fault.trail
    kind = details["type"]
    if kind == "missing":
        return Problem(*document.place(trail[:-1]), field_name(trail), "required field is missing")
    if kind == "extra_forbidden":
        allowed = list(fields(trail[:-1]))
        hint = did_you_mean(str(trail[-1]), allowed)
        listed = f"{' ' if hint else '; '}allowed: {', '.join(allowed)}" if allowed else ""
        return Problem(*document.key_place(trail), field_name(trail), f"unknown field{hint}{listed}")
    if details["loc"][-1:] == ("[key]",):
        return Problem(*document.key_place(trail), field_name(trail), f"its name {_wrong(fault)}")
    return Problem(*document.place(trail), field_name(trail), _wrong(fault))


_WANTED: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "nothing",
}
_BOUNDS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}
_LENGTHS: Final = {
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
}


def _wrong(fault: _Fault) -> str:
    """Return what is wrong with a value, what is allowed and what was given."""
    details = fault.details
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if fault.kinds or fault.wanted:
        return _wrong_kind(fault)
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"must be {word} {_number(context[bound])}, got {_shown(given)}"
    if kind in _LENGTHS:
        word, bound, unit = _LENGTHS[kind]
        return f"must have {word} {context[bound]} {unit}{'' if context[bound] == 1 else 's'}, got {len(given)}"
    if kind == "string_pattern_mismatch":
        from cascade_plan.units import PATTERN_WORDS

        pattern = context["pattern"]
        words = f"be {PATTERN_WORDS[pattern]}" if pattern in PATTERN_WORDS else f"match {pattern}"
        return f"must {words}, got {_shown(given)}"
    if kind == "finite_number":
        return f"must be a finite number, got {_shown(given)}"
    if kind in ("value_error", "assertion_error") and "error" in context:
        return " ".join(str(context["error"]).split())
    return str(details["msg"])


def _wrong_kind(fault: _Fault) -> str:
    """Return the problem of a value of the wrong kind, or that is none of the words allowed."""
    given = fault.details["input"]
    message = f", got {_shown(given)}"
    if fault.details["type"] == "literal_error":
        choices = _choices(fault.details)
        words = [choice[1:-1] for choice in choices if choice[0] == "'"]
        hint = did_you_mean(given, words) if isinstance(given, str) else ""
        allowed = f"one of {', '.join(choices)}" if len(choices) > 1 else choices[0]
        others = [kind for kind in fault.kinds if kind != fault.wanted]
        return f"must be {' or '.join([allowed, *others])}{message}{hint}"
    if isinstance(given, str) and "number" in fault.wanted and not isinstance(_meaning(given), str | None):
        message += "; remove the quotes"
    return f"must be {' or '.join(fault.kinds) or fault.wanted}{message}"


def _meaning(text: str) -> object:
    with suppress(ValueError):
        return _plain(text)
    return text


def _choices(details: Mapping[str, Any]) -> list[str]:
    """Return the values a literal allows as pydantic spells them: "'up' or 'down'" is ["'up'", "'down'"]."""
    found = re.findall(r"'(?:[^'\\]|\\.)*'|[^\s,']+", details["ctx"]["expected"])
    return [choice for choice in found if choice != "or"]


def _number(value: Any) -> str:
    """Return a bound as people write it: 1 for 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)
