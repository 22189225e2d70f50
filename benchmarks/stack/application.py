"""The API of the CASCADE case study, as small as it can be and still do the plan's three actions on a real stack.

Run by uvicorn with the emitted metrics.py in its path. Environment: DATABASE and CACHE are URLs, HIT_RATIO the share of
reads that the cache answers (by draw, so that every user's reads are alike), WORK how many JSON documents a request
goes through beside what it needs, as an application with templates and an object mapper does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import time
from collections.abc import AsyncIterator, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import metrics
import redis.asyncio as redis
from fastapi import Depends, FastAPI, File, Form, Header, HTTPException, UploadFile
from pydantic import BaseModel

SECRET = b"of no value"
WORK = int(os.environ["WORK"])
DOCUMENT = [
    {"id": k, "name": f"room {k}", "last": "m" * 180, "at": k / 7, "tags": ["a", "b", str(k)]} for k in range(20)
]
ROOMS = """
    SELECT w.id, w.name, m.members, l.content, l.created_at
    FROM workroom_members x JOIN workrooms w ON w.id = x.workroom_id
    LEFT JOIN LATERAL (SELECT count(*) AS members FROM workroom_members y WHERE y.workroom_id = w.id) m ON true
    LEFT JOIN LATERAL (SELECT g.content, g.created_at FROM messages g WHERE g.workroom_id = w.id
                       ORDER BY g.created_at DESC LIMIT 1) l ON true
    WHERE x.user_id = $1 AND x.tenant_id = $2 ORDER BY w.id"""
PROFILE = """
    SELECT u.id, u.email, us.settings FROM users u LEFT JOIN LATERAL (
        SELECT coalesce(json_agg(s.settings), '[]'::json) AS settings FROM user_settings s
        WHERE s.tenant_id = u.tenant_id AND s.user_id = u.id) us ON true
    WHERE u.tenant_id = $2 AND u.id = $1"""
MEMBER = "SELECT 1 FROM workroom_members WHERE user_id = $1 AND workroom_id = $3 AND tenant_id = $2"
MESSAGE = "INSERT INTO messages (tenant_id, workroom_id, user_id, content) VALUES ($1, $2, $3, $4) RETURNING id"
RESOURCE = (
    "INSERT INTO resources (tenant_id, workroom_id, name, sha256, bytes) VALUES ($1, $2, $3, $4, $5) RETURNING id"
)
ACCOUNT = "SELECT id FROM users WHERE email = $1"
TENANTS_OF = "SELECT * FROM tenants_of_login($1)"


class Control:
    """What a measurement changes and reads while the application runs."""

    hit_ratio = float(os.environ["HIT_RATIO"])
    is_recording = False
    bursts_ns: list[list[int]]


Control.bursts_ns = []
monitor = metrics.PerformanceMonitor()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Keep the connections while the application runs. Before PgBouncer 1.21 statements cannot be kept."""
    connections = int(os.environ["CONNECTIONS"])
    async with asyncpg.create_pool(
        os.environ["DATABASE"], min_size=2, max_size=connections, statement_cache_size=0, ssl=False
    ) as pool:
        app.state.pool, app.state.cache = pool, redis.Redis.from_url(os.environ["CACHE"])
        yield
        await app.state.cache.aclose()


app = FastAPI(lifespan=lifespan, openapi_url=None)


class Login(BaseModel):
    """Who logs in."""

    email: str
    password: str


class Message(BaseModel):
    """What is posted to a room."""

    content: str


class Room(BaseModel):
    """A room with its last message."""

    id: int
    name: str
    members: int
    last: str | None
    at: float | None


class Rooms(BaseModel):
    """A user's rooms."""

    user: str
    settings: list[Any]
    rooms: list[Room]


class Caller(BaseModel):
    """Who asks."""

    user: int
    tenant: str


def work() -> None:
    """Spend CPU time."""
    for _ in range(WORK):
        json.loads(json.dumps(DOCUMENT))


def signed(text: str) -> str:
    """Return the signature of a token's text."""
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


async def caller(authorization: Annotated[str, Header()], x_tenant_id: Annotated[str, Header()]) -> Caller:
    """Return who asks: the token names user and tenant, and is signed."""
    user, tenant, signature = authorization.removeprefix("Bearer ").split(".")
    if not hmac.compare_digest(signature, signed(f"{user}.{tenant}")) or tenant != x_tenant_id:
        raise HTTPException(401)
    metrics.tenant.set(tenant)
    return Caller(user=int(user), tenant=tenant)


Known = Annotated[Caller, Depends(caller)]


@asynccontextmanager
async def transaction(tenant: str) -> AsyncIterator[Any]:
    """Open a transaction that sees the rows of one tenant, as the emitted tenancy.sql asks."""
    async with app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
        yield connection


