"""prices: what the price books hold, how old they are, and how they are renewed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cascade_plan import registry
from cascade_plan.cli import completing
from cascade_plan.cli.choice import MaxPriceAge, NoPriceCache, Output, values_option, with_choice
from cascade_plan.cli.described import CONTEXT, Described, DescribedGroup
from cascade_plan.cli.output import Talk, complain, deliver, note, say
from cascade_plan.cli.progress import Downloads, downloads
from cascade_plan.errors import UsageError, did_you_mean
from cascade_plan.files.data_root import data_root
from cascade_plan.inputs.choice import Choice, day
from cascade_plan.inputs.scenarios import priced
from cascade_plan.languages.json import dump
from cascade_plan.model.price import MAX_PRICE_AGE_DAYS, Book, Price, age_days
from cascade_plan.prices import books, bundled, cache
from cascade_plan.prices.coverage import SectionCoverage, coverage
from cascade_plan.prices.lines import GIVEN
from cascade_plan.prices.products import price_list

if TYPE_CHECKING:
    from cascade_plan.prices.updating import Outcome, Wish

app = typer.Typer(
    cls=DescribedGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=CONTEXT,
    help="Show the prices that plans use, renew them from the cloud, and compare the bundled ones with those.",
)

FORMATS = ("table", "json")
CLOUD = "aws"
"""Whose prices are meant where none is named."""
Cloud = Annotated[str, typer.Option("--cloud", metavar="NAME", help="Whose prices.", autocompletion=completing.clouds)]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="REGION", help="Only this region.", autocompletion=completing.regions),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="A region to renew; repeatable.  [default: the bundled regions]",
        autocompletion=completing.regions,
    ),
]
Shape = Annotated[
    str | None, typer.Option("--shape", metavar="NAME", help="The prices of one item, such as m7g.large.")
]
Format = Annotated[str, values_option("--format", FORMATS, "table or json.")]
Offline = Annotated[
    bool,
    typer.Option("--offline", envvar="CASCADE_PLAN_OFFLINE", help="Use no network: what would need it is refused."),
]
Overrides = Annotated[str | None, typer.Option("--prices", metavar="FILE", help="Prices laid over the book.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="YYYY-MM-DD", help="The day to which ages are counted.  [default: today]"),
]
Source = Annotated[
    str,
    typer.Option(
        "--source",
        metavar="NAME",
        envvar="CASCADE_PLAN_PRICE_SOURCE",
        help="Of aws bulk: its public offer files, no account needed; or api: the Price List Query API, with spot "
        "prices.  [default: the cloud's first, bulk]",
        autocompletion=completing.price_sources,
    ),
]
Services = Annotated[
    str,
    typer.Option(
        "--services",
        metavar="NAMES",
        help="What to renew, comma-separated; an unknown name is answered with those there are.  "
        "[default: all the source has]",
        autocompletion=completing.price_services,
    ),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url",
        metavar="URL",
        envvar="CASCADE_PLAN_ENDPOINT_URL",
        help="Ask this address instead of the cloud's own: a mirror or a private endpoint.",
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", help="Renew what is clear; a key without one clear price keeps the price it had."),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Write nothing for a region of which a price is looked for and not found.")
]
SpotPercentile = Annotated[
    int, typer.Option("--spot-percentile", min=1, max=100, metavar="PERCENT", help="Of the spot price over time.")
]
SpotWindow = Annotated[
    int, typer.Option("--spot-window", min=1, max=90, metavar="DAYS", help="Days of spot prices to look at.")
]
PrintPolicy = Annotated[
    bool, typer.Option("--print-policy", help="Print the least permissions that an update needs, and leave.")
]
ChangesShown = Annotated[
    int, typer.Option("--changes", min=0, metavar="COUNT", help="How many of the largest changes to list.")
]


@app.command("show", cls=Described)
def show(
    region: Region = None,
    cloud: Cloud = CLOUD,
    shape: Shape = None,
    prices: Overrides = None,
    no_price_cache: NoPriceCache = False,
    as_of: AsOf = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """List coverage, gaps and dates of each region's prices, or every price of one item.

    Examples:
      cascade-plan prices show --region eu-west-1
      cascade-plan prices show --shape m7g.large
    """
    _known_format(format_, "show")
    if prices is not None and region is None:
        raise UsageError("--prices FILE holds the prices of one region: name it with --region")
    price_list(cloud)  # refuses what is no cloud
    names = [region] if region else books.regions(cloud, not no_price_cache)
    shown = [priced(cloud, name, prices, not no_price_cache) for name in names]
    if shape is not None:
        found = {book.region: [price for price in book if price.key.item == shape] for book in shown}
        if not any(found.values()):
            items = sorted({price.key.item for book in shown for price in book})
            raise UsageError(f"no price for {shape!r} in {', '.join(found)}{did_you_mean(shape, items)}")
        deliver(_prices_json(found, cloud) if format_ == "json" else _prices_table(found, cloud), output)
        return 0
    by_region = format_ == "json"
    covered = {book.region if by_region else book.name: coverage(book, _gaps(book)) for book in shown}
    deliver(_coverage_json(covered) if by_region else _coverage_table(covered, _today(as_of)), output)
    return 0


@app.command("update", cls=Described)
def update(
    region: Regions = None,
    cloud: Cloud = CLOUD,
    source: Source = "",
    services: Services = "",
    keep_going: KeepGoing = False,
    strict: Strict = False,
    spot_percentile: SpotPercentile = 90,
    spot_window: SpotWindow = 30,
    endpoint_url: Endpoint = None,
    offline: Offline = False,
    print_policy: PrintPolicy = False,
    changes_shown: ChangesShown = 10,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """Bring today's prices of a cloud into the price cache, which every later plan uses.

    What the source lacks keeps its price and is listed. An update that fails leaves its region's cache as it was.

    Examples:
      cascade-plan prices update --region us-east-1
      cascade-plan prices update --source api --services ec2,spot
      cascade-plan prices update --print-policy

    Exit status:
      0  The prices are renewed.
      3  A price is not clear and --keep-going was not given, or one is not found and --strict was given.
      5  The network or the cloud failed.
    """
    from cascade_plan.prices import updating

    _known_format(format_, "update")
    sources = updating.sources_of(cloud)
    if print_policy:
        deliver(sources.policy(), output)
        return 0
    source = source or next(iter(sources.SOURCES))
    wanted = updating.wanted_services(cloud, source, filter(None, map(str.strip, services.split(","))))
    _refuse_offline(offline, "prices update", cloud)
    with downloads() as shown:
        wish = updating.Wish(
            cloud=cloud,
            source=source,
            services=wanted,
            named=wanted if services else frozenset(),
            today=datetime.now().astimezone().date(),
            endpoint_url=endpoint_url,
            keep_going=keep_going,
            strict=strict,
            spot_percentile=spot_percentile,
            spot_window_days=spot_window,
            progress=shown.read,
            expected=shown.expect,
        )
        outcomes = [_updated(name, wish, shown) for name in _checked(cloud, region or bundled.regions(cloud))]
    text = _outcomes_json(outcomes, wish) if format_ == "json" else _outcomes_table(outcomes, wish, changes_shown)
    if text:
        deliver(text, output)
    return _exit_code(outcomes)


def _refuse_offline(offline: bool, what: str, cloud: str) -> None:
    if offline:
        raise UsageError(f"--offline uses no network, and {what} asks {cloud}: leave one of them out")


def _checked(cloud: str, regions: Sequence[str]) -> Sequence[str]:
    """Return the regions. Raises UsageError for what is no region's name, before anything is asked."""
    for name in regions:
        cache.path_of(cloud, name)
    return regions


