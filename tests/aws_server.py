"""A local server that speaks AWS's wire protocols for the three operations that an update asks for, and their failures.

It answers from the lists it is given (by default those of `aws_world`), so that a test changes the world by changing a
list; a fault changes the answer to the n-th request of an operation. It knows nothing of the package.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import aws_world
import pytest

PRODUCTS = "GetProducts"
SPOT = "DescribeSpotPriceHistory"
PLANS = "DescribeSavingsPlansOfferingRates"
JSON = "application/x-amz-json-1.1"
XML = "text/xml;charset=UTF-8"
REQUEST_ID = "00000000-0000-0000-0000-000000000000"
KEY_ID, SECRET, TOKEN = "AKIASYNTHETICKEYID00", "synthetic/secret+access/key", "synthetic//session//token=="


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and how it goes over the wire."""

    status: int
    body: bytes
    content_type: str = JSON
    operation: str = ""
    wire: str = "whole"
    """whole; stalled (half of the body, then silence); cut (half, then the end); reset (none, and a reset)."""


Fault = Callable[[Reply], Reply]
"""From the right answer to the wrong one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request the server has had."""

    operation: str
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    """By lower-case name."""


@dataclass
class Server:
    """The server of one test: what it sells, how it fails, and what it was asked."""

    url: str = ""
    products: list[aws_world.Product] = field(default_factory=list)
    spot_prices: list[aws_world.SpotPrice] = field(default_factory=list)
    plan_rates: list[dict[str, Any]] = field(default_factory=list)
    page_size: int = 1000
    """The most that a page holds whatever is asked for."""
    filtering: bool = True
    """Whether GetProducts honours filters: without, an offer's whole list goes out, of every region."""
    asked: list[Asked] = field(default_factory=list)
    closing: Event = field(default_factory=Event)
    _faults: list[tuple[str, Fault, frozenset[int] | None]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)
    _counts: Counter[str] = field(default_factory=Counter)

    def fail(self, operation: str, fault: Fault, *requests: int) -> None:
        """Answer an operation's requests of these numbers (1 is the next), or all from now on, with a fault."""
        so_far = self._counts[operation]
        self._faults.append((operation, fault, frozenset(so_far + number for number in requests) or None))

    def queries(self, operation: str) -> list[Mapping[str, Any]]:
        """Return what was asked of an operation, in the order of arrival."""
        return [asked.query for asked in self.asked if asked.operation == operation]

    def answer(self, operation: str, query: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        """Return the answer to a request, right or wrong."""
        with self._lock:
            self.asked.append(Asked(operation, query, headers))
            self._counts[operation] += 1
            number = self._counts[operation]
        answers = {PRODUCTS: self._get_products, SPOT: self._spot_history, PLANS: self._plans}
        known = answers.get(operation)
        reply = (
            replace(known(query, _region(headers)), operation=operation)
            if known
            else _error(operation, 400, "UnknownOperation")
        )
        for failing, fault, numbers in self._faults:
            if failing == operation and (numbers is None or number in numbers):
                reply = fault(reply)
        return reply

    def _get_products(self, query: Mapping[str, Any], _: str) -> Reply:
        def matches(product: aws_world.Product) -> bool:
            known = {**product.attributes, "productFamily": product.family}
            filters = query.get("Filters", ()) if self.filtering else ()
            return product.offer == query["ServiceCode"] and all(
                known.get(term["Field"]) == term["Value"] for term in filters
            )

        if query.get("FormatVersion") != "aws_v1" or any(f["Type"] != "TERM_MATCH" for f in query.get("Filters", ())):
            return _error(PRODUCTS, 400, "InvalidParameterException")
        found = [json.dumps(product.entry()) for product in self.products if matches(product)]
        page, token = self._page(found, query.get("MaxResults", 100), query.get("NextToken"))
        following = {"NextToken": token} if token else {}
        return Reply(200, json.dumps({"FormatVersion": "aws_v1", "PriceList": page, **following}).encode())

    def _plans(self, query: Mapping[str, Any], _: str) -> Reply:
        wanted = {entry["name"]: entry["values"] for entry in query.get("filters", ())}

        def matches(rate: dict[str, Any]) -> bool:
            known = {entry["name"]: entry["value"] for entry in rate["properties"]}
            return (
                rate["savingsPlanOffering"]["planType"] in query["savingsPlanTypes"]
                and rate["productType"] in query["products"]
                and rate["serviceCode"] in query["serviceCodes"]
                and all(known.get(name) in values for name, values in wanted.items())
            )

        found = [rate for rate in self.plan_rates if matches(rate)]
        page, token = self._page(found, query["maxResults"], query.get("nextToken"))
        # The last page has an empty token.
        return Reply(200, json.dumps({"searchResults": page, "nextToken": token}).encode(), "application/json")

    def _spot_history(self, query: Mapping[str, Any], region: str) -> Reply:
        start, end = (datetime.fromisoformat(query[name]).astimezone(UTC) for name in ("StartTime", "EndTime"))
        filters = {
            query[f"Filter.{n}.Name"]: _listed(query, f"Filter.{n}.Value.")
            for n in range(1, 9)
            if f"Filter.{n}.Name" in query
        }
        platforms = _listed(query, "ProductDescription.")
        matching = sorted(
            (
                price
                for price in self.spot_prices
                if price.item in filters["instance-type"] and price.platform in platforms and price.at <= end
                if price.zone.startswith(region)
            ),
            key=lambda price: price.at,
            reverse=True,
        )
        found, opened = [], set()
        for price in matching:
            if price.at > start:
                found.append(price)
            elif (known := (price.zone, price.item, price.platform)) not in opened:
                # The last change before the window is listed too: it is the price at its start.
                opened.add(known)
                found.append(price)
        page, token = self._page(found, int(query.get("MaxResults", 1000)), query.get("NextToken"))
        return Reply(200, _spot_xml(page, token).encode(), XML)

    def _page(self, found: list[Any], size: int, token: str | None) -> tuple[list[Any], str]:
        first = int(token.removeprefix("page")) if token else 0
        last = first + min(size, self.page_size)
        return found[first:last], f"page{last}" if last < len(found) else ""


def _region(headers: Mapping[str, str]) -> str:
    """Return the region that a request is signed for: AWS has an endpoint for each, and here they share one."""
    return headers["authorization"].partition("Credential=")[2].split("/")[2]


def _listed(query: Mapping[str, Any], prefix: str) -> list[str]:
    return [value for name, value in query.items() if name.startswith(prefix)]


def _spot_xml(page: list[aws_world.SpotPrice], token: str) -> str:
    items = "".join(
        f"<item><instanceType>{price.item}</instanceType><productDescription>{price.platform}</productDescription>"
        f"<spotPrice>{price.price}</spotPrice><timestamp>{price.at:%Y-%m-%dT%H:%M:%S}.000Z</timestamp>"
        f"<availabilityZone>{price.zone}</availabilityZone></item>"
        for price in page
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<DescribeSpotPriceHistoryResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        f"<requestId>{REQUEST_ID}</requestId><spotPriceHistorySet>{items}</spotPriceHistorySet>"
        f"<nextToken>{token}</nextToken></DescribeSpotPriceHistoryResponse>"
    )


def _error(operation: str, status: int, code: str, message: str = "synthetic") -> Reply:
    if operation == SPOT:
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors>"
            f"<RequestID>{REQUEST_ID}</RequestID></Response>"
        )
        return Reply(status, text.encode(), XML, operation)
    body = {"__type": code, "message": message, "code": code}
    return Reply(status, json.dumps(body).encode(), JSON, operation)


