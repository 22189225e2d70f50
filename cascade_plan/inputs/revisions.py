"""What scenarios were at another commit: their files and those that these name, from git, in a directory."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cascade_plan.errors import ScenarioError, UsageError
from cascade_plan.files.parsing import parse_yaml
from cascade_plan.inputs import project
from cascade_plan.inputs.naming import files_named
from cascade_plan.inputs.scenarios import MAX_TRACE_BYTES

GIT_S: Final = 120
YAML: Final = (".yaml", ".yml")
MAGIC: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Former:
    """The files as they were, and what has become of them since."""

    commit: str
    folder: Path
    """What was the working directory."""
    tree: Tree
    names: Mapping[str, str]
    """Path of a file now -> its path then, from the root of the repository, where it has been renamed."""
    gone: tuple[str, ...]
    """Files that the patterns matched then and that are no more, from the working directory."""

    def then(self, file: str) -> str | None:
        """Return what a file was called, as seen from `folder`; None where there was none.

        Raises UsageError for a file outside the repository.
        """
        path = self.tree.path(file)
        if path is None:
            raise UsageError(f"{file} is outside the repository: give what to compare with by --against FILE")
        there = self.tree.root / self.names.get(path, path)
        return os.path.relpath(there, self.folder) if there.is_file() else None


@dataclass(frozen=True, slots=True)
class Tree:
    """A commit's files that have been asked for, below a directory."""

    commit: str
    root: Path
    top: Path
    prefix: str

    def take(self, files: Iterable[str]) -> None:
        """Write files of the commit, and those that they name; those that it has not are left out."""
        waiting, seen = list(files), set[str]()
        while waiting:
            path = self.path(waiting.pop())
            if path is None or path in seen:
                continue
            seen.add(path)
            if (data := self._blob(path)) is not None:
                target = self.root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                beside = (self.top / path).parent
                waiting += [str(beside / each) for each in _named_in(path, data)]

    def path(self, file: str) -> str | None:
        """Return a file's path from the root of the repository, or None for one that is outside."""
        whole = Path(os.path.normpath(self.top / self.prefix / file))
        if not whole.is_relative_to(self.top):
            whole = Path(os.path.realpath(whole))
        return whole.relative_to(self.top).as_posix() if whole.is_relative_to(self.top) else None

    def _blob(self, path: str) -> bytes | None:
        """Return a file's bytes; None where the commit has no such file, or one that is too large for any reader."""
        name = f"{self.commit}:{path}"
        kind = _run("cat-file", "-t", name)
        if kind.returncode or kind.stdout.strip() != b"blob":
            return None
        if int(_run("cat-file", "-s", name).stdout) > MAX_TRACE_BYTES:
            return None
        return _run("cat-file", "blob", name).stdout


def matched(reference: str) -> tuple[str, ...]:
    """Return the files that a pattern such as plans/**/*.yaml matches, sorted; what is no pattern stands for itself."""
    if not is_pattern(reference):
        return (reference,)
    beginning = Path(reference).anchor
    found = Path(beginning).glob(reference[len(beginning) :])
    return tuple(sorted(str(path) for path in found if path.is_file()))


def is_file(reference: str) -> bool:
    """Return whether a name is that of a file, or a pattern, and not that of a bundled scenario."""
    return "/" in reference or reference.endswith((*YAML, ".json")) or is_pattern(reference) or Path(reference).exists()


def is_pattern(reference: str) -> bool:
    """Return whether a name stands for the files it matches: one with * ? or [ that no file itself has."""
    return MAGIC.search(reference) is not None and not Path(reference).exists()


@contextmanager
def at(revision: str, patterns: Sequence[str], files: Sequence[str], named: Sequence[str] = ()) -> Iterator[Former]:
    """Yield what `files` were at a commit, with all that they name, in a directory that is there meanwhile.

    `named` are other files that are read, such as prices. What is not in the commit is not there either.
    Raises UsageError, with git's own words, outside a repository and for a commit that is not in this clone.
    """
    top, prefix = (_git("rev-parse", flag).rstrip("\n") for flag in ("--show-toplevel", "--show-prefix"))
    commit = _commit(revision)
    renamed, gone = _changes(commit, patterns)
    with TemporaryDirectory(prefix="cascade-plan-") as temporary:
        root = Path(temporary)
        # Who looks upwards for a project's file ends here, as in the repository.
        (root / ".git").mkdir()
        (root / prefix).mkdir(parents=True, exist_ok=True)
        tree = Tree(commit, root, Path(os.path.realpath(top)), prefix)
        before = [str(tree.top / each) for each in (*renamed.values(), *gone)]
        tree.take([*_upwards(), *files, *before, *named])
        here = [os.path.relpath(tree.top / each, tree.top / prefix) for each in gone]
        yield Former(commit, root / prefix, tree, renamed, tuple(here))


def _upwards() -> Iterator[str]:
    """Yield where a project's own files may stand: here and in every directory above."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        yield from (str(folder / name) for name in (project.FILE, project.SCENARIO_FILE))


def _named_in(path: str, data: bytes) -> Iterator[str]:
    """Yield the files that a YAML file names: a scenario's calibration and trace, what a project's file gives."""
    if not path.endswith(YAML):
        return
    try:
        document = parse_yaml(data.decode("utf-8-sig"), path).data
    except (ScenarioError, UnicodeDecodeError):
        return  # whoever reads it says what is wrong with it
    yield from files_named(document)


def _commit(revision: str) -> str:
    """Return the commit that a name stands for. Raises UsageError for one that is not in this clone."""
    found = _run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode:
        raise UsageError(
            f"no commit {revision!r} in this clone: fetch it first (git fetch --depth=1 origin {revision}), or name "
            "another with --base"
        )
    return found.stdout.decode().strip()


def _changes(commit: str, patterns: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return (path now -> path then, paths that are no more) of the files that patterns match, since a commit.

    Paths are from the root of the repository.
    """
    if not patterns:
        return {}, ()
    specs = [f":(glob){each}" if is_pattern(each) else f":(literal){each}" for each in patterns]
    command = ("diff", "--no-ext-diff", "--name-status", "-z", "--find-renames", commit)
    found = _git(*command, "--", *specs).split("\0")
    renamed, gone = {}, []
    words = iter(found)
    for status in words:
        if status.startswith(("R", "C")):
            before, after = next(words), next(words)
            if status.startswith("R"):
                renamed[after] = before
        elif status:
            path = next(words)
            if status == "D" and path.endswith(YAML):
                gone.append(path)
    return renamed, tuple(sorted(gone))


def _git(*arguments: str) -> str:
    done = _run(*arguments)
    if done.returncode:
        said = done.stderr.decode("utf-8", errors="replace").strip().splitlines() or ["it failed"]
        raise UsageError(f"git {arguments[0]}: {said[0].removeprefix('fatal: ')}")
    return done.stdout.decode("utf-8", errors="surrogateescape")


def _run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git without a pager, a prompt or a hook of the repository's that would run a program."""
    command = ["git", "--no-pager", "-c", "core.fsmonitor=false", *arguments]
    try:
        return subprocess.run(command, capture_output=True, timeout=GIT_S, check=False, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise UsageError("git is not installed here: give what to compare with by --against FILE") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"git {arguments[0]} has not ended after {GIT_S} s") from None
