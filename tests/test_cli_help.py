"""Help: grouped, whole, as wide as the terminal, own options first; and the manual made of the same text."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from servers import program

from cascade_plan.cli.app import COMMANDS, GROUPS
from cascade_plan.cli.described import STATUSES, description

ROOT = Path(__file__).parent.parent
PRICES = ("show", "update", "verify", "import")
EVERY = [
    *((name,) for name in COMMANDS if name not in ("prices", "version", "help")),
    *(("prices", name) for name in PRICES),
]
NAMES = [" ".join(words) for words in EVERY]
PLANNING = [name for name, entry in COMMANDS.items() if entry.group in ("Plan", "Prove", "Deploy", "Measure")]


def headings(text: str) -> list[str]:
    return re.findall(r"^([A-Z][a-z ]+):$", text, re.MULTILINE)


def below(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one."""
    return re.split(r"^[A-Z][a-z ]+:$", text.split(f"\n{heading}:\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_commands_stand_under_what_they_are_for(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, err = cascade("--help")
    groups = [group for group in GROUPS if any(entry.group == group for entry in COMMANDS.values())]
    assert err == ""
    assert headings(out) == ["Examples", *groups, "Options", "Exit status", "Documents"]
    for group in groups:
        named = re.findall(r"^  ([a-z0-9-]+) {2,}\S", below(out, group), re.MULTILINE)
        assert named == [name for name, entry in COMMANDS.items() if entry.group == group]
    for status, meaning in STATUSES.items():
        assert re.search(rf"^  {status} +{re.escape(meaning[:20])}", out, re.MULTILINE)
    folder = Path(" ".join(out.split("Documents:")[1].split()).partition(": ")[0])
    assert (folder / "README.md").is_file()
    assert (folder / "docs" / "scenario.md").is_file()


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
@pytest.mark.parametrize("words", [(), ("prices",), *EVERY], ids=" ".join)
def test_help_is_whole_and_as_wide_as_the_terminal(  # type: ignore[no-untyped-def]
    cascade, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    _, out, _ = cascade(*words, "--help")
    assert "..." not in re.sub(r"[\]}]\.\.\.", "", out)
    examples = below(out, "Examples") if "\nExamples:\n" in out else ""
    prose = [line for line in out.splitlines() if line not in examples.splitlines()]
    assert max(map(len, prose)) <= columns
    if "Scenario options" in out:
        assert max(map(len, prose)) > columns - 20, "there are texts that fill more lines than one"
    assert all(len(line) <= 80 for line in examples.splitlines())


def test_a_summary_is_a_sentence_and_in_the_list_whole(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = cascade("--help")
    for group in GROUPS:
        if f"\n{group}:\n" in out:
            for line in filter(None, below(out, group).splitlines()):
                assert line.endswith("."), line


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_an_example_that_its_options_know(cascade, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade(*words, "--help")
    examples = [line.strip() for line in below(out, "Examples").splitlines() if line.strip()]
    assert examples
    flags = set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", out.replace(below(out, "Examples"), "")))
    for example in examples:
        line = re.split(r" [|>] ", example)[0]
        assert line.startswith(f"cascade-plan {' '.join(words)}")
        assert set(re.findall(r"(?<= )--?[a-z][a-z0-9-]*", line)) <= flags


@pytest.mark.parametrize("name", PLANNING)
def test_own_options_come_before_those_of_the_scenario(cascade, name: str) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade(name, "--help")
    assert headings(out)[-4:] == ["Options", "Scenario options", "Common options", "Exit status"]
    assert "--peak" in below(out, "Scenario options")
    assert "--peak" not in below(out, "Options")
    assert "--output" in below(out, "Options")
    text = " ".join(below(out, "Scenario options").split())
    assert "rules: so many users a node" in text
    assert "slo: the least fleet that keeps the latency limits" in text


def test_only_what_could_use_the_network_can_be_told_not_to(cascade) -> None:  # type: ignore[no-untyped-def]
    having = {name for words, name in zip(EVERY, NAMES, strict=True) if "--offline" in cascade(*words, "-h")[1]}
    assert having == {"prices update", "prices verify"}


def test_a_command_says_which_exit_statuses_are_its_own(cascade) -> None:  # type: ignore[no-untyped-def]
    text = below(cascade("check", "-h")[1], "Exit status")
    assert re.findall(r"^  (\S+) ", text, re.MULTILINE) == ["0", "1", "3", "others"]
    for words in EVERY:
        assert "Exit status" in headings(cascade(*words, "-h")[1])


@pytest.mark.parametrize("line", [("-V",), ("--version",), ("version",)])
def test_version_as_a_word_and_as_a_flag(cascade, line: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade(*line)
    assert (status, err) == (0, "")
    assert re.fullmatch(r"cascade-plan \d+\.\d+\.\d+\n", out)


def test_help_as_a_word(cascade) -> None:  # type: ignore[no-untyped-def]
    assert cascade("help") == cascade("--help")
    assert cascade("help", "emit-k8s") == cascade("emit-k8s", "--help")
    assert cascade("help", "prices", "update") == cascade("prices", "update", "--help")
    for words, said in (
        (("siz",), "error: no command 'siz' of cascade-plan; did you mean 'size'?\n"),
        (("prices", "updat"), "error: no command 'updat' of cascade-plan prices; did you mean 'update'?\n"),
        (("size", "me"), "error: cascade-plan size has no commands of its own\n"),
    ):
        assert cascade("help", *words) == (2, "", said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("size", "--json"), "no option --json: use --format json"),
        (("simulate", "--csv"), "no option --csv: use --format csv"),
        (("report", "--md"), "no option --md: use --format markdown"),
        (("diff", "cascade", "-f"), "no option -f: --format chooses the format"),
        (("size", "--paek", "1"), "no option --paek; did you mean '--peak'?"),
        (("emit-k8s", "--xyzzy"), "no option --xyzzy"),
        (("emit-infra", "--json"), "no option --json"),
    ],
)
def test_an_unknown_option_is_answered_with_the_one_that_is_meant(  # type: ignore[no-untyped-def]
    cascade, line: tuple[str, ...], said: str
) -> None:
    assert cascade(*line) == (2, "", f"error: {said}\nTry 'cascade-plan {line[0]} --help'.\n")


def test_quiet_keeps_errors_alone_and_stands_anywhere(cascade) -> None:  # type: ignore[no-untyped-def]
    assert "note: " in cascade("size")[2]
    assert cascade("size", "-q")[2] == cascade("-q", "size")[2] == ""
    assert cascade("size", "-q", "-o", "plan.txt") == (0, "", "")
    assert cascade("size", "-q", "--peak", "many")[0::2] == (
        2,
        "error: --peak many: users.peak: must be a whole number, got 'many'\n",
    )
    # What one command line asks for is forgotten by the next one of the same process.
    assert "note: " in cascade("size")[2]


def test_verbose_says_what_was_read(cascade) -> None:  # type: ignore[no-untyped-def]
    _, _, err = cascade("size", "chat-40k", "-v")
    assert "scenario chat-40k" in err
    assert "prices: pricing/aws/" in err
    assert "prices: " not in cascade("size", "chat-40k")[2]


def test_colour_can_be_forced_and_refused(cascade, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    plain = cascade("size")[1]
    assert "\x1b[" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in cascade("size")[1]
    assert cascade("size", "--no-color")[1] == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert cascade("size")[1] == plain
    monkeypatch.setenv("FORCE_COLOR", "")
    monkeypatch.setenv("NO_COLOR", "")
    assert cascade("size")[1] == plain


def test_a_description_is_read_from_a_docstring() -> None:
    found = description("One.\n\nTwo\nlines.\n\nExamples:\n  a  b\n  c\n\nExit status:\n  1  It is.\n")
    assert (found.summary, found.paragraphs, found.examples) == ("One.", ("Two lines.",), ("a  b", "c"))
    assert found.statuses == (("1", "It is."),)


# ---------------------------------------------------------------------------------------------------------- the manual


def test_the_manual_is_what_the_help_says_now(cascade) -> None:  # type: ignore[no-untyped-def]
    status, out, err = cascade("help", "--format", "man")
    assert (status, err) == (0, "")
    shipped = (ROOT / "docs" / "cascade-plan.1").read_text(encoding="utf-8")
    assert out == shipped, "cascade-plan help --format man -o docs/cascade-plan.1"


def test_the_manual_has_every_command_and_option(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("help", "--format", "man")
    lines = out.splitlines()
    assert lines[0].startswith(".TH CASCADE\\-PLAN 1 ")
    assert lines[1:3][0] == ".SH NAME"
    assert lines[2].startswith("cascade\\-plan \\- ")
    for wanted in ("SYNOPSIS", "DESCRIPTION", '"EXIT STATUS"', "ENVIRONMENT", '"SCENARIO OPTIONS"', '"COMMON OPTIONS"'):
        assert lines.count(f".SH {wanted}") == 1
    for words in EVERY:
        assert any(
            line.startswith(f'.SS "cascade\\-plan {" ".join(words)} '.replace("emit-", "emit\\-")) for line in lines
        )
        for flag in re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)", cascade(*words, "-h")[1], re.MULTILINE):
            assert flag.replace("-", "\\-") in out
    # Every line is text or one of the macros used here; no text begins as a request does.
    macros = {line.split()[0] for line in lines if line.startswith((".", "'"))}
    assert macros <= {".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".EX", ".EE"}
    assert out.isascii()
    assert lines.count(".EX") == lines.count(".EE")


def test_groff_reads_the_manual_without_a_warning(cascade) -> None:  # type: ignore[no-untyped-def]
    _, out, _ = cascade("help", "--format", "man")
    done = subprocess.run(
        [program("groff"), "-man", "-Tutf8", "-ww", "-P-c"], input=out, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    for line in ("cascade-plan emit-all", "--set KEY.PATH=VALUE", "SCENARIO OPTIONS"):
        assert line in re.sub(r".\x08", "", done.stdout)
