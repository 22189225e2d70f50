"""loadtest.js: the scenario's users, loads and limits, for k6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.loadtest import _accounts as accounts
from cascade_plan.emitters.loadtest._loads import body, filled, forms, model_lines, room_user_count, settle_s
from cascade_plan.languages.javascript import comment, literal
from cascade_plan.model.artefact import Artefact
from cascade_plan.model.plan import Plan

PATH: Final = "loadtest.js"
PURPOSE: Final = (
    "The load test for k6, with the SLOs as thresholds and its results in summary.json; its head says how to run it."
)

USAGE: Final = """\
//
//   export K6_NEW_MACHINE_READABLE_SUMMARY=false   # k6 from 1.5 on: the other summary has no 99th percentile
//   k6 run -e LOADTEST_LOAD=NAME -e LOADTEST_HOST=https://staging.example.com <<EXAMPLE>>loadtest.js
//
// LOADTEST_LOAD is a load, or several with commas between, which run one after another. summary.json is what
// `cascade-plan verify` reads. Limits hold for the phase "hold", when all users are there and have settled: the ramp,
// SETTLE_S after it, and logins are phases apart.
import exec from 'k6/execution';
import http from 'k6/http';
import { <<FAIL>>sleep } from 'k6';
import { Trend } from 'k6/metrics';

"""

CODE: Final = r"""
const HOST = (__ENV.LOADTEST_HOST || '').replace(/\/+$/, '');
const CHOSEN = (__ENV.LOADTEST_LOAD || '').split(',');
for (const name of CHOSEN) {
  if (!Object.keys(LOADS).includes(name)) {
    const given = name ? `LOADTEST_LOAD=${name}` : 'set LOADTEST_LOAD with -e';
    throw new Error(`${given}: the loads are ${Object.keys(LOADS).join(', ')}`);
  }
}
if (!HOST) {
  throw new Error('set LOADTEST_HOST with -e: the URL of the system under test');
}
<<SECRETS>>
const users = new Trend('users');
const heldSeconds = new Trend('held_s');

function rampSeconds(load) {
  return Math.ceil(load.users / load.spawn_rate_per_s);
}

function holdSeconds(load) {
  return Math.ceil(load.duration_s);
}

// Seconds of the hold that have passed, by the clock of the load that runs.
function heldSoFar() {
  const name = exec.scenario.name;
  return (Date.now() - exec.scenario.startTime) / 1000 - rampSeconds(LOADS[name]) - SETTLE_S[name];
}

// As long as its last users may still think.
const GRACE_S = 30 + Math.ceil(THINK_S.max);

function scenariosOf(names) {
  const scenarios = {};
  let start = 0;
  for (const name of names) {
    const load = LOADS[name];
    scenarios[name] = {
      executor: 'ramping-vus',
      startTime: `${start}s`,
      startVUs: 0,
      stages: [
        { duration: `${rampSeconds(load)}s`, target: load.users },
        { duration: `${SETTLE_S[name] + holdSeconds(load)}s`, target: load.users },
      ],
      gracefulStop: `${GRACE_S}s`,
    };
    start += rampSeconds(load) + SETTLE_S[name] + holdSeconds(load) + GRACE_S;
  }
  return scenarios;
}

function thresholdsOf(names) {
  const thresholds = {};
  for (const name of names) {
    const load = LOADS[name];
    const held = `{load:${name},phase:hold}`;
    const limits = [{ threshold: `p(95)<${load.latency_ms_p95}` }];
    if (load.latency_ms_p99 !== null) {
      limits.push({ threshold: `p(99)<${load.latency_ms_p99}` });
    }
    thresholds[`http_req_duration${held}`] = limits;
    thresholds[`http_req_failed${held}`] = [{ threshold: `rate<=${load.failure_ratio_max}` }];
    thresholds[`http_reqs${held}`] = [{ threshold: 'count>0' }];
<<LOGIN_LIMIT>>    thresholds[`users${held}`] = [{ threshold: `min>=${load.users}` }];
    thresholds[`held_s${held}`] = [{ threshold: `max>=${load.duration_s}` }];
  }
  return thresholds;
}

