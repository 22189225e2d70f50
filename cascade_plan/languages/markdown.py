"""Markdown: remarks that its readers see, or do not."""

from __future__ import annotations

from cascade_plan.languages._lines import commented


def comment(text: str) -> str:
    """Return text as an HTML comment, which Markdown does not show; nothing in it ends the comment early.

    >>> print(comment("a --> b"), end="")
    <!--
    a --&gt; b
    -->
    """
    lines = "".join(f"{line}\n" for line in text.replace("-->", "--&gt;").splitlines())
    return f"<!--\n{lines}-->\n"


def quotation(text: str) -> str:
    """Return text as a block quotation."""
    return commented(text, ">")
