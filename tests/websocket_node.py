"""A WebSocket node: says its name to whoever connects, then answers each message.

NAME PORT HEARTBEAT_S (0: none) [ADDRESS]
"""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, serve


async def main(name: str, port: int, heartbeat_s: float, address: str = "127.0.0.1") -> None:
    """Serve until the process ends."""

    async def greet(connection: ServerConnection) -> None:
        await connection.send(name)
        async for message in connection:
            await connection.send(message)

    async with serve(greet, address, port, ping_interval=heartbeat_s or None, ping_timeout=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:]))
