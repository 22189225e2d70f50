"""The disk and the YAML reader: nothing half written, nothing silently misread, every mistake named where it stands."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Annotated, Any, Literal, Self

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from cascade_plan import files
from cascade_plan.errors import CascadePlanError, Problem, ScenarioError, UsageError
from cascade_plan.files import Document, parse_yaml, read_text, set_values, validate, write_atomically, write_output

LOADERS = sorted({yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)}, key=lambda loader: loader.__name__)


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def each_loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with libyaml and with PyYAML's own parser, which read_text's user may or may not have."""
    monkeypatch.setattr(files, "_LOADER", request.param)


def outcome(read: Callable[[], Any]) -> tuple[Any, list[Problem]]:
    """Return (what a function returns, []) or (None, the problems it raises). Any other exception passes."""
    try:
        return read(), []
    except ScenarioError as error:
        return None, error.problems


def problems(text: str) -> list[str]:
    """Return the problems of a text as lines, "f:1:1: ..."."""
    with pytest.raises(ScenarioError) as caught:
        parse_yaml(text, "f")
    return [str(problem) for problem in caught.value.problems]


# ------------------------------------------------------------------------------------------------------------ writing


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".tmp"))


def test_writes_utf8_and_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", "grüße\n")
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_bytes() == "grüße\n".encode()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert leftovers(tmp_path) == []


def test_keeps_the_mode_of_an_existing_file(tmp_path: Path) -> None:
    target = tmp_path / "old"
    target.write_text("old")
    target.chmod(0o604)
    write_atomically(target, "new")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", 0o604)


def test_follows_a_link_and_leaves_it_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("old")
    (tmp_path / "link").symlink_to("real/file")
    (tmp_path / "dangling").symlink_to("real/new")
    write_atomically(tmp_path / "link", "new")
    write_atomically(tmp_path / "dangling", "made")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "file").read_text() == "new"
    assert (tmp_path / "real" / "new").read_text() == "made"
    assert leftovers(tmp_path / "real") == []


@pytest.mark.parametrize("broken", ["write", "fsync", "replace", "close"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "ctrl-c"])
def test_a_failure_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, error: BaseException
) -> None:
    target = tmp_path / "file"
    target.write_text("old")
    real_write, real_close = os.write, os.close

    def fail(*arguments: Any) -> int:
        if broken == "write" and len(arguments[1]) > 5:  # a disk that fills up half way
            return real_write(arguments[0], arguments[1][:5])
        if broken == "close":
            real_close(arguments[0])
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, fail)
        with pytest.raises((UsageError, KeyboardInterrupt)) as caught:
            write_atomically(target, "new and longer")
    if isinstance(error, OSError):
        assert str(caught.value) == f"cannot write {str(target)!r}: no space left on device"
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_real_limit_on_the_file_size(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from pathlib import Path; from cascade_plan.files import write_atomically\n"
        "from cascade_plan.errors import UsageError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: write_atomically(Path(sys.argv[1]), 'x' * 5000)\n"
        "except UsageError as error: print(error)\n"
    )
    target = tmp_path / "file"
    target.write_text("old")
    done = subprocess.run([sys.executable, "-c", program, str(target)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"cannot write {str(target)!r}: file too large"
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_two_writers_and_a_reader_never_see_a_mixture(tmp_path: Path) -> None:
    target = tmp_path / "file"
    texts = ["a" * 200_000, "b" * 300_000]
    write_atomically(target, texts[0])

    def write(text: str) -> None:
        for _ in range(10):
            write_atomically(target, text)

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert target.read_text() in texts
    for writer in writers:
        writer.join()
    assert target.read_text() in texts
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "is a directory"),
        ("absent/file", "no such file or directory"),
        ("file/below", "not a directory"),
        ("n" * 300, "file name too long"),
        ("nul\0", "embedded null byte"),
        ("loop", "too many levels of symbolic links"),
    ],
)
def test_an_unusable_path_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UsageError) as caught:
        write_atomically(tmp_path / name, "text")
    assert str(caught.value).endswith(f": {reason}")
    assert "\n" not in str(caught.value)
    assert leftovers(tmp_path) == []


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UsageError, match="permission denied"):
        write_atomically(tmp_path / "file", "text")


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_atomically(Path(os.devnull), "text")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no space left on device"):
        write_atomically(Path("/dev/full"), "text")
    stream = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closing it fails, which is the point
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(UsageError, match="cannot write to standard output: no space left"):
        write_output("-", "text")
    with pytest.raises(OSError, match="No space"):
        stream.close()


