"""For another cloud than AWS nobody writes AWS's files, and everybody says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

Run = Callable[..., tuple[int, str, str]]
AWS = re.compile(r"\b(aws|eks|eksctl|rds|elasticache|sqs|ec2|karpenter|cloudformation)\b|aws_|amazon", re.IGNORECASE)
CITED = re.compile(r"https?://\S+|^[#;].*$|^--.*$", re.MULTILINE)
"""What cites AWS's manuals, and comments."""


def written(directory: str = "out") -> dict[str, str]:
    root = Path(directory)
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in files}


def test_a_directory_of_everything_has_nothing_of_aws(cascade: Run, harbour: Path) -> None:
    status, out, err = cascade("emit-all", str(harbour), "-o", "out")
    assert (status, out) == (0, "")
    files = written()
    assert {path.partition("/")[0] for path in files} >= {"k8s", "database", "loadtest"}
    assert not [path for path in files if path.startswith(("infra/", "cluster/"))]
    assert not [path for path, text in files.items() if path != "README.md" and AWS.search(CITED.sub("", text))]
    said = [line.removeprefix("not emitted: ") for line in err.splitlines() if line.startswith("not emitted: ")]
    assert "infra, the files of terraform: written for aws, not for harbour" in said
    assert "cluster, the files of eks: written for aws, not for harbour" in said
    # What these would have made is not passed over in silence.
    assert {"api nodes: no file here makes it", "database primary: no file here makes it"} <= {*said}
    assert all(f"- {line}\n" in files["README.md"] for line in said)


@pytest.mark.parametrize("command", ["emit-infra", "emit-cluster"])
def test_a_command_for_aws_alone_is_refused_in_words(cascade: Run, harbour: Path, command: str) -> None:
    status, out, err = cascade(command, str(harbour))
    assert (status, out) == (2, "")
    assert f"error: {command} writes for aws alone, and this scenario is on harbour\n" in err


def test_objects_of_kubernetes_are_the_same_everywhere(cascade: Run, harbour: Path) -> None:
    status, out, err = cascade("emit-k8s", str(harbour), "--with", "deployment")
    assert (status, "not emitted" in err) == (0, False)
    assert [each["kind"] for each in yaml.safe_load_all(out)] == ["Deployment", "HorizontalPodAutoscaler"]
