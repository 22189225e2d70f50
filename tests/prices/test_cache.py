"""The price cache: what is stored is read back, and nothing that goes wrong leaves half of a book behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from price_rows import CELLS, KEYS

from cascade_plan import __version__
from cascade_plan.errors import PriceError, UsageError
from cascade_plan.model.price import Book, Price, PriceKey, Row
from cascade_plan.prices import cache

REGION = "eu-west-1"
M5 = PriceKey("ec2", "m5.large", "linux")
R5 = PriceKey("rds", "db.r5.large", "single_az")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the cache directory of a test."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def row(usd: str = "0.1", **cells: str) -> Row:
    given = {"upfront": "", "as_of": "2026-11-01", "source": "an offer", "sku": "SKU1", "note": ""} | cells
    return (
        *("hour", usd, given["upfront"], given["as_of"], given["source"], given["sku"], "", given["note"]),
        "cache",
    )  # fmt: skip


def put(rows: Mapping[PriceKey, Row], region: str = REGION) -> cache.Stored:
    return cache.store("aws", region, rows, "2026-11-25", "bulk")


def rows_of(book: Book | None) -> dict[PriceKey, Row]:
    assert book is not None
    return {price.key: _row(price) for price in book}


def _row(price: Price) -> Row:
    upfront = "" if price.upfront_usd is None else str(price.upfront_usd)
    about = price.as_of, price.source, price.sku, price.confirmed_by, price.note, price.origin
    return price.unit, f"{price.usd:f}", upfront, *about


@contextlib.contextmanager
def fresh_cache() -> Iterator[None]:
    """Give an example of hypothesis a cache of its own, without anything in it."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(cache.VARIABLE, folder)
        yield


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


# -------------------------------------------------------------------------------------------------------- where it is


def test_the_directory_is_the_chosen_one(home: Path) -> None:
    assert cache.directory() == home
    assert cache.path_of("aws", REGION) == home / "prices" / "v1" / "aws" / "eu-west-1.yaml"


@pytest.mark.parametrize("base", [None, "/some/where", "relative", "", "/trailing/"])
def test_the_directory_is_what_platformdirs_says(monkeypatch: pytest.MonkeyPatch, base: str | None) -> None:
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if base is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", base)
    assert cache.directory() == platformdirs.user_cache_path("cascade-plan", appauthor=False)


def test_other_systems_ask_platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setattr(cache.sys, "platform", "darwin")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: Path("/Library") / name)
    assert cache.directory() == Path("/Library/cascade-plan")


def test_a_user_without_a_home_has_no_cache_and_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", homeless)
    assert cache.read("aws", REGION) is None
    with pytest.raises(UsageError, match="set CASCADE_PLAN_CACHE_DIR to a directory that can be written"):
        put({M5: row()})


@pytest.mark.parametrize("region", ["../../etc/passwd", "", "eu-west-1/..", "EU", "a b", "x\0", "eu-west-1\n", "--"])
def test_what_is_no_region_names_no_file(region: str) -> None:
    with pytest.raises(UsageError, match="is no region"):
        cache.read("aws", region)
    with pytest.raises(UsageError, match="is no region"):
        put({M5: row()}, region=region)


def test_no_cache_is_no_book_and_imports_nothing_for_it(home: Path) -> None:
    assert cache.read("aws", REGION) is None
    program = (
        "import sys; from cascade_plan.prices import cache\n"
        "assert cache.read('aws', 'eu-west-1') is None\n"
        "print([name for name in ('platformdirs', 'filelock', 'tempfile', 'asyncio') if name in sys.modules])"
    )
    environment = {name: value for name, value in os.environ.items() if name != cache.VARIABLE}
    environment["HOME"] = str(home)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------------------------ what it holds


def test_what_is_stored_is_read_back_with_its_provenance() -> None:
    reserved = M5._replace(term="reserved_1y_all_upfront")
    given = {M5: row("0.10"), reserved: row("0.062", upfront="543.12", sku="SKU2", as_of="2026-10-31", note="a note")}
    stored = put(given)
    assert (stored.before, stored.damage, stored.path) == (None, "", cache.path_of("aws", REGION))
    found = cache.read("aws", REGION)
    assert rows_of(found) == rows_of(stored.after) == given
    assert found is not None
    assert (found.region, found.cloud, found.name) == (REGION, "aws", "aws/eu-west-1 retrieved 2026-11-25 from bulk")


