"""Names and quantities as the Kubernetes API server reads them: what is wrong with one, in the server's own words.

Source: Kubernetes v1.28, k8s.io/apimachinery pkg/util/validation, pkg/api/validation/path, pkg/api/resource, and
pkg/apis/core/v1/validation. Lengths are bytes of UTF-8, as in Go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_UP, Context, Decimal
from math import ceil, isfinite
from typing import Final, Literal

LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN: Final = rf"{LABEL}(\.{LABEL})*"
LABEL_1035: Final = "[a-z]([-a-z0-9]*[a-z0-9])?"
QUALIFIED: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

LABEL_BYTES_MAX: Final = 63
SUBDOMAIN_BYTES_MAX: Final = 253

QUANTITY_PATTERN: Final = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
NOT_A_QUANTITY: Final = f"quantities must match the regular expression '{QUANTITY_PATTERN}'"
NOT_A_SUFFIX: Final = "unable to parse quantity's suffix"
QUANTITY_CHARACTERS_MAX: Final = 400
"""The server has no such bound; this one keeps Python's integers within their default limit of 4300 digits."""

DECIMAL_SUFFIXES: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY_SUFFIXES: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
Form = Literal["decimal", "binary", "exponent"]
SMALLEST: Final = Decimal("1e-9")
BINARY_MAX: Final = Decimal(2**63 - 1)
INT32_MAX: Final = 2**31 - 1

STANDARD_CONTAINER_RESOURCES: Final = frozenset({"cpu", "memory", "ephemeral-storage"})
STANDARD_RESOURCES: Final = STANDARD_CONTAINER_RESOURCES | {
    *(f"{side}.{name}" for side in ("requests", "limits") for name in STANDARD_CONTAINER_RESOURCES),
    *("pods", "resourcequotas", "services", "services.nodeports", "services.loadbalancers", "replicationcontrollers"),
    *("secrets", "configmaps", "persistentvolumeclaims", "storage", "requests.storage"),
}


def byte_count(text: str) -> int:
    """Return the length of `text` in bytes of UTF-8; a lone surrogate counts three."""
    return len(text.encode("utf-8", "surrogatepass"))


def _must_match(value: str, pattern: str, rule: str, *examples: str) -> list[str]:
    """Return the complaint of a name that does not match, with the examples the server gives, else nothing."""
    if re.fullmatch(pattern, value):
        return []
    shown = " or ".join(f"'{example}', " for example in examples)
    return [f"{rule} (e.g. {shown}regex used for validation is '{pattern}')"]


def _must_fit(value: str, bytes_max: int) -> list[str]:
    """Return the complaint of a name longer than `bytes_max`, else nothing."""
    return [f"must be no more than {bytes_max} characters"] if byte_count(value) > bytes_max else []


def dns_label_problems(value: str) -> list[str]:
    """Return what keeps `value` from being an RFC 1123 label (a namespace, a container); empty when it is one."""
    rule = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character"
    )
    return _must_fit(value, LABEL_BYTES_MAX) + _must_match(value, LABEL, rule, "my-name", "123-abc")


def dns_1035_label_problems(value: str) -> list[str]:
    """Return what keeps `value` from being an RFC 1035 label (a Service); empty when it is one."""
    rule = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
        "start with an alphabetic character, and end with an alphanumeric character"
    )
    return _must_fit(value, LABEL_BYTES_MAX) + _must_match(value, LABEL_1035, rule, "my-name", "abc-123")


def dns_subdomain_problems(value: str) -> list[str]:
    """Return what keeps `value` from being an RFC 1123 subdomain (most objects' names); empty when it is one."""
    rule = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character"
    )
    return _must_fit(value, SUBDOMAIN_BYTES_MAX) + _must_match(value, SUBDOMAIN, rule, "example.com")


def is_dns_label(value: str) -> bool:
    """Return whether `value` is an RFC 1123 label: at most 63 of a-z, 0-9 and '-', alphanumeric at both ends."""
    return not dns_label_problems(value)


def is_dns_1035_label(value: str) -> bool:
    """Return whether `value` is an RFC 1035 label: an RFC 1123 label that starts with a letter."""
    return not dns_1035_label_problems(value)


