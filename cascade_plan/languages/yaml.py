"""YAML text: the same bytes for the same objects, and texts that stay texts in whatever parser reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import yaml

from cascade_plan.languages._characters import quoted
from cascade_plan.languages._lines import commented

if TYPE_CHECKING:
    _Dumper = yaml.SafeDumper
else:
    # libyaml is about ten times faster, and missing where PyYAML was built without it.
    _Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

LINE_WIDTH: Final = 2**31 - 1
"""Wide enough that no text is ever folded."""

AMBIGUOUS: Final = re.compile(
    r"[-+]?\.?[0-9][-+0-9a-fA-FoOxX_.,:]*|[-+]?\.(inf|nan)|[yYnN]|true|false|yes|no|on|off|null|none|~|",
    re.IGNORECASE | re.ASCII,
)
"""Plain words that some YAML parser (1.1 or 1.2, in any case) reads as a number, a boolean, a date or null.

PyYAML quotes what PyYAML would misread; Kubernetes reads YAML with another parser, to which 1e3 is a number.
"""


class _TextDumper(_Dumper):
    """The safe dumper, without aliases and with texts quoted wherever a parser could take them for something else."""

    def ignore_aliases(self, data: object) -> bool:
        """Return True: a shared object is written out each time, since people edit one copy at a time."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Return the node of a text: a block for whole lines, double quotes where anything else could mislead."""
    style = None
    # Unprintable characters need the escapes that only double quotes have; PyYAML without libyaml folds some away.
    if AMBIGUOUS.fullmatch(text) or not text.replace("\n", "").isprintable():
        style = '"'
    elif _reads_well_as_block(text):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _reads_well_as_block(text: str) -> bool:
    """Return whether a text is lines of printable characters, the first not indented, none with blanks at its end."""
    lines = text.split("\n")
    printable = all(line.isprintable() and not line.endswith(" ") for line in lines)
    return len(lines) > 1 and printable and lines[0][:1] not in ("", " ")


JSON_TYPES: Final = (dict, list, tuple, str, int, float, bool, type(None))

# Dates, bytes and sets would be written with a tag, or come back as another type. None stands for all other types,
# which PyYAML refuses.
_TextDumper.yaml_representers = {
    kind: representer for kind, representer in _Dumper.yaml_representers.items() if kind in (*JSON_TYPES, None)
}
_TextDumper.add_representer(str, _represent_text)


def dump(objects: Sequence[dict[str, Any]]) -> str:
    """Return the objects as one YAML stream, each a document after "---", fields in the order they were built.

    Parsing gives the objects back: `list(yaml.safe_load_all(dump(objects))) == objects` for anything JSON can hold.

    >>> print(dump([{"kind": "Example", "enabled": "yes", "count": 2}]), end="")
    ---
    kind: Example
    enabled: "yes"
    count: 2

    Raises: yaml.YAMLError for a value JSON cannot hold (a date, a set, a Decimal).
    """
    text: str = yaml.dump_all(
        objects,
        Dumper=_TextDumper,
        sort_keys=False,
        default_flow_style=False,
        explicit_start=True,
        allow_unicode=True,
        width=LINE_WIDTH,
    )
    return text


def literal(text: str) -> str:
    r"""Return a text as a scalar in double quotes, on one line.

    >>> print(literal('a "b"\n'))
    "a \"b\"\u000a"
    """
    return quoted(text)


def comment(text: str) -> str:
    """Return text as comment lines."""
    return commented(text, "#")
