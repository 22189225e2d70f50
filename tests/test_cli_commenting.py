"""comment: both sides from git, one comment on a host that speaks the real API's shapes, and refusals in words."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from host_servers import TOKEN, World, serving

from cascade_plan.cli import posting
from cascade_plan.cli.hosts import _asking
from cascade_plan.files.data_root import data_root

Cascade = Callable[..., tuple[int, str, str]]
BASE = data_root().joinpath("scenarios", "saas-300.yaml").read_text(encoding="utf-8")
DEARER = BASE.replace("    storage_gib: 50", "    storage_gib: 500").replace("2000", "1500")
FAILING = BASE.replace("usd_per_1000_users_month: 2000", "usd_per_1000_users_month: 100")


def git(*arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def committed(**files: str) -> str:
    """Write files, commit all, and return the commit; `__` in a name is a slash, `_` a point."""
    for name, text in files.items():
        path = Path(name.replace("__", "/").replace("_", "."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git("add", "-A")
    git("commit", "-qm", "x", "--allow-empty")
    return git("rev-parse", "HEAD")


@pytest.fixture
def repository(cascade: Cascade, monkeypatch: pytest.MonkeyPatch) -> Cascade:
    """Be in a new repository, on no host."""
    for name in ("GITLAB_CI", "CI_MERGE_REQUEST_IID", "GITLAB_TOKEN", "CI_PROJECT_ID", "CI_API_V4_URL"):
        monkeypatch.delenv(name, raising=False)
    git("init", "-q", "-b", "main")
    return cascade


@pytest.fixture(params=["github", "gitlab"])
def world(
    request: pytest.FixtureRequest, repository: Cascade, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[World]:
    """Be in a run of a pull request, 12, whose base is the first commit."""
    base = committed(shop_yaml=BASE)
    committed(shop_yaml=DEARER)
    with serving(request.param) as found:
        for name, value in found.environment().items():
            monkeypatch.setenv(name, value)
        if found.kind == "github":
            event = {"pull_request": {"number": 12, "base": {"sha": base}}, "repository": {"full_name": "o/r"}}
            (tmp_path / "event.json").write_text(json.dumps(event))
            monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
            monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
        else:
            monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", base)
        monkeypatch.setattr(posting, "WAITS_S", (0.0, 0.0, 0.0))
        yield found


def then(*replies: Any) -> list[Callable[[], Any]]:
    return [lambda reply=reply: reply for reply in replies]


# One comment


def test_it_is_written_once_and_then_brought_up_to_date(world: World, repository: Cascade) -> None:
    status, out, err = repository("comment", "shop.yaml")
    assert (status, out) == (0, "")
    assert "wrote a comment on " in err
    (found,) = world.comments
    assert found["body"].startswith("<!-- cascade-plan: shop.yaml -->\n### ")
    assert "storage" in found["body"]
    asked = len(world.asked)
    status, _, err = repository("comment", "shop.yaml")
    assert status == 0
    assert "is up to date" in err
    assert {method for method, _ in world.asked[asked:]} == {"GET"}
    Path("shop.yaml").write_text(BASE.replace("  peak: 300", "  peak: 290"), encoding="utf-8")
    status, _, err = repository("comment", "shop.yaml")
    assert status == 0
    assert "updated the comment on " in err
    assert len(world.comments) == 1
    assert "users.peak 300 → 290" in world.comments[0]["body"]


def test_it_is_found_on_a_later_page_among_others(world: World, repository: Cascade) -> None:
    for number in range(8):
        world.written(f"looks good {number}")
    world.written("<!-- cascade-plan: shop.yaml -->\nold\r\n")
    world.written("I quote <!-- cascade-plan: shop.yaml -->")
    status, _, err = repository("comment", "shop.yaml")
    assert status == 0
    assert "updated the comment on " in err
    assert "storage" in world.comments[8]["body"]
    assert len(world.comments) == 10
    assert sum("page=" in path.partition("per_page=100")[2] for _, path in world.asked) == 3


def test_other_scenarios_have_a_comment_of_their_own(world: World, repository: Cascade) -> None:
    for arguments in (("shop.yaml",), ("cascade",), ("shop.yaml", "--peak", "200"), ("shop.yaml", "--key", "mine")):
        assert repository("comment", *arguments)[0] == 0
    assert len({found["body"].splitlines()[0] for found in world.comments}) == len(world.comments) == 4


def test_a_strangers_comment_is_not_taken_for_ours(world: World, repository: Cascade) -> None:
    stranger = {"user": {"login": "x", "type": "User"}, "author_association": "NONE", "author": {"id": 8}}
    world.written("<!-- cascade-plan: shop.yaml -->\nall is well", **stranger)
    assert repository("comment", "shop.yaml")[0] == 0
    assert len(world.comments) == 2
    assert world.comments[0]["body"].endswith("all is well")


def test_two_of_ours_are_said(world: World, repository: Cascade) -> None:
    for _ in range(2):
        world.written("<!-- cascade-plan: shop.yaml -->\nold")
    assert "; there are 1 more of the same scenarios" in repository("comment", "shop.yaml")[2]


def test_dry_run_prints_it_and_asks_nobody(world: World, repository: Cascade) -> None:
    status, out, _ = repository("comment", "shop.yaml", "--dry-run")
    assert status == 0
    assert out.startswith("<!-- cascade-plan: shop.yaml -->\n### ")
    assert world.asked == []


# What goes wrong


@pytest.mark.parametrize("passing", [503, 502, 500, 429, 0])
def test_what_fails_for_a_time_is_tried_again(world: World, repository: Cascade, passing: int) -> None:
    world.failures = then((passing, "busy", {}), None, (passing, "busy", {}))
    status, _, err = repository("comment", "shop.yaml")
    assert status == 0, err
    assert len(world.comments) == 1


def test_an_answer_that_is_lost_makes_no_second_comment(world: World, repository: Cascade) -> None:
    def written_and_lost() -> Any:
        world.written("<!-- cascade-plan: shop.yaml -->\nwritten, but nobody knows")
        return 0, "", {}

    listing = 1 if world.kind == "github" else 2
    world.failures = [*then(*[None] * listing), written_and_lost]
    status, _, err = repository("comment", "shop.yaml")
    assert status == 0, err
    assert "updated the comment on " in err
    assert len(world.comments) == 1


def test_a_limit_is_waited_for(world: World, repository: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    short = time.sleep
    monkeypatch.setattr("time.sleep", lambda wait_s: waited.append(wait_s) if wait_s >= 1 else short(wait_s))
    world.failures = then((403, {"message": "secondary rate limit"}, {"Retry-After": "7"}))
    assert repository("comment", "shop.yaml")[0] == 0
    assert waited == [7.0]


def test_a_limit_that_lasts_is_said(world: World, repository: Cascade) -> None:
    limit = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}
    world.failures = then((403, {"message": "API rate limit exceeded"}, limit))
    status, _, err = repository("comment", "shop.yaml")
    assert status == 5
    assert "(HTTP status 403): API rate limit exceeded: asked too often for " in err
    assert "it answers again in " in err


@pytest.mark.parametrize(
    ("refusal", "github", "gitlab"),
    [
        (401, "GITHUB_TOKEN is not valid", "GITLAB_TOKEN is not valid"),
        (403, "permissions: {contents: read, pull-requests: write}", "project access token with the scope api"),
        (404, "there is no such pull request", "there is no such merge request"),
        (422, "pull request 12 of o/r", "merge request 12 of project 42"),
    ],
)
def test_a_refusal_is_said_in_words_and_not_tried_again(
    world: World, repository: Cascade, refusal: int, github: str, gitlab: str
) -> None:
    world.failures = then((refusal, {"message": "No \x1b[31m::error::no"}, {}))
    status, out, err = repository("comment", "shop.yaml")
    assert (status, out) == (5, "")
    assert f"(HTTP status {refusal}): No [31m::error::no" in err
    assert (github if world.kind == "github" else gitlab) in err
    assert len(world.asked) == 1
    assert world.comments == []
    assert TOKEN not in err


def test_what_never_answers_ends_with_status_5(world: World, repository: Cascade) -> None:
    world.failures = then(*[(503, "down", {})] * 9)
    status, _, err = repository("comment", "shop.yaml")
    assert status == 5
    assert "(HTTP status 503): down" in err
    assert len(world.asked) == posting.ATTEMPTS


def test_nobody_listens(world: World, repository: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL" if world.kind == "github" else "CI_API_V4_URL", "http://127.0.0.1:1")
    status, _, err = repository("comment", "shop.yaml")
    assert status == 5
    assert "nothing listens there" in err


@pytest.mark.parametrize("answer", ["<html>", '{"a": 1}', "", "[" * 100_000])
def test_what_is_no_list_is_said(world: World, repository: Cascade, answer: str) -> None:
    world.failures = then(*([None] if world.kind == "gitlab" else []), (200, answer, {}))
    status, _, err = repository("comment", "shop.yaml")
    assert status == 5
    assert "the answer is no " in err


def test_the_token_goes_to_no_other_host(world: World, repository: Cascade) -> None:
    with serving(world.kind) as other:
        for reply in (
            (307, "", {"Location": f"{other.url}/x"}),
            (200, [], {"Link": f'<{other.url}/x>; rel="next"'}),
        ):
            world.failures = then(*([None] if world.kind == "gitlab" else []), reply)
            status, _, err = repository("comment", "shop.yaml")
            assert status == 5
            assert "it leads to another host" in err
        assert other.asked == []


def test_a_repository_that_was_renamed_is_followed(world: World, repository: Cascade) -> None:
    world.failures = then((307, "", {"Location": f"{world.url}/elsewhere"}))
    status, _, err = repository("comment", "shop.yaml")
    assert status == 5
    assert ("GET", "/elsewhere") in world.asked
    assert "(HTTP status 404)" in err


def test_pages_without_an_end_end(world: World, repository: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_asking, "PAGES_MOST", 3)
    next_page = (200, [], {"Link": f'<{world.url}/again>; rel="next"'})
    world.failures = then(*([None] if world.kind == "gitlab" else []), *[next_page] * 9)
    status, _, err = repository("comment", "shop.yaml")
    assert status == 5
    assert "has more than 300 comments" in err


def test_without_a_token_it_says_how_to_give_one(
    world: World, repository: Cascade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN" if world.kind == "github" else "GITLAB_TOKEN")
    monkeypatch.setenv("CI_JOB_TOKEN", "job")
    status, _, err = repository("comment", "shop.yaml")
    assert status == 2
    assert ("${{ github.token }}" if world.kind == "github" else "CI_JOB_TOKEN is not allowed") in err
    assert world.asked == []


def test_a_run_of_no_pull_request_is_said(world: World, repository: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    if world.kind == "github":
        Path("event.json").write_text('{"ref": "refs/heads/main"}')
        monkeypatch.setenv("GITHUB_EVENT_PATH", "event.json")
        monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    else:
        monkeypatch.delenv("CI_MERGE_REQUEST_IID")
    status, _, err = repository("comment", "shop.yaml")
    assert status == 2
    assert ("no pull request (event: push)" if world.kind == "github" else "no merge request") in err
    assert repository("comment", "shop.yaml", "--base", "HEAD~1", "--pull-request", "12")[0] == 0


def test_a_long_comment_is_taken(world: World, repository: Cascade) -> None:
    names = [f"plans/{number}.yaml" for number in range(15)]
    Path("plans").mkdir()
    for name in names:
        Path(name).write_text(BASE, encoding="utf-8")
    base = committed()
    for name in names:
        Path(name).write_text(DEARER.replace("peak: 300", "peak: 2400"), encoding="utf-8")
    status, _, err = repository("comment", "plans/*.yaml", "--base", base)
    assert status == 0, err
    (found,) = world.comments
    is_cut = "left out, as the rest fills the 65,536 characters that GitHub takes" in found["body"]
    assert is_cut == (world.kind == "github")
    assert 60_000 < len(found["body"]) < world.most


# What it shows on GitHub beside the comment, and its exit status


def test_github_shows_failures_at_their_lines_and_a_summary(
    repository: Cascade, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    committed(shop_yaml=BASE)
    Path("shop.yaml").write_text(FAILING, encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    status, out, err = repository("comment", "shop.yaml", "--base", "HEAD", "--dry-run", "--fail-on", "failed")
    assert status == 1
    line = FAILING.splitlines().index("  usd_per_1000_users_month: 100") + 1
    assert f"::error file=shop.yaml,line={line},title=" in err
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").strip() == out.strip()
    assert "within budget" in out
    assert "over budget 14.5 x" in out


@pytest.mark.parametrize(
    ("now", "fail_on", "status"),
    [
        (FAILING, "never", 0),
        (FAILING, "failed", 1),
        (BASE, "failed", 0),
        (BASE.replace("peak: 300", "peak: -3"), "never", 2),
        ("tiers: [", "failed", 2),
    ],
)
def test_the_exit_status(repository: Cascade, now: str, fail_on: str, status: int) -> None:
    committed(shop_yaml=BASE)
    Path("shop.yaml").write_text(now, encoding="utf-8")
    found, out, err = repository("comment", "shop.yaml", "--base", "HEAD", "--dry-run", "--fail-on", fail_on)
    assert found == status
    assert ("the scenario cannot be planned" in out) == (status == 2)
    assert ("error: shop.yaml:" in err) == (status == 2)


def test_fail_on_takes_three_words(repository: Cascade) -> None:
    assert (
        "--fail-on fail: must be never, failed, not-judged; did you mean 'failed'?"
        in repository("comment", "--fail-on", "fail")[2]
    )


# Both sides, from git


def test_what_the_scenario_names_is_as_it_was(repository: Cascade) -> None:
    rows = [f"2026-03-02T{hour:02}:00:00Z,{{}}\n" for hour in range(24)]
    trace = "time,requests\n" + "".join(row.format(100 + 10 * hour) for hour, row in enumerate(rows))
    flat = "time,requests\n" + "".join(row.format(100) for row in rows)
    scenario = BASE.replace("  tenants: 60", "  tenants: 60\n  trace: day.csv")
    committed(plans__shop_yaml=scenario, plans__day_csv=trace)
    assert "Nothing changed" in repository("comment", "plans/shop.yaml", "--base", "HEAD", "--dry-run")[1]
    Path("plans/day.csv").write_text(flat, encoding="utf-8")
    out = repository("comment", "plans/shop.yaml", "--base", "HEAD", "--dry-run")[1]
    assert "users.profile" in out
    assert "Nothing changed" not in out


def test_the_project_file_and_its_prices_are_as_they_were(repository: Cascade) -> None:
    prices = "format: 1\ncloud: aws\nregion: us-east-1\nsource: us\nas_of: 2026-11-01\ndiscounts: {rds: 10}\n"
    committed(shop_yaml=BASE, prices_yaml=prices)
    Path(".cascade-plan.yaml").write_text("scenario: shop.yaml\nprices: prices.yaml\n")
    committed()
    Path("prices.yaml").write_text(prices.replace("10", "50"), encoding="utf-8")
    out = repository("comment", "--base", "HEAD", "--dry-run")[1]
    assert out.startswith("<!-- cascade-plan: shop.yaml -->\n### ✓ shop.yaml: -$")
    assert "price -44.4 %" in out
    assert "shop.yaml: -$" in repository("comment", "--prices", "prices.yaml", "--base", "HEAD", "--dry-run")[1]


def test_a_file_that_the_commit_has_not_is_as_it_is_on_both_sides(repository: Cascade, tmp_path: Path) -> None:
    committed(shop_yaml=BASE)
    Path("prices.yaml").write_text("format: 1\ncloud: aws\nregion: us-east-1\nsource: us\nas_of: 2026-11-01\n"
                                   "discounts: {rds: 10}\n", encoding="utf-8")  # fmt: skip
    assert (
        "Nothing changed"
        in repository("comment", "shop.yaml", "--prices", "prices.yaml", "--base", "HEAD", "--dry-run")[1]
    )


def test_options_hold_for_both_sides(repository: Cascade) -> None:
    committed(shop_yaml=BASE)
    assert "Nothing changed" in repository("comment", "shop.yaml", "--peak", "900", "--base", "HEAD", "--dry-run")[1]


def test_patterns_know_what_is_new_renamed_and_gone(repository: Cascade) -> None:
    committed(plans__a_yaml=BASE, plans__b_yaml=BASE.replace("saas-300", "other"), plans__deep__c_yaml=BASE + "# c\n")
    git("mv", "plans/a.yaml", "plans/renamed.yaml")
    git("rm", "-q", "plans/b.yaml")
    Path("plans/new.yaml").write_text(BASE.replace("  peak: 300", "  peak: 310"), encoding="utf-8")
    out = repository("comment", "plans/**/*.yaml", "--base", "HEAD", "--dry-run")[1]
    assert "plans/b.yaml: removed, -$" in out
    assert "plans/new.yaml: $" in out
    assert "Unchanged: plans/deep/c.yaml, plans/renamed.yaml" in out
    gone = repository("comment", "plans/b.yaml", "--base", "HEAD", "--dry-run")
    assert gone[0] == 0
    assert "plans/b.yaml: removed" in gone[1]


def test_from_a_directory_below_the_root(repository: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(plans__a_yaml=BASE)
    Path("plans/a.yaml").write_text(DEARER, encoding="utf-8")
    whole = str(Path("plans/a.yaml").absolute())
    monkeypatch.chdir("plans")
    for name in ("a.yaml", "./a.yaml", "../plans/a.yaml", whole):
        assert "storage 50 → 500 GiB" in repository("comment", name, "--base", "HEAD", "--dry-run")[1]


def test_environments_are_compared_one_by_one(repository: Cascade) -> None:
    several = BASE + "environments:\n  prod: {}\n  staging: {users: {peak: 50, average: 10}}\n"
    committed(shop_yaml=several)
    Path("shop.yaml").write_text(several.replace("peak: 50,", "peak: 60,") + "  demo: {}\n", encoding="utf-8")
    out = repository("comment", "shop.yaml", "--base", "HEAD", "--dry-run")[1]
    assert "shop.yaml (demo): $" in out
    assert "users.peak 50 → 60" in out
    assert "Unchanged: shop.yaml (prod)" in out
    committed(shop_yaml=BASE)
    Path("shop.yaml").write_text(several, encoding="utf-8")
    out = repository("comment", "shop.yaml", "--base", "HEAD", "--dry-run")[1]
    assert "shop.yaml (staging): $" in out
    assert "Unchanged: shop.yaml (prod)" in out


def test_a_base_that_cannot_be_planned_is_said(repository: Cascade) -> None:
    committed(shop_yaml="tiers: [")
    Path("shop.yaml").write_text(BASE, encoding="utf-8")
    status, out, _ = repository("comment", "shop.yaml", "--base", "HEAD", "--dry-run")
    assert status == 0
    assert "What it was before cannot be planned: shop.yaml:" in out


def test_against_a_file_or_a_saved_plan_asks_git_nothing(cascade: Cascade) -> None:
    Path("old.yaml").write_text(BASE, encoding="utf-8")
    Path("new.yaml").write_text(DEARER, encoding="utf-8")
    cascade("size", "old.yaml", "--format", "json", "-o", "old.json")
    for against in ("old.yaml", "old.json"):
        status, out, _ = cascade("comment", "new.yaml", "--against", against, "--dry-run")
        assert status == 0
        assert "storage 50 → 500 GiB" in out
        assert f"Compared with {against}." in out
    assert cascade("comment", "new.yaml", "old.yaml", "--against", "old.yaml", "--dry-run")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("shop.yaml",), "nothing to compare with: name a commit with --base, or a file with --against"),
        (("shop.yaml", "--base", "nowhere"), "no commit 'nowhere' in this clone: fetch it first"),
        (("shop.yaml", "--base", "--output=x"), "no commit '--output=x' in this clone"),
        (("-", "--base", "HEAD"), "stdin has no former version"),
        (("none/*.yaml", "--base", "HEAD"), "no file matches none/*.yaml, neither now nor at "),
        (("/etc/hosts.yaml", "--base", "HEAD"), "outside"),
    ],
)
def test_what_cannot_be_compared_is_said(repository: Cascade, arguments: tuple[str, ...], words: str) -> None:
    committed(shop_yaml=BASE)
    status, out, err = repository("comment", *arguments, "--dry-run")
    assert (status, out) == (2, "")
    assert words in err


def test_outside_a_repository_git_is_quoted(cascade: Cascade, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    status, _, err = cascade("comment", "cascade", "--base", "HEAD", "--dry-run")
    assert status == 2
    assert "git rev-parse: not a git repository" in err


def test_without_git_it_says_so(cascade: Cascade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "git is not installed here" in cascade("comment", "cascade", "--base", "HEAD", "--dry-run")[2]