def test_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="surrogates not allowed"):
        write_atomically(tmp_path / "file", "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_write_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_output(str(tmp_path / "file"), "text")
    assert (tmp_path / "file").read_text() == "text"
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    write_output("-", "grüße\n")
    assert raw.getvalue() == "grüße\n".encode()
    monkeypatch.setattr(sys, "stdout", plain := io.StringIO())
    write_output("-", "text")
    assert plain.getvalue() == "text"
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UsageError, match="it is closed"):
        write_output("-", "text")


def test_a_closed_pipe_is_left_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=fail, flush=fail))
    with pytest.raises(BrokenPipeError):
        write_output("-", "text")


# ------------------------------------------------------------------------------------------------------------ reading


def test_read_text(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_text(str(path)) == ("a: 1\n", str(path))
    assert read_text(str(path), limit=8)[0] == "a: 1\n"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", "is a directory"),
        ("absent", "no such file or directory"),
        ("big", "it is larger than the 10 bytes allowed"),
        ("latin", "it is not UTF-8 text (byte 0xfc at offset 2)"),
        ("nul\0", "embedded null byte"),
    ],
)
def test_an_unreadable_file_is_one_line(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "big").write_text("x" * 11)
    (tmp_path / "latin").write_bytes(b"gr\xfc\xdfe")
    path = str(tmp_path / name)
    with pytest.raises(UsageError) as caught:
        read_text(path, limit=10)
    assert str(caught.value) == f"cannot read {path!r}: {reason}"


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UsageError, match="permission denied"):
        read_text(str(tmp_path / "file"))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a: 1")))
    assert read_text("-") == ("a: 1", "<stdin>")
    monkeypatch.setattr(sys, "stdin", io.StringIO("b: ü"))
    assert read_text("-") == ("b: ü", "<stdin>")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="cannot read '<stdin>': it is closed"):
        read_text("-")


def test_data_root_holds_prices_and_scenarios() -> None:
    assert files.data_root().joinpath("pricing").is_dir()
    assert files.data_root().joinpath("scenarios").is_dir()


def test_data_root_of_a_broken_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.resources.files", lambda _: tmp_path)
    monkeypatch.setattr(files, "__file__", str(tmp_path / "cascade_plan" / "files.py"))
    with pytest.raises(CascadePlanError, match="missing from this installation"):
        files.data_root()
    (tmp_path / "data" / "pricing").mkdir(parents=True)
    assert files.data_root() == tmp_path / "data"


# --------------------------------------------------------------------------------------------------------------- YAML


@pytest.mark.usefixtures("each_loader")
def test_scalars_without_surprises() -> None:
    text = """
    bools: [true, False, TRUE]
    words: [yes, no, on, off, y, n]
    times: [12:30, 2024-01-01, 2024-01-01T00:00:00Z]
    texts: [010, 0x10, 0b1, 1e3, 1_, "10", '1.5', "true", "", =, -, 1.2.3]
    ints: [0, -1, +7, 10_000, 12345678901234567890]
    floats: [1.5, -0.25, 1., .5, 1.0e+3, 10_0.5]
    nulls: [~, null, NULL, ]
    empty:
    """
    assert parse_yaml(text, "f").data == {
        "bools": [True, False, True],
        "words": ["yes", "no", "on", "off", "y", "n"],
        "times": ["12:30", "2024-01-01", "2024-01-01T00:00:00Z"],
        "texts": ["010", "0x10", "0b1", "1e3", "1_", "10", "1.5", "true", "", "=", "-", "1.2.3"],
        "ints": [0, -1, 7, 10_000, 12345678901234567890],
        "floats": [1.5, -0.25, 1.0, 0.5, 1000.0, 100.5],
        "nulls": [None, None, None],
        "empty": None,
    }
    data = parse_yaml("{a: 1, b: 1.0, c: true}", "f").data
    assert [type(value) for value in data.values()] == [int, float, bool]


@pytest.mark.usefixtures("each_loader")
def test_core_tags_are_taken_at_their_word() -> None:
    text = 'a: !!str 10\nb: !!int "10"\nc: !!float 1\nd: !!map {e: !!seq [1]}\nf: !!null ""\ng: [! 12, ! "12"]\n'
    assert parse_yaml(text, "f").data == {"a": "10", "b": 10, "c": 1, "d": {"e": [1]}, "f": None, "g": ["12", "12"]}


