"""AWS's public price list files: whole offers of a region, without credentials.

An index says where the newest file of each region is; the file is read as it comes and only its wanted rates are kept.
Sources: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/
using-the-aws-price-list-bulk-api-fetching-price-list-files-manually.html, and for savings plans the same directory's
service-region-index-files-for-savings-plan.html.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase, TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal
from urllib.parse import unquote, urlsplit

from cascade_plan.clouds.aws.prices import offer_csv, offer_json, savings_csv
from cascade_plan.clouds.aws.products import CODES
from cascade_plan.errors import CloudError, UsageError
from cascade_plan.prices.rates import Rate, Request

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from urllib3 import BaseHTTPResponse, PoolManager

BASE_URL: Final = "https://pricing.us-east-1.amazonaws.com"
_BUFFER: Final = 1 << 18
_INDEX_BYTES: Final = 1 << 22
"""More than any index has; the largest are some tens of kilobytes."""
_TRANSIENT: Final = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server, and how often to ask again."""

    connect_s: float = 10
    read_s: float = 60
    """The longest silence in the middle of an answer."""
    retry_count: int = 4
    backoff_s: float = 0.5
    """Wait before the second retry; each further one waits twice as long."""


def rates(
    request: Request,
    base_url: str = BASE_URL,
    patience: Patience = Patience(),
    layout: Literal["csv", "json"] = "csv",
) -> Iterator[Rate]:
    """Yield the rates of the offers and savings plans that a request needs, one file after the other.

    Memory stays bounded whatever the size of the files. Raises CloudError when a file cannot be had, is damaged or has
    another layout, or when no offer is made in the region, and UsageError when the client is not installed: then
    none of what was yielded may be kept.
    """
    site = _Site(base_url.rstrip("/"), patience)
    for offer, newest in _offer_paths(site, request).items():
        with site.stream(newest.removesuffix("json") + layout, _Told(request, offer)) as body:
            if layout == "json":
                yield from offer_json.rates(body, request, offer)
            else:
                yield from offer_csv.rates(_lines(body, offer), request, offer)
    for plan, discounted in savings_csv.PLANS.items():
        services = request.services & discounted
        if any(request.items.get(service) for service in services) and (path := _plan_path(site, request, plan)):
            with site.stream(path.removesuffix("json") + "csv", _Told(request, plan)) as body:
                yield from savings_csv.rates(_lines(body, plan), request, plan)


@dataclass(frozen=True, slots=True)
class _Told:
    """Who is told of a file how long it is, and of each part of it that has come."""

    request: Request
    what: str

    def expect(self, byte_count: int) -> None:
        self.request.expected(self.what, byte_count)

    def read(self, byte_count: int) -> None:
        self.request.progress(self.what, byte_count)


def _lines(body: IO[bytes], what: str) -> Iterator[str]:
    text = TextIOWrapper(body, encoding="utf-8", newline="\n")
    try:
        yield from text
    except UnicodeDecodeError as error:
        raise CloudError(f"{what}: the file is damaged, it is not UTF-8: {error.reason}; try again") from error


# -------------------------------------------------------------------------------------------------------------- indexes


def _offer_paths(site: _Site, request: Request) -> dict[str, str]:
    """Return offer -> path of its newest file in JSON, of those made in the region. Raises CloudError for none."""
    from difflib import get_close_matches

    paths: dict[str, str] = {}
    known: set[str] = set()
    offers = sorted({offer for service in request.services for offer in CODES.get(service, ())})
    for offer in offers:
        path = f"/offers/v1.0/aws/{offer}/current/region_index.json"
        regions = site.index(path, _Told(request, offer))
        if not isinstance(regions, dict):
            raise site.changed(path)
        known |= regions.keys()
        if (found := regions.get(request.region)) is not None:
            paths[offer] = site.path_in(found, "currentVersionUrl", path)
    if offers and not paths:
        near = get_close_matches(request.region, sorted(known), n=3, cutoff=0.5) or sorted(known)[:3]
        raise CloudError(
            f"AWS makes no offer of {', '.join(sorted(request.services))} in {request.region}: take a region it has,"
            f" such as {', '.join(near) or 'none'}"
        )
    return paths


def _plan_path(site: _Site, request: Request, plan: str) -> str | None:
    """Return the path of a savings plan's newest file in JSON, or None when the region has none."""
    path = f"/savingsPlan/v1.0/aws/{plan}/current/region_index.json"
    regions = site.index(path, _Told(request, plan))
    if not isinstance(regions, list) or not all(isinstance(region, dict) for region in regions):
        raise site.changed(path)
    found = next((region for region in regions if region.get("regionCode") == request.region), None)
    return None if found is None else site.path_in(found, "versionUrl", path)


# -------------------------------------------------------------------------------------------------------------- network


