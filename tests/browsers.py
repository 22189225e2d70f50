"""A real browser that opens files and tells what it asked for, what went wrong and what ran."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers import program


@dataclass
class Seen:
    """What a page did."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    """Requests that the page's own policy refused: they did not leave the browser."""


class Browser:
    """A headless Chromium."""

    def __init__(self, launched: Any) -> None:
        self.launched = launched

    @contextmanager
    def opened(self, file: Path, width: int = 1280, scheme: str = "light") -> Iterator[tuple[Any, Seen]]:
        """Yield a page that has opened a file and drawn its charts, and what it did."""
        context = self.launched.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page, seen = context.new_page(), Seen()

        def met(dialog: Any) -> None:
            seen.dialogs.append(dialog.message)
            dialog.dismiss()

        def failed(request: Any) -> None:
            if request.failure == "csp":
                seen.requests.remove(request.url)
                seen.blocked.append(request.url)

        page.on("requestfailed", failed)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("console", lambda line: seen.errors.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("dialog", met)
        try:
            page.goto(file.as_uri())
            page.wait_for_function("document.documentElement.dataset.drawn === 'yes'")
            yield page, seen
        finally:
            context.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield a browser. In CI a missing one fails the test; elsewhere it is skipped."""
    from playwright.sync_api import sync_playwright

    path = program("chromium")
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that a container's root has not.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield Browser(launched)
        finally:
            launched.close()