@pytest.mark.usefixtures("each_loader")
def test_marks() -> None:
    document = parse_yaml("users:\n  peak: 10\n  'profile': [1,\n    2]\ntiers: {api: &a {shape: x}, b: *a}\n", "f")
    assert document.name == "f"
    assert document.marks == {
        (): (1, 1),
        ("users",): (2, 3),
        ("users", "peak"): (2, 9),
        ("users", "profile"): (3, 14),
        ("users", "profile", 0): (3, 15),
        ("users", "profile", 1): (4, 5),
        ("tiers",): (5, 8),
        ("tiers", "api"): (5, 14),  # where the anchor stands
        ("tiers", "api", "shape"): (5, 25),
        ("tiers", "b"): (5, 14),
        ("tiers", "b", "shape"): (5, 25),
    }
    assert document.key_marks["users",] == (1, 1)
    assert document.key_marks["tiers", "b"] == (5, 29)
    assert document.place(("users", "peak")) == ("f", 2, 9)
    assert document.key_place(("users", "peak")) == ("f", 2, 3)
    assert document.place(("users",)) == ("f", 1, 1)
    assert document.place(("users", "absent", 3)) == ("f", 1, 1)
    assert document.place(("absent",)) == ("f", 1, 1)


def test_aliases_are_copies() -> None:
    data = parse_yaml("a: &x {n: [1]}\nb: *x\nc: *x\n", "f").data
    assert data["b"] == data["c"] == {"n": [1]}
    assert data["b"] is not data["c"]


@pytest.mark.usefixtures("each_loader")
def test_every_problem_at_once_in_file_order() -> None:
    text = """\
a: !!python/object/apply:os.system [ls]
b: !mine 2
c: .nan
a: 3
1: one
~: none
<<: {a: 1}
? [x]
: list
nested: {d: -.INF, d: [1.0e+999], e: 1}
long: %s
wrong: !!int ten
t: !!timestamp 2024-01-01
""" % ("9" * 5000)
    assert problems(text) == [
        "f:1:4: a: the tag !!python/object/apply:os.system is not supported; remove it",
        "f:2:4: b: the tag !mine is not supported; remove it",
        "f:3:4: c: must be a finite number, got .nan",
        "f:4:1: a: duplicate key; first given on line 1",
        "f:5:1: a key must be text, got 1; put it in quotes",
        "f:6:1: a key must be text, got nothing; put it in quotes",
        "f:7:1: merge keys (<<) are not supported; write the fields out",
        "f:8:3: a key must be text, got a mapping or list; quote it if it is meant as text",
        "f:10:13: nested.d: must be a finite number, got -.INF",
        "f:10:20: nested.d: duplicate key; first given on line 10",
        "f:11:7: long: a number may have at most 100 characters, got 5000",
        "f:12:8: wrong: 'ten' is no int, which its tag says it is",
        "f:13:4: t: the tag !!timestamp is not supported; remove it",
    ]


@pytest.mark.usefixtures("each_loader")
@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "the document is empty"),
        ("# only a comment\n", "1:1", "the document is empty"),
        ("---\n...\n", "1:1", "the document is empty"),
        ("- 1", "1:1", "the document must be a mapping of fields, got a list"),
        ("ten", "1:1", "the document must be a mapping of fields, got 'ten'"),
        ("a: 1\n---\nb: 2", "2:1", "a second document starts here; one file holds one document"),
        ("a: *x", "1:4", "the alias *x has no anchor &x above it"),
        ("a: &x [*x]", "1:8", "the alias *x stands inside what it refers to"),
        ("a: " + "[" * 60, "1:53", "nested deeper than 50 levels"),
        ("a:\n\tb: 1", None, "indent with spaces, not tabs"),
        ("a: @x", "1:4", "a value cannot start with '@'; quote it"),
        ("a: b: c", "1:5", "a ':' cannot stand here; check the indentation, or quote text that holds ': '"),
        ("a: [1\nb: 2", None, "a ',' or ']' is missing (in the list that starts on line 1)"),
        ("a: {b: 1\nc: [", None, "(in the mapping that starts on line 1)"),
        ("a: 'x\n\n", None, "the quote opened on line 1 is never closed"),
        ('a: "\\q"', None, "unknown escape in double quotes; use single quotes, or double the backslash"),
        ('a: "b" c', None, "unexpected here; check the indentation and the quotes"),
        ("a: 1\n\nb: \x07", "3:4", "the character U+0007 is not allowed; in double quotes, write it as an escape"),
        ("a: \ud800", "1:4", "the character U+D800 is not allowed; in double quotes, write it as an escape"),
    ],
)
def test_what_ends_the_search(text: str, place: str | None, message: str) -> None:
    (found,) = problems(text)
    assert found.endswith(message)
    assert place is None or found == f"f:{place}: {message}"


