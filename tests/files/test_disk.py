"""The disk: nothing half written, every file that is no use named in one line."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cascade_plan.errors import UsageError
from cascade_plan.files.disk import listed, opened, read_text, write_atomically, write_output


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
        "import resource, sys; from pathlib import Path; from cascade_plan.files.disk import write_atomically\n"
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


def test_a_file_is_opened_as_often_as_it_is_asked_for_and_a_directory_is_listed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder").mkdir()
    for _ in range(2):
        with opened(str(tmp_path / "file")) as file:
            assert file.read() == b"text"
    for name, reason in (("absent", "no such file"), ("folder", "is a directory"), ("a\0b", "null byte")):
        with pytest.raises(UsageError, match=reason):
            opened(str(tmp_path / name))
    assert listed(str(tmp_path)) == ["file", "folder"]
    assert listed(str(tmp_path / "folder")) == []
    assert listed(str(tmp_path / "file")) is listed(str(tmp_path / "absent")) is None


def test_a_directory_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UsageError, match=r"cannot read .*: permission denied"):
        listed(str(tmp_path))


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
