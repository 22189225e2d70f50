"""PromQL: expressions from small functions, with one way to write a text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from cascade_plan.languages._characters import quoted
from cascade_plan.units import trimmed

NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!="}
"""The comparison that holds exactly when a gate's does not."""


@lru_cache(maxsize=1024)
def literal(text: str) -> str:
    r"""Return a text as a PromQL string literal, which has the escapes of Go.

    >>> print(literal('a"b\n'))
    "a\"b\u000a"

    Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#string-literals
    """
    return quoted(text)


def exactly(text: str) -> str:
    r"""Return the RE2 pattern that matches a text and nothing else: what Go's regexp.QuoteMeta returns.

    Python's re.escape also escapes spaces and dashes, some of which RE2 refuses. Prometheus' reader of YAML takes the
    patterns ~ and null, quoted or not, for nothing: these are put into a group.

    >>> print(exactly("a.b-c"), exactly("null"))
    a\.b-c (?:null)
    """
    if text in ("~", "null"):
        return f"(?:{text})"
    return "".join(f"\\{character}" if character in r"\.+*?()|[]{}^$" else character for character in text)


def name(text: str) -> str:
    """Return a text as a metric's name, or the start of one: whatever none may have becomes an underscore.

    >>> name("saas-300"), name("3;é")
    ('saas_300', '_3__')

    Source: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
    """
    letters = "".join(each if each.isascii() and (each.isalnum() or each == "_") else "_" for each in text)
    return f"_{letters}" if letters[:1].isdigit() else letters


def annotation(text: str) -> str:
    """Return a text as an alert's annotation shows it: whatever a template would take for an action stays text.

    >>> annotation("80 % of {{ it }}")
    '80 % of {{ "{{" }} it }}'
    """
    return text.replace("{{", '{{ "{{" }}')


def number(value: float | int | Decimal) -> str:
    """Return a number without exponent and without a fraction of zero.

    >>> number(0.2), number(5000.0), number(Decimal("200"))
    ('0.2', '5000', '200')
    """
    return trimmed(f"{Decimal(str(value)):f}")


def duration(seconds: float) -> str:
    """Return a duration in the largest unit that leaves no fraction, down to milliseconds.

    >>> duration(300), duration(15), duration(12.5), duration(259200), duration(0)
    ('5m', '15s', '12500ms', '3d', '0s')
    """
    if not seconds:
        return "0s"
    for unit, length_s in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds % length_s == 0:
            return f"{int(seconds) // length_s}{unit}"
    return f"{max(1, round(seconds * 1000))}ms"


def select(metric: str, unlike: Mapping[str, str] = MappingProxyType({}), /, **labels: str) -> str:
    """Return the selector of a metric's series with these labels, and with none that the patterns of `unlike` match.

    >>> select("up", job="api")
    'up{job="api"}'
    >>> select("up", {"job": "test-.*"})
    'up{job!~"test-.*"}'
    """
    wanted = [f"{name}={literal(value)}" for name, value in labels.items()]
    wanted += [f"{name}!~{literal(pattern)}" for name, pattern in unlike.items()]
    return f"{metric}{{{','.join(wanted)}}}"


def rate(series: str, window_s: float) -> str:
    """Return the increase a second of counters over a window."""
    return f"rate({series}[{duration(window_s)}])"


def total(series: str, *by: str) -> str:
    """Return the sum over all labels but those in `by`."""
    return f"sum by ({', '.join(by)}) ({series})"


def labelled(series: str, label: str, value: str, source: str = "") -> str:
    """Return series with one more label: its value is the text, behind which the value of the label `source` stands.

    >>> labelled("up", "measure", "pods:api")
    'label_replace(up, "measure", "pods:api", "", "")'
    >>> labelled("up", "measure", "pods:", "job")
    'label_replace(up, "measure", "pods:$1", "job", "(.*)")'
    """
    text = value.replace("$", "$$")
    asked = (text + "$1", source, "(.*)") if source else (text, "", "")
    return f"label_replace({', '.join((series, *map(literal, (label, *asked))))})"


def quantile(share: float, buckets: str) -> str:
    """Return the quantile of a histogram's buckets, and nothing where there was no request: `>= 0` drops NaN."""
    return f"histogram_quantile({number(share)}, {buckets}) >= 0"


def ratio(part: str, whole: str) -> str:
    """Return part / whole where there is a whole; a part without series counts as 0, as after a start."""
    return f"({part} or 0 * {whole}) / ({whole} > 0)"