def _updated(region: str, wish: Wish, shown: Downloads) -> Outcome:
    """Return how the update of a region ended, after showing and remembering it."""
    from cascade_plan.prices import updating

    outcome = updating.update(region, wish)
    shown.end(region, has_failed=outcome.failure is not None)
    if outcome.after is not None:
        Talk.written = (*Talk.written, f"the prices of {region}")
    return outcome


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    """Return 0, or the exit status of the first region that failed, after saying on stderr what failed."""
    from cascade_plan.prices.not_found import words

    for outcome in outcomes:
        if outcome.damage:
            complain(
                f"{outcome.region}: replaced a damaged file, whose other prices are lost: {outcome.damage}", "warning"
            )
        for problem in outcome.problems:
            complain(f"{outcome.region}: {problem}; it keeps the price it had", "warning")
        if outcome.missing:
            complain(f"{outcome.region}: {words(outcome.missing)}", "warning")
    # What fails for every region, such as a login, is said once.
    for failure in dict.fromkeys(str(outcome.failure) for outcome in outcomes if outcome.failure is not None):
        complain(failure)
    return next((outcome.failure.exit_code for outcome in outcomes if outcome.failure is not None), 0)


def _outcomes_table(outcomes: Sequence[Outcome], wish: Wish, limit: int) -> str:
    """Return what changed in each region that was renewed; "" where none was."""
    return "\n".join(_outcome_text(outcome, wish, limit) for outcome in outcomes if outcome.after)


