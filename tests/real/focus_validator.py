"""The official validator of FOCUS, in an environment of its own: its pins are not ours.

    python tests/real/focus_validator.py build/focus-validator

It asks for Python 3.12, and its pins have no newer one. Where there is none it is installed under this one, and the one
line that Python 3.11 cannot read (a backslash within an f-string) is written so that it can: the same text comes of it.
Its exit status is 0 whatever it finds, so its report is read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HOME = ROOT / "build" / "focus-validator"
PINS = Path(__file__).with_suffix(".txt")
WANTED = "3.12"
MODULE = "focus_validator/config_objects/focus_to_duckdb_converter.py"
UNREADABLE = r"""f"'{k.replace('\"', '\"\"')}'" for k in ignore_keys"""
READABLE = """"'" + k.replace('"', '""') + "'" for k in ignore_keys"""
CRITERIA = (
    "COMMITMENT_DISCOUNT_SUPPORTED", "MULTIPLE_PRICING_CATEGORIES_SUPPORTED", "NEGOTIATED_PRICING_SUPPORTED",
    "USAGE_MEASUREMENT_SUPPORTED", "REGION_SUPPORTED", "TAGGING_SUPPORTED",
)  # fmt: skip
"""What is true of a plan's rows. By PUBLIC_PRICE_LIST_SUPPORTED it would want columns of another currency."""
UNPASSABLE = {
    "InvoiceId-C-005-C": "wants an invoice in every row, where rule C-004 of the same column wants none without one",
    "CommitmentDiscountStatus-C-004-C": "wants a status in every row, where its text wants one of what is used alone",
    "CommitmentDiscountStatus-C-002-C": "fails as C-004 does, of which it is made",
    "CommitmentDiscountStatus-C-000-C": "fails as C-004 does, of which it is made",
}
"""Rules that no file with purchases passes, and why."""


def install(home: Path) -> None:
    """Install it, whole or not at all."""
    python = wanted()
    flags = [] if python else ["--ignore-requires-python"]
    making = home.with_name(f"{home.name}.making")
    for each in (home, making):
        shutil.rmtree(each, ignore_errors=True)
    subprocess.run([python or sys.executable, "-m", "venv", str(making)], check=True)
    pip = [str(making / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *flags, "--requirement", str(PINS)], check=True)
    if not python:
        mend(next(making.glob("lib/python*/site-packages")) / MODULE)
    making.rename(home)


def wanted() -> str:
    """Return a Python that it asks for, one of pyenv too; "" where there is none that runs."""
    found = shutil.which(f"python{WANTED}")
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{WANTED}.*/bin/python3"))
    for each in [*([found] if found else []), *map(str, pyenv)]:
        ran = subprocess.run([each, "--version"], capture_output=True, text=True, check=False)
        if ran.stdout.startswith(f"Python {WANTED}."):
            return each
    return ""


def mend(module: Path) -> None:
    """Write the one line that Python 3.11 cannot read as one that it can. Raises ValueError where it is not there."""
    text = module.read_text(encoding="utf-8")
    if text.count(UNREADABLE) != 1:
        raise ValueError(f"{module}: the line to mend is not there: {UNREADABLE}")
    module.write_text(text.replace(UNREADABLE, READABLE), encoding="utf-8")


def failed(data: Path) -> tuple[set[str], int]:
    """Return the rules of FOCUS 1.2 that a file breaks, and how many it keeps.

    In CI it fails the test where the validator is not installed; elsewhere the test is skipped.
    """
    if not HOME.is_dir():
        message = "the validator of FOCUS is not installed: run `make validators`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    report = data.with_suffix(".xml")
    # It reads its table of currencies relative to where it runs.
    packages = next(HOME.glob("lib/python*/site-packages"))
    ran = subprocess.run(
        [
            *(str(HOME / "bin" / "python"), "-c", "from focus_validator.main import main; main()"),
            *("--data-file", str(data), "--validate-version", "1.2", "--block-download"),
            *("--applicability-criteria", ",".join(CRITERIA)),
            *("--output-type", "unittest", "--output-destination", str(report)),
        ],
        cwd=packages,
        env={name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert report.exists(), ran.stdout + ran.stderr
    return judged(ElementTree.parse(report).getroot())


def judged(report: ElementTree.Element) -> tuple[set[str], int]:
    """Return the rules that a report says are broken, and how many are kept."""
    cases = list(report.iter("testcase"))
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    kept = [case for case in cases if case not in bad and case.find("skipped") is None]
    return {str(case.get("name")).partition(" ")[0] for case in bad}, len(kept)


def main(arguments: Sequence[str]) -> None:
    """Install it where the command line says."""
    install(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
