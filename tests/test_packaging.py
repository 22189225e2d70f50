"""What is built and installed works as the checkout does: wheel, sdist, editable, and the oldest releases allowed."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIZE = ["size", "--peak", "10000", "--avg", "3000", "--format", "json"]
CONSTRAINED = ["--constraint", str(ROOT / "constraints.txt")]

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging")]


def output(*command: str | Path, cwd: Path, status: int = 0) -> bytes:
    """Return the stdout of a command that must end with a status, with nothing of the caller's set-up around it."""
    ours = ("CASCADE_PLAN_", "PYTHON", "VIRTUAL_ENV", "COVERAGE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False)
    said = f"{command}: exit {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}"
    assert done.returncode == status, said
    return done.stdout


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment without pip of its own."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Environment:
        """Return a fresh environment in a folder."""
        venv.create(folder, symlinks=True)
        return cls(folder)

    def install(self, *arguments: str | Path) -> Environment:
        """Install with the tests' own pip, and return the environment."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.folder), "install", "--quiet"]
        output(*pip, "--disable-pip-version-check", *arguments, cwd=self.folder)
        return self

    def run(self, *arguments: str, status: int = 0) -> bytes:
        """Return the stdout of the installed `cascade-plan`, called from a directory that is not the checkout."""
        return output(self.folder / "bin" / "cascade-plan", *arguments, cwd=self.folder, status=status)


@dataclass(frozen=True, slots=True)
class Built:
    """The distributions of the checkout."""

    sdist: Path
    wheel: Path
    """Built from the sdist, as `python -m build` does."""
    direct: Path
    """Built from the checkout."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "build"]
    output(*build, "--outdir", folder / "whole", ROOT, cwd=folder)
    output(*build, "--wheel", "--outdir", folder / "direct", ROOT, cwd=folder)
    (sdist,), (wheel,) = (list((folder / "whole").glob(pattern)) for pattern in ("*.tar.gz", "*.whl"))
    (direct,) = (folder / "direct").glob("*.whl")
    return Built(sdist, wheel, direct)


@pytest.fixture(scope="session")
def expected() -> bytes:
    """The checkout's own answer."""
    return output(sys.executable, "-m", "cascade_plan", *SIZE, cwd=ROOT)


def contents(wheel: Path) -> dict[str, bytes]:
    """Return a wheel's files, save the record of how it was made."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tracked_data() -> set[str]:
    """Return the data files of the checkout, as the package names them."""
    files = (path for folder in ("pricing", "scenarios", "vega") for path in (ROOT / folder).rglob("*"))
    return {f"cascade_plan/data/{path.relative_to(ROOT).as_posix()}" for path in files if path.is_file()}


def lowest() -> list[str]:
    """Return the run-time requirements of pyproject.toml, the extras' too, each at its lower bound."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    bounded = [
        *project["dependencies"],
        *(each for name in ("aws", "measure", "bills", "charts", "explore") for each in extras[name]),
    ]
    assert all(requirement.count(">=") == 1 for requirement in bounded), "every run-time requirement has a lower bound"
    return [requirement.replace(">=", "==") for requirement in bounded]


def test_the_wheel_holds_the_data_and_nothing_but_the_package(built: Built) -> None:
    names = contents(built.direct).keys()
    data = {name for name in names if name.startswith("cascade_plan/data/")}
    assert data == tracked_data()
    assert {"pricing/aws", "scenarios", "vega"} <= {
        str(Path(name).parent).removeprefix("cascade_plan/data/") for name in data
    }
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"cascade_plan"}
    shared = {name.partition(".data/data/share/")[2] for name in names if ".data/" in name}
    assert {"man/man1/cascade-plan.1", "doc/cascade-plan/README.md", "doc/cascade-plan/docs/scenario.md"} <= shared
    assert {f"cascade_plan/exploring/assets/{name}" for name in ("page.html", "main.js", "style.css")} <= names
    licences = {name.partition(".dist-info/licenses/")[2] for name in names}
    assert {"LICENSE", "vega/LICENSE-vega", "vega/LICENSE-others"} <= licences
    # The emitters of load tests are no tests.
    assert not [name for name in names if any(part.lower().startswith("test") for part in Path(name).parts)]


def test_the_sdist_holds_what_is_needed_to_build_and_test(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "constraints.txt", "LICENSE", "README.md", "Makefile", ".ci/run"} <= names
    assert {"tests/test_packaging.py", "cascade_plan/__main__.py", "scenarios/cascade.yaml"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".venv", "shared"))]


def test_both_ways_to_a_wheel_give_the_same_files(built: Built) -> None:
    assert contents(built.wheel) == contents(built.direct)


def test_the_wheel_answers_as_the_checkout_does(built: Built, expected: bytes, tmp_path: Path) -> None:
    installed = Environment.made(tmp_path / "wheel").install(*CONSTRAINED, built.direct)
    assert installed.run("--version").startswith(b"cascade-plan ")
    assert installed.run(*SIZE) == expected


def test_a_wheel_from_the_sdist_answers_as_the_checkout_does(built: Built, expected: bytes, tmp_path: Path) -> None:
    installed = Environment.made(tmp_path / "sdist").install(*CONSTRAINED, built.wheel)
    assert installed.run("--version").startswith(b"cascade-plan ")
    assert installed.run(*SIZE) == expected


def test_an_editable_install_answers_as_the_checkout_does(expected: bytes, tmp_path: Path) -> None:
    installed = Environment.made(tmp_path / "editable").install(*CONSTRAINED, "--editable", ROOT)
    assert installed.run("--version").startswith(b"cascade-plan ")
    assert installed.run(*SIZE) == expected


def test_the_oldest_releases_allowed_answer_as_the_newest_do(built: Built, expected: bytes, tmp_path: Path) -> None:
    installed = Environment.made(tmp_path / "lowest").install(*lowest(), built.direct)
    assert installed.run("--version").startswith(b"cascade-plan ")
    assert installed.run(*SIZE) == expected
    assert installed.run("--help")
    for refused in (["explain", "no_such_figure"], ["size", "--no-such-flag"], ["size", "a", "b"], ["no-such-command"]):
        assert installed.run(*refused, status=2) == b""
