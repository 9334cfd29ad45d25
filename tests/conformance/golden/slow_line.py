"""A TCP line that takes its time: each piece arrives up to some milliseconds late, never out of order."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

PIECE = 16 * 1024  # bytes read at once: the largest frame of HTTP/2 as gRPC sends it

Piece = tuple[float, bytes]  # when it is due, on the loop's clock; no bytes mean the end


@contextlib.asynccontextmanager
async def slow_line(address: str, delay: float) -> AsyncIterator[str]:
    """An address that leads to another one, with up to `delay` seconds on every piece in either direction."""
    host, _, port = address.rpartition(":")
    lines: set[asyncio.Task[None] | None] = set()

    async def carry_both_ways(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(asyncio.current_task())
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_carry(reader, far_writer, delay))
                both.create_task(_carry(far_reader, writer, delay))
        except* OSError:
            pass  # one end has gone: so does the other
        finally:
            await _close(writer, far_writer)

    server = await asyncio.start_server(carry_both_ways, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    under_way: asyncio.Queue[Piece] = asyncio.Queue()
    await asyncio.gather(_deliver(under_way, writer), _take_in(reader, under_way, delay))


async def _take_in(reader: asyncio.StreamReader, under_way: asyncio.Queue[Piece], delay: float) -> None:
    piece = b"?"
    while piece:
        piece = await reader.read(PIECE)
        under_way.put_nowait((_now() + random.uniform(0, delay), piece))


async def _deliver(under_way: asyncio.Queue[Piece], writer: asyncio.StreamWriter) -> None:
    while True:
        due, piece = await under_way.get()
        await asyncio.sleep(due - _now())
        if not piece:
            break
        writer.write(piece)
        await writer.drain()
    writer.write_eof()  # the other direction may go on


async def _close(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _now() -> float:
    return asyncio.get_running_loop().time()
