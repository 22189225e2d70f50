"""Clients of AWS's APIs, what they list page by page, and their failures in words that say what to do.

No message repeats what AWS or the client says: those texts can hold account numbers, proxy passwords and signatures.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from cascade_plan import __version__
from cascade_plan.errors import CloudError, UsageError

ACTIONS: Final = (
    "pricing:GetProducts",
    "ec2:DescribeSpotPriceHistory",
    "savingsplans:DescribeSavingsPlansOfferingRates",
)
"""All that an update asks of AWS. None of the three can be limited to a resource.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""
_NO_CREDENTIALS: Final = (
    "no AWS credentials: run `aws configure` or `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY; `--source bulk` needs none"
)
_EXPIRED: Final = "the AWS credentials have expired: run `aws sso login` or renew them; `--source bulk` needs none"
_REFUSED: Final = (
    "AWS does not accept the credentials: see which ones with `aws sts get-caller-identity`, and whether the region is "
    "enabled for the account; `--source bulk` needs none"
)
_DENIED: Final = "the credentials may not ask for this: `prices update --print-policy` prints the policy they need"
_THROTTLED: Final = "AWS still throttles the requests after every retry: try again in some minutes"
_BROKEN: Final = "AWS fails to answer after every retry: try again later"
_SLOW: Final = "no answer in time after every retry: check the network and try again"
_UNREACHABLE: Final = (
    "no connection: check the network, HTTPS_PROXY and the region's name (not every service is in every region)"
)
_UNCLEAR: Final = "the answer is cut short or is not AWS's (a proxy's, perhaps): try again"
_NO_REGION: Final = "the service is not in this region: check the region's name"

_CODES: Final = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), _EXPIRED),
    **dict.fromkeys(
        (
            *("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"),
            *("InvalidSignatureException", "MissingAuthenticationToken", "IncompleteSignature", "OptInRequired"),
        ),
        _REFUSED,
    ),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), _DENIED),
    **dict.fromkeys(
        (
            *("Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded", "SlowDown"),
            *("TooManyRequestsException", "RequestThrottled", "RequestThrottledException"),
        ),
        _THROTTLED,
    ),
}
"""AWS's error code -> what to do. Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
_FAILURES: Final = {
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": _NO_CREDENTIALS,
    "CredentialRetrievalError": _NO_CREDENTIALS,
    "ProfileNotFound": "AWS_PROFILE names no profile: `aws configure list-profiles` lists them",
    "SSOError": _EXPIRED,
    "TokenRetrievalError": _EXPIRED,
    "LoginError": _EXPIRED,
    "ReadTimeoutError": _SLOW,
    "ConnectTimeoutError": _SLOW,
    "ProxyConnectionError": "the proxy cannot be reached: check HTTPS_PROXY",
    "SSLError": "no secure connection: check the clock, and AWS_CA_BUNDLE where a proxy has its own certificate",
    "ConnectionError": _UNREACHABLE,
    "HTTPClientError": _UNREACHABLE,
    "IncompleteReadError": _UNCLEAR,
    "InvalidRegionError": _NO_REGION,
    "NoRegionError": _NO_REGION,
    "EndpointResolutionError": _NO_REGION,
}
"""Class of botocore -> what to do; of a failure's classes the nearest counts."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may take and how often it is tried."""

    connect_s: float = 5
    read_s: float = 60
    """Between two bytes of an answer."""
    attempt_count: int = 6
    """The first included. The waits between them grow to 20 s."""


PATIENT: Final = Patience()
READ_COUNT: Final = 3
"""How often an answer that is cut short is asked for."""


def policy() -> str:
    """Return the smallest IAM policy that allows an update, as JSON."""
    statement = {"Sid": "CascadePlanPrices", "Effect": "Allow", "Action": list(ACTIONS), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


@contextmanager
def client(service: str, region: str, endpoint_url: str | None, patience: Patience = PATIENT) -> Iterator[Any]:
    """Give a boto3 client of a service in a region, with the credentials that boto3 itself finds.

    Threads may share it. What fails within the block is raised as CloudError. Raises UsageError without boto3.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise UsageError("boto3 is not installed: pip install 'cascade-plan[aws]', or take `--source bulk`") from error
    config = Config(
        connect_timeout=patience.connect_s,
        read_timeout=patience.read_s,
        retries={"mode": "adaptive", "total_max_attempts": patience.attempt_count},
        user_agent_extra=f"cascade-plan/{__version__}",
    )
    with _told(service, region):
        made = boto3.Session().client(service, region_name=region, endpoint_url=endpoint_url, config=config)
        try:
            yield made
        finally:
            made.close()


def listing(ask: Callable[..., Any], answer_key: str, token_key: str, **query: Any) -> Iterator[list[Any]]:
    """Yield what a paginated operation lists, a page at a time.

    Raises CloudError when an answer stays without its list and when a page's token has come before, which would never
    end.
    """
    seen: set[str] = set()
    while True:
        answer = _answer(ask, answer_key, query)
        yield answer[answer_key]
        token = answer.get(token_key)
        if not token:
            return
        if token in seen:
            raise CloudError(f"AWS {ask.__name__}: a page's token repeats, the list would have no end: try again later")
        seen.add(token)
        query[token_key] = token


def _answer(ask: Callable[..., Any], key: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer that has its list. One that is cut short is asked for again.

    botocore does not: it takes a body that ends early for a whole one, and JSON that does not parse for an answer
    without fields.
    """
    from botocore.parsers import ResponseParserError

    for _ in range(READ_COUNT):
        with suppress(ResponseParserError):
            answer: Mapping[str, Any] = ask(**query)
            if isinstance(answer.get(key), list):
                return answer
    raise CloudError(f"AWS {ask.__name__}: {_UNCLEAR}")


@contextmanager
def _told(service: str, region: str) -> Iterator[None]:
    """Raise what botocore raises as a CloudError that says what to do."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise CloudError(f"AWS {service} in {region}: {_advice(error.response)}") from error
    except BotoCoreError as error:
        names = (kind.__name__ for kind in type(error).__mro__)
        advice = next((_FAILURES[name] for name in names if name in _FAILURES), f"failed ({type(error).__name__})")
        raise CloudError(f"AWS {service} in {region}: {advice}") from error


def _advice(response: Any) -> str:
    code = str(response.get("Error", {}).get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if advice := _CODES.get(code):
        return advice
    return _BROKEN if status >= 500 else f"AWS refuses the request ({code}, HTTP status {status})"
