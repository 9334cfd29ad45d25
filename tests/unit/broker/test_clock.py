"""The clock of a broker on a machine that sleeps: the loop's time stands still then, the wall's goes on."""

import asyncio
import threading

from kubemq_nb.broker import server
from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.server import LOOK, LoopClock


class Loop:
    """A loop whose time is moved by hand."""

    def __init__(self):
        self.time = 0.0
        self.calls = []

    def call_later(self, delay, call):
        handle = Handle(self.time + delay, call)
        self.calls.append(handle)
        return handle

    def awake(self, seconds):
        """Let time go by while the machine is awake."""
        until = self.time + seconds
        while due := [call for call in self.calls if call.when <= until]:
            first = min(due, key=lambda call: call.when)
            self.calls.remove(first)
            self.time = first.when
            if not first.cancelled:
                first.call()
        self.time = until


class Handle:
    """A call to come."""

    def __init__(self, when, call):
        self.when, self.call, self.cancelled = when, call, False

    def cancel(self):
        self.cancelled = True


class Wall:
    """The time of the day, which goes on while the machine sleeps."""

    def __init__(self, loop):
        self.loop = loop
        self.slept = 0.0

    def time_ns(self):
        return int((self.loop.time + self.slept) * SECOND)


def begun(monkeypatch, seconds):
    """A loop, the wall's clock, an alarm in so many seconds, and where it rings."""
    loop = Loop()
    wall = Wall(loop)
    monkeypatch.setattr(server, "time", wall)
    rung = []
    alarm = LoopClock(loop).wake_at(int(seconds * SECOND), lambda: rung.append(loop.time))
    return loop, wall, alarm, rung


def test_an_alarm_rings_at_its_time(monkeypatch):
    loop, _, _, rung = begun(monkeypatch, 600)

    loop.awake(599)
    before = list(rung)
    loop.awake(2)

    assert before == []
    assert rung == [600]


def test_an_alarm_that_came_due_while_the_machine_slept_rings_soon_after(monkeypatch):
    loop, wall, _, rung = begun(monkeypatch, 600)

    loop.awake(100)
    wall.slept = 3600
    loop.awake(LOOK)

    assert len(rung) == 1


def test_an_alarm_comes_nearer_by_what_the_machine_slept(monkeypatch):
    loop, wall, _, rung = begun(monkeypatch, 600)

    loop.awake(100)
    wall.slept = 400
    loop.awake(99)
    before = list(rung)
    loop.awake(1)

    assert before == []
    assert rung == [200]


def test_a_far_alarm_that_is_cancelled_does_not_ring(monkeypatch):
    loop, _, alarm, rung = begun(monkeypatch, 600)

    loop.awake(100)
    alarm.cancel()
    loop.awake(1000)

    assert rung == []


def test_a_call_beside_comes_on_the_thread_of_the_loop():
    async def wait():
        called = asyncio.get_running_loop().create_future()
        clock = LoopClock(asyncio.get_running_loop())
        clock.wake_beside(clock.now(), lambda: called.set_result(threading.current_thread()))
        return await asyncio.wait_for(called, 10)

    assert asyncio.run(wait()) is threading.current_thread()


def test_a_call_beside_for_a_loop_that_is_over_is_not_made():
    async def made():
        return LoopClock(asyncio.get_running_loop())

    called = []
    clock = asyncio.run(made())
    timer = clock.wake_beside(clock.now(), lambda: called.append(1))
    timer.join(10)  # pytest fails where a thread ends with an error

    assert not timer.is_alive()
    assert called == []


def test_a_call_beside_comes_also_where_no_thread_can_be_started(monkeypatch):
    def start(_):
        raise RuntimeError("can't start new thread")

    async def wait():
        called = asyncio.get_running_loop().create_future()
        clock = LoopClock(asyncio.get_running_loop())
        clock.wake_beside(clock.now(), lambda: called.set_result("called"))
        return await asyncio.wait_for(called, 10)

    monkeypatch.setattr(threading.Timer, "start", start)

    assert asyncio.run(wait()) == "called"
