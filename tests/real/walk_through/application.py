"""An application as the emitted files expect one: it answers requests, holds connections, and counts what it does.

It uses the emitted modules as they are: `prepared_statements` for the database, `metrics` for Prometheus, and
`connection_state` for the cache. Its environment has the names that the emitted Deployments give it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import metrics
import prepared_statements as statements
from connection_state import ConnectionState, Messages, room_channel
from fastapi import Depends, FastAPI, File, Form, Header, HTTPException, Response, UploadFile, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from redis.asyncio.cluster import RedisCluster

SECRET = os.environ["LOADTEST_PASSWORD"].encode()
"""Signs the tokens, and is every test account's password."""
CARDS = "SELECT id, text FROM cards WHERE board_id = %s ORDER BY id DESC LIMIT 20"
NEW_CARD = "INSERT INTO cards (tenant_id, board_id, text) VALUES (%s, %s, %s) RETURNING id"
NEW_FILE = "INSERT INTO files (tenant_id, board_id, name, sha256) VALUES (%s, %s, %s, %s) RETURNING id"
BOARDS = "SELECT id FROM boards"

monitor = metrics.PerformanceMonitor()


class Credentials(BaseModel):
    """Who logs in."""

    name: str
    password: str


class Content(BaseModel):
    """What is put on a card."""

    content: str


def signed(text: str) -> str:
    """Return the signature of a token's text."""
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def tenant_of(authorization: Annotated[str, Header()], x_tenant_id: Annotated[str, Header()]) -> str:
    """Return the tenant of who asks: the token names it, and is signed."""
    tenant, _, signature = authorization.removeprefix("Bearer ").partition(".")
    if not hmac.compare_digest(signature, signed(tenant)) or tenant != x_tenant_id:
        raise HTTPException(401)
    metrics.tenant.set(tenant)
    return tenant


Tenant = Annotated[str, Depends(tenant_of)]
