"""run.sh: every load in turn with as many Locust processes as it takes."""

from __future__ import annotations

from typing import Final

from cascade_plan.emitters._heading import heading
from cascade_plan.emitters.loadtest import _accounts as accounts
from cascade_plan.emitters.loadtest._loads import (
    REQUESTS_PER_S_PER_PROCESS,
    filled,
    generator_counts,
    requests_per_s_most,
)
from cascade_plan.languages.shell import comment, literal
from cascade_plan.model.artefact import Artefact, Given, Step
from cascade_plan.model.plan import Plan

PATH: Final = "run.sh"
PURPOSE: Final = (
    "Runs the loads one after another with as many Locust processes as each takes, results in results/NAME."
)

USAGE: Final = """\
#
#   pip install locust
#   LOADTEST_HOST=https://staging.example.com <<EXAMPLE>>./run.sh [LOAD...]
# All loads run, one after another, where none is named. Then
#   cascade-plan verify results/NAME SCENARIO --load NAME
#
# Each process needs a core of its own, and each user a connection: one machine has about 28,000 ports to one address
# (net.ipv4.ip_local_port_range). For several machines, start on one of them
#   LOADTEST_LOAD=NAME locust -f locustfile.py --headless --master --expect-workers N --host URL --csv results/NAME
# and on the others, N times in all, each with the same environment, LOADTEST_WORKERS=N and LOADTEST_LOAD=NAME
#   locust -f locustfile.py --worker --master-host ADDRESS
set -euo pipefail
cd "$(dirname "$0")"
: "${LOADTEST_HOST:?give the URL of the system under test}"
<<CHECK>>"""
CHECK: Final = """\
if [ -z "<<ANY>>" ]; then
  echo "set <<ACCESS>>" >&2
  exit 2
fi
"""

CODE: Final = """\
if ! command -v locust >/dev/null; then
  echo "locust is not installed, or not in PATH: pip install locust (or run loadtest.js with k6)" >&2
  exit 2
fi
for load in "${loads[@]}"; do processes "$load" >/dev/null || exit 2; done
mkdir -p results
ulimit -n "$(ulimit -Hn)" || true
cores=$(getconf _NPROCESSORS_ONLN)
status=0
for load in "${loads[@]}"; do
  count=$(processes "$load")
  if [ "$count" -gt "$cores" ]; then
    echo "load $load takes $count cores, this machine has $cores: what it measures may be its own waiting" >&2
  fi
  parallel=()
  if [ "$count" -gt 1 ]; then parallel=(--processes "$count"); fi
  LOADTEST_LOAD=$load LOADTEST_WORKERS=$count locust -f locustfile.py --headless --only-summary \\
    --host "$LOADTEST_HOST" --csv "results/$load" ${parallel[@]+"${parallel[@]}"} || status=1
done
exit "$status"
"""


def script(plan: Plan) -> Artefact:
    """Return the script that runs every load of a plan."""
    scenario = plan.scenario
    cases = "".join(
        f"    {literal(name)}) echo {count} ;;  "
        f"# at most {requests_per_s_most(scenario, scenario.driven[name]):.0f} requests/s\n"
        for name, count in generator_counts(scenario).items()
    )
    sized = [
        f"a Locust process is given {REQUESTS_PER_S_PER_PROCESS} requests/s; measured: 1490 of this kind on one core"
    ]
    any_of = "".join(f"${{{given.name}:-}}" for given in accounts.secrets(plan))
    usage = filled(
        USAGE,
        {
            "EXAMPLE": accounts.example(plan),
            "CHECK": filled(CHECK, {"ANY": any_of, "ACCESS": accounts.access(plan)}) if any_of else "",
        },
    )
    text = (
        f"#!/usr/bin/env bash\n{heading(plan, sized, comment)}{usage}"
        f'processes() {{\n  case "$1" in\n{cases}'
        f'    *) echo "no load $1" >&2; return 2 ;;\n  esac\n}}\n'
        f"loads=({' '.join(literal(name) for name in scenario.loads)})\n"
        f'if [ "$#" -gt 0 ]; then loads=("$@"); fi\n' + CODE
    )
    return Artefact(PATH, text, PURPOSE, executable=True, steps=(_step(plan),), gives=_gives(plan))


def _step(plan: Plan) -> Step:
    first = literal(next(iter(plan.scenario.loads)))
    command = f'loadtest/run.sh {first}\ncascade-plan verify loadtest/results/{first} "$SCENARIO" --load {first}'
    return Step("test", "Run a load against the system, and judge what it found", command)


def _gives(plan: Plan) -> tuple[Given, ...]:
    return (
        accounts.HOST,
        Given("SCENARIO", "The file of the scenario that all this was made from."),
        *accounts.secrets(plan)[:1],
    )
