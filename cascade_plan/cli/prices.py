"""prices show and prices import: what the price books hold, and how they are rebuilt."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from cascade_plan.cli.app import CONTEXT
from cascade_plan.cli.choice import Output, day
from cascade_plan.cli.output import deliver, say
from cascade_plan.errors import UsageError
from cascade_plan.model.price import Book, Price, age_days
from cascade_plan.prices import bundled
from cascade_plan.prices.coverage import SectionCoverage, coverage

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, context_settings=CONTEXT, help="What the price books hold."
)

Region = Annotated[str | None, typer.Option("--region", metavar="REGION", help="Only this region.")]
Shape = Annotated[
    str | None, typer.Option("--shape", metavar="NAME", help="The prices of one item, such as m7g.large.")
]
Format = Annotated[str, typer.Option("--format", metavar="NAME", help="table or json.")]
Overrides = Annotated[str | None, typer.Option("--prices", metavar="FILE", help="Prices laid over the book.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day to which ages are counted.  [default: today]"),
]
FORMATS = ("table", "json")


@app.command("show")
def show(
    region: Region = None,
    shape: Shape = None,
    prices: Overrides = None,
    as_of: AsOf = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """List coverage, gaps and dates of each region's book, or every price of one item."""
    if format_ not in FORMATS:
        raise UsageError(f"no format {format_!r} for prices show: known are {', '.join(FORMATS)}")
    if prices is not None and region is None:
        raise UsageError("--prices FILE holds the prices of one region: name it with --region")
    books = [_book(name, prices) for name in ([region] if region else bundled.regions())]
    if shape is not None:
        found = {book.region: [price for price in book if price.key.item == shape] for book in books}
        if not any(found.values()):
            raise UsageError(f"no price for {shape!r} in {', '.join(found)}")
        deliver(_prices_json(found) if format_ == "json" else _prices_table(found), output)
        return 0
    covered = {book.region: coverage(book, bundled.gaps(book.region)) for book in books}
    today = day(as_of) or datetime.now().astimezone().date()
    deliver(_coverage_json(covered) if format_ == "json" else _coverage_table(covered, today), output)
    return 0


@app.command("import")
def import_(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The directory of collected CSV files.")],
    instance_types: Annotated[
        str, typer.Option("--instance-types", metavar="FILE", help="What EC2 DescribeInstanceTypes answers, as JSON.")
    ],
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Where the books go.")] = "pricing/aws",
) -> int:
    """Rebuild the bundled price books and the catalogue from collected CSV files."""
    from cascade_plan.prices.importing import rebuild, write

    if not Path(output).is_dir():
        raise UsageError(f"{output} is no directory")
    for path in write(rebuild(Path(directory), Path(instance_types)), Path(output)):
        say(f"wrote {path}")
    return 0


def _book(region: str, prices: str | None) -> Book:
    book = bundled.book(region)
    if prices is None:
        return book
    from cascade_plan.files import read_text

    return bundled.override(book, *read_text(prices))


def _coverage_table(covered: dict[str, list[SectionCoverage]], today: date) -> str:
    from tabulate import tabulate

    headers = ("section", "prices", "oldest", "newest", "days old", "undated", "weak", "gaps")
    align = ("left", "right", "left", "left", "right", "right", "right", "right")
    parts = []
    for region, sections in covered.items():
        rows = [
            (
                s.section,
                s.row_count,
                s.as_of_oldest,
                s.as_of_newest,
                age_days(s.as_of_oldest, today),
                s.undated_count,
                s.weak_count,
                len(s.gaps),
            )
            for s in sections
        ]
        gaps = [f"  {s.section}: {gap}" for s in sections for gap in s.gaps]
        table = tabulate(rows, headers, tablefmt="simple", colalign=align, disable_numparse=True)
        parts.append("\n".join([region, table, *(["gaps", *gaps] if gaps else [])]))
    return "\n\n".join(parts) + "\n"


def _prices_table(found: dict[str, list[Price]]) -> str:
    from tabulate import tabulate

    headers = ("region", "price for", "USD", "per", "as of", "source", "note")
    rows = [
        (region, str(price.key), str(price.usd), price.unit, price.as_of, price.source, price.note)
        for region, prices in found.items()
        for price in prices
    ]
    return tabulate(rows, headers, tablefmt="simple", disable_numparse=True) + "\n"


def _coverage_json(covered: dict[str, list[SectionCoverage]]) -> str:
    document = {region: [asdict(section) for section in sections] for region, sections in covered.items()}
    return json.dumps({"schema_version": 1, "regions": document}, indent=2, sort_keys=True) + "\n"


def _prices_json(found: dict[str, list[Price]]) -> str:
    document = {
        region: [{**asdict(price), "key": list(price.key), "usd": str(price.usd)} for price in prices]
        for region, prices in found.items()
    }
    return json.dumps({"schema_version": 1, "prices": document}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
