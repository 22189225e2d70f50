"""The README's recipes run as they are written: those of a build, and those that need nothing but a checkout."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RUN = (
    "Start a scenario of your own.",
    "Describe any system.",
    "Plan production and staging in one file.",
    "Ask what if.",
    "See what a change costs.",
    "Ask why.",
    "Fail the build when cost goes over budget.",
    "Say in the pull request what it costs.",
    "Keep a plan and see what changed.",
)
"""The recipes that need nothing but a checkout, and no search of minutes: those of a build among them."""
SEARCHING = (["report"], ["optimize"])
"""Commands that search for minutes what each requirement costs; their own tests run them."""
OPENING = re.compile(r"^\*\*(.*?)\*\*", re.MULTILINE)


def recipes() -> dict[str, list[str]]:
    """Return recipe -> the command lines in it, continued in the next ones' directory."""
    text = README.partition("## Recipes")[2].partition("\n## ")[0]
    found: dict[str, list[str]] = {}
    for part in re.split(r"\n(?=\*\*)", text):
        if heading := OPENING.search(part):
            blocks = re.findall(r"```console\n(.*?)```", part, re.DOTALL)
            found[heading[1]] = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return found


def ours(line: str) -> list[str]:
    """Return the words of a command line of ours, up to where the shell gives what it prints to somebody else."""
    words = shlex.split(line, comments=True)
    end = next((index for index, word in enumerate(words) if word in (">", "|", "&&")), len(words))
    return words[1:end] if words[0] == "cascade-plan" else []


def test_every_recipe_runs_as_it_is_written(cascade: Callable[..., tuple[int, str, str]]) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    ran = 0
    environments = re.search(r"```yaml\n(environments:\n.*?)```", README, re.DOTALL)
    assert environments is not None
    found = recipes()
    for heading in RUN:
        if "production and staging" in heading:
            Path("my.yaml").write_text(f"{Path('my.yaml').read_text()}\n{environments[1]}", encoding="utf-8")
        for line in found[heading]:
            arguments = ours(line)
            if arguments[:1] in SEARCHING:
                continue
            if arguments[0] == "comment":
                Path("plans").mkdir(exist_ok=True)
                shutil.copy("my.yaml", "plans/my.yaml")
                subprocess.run([*git, "add", "-A"], check=True)
                subprocess.run([*git, "commit", "-qm", "x", "--allow-empty"], check=True)
            status, _, err = cascade(*arguments)
            assert status == 0, f"{heading}: {line}\n{err}"
            ran += 1
    assert ran >= 20


def test_the_recipes_of_a_pipeline_run_as_they_are_written(cascade: Callable[..., tuple[int, str, str]]) -> None:
    """In a directory whose capacity.yaml is a bundled scenario; what is installed is the checkout."""
    text = README.partition("## Recipes")[2]
    steps = [
        step for block in re.findall(r"```yaml\n(- run: .*?)```", text, re.DOTALL) for step in yaml.safe_load(block)
    ]
    commands = [step["run"] for step in steps]
    assert commands[0] == "pip install ."
    assert (ROOT / "pyproject.toml").is_file()
    cascade("init", "capacity.yaml", "--example", "saas-300")
    for command in commands[1:]:
        status, _, err = cascade(*ours(command))
        assert status == 0, err
    assert Path("capacity.xml").read_text(encoding="utf-8").startswith("<?xml")
