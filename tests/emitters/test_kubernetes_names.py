"""Names and quantities: every bound from both sides, and laws over any text."""

from __future__ import annotations

import doctest
import math
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.emitters.kubernetes import names as kubernetes_names
from cascade_plan.emitters.kubernetes.names import (
    NOT_A_QUANTITY,
    NOT_A_SUFFIX,
    QuantityError,
    container_resource_problems,
    dns_subdomain_problems,
    format_cpu,
    format_memory_mib,
    format_quantity,
    is_dns_1035_label,
    is_dns_label,
    label_value_problems,
    parse_quantity,
    path_segment_problems,
    qualified_name_problems,
)

LABELS = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")


def test_the_worked_examples() -> None:
    assert doctest.testmod(kubernetes_names).failed == 0


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a--b", "a" * 63])
def test_dns_labels(name: str) -> None:
    assert is_dns_label(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a_b", "a b", "é", "a\n", "a" * 64])
def test_not_dns_labels(name: str) -> None:
    assert not is_dns_label(name)


@pytest.mark.parametrize(("name", "expected"), [("a1", True), ("1a", False), ("a" * 63, True), ("a" * 64, False)])
def test_dns_1035_labels_start_with_a_letter(name: str, expected: bool) -> None:
    assert is_dns_1035_label(name) is expected


@pytest.mark.parametrize("name", ["a", "a.b", "0.0", ".".join(["a" * 63] * 3) + "." + "b" * 61])
def test_dns_subdomains(name: str) -> None:
    assert not dns_subdomain_problems(name)


@pytest.mark.parametrize(
    "name", ["", ".", "a.", ".a", "a..b", "A.b", "a-.b", ".".join(["a" * 63] * 3) + "." + "b" * 62]
)
def test_not_dns_subdomains(name: str) -> None:
    assert dns_subdomain_problems(name)


@given(LABELS, LABELS)
def test_labels_joined_by_a_dot_are_a_subdomain(first: str, second: str) -> None:
    assert is_dns_label(first)
    assert not dns_subdomain_problems(f"{first}.{second}")


@given(st.text(max_size=300))
def test_a_label_is_a_subdomain_a_label_value_and_a_key(text: str) -> None:
    if is_dns_1035_label(text):
        assert is_dns_label(text)
    if is_dns_label(text):
        assert not dns_subdomain_problems(text)
        assert not qualified_name_problems(text)
        assert not label_value_problems(text)
        assert not path_segment_problems(text)


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        (".", ["may not be '.'"]),
        ("..", ["may not be '..'"]),
        ("...", []),
        ("a/b", ["may not contain '/'"]),
        ("a%2f/b", ["may not contain '/'", "may not contain '%'"]),
        ("Some:thing Else", []),
        ("", []),
    ],
)
def test_path_segments(name: str, problems: list[str]) -> None:
    assert path_segment_problems(name) == problems


@pytest.mark.parametrize("name", ["a", "A_b.c-D", "example.com/Name", "a" * 63, "a" * 253 + "/b"])
def test_qualified_names_but_for_their_prefix(name: str) -> None:
    assert not [problem for problem in qualified_name_problems(name) if problem.startswith("name part")]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("", "name part must be non-empty"),
        ("a/", "name part must be non-empty"),
        ("/a", "prefix part must be non-empty"),
        ("A/a", "prefix part a lowercase RFC 1123 subdomain must consist"),
        ("a" * 254 + "/b", "prefix part must be no more than 253 characters"),
        ("a/b/c", "a qualified name must consist of alphanumeric characters"),
        ("a" * 64, "name part must be no more than 63 characters"),
        ("-a", "name part must consist of alphanumeric characters"),
        ("a ", "name part must consist of alphanumeric characters"),
    ],
)
def test_not_qualified_names(name: str, start: str) -> None:
    assert qualified_name_problems(name)[0].startswith(start)


def test_words_of_the_server() -> None:
    assert kubernetes_names.dns_label_problems("---***") == [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
    ]


@pytest.mark.parametrize(
    ("value", "valid"), [("", True), ("a" * 63, True), ("a" * 64, False), ("-", False), ("é", False)]
)
def test_label_values(value: str, valid: bool) -> None:
    assert (not label_value_problems(value)) is valid


@pytest.mark.parametrize(
    "name", ["cpu", "memory", "ephemeral-storage", "hugepages-2Mi", "nvidia.com/gpu", "kubernetes.io/anything"]
)
def test_container_resources(name: str) -> None:
    assert container_resource_problems(name) == []


@pytest.mark.parametrize(
    ("name", "problems"),
    [
        (
            "InvalidResource",
            ["must be a standard resource type or fully qualified", "must be a standard resource for containers"],
        ),
        ("pods", ["must be a standard resource for containers"]),
        ("requests.hugepages-2Mi", ["must be a standard resource for containers"]),
        ("limits.cpu", ["must be a standard resource for containers"]),
        ("requests.example.com/gpu", ["doesn't follow extended resource name standard"]),
        ("a" * 245 + "/gpu", ["doesn't follow extended resource name standard"]),
    ],
)
def test_not_container_resources(name: str, problems: list[str]) -> None:
    assert container_resource_problems(name) == problems


