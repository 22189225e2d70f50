"""What an instance of a tier is called in a sentence, and as a heading."""

from __future__ import annotations

from typing import Final

AN: Final = frozenset("aefhilmnorsx8")
"""Letters, and a digit, whose names begin with a vowel's sound."""
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


def with_article(shape: str) -> str:
    """Return a shape's name after its article, by how its first letter is read aloud.

    >>> with_article("m6g.large"), with_article("db.r5.xlarge"), with_article("c6g.xlarge"), with_article("8xlarge")
    ('an m6g.large', 'a db.r5.xlarge', 'a c6g.xlarge', 'an 8xlarge')
    """
    return f"{'an' if shape[:1].lower() in AN else 'a'} {shape}"
