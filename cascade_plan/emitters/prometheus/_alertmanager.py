"""alertmanager.yml: who is told of what, and which alerts say nothing new."""

from __future__ import annotations

from typing import Any


def configuration() -> dict[str, Any]:
    """Return routes by severity, the inhibition of tickets by pages on the same subject, and placeholder receivers.

    No secret stands here: the webhooks are placeholders (RFC 2606), to be replaced by receivers whose keys are read
    from mounted files.
    """
    return {
        "route": {
            "receiver": "tickets",
            "group_by": ["alertname", "application", "namespace"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [
                {"matchers": ['severity="page"'], "receiver": "pager", "group_wait": "10s", "repeat_interval": "1h"},
                {"matchers": ['severity="ticket"'], "receiver": "tickets"},
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": ['severity="page"'],
                "target_matchers": ['severity="ticket"'],
                "equal": ["application", "namespace", "subject"],
            }
        ],
        "receivers": [_webhook("pager"), _webhook("tickets")],
    }


def _webhook(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "webhook_configs": [{"url": f"https://alerts.example.com/{name}", "send_resolved": True}],
    }
