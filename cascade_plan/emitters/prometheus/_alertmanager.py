"""alertmanager.yml: who is told of what, and which alerts say nothing new."""

from __future__ import annotations

from typing import Any, Final

from cascade_plan.emitters._watches.targets import WATCHDOG
from cascade_plan.model.plan import Plan

SERVICE: Final = "alertmanager"
PORT: Final = 9093
PAGER: Final = "pager"
TICKETS: Final = "tickets"
SIGN_OF_LIFE: Final = "watchdog"
RECEIVERS: Final = (PAGER, TICKETS, SIGN_OF_LIFE)
RECEIVERS_AT: Final = "/etc/alertmanager-receivers"
"""Where the Secret of the receivers' URLs is mounted, a file for each."""


def secret_name(plan: Plan) -> str:
    """Return what the Secret of the receivers' URLs is called."""
    return f"{plan.application}-receivers"


def configuration() -> dict[str, Any]:
    """Return routes by severity, and the inhibition of tickets by pages on the same subject.

    No secret stands here: each receiver's URL is read from a file.
    Source: https://prometheus.io/docs/alerting/latest/configuration/, url_file since 0.26
    """
    return {
        "route": {
            "receiver": TICKETS,
            "group_by": ["alertname", "application", "namespace"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [
                {
                    "matchers": [f'alertname="{WATCHDOG}"'],
                    "receiver": SIGN_OF_LIFE,
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "4m",
                },
                {"matchers": ['severity="page"'], "receiver": PAGER, "group_wait": "10s", "repeat_interval": "1h"},
                {"matchers": ['severity="ticket"'], "receiver": TICKETS},
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['severity="page"'],
                "target_matchers": ['severity="ticket"'],
                "equal": ["application", "namespace", "subject"],
            }
        ],
        "receivers": [_webhook(PAGER), _webhook(TICKETS), _webhook(SIGN_OF_LIFE, send_resolved=False)],
    }


def _webhook(name: str, *, send_resolved: bool = True) -> dict[str, Any]:
    return {
        "name": name,
        "webhook_configs": [{"url_file": f"{RECEIVERS_AT}/{name}", "send_resolved": send_resolved}],
    }