export const options = {
  scenarios: scenariosOf(CHOSEN),
  thresholds: thresholdsOf(CHOSEN),
  summaryTrendStats: ['avg', 'min', 'med', 'max', 'p(50)', 'p(95)', 'p(99)'],
};

<<ACCOUNT>>

// Each user's choices follow the golden ratio's multiples: every run makes the same ones, in the weights' proportions.
function pick(number, iteration) {
  const total = ACTIONS.reduce((sum, action) => sum + action.weight, 0);
  const golden = (Math.sqrt(5) - 1) / 2;
  let left = ((iteration * golden + number * Math.SQRT2) % 1) * total;
  for (const action of ACTIONS) {
    left -= action.weight;
    if (left < 0) {
      return action;
    }
  }
  return ACTIONS[ACTIONS.length - 1];
}

const FILES = {};
for (const action of ACTIONS) {
  FILES[action.name] = 'x'.repeat(action.byte_count);
}

function bodyOf(action, account) {
  if (action.body === 'json') {
    const empty = JSON.stringify({ [action.field]: '' }).length;
    return JSON.stringify({ [action.field]: 'x'.repeat(Math.max(1, action.byte_count - empty)) });
  }
<<FORM>>  return null;
}

// What a VU keeps between its iterations.
let account = null;
let headers = null;
let iteration = 0;

<<LOGIN>>export default function () {
  const name = exec.scenario.name;
  if (!headers) {
    account = accountOf(exec.vu.idInTest - 1);
    headers = { <<HEADERS>> };
  }
  const held = heldSoFar();
  const tags = { load: name, phase: held >= 0 ? 'hold' : 'ramp' };
  users.add(exec.instance.vusActive, tags);
  const action = pick(exec.vu.idInTest - 1, iteration);
  iteration += 1;
  const json = action.body === 'json' ? { 'Content-Type': 'application/json' } : {};
  http.request(
    action.method,
    HOST + action.path.replace(/\{[^{}]*\}/g, account.<<PLACE>>),
    bodyOf(action, account),
    { headers: { ...headers, ...json }, tags: { ...tags, name: action.path } },
  );
  sleep(THINK_S.min + (THINK_S.max - THINK_S.min) * Math.random());
  heldSeconds.add(Math.min(heldSoFar(), holdSeconds(LOADS[name])), tags);
}

export function handleSummary(data) {
  const lines = [];
  for (const [metric, found] of Object.entries(data.metrics || {})) {
    for (const [threshold, verdict] of Object.entries(found.thresholds || {})) {
      lines.push(`${verdict.ok ? '✓' : '✗'} ${metric} ${threshold}`);
    }
  }
  return { 'summary.json': JSON.stringify(data, null, 2), stdout: `${lines.join('\n')}\n` };
}
"""


_ROOM: Final = {
    "PLACE": "room",
    "ACCOUNT": """\
// The same number always gets the same tenant, name and room; rooms are numbered through all tenants.
function accountOf(number) {
  const tenant = (number % TENANTS) + 1;
  const member = Math.floor(number / TENANTS);
  return {
    tenant: String(tenant),
<<USER>>    room: String(Math.floor(member / USERS_PER_ROOM) * TENANTS + tenant),
  };
}\
""",
}
_ALONE: Final = {
    "PLACE": "number",
    "ACCOUNT": """\
// The same number always gets the same tenant and name.
function accountOf(number) {
  const tenant = (number % TENANTS) + 1;
  return {
    tenant: String(tenant),
    number: String(number + 1),
<<USER>>  };
}\
""",
}
"""What stands in the code where users share rooms, and where each is alone."""


_FORM: Final = """\
  if (action.body === 'form') {
    const [field, name, mediaType] = FORMS[action.name];
    const file = http.file(FILES[action.name], name, mediaType);
    return field ? { [field]: account.<<PLACE>>, file } : { file };
  }
"""


_LOGIN: Final = {
    "FAIL": "fail, ",
    "USER": "    user: USER.replaceAll('{user}', String(number + 1)).replaceAll('{tenant}', String(tenant)),\n",
    "LOGIN_LIMIT": """\
    if (PASSWORD) {
      // Who cannot log in does not act: the load is then not this one.
      thresholds[`http_req_failed{load:${name},phase:login}`] = [{ threshold: `rate<=${load.failure_ratio_max}` }];
    }
