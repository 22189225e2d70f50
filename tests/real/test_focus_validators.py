"""Rows of FOCUS in the hands of both validators there are: the specification's own for 1.2, focus-data-toolkit for 1.4.

What each sees of planted faults is held too, as neither sees all: the laws of tests/focus_rows.py see every one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path

import focus_validator as official
import pytest
from focus_rows import EVERY_KIND, JANUARY, MORE_THAN_RUNS, Line, broken, every_term, paid, read_back, written

from cascade_plan.choosing.forecast import forecast
from cascade_plan.inputs.scenarios import bundled_scenarios, read
from cascade_plan.model.plan import Plan
from cascade_plan.reports.forecasts import focus as forecasts
from cascade_plan.reports.plans import focus as report

KEPT_LEAST = 200
"""Rules that are checked and kept: a report of few says that the validator read little."""
PURCHASE = {"ChargeCategory": "Purchase"}
USED = {"CommitmentDiscountStatus": "Used"}
ON_DEMAND = {"PricingCategory": "Standard", "ChargeCategory": "Usage"}
Fault = tuple[str, str, Mapping[str, str], str, bool]
FAULTS: dict[str, Fault] = {
    # what is wrong: column, its value, where, the official rule that sees it, whether the toolkit does
    "a purchase with a cost of its own": ("EffectiveCost", "1.0", PURCHASE, "EffectiveCost-C-005-C", False),
    "a commitment without a name": ("CommitmentDiscountId", "", USED, "CommitmentDiscountName-C-004-C", False),
    "a third party's invoice": ("InvoiceIssuerName", "Somebody", ON_DEMAND, "BilledCost-C-005-C", False),
    "a currency in small letters": ("BillingCurrency", "usd", PURCHASE, "BillingCurrency-C-006-M", True),
    "no billed cost": ("BilledCost", "", {"PricingCategory": "Dynamic"}, "BilledCost-C-003-M", True),
    "tags that are not JSON": ("Tags", "application=cascade", USED, "Tags-C-001-M", True),
    "a category that is none": ("ServiceCategory", "Clouds", ON_DEMAND, "ServiceName-C-004-C", True),
    "a subcategory of another category": ("ServiceSubcategory", "Caching", ON_DEMAND, "ServiceName-C-007-C", True),
    "a list cost that is none": ("ListCost", "1.0", ON_DEMAND, "", True),
    "a contracted cost that is none": ("ContractedCost", "1.0", ON_DEMAND, "", True),
    "a time without a zone": ("ChargePeriodStart", "2027-01-01T00:00:00", ON_DEMAND, "ChargePeriodStart-C-002-M", True),
    "a negative price": ("ListUnitPrice", "-0.1", ON_DEMAND, "", True),
    "a cost that is not what is paid": ("EffectiveCost", "9.0", USED, "", False),
    "a unit that nobody knows": ("PricingUnit", "hrs", ON_DEMAND, "", False),
    "a charge outside its billing period": ("ChargePeriodEnd", "2027-03-01T00:00:00Z", ON_DEMAND, "", False),
}


@pytest.fixture(scope="module")
def made() -> Plan:
    """A plan that pays in every way there is."""
    return paid("cascade", EVERY_KIND, **MORE_THAN_RUNS)


def rows(plan: Plan, version: str) -> list[Line]:
    return read_back(report.render(plan, JANUARY, version))


def plant(found: list[Line], *faults: str) -> None:
    """Put faults into rows, each into a row of its own."""
    taken: set[int] = set()
    for fault in faults:
        column, value, where, _, _ = FAULTS[fault]
        at = next(
            at
            for at, row in enumerate(found)
            if at not in taken and all(row[name] == text for name, text in where.items())
        )
        taken.add(at)
        found[at][column] = value


def saved(found: list[Line], directory: Path) -> Path:
    path = directory / "rows.csv"
    path.write_text(written(found), encoding="utf-8", newline="")
    return path


def toolkit(data: Path) -> tuple[int, str]:
    """Return the exit status of focus-data-toolkit, 1 for a file that breaks a rule of FOCUS 1.4, and what it says."""
    program = shutil.which("focus-toolkit", path=str(Path(sys.executable).parent))
    assert program, "focus-data-toolkit is not installed: it is of the extra `test`"
    ran = subprocess.run([program, "validate", str(data)], capture_output=True, text=True, timeout=120, check=False)
    return ran.returncode, ran.stdout + ran.stderr


# ---------------------------------------------------------------------------------------------------- official, of 1.2


def test_every_way_of_paying_keeps_the_rules_of_1_2(made: Plan, tmp_path: Path) -> None:
    found, kept = official.failed(saved(rows(made, "1.2"), tmp_path))
    assert found - {*official.UNPASSABLE} == set()
    assert kept > KEPT_LEAST


def test_every_bundled_scenario_keeps_the_rules_of_1_2(tmp_path: Path) -> None:
    together = [row for name in bundled_scenarios() for row in rows(paid(name, {}), "1.2")]
    found, kept = official.failed(saved(together, tmp_path))
    assert found - {*official.UNPASSABLE} == set()
    assert kept > KEPT_LEAST


def test_the_official_one_sees_what_it_sees(made: Plan, tmp_path: Path) -> None:
    seen = [fault for fault, (_, _, _, rule, _) in FAULTS.items() if rule]
    faulty = rows(made, "1.2")
    plant(faulty, *seen)
    found, _ = official.failed(saved(faulty, tmp_path))
    assert {FAULTS[fault][3] for fault in seen} <= found


def test_the_official_one_is_blind_to_the_rest(made: Plan, tmp_path: Path) -> None:
    """Why the laws are checked besides. Where it learns to see, this says which law it has."""
    faulty = rows(made, "1.2")
    plant(faulty, *(fault for fault, (_, _, _, rule, _) in FAULTS.items() if not rule))
    found, _ = official.failed(saved(faulty, tmp_path))
    assert found - {*official.UNPASSABLE} == set()


def test_its_report_is_read_and_not_its_exit_status() -> None:
    text = (
        "<testsuite><testcase name='A-C-001-M :: x'/><testcase name='B-C-002-C :: y'><failure/></testcase>"
        "<testcase name='C-C-003-M :: z'><skipped/></testcase>"
        "<testcase name='D-C-004-M'><error/></testcase></testsuite>"
    )
    assert official.judged(ElementTree.fromstring(text)) == ({"B-C-002-C", "D-C-004-M"}, 1)


def test_the_line_that_is_mended_says_the_same(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(f"joined = ', '.join({official.UNREADABLE})\n", encoding="utf-8")
    official.mend(module)
    known: dict[str, object] = {"ignore_keys": ["a", 'b"c']}
    exec(module.read_text(encoding="utf-8"), known)
    assert known["joined"] == "'a', 'b\"\"c'"
    with pytest.raises(ValueError, match="the line to mend is not there"):
        official.mend(module)


# ----------------------------------------------------------------------------------------------------- toolkit, of 1.4


@pytest.mark.parametrize("name", ["every way of paying", *bundled_scenarios()])
def test_every_bundled_scenario_and_way_of_paying_keeps_the_rules_of_1_4(made: Plan, name: str, tmp_path: Path) -> None:
    plan = made if name == "every way of paying" else paid(name, {})
    status, said = toolkit(saved(rows(plan, "1.4"), tmp_path))
    assert status == 0, said
    assert "structural+semantic lint OK" in said


@pytest.mark.parametrize("fault", FAULTS)
def test_the_toolkit_sees_what_it_sees(made: Plan, fault: str, tmp_path: Path) -> None:
    faulty = rows(made, "1.4")
    plant(faulty, fault)
    status, said = toolkit(saved(faulty, tmp_path))
    assert status == FAULTS[fault][4], said


# ------------------------------------------------------------------------------------------------------------- forecast


def test_a_forecast_keeps_the_rules_of_both(tmp_path: Path) -> None:
    """Of fourteen months with fewer users each, so that what is bought is renewed, and not used at last."""
    values = {f"tiers.{tier}.purchase": terms for tier, terms in EVERY_KIND.items()}
    values |= {"users.peak": "100000", "users.average": "30000", "growth.percent_per_month": "-15"}
    given = read("cascade", [("a test", path, value) for path, value in values.items()])
    found = forecast(given.scenario, every_term(), given.origins, JANUARY.first, 14)
    older, newer = (read_back(forecasts.render(found, version)) for version in ("1.2", "1.4"))
    assert {row["CommitmentDiscountStatus"] for row in older} == {"", "Used", "Unused"}
    broken_rules, kept = official.failed(saved(older, tmp_path))
    assert broken_rules - {*official.UNPASSABLE} == set()
    assert kept > KEPT_LEAST
    status, said = toolkit(saved(newer, tmp_path))
    assert status == 0, said


# ----------------------------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("fault", [fault for fault, (*_, rule, seen) in FAULTS.items() if not rule and not seen])
def test_what_neither_sees_the_laws_see(made: Plan, fault: str) -> None:
    assert not broken(rows(made, "1.2"), made.bill.effective_usd.average)
    faulty = rows(made, "1.2")
    plant(faulty, fault)
    assert broken(faulty, made.bill.effective_usd.average)
