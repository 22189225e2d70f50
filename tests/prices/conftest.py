"""What tests of prices share: an AWS of their own, credentials for it, and no way to any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import aws_server
import pytest


@pytest.fixture
def signed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave boto3 no credentials."""
    aws_server.sign_out(monkeypatch, tmp_path)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give boto3 synthetic credentials."""
    aws_server.sign_in(monkeypatch, tmp_path)


@pytest.fixture
def aws(signed_in: None) -> Iterator[aws_server.Server]:
    """Give a server that sells the synthetic world, and credentials for it."""
    with aws_server.serving() as server:
        yield server
