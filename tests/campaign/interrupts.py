"""Row 17: every magic that may wait is interrupted in a kernel; the session goes on, and holds nothing."""

import itertools
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kubemq_nb.broker.launcher import RunningBroker
from kubemq_nb.session import Session
from tests.campaign.frozen import standing_still
from tests.campaign.grounds import fresh, own_broker, session
from tests.campaign.kernels import Kernel, kernel
from tests.campaign.outcome import Outcome, Property

LOOK = 0.3  # seconds after which a cell that has not ended is waiting
LONG = 90.0  # seconds that a waiting line would wait
LATE = 5.0  # seconds: an interrupt that takes so long came to nothing; the figure itself is printed

How = Literal["waits", "frozen", "quick"]


@dataclass(frozen=True)
class Line:
    """How one command is made to wait: by what it asks for, or by a broker that stands still.

    A quick one never waits: it ends by itself although the broker stands still.
    """

    command: str
    how: How
    text: str  # after %kubemq; CH is a channel of its own, and AGAIN connects anew
    before: str = ""  # a cell that makes it possible


FEED = 'feed = kq.events.receive("CH", live=True)'
STORED = 'feed = kq.events_store.receive("CH", live=True)'
TX = "tx = %kubemq queues transaction CH --wait 0s"
ASK = """from concurrent.futures import ThreadPoolExecutor
desk = kq.queries.respond("CH", manual=True)
asked = ThreadPoolExecutor().submit(kq.queries.send, "CH", "?", id="ask-CH", timeout=20)
assert desk.wait()"""

LINES = (
    Line("connect", "frozen", "connect AGAIN --name again"),
    Line("ping", "frozen", "ping"),
    Line("status", "frozen", "status"),
    Line("connections", "frozen", "connections"),
    Line("use", "frozen", "use lab"),
    Line("close", "frozen", "close extra", "%kubemq connect AGAIN --name extra\n" + TX),
    Line("broker start", "quick", "broker start"),
    Line("broker stop", "quick", "broker stop"),
    Line("broker restart", "quick", "broker restart"),
    Line("broker damage", "quick", "broker damage"),
    Line("broker reset", "quick", "broker reset -y"),
    Line("channels", "frozen", "channels"),
    Line("channels create", "frozen", "channels create queues CH"),
    Line("channels delete", "frozen", "channels delete queues CH -y"),
    Line("stats", "frozen", "stats"),
    Line("ui", "frozen", "ui"),
    Line("jobs", "quick", "jobs"),
    Line("stop", "frozen", "stop all", TX),
    Line("pause", "quick", "pause {{feed.id}}", FEED),
    Line("resume", "quick", "resume {{feed.id}}", FEED),
    Line("clear", "quick", "clear {{feed.id}}", FEED),
    Line("filter", "quick", "filter {{feed.id}} --where hello", FEED),
    Line("retry", "quick", "retry {{feed.id}}", FEED),
    Line("restart", "frozen", "restart {{feed.id}} --start seq:1", STORED),
    Line("queues send", "frozen", "queues send CH hello"),
    Line("queues peek", "waits", f"queues peek CH --wait {LONG:g}s"),
    Line("queues receive", "waits", f"queues receive CH --wait {LONG:g}s"),
    Line("queues ack_all", "frozen", "queues ack_all CH -y"),
    Line("queues transaction", "waits", f"queues transaction CH --wait {LONG:g}s"),
    Line("tx ack", "frozen", "tx ack", TX),
    Line("tx reject", "frozen", "tx reject", TX),
    Line("tx extend", "frozen", "tx extend 1m", TX),
    Line("tx resend", "frozen", "tx resend CH.later", TX),
    Line("tx modify", "frozen", "tx modify hello", TX),
    Line("tx status", "quick", "tx status", TX),
    Line("events send", "frozen", "events send CH hello"),
    Line("events receive", "waits", f"events receive CH -n 1 --timeout {LONG:g}s"),
    Line("events_store send", "frozen", "events_store send CH hello"),
    Line("events_store receive", "waits", f"events_store receive CH --start new -n 1 --timeout {LONG:g}s"),
    Line("events_store scrub", "frozen", "events_store scrub CH"),
    Line("commands send", "waits", f"commands send CH hello --timeout {LONG:g}s"),
    Line("commands respond", "frozen", "commands respond CH --echo"),
    Line("queries send", "waits", f"queries send CH hello --timeout {LONG:g}s"),
    Line("queries respond", "frozen", "queries respond CH --echo"),
    Line("answers reply", "frozen", "answers reply ask-CH hello", ASK),
    Line("answers refuse", "frozen", "answers refuse ask-CH", ASK),
    Line("answers auto", "quick", "answers auto off"),
    Line("help", "quick", "help"),
    Line("config", "quick", "config"),
    Line("version", "quick", "version"),
)