@pytest.mark.usefixtures("each_loader")
def test_bounds_on_aliases_values_and_depth() -> None:
    anchor = "a: &x 1\nb: ["
    assert len(parse_yaml(anchor + "*x, " * 100 + "]", "f").data["b"]) == 100
    assert problems(anchor + "*x, " * 101 + "]")[0].endswith("more than 100 aliases")
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
    )
    started = time.perf_counter()
    assert problems(laughs)[0].endswith("more than 20,000 values, aliases included")
    assert time.perf_counter() - started < 2
    assert problems("a: [" + "1," * 20_000 + "]")[0].endswith("more than 20,000 values, aliases included")
    assert len(parse_yaml("a: [" + "1," * 20_000 + "]", "f", max_nodes=30_000).data["a"]) == 20_000
    deep = "a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 30 + "*a" + "]" * 30
    assert problems(deep)[0].endswith("nested deeper than 50 levels")
    assert parse_yaml("a: " + "[" * 49 + "]" * 49, "f").data
    for bomb in ("[" * 500_000, "{a: " * 200_000, "- " * 300_000, "? " * 300_000):
        assert problems(bomb)


keys = st.text(max_size=20)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**99) + 1, 10**99)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.from_regex(r"[-+]?[0-9._:eExob]{1,8}", fullmatch=True)
    | st.sampled_from(["yes", "NO", "on", "true", "Null", "~", "<<", "=", ".inf", ".iNF", "-.5", "1e3", "12:30", "1_0"])
)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=25
)
documents = st.dictionaries(keys, json_values, min_size=1, max_size=5)
relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.usefixtures("each_loader")
@relaxed
@given(documents, st.sampled_from([None, True, False]), st.booleans())
def test_what_yaml_dumps_parses_back_equal(data: dict[str, Any], style: bool | None, is_wide: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=style, sort_keys=False, width=1000 if is_wide else 20)
    document = parse_yaml(text, "f")
    assert document.data == data
    assert repr(document.data) == repr(data)  # 1, 1.0 and True are equal
    lines = text.splitlines()
    assert all(0 < line <= len(lines) + 1 and column > 0 for line, column in document.marks.values())
    assert set(document.key_marks) <= set(document.marks)


soup = st.lists(
    st.sampled_from(
        [*"[]{}:,-?&*!|>'\"%@`#~ \n\t", "a", "b: ", "&a ", "*a", "<<: ", "- ", "---\n", "\\x", "!!int ", "9"]
    ),
    max_size=60,
).map("".join)


@pytest.mark.usefixtures("each_loader")
@relaxed
@given(st.text(st.characters(), max_size=80) | soup)
def test_random_text_is_a_document_or_a_scenario_error(text: str) -> None:
    document, found = outcome(lambda: parse_yaml(text, "f"))
    assert found or isinstance(document.data, dict)
    assert all(problem.file == "f" and problem.line >= 1 and problem.column >= 1 for problem in found)
    assert all("\n" not in str(problem) for problem in found)


# -------------------------------------------------------------------------------------------------------------- --set

BASE = "users:\n  peak: 10\n  profile: [1, 2]\ntiers:\ngates: {a.b: ['< 1']}\n"


def with_set(*pairs: tuple[str, str], text: str = BASE) -> Document:
    return set_values(parse_yaml(text, "f"), [(f"--set {path}={raw}", path, raw) for path, raw in pairs])