def path_segment_problems(value: str) -> list[str]:
    """Return what keeps `value` from standing in a URL path as one segment; empty when it can."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{character}'" for character in "/%" if character in value]


def qualified_name_problems(value: str) -> list[str]:
    """Return what keeps `value` from being a qualified name (a label's key); empty when it is one."""
    rule = (
        "must consist of alphanumeric characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character"
    )
    examples = ("MyName", "my.name", "123-abc")
    if value.count("/") > 1:
        complaint = _must_match(value, QUALIFIED, f"a qualified name {rule}", *examples)[0]
        return [f"{complaint} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    prefix, slash, name = value.rpartition("/")
    problems: list[str] = []
    if slash:
        problems += dns_subdomain_problems(prefix) if prefix else ["must be non-empty"]
        problems = [f"prefix part {problem}" for problem in problems]
    if not name:
        problems.append("name part must be non-empty")
    problems += [f"name part {problem}" for problem in _must_fit(name, LABEL_BYTES_MAX)]
    return problems + _must_match(name, QUALIFIED, f"name part {rule}", *examples)


def label_value_problems(value: str) -> list[str]:
    """Return what keeps `value` from being a label's value (which may be empty); empty when it is one."""
    rule = (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character"
    )
    examples = ("MyValue", "my_value", "12345")
    return _must_fit(value, LABEL_BYTES_MAX) + _must_match(value, f"({QUALIFIED})?", rule, *examples)


def container_resource_problems(value: str) -> list[str]:
    """Return what keeps `value` from naming a resource a container can request; empty when it does.

    Names with a domain are extended resources, except in kubernetes.io, where they are native and always pass.
    """
    problems = qualified_name_problems(value)
    if "/" not in value:
        huge_pages = value.startswith("hugepages-")
        known = value in STANDARD_RESOURCES or huge_pages or value.startswith("requests.hugepages-")
        if not problems and not known:
            problems.append("must be a standard resource type or fully qualified")
        if value not in STANDARD_CONTAINER_RESOURCES and not huge_pages:
            problems.append("must be a standard resource for containers")
    elif "kubernetes.io/" not in value and (
        value.startswith("requests.") or qualified_name_problems(f"requests.{value}")
    ):
        problems.append("doesn't follow extended resource name standard")
    return problems


class QuantityError(ValueError):
    """A text is not a Kubernetes quantity; the message is the API server's."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A parsed quantity: its exact value in base units (cores, bytes, seconds) and the family of its suffix."""

    value: Decimal
    form: Form

    def canonical(self) -> str:
        """Return the form the API server writes back: no fraction, the largest suffix that keeps the value exact.

        >>> [parse_quantity(text).canonical() for text in ("0.2", "1.5Gi", "1e3", "0.5Ki")]
        ['200m', '1536Mi', '1e3', '512']
        """
        if not self.value:
            return "0"
        if self.form == "binary" and abs(self.value) >= 1024 and self.value == self.value.to_integral_value():
            return _canonical_binary(int(self.value))
        mantissa, exponent = _thousands(self.value)
        if self.form == "exponent":
            return f"{mantissa}e{exponent}" if exponent else str(mantissa)
        excess = max(0, exponent - DECIMAL_SUFFIXES["E"])
        suffix = next(suffix for suffix, power in DECIMAL_SUFFIXES.items() if power == exponent - excess)
        return f"{mantissa * 10**excess}{suffix}"


def _thousands(value: Decimal) -> tuple[int, int]:
    """Return mantissa and power of ten of a non-zero value, with the largest power that is a multiple of three."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(str(digit) for digit in digits)
    kept = text.rstrip("0")
    exponent += len(text) - len(kept)
    shift = exponent % 3
    return (-1 if sign else 1) * int(kept) * 10**shift, exponent - shift


def _canonical_binary(value: int) -> str:
    """Return a whole number with the largest binary suffix that divides it."""
    suffix = ""
    for larger in BINARY_SUFFIXES:
        if value % 1024:
            break
        value, suffix = value // 1024, larger
    return f"{value}{suffix}"


def parse_quantity(text: str | int | float) -> Quantity:
    """Return the quantity a manifest's text or bare number stands for, exactly.

    Grammar: [+-] digits [. digits] and one of n u m k M G T P E, Ki Mi Gi Ti Pi Ei, e<exponent>. What is finer than
    10^-9 is rounded away from zero, and binary quantities are capped at 2^63 - 1, both as the server does. Unlike
    the server's scanner, which reads "m" or "+" as 0, a digit is demanded.
    Source: k8s.io/apimachinery pkg/api/resource/quantity.go.
    Raises: QuantityError for any other text.
    """
    found = re.fullmatch(r"([+-]?)(\d+\.?\d*|\.\d+)([eEinumkKMGTP]*[-+]?\d*)", str(text), re.ASCII)
    if not found or isinstance(text, bool) or found.end() > QUANTITY_CHARACTERS_MAX:
        raise QuantityError(NOT_A_QUANTITY)
    sign, digits, suffix = found.groups()
    value, form = _scaled(digits, suffix)
    if value and sign == "-":
        value = value.copy_negate()
    return Quantity(value, form)


def _scaled(digits: str, suffix: str) -> tuple[Decimal, Form]:
    """Return an unsigned number times its suffix, within the server's bounds, and the family of the suffix.

    Raises: QuantityError for a suffix that is none.
    """
    if suffix in BINARY_SUFFIXES:
        exact = Context(prec=len(digits) + 20)
        value = min(exact.multiply(Decimal(digits), Decimal(1024 ** BINARY_SUFFIXES[suffix])), BINARY_MAX)
        return _whole_billionths(value), "decimal" if 0 < value < 1 else "binary"
    if suffix in DECIMAL_SUFFIXES:
        return _whole_billionths(Decimal(f"{digits}E{DECIMAL_SUFFIXES[suffix]}")), "decimal"
    return _whole_billionths(Decimal(f"{digits}E{_exponent(suffix)}")), "exponent"


def _exponent(suffix: str) -> int:
    """Return n of "en" or "En". Raises: QuantityError when it is not an exponent that fits 32 bits."""
    if not re.fullmatch(r"[eE][-+]?\d+", suffix, re.ASCII) or abs(int(suffix[1:])) > INT32_MAX:
        raise QuantityError(NOT_A_SUFFIX)
    return int(suffix[1:])


def _whole_billionths(value: Decimal) -> Decimal:
    """Return a magnitude rounded up to whole billionths of its unit."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if not value or exponent >= -9:
        return value
    context = Context(prec=len(digits) + 20, rounding=ROUND_UP, Emax=MAX_EMAX, Emin=MIN_EMIN)
    return value.quantize(SMALLEST, context=context)


def format_quantity(value: float) -> str:
    """Return a decimal quantity in canonical form, rounded up to thousandths of its unit (what is above 0 stays above).

    0.2 s is "200m", the very form the API server stores for "0.2", so an applied manifest shows no difference.

    >>> [format_quantity(value) for value in (0.2, 1.5, 2, 0)]
    ['200m', '1500m', '2', '0']

    Raises: ValueError unless the value is finite and at least 0.
    """
    if not isfinite(value * 1000) or value < 0:
        raise ValueError(f"a quantity must be finite and at least 0, not {value}")
    # 0.07 x 1000 is 70.00000000000001 in floats, and must not become 71.
    thousandths = max(ceil(round(value * 1000, 6)), 1) if value else 0
    return parse_quantity(f"{thousandths}m").canonical()


def format_cpu(cores: float) -> str:
    """Return cores as a CPU quantity, rounded up to millicores (the finest step the scheduler knows).

    >>> format_cpu(0.5), format_cpu(2.0)
    ('500m', '2')

    Raises: ValueError unless the value is finite and at least 0.
    """
    return format_quantity(cores)


def format_memory_mib(memory_mib: int) -> str:
    """Return MiB as a memory quantity in canonical form.

    >>> format_memory_mib(768), format_memory_mib(2048)
    ('768Mi', '2Gi')

    Raises: ValueError below 0.
    """
    if memory_mib < 0:
        raise ValueError(f"memory must be at least 0 MiB, not {memory_mib}")
    return parse_quantity(f"{memory_mib}Mi").canonical()