@pytest.mark.parametrize(
    ("text", "value", "canonical"),
    [
        ("0", "0", "0"),
        ("100m", "0.1", "100m"),
        ("0.2", "0.2", "200m"),
        ("200m", "0.2", "200m"),
        ("1000m", "1", "1"),
        ("1Gi", str(2**30), "1Gi"),
        ("1024Mi", str(2**30), "1Gi"),
        ("1.5Gi", str(3 * 2**29), "1536Mi"),
        ("0.5Ki", "512", "512"),
        ("1Ki", "1024", "1Ki"),
        ("0.1Ki", "102.4", "102400m"),
        ("1000Ki", "1024000", "1000Ki"),
        ("9Ei", str(2**63 - 1), str(2**63 - 1)),
        ("7Ei", str(7 * 2**60), "7Ei"),
        ("1e3", "1000", "1e3"),
        ("1E3", "1000", "1e3"),
        ("12e-1", "1.2", "1200e-3"),
        ("1e+4", "10000", "10e3"),
        ("1E", "1e18", "1E"),
        ("1000E", "1e21", "1000E"),
        ("1k", "1000", "1k"),
        ("1000", "1000", "1k"),
        ("1M", "1e6", "1M"),
        ("5u", "0.000005", "5u"),
        ("5n", "5e-9", "5n"),
        ("0.1n", "1e-9", "1n"),
        ("-0.1n", "-1e-9", "-1n"),
        ("1e-2147483647", "1e-9", "1e-9"),
        ("-300m", "-0.3", "-300m"),
        ("-1Ki", "-1024", "-1Ki"),
        ("+1", "1", "1"),
        ("-0", "0", "0"),
        ("1.", "1", "1"),
        (".5", "0.5", "500m"),
        ("007", "7", "7"),
        ("1e2147483647", "1e2147483647", "10e2147483646"),
        (0.2, "0.2", "200m"),
        (2, "2", "2"),
        (1e-05, "0.00001", "10e-6"),
    ],
)
def test_quantities(text: str | float, value: str, canonical: str) -> None:
    parsed = parse_quantity(text)
    assert parsed.value == Decimal(value)
    assert parsed.canonical() == canonical


NOT_NUMBERS = ["", ".", "+", "m", "Ki", "1.1.M", "1+1.0M", "0.1am", "aoeu", " 1", "1 ", "1\n", "--1", "1Gib"]


@pytest.mark.parametrize(
    "text",
    [*NOT_NUMBERS, "٣", "1E5i", "nan", "inf", "1" * 401, True, math.nan, math.inf],
)
def test_not_quantities(text: str | float) -> None:
    with pytest.raises(QuantityError, match=re.escape(NOT_A_QUANTITY)):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["1K", "1ki", "1i", "1e", "1mm", "0.1mi", "1kM", "1e99999999999", "1m5", "-3.01e-"])
def test_quantities_with_a_wrong_suffix(text: str) -> None:
    with pytest.raises(QuantityError, match=re.escape(NOT_A_SUFFIX)):
        parse_quantity(text)


QUANTITIES = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-", "+"]),
    st.one_of(st.integers(0, 10**18).map(str), st.from_regex(r"\A[0-9]{1,9}\.[0-9]{0,9}\Z")),
    st.one_of(
        st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]),
        st.integers(-30, 30).map(lambda power: f"e{power}"),
    ),
)


@given(QUANTITIES)
def test_the_canonical_form_keeps_the_value_and_is_its_own_canonical_form(text: str) -> None:
    parsed = parse_quantity(text)
    canonical = parsed.canonical()
    assert parse_quantity(canonical).value == parsed.value
    assert parse_quantity(canonical).canonical() == canonical
    assert "." not in canonical
    assert not canonical.startswith("+")


@given(st.text(alphabet="0123456789.+-eEinumkKMGTP ", max_size=12))
def test_any_text_is_a_quantity_or_an_error(text: str) -> None:
    try:
        parsed = parse_quantity(text)
    except QuantityError:
        return
    assert parse_quantity(parsed.canonical()).value == parsed.value


@pytest.mark.parametrize(
    ("cores", "text"),
    [(0.5, "500m"), (2, "2"), (1.25, "1250m"), (0.07, "70m"), (0.0001, "1m"), (1e-300, "1m"), (0, "0"), (1000, "1k")],
)
def test_format_cpu(cores: float, text: str) -> None:
    assert format_cpu(cores) == text


@pytest.mark.parametrize(("memory_mib", "text"), [(768, "768Mi"), (1024, "1Gi"), (1536, "1536Mi"), (0, "0")])
def test_format_memory(memory_mib: int, text: str) -> None:
    assert format_memory_mib(memory_mib) == text


@pytest.mark.parametrize("value", [-1.0, -1e-9, math.nan, math.inf, 1.7e308])
def test_no_quantity_for_what_is_negative_or_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite and at least 0"):
        format_quantity(value)


def test_no_negative_memory() -> None:
    with pytest.raises(ValueError, match="at least 0 MiB"):
        format_memory_mib(-1)


@given(st.integers(0, 10**9))
def test_formatted_memory_is_exact(memory_mib: int) -> None:
    assert parse_quantity(format_memory_mib(memory_mib)).value == memory_mib * 2**20


@given(st.floats(0, 1e6))
def test_formatted_quantities_are_rounded_up_by_less_than_a_thousandth(value: float) -> None:
    formatted = parse_quantity(format_quantity(value))
    assert formatted.canonical() == format_quantity(value)
    assert -1e-6 <= float(formatted.value) - value <= 0.001