def test_the_file_says_what_it_is_and_follows_the_umask() -> None:
    path = put({M5: row()}).path
    first, second, *_ = path.read_text(encoding="utf-8").splitlines()
    rest = path.read_bytes().partition(b"\n")[2]
    assert first == f"# sha256 of all that follows this line: {sha256(rest).hexdigest()}"
    assert second == f"# Written by cascade-plan {__version__}; do not edit by hand."
    umask = os.umask(0o077)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_row_takes_the_place_of_its_keys_and_nothing_else_goes() -> None:
    old = {M5: row("0.1"), M5._replace(item="m4.large"): row("0.2"), R5: row("0.5", sku="RDS")}
    put(old)
    stored = put({M5: row("0.3")})
    assert rows_of(stored.before) == old
    assert rows_of(stored.after) == rows_of(cache.read("aws", REGION)) == {**old, M5: row("0.3")}
    assert rows_of(put({}).after) == {**old, M5: row("0.3")}


OUT = PriceKey("transfer", "internet-out")
IN_GIB = ("gib", *row("0.09")[1:])


def tiers(*ranges: str) -> dict[PriceKey, Row]:
    return {OUT._replace(variant=variant): IN_GIB for variant in ranges}


def test_a_tiered_price_is_replaced_with_all_its_ranges() -> None:
    put({**tiers("0-10240", "10240-"), M5: row()})
    assert rows_of(put(tiers("0-500", "500-1000", "1000-")).after).keys() == {M5, *tiers("0-500", "500-1000", "1000-")}


INSTANCES = st.builds(
    PriceKey,
    st.just("ec2"),
    st.sampled_from(["m5.large", "m4.large"]),
    st.just("linux"),
    st.sampled_from(["on_demand", "spot", "reserved_1y_no_upfront", "compute_sp_3y_all_upfront"]),
)
DATABASES = st.builds(
    PriceKey, st.just("rds"), st.just("db.r5.large"), st.sampled_from(["single_az", "multi_az"]), st.just("on_demand")
)
METERED = st.sampled_from([("vpc", "nat-gateway"), ("eks", "cluster")]).map(lambda words: PriceKey(*words))
RANGES = st.sampled_from([("0-",), ("0-10240", "10240-"), ("0-5", "5-10240", "10240-")])
UPDATES = st.lists(
    st.tuples(st.sets(INSTANCES | DATABASES | METERED), st.none() | RANGES, st.sampled_from(["0.1", "0.2", "0.3"])),
    max_size=6,
)


@given(UPDATES)
def test_after_any_update_every_key_is_there_unless_it_was_replaced(updates: list[tuple[Any, Any, str]]) -> None:
    with fresh_cache():
        held: dict[PriceKey, Row] = {}
        for keys, ranges, usd in updates:
            rows = {key: row(usd) for key in keys}
            if ranges:
                held = {key: old for key, old in held.items() if key[:2] != OUT[:2]}
                rows |= tiers(*ranges)
            held |= rows
            assert rows_of(put(rows).after) == held


def test_regions_do_not_mix() -> None:
    put({M5: row("0.1")})
    put({M5: row("0.2")}, "us-east-1")
    assert rows_of(cache.read("aws", REGION))[M5][1] == "0.1"


def test_rows_of_no_service_are_our_own_mistake(home: Path) -> None:
    with pytest.raises(ValueError, match=r"rows of no service of aws: .'glue x on_demand'."):
        put({PriceKey("glue", "x"): row()})
    assert not home.exists()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row("-1"), "usd: must be a decimal number above 0"),
        (row(as_of="soon"), "as_of: must be"),
        (row(source=""), "source: must be"),
        (row(note="\ud800"), "a text in them is not Unicode"),
    ],
)
def test_rows_that_make_no_book_are_not_stored(bad: Row, message: str) -> None:
    put({M5: row()})
    before = cache.path_of("aws", REGION).read_bytes()
    with pytest.raises(PriceError, match=f"eu-west-1 are not stored, the cache is as it was: (?s:.*){message}"):
        put({M5: bad})
    assert cache.path_of("aws", REGION).read_bytes() == before


