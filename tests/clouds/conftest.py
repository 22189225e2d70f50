"""A second cloud, which only tests have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from made_up import registered

from cascade_plan import clouds, registry
from cascade_plan.files.data_root import data_root
from cascade_plan.prices import bundled
from cascade_plan.prices.products import price_list

HERE = Path(__file__).parent
REMEMBERED = (registry.names, bundled.regions, bundled.book, bundled.gaps, bundled.catalogue, price_list)


@pytest.fixture
def harbour(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Register the cloud of the folder harbour/ as if it stood in the package, and give its scenario's path."""
    root = tmp_path_factory.mktemp("data")
    copytree(str(data_root().joinpath("pricing")), root / "pricing")
    copytree(HERE / "harbour" / "pricing", root / "pricing" / "harbour")
    monkeypatch.setattr(bundled, "data_root", lambda: root)
    with registered(clouds, HERE, "harbour", REMEMBERED):
        yield HERE / "harbour" / "shop.yaml"
