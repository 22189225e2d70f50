"""Queues of jobs: the requests that are paid."""

from __future__ import annotations

from math import ceil

from cascade_plan.model.ask import Ask
from cascade_plan.model.derivation import Finding
from cascade_plan.model.fleet import NONE, Band, Sized, Usage
from cascade_plan.model.offer import Offer
from cascade_plan.tiers.queue.settings import Settings
from cascade_plan.units import MILLION

AFTER: tuple[str, ...] = ("worker",)
CHUNK_BYTES = 65_536
"""Each 64 KiB of a message is billed as a request, https://aws.amazon.com/sqs/pricing/"""


def size(ask: Ask[Settings]) -> Sized:
    """Return the requests a month: those of the jobs, and those of idle workers that ask whether there is one."""
    settings = ask.settings
    takers = [sized for sized in ask.of("worker") if sized.workloads and sized.workloads[0].queue == ask.name]
    chunks = max(1, ceil(settings.job_bytes / CHUNK_BYTES))
    jobs = sum((_jobs_per_s(ask, sized) for sized in takers), start=NONE)
    pods = sum(map(_pods, takers), start=NONE)
    requests = jobs.times(settings.requests_per_job * chunks).plus(pods.times(1 / settings.poll_s))
    month = ask.monthly(requests).times(1 / MILLION)
    findings: tuple[Finding, ...] = ()
    if not takers:
        message = f"no worker takes jobs from {ask.name}: turn it off, or name it in a worker (queue: {ask.name})"
        findings = (Finding("warning", "queue-unused", message, f"tiers.{ask.name}"),)
    usage = Usage(ask.name, f"{ask.name} requests", Offer("queue_requests"), month, "million_requests")
    return Sized(
        ask.name,
        "queue",
        usages=(usage,),
        figures=(
            ask.figure(
                "million_requests_per_month",
                month.average,
                "million requests/month",
                f"(jobs/s x requests_per_job x {chunks} of 64 KiB + pods / poll_s) x 730 h, at the mean load",
                (ask.own("requests_per_job"), ask.own("job_bytes"), ask.own("poll_s")),
                "https://aws.amazon.com/sqs/pricing/",
            ),
        ),
        findings=findings,
    )


def _pods(worker: Sized) -> Band:
    """Return the pods of a worker: those that fill its nodes, or those on the nodes of a service."""
    filling = (group.count.times(worker.workloads[0].pod_count_per_node) for group in worker.groups)
    return sum((*filling, *(guest.count for guest in worker.guests)), start=NONE)


def _jobs_per_s(ask: Ask[Settings], worker: Sized) -> Band:
    scheduled = ask.scenario.tiers[worker.name].scheduled_jobs_per_s  # type: ignore[attr-defined]
    return ask.traffic.jobs_per_s[worker.name].plus(Band.constant(scheduled))
