"""What an instance of a tier is called in a sentence, and as a heading."""

from __future__ import annotations

from typing import Final

SPELLED: Final = {"api": "API", "websocket": "WebSocket"}
"""Name -> how it is written, where that is not in lower case."""


def called(name: str) -> str:
    """Return what an instance is called within a sentence.

    >>> called("api"), called("full_text_search")
    ('API', 'full text search')
    """
    return SPELLED.get(name, name.replace("_", " "))


def title(name: str) -> str:
    """Return an instance's name as a heading shows it.

    >>> title("websocket"), title("full_text_search")
    ('WebSocket', 'Full text search')
    """
    return SPELLED.get(name, called(name).capitalize())
