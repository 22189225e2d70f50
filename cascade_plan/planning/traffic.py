"""Scenario -> Load."""

from __future__ import annotations

from cascade_plan.formulas.profile import hourly_users
from cascade_plan.model.fleet import Band
from cascade_plan.model.load import Load
from cascade_plan.model.scenario import Scenario


def load_of(scenario: Scenario) -> Load:
    """Return the traffic the scenario's users make at each level of the band.

    An acting user sends one request each think time: requests/s = users x active share / mean think time. This is the
    closed system's upper bound, reached when answers take no time (Denning & Buzen 1978, X <= N/Z), so that what is
    metered by traffic is never under-stated.
    """
    users, behaviour, websocket = scenario.users, scenario.behaviour, scenario.websocket
    hourly = hourly_users(users.peak, users.average, users.hourly_weights)
    level = Band(min(hourly), users.average, users.peak, users.peak)

    actions = behaviour.actions.values()
    total = sum(action.weight for action in actions)
    mix = [(action, action.weight / total) for action in actions]
    requests = level.times(users.active_share / behaviour.think_time_s.mean)
    connections = level.times(websocket.connections_per_user)
    messages = requests.times(sum(share for action, share in mix if action.publishes))
    deliveries = _deliveries(scenario, requests, connections)
    heartbeats = connections.times(websocket.heartbeat_bytes / websocket.heartbeat_interval_s)
    return Load(
        hourly_users=hourly,
        users=level,
        requests_per_s=requests,
        request_bytes_per_s=requests.times(
            behaviour.header_bytes + sum(share * action.request_bytes for action, share in mix)
        ),
        response_bytes_per_s=requests.times(
            behaviour.header_bytes + sum(share * action.response_bytes for action, share in mix)
        ),
        connections=connections,
        messages_per_s=messages,
        deliveries_per_s=deliveries,
        websocket_out_bytes_per_s=deliveries.times(websocket.message_bytes).plus(heartbeats.times(0.5)),
        websocket_in_bytes_per_s=heartbeats.times(0.5),
        database_growth_bytes_per_s=requests.times(sum(share * action.database_bytes for action, share in mix)),
        object_growth_bytes_per_s=requests.times(sum(share * action.object_bytes for action, share in mix)),
    )


def _deliveries(scenario: Scenario, requests: Band, connections: Band) -> Band:
    """Return messages delivered a second: to a workroom's other members, or to every connection of a tenant."""
    websocket, actions = scenario.websocket, scenario.behaviour.actions.values()
    total = sum(action.weight for action in actions)
    shares = {
        audience: sum(a.weight for a in actions if a.publishes and a.audience == audience) / total
        for audience in ("workroom", "tenant")
    }
    of_a_workroom = websocket.recipients_per_message * websocket.connections_per_user
    to_tenants = (
        rate * shares["tenant"] * open_ / scenario.users.tenants
        for rate, open_ in zip(requests, connections, strict=True)
    )
    return requests.times(shares["workroom"] * of_a_workroom).plus(Band(*to_tenants))
