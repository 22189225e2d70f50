"""What all tests share: their draws, an empty price cache, and the command line as a function.

Hypothesis draws afresh on a developer's machine; in CI it draws the same every time, half as many, so that a red build
is news and comes soon. Neither has a deadline: how long a draw takes says more of what else the machine does than of
the program.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from cascade_plan.cli.app import run

settings.register_profile("here", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci" if os.environ.get("CI") else "here")

Result = tuple[int, str, str]
TAKEN = re.compile("^note: no SCENARIO given: .*\n", re.MULTILINE)


@pytest.fixture(autouse=True)
def price_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the price cache of whoever runs the tests out of them: each test has an empty one of its own."""
    directory = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("CASCADE_PLAN_CACHE_DIR", str(directory))
    monkeypatch.delenv("COLUMNS", raising=False)
    return directory


@pytest.fixture
def cascade(
    tmp_path: Path, price_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """Return a function that runs a command line in an empty directory and returns status, stdout and stderr.

    Stderr comes without the line that says which scenario was taken where the command line names none.
    """
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("CASCADE_PLAN_", "GITHUB_")) and name != "CASCADE_PLAN_CACHE_DIR":
            monkeypatch.delenv(name)

    def called(*arguments: str) -> Result:
        status = run(list(arguments))
        out, err = capsys.readouterr()
        return status, out, TAKEN.sub("", err)

    return called