# ------------------------------------------------------------------------------------------------------------- faults


def error(status: int, code: str, message: str = "synthetic") -> Fault:
    """Return a fault that answers with one of AWS's errors, in the operation's own protocol."""
    return lambda reply: _error(reply.operation, status, code, message)


THROTTLED = error(400, "ThrottlingException", "Rate exceeded")
EXPIRED = error(400, "ExpiredTokenException", "The security token included in the request is expired")
DENIED = error(400, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/someone is not authorized")


def wired(wire: str) -> Fault:
    """Return a fault on the wire: stalled, cut or reset."""
    return lambda reply: replace(reply, wire=wire)


def half_a_body(reply: Reply) -> Reply:
    """Return an answer that ends in the middle, under the length of its half."""
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def edited(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Return a fault that changes the fields of a JSON answer."""
    return lambda reply: replace(reply, body=json.dumps(change(json.loads(reply.body))).encode())


# --------------------------------------------------------------------------------------------------------------- wire


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    answering: Server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    server: _Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        operation, query = _asked(self.path, headers, body)
        self._send(self.server.answering.answer(operation, query, headers))

    def _send(self, reply: Reply) -> None:
        if reply.wire == "reset":
            # With no time to linger, closing sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body if reply.wire == "whole" else reply.body[: len(reply.body) // 2])
        if reply.wire == "stalled":
            self.server.answering.closing.wait(10)
        self.close_connection = reply.wire != "whole"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the requests are recorded."""


def _asked(path: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, Any]]:
    """Return the operation and its parameters, by the protocol: JSON 1.1, REST-JSON or EC2's form."""
    if target := headers.get("x-amz-target"):
        return target.removeprefix("AWSPriceListService."), json.loads(body)
    if path != "/":
        return path.strip("/"), json.loads(body or b"{}")
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return form.pop("Action", ""), form


@contextmanager
def serving(*regions: str) -> Iterator[Server]:
    """Give a server on a free port of 127.0.0.1 that sells what `aws_world` has in some regions (default: all)."""
    served = regions or tuple(aws_world.REGIONS)
    server = Server(
        products=[product for region in served for product in aws_world.products(region)],
        spot_prices=[price for region in served for price in aws_world.spot_prices(region)],
        plan_rates=[rate for region in served for rate in aws_world.plan_rates(region)],
    )
    listener = _Listener(("127.0.0.1", 0), _Handler)
    listener.answering = server
    server.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        listener.shutdown()
        listener.server_close()
        thread.join()


# -------------------------------------------------------------------------------------------------------- credentials


def sign_out(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Leave boto3 no credentials, no configuration and no proxy."""
    for name in [name for name in os.environ if name.upper().startswith("AWS_") or name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def sign_in(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """Give boto3 synthetic credentials, and no others."""
    sign_out(monkeypatch, home)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
