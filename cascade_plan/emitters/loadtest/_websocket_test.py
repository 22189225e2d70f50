"""websocket_test.py: as many connections as the plan has, held open through the balancer, and broadcasts timed."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.loadtest import _accounts as accounts
from cascade_plan.emitters.loadtest._loads import filled
from cascade_plan.languages.python import comment, literal
from cascade_plan.model.artefact import Artefact, Given, Step
from cascade_plan.model.plan import Instance, Plan
from cascade_plan.tiers.websocket.settings import Settings

PATH: Final = "websocket_test.py"
PURPOSE: Final = (
    "Opens the planned WebSocket connections through the balancer and times broadcasts; exit status 1 when any is "
    "lost or late."
)
CONNECTIONS_PER_S: Final = 100
"""How fast connections come when no load says how fast users do: the performance plan's spawn rate at peak."""

HEAD: Final = '''\
"""Holds WebSocket connections open through the balancer, posts messages, and times their delivery to every member.

Environment:
  LOADTEST_HOST        where messages are posted, such as https://staging.example.com
  LOADTEST_WS_URL      where connections are opened, such as wss://staging.example.com/ws
  LOADTEST_CONNECTIONS how many  [CONNECTIONS]
  LOADTEST_MESSAGES    how many messages are posted  [50]
<<ENVIRONMENT>>
One machine has about 28,000 ports for connections to one address (net.ipv4.ip_local_port_range): use several machines,
or several addresses, for more.
"""

import asyncio
import json
import os
import re
import resource
import sys
import time
import urllib.request
from collections import defaultdict

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

'''

CODE: Final = '''\
def post(url, document, headers):
    """Return the answer to a JSON document."""
    request = urllib.request.Request(url, json.dumps(document).encode(), {"Content-Type": "application/json"} | headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.read()


class Test:
    """The open connections, what was sent to whom, and when it came."""

    def __init__(self, host, url):
        self.host, self.url = host, url
        self.open = {}  # account number -> (account, token)
        self.sent = {}  # message number -> when
        self.latencies_ms = defaultdict(dict)  # message number -> account number -> milliseconds

    async def hold(self, number, opened):
        """Hold one connection open, noting when each message comes, until cancelled."""
        account = Account(number)
        try:
            token = TOKEN
<<LOGIN>>            async with connect(self.url, additional_headers=account.headers(token), compression=None,
                               ping_interval=HEARTBEAT_S, open_timeout=30) as connection:
                self.open[number] = account, token
                opened.set()
                async for frame in connection:
                    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
                    for found in re.findall(r"loadtest-(\\d+)", text):
                        if int(found) in self.sent:
                            late = (time.perf_counter() - self.sent[int(found)]) * 1000
                            self.latencies_ms[int(found)].setdefault(number, late)
        except (OSError, ConnectionClosed, ValueError, KeyError, TimeoutError) as error:
            print(f"connection {number}: {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            self.open.pop(number, None)
            opened.set()

    async def broadcast(self, number, sender):
        """Post one message and return who must receive it: the sender's room, or tenant, without the sender."""
        account, token = self.open[sender]
        receivers = {
            other for other, (their, _) in self.open.items()
            if other != sender and their.tenant == account.tenant and (WHOLE_TENANT or their.room == account.room)
        }
        self.sent[number] = time.perf_counter()
        url = self.host + account.path(PUBLISH_PATH)
        await asyncio.to_thread(post, url, {PUBLISH_FIELD: f"loadtest-{number}"}, account.headers(token))
        return receivers


async def run(host, url, count):
    """Return whether every connection stayed open and every message came in time, after printing both."""
    test = Test(host, url)
    tasks, opened = [], []
    for number in range(count):
        opened.append(asyncio.Event())
        tasks.append(asyncio.create_task(test.hold(number, opened[-1])))
        await asyncio.sleep(1 / CONNECTIONS_PER_S)
    await asyncio.gather(*(event.wait() for event in opened))
    expected = {}
    senders = list(test.open)
    messages = int(os.environ.get("LOADTEST_MESSAGES", "50"))
    for number in range(messages if PUBLISH_PATH and senders else 0):
        expected[number] = await test.broadcast(number, senders[number * len(senders) // messages])
        await asyncio.sleep(0.05)
    await asyncio.sleep(LATENCY_MS_P95 / 1000 + 1)
    held = len(test.open)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return all([*judged(held, count, expected, test.latencies_ms)])


def judged(held, count, expected, latencies_ms):
    """Yield whether each limit is kept, after printing it."""
    yield verdict("connection_count", held, f">= {count}", held >= count)
    if not PUBLISH_PATH:
        return
    due = sum(len(receivers) for receivers in expected.values())
    times = sorted(ms for number, receivers in expected.items()
                   for who, ms in latencies_ms[number].items() if who in receivers)
    yield verdict("deliveries_due", due, "> 0", due > 0)
    yield verdict("deliveries_lost", due - len(times), "== 0", due == len(times))
    if times:
        p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
        yield verdict("delivery_ms_p95", f"{p95:.1f}", f"< {LATENCY_MS_P95:g}", p95 < LATENCY_MS_P95)


def verdict(figure, value, limit, kept):
    """Return whether a limit is kept, after printing it."""
    print(f"{'✓' if kept else '✗'} {figure} {limit} = {value}")
    return kept


def main():
    """Return the exit status: 0 when every limit is kept, else 1."""
    for name in ("LOADTEST_HOST", "LOADTEST_WS_URL"):
        if name not in os.environ:
            sys.exit(f"{name} is not set")
<<CHECK>>    count = int(os.environ.get("LOADTEST_CONNECTIONS", CONNECTIONS))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        sys.exit(f"{count} connections need {needed} open files, the limit is {hard}: raise it (ulimit -Hn)")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return 0 if asyncio.run(run(os.environ["LOADTEST_HOST"].rstrip("/"), os.environ["LOADTEST_WS_URL"], count)) else 1


if __name__ == "__main__":
    sys.exit(main())
'''


