"""Clients, lists of pages, and every failure in words that say what to do and give nothing away."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import aws_server
import botocore.exceptions
import botocore.session
import pytest
from aws_server import DENIED, EXPIRED, KEY_ID, SECRET, THROTTLED, TOKEN, Fault, Server, error, half_a_body, wired

from cascade_plan import __version__
from cascade_plan.clouds.aws.prices import client as aws_client
from cascade_plan.clouds.aws.prices.client import ACTIONS, Patience, client, listing, policy
from cascade_plan.errors import CloudError, UsageError

SHORT = Patience(connect_s=5, read_s=5, attempt_count=2)
HASTY = Patience(connect_s=5, read_s=0.3, attempt_count=2)
"""For answers that never come; a busy machine may be too slow for it."""


def ask(server: Server | None, patience: Patience = SHORT, url: str = "") -> dict[str, Any]:
    """Ask for a product as the sources do."""
    address = server.url if server else url
    with client("pricing", "us-east-1", address, patience) as pricing:
        answer: dict[str, Any] = pricing.get_products(ServiceCode="AmazonEKS", FormatVersion="aws_v1")
        return answer


def failure(server: Server | None, patience: Patience = SHORT, url: str = "") -> str:
    with pytest.raises(CloudError) as caught:
        ask(server, patience, url)
    assert caught.value.exit_code == 5
    return str(caught.value)


def test_a_request_is_signed_and_says_who_asks(aws: Server) -> None:
    assert ask(aws)["PriceList"]
    headers = aws.asked[0].headers
    assert f"cascade-plan/{__version__}" in headers["user-agent"]
    assert f"Credential={KEY_ID}/" in headers["authorization"]
    assert "/us-east-1/pricing/aws4_request" in headers["authorization"]


def test_boto3_s_own_setting_of_an_address_counts(aws: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    with client("pricing", "us-east-1", None, SHORT) as pricing:
        assert pricing.get_products(ServiceCode="AmazonEKS", FormatVersion="aws_v1")["PriceList"]


FAILURES = (
    (THROTTLED, "throttles"),
    (error(500, "InternalErrorException"), "fails to answer"),
    (error(503, "ServiceUnavailable"), "fails to answer"),
    (wired("reset"), "no connection"),
)
PASSING = [pytest.param(fault, words, id=f"{words}-{number}") for number, (fault, words) in enumerate(FAILURES)]


@pytest.mark.parametrize(("fault", "words"), PASSING)
def test_a_passing_failure_is_tried_again(aws: Server, fault: Fault, words: str) -> None:
    aws.fail(aws_server.PRODUCTS, fault, 1)
    assert ask(aws)["PriceList"]
    assert len(aws.asked) == 2


@pytest.mark.parametrize(("fault", "words"), PASSING)
def test_a_lasting_failure_is_told(aws: Server, fault: Fault, words: str) -> None:
    aws.fail(aws_server.PRODUCTS, fault)
    message = failure(aws)
    assert words in message
    assert "pricing in us-east-1" in message
    assert len(aws.asked) == SHORT.attempt_count


def test_an_answer_that_stalls_is_asked_for_again(aws: Server) -> None:
    aws.fail(aws_server.PRODUCTS, wired("stalled"), 1)
    assert ask(aws, replace(HASTY, attempt_count=4))["PriceList"]
    assert len(aws.asked) >= 2


def test_answers_that_always_stall_are_told(aws: Server) -> None:
    aws.fail(aws_server.PRODUCTS, wired("stalled"))
    assert "no answer in time" in failure(aws, HASTY)
    assert len(aws.asked) == HASTY.attempt_count


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (EXPIRED, "expired"),
        (error(400, "ExpiredToken"), "expired"),
        (DENIED, "prices update --print-policy"),
        (error(400, "UnrecognizedClientException"), "region is enabled"),
        (error(403, "InvalidSignatureException"), "does not accept the credentials"),
        (error(400, "InvalidParameterException"), "refuses the request (InvalidParameterException, HTTP status 400)"),
    ],
)
def test_a_refusal_is_told_at_once(aws: Server, fault: Fault, words: str) -> None:
    aws.fail(aws_server.PRODUCTS, fault)
    assert words in failure(aws)
    assert len(aws.asked) == 1


def test_no_message_gives_anything_away(aws: Server) -> None:
    told = f"{KEY_ID} {SECRET} {TOKEN} 123456789012 X-Amz-Signature=0123"
    for code in ("AccessDenied", "SignatureDoesNotMatch", "ExpiredToken", "ThrottlingException", "Surprise", "Unknown"):
        aws.fail(aws_server.PRODUCTS, error(400, code, told))
        message = failure(aws, Patience(attempt_count=1))
        assert not [word for word in told.split() if word in message]


def test_a_proxy_password_is_not_told(signed_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://someone:hunter2@127.0.0.1:1")
    message = failure(None, Patience(1, 1, 1), "https://pricing.invalid")
    assert "HTTPS_PROXY" in message
    assert "hunter2" not in message


def test_nothing_listens(signed_in: None) -> None:
    assert "no connection" in failure(None, Patience(1, 1, 1), "http://127.0.0.1:1")


def test_no_credentials(signed_out: None) -> None:
    with aws_server.serving("us-east-1") as server:
        message = failure(server)
        assert not server.asked
    for words in ("aws configure", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "--source bulk"):
        assert words in message


def test_half_the_credentials(signed_out: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    message = failure(None, url="http://127.0.0.1:1")
    assert "no AWS credentials" in message
    assert KEY_ID not in message


def test_an_unknown_profile(signed_out: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "AWS_PROFILE names no profile" in failure(None, url="http://127.0.0.1:1")


def test_a_profile_of_the_configuration_is_taken(aws: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text(
        "[billing]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = x\n", encoding="utf-8"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "billing")
    assert ask(aws)["PriceList"]
    assert "Credential=AKIAPROFILE/" in aws.asked[0].headers["authorization"]


def test_a_region_that_is_no_name(signed_in: None) -> None:
    with pytest.raises(CloudError, match="check the region's name"), client("ec2", "no region!", None):
        pass


def test_without_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with (
        pytest.raises(UsageError, match=r"pip install 'cascade-plan\[aws\]'"),
        client("pricing", "us-east-1", None),
    ):
        pass


@pytest.mark.parametrize("fault", [half_a_body, wired("cut")])
def test_an_answer_that_is_cut_short_is_asked_for_again(aws: Server, fault: Fault) -> None:
    def read() -> list[list[Any]]:
        query = {"ServiceCode": "AmazonEKS", "FormatVersion": "aws_v1"}
        with client("pricing", "us-east-1", aws.url, SHORT) as pricing:
            return list(listing(pricing.get_products, "PriceList", "NextToken", **query))

    aws.fail(aws_server.PRODUCTS, fault, 1)
    assert read()[0]
    assert len(aws.asked) == 2
    aws.fail(aws_server.PRODUCTS, fault)
    with pytest.raises(CloudError, match="cut short"):
        read()


def test_pages_are_read_to_the_end_and_not_round_in_circles() -> None:
    pages = {"": ([1], "a"), "a": ([], "b"), "b": ([2], "")}

    def honest(token: str = "") -> dict[str, object]:
        found, following = pages[token]
        return {"items": found, "token": following}

    def circling(token: str = "") -> dict[str, object]:
        return {"items": [1], "token": {"": "a", "a": "b", "b": "a"}[token]}

    assert list(listing(honest, "items", "token")) == [[1], [], [2]]
    with pytest.raises(CloudError, match="repeats"):
        list(islice(listing(circling, "items", "token"), 9))


def test_the_policy_allows_what_is_asked_for_and_no_more() -> None:
    (statement,) = json.loads(policy())["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == list(ACTIONS)
    operations = {(action.split(":")[0], action.split(":")[1]) for action in ACTIONS}
    assert {name for _, name in operations} == {aws_server.PRODUCTS, aws_server.SPOT, aws_server.PLANS}
    for service, operation in operations:
        assert operation in botocore.session.get_session().get_service_model(service).operation_names


def test_every_failure_that_is_told_apart_is_one_of_botocore() -> None:
    assert not aws_client._FAILURES.keys() - vars(botocore.exceptions).keys()
