"""GitLab: the notes of a merge request.

Source: https://docs.gitlab.com/api/notes/#merge-requests
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from cascade_plan.cli.hosts._asking import api_of, asked, entry, number_of, pages, token_of
from cascade_plan.cli.posting import Place, Posted, RefusedError
from cascade_plan.errors import UsageError

NAME: Final = "GitLab"
MOST_CHARACTERS: Final = 1_000_000
"""Source: https://docs.gitlab.com/administration/instance_limits/#size-of-comments-and-descriptions-of-issues-merge-
requests-and-epics"""
TOKEN: Final = "GITLAB_TOKEN"
API: Final = "https://gitlab.com/api/v4"
HOW: Final = (
    "make a project access token with the scope api and the role Reporter, and give it as a masked variable; "
    "CI_JOB_TOKEN is not allowed to write comments"
)
"""Source: https://docs.gitlab.com/ci/jobs/ci_job_token/#job-token-access: notes are none of what it may access."""


def claims(environ: Mapping[str, str]) -> bool:
    """Return whether this is a job of GitLab."""
    return environ.get("GITLAB_CI") == "true" or bool(environ.get("CI_MERGE_REQUEST_IID"))


def base(environ: Mapping[str, str]) -> str:
    """Return the commit that a merge request began at, "" where the job does not say."""
    return environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")


def place(environ: Mapping[str, str], number: int | None) -> Place:
    """Return where the notes of a merge request are: that of a number, or that of this job.

    Raises UsageError for what is missing, a token among it.
    """
    if number is None:
        if not (found := environ.get("CI_MERGE_REQUEST_IID")):
            raise UsageError(
                "this job is of no merge request: run it for the pipeline source merge_request_event, or give "
                "--pull-request NUMBER"
            )
        number = number_of(found, "CI_MERGE_REQUEST_IID")
    project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID")
    if not project:
        raise UsageError("CI_PROJECT_ID is not set: it is the number or the path of the project")
    token = token_of(environ, TOKEN, HOW)
    return Place(
        host=NAME,
        named=f"merge request {number} of project {project}",
        api=api_of(environ.get("CI_API_V4_URL") or API, "CI_API_V4_URL"),
        comments=f"/projects/{quote(project, safe='')}/merge_requests/{number}/notes",
        headers={"PRIVATE-TOKEN": token},
    )


def ours(place: Place, marker: str) -> Iterator[Posted]:
    """Yield the notes that begin with a marker and were written by the token's own user."""
    me = entry(place, asked(place, "GET", f"{place.api}/user")).get("id")
    for each in pages(place, f"{place.comments}?per_page=100&sort=asc&order_by=created_at"):
        if isinstance(each, dict) and not each.get("system") and str(each.get("body") or "").startswith(marker):
            author = each.get("author")
            if me is not None and isinstance(author, dict) and author.get("id") == me:
                yield _posted(each)


def create(place: Place, body: str) -> Posted:
    """Write a new note, and return it."""
    return _posted(entry(place, asked(place, "POST", place.api + place.comments, {"body": body})))


def update(place: Place, posted: Posted, body: str) -> Posted:
    """Write a note anew, and return it."""
    address = f"{place.api}{place.comments}/{posted.number}"
    return _posted(entry(place, asked(place, "PUT", address, {"body": body})))


def advice(refused: RefusedError) -> str:
    """Return what to do about a refusal, in words."""
    if refused.status == 401:
        return f"{TOKEN} is not valid, or no longer: {HOW}"
    if refused.status == 403:
        return f"the token may not write comments: {HOW}"
    if refused.status == 404:
        return "there is no such merge request, or the token may not see it: is it a token of this project?"
    return ""


def _posted(found: Mapping[str, Any]) -> Posted:
    number = found.get("id")
    return Posted(number if isinstance(number, int) else 0, str(found.get("body") or ""), "")
