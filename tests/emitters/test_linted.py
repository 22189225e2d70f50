"""Linters find in emitted shell scripts, SQL and nginx.conf only what is meant, and why it is meant stands here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cascade_plan.emitters import directory as emitting
from cascade_plan.inputs.scenarios import read
from cascade_plan.planning.pipeline import plan

MEANT_IN_SHELL: Mapping[str, str] = {
    "SC2086": "HOSTS and what is asked of Redis are several words, and are split on purpose",
    "SC2154": "master is assigned by eval, from the numbered arguments",
}
MEANT_IN_SQL: Mapping[str, str] = {
    "ban-drop-constraint": "the constraints are those that the same file makes",
    "ban-drop-default": "rollback.sql takes away what tenancy.sql gave",
    "ban-drop-not-null": "rollback.sql takes away what tenancy.sql gave",
    "prefer-robust-stmts": "tenant_column.sql fills in batches, so it has no transaction; each statement may run twice",
}

MEANT_IN_NGINX: Mapping[str, str] = {
    "worker_rlimit_nofile_vs_connections": "worker_connections counts both ends of what is passed on already",
}


def emitted(ending: str) -> dict[str, str]:
    """Return path -> text of the files of the case study that runs its own cache, where all such files are."""
    found = read("cascade", (("--set", "emit.cache", "self"),))
    files = emitting.everything(plan(found.scenario, found.book, found.origins, predicted=False)).files
    return {file.path: file.text for file in files if file.path.endswith(ending)}


def reported(program: str, *arguments: str, texts: Mapping[str, str], directory: Path) -> str:
    """Return what a linter, installed beside Python, says of files."""
    for path, text in texts.items():
        (directory / path).parent.mkdir(exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).parent / program), *arguments, *texts]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_shellcheck_finds_only_what_is_meant(tmp_path: Path) -> None:
    texts = emitted(".sh")
    assert {"cluster/create-cluster.sh", "cluster/redis-users.sh", "loadtest/run.sh"} <= {*texts}
    found = json.loads(reported("shellcheck", "--format", "json", texts=texts, directory=tmp_path))
    assert {f"SC{each['code']}" for each in found} == {*MEANT_IN_SHELL}, found


def test_squawk_finds_only_what_is_meant(tmp_path: Path) -> None:
    texts = {path: text for path, text in emitted(".sql").items() if not path.endswith("queries.sql")}
    assert {Path(path).stem for path in texts} >= {"tenant_column", "indexes", "tenancy", "rollback"}
    found = json.loads(reported("squawk", "--reporter", "json", "--pg-version", "15", texts=texts, directory=tmp_path))
    assert {each["rule_name"] for each in found} == {*MEANT_IN_SQL}, found


def test_squawk_would_find_a_scan_under_a_lock(tmp_path: Path) -> None:
    """What tenancy.sql once did in one statement."""
    once = {
        "once.sql": "SET lock_timeout = 1;\nSET statement_timeout = 1;\nALTER TABLE a ALTER COLUMN b SET NOT NULL;\n"
    }
    found = json.loads(reported("squawk", "--reporter", "json", "--pg-version", "15", texts=once, directory=tmp_path))
    assert "adding-not-nullable-field" in {each["rule_name"] for each in found}, found


@pytest.mark.parametrize("balancer", ["alb", "nlb"])
def test_gixy_finds_only_what_is_meant_in_nginx(balancer: str, tmp_path: Path) -> None:
    sets = {"tiers.gateway.balancer": balancer, "tiers.websocket.allowed_origins": "[https://shop.example.com]"}
    found = read("cascade", tuple(("--set", key, value) for key, value in sets.items()))
    files = emitting.everything(plan(found.scenario, found.book, found.origins, predicted=False)).files
    (text,) = [file.text for file in files if file.path == "cluster/nginx.conf"]
    # Names that are looked up once, as they were: found.
    once = text.replace(" resolve;", ";")
    for meant, each in (({*MEANT_IN_NGINX}, text), ({*MEANT_IN_NGINX, "stale_dns_cache"}, once)):
        said = reported("gixy", "--format", "json", texts={"cluster/nginx.conf": each}, directory=tmp_path)
        assert {problem["plugin"] for problem in json.loads(said)} == meant, said
