"""YAML text as a document: nothing misread in silence, every mistake named where it stands."""

from __future__ import annotations

import re
from math import isinf
from typing import Any, Final, NoReturn

import yaml

from cascade_plan.errors import Problem, ScenarioError
from cascade_plan.files.documents import Document, Trail, field_name, shown

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
        reader.refuse(root.event, (), f"the document must be a mapping of fields, got {shown(data)}")
    if reader.problems:
        raise ScenarioError(list(dict.fromkeys(reader.problems)))
    return Document(data, reader.marks, name, reader.key_marks)


def parse_flow(raw: str) -> Any:
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
                self.refuse(event, trail, f"a key must be text, got {shown(key)}; put it in quotes")
        return None

    def _scalar(self, event: Any, trail: Trail) -> Any:
        text, tag = event.value, event.tag
        try:
            if tag in ("!", "tag:yaml.org,2002:str"):
                return text
            if tag is None:
                return plain_scalar(text) if event.implicit[0] else text
            if tag not in _CORE:
                raise ValueError(_tag_message(tag))
            if not isinstance(value := plain_scalar(text), _CORE[tag]):
                raise ValueError(f"{shown(text)} is no {tag.rpartition(':')[2]}, which its tag says it is")
            return value
        except ValueError as error:
            self.refuse(event, trail, str(error))
            return None


def plain_scalar(text: str) -> bool | int | float | str | None:
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
    short = tag.replace("tag:yaml.org,2002:", "!!")
    return f"the tag {short if short.isprintable() and len(short) <= 60 else shown(short)} is not supported; remove it"


_SYNTAX: Final = (
    ("mapping keys are not allowed", "a '?' cannot stand here without quotes; write the value"),
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
