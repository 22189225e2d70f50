"""A walk through what `emit-all` writes, on one machine: every step of the emitted README.md, against real programs.

    sudo .venv/bin/python tests/real/walk_through.py [--keep DIR]

PostgreSQL, two PgBouncers, a Redis Cluster, an application's API and WebSocket nodes, nginx and Prometheus run with the
emitted files, unchanged, in a network and a file system of their own (unshare): each has an address, and a name server
knows the names that the files use. The README's commands are run as they stand. The programs that would ask AWS or a
Kubernetes API, terraform among them, are stand-ins, which check that the files they are given are there. At the end
`cascade-plan verify` judges the load test.

Exit status: 0 when everything was as it should be, 1 otherwise, 2 when a program is missing.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "emitters"))

import pytest
import yaml
from joints import Files, objects
from name_server import serving
from postgres import service_user
from servers import nginx as nginx_program
from servers import program, running, wait_until

from cascade_plan.emitters import directory as emitting
from cascade_plan.emitters._databases import databases
from cascade_plan.emitters._secrets import admin_secret, secrets
from cascade_plan.inputs.scenarios import read
from cascade_plan.model.artefact import Step
from cascade_plan.model.plan import Plan
from cascade_plan.planning.pipeline import plan

APPLICATION: Final = "boards"
PARTS: Final = Path(__file__).parent / "walk_through"
SCENARIO: Final = PARTS / "scenario.yaml"
PASSWORD: Final = "loopback"
"""Every secret of the walk: nothing here outlives it."""
NAMES: Final = "127.0.0.53"
DATABASE: Final = "127.0.4.1"
POOLS: Final = ("127.0.2.1", "127.0.2.2")
PODS: Final = ("127.0.5.1", "127.0.5.2")
PROXY: Final = "127.0.6.1"
INSIDE: Final = f"{APPLICATION}.svc.cluster.local"
GIVEN: Final = {
    "PUBLIC_ACCESS_CIDR": "203.0.113.7/32",
    "GATEWAY_CERTIFICATE_ARN": "arn:aws:acm:us-east-1:111122223333:certificate/walk",
    "API_IMAGE": "registry.internal/api:1.0.0",
    "WEBSOCKET_IMAGE": "registry.internal/websocket:1.0.0",
    "PAGER_URL": "http://127.0.0.1:9/pager",
    "TICKETS_URL": "http://127.0.0.1:9/tickets",
    "WATCHDOG_URL": "http://127.0.0.1:9/watchdog",
    "LOADTEST_PASSWORD": PASSWORD,
    "LOADTEST_HOST": "http://boards.internal:8000",
    "LOADTEST_WS_URL": "ws://sockets.boards.internal:8080/ws",
    "LOADTEST_MESSAGES": "20",
    "SCENARIO": str(SCENARIO),
}
"""What the reader of the README gives."""
OUTPUTS: Final = {
    "database_address": "boards-database.internal",
    "endpoints_env": "DATABASE_HOST=boards-database.internal\nUPLOADS_BUCKET=boards-walk\n",
}
"""What Terraform tells of what it made."""
STAND_INS: Final = ("aws", "eksctl", "helm", "kubectl", "terraform")
"""What would ask AWS or a Kubernetes API."""


# ------------------------------------------------------------------------------------- a network and files of its own


def apart(arguments: Sequence[str]) -> int:
    """Run this script in a network and a file system of its own; return its status."""
    command = [program("unshare"), "--net", "--mount", "--propagation", "private", "--fork", "--kill-child"]
    return subprocess.run([*command, sys.executable, __file__, "--inside", *arguments], check=False).returncode


def raise_loopback() -> None:
    """Bring the only interface up: all of 127.0.0.0/8 is ours then, and one address that is no loopback's.

    Without that one getent, which asks with AI_ADDRCONFIG, looks no name up.
    """
    up, set_address, flags = 0x8914, 0x8916, 0x1 | 0x8 | 0x40  # SIOCSIFFLAGS, SIOCSIFADDR; UP, LOOPBACK, RUNNING
    address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton("10.53.0.1"))
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, up, struct.pack("16sH14s", b"lo", flags, b""))
        fcntl.ioctl(any_socket, set_address, struct.pack("16s16s", b"lo:1", address))


def mounted(source: Path, target: str) -> None:
    """Let a path be another one, for this script and what it starts."""
    bind = 4096
    if ctypes.CDLL(None, use_errno=True).mount(str(source).encode(), target.encode(), None, bind, None):
        raise OSError(ctypes.get_errno(), f"mount {target}")


def with_files_of_its_own(home: Path) -> None:
    """Let the paths that emitted files name be directories of the walk, and its name server be the only one."""
    for path in ("/etc/pgbouncer", "/etc/redis", "/var/lib/redis", "/var/log/nginx", "/run"):
        own = home / path.strip("/").replace("/", "-")
        own.mkdir()
        mounted(own, path)
    resolver = home / "resolv.conf"
    resolver.write_text(f"nameserver {NAMES}\noptions timeout:1\n", encoding="utf-8")
    # Often a link, to a file in /run that is gone now.
    known = Path("/etc/resolv.conf").resolve()
    known.parent.mkdir(parents=True, exist_ok=True)
    known.touch()
    mounted(resolver, str(known))


def addresses(name: str) -> Sequence[str]:
    """Return what the name server answers: the names of a cluster's Services and pods, and of what AWS runs."""
    known = {
        "boards-database.internal": [DATABASE],
        f"database.{INSIDE}": [DATABASE],
        f"pgbouncer.{INSIDE}": POOLS,
        f"{APPLICATION}-api.{INSIDE}": PODS,
        "boards.internal": PODS,
        "sockets.boards.internal": [PROXY],
        "kube-dns.kube-system.svc.cluster.local": [NAMES],
    }
    if node := re.fullmatch(rf"ws-node-(\d+)\.ws-node\.{re.escape(INSIDE)}", name):
        return [f"127.0.1.{node[1]}"]
    if server := re.fullmatch(rf"redis-(\d+)-(\d+)\.redis\.{re.escape(INSIDE)}", name):
        return [f"127.0.3.{server[1]}{server[2]}"]
    if name == f"redis.{INSIDE}":
        return ["127.0.3.11", "127.0.3.21"]
    return known.get(name, ())


