"""A walk through what `emit-all` writes, on one machine: every step of the emitted README.md, against real programs.

    sudo .venv/bin/python tests/real/walk_through.py [--keep DIR]

PostgreSQL, two PgBouncers, a Redis Cluster, an application's API and WebSocket nodes, nginx and Prometheus run with the
emitted files, unchanged, in a network and a file system of their own (unshare): each has an address, and a name server
knows the names that the files use. The README's commands are run as they stand. The programs that would ask AWS or a
Kubernetes API, terraform among them, are stand-ins, which check that the files they are given are there. At the end
`cascade-plan verify` judges the load test.

Exit status: 0 when everything was as it should be, 1 otherwise, 2 when a program is missing.
"""

# ruff: noqa: T201

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]

import name_server
import yaml
from servers import listening, program, running, wait_until

APPLICATION: Final = "boards"
SCENARIO: Final = HERE / "walk_through" / "scenario.yaml"
PASSWORD: Final = "loopback"
"""Every secret of the walk: nothing here outlives it."""
NAMES: Final = "127.0.0.53"
DATABASE: Final = "127.0.4.1"
POOLS: Final = ("127.0.2.1", "127.0.2.2")
PODS: Final = ("127.0.5.1", "127.0.5.2")
PROXY: Final = "127.0.6.1"
INSIDE: Final = f"{APPLICATION}.svc.cluster.local"


# ------------------------------------------------------------------------------------- a network and files of its own


def apart(arguments: Sequence[str]) -> int:
    """Run this script in a network and a file system of its own; return its status."""
    command = ["unshare", "--net", "--mount", "--propagation", "private", "--fork", "--kill-child"]
    inside = [sys.executable, str(Path(__file__)), "--inside", *arguments]
    return subprocess.run([program(command[0]), *command[1:], *inside], check=False).returncode


def raise_loopback() -> None:
    """Bring the only interface up: all of 127.0.0.0/8 is ours then."""
    flags = 0x1 | 0x8 | 0x40  # IFF_UP, IFF_LOOPBACK, IFF_RUNNING
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14s", b"lo", flags, b""))  # SIOCSIFFLAGS


def mounted(source: Path, target: str) -> None:
    """Let a path be another one, for this script and what it starts."""
    bind = 4096
    if ctypes.CDLL(None, use_errno=True).mount(str(source).encode(), target.encode(), None, bind, None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def with_files_of_its_own(home: Path) -> None:
    """Let the emitted files' paths be directories of the walk, and its name server be the only one."""
    for path, mode in (("/etc/pgbouncer", 0o755), ("/var/log/nginx", 0o755), ("/run", 0o755)):
        own = home / path.strip("/").replace("/", "-")
        own.mkdir(mode=mode)
        mounted(own, path)
    resolver = home / "resolv.conf"
    resolver.write_text(f"nameserver {NAMES}\noptions timeout:1\n", encoding="utf-8")
    mounted(resolver, "/etc/resolv.conf")


def addresses(name: str) -> Sequence[str]:
    """Return what the name server answers: the names of a cluster's Services and pods, and of what AWS runs."""
    known = {
        "primary.boards.internal": [DATABASE],
        f"pgbouncer.{INSIDE}": POOLS,
        f"{APPLICATION}-api.{INSIDE}": PODS,
        "boards.internal": PODS,
        "sockets.boards.internal": [PROXY],
        "kube-dns.kube-system.svc.cluster.local": [NAMES],
    }
    if node := re.fullmatch(rf"ws-node-(\d+)\.ws-node\.{re.escape(INSIDE)}", name):
        return [f"127.0.1.{node[1]}"]
    if server := re.match(r"redis-(\d+)\b", name):
        return [f"127.0.3.{server[1]}"]
    return known.get(name, ())
