"""comment: what a change of files does to scenarios, as one comment on the pull request."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cascade_plan import __version__, registry
from cascade_plan.cli import completing
from cascade_plan.cli.choice import Output, planned, values_option, with_choice
from cascade_plan.cli.output import complain, deliver, note, on_github
from cascade_plan.errors import CascadePlanError, UsageError, did_you_mean
from cascade_plan.inputs.choice import Choice

if TYPE_CHECKING:
    from cascade_plan.cli.posting import Place
    from cascade_plan.inputs.revisions import Former
    from cascade_plan.model.difference import Change
    from cascade_plan.model.plan import Plan

FILE_FLAGS: Final = ("prices", "calibration")
NEVER, FAILED, NOT_JUDGED = FAIL_ON = ("never", "failed", "not-judged")
HASHED_FROM: Final = 200
"""Characters of a key from which a marker holds its digest instead."""
Scenarios = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SCENARIO",
        help="Files, names of bundled scenarios, or patterns such as 'plans/**/*.yaml', quoted.  [default: the "
        "project's, else cascade]",
        envvar="CASCADE_PLAN_SCENARIO",
        show_envvar=False,
        show_default=False,
        autocompletion=completing.scenarios,
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="COMMIT",
        help="The commit to compare with, from git.  [default: the pull request's base, as the run says]",
        show_default=False,
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="FILE",
        help="Compare with this scenario, or plan saved with --format json, and ask git nothing.",
        show_default=False,
        autocompletion=completing.scenarios_and_plans,
    ),
]
Number = Annotated[
    int | None,
    typer.Option(
        "--pull-request",
        metavar="NUMBER",
        min=1,
        help="Where to write.  [default: as the run says]",
        show_default=False,
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="TEXT",
        help="What tells this comment from others of cascade-plan.  [default: the scenarios and options as given]",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the comment, and write it nowhere.")]
FailOn = Annotated[
    str,
    values_option(
        "--fail-on",
        FAIL_ON,
        "failed: exit 1 for a gate that fails; not-judged: also for one that could not be judged; never: not.",
    ),
]


@with_choice
def comment(
    choice: Choice,
    scenarios: Scenarios = None,
    base: Base = None,
    against: Against = None,
    pull_request: Number = None,
    key: Key = None,
    dry_run: DryRun = False,
    output: Output = "-",
    fail_on: FailOn = NEVER,
) -> int:
    """Say in a pull request what it costs: one comment on GitHub or GitLab, brought up to date at every push.

    Each scenario is planned as it is and as it was at the base of the pull request, from git; options hold for both.
    The comment has the change of cost with its causes, the cost of each tier, gates and findings that changed. It needs
    GITHUB_TOKEN with `pull-requests: write`, or GITLAB_TOKEN with the scope api. docs/ci.md has the whole workflow.

    Examples:
      cascade-plan comment my.yaml
      cascade-plan comment 'plans/**/*.yaml' --fail-on failed
      cascade-plan comment my.yaml --base origin/main --dry-run

    Exit status:
      0  The comment was written, or is up to date.
      1  With --fail-on: a gate failed, or could not be judged. The comment was written.
      2  A scenario cannot be planned, and the comment says so; or nothing was written: the message says why.
      3  With --fail-on: a price is missing. The comment was written.
      5  The host refused, or did not answer.
    """
    if fail_on not in FAIL_ON:
        raise UsageError(f"--fail-on {fail_on}: must be {', '.join(FAIL_ON)}{did_you_mean(fail_on, [*FAIL_ON])}")
    host = _host(dry_run)
    place = None if dry_run else host.place(os.environ, pull_request)
    if against is not None:
        told, what = _against(choice, scenarios or [], against), against
    else:
        told, what = _since(choice, scenarios or [], base or host.base(os.environ))
    changes = [each.change for each in told]
    marker = _marker(choice, scenarios or [], key)
    body = _body(changes, marker, what, host)
    _announce(told, body, is_judged=fail_on != NEVER)
    if place is None or output != "-":
        deliver(body, output)
    if place is not None:
        note(_posted(host, place, marker, body))
    for change in changes:
        complain(change.problem_after)
    return _status(changes, fail_on)


def _host(dry_run: bool) -> Any:
    """Return the host whose run this is; where nothing is written and no run is one, that of the smaller comment."""
    hosts = [registry.load("cli/hosts", name) for name in registry.names("cli/hosts")]
    if found := [host for host in hosts if host.claims(os.environ)]:
        return found[0]
    if dry_run:
        return min(hosts, key=lambda host: int(host.MOST_CHARACTERS))
    names = " or ".join(host.NAME for host in hosts)
    raise UsageError(
        f"this is no run of {names}: --dry-run prints the comment (GITHUB_ACTIONS=true or GITLAB_CI=true, and "
        "--pull-request NUMBER, write it from elsewhere)"
    )


# Both sides


@dataclass(frozen=True, slots=True)
class _Side:
    """The plans of a scenario by environment, "" where it has none, or why there is none."""

    plans: Mapping[str, Plan]
    problems: Mapping[str, str]
    choices: Mapping[str, Choice] = field(default_factory=dict)
    """What was planned."""

    @property
    def names(self) -> list[str]:
        """The environments, those first that can be planned."""
        return [*self.plans, *self.problems]


@dataclass(frozen=True, slots=True)
class _Told:
    """What becomes of a scenario, and what its plan was made from."""

    change: Change
    choice: Choice | None


NOTHING: Final = _Side({}, {})


def _against(choice: Choice, scenarios: Sequence[str], against: str) -> list[_Told]:
    """Return what becomes of one scenario against another one or a saved plan."""
    from cascade_plan.cli.reasoning import plan_of
    from cascade_plan.inputs.revisions import matched

    found = [file for each in scenarios for file in matched(each)]
    if len(found) > 1 or (scenarios and not found):
        raise UsageError(f"--against {against} is one scenario: give one to compare it with, not {len(found)}")
    after = choice.of(found[0]) if found else choice
    names = [str(each.env) for each in after.environments()]
    if len(names) > 1:
        raise UsageError(f"--against {against} is one plan, and there are {', '.join(names)}: --env chooses one")
    side = _side(after)
    (name,) = side.names
    return _changes(after.scenario, _Side({name: plan_of(choice, against)}, {}), side)


def _since(choice: Choice, scenarios: Sequence[str], revision: str) -> tuple[list[_Told], str]:
    """Return what becomes of each scenario since a commit, and the commit in words."""
    from cascade_plan.inputs import revisions

    if not revision:
        raise UsageError("nothing to compare with: name a commit with --base, or a file with --against")
    given = scenarios or [choice.scenario]
    if "-" in given:
        raise UsageError("stdin has no former version: name a file, or what to compare with by --against")
    files = [file for each in given for file in revisions.matched(each)]
    watched = [each for each in given if revisions.is_file(each)]
    with revisions.at(revision, watched, [*files, *_given_files(choice)]) as former:
        there = [file for file in dict.fromkeys(files) if file not in former.gone]
        if not there and not former.gone:
            raise UsageError(f"no file matches {', '.join(given)}, neither now nor at {former.commit[:12]}")
        changes = []
        for file in there:
            after = choice.of(file) if scenarios else choice
            changes += _changes(file, _then(choice, file if scenarios else None, former), _side(after))
        for gone in former.gone:
            changes += _changes(gone, _then(choice, gone, former), NOTHING)
    return changes, f"commit {former.commit[:12]}"


def _given_files(choice: Choice) -> list[str]:
    """Return the files that flags and environment name beside the scenario."""
    return [str(choice.flags[name]) for name in FILE_FLAGS if choice.flags.get(name)]


def _then(choice: Choice, file: str | None, former: Former) -> _Side:
    """Return what a scenario was; without a file, the one that was the project's. Nothing where there was none.

    Options hold for both sides. A file that an option names and that the commit does not have is as it is now.
    """
    from cascade_plan.inputs.revisions import is_file

    reference = file if file is None or not is_file(file) else former.then(file)
    if file is not None and reference is None:
        return NOTHING
    kept = {}
    for name in FILE_FLAGS:
        if value := choice.flags.get(name):
            path = Path(value).absolute()
            kept[name] = str(path) if not path.is_relative_to(former.tree.top) else former.then(value) or str(path)
    with chdir(former.folder):
        try:
            before = choice.anew(kept)
        except CascadePlanError as error:
            return _Side({}, {"": str(error)})
        return _side(before if reference is None else before.of(reference))


def _side(choice: Choice) -> _Side:
    """Return the plans of each environment of a scenario, or why there is none."""
    plans, problems = {}, {}
    try:
        found = choice.environments()
    except CascadePlanError as error:
        return _Side({}, {"": str(error)})
    for each in found:
        try:
            plans[each.env or ""] = planned(each, brief=True)
        except CascadePlanError as error:
            problems[each.env or ""] = str(error)
    return _Side(plans, problems, {each.env or "": each for each in found})


def _changes(scenario: str, before: _Side, after: _Side) -> list[_Told]:
    """Return what becomes of each environment; where one side has none, it is the other's first."""
    names = list(dict.fromkeys((*after.names, *before.names)))
    was = {name: name for name in before.names}
    if was and after.names and ("" in was) != ("" in after.names):
        first_before, first_after = before.names[0], after.names[0]
        was = {name: name for name in before.names[1:]} | {first_after: first_before}
        names = list(dict.fromkeys((*after.names, *before.names[1:])))
    return [_told(f"{scenario} ({name})" if name else scenario, before, was.get(name), after, name) for name in names]