class Lab:
    """A kernel with the magics, connected to a broker that can be made to stand still."""

    def __init__(
        self, running: Kernel, beside: Session, options: str = "", broker: RunningBroker | None = None
    ) -> None:
        self.kernel = running
        self._broker = broker
        self._beside = beside
        self._again = f"{beside.address} {options}".strip()
        running.good("%load_ext kubemq_nb")
        running.good(f"%kubemq connect {self._again} --name lab -q")

    def interrupted(self, line: Line) -> tuple[float, str]:
        """Interrupt one line while it waits; the seconds that took, and what was wrong, or ""."""
        channel = fresh("interrupt")
        if line.before:
            self._beside.queues.send(channel, "held")
            self.kernel.good(self._filled(line.before, channel))
        code = self._filled(f"%kubemq {line.text}", channel)
        if line.how == "waits":
            took, wrong = self._interrupt(line, code)
        else:
            assert self._broker, f"{line.command} waits only for a broker that stands still"
            with standing_still(self._broker.pid):
                took, wrong = self._interrupt(line, code)
        return took, wrong or self._unusable(channel)

    def _filled(self, text: str, channel: str) -> str:
        return text.replace("CH", channel).replace("AGAIN", self._again)

    def _interrupt(self, line: Line, code: str) -> tuple[float, str]:
        cell = self.kernel.begin(code)
        waiting = self.kernel.is_busy(cell, within=LATE if line.how == "quick" else LOOK)
        if not waiting:
            self.kernel.end(cell)
            return 0.0, "" if line.how == "quick" else "it did not wait"
        took, ran = self.kernel.interrupt(cell)
        if line.how == "quick":
            return took, "it waited"
        if took > LATE:
            return took, "the interrupt came to nothing"
        return took, "" if ran.error == "KeyboardInterrupt" else f"it ended by {ran.error or 'itself'}"

    def _unusable(self, channel: str) -> str:
        """What does not work any more after an interrupt, or ""."""
        self.kernel.run("%kubemq stop all")
        self.kernel.good("%kubemq use lab")
        self._beside.queues.ack_all(channel)
        self._beside.queues.send(channel, "after the interrupt")
        ran = self.kernel.run(f"%kubemq queues receive {channel} --wait 10s")
        if ran.error or "after the interrupt" not in ran.text:
            return f"the next receive: {ran.error} {ran.text[:200]}"
        return ""


def interrupts(tries: int, seed: int) -> Outcome:
    """Interrupt so many lines, a receive first and the others in an order of the seed.

    Seen red on `interrupt-without-cancel.patch` and on `interrupt-waits.patch`.
    """
    with own_broker() as broker, session(broker.address, broker.token_file) as beside:
        return interrupted(tries, seed, LINES, beside, f"--token-file {broker.token_file}", broker)


def interrupts_at(tries: int, seed: int, address: str) -> Outcome:
    """The same for the lines that wait by themselves, on a server that nobody may make stand still."""
    with session(address) as beside:
        return interrupted(tries, seed, [line for line in LINES if line.how == "waits"], beside)


def interrupted(
    tries: int,
    seed: int,
    lines: Sequence[Line],
    beside: Session,
    options: str = "",
    broker: RunningBroker | None = None,
) -> Outcome:
    """Interrupt these lines in their turn until so many were."""
    chance = random.Random(seed)
    shuffled = chance.sample(lines, len(lines))
    shuffled.sort(key=lambda line: line.command != "queues receive")
    times: dict[How, list[float]] = {"waits": [], "frozen": []}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder, kernel(Path(folder)) as running:
        lab = Lab(running, beside, options, broker)
        for line in itertools.cycle(shuffled):
            took, said = lab.interrupted(line)
            if said:
                wrong.append(f"{line.command}: {said}")
            if line.how != "quick":
                times[line.how].append(took)
            if sum(map(len, times.values())) == tries:
                break
    return told(times, wrong)


def told(times: dict[How, list[float]], wrong: list[str]) -> Outcome:
    """The figures of all interrupts: of what waits, and of short calls to a broker that stands still."""
    whole = sorted(itertools.chain.from_iterable(times.values()))
    note = f"until the kernel answered; what waits {percentiles(times['waits'])}"
    if times["frozen"]:
        note += f"; short calls {percentiles(times['frozen'])}"
    return Outcome(len(whole), undetected=len(wrong), worst=whole[-1], note="; ".join(wrong[:3]) or note)


def percentiles(times: list[float]) -> str:
    """The half and the last hundredth, in words."""
    ordered = sorted(times)
    places = (len(ordered) // 2, max(0, -(-len(ordered) * 99 // 100) - 1))
    half, last = (f"{ordered[place] * 1000:.0f}" if ordered else "-" for place in places)
    return f"p50 {half}, p99 {last} ms"


PROPERTIES = [Property(17, "interrupt", interrupts, short=5, long=99, against=interrupts_at)]