async def read(key: str, kind: str, who: Caller, query: str, *more: Any) -> list[Any]:
    """Return the rows of a read: from the cache in `hit_ratio` of the cases, else from the database."""
    found = await app.state.cache.get(key)
    is_hit = found is not None and random.random() < Control.hit_ratio
    monitor.cache_lookup(hit=is_hit)
    if is_hit:
        return json.loads(found)
    with monitor.query(kind):
        async with transaction(who.tenant) as connection:
            rows = [dict(row) for row in await connection.fetch(query, who.user, who.tenant, *more)]
    text = json.dumps(rows, default=lambda value: value.timestamp())
    await app.state.cache.set(key, text, ex=3600)
    return json.loads(text)


async def check_member(who: Caller, room: int, kind: str) -> None:
    """Refuse who is no member of a room."""
    if not await read(f"member:{who.user}:{room}", kind, who, MEMBER, room):
        raise HTTPException(403)


@app.post("/api/v1/auth/login")
async def login(body: Login) -> dict[str, str]:
    """Return a token for an address; every password is right."""
    async with app.state.pool.acquire() as connection:
        tenant = await connection.fetchval(TENANTS_OF, body.email)
    if tenant is None:
        raise HTTPException(401)
    async with transaction(tenant) as connection:
        user = await connection.fetchval(ACCOUNT, body.email)
    text = f"{user}.{tenant}"
    return {"token": f"{text}.{signed(text)}"}


@app.get("/api/v1/workrooms")
async def list_workrooms(who: Known) -> Rooms:
    """Return the caller's rooms, each with its last message: two reads."""
    rooms = await read(f"rooms:{who.user}", "list_workrooms_read", who, ROOMS)
    (profile,) = await read(f"profile:{who.user}", "list_workrooms_read", who, PROFILE)
    work()
    return Rooms(
        user=profile["email"],
        settings=json.loads(profile["settings"]),
        rooms=[
            Room(id=each["id"], name=each["name"], members=each["members"], last=each["content"], at=each["created_at"])
            for each in rooms
        ],
    )


@app.post("/api/v1/workrooms/{workroom_id}/messages", status_code=201)
async def create_message(workroom_id: int, body: Message, who: Known) -> dict[str, int]:
    """Post a message: a read, a write, and a publication."""
    await check_member(who, workroom_id, "create_message_read")
    with monitor.query("create_message_write"):
        async with transaction(who.tenant) as connection:
            row = await connection.fetchrow(MESSAGE, who.tenant, workroom_id, who.user, body.content)
    work()
    event = json.dumps({"id": row["id"], "room": workroom_id, "user": who.user, "content": body.content})
    await app.state.cache.publish(f"workroom:{workroom_id}:updates", event)
    return {"id": row["id"]}


@app.post("/api/v1/resources", status_code=201)
async def upload_resource(
    workroom_id: Annotated[int, Form()], file: Annotated[UploadFile, File()], who: Known
) -> dict[str, str]:
    """Take a file: a read, a write, and a digest of its 100 kB, which are not kept."""
    await check_member(who, workroom_id, "upload_resource_read")
    content = await file.read()
    digest = hashlib.sha256(content).hexdigest()
    work()
    with monitor.query("upload_resource_write"):
        async with transaction(who.tenant) as connection:
            await connection.fetchrow(RESOURCE, who.tenant, workroom_id, file.filename, digest, len(content))
    return {"sha256": digest}


@app.put("/control")
async def control(hit_ratio: float, is_recording: bool) -> list[list[int]]:
    """Set the hit ratio and whether CPU time is recorded; return what was recorded since: ns by burst, by request."""
    found, Control.bursts_ns = Control.bursts_ns, []
    Control.hit_ratio, Control.is_recording = hit_ratio, is_recording
    return found


class Timed:
    """Count every request for the metrics; when recording, what CPU time it takes between its awaits."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            return await self.inner(scope, receive, send)
        status, start_s = 500, time.perf_counter()

        async def sent(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        answer = self.inner(scope, receive, sent)
        try:
            await (Stepped(answer) if Control.is_recording else answer)
        finally:
            # The router has put there which function answers.
            action = getattr(scope.get("endpoint"), "__name__", "")
            monitor.request(time.perf_counter() - start_s, ok=status < 500, action=action)


class Stepped:
    """A coroutine that is driven by hand, so that its thread's CPU time is read at each of its awaits."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.coroutine = coroutine
        self.bursts_ns: list[int] = []

    def __await__(self) -> Generator[Any, Any, None]:
        """Run the coroutine to its end, and keep its bursts."""
        try:
            while True:
                began_ns = time.thread_time_ns()
                try:
                    awaited = self.coroutine.send(None)
                except StopIteration:
                    return
                finally:
                    self.bursts_ns.append(time.thread_time_ns() - began_ns)
                yield awaited
        finally:
            Control.bursts_ns.append(self.bursts_ns)


app.add_middleware(Timed)
