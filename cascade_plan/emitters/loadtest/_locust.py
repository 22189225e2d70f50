"""locustfile.py: the scenario's users, loads and limits, for Locust."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.loadtest import _accounts as accounts
from cascade_plan.emitters.loadtest._loads import (
    body,
    filled,
    forms,
    model_lines,
    room_user_count,
    settle_s,
    whole_weights,
)
from cascade_plan.languages.python import comment, literal
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

PATH: Final = "locustfile.py"
PURPOSE: Final = "The load test for Locust (tested with 2.47), with the SLOs judged at its end; run.sh runs it."

HEAD: Final = '''\
"""Drives the scenario's users against a system and judges its SLOs: exit status 1 when one is missed.

  LOADTEST_LOAD=NAME locust -f locustfile.py --headless --host https://staging.example.com --csv results/NAME

Environment:
  LOADTEST_LOAD        the load to run  [the first of LOADS]
<<ENVIRONMENT>>  LOADTEST_WORKERS     worker processes, so that each gets accounts of its own  [1]

<<THESE>> must exist before: see Account.
"""

import itertools
import json
import os
import random
import re
import sys
import time
from typing import NamedTuple

import gevent
import locust.stats
from locust import FastHttpUser, LoadTestShape, between, events
<<IMPORTS>>from locust.runners import WorkerRunner


class Load(NamedTuple):
    """A named load and its limits."""

    users: int
    spawn_rate_per_s: float
    duration_s: float
    latency_ms_p95: float
    latency_ms_p99: float | None
    failure_ratio_max: float


class Action(NamedTuple):
    """A request users make: its weight among all, and the JSON with a field, or the file, that it sends."""

    name: str
    weight: int
    method: str
    path: str
    body: str
    field: str
    byte_count: int


'''

CODE: Final = '''\
LOAD = os.environ.get("LOADTEST_LOAD", next(iter(LOADS)))
if LOAD not in LOADS:
    sys.exit(f"LOADTEST_LOAD={LOAD}: the loads are {', '.join(LOADS)}")
WORKERS = int(os.environ.get("LOADTEST_WORKERS", "1"))
BOUNDARY = "loadtest"


def three_digits(response_time):
    """Return milliseconds rounded to three digits. Locust's own two turn 195 ms into 200."""
    return int(round(response_time, min(0, 3 - len(str(int(response_time))))))


locust.stats.bucket_response_time = three_digits


def bytes_of(action):
    """Return an action's body<<WITHOUT>>, made once: as incompressible as a real file, the same every time."""
    if action.body == "json":
        empty = json.dumps({action.field: ""})
        return json.dumps({action.field: "x" * max(1, action.byte_count - len(empty))}).encode()
    return random.Random(action.name).randbytes(action.byte_count) if action.body == "form" else b""


BODIES = {action.name: bytes_of(action) for action in ACTIONS}


<<FORM>>CONTENT_TYPES = {"": {}, "json": {"Content-Type": "application/json"},
                 "form": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}}


def judge_answer(response):
    """Count everything but 2xx as a failure."""
    if not 200 <= response.status_code < 300:
        response.failure(f"status {response.status_code}" if response.status_code else str(response.error))


def task_of(action):
    """Return the Locust task that makes an action's request."""

    def task(user):
        content = BODIES[action.name]
        with user.client.request(
            action.method,
            user.account.path(action.path),
            name=action.path,  # one row of statistics for a route, whatever <<WHOSE>>
            data=<<DATA>>,
            headers=user.headers | CONTENT_TYPES[action.body],
            catch_response=True,
        ) as response:
            judge_answer(response)

    return task


<<LOGINS>>class TenantUser(FastHttpUser):
    """A user of one tenant, <<WHO>>acts with pauses in between."""

    wait_time = between(THINK_S[0], THINK_S[1])
    tasks = {task_of(action): action.weight for action in ACTIONS}
    started = itertools.count()

<<START>>

class Progress:
    """How far the load has come; known where the users are counted (not on workers)."""

    environment = None
    full_at = None  # when the last user had come
    held_from = None  # when the figures began: all users there, and settled
    ended_at = None
    users = 0  # while they are counted the fewest of them