def test_set_values_and_their_origins() -> None:
    before = parse_yaml(BASE, "f")
    document = with_set(
        ("users.peak", "20_000"),
        ("users.profile[1]", "2.5"),
        ("users.profile.0", "7"),
        ("tiers.api.shape", "{vcpu: 2}"),
        ("tiers.api.shape.vcpu", "4"),
        ('gates."a.b"[0]', '"< 2"'),
        ("name", ""),
    )
    assert document.data == {
        "users": {"peak": 20_000, "profile": [7, 2.5]},
        "tiers": {"api": {"shape": {"vcpu": 4}}},
        "gates": {"a.b": ["< 2"]},
        "name": None,
    }
    assert before.data["users"] == {"peak": 10, "profile": [1, 2]}
    assert document.place(("users", "peak")) == ("--set users.peak=20_000", 0, 0)
    assert document.key_place(("users", "peak")) == ("--set users.peak=20_000", 0, 0)
    assert document.place(("users", "profile", 1, "below")) == ("--set users.profile[1]=2.5", 0, 0)
    assert document.place(("users",)) == ("f", 1, 1)
    assert document.place(("tiers", "api")) == ("--set tiers.api.shape={vcpu: 2}", 0, 0)
    assert document.place(("tiers", "api", "shape", "vcpu")) == ("--set tiers.api.shape.vcpu=4", 0, 0)
    assert document.place(("gates", "a.b", 0))[1:] == (0, 0)
    assert not any(trail[:2] == ("users", "peak") for trail in document.marks)


def test_a_later_value_replaces_all_below_it() -> None:
    document = with_set(("users.peak", "1"), ("users", "{average: 2}"))
    assert document.data["users"] == {"average": 2}
    assert document.place(("users", "peak")) == ("--set users={average: 2}", 0, 0)
    assert not any(trail[:1] == ("users",) for trail in document.marks)