# --------------------------------------------------------------------------------------------- the steps of the README

STAND_IN: Final = """\
#!/bin/sh
# Stands in for {name}: it notes how it was called, and fails when a file that it is given is not there.
echo "{name} $*" >>"{log}"
case "{name} $*" in
{answers}
"kubectl exec "*)
    while test "$1" != --; do shift; done
    shift
    exec "$@" ;;
esac
case "$*" in *-f\\ -*) cat >/dev/null ;; esac
while test "$#" -gt 0; do
    case "$1" in
    -f | -k | --values | --filename | --kustomize | --config-file)
        test "$2" = - || test -e "$2" || {{ echo "{name}: $2 is not there" >&2; exit 1; }} ;;
    -chdir=*) test -d "${{1#-chdir=}}" || {{ echo "{name}: ${{1#-chdir=}} is not there" >&2; exit 1; }} ;;
    esac
    shift
done
"""


def with_stand_ins(home: Path, answers: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which what would ask AWS is a stand-in, which answers by its arguments."""
    directory = home / "stand-ins"
    directory.mkdir()
    for name in STAND_INS:
        cases = "".join(
            f"'{called}') cat <<'END'\n{text}\nEND\n;;\n" for called, text in answers.items() if called.startswith(name)
        )
        path = directory / name
        path.write_text(STAND_IN.format(name=name, log=home / "calls.log", answers=cases), encoding="utf-8")
        path.chmod(0o755)
    paths = [str(directory), str(Path(sys.executable).parent), str(Path(program("psql")).parent)]
    return {**os.environ, "PATH": os.pathsep.join((*paths, os.environ["PATH"]))}


def take(step: Step, directory: Path, environment: Mapping[str, str]) -> None:
    """Run a step of the README as it stands. Raises AssertionError with what it printed when it does not work."""
    began_s = time.monotonic()
    done = subprocess.run(
        ["sh", "-euc", step.command], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{step.words}: status {done.returncode}\n{step.command}\n{done.stdout}{done.stderr}"
    say(f"  ✓ {step.words} ({time.monotonic() - began_s:.1f} s)")
    for line in done.stdout.splitlines():
        if line.startswith("✓"):
            say(f"      {line}")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


# --------------------------------------------------------------------------------------------- what AWS would have made


def certificate(directory: Path) -> None:
    """Write a key and a certificate that it signs itself, for a server that only speaks TLS."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "boards-database.internal")])
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    signed = built.sign(key, hashes.SHA256())
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (directory / "server.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    (directory / "server.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (directory / "server.key").chmod(0o600)


@contextmanager
def postgres(home: Path, settings: Path) -> Iterator[None]:
    """Run PostgreSQL as RDS does: with the emitted settings, TLS alone, a database, a master user of little power."""
    own, user = home / "postgres", service_user()
    own.mkdir()
    shutil.copy(settings, own / "emitted.conf")
    certificate(own)
    for path in (own, *own.iterdir()):
        if user:
            shutil.chown(path, user)
    data = own / "data"
    initdb = [
        program("initdb"),
        "-U",
        "rdsadmin",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
        "-D",
        str(data),
    ]
    subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=own)
    with (data / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(f"include '{own}/emitted.conf'\nssl = on\nssl_cert_file = '{own}/server.crt'\n")
        conf.write(f"ssl_key_file = '{own}/server.key'\nfsync = off\nunix_socket_directories = '{own}'\n")
    (data / "pg_hba.conf").write_text("local all rdsadmin trust\nhostssl all all all scram-sha-256\n", encoding="utf-8")
    command = [program("postgres"), "-D", str(data), "-c", f"listen_addresses={DATABASE}"]
    bootstrap = f"""
        CREATE ROLE app_admin LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}';
        CREATE DATABASE {APPLICATION} OWNER app_admin;
    """

    def ready() -> bool:
        asked = [program("psql"), "-X", "-q", "-h", str(own), "-U", "rdsadmin", "-c", "", "postgres"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    with running(command, ready, home / "postgres.log", user=user, cwd=own):
        psql = [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(own), "-U", "rdsadmin", "postgres"]
        subprocess.run(psql, input=bootstrap, text=True, check=True)
        migrated = f"host={DATABASE} user=app_admin password={PASSWORD} dbname={APPLICATION} sslmode=require"
        tables = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(PARTS / "tables.sql"), migrated]
        subprocess.run([program(tables[0]), *tables[1:]], check=True)
        yield


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as an emitted file has it, of one container that matters."""

    name: str
    spec: Mapping[str, Any]
    """Of the container."""


def pods(files: Files, kind: str, name: str) -> list[Pod]:
    """Return the pods of a workload: those of a StatefulSet by their numbers, of a Deployment two."""
    (found,) = [each for each in objects(files, kind) if each["metadata"]["name"] == name]
    spec = found["spec"]
    first, count = spec.get("ordinals", {}).get("start", 1), spec.get("replicas", len(PODS))
    container = spec["template"]["spec"]["containers"][0]
    return [Pod(f"{name}-{number}", container) for number in range(first, first + count)]


def environment_of(files: Files, pod: Pod, kept: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what a pod finds in its environment: values, Terraform's addresses, what External Secrets copied."""
    copied = {
        (each["spec"]["target"]["name"], entry["secretKey"]): kept[entry["remoteRef"]["key"]][
            entry["remoteRef"]["property"]
        ]
        for each in objects(files, "ExternalSecret")
        for entry in each["spec"]["data"]
    }
    addresses = dict(line.split("=", 1) for line in OUTPUTS["endpoints_env"].splitlines())
    found = {"HOSTNAME": pod.name}
    for each in pod.spec.get("env", []):
        source = each.get("valueFrom", {})
        if secret := source.get("secretKeyRef"):
            found[each["name"]] = copied[secret["name"], secret["key"]]
        elif of_map := source.get("configMapKeyRef"):
            found[each["name"]] = addresses[of_map["key"]]
        elif "value" in each:
            found[each["name"]] = each["value"]
    return {**os.environ, **found}


@contextmanager
def redis(home: Path, emitted: Path, server: Pod, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a server of the cache by its pod's own command, in files of its own."""
    own = home / server.name
    for name in ("etc", "lib"):
        (own / name).mkdir(parents=True)
    subprocess.run(["sh", str(emitted / "redis-users.sh"), str(own / "etc")], env=environment, check=True)
    (address,) = addresses(f"{server.name}.redis.{INSIDE}")
    *shell, command = server.spec["command"]
    # A pod has an address of its own to listen on and to be known by; here that must be said.
    here = f"{command.replace('/scripts', str(emitted))} --bind {address} --cluster-announce-ip {address}"
    inner = f"mount --bind {own}/etc /etc/redis && mount --bind {own}/lib /var/lib/redis && {here}"
    apart = [program("unshare"), "--mount", "--propagation", "private", *shell, inner]
    with running(apart, lambda: reached(address, 6379), home / f"{server.name}.log", env=environment):
        yield


def reached(address: str, port: int) -> bool:
    """Return whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((address, port)) == 0


# ------------------------------------------------------------------------------------------- what Kubernetes would run


@contextmanager
def pools(home: Path, emitted: Path, count: int) -> Iterator[None]:
    """Run as many PgBouncers as share the pool, with the emitted file and plain passwords for the loopback."""
    users = ("app_user", "app_readonly", "app_monitoring", "pgbouncer_admin", "pgbouncer_stats")
    lines = "".join(f'"{name}" "{PASSWORD}"\n' for name in users)
    Path("/etc/pgbouncer/userlist.txt").write_text(lines, encoding="utf-8")
    config = Path("/etc/pgbouncer/pgbouncer.ini")
    shutil.copy(emitted / "pgbouncer.ini", config)
    for path in (config.parent, *config.parent.iterdir()):
        shutil.chown(path, service_user())
    with ExitStack() as stack:
        for number in range(count):
            command = [program("pgbouncer"), str(config)]
            log = home / f"pgbouncer-{number}.log"
            stack.enter_context(running(command, lambda: reached(POOLS[0], 6432), log, user=service_user()))
        yield


@contextmanager
def application(home: Path, deploy: Path, pod: Pod, environment: Mapping[str, str], address: str) -> Iterator[None]:
    """Run a pod of the application."""
    modules = (PARTS, deploy / "database", deploy / "monitoring", deploy / "cluster")
    own = {"LOADTEST_PASSWORD": PASSWORD, "PYTHONPATH": os.pathsep.join(map(str, modules))}
    (port,) = [str(port["containerPort"]) for port in pod.spec["ports"]]
    command = [sys.executable, "-m", "uvicorn", "application:app", "--host", address, "--port", port, "--loop",
               "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]  # fmt: skip
    log = home / f"{pod.name}.log"
    with running(command, lambda: reached(address, int(port)), log, env={**environment, **own}, cwd=home):
        yield


@contextmanager
def nginx(home: Path, emitted: Path) -> Iterator[None]:
    """Run nginx with the emitted file."""
    command = [nginx_program(), "-c", str(emitted / "nginx.conf"), "-g", "daemon off;"]
    with running(command, lambda: reached(PROXY, 8080), home / "nginx.log"):
        yield


@contextmanager
def prometheus(home: Path, emitted: Path, nodes: int) -> Iterator[None]:
    """Run Prometheus with the emitted rules, and the emitted jobs with their pods given and not discovered."""
    from monitoring_files import undiscovered

    own = home / "prometheus"
    shutil.copytree(emitted, own)
    document = undiscovered(yaml.safe_load((emitted / "prometheus.yml").read_text(encoding="utf-8")))
    targets = {
        f"{APPLICATION}-api": [(f"{APPLICATION}-api-{n}", address) for n, address in enumerate(PODS, 1)],
        f"{APPLICATION}-websocket": [(f"ws-node-{n}", f"127.0.1.{n}") for n in range(1, nodes + 1)],
    }
    for job in document["scrape_configs"]:
        job["relabel_configs"] = []
        job["static_configs"] = [
            {"targets": [f"{address}:8000"], "labels": {"pod": name, "namespace": APPLICATION, "node": "walk"}}
            for name, address in targets.get(job["job_name"], [])
        ]
    document.pop("alerting", None)
    (own / "prometheus.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    command = [program("prometheus"), f"--config.file={own / 'prometheus.yml'}", f"--storage.tsdb.path={own / 'data'}",
               "--web.listen-address=127.0.0.1:9090"]  # fmt: skip
    with running(command, lambda: reached("127.0.0.1", 9090), home / "prometheus.log"):
        yield


def queried(expression: str) -> list[dict[str, Any]]:
    """Return what Prometheus answers to a query now."""
    url = f"http://127.0.0.1:9090/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


# ------------------------------------------------------------------------------------------------------------ the walk


def walk(home: Path) -> None:
    """Take every step. Raises AssertionError where something is not as it should be."""
    found = read(str(SCENARIO))
    made = plan(found.scenario, found.book, found.origins)
    deploy = home / "deploy"
    command = [sys.executable, "-m", "cascade_plan", "emit-all", str(SCENARIO), "-o", str(deploy)]
    subprocess.run(command, check=True, capture_output=True)
    emitted = emitting.everything(made).files
    files = {file.path: file.text for file in emitted}
    assert all((deploy / path).read_text(encoding="utf-8") == text for path, text in files.items())
    kept = passwords(made)
    environment = with_stand_ins(home, dict(told(kept))) | GIVEN
    steps, sockets = emitting.steps(emitted), pods(files, "StatefulSet", "ws-node")
    with ExitStack() as stack:
        stack.enter_context(serving(NAMES, 53, addresses))
        stack.enter_context(postgres(home, deploy / "database" / "postgresql.conf"))
        servers = [each for zone in "12" for each in pods(files, "StatefulSet", f"redis-{zone}")]
        for server in servers:
            own = environment_of(files, server, kept)
            stack.enter_context(redis(home, deploy / "cluster", server, own))
        environment["ADMIN_PASSWORD"] = PASSWORD  # of the server's pod, in which `kubectl exec` runs a step
        say(f"PostgreSQL and {len(servers)} Redis servers run; before the application:")
        (starts,) = (number for number, step in enumerate(steps) if step.words.startswith("Run everything"))
        for step in steps[:starts]:
            take(step, deploy, environment)
        stack.enter_context(pools(home, deploy / "database", int(made.figure("pool.process_count"))))
        for api, address in zip(pods(files, "Deployment", f"{APPLICATION}-api"), PODS, strict=True):
            stack.enter_context(application(home, deploy, api, environment_of(files, api, kept), address))
        for node in sockets:
            (address,) = addresses(f"{node.name}.ws-node.{INSIDE}")
            stack.enter_context(application(home, deploy, node, environment_of(files, node, kept), address))
        stack.enter_context(nginx(home, deploy / "cluster"))
        stack.enter_context(prometheus(home, deploy / "monitoring", len(sockets)))
        say(f"PgBouncer, {len(PODS)} API pods, {len(sockets)} WebSocket nodes, nginx and Prometheus run; then:")
        for step in steps[starts:]:
            take(step, deploy, environment)
        check_rules()


def passwords(made: Plan) -> dict[str, dict[str, str]]:
    """Return what Secrets Manager would hold, by the secrets' names."""
    all_of_it = (*secrets(made), *(admin_secret(made, database) for database in databases(made)))
    return {
        secret.name: {
            key(user): text
            for user, name in secret.users.items()
            for key, text in ((secret.username_key, name), (secret.password_key, PASSWORD))
        }
        for secret in all_of_it
    }


def told(kept: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (command, what it prints) of Terraform and Secrets Manager."""
    for name, text in OUTPUTS.items():
        for place in ("infra", "../../../infra"):
            yield f"terraform -chdir={place} output -raw {name}", text
    for name, secret in kept.items():
        asked = f"--region us-east-1 --secret-id {name} --query SecretString --output text"
        yield f"aws secretsmanager get-secret-value {asked}", json.dumps(secret)


def check_rules() -> None:
    """See that the rules recorded what the load test did, and that nothing but the watchdog is firing."""
    wait_until(lambda: bool(queried(f"namespace:{APPLICATION}_requests:rate5m")), "the recorded rate of requests", 30)
    ((recorded),) = queried(f"namespace:{APPLICATION}_requests:rate5m")
    assert float(recorded["value"][1]) > 1, recorded
    firing = sorted({each["metric"]["alertname"] for each in queried('ALERTS{alertstate="firing"}')})
    say(f"  ✓ Prometheus records {float(recorded['value'][1]):.1f} requests/s; alerts that fire: {', '.join(firing)}")


def main() -> int:
    """Walk, in a place of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the emitted files and all logs there")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if os.geteuid():
        parser.error("it makes a network of its own: run it as root")
    if not arguments.inside:
        return apart(sys.argv[1:])
    raise_loopback()
    with tempfile.TemporaryDirectory(prefix="walk-through-") as directory:
        home = arguments.keep or Path(directory)
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        with_files_of_its_own(home)
        try:
            walk(home)
        except AssertionError as error:
            say(f"  ✗ {error}")
            return 1
        except (pytest.skip.Exception, pytest.fail.Exception) as error:
            say(f"  ✗ {error}")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
