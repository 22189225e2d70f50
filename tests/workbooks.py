"""A workbook as LibreOffice computes it anew, beside the values that were written with its formulas."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path
from typing import NamedTuple

from openpyxl import load_workbook
from servers import program

ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""
"""LibreOffice believes the values in a file unless it is told never to."""
WRONG = "<v>123456789</v>"


class Computed(NamedTuple):
    """A cell with a formula."""

    cell: str
    formula: str
    written: float
    computed: object

    @property
    def differs(self) -> bool:
        """Whether the values are not the same, to what adding up in another order may change."""
        if not isinstance(self.computed, int | float):
            return True
        return abs(self.computed - self.written) > 1e-9 * max(1.0, abs(self.written))


def recalculated(content: bytes, folder: Path) -> list[Computed]:
    """Return every cell that has a formula: the value that a workbook has for it, and what LibreOffice computes.

    LibreOffice is given the workbook with every formula's value wrong, so that none can come from there.
    """
    original, spoilt = folder / "written.xlsx", folder / "spoilt.xlsx"
    original.write_bytes(content)
    _spoil(original, spoilt)
    home = folder / "office"
    (home / "user").mkdir(parents=True)
    (home / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    subprocess.run(
        [program("soffice"), "--headless", "--norestore", f"-env:UserInstallation={home.as_uri()}",
         "--convert-to", "xlsx", "--outdir", str(folder / "computed"), str(spoilt)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    formulas, written = load_workbook(original), load_workbook(original, data_only=True)
    computed = load_workbook(folder / "computed" / "spoilt.xlsx", data_only=True)
    return [
        Computed(
            f"{sheet.title}!{cell.coordinate}",
            str(cell.value),
            written[sheet.title][cell.coordinate].value,
            computed[sheet.title][cell.coordinate].value,
        )
        for sheet in formulas
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def _spoil(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/"):
                data = re.sub(r"(</f>)<v>[^<]*</v>", rf"\1{WRONG}", data.decode()).encode()
            new.writestr(name, data)
