"""A name server on loopback: A records from a table that may change while it runs, everything else refused.

Source: RFC 1035, sections 4.1 and 3.4.1.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

Lookup = Callable[[str], Sequence[str]]
"""From a name, in lower case and without its last dot, to its IPv4 addresses; none for a name that is not there."""
QUERY, ANSWERED, NO_SUCH_NAME = 0x0100, 0x8180, 0x8183
A, IN = 1, 1


def answer(query: bytes, lookup: Lookup, ttl_s: int) -> bytes:
    """Return the answer to a query of one question."""
    labels, at = [], 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode("ascii"))
        at += size + 1
    question, (kind, _) = query[12 : at + 5], struct.unpack("!HH", query[at + 1 : at + 5])
    found = lookup(".".join(labels).lower())
    records = [
        struct.pack("!HHHIH", 0xC00C, A, IN, ttl_s, 4) + socket.inet_aton(address)
        for address in (found if kind == A else ())
    ]
    status = ANSWERED if found else NO_SUCH_NAME
    return query[:2] + struct.pack("!HHHHH", status, 1, len(records), 0, 0) + question + b"".join(records)


@contextmanager
def serving(address: str, port: int, lookup: Lookup, ttl_s: int = 1) -> Iterator[None]:
    """Answer over UDP until the block ends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, port))
        server.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    query, client = server.recvfrom(512)
                except TimeoutError:
                    continue
                server.sendto(answer(query, lookup, ttl_s), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