def _told(called: str, before: _Side, was: str | None, after: _Side, name: str) -> _Told:
    from cascade_plan.choosing.differences import compare
    from cascade_plan.model.difference import Change

    old, new = None if was is None else before.plans.get(was), after.plans.get(name)
    change = Change(
        called=called,
        before=old,
        after=new,
        differences=None if old is None or new is None else compare(old, new),
        problem_before="" if was is None else before.problems.get(was, ""),
        problem_after=after.problems.get(name, ""),
    )
    return _Told(change, after.choices.get(name))


# What is said, and where


def _marker(choice: Choice, scenarios: Sequence[str], key: str | None) -> str:
    """Return the HTML comment that a comment on the same scenarios with the same options begins with."""
    from urllib.parse import quote

    given = (*(scenarios or [choice.scenario]), *choice.changes, *([f"--env {choice.env}"] if choice.env else []))
    text = quote(" ".join(given) if key is None else key, safe="/.,=*")
    if len(text) > HASHED_FROM:
        from hashlib import sha256

        text = sha256(text.encode()).hexdigest()
    return f"<!-- cascade-plan: {text} -->"


def _body(changes: Sequence[Change], marker: str, against: str, host: Any) -> str:
    from cascade_plan.reports.differences import markdown

    about = markdown.Comment(marker, tuple(changes), against, f"cascade-plan {__version__}")
    return markdown.comment(about, markdown.Room(host.NAME, host.MOST_CHARACTERS))


def _announce(told: Sequence[_Told], body: str, is_judged: bool) -> None:
    """Show on GitHub what failed at its line, where it is judged, and the comment as the step's summary."""
    if not on_github():
        return
    from cascade_plan.cli import github

    github.summarize(body)
    for each in told:
        if is_judged and each.change.after is not None and each.choice is not None:
            github.annotate(each.change.after, each.choice.read().origins)


def _posted(host: Any, place: Place, marker: str, body: str) -> str:
    import time

    from cascade_plan.cli.posting import Clock, post

    return post(host, place, marker, body, Clock(time.time, time.sleep))


def _status(changes: Sequence[Change], fail_on: str) -> int:
    """Return the exit status: 2 for what cannot be planned, then as `check` has it, if it is to judge."""
    if any(change.problem_after for change in changes):
        return UsageError.exit_code
    plans = [change.after for change in changes if change.after is not None]
    if fail_on == NEVER:
        return 0
    if any(not plan.bill.complete or any(verdict.price_is_missing for verdict in plan.verdicts) for plan in plans):
        return 3
    strict = fail_on == NOT_JUDGED
    return 1 if any(plan.failed or (strict and (plan.unjudged or not plan.verdicts)) for plan in plans) else 0
