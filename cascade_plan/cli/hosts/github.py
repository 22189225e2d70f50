"""GitHub, and GitHub Enterprise: a pull request's comments are those of the issue of its number.

Source: https://docs.github.com/rest/issues/comments
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cascade_plan.cli.hosts._asking import api_of, asked, entry, number_of, pages, token_of
from cascade_plan.cli.posting import Place, Posted, RefusedError
from cascade_plan.errors import UsageError

NAME: Final = "GitHub"
MOST_CHARACTERS: Final = 65_536
"""What GitHub answers to a longer one: "body is too long (maximum is 65536 characters)"."""
TOKEN: Final = "GITHUB_TOKEN"
API: Final = "https://api.github.com"
VERSION: Final = "2022-11-28"
TRUSTED: Final = {"OWNER", "MEMBER", "COLLABORATOR"}
"""Who may have written a comment of ours beside bots: a stranger's that has our marker is not taken for it."""


def claims(environ: Mapping[str, str]) -> bool:
    """Return whether this is a run of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true" or bool(environ.get("GITHUB_EVENT_PATH"))


def base(environ: Mapping[str, str]) -> str:
    """Return the commit that a pull request is to be merged into, "" where the run does not say."""
    found = _event(environ).get("pull_request")
    end = found.get("base") if isinstance(found, dict) else None
    return str(end.get("sha") or "") if isinstance(end, dict) else ""


def place(environ: Mapping[str, str], number: int | None) -> Place:
    """Return where the comments of a pull request are: that of a number, or that of this run.

    Raises UsageError for what is missing, a token among it.
    """
    if number is None:
        number = _number(environ)
    repository = environ.get("GITHUB_REPOSITORY", "")
    owner, _, name = repository.partition("/")
    if not owner or not name or "/" in name or not all(_is_plain(each) for each in (owner, name)):
        raise UsageError("GITHUB_REPOSITORY is not set to OWNER/NAME: it names the repository of the pull request")
    token = token_of(environ, TOKEN, f"env: {{{TOKEN}: '${{{{ github.token }}}}'}} in the step of the workflow")
    return Place(
        host=NAME,
        named=f"pull request {number} of {repository}",
        api=api_of(environ.get("GITHUB_API_URL") or API, "GITHUB_API_URL"),
        comments=f"/repos/{owner}/{name}/issues/{number}/comments",
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "X-GitHub-Api-Version": VERSION,
        },
    )


def ours(place: Place, marker: str) -> Iterator[Posted]:
    """Yield the comments that begin with a marker and were written by a bot or by who belongs to the repository."""
    for each in pages(place, f"{place.comments}?per_page=100"):
        if not isinstance(each, dict) or not str(each.get("body") or "").startswith(marker):
            continue
        author = each.get("user")
        is_bot = isinstance(author, dict) and author.get("type") == "Bot"
        if is_bot or each.get("author_association") in TRUSTED:
            yield _posted(each)


def create(place: Place, body: str) -> Posted:
    """Write a new comment, and return it."""
    return _posted(entry(place, asked(place, "POST", place.api + place.comments, {"body": body})))


def update(place: Place, posted: Posted, body: str) -> Posted:
    """Write a comment anew, and return it."""
    address = f"{place.api}{place.comments.rpartition('/issues/')[0]}/issues/comments/{posted.number}"
    return _posted(entry(place, asked(place, "PATCH", address, {"body": body})))


def advice(refused: RefusedError) -> str:
    """Return what to do about a refusal, in words."""
    if refused.status == 401:
        return f"{TOKEN} is not valid, or no longer"
    if refused.status == 403:
        return (
            "the token may not write here: give the job `permissions: {contents: read, pull-requests: write}`; in a "
            "pull request from a fork GitHub makes it read-only, and the step's summary has the comment instead"
        )
    if refused.status == 404:
        return "there is no such pull request, or the token may not see it: look at GITHUB_REPOSITORY and the token"
    if refused.status == 410:
        return "comments are switched off there"
    return ""


def _posted(found: Mapping[str, Any]) -> Posted:
    number = found.get("id")
    return Posted(
        number if isinstance(number, int) else 0, str(found.get("body") or ""), str(found.get("html_url") or "")
    )


def _number(environ: Mapping[str, str]) -> int:
    event = _event(environ)
    for name in ("pull_request", "issue"):
        found = event.get(name)
        if isinstance(found, dict) and (name == "pull_request" or found.get("pull_request")):
            return number_of(found.get("number"), "GITHUB_EVENT_PATH")
    kind = environ.get("GITHUB_EVENT_NAME") or "unknown"
    raise UsageError(
        f"this run is of no pull request (event: {kind}): run it `on: pull_request`, or give --pull-request NUMBER"
    )


def _event(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what started this run, nothing where it is not said. Raises UsageError for a file that is no JSON."""
    if not (path := environ.get("GITHUB_EVENT_PATH")):
        return {}
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UsageError(f"GITHUB_EVENT_PATH={path}: it cannot be read as JSON") from None
    return found if isinstance(found, dict) else {}


def _is_plain(name: str) -> bool:
    return name not in (".", "..") and all(each.isascii() and (each.isalnum() or each in "-._") for each in name)
