"""Names that read the same in nginx, Redis, a shell or YAML, because nothing in them is special there."""

from __future__ import annotations

import re
from typing import Final

from cascade_plan.errors import UsageError

PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")


def name(text: str) -> str:
    """Return a name unchanged, fit to stand unquoted in any of the emitted files.

    The scenario's schema lets no other through; this is the second lock on the door that a template leaves open.
    Raises UsageError for a name with anything but letters, digits, dots, underscores and dashes.
    """
    if not PLAIN.fullmatch(text):
        raise UsageError(f"{text!r} cannot stand in a configuration file: letters, digits, '.', '_' and '-' only")
    return text
