"""Schemas of custom resources as their makers publish them, where somebody keeps them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

SCHEMAS = Path(os.environ.get("CASCADE_PLAN_CRD_SCHEMAS") or Path(__file__).resolve().parents[2] / "shared/crd_schemas")
"""eksctl's own JSON Schema, KEDA's list of scalers, and the CustomResourceDefinitions of KEDA and Karpenter."""
needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason="no schemas beside the checkout or named")


CUSTOM = ("keda.sh/", "external-secrets.io/", "elbv2.k8s.aws/")
"""The groups of what Kubernetes itself has no schema of."""


def is_custom(resource: dict[str, Any]) -> bool:
    """Return whether others than Kubernetes define what an object is."""
    return str(resource["apiVersion"]).startswith(CUSTOM)


def document(name: str) -> Any:
    """Return a schema that is JSON."""
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))


def custom_resource(kind: str) -> dict[str, Any]:
    """Return the schema of a kind, with unknown fields refused as the API server's strict mode does."""
    for path in SCHEMAS.glob("*.yaml"):
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        if definition["spec"]["names"]["kind"] == kind:
            *_, version = (each for each in definition["spec"]["versions"] if each["served"])
            schema: dict[str, Any] = closed(version["schema"]["openAPIV3Schema"])
            return schema
    raise AssertionError(f"no definition of {kind} in {SCHEMAS}")


def closed(schema: Any) -> Any:
    """Return a schema in which objects with known properties have no others."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(item) for key, item in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and "metadata" not in schema:
        made.setdefault("additionalProperties", False)
    return made