""",
    "LOGIN": """\
// Returns the account's token. Without one the iteration fails, and is tried again.
function login(load) {
  const response = http.post(
    `${HOST}${LOGIN_PATH}`,
    JSON.stringify({ [USER_FIELD]: account.user, [PASSWORD_FIELD]: PASSWORD }),
    { headers: { 'Content-Type': 'application/json' }, tags: { load, phase: 'login', name: 'login' } },
  );
  const token = response.status >= 200 && response.status < 300 ? response.json(TOKEN_FIELD) : null;
  if (!token) {
    sleep(THINK_S.min);
    fail(`login of ${account.user}: status ${response.status}`);
  }
  return token;
}

""",
}
_NO_LOGIN: Final = dict.fromkeys(_LOGIN, "")
"""What stands in the code where users log in, and where they do not."""


def script(plan: Plan) -> Artefact:
    """Return the k6 script of a plan whose scenario has loads."""
    parts = {
        "FORM": _FORM if forms(plan.scenario) else "",
        **(_ROOM if room_user_count(plan) else _ALONE),
        **(_LOGIN if accounts.login(plan) else _NO_LOGIN),
        "EXAMPLE": accounts.example(plan, "-e "),
        "SECRETS": _secrets(plan),
        "HEADERS": ", ".join(_headers(plan)),
    }
    text = filled(USAGE, parts) + _data(plan) + filled(CODE, parts)
    return Artefact(PATH, heading(plan, model_lines(plan), comment) + text, PURPOSE)


def _secrets(plan: Plan) -> str:
    """Return the constants of what says how users are known, and a check that one of them is there."""
    names = [given.name.removeprefix("LOADTEST_") for given in accounts.secrets(plan)]
    if not names:
        return ""
    constants = "".join(f"const {name} = __ENV.LOADTEST_{name} || '';\n" for name in names)
    none = " && ".join(f"!{name}" for name in names)
    return f"{constants}if ({none}) {{\n  throw new Error('set {accounts.access(plan)} with -e');\n}}\n"


def _headers(plan: Plan) -> Iterator[str]:
    if accounts.secrets(plan):
        token = "PASSWORD ? login(name) : TOKEN" if accounts.login(plan) else "TOKEN"
        yield f"Authorization: `Bearer ${{{token}}}`"
    if plan.scenario.behaviour.tenant_header:
        yield "[TENANT_HEADER]: account.tenant"


def _data(plan: Plan) -> str:
    scenario = plan.scenario
    loads = {
        name: {
            "users": load.users,
            "spawn_rate_per_s": load.spawn_rate_per_s,
            "duration_s": load.duration_s,
            "latency_ms_p95": load.latency_ms_p95,
            "latency_ms_p99": load.latency_ms_p99,
            "failure_ratio_max": load.failure_ratio_max,
        }
        for name, load in scenario.driven.items()
    }
    think, room, sent = scenario.behaviour.think_time_s, room_user_count(plan), forms(scenario)
    return (
        f"const LOADS = {literal(loads, 2)};\n"
        f"const ACTIONS = {literal(_actions(plan), 2)};\n"
        + (f"const FORMS = {literal({name: list(form) for name, form in sent.items()}, 2)};\n" if sent else "")
        + f"const THINK_S = {literal({'min': think.min, 'max': think.max})};\n"
        f"const SETTLE_S = {literal({name: settle_s(scenario, load) for name, load in scenario.driven.items()})};\n"
        f"const TENANTS = {literal(scenario.users.tenants)};\n"
        + "".join(f"const {name} = {literal(value)};\n" for name, value in accounts.constants(plan).items())
        + (f"const USERS_PER_ROOM = {literal(room)};\n" if room else "")
    )


def _actions(plan: Plan) -> list[dict[str, str | int | float]]:
    actions: list[dict[str, str | int | float]] = []
    for name, action in plan.scenario.behaviour.actions.items():
        method, _, path = action.request.partition(" ")
        sent = body(action)
        actions.append(
            {
                "name": name,
                "weight": action.weight,
                "method": method,
                "path": path,
                "body": sent.kind,
                "field": action.json_field if sent.kind == "json" else "",
                "byte_count": sent.byte_count,
            }
        )
    return actions
