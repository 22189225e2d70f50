"""Plug-ins that only tests have."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch


@contextmanager
def registered(package: ModuleType, folder: Path, name: str, remembered: Sequence[Any]) -> Iterator[None]:
    """Register the plug-in of a folder as if it stood in the package; caches that remember plug-ins are emptied."""

    def forget() -> None:
        for each in remembered:
            each.cache_clear()

    with patch.object(package, "__path__", [*package.__path__, str(folder)]):
        forget()
        try:
            yield
        finally:
            for module in [module for module in sys.modules if module.startswith(f"{package.__name__}.{name}")]:
                del sys.modules[module]
            forget()
