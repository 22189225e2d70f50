"""The bundled data is found in a wheel or a checkout, or the installation is called broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascade_plan.errors import CascadePlanError
from cascade_plan.files import data_root as module
from cascade_plan.files.data_root import data_root


def test_data_root_holds_prices_and_scenarios() -> None:
    assert data_root().joinpath("pricing").is_dir()
    assert data_root().joinpath("scenarios").is_dir()


def test_data_root_of_a_broken_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "cascade_plan" / "files" / "data_root.py"))
    with pytest.raises(CascadePlanError, match="missing from this installation"):
        data_root()
    (tmp_path / "data" / "pricing").mkdir(parents=True)
    assert data_root() == tmp_path / "data"