class NamedLoad(LoadTestShape):
    """The chosen load: its users at its spawn rate, and then all of them, to settle and for its duration."""

    def tick(self):
        """Return the users and the spawn rate, or None at the end."""
        load, now, users = LOADS[LOAD], time.monotonic(), self.get_current_user_count()
        Progress.users = users if Progress.ended_at is None else min(users, Progress.users)
        if Progress.full_at is None:
            overdue = self.get_run_time() > 2 * load.users / load.spawn_rate_per_s + 60
            return None if overdue else (load.users, load.spawn_rate_per_s)
        if Progress.held_from is not None:
            Progress.ended_at = now
        over = Progress.held_from is not None and now - Progress.held_from >= load.duration_s
        return None if over or not users else (load.users, load.spawn_rate_per_s)


@events.init.add_listener
def remember(environment, **_):
    """Keep the environment<<REFUSES>>."""
<<CHECK>>    Progress.environment = environment


@events.spawning_complete.add_listener
def leave_out_ramp(user_count, **_):
    """Begin the figures when all users are there and have settled: limits are for all of them."""
    if Progress.full_at is None or isinstance(Progress.environment.runner, WorkerRunner):
        Progress.full_at = time.monotonic()
        gevent.spawn_later(SETTLE_S[LOAD], begin)


def begin():
    """Forget what was measured so far."""
    Progress.environment.stats.reset_all()
    Progress.held_from = time.monotonic()


def results(total):
    """Return (figure, limit in words, value, whether it is kept) of every limit of the load."""
    load = LOADS[LOAD]
    held_s = Progress.ended_at - Progress.held_from if Progress.ended_at else 0
    p95, p99 = (total.get_response_time_percentile(share) or 0 for share in (0.95, 0.99))
    measured = bool(total.num_requests)
    yield "latency_ms_p95", f"< {load.latency_ms_p95:g}", p95, measured and p95 < load.latency_ms_p95
    if load.latency_ms_p99 is not None:
        yield "latency_ms_p99", f"< {load.latency_ms_p99:g}", p99, measured and p99 < load.latency_ms_p99
    ratio = total.fail_ratio
    yield "failure_ratio", f"<= {load.failure_ratio_max:g}", ratio, measured and ratio <= load.failure_ratio_max
    yield "user_count", f">= {load.users}", Progress.users, Progress.users >= load.users
    yield "duration_s", f">= {load.duration_s:g}", held_s, held_s >= load.duration_s


@events.quitting.add_listener
def judge(environment, **_):
    """Print every limit and whether it was kept; exit with 1 when one was not."""
    if isinstance(environment.runner, WorkerRunner):
        return
    lines = list(results(environment.stats.total))
    for figure, limit, value, kept in lines:
        print(f"{'✓' if kept else '✗'} {figure}.{LOAD} {limit} = {value:.4g}")
    if not environment.stats.total.num_requests:
        print("no request was made while all users were there")
    environment.process_exit_code = 0 if all(kept for *_, kept in lines) else 1
'''


_LOGIN: Final = {
    "IMPORTS": "from locust.event import EventHook\nfrom locust.exception import StopUser\n",
    "LOGINS": '''\
LOGINS = EventHook()
"""What is said of a login, in place of Locust's own event: a login is no action, and its time none of theirs."""


def count_login(request_type, name, response_time, response_length, exception, **_):
    """Count a login in a row of its own, and not in the total."""
    stats = Progress.environment.stats
    row = stats.get(name, request_type)
    row.log(response_time, response_length)
    if exception:
        row.log_error(exception)
        failure = locust.stats.StatsError(request_type, name, exception)
        stats.errors.setdefault(failure.create_key(request_type, name, exception), failure).occurred()


LOGINS.add_listener(count_login)


''',
    "WHO": "who logs in where there is a password, and then ",
    "START": '''\
    def on_start(self):
        """Get a token. Who gets none leaves: the load then falls short of its users."""
        worker = getattr(self.environment.runner, "worker_index", 0)
        self.account = Account(next(self.started) * WORKERS + worker)
        token = self.log_in() if PASSWORD else TOKEN
        if token is None:
            raise StopUser
        self.headers = self.account.headers(token)

    def log_in(self):
        """Return the token of the account, None where the login fails."""
        credentials = {USER_FIELD: self.account.user, PASSWORD_FIELD: PASSWORD}
        actions, self.client.request_event = self.client.request_event, LOGINS
        with self.client.post(LOGIN_PATH, json=credentials, name="login", catch_response=True) as response:
            token = None
            try:
                token = response.json()[TOKEN_FIELD]
            except (ValueError, KeyError, TypeError, AttributeError):
                response.failure("no token in the answer")
            judge_answer(response)
        self.client.request_event = actions
        return token
