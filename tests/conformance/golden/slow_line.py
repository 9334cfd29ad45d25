"""A TCP line that takes its time: each piece arrives up to some milliseconds late, never out of order."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

PIECE = 16 * 1024  # bytes read at once: the largest frame of HTTP/2 as gRPC sends it


@contextlib.asynccontextmanager
async def slow_line(address: str, delay: float) -> AsyncIterator[str]:
    """An address that leads to another one, with up to `delay` seconds on every piece in either direction."""
    host, _, port = address.rpartition(":")
    lines: set[asyncio.Task[None]] = set()

    async def carry_both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        lines.add(line)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            async with asyncio.TaskGroup() as both:
                both.create_task(_carry(reader, far_writer, delay))
                both.create_task(_carry(far_reader, writer, delay))
        lines.discard(line)

    server = await asyncio.start_server(carry_both_ways, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what is read until the end, which is passed on too."""
    now = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while (due_piece := await under_way.get())[1]:
            due, piece = due_piece
            await asyncio.sleep(due - now())
            writer.write(piece)
            await writer.drain()

    with contextlib.suppress(OSError):
        async with asyncio.TaskGroup() as group:
            group.create_task(deliver())
            piece = b"?"
            while piece:
                piece = await reader.read(PIECE)
                under_way.put_nowait((now() + random.uniform(0, delay), piece))
    writer.close()