@pytest.mark.parametrize(
    ("path", "raw", "message"),
    [
        ("users.peak.x", "1", "users.peak.x: 'x' cannot be set inside the value 10"),
        ("users.profile.x", "1", "users.profile.x: a list is indexed by numbers, not 'x'"),
        ("users.profile[2]", "1", "users.profile[2]: there is no item 2: the list holds 2, counted from 0"),
        ("users[0]", "1", "users[0]: [0] needs a list, but there is a mapping"),
        ("users..peak", "1", "users..peak: not a path such as users.peak, users.profile[3] or"),
        ("", "1", "not a path such as"),
        ("users.", "1", "users.: not a path"),
        ("users.peak", "[1", "users.peak: a ',' or ']' is missing"),
        ("users.peak", "{a: .nan}", "users.peak.a: must be a finite number, got .nan"),
        ("users.peak", "[.nan]", "users.peak[0]: must be a finite number, got .nan"),
        ("users.peak", "!x 1", "users.peak: the tag !x is not supported; remove it"),
        ("users.peak", "a: b", "users.peak: must be a plain value, [..] or {..}; put text that holds ': '"),
        ("users.peak", "- a", "users.peak: must be a plain value, [..] or {..}; put text that holds ': '"),
        ("users.peak", "\x00", "users.peak: the character U+0000 is not allowed"),
    ],
)
def test_set_values_refuses(path: str, raw: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        with_set((path, raw))
    (problem,) = caught.value.problems
    assert str(problem).startswith(f"--set {path}={raw}: {message}")
    assert (problem.line, problem.column) == (0, 0)


def test_set_values_names_all_that_is_wrong() -> None:
    with pytest.raises(ScenarioError) as caught:
        with_set(("users.peak.x", "1"), ("users.peak", "5"), ("a..b", "1"))
    assert len(caught.value.problems) == 2


@relaxed
@given(st.text(max_size=30) | soup, st.text(max_size=30) | soup)
def test_random_assignments_are_set_or_refused(path: str, raw: str) -> None:
    document, found = outcome(lambda: with_set((path, raw)))
    assert found or isinstance(document.data, dict)


@relaxed
@given(documents, json_values)
def test_a_field_name_is_a_path_to_the_same_place(data: dict[str, Any], value: Any) -> None:
    document = parse_yaml(yaml.safe_dump(data), "f")
    raw = yaml.safe_dump(value, default_flow_style=True, width=10**6).removesuffix("\n...\n")
    for trail in list(document.marks)[1:]:
        name = files.field_name(trail)
        if all(isinstance(step, int) or (step and step.isprintable() and '"' not in step) for step in trail):
            changed = set_values(document, [("--set", name, raw)])
            assert files._value_at(changed.data, trail) == value


# --------------------------------------------------------------------------------------------------------- validating

Name = Annotated[str, StringConstraints(pattern=r"^[a-z]+$", max_length=8)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Users(Part):
    peak: Annotated[int, Field(ge=1, le=1000)]
    average: Annotated[int, Field(ge=1)]
    share: Annotated[float, Field(gt=0, lt=1.0, allow_inf_nan=False)] = 0.5
    profile: Literal["weekday", "flat"] | Annotated[list[float], Field(min_length=2, max_length=3)] = "flat"

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.average > self.peak:
            raise ValueError(f"average ({self.average}) must not exceed peak ({self.peak})")
        return self


class Need(Part):
    vcpu: Annotated[int, Field(ge=1)] = 1
    memory_gib: float


class Tier(Part):
    shape: Name | Need = "small"
    shapes: list[Name | Need] = []
    nodes: int | None = None
    direction: Literal["up", "down"] = "up"
    multi_az: bool = False


class Model(Part):
    version: Literal[1] = 1
    users: Users
    tiers: dict[Name, Tier] = {}
    tags: dict[str, Annotated[list[str], Field(min_length=1)]] = {}
    only: int | bool = 1


GOOD = "users: {peak: 10, average: 5}\n"


def invalid(text: str, *pairs: tuple[str, str]) -> list[str]:
    """Return the problems of validating a text as lines."""
    with pytest.raises(ScenarioError) as caught:
        validate(Model, with_set(*pairs, text=text))
    return [str(problem) for problem in caught.value.problems]


def test_a_valid_document_is_a_model() -> None:
    text = GOOD + "tiers: {a: {shape: {vcpu: 2, memory_gib: 4}, shapes: [x, {memory_gib: 1.5}]}}\ntags: {x.y: [z]}\n"
    model = validate(Model, parse_yaml(text, "f"))
    assert model.tiers["a"].shape == Need(vcpu=2, memory_gib=4.0)
    assert model.users.peak == 10


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("peak: 0", "peak: must be at least 1, got 0"),
        ("peak: 1001", "peak: must be at most 1000, got 1001"),
        ("peak: ten thousand", "peak: must be a whole number, got 'ten thousand'"),
        ("peak: '10'", "peak: must be a whole number, got '10'; remove the quotes"),
        ("peak: 1e3", "peak: must be a whole number, got '1e3'"),
        ("peak: 10.0", "peak: must be a whole number, got 10.0"),
        ("peak: 10.5", "peak: must be a whole number, got 10.5"),
        ("peak: true", "peak: must be a whole number, got true"),
        ("peak:", "peak: must be a whole number, got nothing"),
        ("peak: [1]", "peak: must be a whole number, got a list"),
        ("share: 0", "share: must be more than 0, got 0"),
        ("share: 1", "share: must be less than 1, got 1"),
        ("share: yes", "share: must be a number, got 'yes'"),
        ("share: true", "share: must be a number, got true"),
        ("profile: weekly", "must be one of 'weekday', 'flat' or a list, got 'weekly'; did you mean 'weekday'?"),
        ("profile: {a: 1}", "profile: must be one of 'weekday', 'flat' or a list, got a mapping"),
        ("profile: [1]", "profile: must have at least 2 items, got 1"),
        ("profile: [1, 2, 3, 4]", "profile: must have at most 3 items, got 4"),
        ("profile: [1, x]", "profile[1]: must be a number, got 'x'"),
    ],
)
def test_one_value_is_one_problem(text: str, message: str) -> None:
    name = text.partition(":")[0]
    rest = "".join(f"  {key}: {value}\n" for key, value in (("peak", 10), ("average", 5)) if key != name)
    (found,) = invalid(f"users:\n{rest}  {text}\n")
    assert found.endswith(message)
    line = 3 if name == "peak" else 4
    assert found.startswith(f"f:{line}:")


def test_unions_collapse_to_one_problem_each() -> None:
    text = (
        GOOD
        + """\
tiers:
  a:
    shape: 5
  b:
    shape: X1
  c:
    shape: {vcpu: 2}
  d:
    shape: {memory_gib: x, vcpus: 0}
    shapes: [x, {memory_gib: 1, vcpu: 0}, 7]
only: x
"""
    )
    assert invalid(text) == [
        "f:4:12: tiers.a.shape: must be text or a mapping, got 5",
        "f:6:12: tiers.b.shape: must match ^[a-z]+$, got 'X1'",
        "f:8:5: tiers.c.shape.memory_gib: required field is missing",
        "f:10:25: tiers.d.shape.memory_gib: must be a number, got 'x'",
        "f:10:28: tiers.d.shape.vcpus: unknown field; did you mean 'vcpu'? allowed: memory_gib, vcpu",
        "f:11:39: tiers.d.shapes[1].vcpu: must be at least 1, got 0",
        "f:11:43: tiers.d.shapes[2]: must be text or a mapping, got 7",
        "f:12:7: only: must be a whole number or true or false, got 'x'",
    ]