@given(st.dictionaries(KEYS, CELLS, max_size=6), st.data())
def test_any_text_is_stored_and_read_back(prices: dict[PriceKey, Row], data: st.DataObject) -> None:
    cached = {key: (*cells[:-1], "cache") for key, cells in prices.items()}
    with fresh_cache():
        stored = put(cached)
        assert rows_of(stored.after) == rows_of(cache.read("aws", REGION)) == cached
        once = stored.path.read_bytes()
        shuffled = dict(data.draw(st.permutations(list(cached.items()))))
        assert put(shuffled).path.read_bytes() == once
        # Rows that were only kept are as good as new.
        assert put({}).path.read_bytes() == once


# ------------------------------------------------------------------------------------------------------------- damage


def signed(text: str) -> bytes:
    return f"# sha256 of all that follows this line: {sha256(text.encode()).hexdigest()}\n{text}".encode()


def body() -> str:
    return cache.path_of("aws", REGION).read_text(encoding="utf-8").partition("\n")[2]


DAMAGES: dict[str, tuple[Any, str]] = {
    "empty": (lambda text: b"", "are damaged: the first line holds no checksum"),
    "cut": (lambda text: signed(text)[:-20], "are damaged: the checksum does not match"),
    "edited": (lambda text: signed(text).replace(b"0.1,", b"0.2,"), "are damaged: the checksum does not match"),
    "no checksum": (lambda text: text.encode(), "are damaged: the first line holds no checksum"),
    "crlf": (lambda text: signed(text).replace(b"\n", b"\r\n"), "are damaged: the first line holds no checksum"),
    "newer": (
        lambda text: signed(text.replace("format: 1", "format: 2")),
        "have format 2 of a newer cascade-plan; this one reads 1",
    ),
    "other region": (
        lambda text: signed(text.replace("region: eu-west-1", "region: eu-west-2")),
        "those of aws/eu-west-2",
    ),
    "no price": (lambda text: signed(text.replace("hour,0.1,", "hour,NaN,")), "usd: must be a decimal number"),
    "half a header": (lambda text: signed(text.replace('retrieved: "2026-11-25"\n', "")), "retrieved: is missing"),
    "no day": (lambda text: signed(text.replace('"2026-11-25"', '"2026-11"')), "retrieved: must be a day, YYYY-MM-DD"),
    "no source": (lambda text: signed(text.replace('_from: "bulk"', '_from: ""')), "retrieved_from: must be text"),
    "no text": (
        lambda text: b"# sha256 of all that follows this line: " + sha256(b"\xff").hexdigest().encode() + b"\n\xff",
        "not UTF-8 text",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_with_the_ways_out_and_replaced_by_an_update(damage: str) -> None:
    put({M5: row("0.1"), R5: row()})
    path = cache.path_of("aws", REGION)
    made, message = DAMAGES[damage]
    path.write_bytes(made(body()))
    with pytest.raises(PriceError) as caught:
        cache.read("aws", REGION)
    said = str(caught.value)
    assert message in said
    assert str(path) in said
    for way_out in ("`cascade-plan prices update --region eu-west-1`", "remove the file", "--no-price-cache"):
        assert way_out in said
    stored = put({M5: row("0.3")})
    assert (stored.before, stored.damage) == (None, said)
    assert rows_of(cache.read("aws", REGION)) == {M5: row("0.3")}


def test_a_day_without_quotes_is_a_day_too() -> None:
    put({M5: row()})
    cache.path_of("aws", REGION).write_bytes(signed(body().replace('"2026-11-25"', "2026-11-25")))
    assert rows_of(cache.read("aws", REGION)) == {M5: row()}


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_changed_byte_goes_unseen(data: st.DataObject) -> None:
    raw = bytearray(put({M5: row()}).path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    cache.path_of("aws", REGION).write_bytes(raw)
    with pytest.raises(PriceError):
        cache.read("aws", REGION)


def test_what_cannot_be_read_is_neither_used_nor_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    path = put({M5: row()}).path
    before = path.read_bytes()

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        for attempt in (lambda: cache.read("aws", REGION), lambda: put({M5: row("0.2")})):
            with pytest.raises(PriceError, match="cannot be read: permission denied; run `cascade-plan"):
                attempt()
    assert path.read_bytes() == before


def test_a_directory_in_the_files_place_is_refused() -> None:
    cache.path_of("aws", REGION).mkdir(parents=True)
    with pytest.raises(PriceError, match="cannot be read: is a directory"):
        cache.read("aws", REGION)
    with pytest.raises(PriceError, match="cannot be read: is a directory"):
        put({M5: row()})


# ---------------------------------------------------------------------------------------------------- failed writing


@pytest.mark.parametrize("below", ["", "prices", "prices/v1/aws"])
def test_a_file_in_the_directorys_place(home: Path, below: str) -> None:
    (home / below).parent.mkdir(parents=True, exist_ok=True)
    (home / below).write_text("mine")
    assert cache.read("aws", REGION) is None
    with pytest.raises(UsageError, match=r"cannot write the price cache in .*; set CASCADE_PLAN_CACHE_DIR"):
        put({M5: row()})
    assert (home / below).read_text() == "mine"


@pytest.mark.parametrize("broken", ["write", "fsync", "replace"])
def test_a_disk_that_fills_up_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    path = put({M5: row()}).path
    before, write = path.read_bytes(), os.write

    def fail(*arguments: Any) -> int:
        if broken == "write" and len(arguments[1]) > 100:
            return write(arguments[0], arguments[1][:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fail)
        with pytest.raises(UsageError, match=r"cannot write .*: no space left on device"):
            put({M5: row("0.2")})
    assert path.read_bytes() == before
    assert names(path.parent) == ["eu-west-1.yaml"]
    assert rows_of(put({M5: row("0.2")}).after) == {M5: row("0.2")}


HEAD = """
import os, signal, sys, time
from cascade_plan.errors import CascadePlanError
from cascade_plan.model.price import PriceKey
from cascade_plan.prices import cache

def put(usd, service="ec2", item="m5.large", variant="linux"):
    row = ("hour", usd, "", "2026-11-01", "an offer", "SKU1", "", "", "cache")
    key = PriceKey(service, item, variant)
    return cache.store("aws", "eu-west-1", {key: row}, "2026-11-25", "bulk")
"""


def child(program: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HEAD + program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def paused(program: str) -> Iterator[subprocess.Popen[str]]:
    """Give a child that has said "ready", and see that it is gone afterwards."""
    process = child(program)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_real_limit_on_the_file_size() -> None:
    path = put({M5: row()}).path
    before = path.read_bytes()
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "try: put('0.2')\n"
        "except CascadePlanError as error: print(error.exit_code, error)\n"
    )
    said, trace = child(program).communicate()
    assert said == f"2 cannot write {str(path)!r}: file too large\n"
    assert trace == ""
    assert path.read_bytes() == before
    assert names(path.parent) == ["eu-west-1.yaml"]


@pytest.mark.parametrize("locked_before", [True, False])
def test_a_read_only_directory(monkeypatch: pytest.MonkeyPatch, locked_before: bool) -> None:
    # Not tmp_path, whose parents only their owner may enter: the child gives up being root, whom no mode stops.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv(cache.VARIABLE, folder)
        path = put({M5: row()}).path
        if not locked_before:
            path.with_suffix(".lock").unlink()
        before = path.read_bytes()
        path.parent.chmod(0o555)
        program = (
            "import filelock, asyncio, cascade_plan.prices.writing\n"
            "if os.geteuid() == 0: os.setuid(65534)\n"
            "assert cache.read('aws', 'eu-west-1') is not None\n"
            "try: put('0.2')\n"
            "except CascadePlanError as error: print(error.exit_code, error)\n"
        )
        started = time.monotonic()
        said, trace = child(program).communicate()
        assert trace == ""
        assert said.startswith("2 cannot write ")
        assert "permission denied" in said
        assert time.monotonic() - started < cache.LOCK_TIMEOUT_S / 2, "it does not wait for what cannot come"
        assert path.read_bytes() == before
        path.parent.chmod(0o755)
        assert names(path.parent) == ["eu-west-1.yaml"]


def test_a_process_killed_while_it_writes() -> None:
    path = put({M5: row()}).path
    before = path.read_bytes()
    program = "os.fsync = lambda _: (print('ready', flush=True), time.sleep(60))\nput('0.2')\n"
    with paused(program) as writer:
        (half,) = path.parent.glob("*.tmp")
        assert half.stat().st_size > 0
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    assert path.read_bytes() == before
    assert rows_of(cache.read("aws", REGION)) == {M5: row()}
    # Its lock died with it, and what it left goes once it is surely nobody's.
    assert rows_of(put({M5: row("0.3")}).after) == {M5: row("0.3")}
    assert half.exists()
    os.utime(half, (time.time() - 2 * cache.STALE_S,) * 2)
    put({M5: row("0.4")})
    assert names(path.parent) == ["eu-west-1.yaml"]


def test_only_our_own_leavings_are_removed() -> None:
    path = put({M5: row()}).path
    mine = path.with_name("notes.tmp")
    mine.write_text("mine")
    os.utime(mine, (0, 0))
    put({M5: row("0.2")})
    assert mine.read_text() == "mine"


# ------------------------------------------------------------------------------------------------------- two at once

HOLD = "with cache._locked(cache.path_of('aws', 'eu-west-1'), 'eu-west-1'):\n"
HOLD += "    print('ready', flush=True); time.sleep(60)\n"


def test_a_lock_that_is_held_is_waited_for_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    path = put({M5: row()}).path
    before = path.read_bytes()
    monkeypatch.setattr(cache, "LOCK_TIMEOUT_S", 0.3)
    with paused(HOLD):
        started = time.monotonic()
        with pytest.raises(UsageError, match=r"another update of eu-west-1 is running .*eu-west-1\.lock"):
            put({M5: row("0.2")})
        assert time.monotonic() - started >= 0.3
        put({M5: row()}, region="us-east-1")  # another region's lock is another lock
        assert rows_of(cache.read("aws", REGION)) == {M5: row()}  # and readers wait for nobody
    assert path.read_bytes() == before
    put({M5: row("0.2")})  # the holder was killed: its lock is free


def test_ctrl_c_while_waiting_for_the_lock() -> None:
    path = put({M5: row()}).path
    before = path.read_bytes()
    with cache._locked(path, REGION):
        waiting = child(
            "import filelock; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "print('ready', flush=True); put('0.2')\n"
        )
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "ready\n"
        time.sleep(0.5)
        assert waiting.poll() is None
        waiting.send_signal(signal.SIGINT)
        said, trace = waiting.communicate(timeout=10)
    assert said == ""
    assert trace.rstrip().endswith("KeyboardInterrupt")
    assert path.read_bytes() == before
    assert names(path.parent) == ["eu-west-1.yaml"]
    assert rows_of(put({M5: row("0.3")}).after) == {M5: row("0.3")}


def test_two_updates_at_once_lose_nothing_and_no_reader_sees_half() -> None:
    rounds = 40
    program = (
        f"for number in range(1, {rounds} + 1):\n"
        "    before = put(f'0.{number:03}', *sys.argv[1:]).before\n"
        "    price = before and before.find(*sys.argv[1:])\n"
        "    assert number == 1 or str(price.usd) == f'0.{number - 1:03}', 'the other undid what this one stored'\n"
    )
    writers = [child(program, "ec2", "m5.large", "linux"), child(program, "rds", "db.r5.large", "single_az")]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if (book := cache.read("aws", REGION)) is not None:
            seen.add(tuple(str(price.usd) for price in book))
    assert [writer.communicate() for writer in writers] == [("", "")] * 2
    assert [writer.returncode for writer in writers] == [0, 0]
    last = f"0.{rounds:03}"
    assert {key: cells[1] for key, cells in rows_of(cache.read("aws", REGION)).items()} == {M5: last, R5: last}
    assert len(seen) > 1
    assert names(cache.path_of("aws", REGION).parent) == ["eu-west-1.yaml"]
