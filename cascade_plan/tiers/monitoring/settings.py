"""What a scenario may say of Prometheus."""

from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, model_validator

from cascade_plan.model.defaults import PLAN, default
from cascade_plan.model.part import MetricName
from cascade_plan.model.tier import Housed
from cascade_plan.units import Bytes, Cores, Count, Kib, MibOrZero, PerOneOrZero, Seconds

OF_SERVERS: Final = frozenset(
    {"operator", "nodes", "nodes_of", "series_per_node", "memory_kib_per_series", "idle_memory_mib", "cpu_cores",
     "purchase"}
)  # fmt: skip
"""What only a Prometheus of our own says."""
PROGRAMS: Final = 9
"""What runs beside Prometheus: Alertmanager, kube-state-metrics, the adapter, Grafana and five exporters."""
PROGRAMS_CORES: Final = 0.4
PROGRAMS_MIB: Final = 1024
"""What they request together; a little more than the values of their charts say."""


class Settings(Housed):
    """Prometheus: its series, samples and servers."""

    KIND: ClassVar[str] = "monitoring"
    BOUGHT: ClassVar[str] = "vm"

    managed: bool = default(False, "plan", f"{PLAN}, metrics: a Prometheus of one's own")
    """Whether the cloud keeps the samples, as Amazon Managed Service for Prometheus: they are paid for as they come, as
    they are kept and as they are read; a collector in the cluster sends them."""
    operator: bool = default(False, "assumption", "a Prometheus of the application's own, by its chart")
    """Whether a Prometheus Operator of the cluster, such as that of kube-prometheus-stack, runs it: rules and what is
    scraped are then written as its objects."""
    read_ratio: PerOneOrZero = default(
        2.0, "assumption", "each sample is read by a rule once, and by dashboards as often again"
    )
    """Of a managed one, samples that queries and rules read, for each that comes."""
    metric_prefix: MetricName | None = Field(default=None, examples=["shop"])
    """What the names of the application's own metrics start with, before an underscore. The application's name if left
    out, with underscores for what no metric's name may have."""
    query_types: Count = default(10, "assumption", "distinct values of the label query_type")
    """Kinds of queries that are told apart."""
    label_by_tenant: bool = default(True, "plan", f"{PLAN}, metrics: labels tenant_id, query_type")
    """Whether the query histogram carries the tenant_id label, which multiplies its series by the tenants."""
    other_series_per_pod: Count = default(700, "assumption", "kubelet, cAdvisor, process and HTTP series of one pod")
    """Series of a pod beside those of the application's own metrics."""
    scrape_interval_s: Annotated[Seconds, Field(ge=1, le=75)] = default(
        15.0, "cited", "the interval of Prometheus's own starter configuration, https://prometheus.io/docs/"
    )
    """At most 75 s: the alerts' shortest window, 5 minutes, must hold four samples."""
    retention_days: Count = default(
        15, "cited", "Prometheus's default retention, https://prometheus.io/docs/prometheus/latest/storage/"
    )
    """How long samples are kept."""
    bytes_per_sample: Bytes = default(
        2.0, "cited", "upper end of 1-2 bytes a sample, https://prometheus.io/docs/prometheus/latest/storage/"
    )
    """Disk a sample takes."""
    memory_kib_per_series: Kib = default(
        8.0, "measured", "3.3 KiB resident in a quiet server (Prometheus 2.42, 204,000 series), doubled for queries"
    )
    """Memory a series takes."""
    idle_memory_mib: MibOrZero = default(
        150, "measured", "52 MiB resident in a server of 336 series (Prometheus 2.42), three times for its compactions"
    )
    """Memory a server takes with no series to speak of."""
    cpu_cores: Cores = default(
        0.5, "assumption", "scrapes, rules and compactions of some hundred thousand series; CPU is not limited"
    )
    """CPU that a server requests."""
    nodes: Count = default(1, "assumption", "one Prometheus; two for a monitoring that survives a zone")
    """Servers that hold the same series."""
    series_per_node: Count = default(
        10_000_000, "assumption", "about 80 GiB of memory at 8 KiB a series: as large as one Prometheus should get"
    )
    """Most series one Prometheus is given; more are sharded."""

    @property
    def has_nodes(self) -> bool:
        """Whether it has servers of its own."""
        return not self.managed and self.nodes_of is None

    @model_validator(mode="after")
    def _has_servers(self) -> Self:
        if self.managed and (given := self.said(OF_SERVERS)):
            raise ValueError(f"{', '.join(given)}: a managed Prometheus has no servers of ours, leave that out")
        return self