''',
}
_NO_LOGIN: Final = {
    "IMPORTS": "",
    "LOGINS": "",
    "WHO": "who ",
    "START": '''\
    def on_start(self):
        """Take an account."""
        worker = getattr(self.environment.runner, "worker_index", 0)
        self.account = Account(next(self.started) * WORKERS + worker)
        self.headers = self.account.headers(TOKEN)
''',
}
"""What stands in the text where users log in, and where they do not."""


_ROOM: Final = {
    "THESE": "The accounts and rooms",
    "WITHOUT": " without the room",
    "WHOSE": "the room",
    "PLACE": "room",
}
_ALONE: Final = {
    "THESE": "The accounts",
    "WITHOUT": "",
    "WHOSE": "the account",
    "PLACE": "number",
}
"""What stands in the text where users share rooms, and where each is alone."""


_FORM: Final = {
    "DATA": 'form(action, user.account.<<PLACE>>, content) if action.body == "form" else content or None',
    "FORM": '''\
def form(action, place, content):
    """Return a multipart form (RFC 7578): a file, after <<WHOSE>>'s number where the action names a field for it."""
    field, file, media_type = FORMS[action.name]
    text = f'--{BOUNDARY}\\r\\nContent-Disposition: form-data; name="{field}"\\r\\n\\r\\n{place}\\r\\n' if field else ""
    text += f'--{BOUNDARY}\\r\\nContent-Disposition: form-data; name="file"; filename="{file}"\\r\\n'
    text += f"Content-Type: {media_type}\\r\\n\\r\\n"
    return text.encode() + content + f"\\r\\n--{BOUNDARY}--\\r\\n".encode()


''',
}
_NO_FORM: Final = {"DATA": "content or None", "FORM": ""}
"""What stands in the text where an action sends a file, and where none does."""


def locustfile(plan: Plan) -> Artefact:
    """Return the Locust file of a plan whose scenario has loads."""
    parts = {
        **(_FORM if forms(plan.scenario) else _NO_FORM),
        **(_LOGIN if accounts.login(plan) else _NO_LOGIN),
        **(_ROOM if room_user_count(plan) else _ALONE),
        "ENVIRONMENT": accounts.environment(plan),
        "CHECK": accounts.check(plan),
        "REFUSES": ", and refuse to start where nothing says how users are known" if accounts.secrets(plan) else "",
    }
    text = filled(HEAD, parts) + _data(plan) + "\n" + accounts.code(plan) + "\n\n" + filled(CODE, parts)
    return Artefact(PATH, heading(plan, model_lines(plan), comment) + text, PURPOSE)


def _data(plan: Plan) -> str:
    scenario = plan.scenario
    think = scenario.behaviour.think_time_s
    loads = "".join(
        f"    {literal(name)}: Load({literal(load.users)}, {literal(load.spawn_rate_per_s)}, "
        f"{literal(load.duration_s)}, {literal(load.latency_ms_p95)}, {literal(load.latency_ms_p99)}, "
        f"{literal(load.failure_ratio_max)}),\n"
        for name, load in scenario.driven.items()
    )
    settle = ", ".join(f"{literal(name)}: {settle_s(scenario, load)}" for name, load in scenario.driven.items())
    return (
        f"LOADS = {{\n{loads}}}\n"
        f"SETTLE_S = {{{settle}}}  # left out, after the last user has come\n"
        f"ACTIONS = (\n{_actions(plan)})\n"
        f"{_forms(plan)}"
        f"THINK_S = ({literal(think.min)}, {literal(think.max)})\n" + accounts.data(plan)
    )


def _forms(plan: Plan) -> str:
    """Return the constant of action -> the form's field beside the file, the file's name, its type; "" without any."""
    rows = "".join(
        f"    {literal(name)}: ({', '.join(map(literal, sent))}),\n" for name, sent in forms(plan.scenario).items()
    )
    return f"FORMS = {{\n{rows}}}\n" if rows else ""


def _actions(plan: Plan) -> str:
    actions = plan.scenario.behaviour.actions
    lines = []
    for weight, (name, action) in zip(
        whole_weights([action.weight for action in actions.values()]), actions.items(), strict=True
    ):
        method, _, path = action.request.partition(" ")
        sent = body(action)
        parts = (
            name,
            weight,
            method,
            path,
            sent.kind,
            action.json_field if sent.kind == "json" else "",
            sent.byte_count,
        )
        lines.append(f"    Action({', '.join(literal(part) for part in parts)}),\n")
    return "".join(lines)