def _outcome_text(outcome: Outcome, wish: Wish, limit: int) -> str:
    """Return what an update changed and what the region's prices cover now."""
    from cascade_plan.prices import changes, not_found, updating

    sources = updating.sources_of(wish.cloud)
    assert outcome.after is not None
    sections = {section for service in wish.services for section in sources.SECTIONS_OF[service]}
    found = changes.changes(outcome.before, outcome.after).of(
        {price_list(wish.cloud).sections[name] for name in sections}
    )
    covered = [part for part in coverage(outcome.after, _gaps(outcome.after)) if part.section in sections]
    prices = f"{outcome.renewed:,} price{'s' if outcome.renewed != 1 else ''} from {wish.source}"
    parts = [
        f"{outcome.region}: {prices}; changed since last time:\n{changes.render(found, limit)}",
        *([not_found.render(outcome.missing)] if outcome.missing else []),
        _coverage_table({outcome.after.name: covered}, wish.today),
    ]
    return "\n".join(parts)


def _outcomes_json(outcomes: Sequence[Outcome], wish: Wish) -> str:
    """Return, of every region, what was renewed, what was not found and each price that changed.

    What failed has its message alone.
    """
    from cascade_plan.prices.changes import changes

    def changed(outcome: Outcome) -> list[dict[str, Any]]:
        assert outcome.after is not None
        return [
            {
                "key": list(entry.key),
                "kind": entry.kind,
                **{
                    name: None if price is None else _price_json(price, wish.cloud)
                    for name, price in (("before", entry.before), ("after", entry.after))
                },
            }
            for entry in changes(outcome.before, outcome.after).entries
        ]

    regions = {
        outcome.region: {
            "failure": None if outcome.failure is None else str(outcome.failure),
            "kept": [str(problem) for problem in outcome.problems],
            "not_found": [
                {"key": list(entry.key), "in_its_place": [_price_json(price, wish.cloud) for price in entry.stand_ins]}
                for entry in outcome.missing
            ],
            "renewed": outcome.renewed if outcome.after else 0,
            "changes": changed(outcome) if outcome.after else [],
        }
        for outcome in outcomes
    }
    return dump({"schema_version": 1, "source": wish.source, "regions": regions}, sort_keys=True)


@app.command("verify", cls=Described)
def verify(
    region: Region = None,
    cloud: Cloud = CLOUD,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="NAME",
            help="cache: what was last fetched. A source of `prices update`: the cloud, now.",
            autocompletion=completing.compared_with,
        ),
    ] = "cache",
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, metavar="PERCENT", help="Differences up to this are none.")
    ] = 0.5,
    max_price_age: MaxPriceAge = MAX_PRICE_AGE_DAYS,
    shown: Annotated[
        int, typer.Option("--show", min=0, metavar="COUNT", help="How many deviations of a region to list.")
    ] = 40,
    endpoint_url: Endpoint = None,
    offline: Offline = False,
    as_of: AsOf = None,
    format_: Format = "table",
    output: Output = "-",
) -> int:
    """Compare the bundled prices with fetched ones.

    Examples:
      cascade-plan prices verify --region us-east-1
      cascade-plan prices verify --against bulk --tolerance 1

    Exit status:
      0  They agree.
      3  A price differs, is missing or is too old.
      5  The network or the cloud failed.
    """
    from cascade_plan.prices import verifying

    _known_format(format_, "verify")
    today = _today(as_of)
    price_list(cloud)  # refuses what is no cloud
    cached = cache.regions(cloud)
    if against == "cache" and not (region or cached):
        raise UsageError("no cached prices: run `cascade-plan prices update` first, or compare --against bulk")
    found = {}
    for name in [region] if region else cached if against == "cache" else bundled.regions(cloud):
        other = _other_book(cloud, name, against, endpoint_url, offline, today)
        bundle = bundled.book(cloud, name)
        found[name] = verifying.verify(bundle, other, Decimal(str(tolerance)), max_price_age, today)
    if format_ == "json":
        deliver(verifying.render_json(found), output)
    else:
        texts = (f"{name}\n{verifying.render_table(listed, shown)}" for name, listed in found.items())
        deliver("\n".join(texts), output)
    return 3 if any(map(verifying.failed, found.values())) else 0


def _other_book(cloud: str, region: str, against: str, endpoint_url: str | None, offline: bool, today: date) -> Book:
    """Return the prices to compare with. Raises UsageError when the cache has none or the name is unknown."""
    if against == "cache":
        if (book := cache.read(cloud, region)) is None:
            raise UsageError(f"no cached prices of {region}: run `cascade-plan prices update --region {region}` first")
        return book
    _refuse_offline(offline, f"--against {against}", cloud)
    from cascade_plan.prices import updating

    wanted = updating.wanted_services(cloud, against, ())
    wish = updating.Wish(cloud, against, wanted, today, endpoint_url=endpoint_url, keep_going=True)
    return Book(cloud, region, updating.fetched(region, wish).rows, f"{against} of {today}")