class _Site:
    """A server of price lists."""

    def __init__(self, base_url: str, patience: Patience) -> None:
        self._base_url = base_url
        self._pool = _pool(base_url, patience)

    def index(self, path: str, told: _Told) -> Any:
        """Return an index's regions: a mapping of an offer's, a list of a savings plan's."""
        with self.stream(path, told) as body:
            text = body.read(_INDEX_BYTES)
        try:
            return json.loads(text)["regions"]
        except (ValueError, KeyError, TypeError) as error:
            raise self.changed(path) from error

    def path_in(self, entry: object, name: str, index: str) -> str:
        """Return the path that an index's entry names. Raises CloudError unless it is one on this server."""
        path = entry.get(name) if isinstance(entry, dict) else None
        if not isinstance(path, str) or not re.fullmatch(r"/[\w./-]+/index\.json", path, re.ASCII):
            raise self.changed(index)
        return path

    def changed(self, path: str) -> CloudError:
        """Return the error for an index that is not as it should be."""
        return CloudError(f"{_shown(self._base_url + path)} is no index of regions; use another source")

    @contextmanager
    def stream(self, path: str, told: _Told) -> Iterator[IO[bytes]]:
        """Yield a file as it comes, decompressed; `told` hears how many bytes came over the network."""
        from urllib3.exceptions import HTTPError

        url = self._base_url + path
        headers = {"Accept-Encoding": "gzip", "User-Agent": "cascade-plan"}
        try:
            answer = self._pool.request("GET", url, headers=headers, redirect=False, preload_content=False)
        except HTTPError as error:
            raise CloudError(
                f"cannot reach {_shown(url)}: {_reason(error)}; check the network and the proxy"
            ) from error
        try:
            _check(answer, url)
            told.expect(_length(answer))
            yield BufferedReader(_Body(answer, url, told), _BUFFER)
        finally:
            answer.close()


class _Body(RawIOBase):
    """An answer's body as a file."""

    def __init__(self, answer: BaseHTTPResponse, url: str, told: _Told) -> None:
        self._answer = answer
        self._url = url
        self._told = told
        self._byte_count = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer and return by how much. Raises CloudError when the connection fails or ends too early."""
        from urllib3.exceptions import HTTPError

        view = memoryview(buffer).cast("B")
        try:
            data = self._answer.read(len(view))
        except (HTTPError, OSError) as error:
            raise CloudError(f"{_shown(self._url)} broke off: {_reason(error)}; try again") from error
        view[: len(data)] = data
        received = self._answer.tell()
        self._told.read(received - self._byte_count)
        self._byte_count = received
        return len(data)


def _pool(base_url: str, patience: Patience) -> PoolManager:
    """Return a client for a server that trusts whom the AWS SDK trusts, through the environment's proxy for it."""
    try:
        from urllib3 import PoolManager, ProxyManager, Retry, Timeout, make_headers
        from urllib3.exceptions import HTTPError
    except ImportError as error:
        raise UsageError("reading AWS's price lists needs urllib3: pip install 'cascade-plan[aws]'") from error

    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{_shown(base_url)!r} is no address of a price list server, such as {BASE_URL}")
    retries = Retry(
        total=patience.retry_count,
        status_forcelist=_TRANSIENT,
        backoff_factor=patience.backoff_s,
        raise_on_status=False,
        respect_retry_after_header=False,  # it may ask for hours
    )
    timeout = Timeout(connect=patience.connect_s, read=patience.read_s)
    options: dict[str, Any] = {"retries": retries, "timeout": timeout, "ca_certs": _authorities()}
    if not (proxy := _proxy(parts.scheme, parts.hostname)):
        return PoolManager(**options)
    login = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    address = f"{login.scheme}://{login.netloc.rpartition('@')[2]}"
    basic = f"{unquote(login.username)}:{unquote(login.password or '')}" if login.username else None
    try:
        return ProxyManager(address, proxy_headers=make_headers(proxy_basic_auth=basic), **options)
    except (HTTPError, ValueError) as error:
        raise UsageError(f"the proxy for {parts.scheme} in the environment, {address!r}, is no address") from error


def _authorities() -> str | None:
    """Return the file of certificates that the AWS SDK takes too, or None for the system's."""
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle and not Path(bundle).is_file():
        raise UsageError(f"AWS_CA_BUNDLE is {bundle!r}, which is no file")
    return bundle or None


def _proxy(scheme: str, host: str) -> str | None:
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    return None if proxy_bypass(host) else proxies.get(scheme) or proxies.get("all")


def _check(answer: BaseHTTPResponse, url: str) -> None:
    """Raise CloudError unless an answer is a file."""
    shown = _shown(url)
    if 300 <= answer.status < 400:
        where = _shown(answer.headers.get("Location", "nowhere"))
        raise CloudError(f"{shown} redirects to {where}, which no price list does; is there a proxy or a log-in page?")
    if answer.status in _TRANSIENT:
        raise CloudError(f"{shown} answers {answer.status} again and again; try again later")
    if answer.status != 200:
        raise CloudError(f"{shown} answers {answer.status}; is the address right, and may this network read it?")
    if "html" in (kind := answer.headers.get("Content-Type", "")):
        raise CloudError(f"{shown} is a page ({kind}), no price list; is there a proxy or a log-in page?")


def _length(answer: BaseHTTPResponse) -> int:
    """Return how many bytes come over the network, 0 where the server does not say."""
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and length.isascii() else 0


def _shown(url: str) -> str:
    """Return an address without what may be secret: user, password, query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path


def _reason(error: BaseException) -> str:
    """Return what went wrong in a request, without the addresses and objects that the client puts before it."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return _reason(inner)
    text = str(error).partition(": ")[2] or str(error)
    return re.sub(r" ?<[^>]*>", "", text).strip() or type(error).__name__
