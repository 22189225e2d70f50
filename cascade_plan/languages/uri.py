"""URIs: how a name becomes a part of one."""

from __future__ import annotations

import string
from typing import Final

UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-._~")
"""What stands for itself, https://www.rfc-editor.org/rfc/rfc3986#section-2.3"""


def component(text: str) -> str:
    """Return text as one part of a path or a query: whatever has a meaning there is percent-encoded.

    >>> component("a/b?c"), component("é")
    ('a%2Fb%3Fc', '%C3%A9')
    """
    return "".join(chr(byte) if chr(byte) in UNRESERVED else f"%{byte:02X}" for byte in text.encode())