Missing = Annotated[bool, typer.Option("--missing", help="Only the prices that the plan lacks, to be written.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]


@app.command("init-override", cls=Described)
@with_choice
def init_override(choice: Choice, missing: Missing = False, output: Output = "-", force: Force = False) -> int:
    """Write a file of prices for --prices to start from: those of a scenario's plan, or only those it lacks.

    Examples:
      cascade-plan prices init-override my.yaml --region eu-west-1 --missing -o our-prices.yaml
    """
    from cascade_plan.planning.pipeline import plan
    from cascade_plan.prices import short

    given = choice.read()
    scenario, bill = given.scenario, plan(given.scenario, given.book, given.origins, predicted=False).bill
    wanted = [
        *(short.wanted(item, item.price_usd) for item in bill.items if not missing and item.origin != GIVEN),
        *(short.wanted(line, None) for line in bill.unpriced),
    ]
    if not wanted:
        note(f"nothing to write: {given.book.name} has every price that {scenario.name} needs")
        return 0
    if output != "-" and Path(output).exists() and not force:
        raise UsageError(f"{output} exists: choose another name, or overwrite it with --force")
    which = "lacks" if missing else "needs"
    why = f"Prices that {scenario.name} {which} in {scenario.region}."
    text = short.render(given.book, wanted, why, "given by hand", choice.as_of or _today(None))
    deliver(text, output, f"next: write a price in place of each ?, then use it with --prices {shlex.quote(output)}")
    return 0


@app.command("import", cls=Described)
def import_(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The directory of collected CSV files.")],
    instance_types: Annotated[
        str, typer.Option("--instance-types", metavar="FILE", help="What AWS's DescribeInstanceTypes answers, as JSON.")
    ],
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Where the books go.")] = "pricing/aws",
) -> int:
    """Rebuild the bundled price books and the catalogue of aws from collected CSV files.

    Examples:
      cascade-plan prices import collected/ --instance-types types.json
    """
    importing = registry.load("clouds", CLOUD, "prices.importing")
    if not Path(output).is_dir():
        raise UsageError(f"{output} is no directory")
    own = Path(str(data_root())) / "pricing" / CLOUD / importing.OWN
    for path in importing.write(importing.rebuild(Path(directory), Path(instance_types), own), Path(output)):
        say(f"wrote {path}")
    return 0


def _known_format(name: str, command: str) -> None:
    if name not in FORMATS:
        raise UsageError(f"no format {name!r} for prices {command}: known are {', '.join(FORMATS)}")


def _today(as_of: str | None) -> date:
    return day(as_of) or datetime.now().astimezone().date()


def _gaps(book: Book) -> dict[str, tuple[str, ...]]:
    return dict(bundled.gaps(book.cloud, book.region)) if book.region in bundled.regions(book.cloud) else {}


def _coverage_table(covered: dict[str, list[SectionCoverage]], today: date) -> str:
    from tabulate import tabulate

    headers = ("section", "prices", "oldest", "newest", "days old", "undated", "weak", "gaps")
    align = ("left", "right", "left", "left", "right", "right", "right", "right")
    parts = []
    for name, sections in covered.items():
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
        parts.append("\n".join([name, table, *(["gaps", *gaps] if gaps else [])]))
    return "\n\n".join(parts) + "\n"


def _prices_table(found: dict[str, list[Price]], cloud: str) -> str:
    from tabulate import tabulate

    from cascade_plan.reports.provenance import where_from

    headers = ("region", "price for", "USD", "per", "upfront", "from", "note")
    rows = [
        (
            region,
            str(price.key),
            str(price.usd),
            price.unit,
            "" if price.upfront_usd is None else str(price.upfront_usd),
            where_from(price, cloud),
            price.note,
        )
        for region, prices in found.items()
        for price in prices
    ]
    return tabulate(rows, headers, tablefmt="simple", disable_numparse=True) + "\n"


def _coverage_json(covered: dict[str, list[SectionCoverage]]) -> str:
    document = {region: [asdict(section) for section in sections] for region, sections in covered.items()}
    return dump({"schema_version": 1, "regions": document}, sort_keys=True)


def _prices_json(found: dict[str, list[Price]], cloud: str) -> str:
    document = {region: [_price_json(price, cloud) for price in prices] for region, prices in found.items()}
    return dump({"schema_version": 1, "prices": document}, sort_keys=True)


def _price_json(price: Price, cloud: str) -> dict[str, Any]:
    from cascade_plan.reports.provenance import where_from

    upfront = None if price.upfront_usd is None else str(price.upfront_usd)
    money = {"usd": str(price.usd), "upfront_usd": upfront}
    return {**asdict(price), **money, "key": list(price.key), "price_from": where_from(price, cloud)}
