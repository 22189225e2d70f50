"""An application as the emitted files expect one: it answers requests, holds connections, and counts what it does.

It uses the emitted modules as they are: `prepared_statements` for the database, `metrics` for Prometheus, and
`connection_state` for the cache. Its environment has the names that the emitted Deployments give it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

import metrics
import prepared_statements as database
from connection_state import ConnectionState, Masters, Messages, room_channel
from fastapi import Depends, FastAPI, File, Form, Header, HTTPException, Response, UploadFile, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.websockets import WebSocketDisconnect

SECRET = os.environ["LOADTEST_PASSWORD"].encode()
"""Signs the tokens, and is every test account's password."""
TENANT = "SELECT * FROM public.tenants_of_login(%s)"
BOARD = "SELECT board_id FROM users WHERE email = %s"
CARDS = "SELECT id, content FROM cards WHERE board_id = %s ORDER BY id DESC LIMIT 20"
NEW_CARD = "INSERT INTO cards (tenant_id, board_id, content) VALUES (%s, %s, %s) RETURNING id"
NEW_FILE = "INSERT INTO files (tenant_id, board_id, name, sha256) VALUES (%s, %s, %s, %s) RETURNING id"

monitor = metrics.PerformanceMonitor()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Hold the database's connections and the cache's while the application runs, and deliver messages."""
    async with Masters() as masters, Messages(masters) as messages, AsyncExitStack() as stack:
        app.state.connections, app.state.messages = ConnectionState(masters, os.environ["HOSTNAME"]), messages
        if "DATABASE_HOST" in os.environ:
            app.state.pool = await stack.enter_async_context(database.async_connected(conninfo(), 10))
        yield


def conninfo() -> str:
    """Return where the database is and who asks, as libpq reads it. Nodes that hold connections need none."""
    env = os.environ
    address = f"host={env['DATABASE_HOST']} port={env['DATABASE_PORT']} dbname={env['DATABASE_NAME']}"
    return f"{address} user={env['DATABASE_USER']} password={env['DATABASE_PASSWORD']}"


app = FastAPI(lifespan=lifespan, openapi_url=None)


class Credentials(BaseModel):
    """Who logs in."""

    email: str
    password: str


class Content(BaseModel):
    """What is put on a card."""

    content: str


class Caller(BaseModel):
    """Who asks."""

    tenant: str
    board: int


def signed(text: str) -> str:
    """Return the signature of a token's text."""
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def caller(authorization: Annotated[str, Header()], x_tenant_id: Annotated[str, Header()]) -> Caller:
    """Return who asks: the token names tenant and board, and is signed."""
    text, _, signature = authorization.removeprefix("Bearer ").rpartition(".")
    tenant, _, board = text.partition(".")
    if not hmac.compare_digest(signature, signed(text)) or tenant != x_tenant_id:
        raise HTTPException(401)
    metrics.tenant.set(tenant)
    return Caller(tenant=tenant, board=int(board))


Known = Annotated[Caller, Depends(caller)]


async def asked(kind: str, tenant: str, query: str, *values: Any) -> list[Any]:
    """Return the rows of a query, in a transaction of a tenant."""
    with monitor.query(kind):
        async with app.state.pool.connection() as connection, database.async_tenant(connection, tenant) as cursor:
            await cursor.execute(query, values)
            return list(await cursor.fetchall())


@app.post("/login")
async def login(body: Credentials) -> dict[str, str]:
    """Return a token: the tenant is looked up first, for without one no row is seen."""
    if body.password.encode() != SECRET:
        raise HTTPException(401)
    async with app.state.pool.connection() as connection:
        found = await (await connection.execute(TENANT, (body.email,))).fetchall()
    if not found:
        raise HTTPException(401)
    ((tenant,),) = found
    ((board,),) = await asked("other", tenant, BOARD, body.email)
    text = f"{tenant}.{board}"
    return {"token": f"{text}.{signed(text)}"}


@app.get("/boards/{board_id}/cards")
async def list_cards(board_id: int, who: Known) -> list[dict[str, Any]]:
    """Return a board's last cards."""
    cards = await asked("list_cards_read", who.tenant, CARDS, board_id)
    return [{"id": card, "content": content} for card, content in cards]


@app.post("/boards/{board_id}/cards", status_code=201)
async def add_card(board_id: int, body: Content, who: Known) -> dict[str, int]:
    """Put a card on a board, and tell those who look at it."""
    ((card,),) = await asked("add_card_write", who.tenant, NEW_CARD, who.tenant, board_id, body.content)
    event = json.dumps({"id": card, "content": body.content}).encode()
    await app.state.messages.publish(room_channel(str(board_id)), event)
    return {"id": card}


@app.post("/files", status_code=201)
async def attach_file(
    board_id: Annotated[int, Form()], file: Annotated[UploadFile, File()], who: Known
) -> dict[str, str]:
    """Note a file and what it holds."""
    digest = hashlib.sha256(await file.read()).hexdigest()
    await asked("attach_file_write", who.tenant, NEW_FILE, who.tenant, board_id, file.filename, digest)
    return {"sha256": digest}


@app.websocket("/ws")
async def hold(socket: WebSocket) -> None:
    """Keep a connection open, known to all nodes, and deliver what is put on its board."""
    try:
        who = caller(socket.headers["authorization"], socket.headers["x-tenant-id"])
    except (HTTPException, KeyError):
        await socket.close(1008)
        return
    await socket.accept()
    me, channel = f"{os.environ['HOSTNAME']}-{id(socket)}", room_channel(str(who.board))
    await app.state.messages.join(channel, me, socket.send_bytes, socket.close)
    await app.state.connections.keep(who.tenant, me)
    monitor.websocket_connections.labels(who.tenant).inc()
    try:
        while True:
            await socket.receive()
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        monitor.websocket_connections.labels(who.tenant).dec()
        app.state.messages.leave(channel, me)
        await app.state.connections.drop(who.tenant, me)


@app.get("/health/live")
@app.get("/health/ready")
async def healthy() -> dict[str, str]:
    """Say that it runs."""
    return {"status": "ok"}


@app.get("/metrics")
async def exposed() -> Response:
    """Return the metrics."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class Timed:
    """Count every request, by the function that answers it."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        status, start_s = 500, time.perf_counter()

        async def sent(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.inner(scope, receive, sent)
        finally:
            action = getattr(scope.get("endpoint"), "__name__", "")
            if action in metrics.ACTIONS:
                monitor.request(time.perf_counter() - start_s, ok=status < 500, action=action)


app.add_middleware(Timed)
