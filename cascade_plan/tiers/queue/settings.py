"""What a scenario may say of a queue."""

from typing import ClassVar

from cascade_plan.model import tier
from cascade_plan.model.defaults import default
from cascade_plan.units import AtLeastOne, BytesOrZero, PerOne, Seconds


class Settings(tier.Settings):
    """A queue that workers take jobs from, paid by the request."""

    KIND: ClassVar[str] = "queue"
    SEVERAL: ClassVar[bool] = True

    requests_per_job: PerOne = default(
        3.0, "cited", "send, receive and delete, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/"
    )
    """Requests that one job takes; fewer where they are batched by ten."""
    job_bytes: BytesOrZero = default(1000.0, "assumption", "a small JSON message that names what is to be done")
    """Size of a job's message; each 64 KiB begun is a request."""
    poll_s: Seconds = default(
        20.0,
        "cited",
        "the longest wait of a receive, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/",
    )
    """How long an idle worker's receive waits before it asks again."""
    visibility_timeout_s: Seconds = default(
        30.0, "cited", "SQS's default, https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
    )
    """How long a job that was taken is hidden from other workers."""
    delivery_count_max: AtLeastOne = default(5.0, "assumption", "four tries more, then a person looks at it")
    """How often a job is delivered before it is put aside."""