def test_unknown_missing_and_misnamed_fields() -> None:
    text = """\
version: 2
user: {}
users:
  peek: 5
  average: 5
tiers:
  Api: {}
  web:
    direction: don
    multi_az: yes
    zzz: 1
  bare:
tags: {x.y: []}
"""
    fields = "average, peak, profile, share"
    assert invalid(text) == [
        "f:1:10: version: must be 1, got 2",
        "f:2:1: user: unknown field; did you mean 'users'? allowed: only, tags, tiers, users, version",
        "f:3:1: users.peak: required field is missing",
        f"f:4:3: users.peek: unknown field; did you mean 'peak'? allowed: {fields}",
        "f:7:3: tiers.Api: its name must match ^[a-z]+$, got 'Api'",
        "f:9:16: tiers.web.direction: must be one of 'up', 'down', got 'don'; did you mean 'down'?",
        "f:10:15: tiers.web.multi_az: must be true or false, got 'yes'",
        "f:11:5: tiers.web.zzz: unknown field; allowed: direction, multi_az, nodes, shape, shapes",
        "f:12:8: tiers.bare: must be a mapping, got nothing",
        'f:13:8: tags."x.y": must have at least 1 item, got 0',
    ]


def test_our_own_validators_speak_for_themselves() -> None:
    assert invalid("users:\n  peak: 5\n  average: 6\n") == ["f:1:1: users: average (6) must not exceed peak (5)"]


def test_problems_of_values_given_elsewhere_name_their_origin() -> None:
    assert invalid(GOOD, ("users.peak", "x"), ("tiers.api.shap", "y"), ("users.peek", "3")) == [
        "--set tiers.api.shap=y: tiers.api.shap: unknown field; did you mean 'shape'? "
        "allowed: direction, multi_az, nodes, shape, shapes",
        "--set users.peak=x: users.peak: must be a whole number, got 'x'",
        "--set users.peek=3: users.peek: unknown field; did you mean 'peak'? allowed: average, peak, profile, share",
    ]
    assert invalid("version: 1\n", ("users.average", "3")) == [
        "--set users.average=3: users.peak: required field is missing"
    ]


def test_a_long_or_strange_value_is_shown_short() -> None:
    (found,) = invalid(f"users: {{peak: {'x' * 500}, average: 1}}")
    assert len(found) < 150
    (found,) = invalid('users: {peak: "a\\nb\\e[31m", average: 1}')
    assert found.endswith(r"got 'a\nb\x1b[31m'")


GOOD_DATA: dict[str, Any] = {
    "version": 1,
    "users": {"peak": 10, "average": 5, "share": 0.5, "profile": [1, 2]},
    "tiers": {"a": {"shape": {"memory_gib": 1}, "shapes": ["x"], "nodes": 3, "direction": "up", "multi_az": True}},
    "tags": {"t": ["x"]},
}


@relaxed
@given(st.data())
def test_random_mutations_are_valid_or_named(data: st.DataObject) -> None:
    document = parse_yaml(yaml.safe_dump(GOOD_DATA), "f")
    assert validate(Model, document)
    trail = data.draw(st.sampled_from(list(document.marks)[1:]))
    value = data.draw(json_values)
    files._value_at(document.data, trail[:-1])[trail[-1]] = value
    mutated = parse_yaml(yaml.safe_dump(document.data), "f")
    _, found = outcome(lambda: validate(Model, mutated))
    assert all(problem.field.startswith(str(trail[0])) and problem.line > 0 for problem in found)
    assert not any("Input should" in problem.message for problem in found)


# -------------------------------------------------------------------------------------------------------------- speed


def test_a_200_line_document_is_read_within_8_ms() -> None:
    tiers = "".join(
        f"  {chr(97 + n % 26)}{chr(97 + n // 26)}:\n    nodes: {n}\n    multi_az: true\n" for n in range(66)
    )
    text = f"{GOOD}tiers:\n{tiers}"
    assert text.count("\n") == 200
    times = []
    for _ in range(15):
        started = time.perf_counter()
        validate(Model, parse_yaml(text, "f"))
        times.append(time.perf_counter() - started)
    assert median(times) < 0.008
