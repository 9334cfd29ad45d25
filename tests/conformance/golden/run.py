"""Scenarios spoken side by side, on a loop in a thread of its own; their reports come one by one."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from tests.conformance.golden.conversation import Conversation
from tests.conformance.golden.scenarios import Scenario, Step
from tests.conformance.golden.slow_line import slow_line
from tests.conformance.golden.templates import Mismatch

LINES = 40  # how long a report may be

Report = str  # what differs, for people; empty when nothing does
Reports = dict[str, Future[Report]]  # by the scenario's name; asking for one waits for it


@contextlib.contextmanager
def spoken(
    scenarios: Sequence[Scenario], address: str, *, jobs: int = 8, delay: float = 0.0
) -> Iterator[Reports]:
    """Speak scenarios to a server, so many at a time, over a line that is late by up to `delay` seconds."""
    reports: Reports = {scenario.name: Future() for scenario in scenarios}
    with _under_way(_speak_all(scenarios, address, reports, jobs=jobs, delay=delay), reports):
        yield reports


@contextlib.contextmanager
def spoken_around_restart(
    scenarios: Sequence[Scenario], address: str, restart: Callable[[], None]
) -> Iterator[Reports]:
    """Speak restart scenarios to a server, all at once; they share one restart, which keeps the address."""
    reports: Reports = {scenario.name: Future() for scenario in scenarios}
    with _under_way(_speak_around(scenarios, address, reports, restart), reports):
        yield reports


class _Talk:
    """A scenario and the conversation that speaks it, until its report is there."""

    def __init__(self, scenario: Scenario, address: str, report: Future[Report]) -> None:
        self.scenario = scenario
        self._conversation = Conversation(address)
        self._report = report

    async def speak(self, steps: Sequence[Step], *, first: int = 0) -> None:
        await self._attempt(self._conversation.speak(steps, first=first))

    async def reconnect(self) -> None:
        await self._conversation.close()

    async def end(self) -> None:
        await self._attempt(self._conversation.finish(self.scenario.linger))
        await self._conversation.close()
        if not self._report.done():
            self._report.set_result("")

    async def _attempt(self, part: Coroutine[Any, Any, None]) -> None:
        """Carry out a part of it, unless an earlier one failed; a failure is the report."""
        if self._report.done():
            part.close()
            return
        try:
            await part
        except Mismatch as problem:
            self._report.set_result(_text(self.scenario, problem))
        except Exception as error:  # noqa: BLE001  (the scenario or this runner is broken: the test shows it)
            self._report.set_exception(error)


def _text(scenario: Scenario, problem: Mismatch) -> Report:
    lines = [f"{scenario.name}: {scenario.about}", *"\n".join(problem.lines()).splitlines()]
    return "\n".join(lines[:LINES] + [f"... and {len(lines) - LINES} more lines"] * (len(lines) > LINES))


async def _speak_all(
    scenarios: Sequence[Scenario], address: str, reports: Reports, *, jobs: int, delay: float
) -> None:
    seats = asyncio.Semaphore(jobs)

    async def speak(scenario: Scenario, line: str) -> None:
        async with seats:
            talk = _Talk(scenario, line, reports[scenario.name])
            await talk.speak(scenario.steps)
            await talk.end()

    async with slow_line(address, delay) if delay else contextlib.nullcontext(address) as line:
        await asyncio.gather(*(speak(scenario, line) for scenario in scenarios))


async def _speak_around(
    scenarios: Sequence[Scenario], address: str, reports: Reports, restart: Callable[[], None]
) -> None:
    talks = [_Talk(scenario, address, reports[scenario.name]) for scenario in scenarios]

    async def go_on(talk: _Talk) -> None:
        await talk.reconnect()
        await talk.speak(talk.scenario.after_restart, first=len(talk.scenario.before_restart) + 1)
        await talk.end()

    await asyncio.gather(*(talk.speak(talk.scenario.before_restart) for talk in talks))
    await asyncio.to_thread(restart)  # what is open stays open until the server goes
    await asyncio.gather(*map(go_on, talks))


@contextlib.contextmanager
def _under_way(work: Coroutine[Any, Any, None], reports: Reports) -> Iterator[None]:
    """Run it in a thread while the block lasts; when it ends early, those who wait for reports learn why."""

    async def worked() -> None:
        try:
            await work
        except BaseException as error:
            for report in reports.values():
                if not report.done():
                    report.set_exception(error)
            raise

    with _loop_in_thread() as loop:
        working = asyncio.run_coroutine_threadsafe(worked(), loop)
        try:
            yield
        finally:
            working.cancel()


@contextlib.contextmanager
def _loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="golden", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