_LOGIN: Final = """\
            if PASSWORD:
                credentials = {USER_FIELD: account.user, PASSWORD_FIELD: PASSWORD}
                answer = await asyncio.to_thread(post, self.host + LOGIN_PATH, credentials, {})
                token = json.loads(answer)[TOKEN_FIELD]
"""


def script(plan: Plan, sockets: Instance[Settings]) -> Artefact:
    """Return the test of the open connections."""
    lines = ["a broadcast is late after the p95 of the largest load (the scenario has no limit of its own for it)"]
    data = _data(plan, sockets) + accounts.data(plan)
    parts = {
        "ENVIRONMENT": accounts.environment(plan),
        "LOGIN": _LOGIN if accounts.login(plan) else "",
        "CHECK": accounts.check(plan),
    }
    code = filled(HEAD, parts) + data + "\n" + accounts.code(plan) + "\n\n" + filled(CODE, parts)
    step = Step(
        "test", "Hold the planned connections open", "pip install websockets\npython3 loadtest/websocket_test.py"
    )
    gives = (
        accounts.HOST,
        Given("LOADTEST_WS_URL", "Where WebSockets are opened, such as wss://staging.example.com/ws."),
        *accounts.secrets(plan)[:1],
    )
    return Artefact(PATH, heading(plan, lines, comment) + code, PURPOSE, steps=(step,), gives=gives)


def _data(plan: Plan, sockets: Instance[Settings]) -> str:
    scenario = plan.scenario
    largest = max(scenario.driven.values(), key=lambda load: load.users, default=None)
    publishing = next((action for action in scenario.behaviour.actions.values() if action.publishes), None)
    path = publishing.request.partition(" ")[2] if publishing else None
    return (
        f"CONNECTIONS = {literal(sockets.sized.count('connection_count'))}\n"
        f"CONNECTIONS_PER_S = {literal(largest.spawn_rate_per_s if largest else CONNECTIONS_PER_S)}\n"
        f"HEARTBEAT_S = {literal(sockets.settings.heartbeat_interval_s)}\n"
        f"PUBLISH_PATH = {literal(path)}\n"
        f"PUBLISH_FIELD = {literal(publishing.json_field if publishing else None)}\n"
        f"WHOLE_TENANT = {publishing is not None and publishing.audience == 'tenant'}\n"
        f"LATENCY_MS_P95 = {literal(largest.latency_ms_p95 if largest else 1000.0)}\n"
    )
