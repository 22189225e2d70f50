"""Each form of a bill is told and read, what is wrong with one is said with its line, and nothing is counted twice."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import bills_made as made
import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan import registry
from cascade_plan.errors import ScenarioError, UsageError
from cascade_plan.evidence.bill_file import BillFile
from cascade_plan.evidence.billed import billed, files_of, of_month
from cascade_plan.files.disk import listed
from cascade_plan.model.actuals import KINDS, Line

ROW = made.Row("AmazonEC2", "BoxUsage:m5.large", "RunInstances", Decimal(744), "Hrs", Decimal("0.096"))
TAGS = ("application",)


def held(data: bytes | str, name: str = "bill.csv") -> BillFile:
    content = data.encode() if isinstance(data, str) else data
    return BillFile(name, lambda: BytesIO(content))


def _opened(path: str) -> BillFile | None:
    return BillFile(path, lambda: Path(path).open("rb")) if Path(path).is_file() else None


def lines(data: bytes | str, name: str = "bill.csv") -> tuple[Line, ...]:
    return billed([held(data, name)], TAGS).lines


def totals(found: tuple[Line, ...]) -> dict[str, tuple[Decimal, Decimal]]:
    return {
        kind: (
            sum(line.billed_usd for line in found if line.kind == kind),
            sum(line.effective_usd for line in found if line.kind == kind),
        )
        for kind in KINDS
        if any(line.kind == kind for line in found)
    }  # type: ignore[return-value]


def csv_of(header: str, *rows: str) -> str:
    return "\n".join([header, *rows, ""])


# ------------------------------------------------------------------------------------------------- one bill, all forms


@pytest.mark.parametrize("form", made.FORMS)
def test_a_form_is_told_by_its_columns_and_rows_are_summed(form: str) -> None:
    read = billed([held(made.text(made.FORMS[form]([ROW])))], TAGS)
    assert read.row_count == 31
    (line,) = read.lines
    assert (line.kind, line.usage_type, line.operation, line.month) == (
        "usage", "BoxUsage:m5.large", "RunInstances", "2027-01",
    )  # fmt: skip
    assert line.tags == {"application": "cascade"}
    assert round(line.quantity or 0, 9) == 744
    assert round(line.billed_usd, 9) == round(line.effective_usd, 9) == Decimal("71.424")
    assert line.until == "2027-02-01 00:00"


@pytest.mark.parametrize("form", made.FORMS)
def test_gzip_a_byte_order_mark_and_windows_line_ends_change_nothing(form: str) -> None:
    text = made.text(made.FORMS[form]([ROW]))
    windows = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    assert lines(text) == lines(windows) == lines(gzip.compress(text.encode())) == lines(gzip.compress(windows))


@pytest.mark.parametrize("form", made.FORMS)
@pytest.mark.parametrize("types", ["VARCHAR", "DOUBLE", "DECIMAL(20, 10)"])
def test_parquet_says_what_csv_says(form: str, types: str, tmp_path: Path) -> None:
    rows = made.billed(made.planned())
    source, target = made.written(tmp_path / "bill.csv", made.FORMS[form](rows)), tmp_path / "bill.parquet"
    amounts = ("cost", "Cost", "amount", "Amount", "Quantity", "fee", "Fee", "period", "Period")
    header = next(csv.reader([source.read_text().split("\n", 1)[0]]))
    named = {name: types if name.endswith(amounts) else "VARCHAR" for name in header}
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{source}', header=true, types={named})) TO '{target}' (FORMAT parquet)")
    text, packed = billed([held(source.read_bytes())], TAGS), billed(files_of([str(target)], _opened, listed), TAGS)

    def said(read: tuple[Line, ...]) -> list[tuple[str, ...]]:
        amounts = [(line.quantity or Decimal(0), line.billed_usd, line.effective_usd, line.listed_usd) for line in read]
        words = [(line.kind, line.service, line.usage_type, line.operation, line.month, line.until) for line in read]
        rounded = [tuple(f"{amount:.8f}" for amount in each) for each in amounts]
        return sorted((*one, *other) for one, other in zip(words, rounded, strict=True))

    assert said(text.lines) == said(packed.lines)
    assert text.row_count == packed.row_count


def test_parquet_with_tags_as_a_map_and_times_with_a_zone(tmp_path: Path) -> None:
    path = tmp_path / "cur.parquet"
    duckdb.sql(f"""COPY (SELECT 'Usage' AS line_item_line_item_type,
        TIMESTAMPTZ '2027-01-01 00:00:00+00' AS bill_billing_period_start_date,
        TIMESTAMPTZ '2027-02-01 00:00:00+00' AS line_item_usage_end_date,
        'AmazonEC2' AS line_item_product_code, 'BoxUsage:m5.large' AS line_item_usage_type,
        0.1::DOUBLE AS line_item_unblended_cost, 3::DOUBLE AS line_item_usage_amount,
        MAP {{'user_application': 'cascade', 'user_other': NULL}} AS resource_tags
        FROM range(30)) TO '{path}' (FORMAT parquet)""")
    (line,) = billed(files_of([str(path)], _opened, listed), TAGS).lines
    assert (line.month, line.until) == ("2027-01", "2027-02-01 00:00")
    assert line.tags == {"application": "cascade"}
    assert (line.billed_usd, line.quantity, line.row_count) == (3, 90, 30)  # no float is added


def test_parquet_without_duckdb_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    path = tmp_path / "bill.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"pip install 'cascade-plan\[bills\]'"):
        billed(files_of([str(path)], _opened, listed), TAGS)


def test_a_damaged_parquet_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bill.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(UsageError, match="the Parquet file cannot be read") as failure:
        billed(files_of([str(path)], _opened, listed), TAGS)
    assert "\n" not in str(failure.value)


# --------------------------------------------------------------------------------------------------------- commitments


def test_what_commitments_cost_is_spread_as_aws_s_own_queries_do() -> None:
    header = (
        "bill_billing_period_start_date,line_item_line_item_type,line_item_unblended_cost,reservation_effective_cost,"
        "savings_plan_savings_plan_effective_cost,savings_plan_total_commitment_to_date,savings_plan_used_commitment,"
        "reservation_unused_amortized_upfront_fee_for_billing_period,reservation_unused_recurring_fee,"
        "reservation_reservation_a_r_n"
    )
    found = lines(csv_of(
        header,
        "2027-01-01,Usage,5,,,,,,,",
        "2027-01-01,DiscountedUsage,0,3,,,,,,arn",
        "2027-01-01,RIFee,10,,,,,2,1,arn",
        "2027-01-01,Fee,100,,,,,,,arn",
        "2027-01-01,Fee,7,,,,,,,",
        "2027-01-01,SavingsPlanCoveredUsage,9,,4,,,,,",
        "2027-01-01,SavingsPlanNegation,-9,,,,,,,",
        "2027-01-01,SavingsPlanRecurringFee,6,,,6,4,,,",
        "2027-01-01,SavingsPlanUpfrontFee,50,,,,,,,",
        "2027-01-01,Tax,1,,,,,,,",
        "2027-01-01,Credit,-2,,,,,,,",
        "2027-01-01,Refund,-3,,,,,,,",
        "2027-01-01,EdpDiscount,-4,,,,,,,",
        "2027-01-01,SomethingNew,8,,,,,,,",
    ))  # fmt: skip
    assert totals(found) == {
        "usage": (14, 12), "unused": (16, 5), "purchase": (141, 0), "fee": (7, 7), "tax": (1, 1), "credit": (-2, -2),
        "refund": (-3, -3), "discount": (-4, -4), "adjustment": (8, 8),
    }  # fmt: skip
    assert {line.is_committed for line in found if line.kind == "usage"} == {True, False}


def test_with_a_contract_the_net_columns_are_the_truth() -> None:
    header = (
        "bill_billing_period_start_date,line_item_line_item_type,line_item_unblended_cost,line_item_net_unblended_cost,"
        "reservation_effective_cost,reservation_net_effective_cost"
    )
    found = lines(csv_of(header, "2027-01-01,Usage,10,9,,", "2027-01-01,DiscountedUsage,0,0,5,4.5"))
    assert totals(found) == {"usage": (9, Decimal("13.5"))}


FOCUS = (
    "BillingPeriodStart,ChargeCategory,ChargeClass,BilledCost,EffectiveCost,CommitmentDiscountId,"
    "CommitmentDiscountStatus"
)


def test_focus_says_what_is_bought_used_unused_and_corrected() -> None:
    found = lines(csv_of(
        FOCUS,
        "2027-01-01,Usage,,5,5,,",
        "2027-01-01,Usage,,0,3,id,Used",
        "2027-01-01,Usage,,0,1,id,Unused",
        "2027-01-01,Purchase,,4,0,id,",
        "2027-01-01,Purchase,NULL,7,7,NULL,NULL",
        "2027-01-01,Usage,Correction,-2,-2,,",
        "2027-01-01,Tax,,1,1,,",
        "2027-01-01,Credit,,-3,-3,,",
        "2027-01-01,Adjustment,,-6,-6,,",
    ))  # fmt: skip
    assert totals(found) == {
        "usage": (5, 8), "unused": (0, 1), "purchase": (4, 0), "fee": (7, 7), "refund": (-2, -2), "tax": (1, 1),
        "credit": (-3, -3), "adjustment": (-6, -6),
    }  # fmt: skip


def test_an_effective_cost_of_nothing_beside_what_was_billed_is_noticed() -> None:
    read = billed([held(csv_of(FOCUS, "2027-01-01,Usage,,5.25,0,,", "2027-01-01,Usage,,0,3,id,Used"))], TAGS)
    assert totals(read.lines) == {"usage": (Decimal("5.25"), Decimal("8.25"))}
    assert read.notes == (
        "the effective cost of 1 row on demand is not what was billed, together $5.25 too little: what was billed is "
        "taken",
    )


def test_the_rows_of_a_forecast_are_no_bill() -> None:
    with pytest.raises(UsageError, match="its rows are a forecast"):
        lines(csv_of(FOCUS + ",x_Forecast", "2027-01-01,Usage,,5,5,,,true"))


# ------------------------------------------------------------------------------------------------------- Cost Explorer


def explorer(*groups: tuple[list[str], dict[str, str]], keys: tuple[str, ...] = ("SERVICE",)) -> str:
    metrics = [
        {"Keys": names, "Metrics": {name: {"Amount": text, "Unit": "USD"} for name, text in amounts.items()}}
        for names, amounts in groups
    ]
    return json.dumps({
        "GroupDefinitions": [{"Type": "DIMENSION", "Key": key} for key in keys],
        "ResultsByTime": [{"TimePeriod": {"Start": "2027-01-01", "End": "2027-02-01"}, "Groups": metrics,
                           "Estimated": True}],
    })  # fmt: skip


def test_cost_explorer_s_answer_has_what_it_was_grouped_by() -> None:
    found = lines(explorer((["Amazon ElastiCache"], {"UnblendedCost": "5.1", "AmortizedCost": "4.9"})), "ce.json")
    (line,) = found
    assert (line.service, line.usage_type, line.quantity, line.billed_usd, line.effective_usd) == (
        "Amazon ElastiCache", "", None, Decimal("5.1"), Decimal("5.1"),
    )  # fmt: skip
    assert (line.month, line.until, line.is_final, line.currency) == ("2027-01", "2027-02-01 00:00", False, "USD")


def test_cost_explorer_by_usage_type_has_amounts_where_they_were_asked_for() -> None:
    group = (
        ["Amazon Elastic Compute Cloud - Compute", "BoxUsage:m5.large"],
        {"UnblendedCost": "9", "UsageQuantity": "744"},
    )
    (line,) = lines(explorer(group, keys=("SERVICE", "USAGE_TYPE")), "ce.json")
    assert (line.usage_type, line.quantity) == ("BoxUsage:m5.large", 744)


CONSOLE = '\ufeff"Service","S3($)","EC2-Instances($)","Tax($)","Total costs($)"'


def test_cost_explorer_s_page_has_services_across_and_a_row_of_totals() -> None:
    found = lines(csv_of(CONSOLE, '"Service total","3","7","1","11"', '"2027-01-01","1","3","0.5","4.5"',
                         '"2027-01-02","2","4","0.5","6.5"', '"2027-02-01","","","",""'))  # fmt: skip
    assert totals(found) == {"usage": (10, 10), "tax": (1, 1)}
    assert {line.service for line in found} == {"S3", "EC2-Instances", "Tax"}
    assert {line.month for line in found} == {"2027-01"}


def test_cost_explorer_s_page_by_usage_type() -> None:
    (line,) = lines(csv_of('"Usage type","NatGateway-Hours($)","Total costs($)"', '"2027-01-01","3","3"'))
    assert (line.service, line.usage_type) == ("", "NatGateway-Hours")


# -------------------------------------------------------------------------------------------------------- what is wrong


HEAD = (
    "bill_billing_period_start_date,line_item_line_item_type,line_item_unblended_cost,line_item_usage_amount,"
    "resource_tags"
)
GOOD = "2027-01-01,Usage,1,1,"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2027-01-01,Usage,twelve,1,", "bill.csv:3:1: line_item_unblended_cost: 'twelve' is no amount"),
        ("2027-01-01,Usage,nan,1,", "bill.csv:3:1: line_item_unblended_cost: 'nan' is no amount"),
        ("2027-01-01,Usage,Infinity,1,", "bill.csv:3:1: line_item_unblended_cost: 'Infinity' is no amount"),
        ("2027-01-01,Usage,1e99,1,", "bill.csv:3:1: line_item_unblended_cost: '1e99' is no amount"),
        ("2027-01-01,Usage,1e999999999,1,", "bill.csv:3:1: line_item_unblended_cost: '1e999999999' is no amount"),
        ("2027-01-01,Usage,\"1,5\",1,", "bill.csv:3:1: line_item_unblended_cost: '1,5' is no amount"),
        ("2027-01-01,Usage,1", "bill.csv:3:1: 3 fields for 5 columns: the row is cut short"),
        ("2027-01-01,Usage,1,1,,6", "bill.csv:3:1: 6 fields for 5 columns"),
        ("2027-01-01,Usage,1,1,{", "bill.csv:3:1: resource_tags: '{' is no JSON object of tags"),
        ("2027-01-01,Usage,1,1,[]", "bill.csv:3:1: resource_tags: '[]' is no JSON object of tags"),
        ('2027-01-01,Usage,1,1,"open', "bill.csv:"),
    ],
)  # fmt: skip
def test_a_row_that_is_none_is_named_by_its_line(row: str, message: str) -> None:
    with pytest.raises(UsageError) as failure:
        lines(csv_of(HEAD, GOOD, row, GOOD))
    assert str(failure.value).startswith(message)
    assert "Traceback" not in str(failure.value)


def test_every_problem_of_every_file_is_said_at_once() -> None:
    bad = csv_of(HEAD, GOOD, "2027-01-01,Usage,x,1,", "short")
    with pytest.raises(ScenarioError) as failure:
        billed([held(bad, "one.csv"), held(bad, "two.csv")], TAGS)
    assert [(problem.file, problem.line) for problem in failure.value.problems] == [
        ("one.csv", 3), ("one.csv", 4), ("two.csv", 3), ("two.csv", 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "bill.csv: the file is empty"),
        (b"a,b\n1,2\n", "bill.csv: not a bill that is read: .*; its columns begin with a, b"),
        (b"PK\x03\x04 and more", "a zip archive: unpack it"),
        (b"\x1f\x8b damaged", "the gzip file is damaged or cut short"),
        (HEAD.encode() + b"\n", "the bill has no lines"),
        (HEAD.encode() + b"\n\xff\xfe,Usage,1,1,\n", "bill.csv:.*not UTF-8"),
        (b'{"ResultsByTime": [', "bill.csv:1:20: no JSON"),
        (b'{"ResultsByTime": {}}', "ResultsByTime is no list"),
        (b'{"ResultsByTime": [{"TimePeriod": {}}]}', "a result lacks"),
        (b'{"ResultsByTime": [{"TimePeriod": {"Start": "2027-01-01", "End": "2027-02-01"}, "Total": '
         b'{"UnblendedCost": {"Amount": "x"}}}]}', "UnblendedCost: 'x' is no amount"),
        (CONSOLE.encode() + b'\n"2027-01-01","x","","",""\n', r"bill.csv:2:1: S3\(\$\): 'x' is no amount"),
        (CONSOLE.encode() + b'\n"2027-01-01","1"\n', "bill.csv:2:1: 2 fields for 5 columns"),
    ],
)  # fmt: skip
def test_what_is_no_bill_says_what_it_is(data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        lines(data)


def test_a_gzip_file_that_is_cut_short_is_no_bill() -> None:
    whole = gzip.compress((csv_of(HEAD, *[f"2027-01-01,Usage,{n}.{n * 7919 % 1000},1," for n in range(9000)])).encode())
    with pytest.raises(UsageError, match="damaged or cut short"):
        lines(whole[: len(whole) // 2])


def test_two_forms_of_one_bill_are_not_counted_twice() -> None:
    both = [held(made.text(made.cur2([ROW])), "cur.csv"), held(made.text(made.focus([ROW])), "focus.csv")]
    with pytest.raises(UsageError, match=r"cur\.csv is AWS's Cost and Usage Report 2\.0 and focus\.csv is FOCUS"):
        billed(both, TAGS)


def test_one_file_given_twice_is_refused(tmp_path: Path) -> None:
    path = made.written(tmp_path / "a.csv", made.cur2([ROW]))
    with pytest.raises(UsageError, match="given twice"):
        files_of([str(path), str(path)], _opened, listed)
    with pytest.raises(UsageError, match="given twice"):
        files_of([str(path), str(tmp_path)], _opened, listed)


def test_a_directory_s_bills_are_read_and_its_manifest_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "BILLING_PERIOD=2027-01"
    folder.mkdir(parents=True)
    made.written(folder / "part-1.csv.gz", made.cur2([ROW]))
    made.written(folder / "part-2.csv.gz", made.cur2([ROW]))
    (tmp_path / "manifest.json").write_text('{"files": []}')
    read = billed(files_of([str(tmp_path)], _opened, listed), TAGS)
    assert len(read.names) == 2
    assert read.row_count == 62


def test_what_is_not_there_and_what_has_no_bill_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"(?s)no file 'nowhere.csv'.*no file in it is a bill"):
        files_of(["nowhere.csv", str(tmp_path)], _opened, listed)


def test_a_month_is_chosen_where_there_are_several() -> None:
    read = billed([held(csv_of(HEAD, GOOD, "2027-02-01,Usage,2,1,"))], TAGS)
    with pytest.raises(UsageError, match="2027-01 and 2027-02: choose one by --month"):
        of_month(read, None)
    with pytest.raises(UsageError, match="of 2027-01 and 2027-02, not of 2027-03"):
        of_month(read, "2027-03")
    month, found = of_month(read, "2027-02")
    assert (month, [line.billed_usd for line in found]) == ("2027-02", [2])


# ---------------------------------------------------------------------------------------------------------- properties


@given(st.lists(st.decimals(min_value=-1000, max_value=1000, places=10), min_size=1, max_size=40))
def test_sums_are_exact(amounts: list[Decimal]) -> None:
    found = lines(csv_of(HEAD, *(f"2027-01-01,Usage,{amount:f},1," for amount in amounts)))
    assert sum(line.billed_usd for line in found) == sum(amounts)


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_of_a_bill_is_an_error_of_ours(usage: str, tag: str) -> None:
    out = made.StringIO()
    writer = csv.writer(out)
    writer.writerow(["line_item_usage_type", *HEAD.split(",")])
    writer.writerow([usage, "2027-01-01", "Usage", "1", "1", json.dumps({"application": tag})])
    data = out.getvalue().encode("utf-8", "surrogatepass")
    try:
        found = lines(data)
    except UsageError:
        return
    assert sum(line.billed_usd for line in found) == 1


@given(st.binary(max_size=200))
def test_no_bytes_are_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(UsageError):
        lines(HEAD.encode() + b"\n" + data + b"\n\xff")


def test_every_form_has_a_reader_that_claims_it_alone() -> None:
    files = [held(made.text(make([ROW]))) for make in made.FORMS.values()]
    files += [held(explorer((["S3"], {"UnblendedCost": "1"}))), held(csv_of(CONSOLE, '"2027-01-01","1","","","1"'))]
    for file in files:
        assert len(list(_claiming(file))) == 1


def _claiming(file: BillFile) -> Iterator[str]:
    for name in registry.names("evidence/bills"):
        if registry.load("evidence/bills", name).claims(file):
            yield name
