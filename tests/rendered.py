"""Markdown as hosts render it: by the parser that GitHub itself uses, and by one that has nothing to do with it.

What hosts then look for in the rendered text (mentions, references, addresses, emoji, quick actions) is looked for
here too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

NO_WIDTH = "\u200b"
ACTS = (
    ("mention", re.compile(r"(?<![\w`])@[A-Za-z0-9_]")),
    ("issue", re.compile(r"(?:^|(?<=\W)|(?<=\w/)|(?<=\w))[#!]\d+")),
    ("issue by letters", re.compile(r"(?<![A-Za-z0-9])GH-\d", re.IGNORECASE)),
    ("label or milestone", re.compile(r'(?<!\w)[~%](?:[A-Za-z0-9_]|")')),
    ("address", re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)//|\bwww\.\w", re.IGNORECASE)),
    ("mail", re.compile(r"[\w.+-]+@[\w-]+\.\w")),
    ("emoji", re.compile(r":(?:100|1234|[a-z+_-][\w+-]*):")),
)
"""What a host makes something of in rendered text, outside code.

Sources: html-pipeline's MentionFilter, GitLab's reference filters (lib/banzai/filter/references) and gemojione."""


@dataclass
class Rendered(HTMLParser):
    """The elements and the text of a page."""

    markup: str
    tags: set[str] = field(default_factory=set)
    attributes: set[tuple[str, str]] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._code = 0
        self.feed(self.markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def read(self) -> str:
        """What a person reads: without the spaces that have no width."""
        return self.text.replace(NO_WIDTH, "")


def by_github(markdown: str) -> Rendered:
    return Rendered(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))


def by_another(markdown: str) -> Rendered:
    return Rendered(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


def acts(rendered: Rendered) -> list[str]:
    """Return what of the text, outside code, a host makes more of."""
    return [f"{name}: {found[0]!r} in {text!r}" for text in rendered.texts for name, act in ACTS
            for found in [act.search(text)] if found]  # fmt: skip


def commands(markdown: str) -> list[str]:
    """Return the lines that GitLab takes for quick actions, or a GitHub log for workflow commands."""
    return [line for line in markdown.splitlines() if re.match(r"\s*(/[a-z]|::[a-z])", line)]
