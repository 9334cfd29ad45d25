"""One scenario spoken to one server: what each step does and what it demands."""

import asyncio
import secrets

import grpc

from kubemq_nb._wire.methods import METHODS as SHAPES
from tests.conformance.golden.clients import Outcome, Status, Stream, connect, unary
from tests.conformance.golden.matchers import differences, set_differences, shown
from tests.conformance.golden.scenarios import Step, described, kind_of
from tests.conformance.golden.schema import Plain
from tests.conformance.golden.templates import Mismatch, Variables

WITHIN = 10.0  # seconds for an answer, a message, an end
DEADLINE = 30.0  # seconds a unary call may take
SUBSCRIBED = 0.6  # seconds after which a subscription is taken to be in force
CANCELLED = 0.3  # seconds after which the server is taken to know of a cancellation
LOOK = 0.005  # seconds between two looks at several streams


class Conversation:
    """What one scenario has open: connections by the client's name, streams and calls by theirs."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._variables = Variables(secrets.token_hex(5))
        self._clients: dict[str, asyncio.Task[grpc.aio.Channel]] = {}
        self._streams: dict[str, Stream] = {}
        self._calls: dict[str, asyncio.Task[Outcome]] = {}

    async def speak(self, steps: list[Step], *, client: str = "main", first: int = 0) -> None:
        """Carry out steps, as this client where they name none.

        Raises:
            Mismatch: The server did otherwise than recorded; the step is in its notes.
        """
        for index, step in enumerate(steps, first):
            perform = getattr(self, f"_{kind_of(step)}")
            try:
                await perform({"client": client, **step})
            except Mismatch as problem:
                problem.add_note(f"step {index}: {described(step)}")
                raise

    async def finish(self, linger: float) -> None:
        """Leave a moment for what should not come, and demand that nothing came.

        Raises:
            Mismatch: Something did.
        """
        if self._streams:
            await asyncio.sleep(linger)
        for stream in self._streams.values():
            if rest := stream.unread():
                raise Mismatch(f"stream {stream.name} holds messages nobody expected", list(map(shown, rest)))

    async def close(self) -> None:
        """Drop everything; connections are made anew when there are more steps."""
        for call in self._calls.values():
            call.cancel()
        await asyncio.gather(*self._calls.values(), return_exceptions=True)
        for stream in self._streams.values():
            await stream.close()
        self._calls.clear()
        self._streams.clear()
        for client in list(self._clients):
            await self._drop(client)

    # --- connections

    async def _channel(self, client: str) -> grpc.aio.Channel:
        """A client's connection; those who ask for it meanwhile wait for the same one."""
        if client not in self._clients:
            self._clients[client] = asyncio.create_task(connect(self._address))
        return await asyncio.shield(self._clients[client])

    async def _drop(self, client: str) -> None:
        if client not in self._clients:
            return
        (channel,) = await asyncio.gather(self._clients.pop(client), return_exceptions=True)
        if isinstance(channel, grpc.aio.Channel):
            for stream in self._streams.values():
                if stream.channel is channel:
                    await stream.close()
            await channel.close()

    async def _disconnect(self, step: Step) -> None:
        await self._drop(step["disconnect"])
        await asyncio.sleep(step.get("settle", CANCELLED))

    # --- unary calls

    async def _unary(self, step: Step) -> Outcome:
        channel = await self._channel(step["client"])
        values = self._variables.fill(step.get("request", {}))
        return await unary(channel, step["call"], values, step.get("deadline", DEADLINE))

    async def _call(self, step: Step) -> None:
        self._check_outcome(step, await self._unary(step))

    async def _start(self, step: Step) -> None:
        self._calls[step["start"]] = asyncio.create_task(self._unary(step))
        await asyncio.sleep(step.get("settle", 0))

    async def _finish(self, step: Step) -> None:
        within = step.get("within", WITHIN)
        call = self._calls[step["finish"]]
        await asyncio.wait([call], timeout=within)
        if not call.done():
            raise Mismatch(f"call {step['finish']} has not been answered within {within} s")
        self._check_outcome(step, call.result())

    def _check_outcome(self, step: Step, outcome: Outcome) -> None:
        if "error" in step:
            found = self._status_differences(step["error"], outcome.status)
        elif outcome.answer is None:
            found = [f"expected an answer, got status {outcome.status.code}: {outcome.status.message}"]
        else:
            found = differences(step["expect"], outcome.answer, self._variables, "answer")
        found += self._time_differences(step, outcome.seconds)
        _demand_none("the answer differs", found)

    def _status_differences(self, expected: Plain, status: Status) -> list[str]:
        return differences(expected, status._asdict(), self._variables, "status")

    def _time_differences(self, step: Step, seconds: float) -> list[str]:
        if "took" not in step:
            return []
        return differences(step["took"], round(seconds, 3), self._variables, "seconds")

    # --- streams

    async def _open(self, step: Step) -> None:
        channel = await self._channel(step["client"])
        template = step.get("auto_reply")

        async def reply(message: Plain) -> None:
            outcome = await unary(channel, "SendResponse", self._variables.fill(template, message), DEADLINE)
            if outcome.answer is None:
                message["reply refused"] = outcome.status  # nobody expects this field

        values = self._variables.fill(step.get("request", {}))
        stream = Stream(step["open"], channel, step["rpc"], values, on_message=reply if template else None)
        self._streams[stream.name] = stream
        usual = 0 if SHAPES[step["rpc"]].client_streaming else SUBSCRIBED
        await asyncio.sleep(step.get("settle", usual))

    async def _send(self, step: Step) -> None:
        self._streams[step["send"]].send(self._variables.fill(step["message"]))

    async def _half_close(self, step: Step) -> None:
        self._streams[step["half_close"]].half_close()

    async def _cancel(self, step: Step) -> None:
        await self._streams[step["cancel"]].close()
        await asyncio.sleep(step.get("settle", CANCELLED))

    async def _recv(self, step: Step) -> None:
        streams = self._named(step["recv"])
        expected, within = step["messages"], step.get("within", WITHIN)
        began = _now()
        got = await self._receive(streams, len(expected), began + within)
        seconds = _now() - began
        messages = [message for _, message in got]
        if len(messages) < len(expected):
            sentence = f"expected {len(expected)} messages within {within} s, got {len(messages)}"
            raise Mismatch(sentence, [*map(shown, messages), *map(str, streams)])
        compare = set_differences if step.get("order") == "set" else differences
        found = list(compare(expected, messages, self._variables, "messages"))
        found += self._share_differences(step, [name for name, _ in got])
        _demand_none("the messages differ", found + self._time_differences(step, seconds))

    def _share_differences(self, step: Step, names: list[str]) -> list[str]:
        return [
            difference
            for name, expected in step.get("per_stream", {}).items()
            for difference in differences(expected, names.count(name), self._variables, f"messages on {name}")
        ]

    def _named(self, names: str | list[str]) -> list[Stream]:
        return [self._streams[name] for name in ([names] if isinstance(names, str) else names)]

    async def _receive(self, streams: list[Stream], count: int, until: float) -> list[tuple[str, Plain]]:
        """As many messages as asked for, each with its stream's name; fewer when time runs out or all end."""
        got: list[tuple[str, Plain]] = []
        while len(got) < count and _now() < until:
            arrived = [stream for stream in streams if stream.has_more][: count - len(got)]
            got += [(stream.name, stream.take()) for stream in arrived]
            if not arrived:
                if all(stream.status for stream in streams):
                    break
                await asyncio.sleep(LOOK)
        return got

    async def _silence(self, step: Step) -> None:
        until = _now() + step["for"]
        for stream in self._named(step["silence"]):
            if await stream.arrival(until):
                raise Mismatch(f"stream {stream.name} should stay silent", [shown(stream.take())])
            if stream.status and not step.get("may_end"):
                raise Mismatch("the stream should stay open and silent", [str(stream)])

    async def _end(self, step: Step) -> None:
        within = step.get("within", WITHIN)
        stream = self._streams[step["end"]]
        status = await stream.end(_now() + within)
        if status is None:
            raise Mismatch(f"stream {stream.name} did not end within {within} s")
        found = self._status_differences(step["status"], status) if "status" in step else []
        if "may_send" in step:
            choice = {"$oneof": step["may_send"]}
            for message in stream.unread():
                found += differences(choice, message, self._variables, "message before the end")
        _demand_none(f"the end of stream {stream.name} differs", found)

    # --- time and branches

    async def _sleep(self, step: Step) -> None:
        await asyncio.sleep(step["sleep"])

    async def _parallel(self, step: Step) -> None:
        branches = [self.speak(branch["steps"], client=branch["client"]) for branch in step["parallel"]]
        problems = [found for found in await asyncio.gather(*branches, return_exceptions=True) if found]
        for problem in problems:
            if not isinstance(problem, Mismatch):
                raise problem
        _demand_none(
            "branches side by side differ", [text for problem in problems for text in problem.lines()]
        )


def _now() -> float:
    return asyncio.get_running_loop().time()


def _demand_none(sentence: str, found: list[str]) -> None:
    if found:
        raise Mismatch(sentence, found)
