"""Large files pass through in parts; large messages, and many reads, leave nothing behind."""

import sys

import pytest

from benchmarks import memory
from tests.campaign.grounds import fresh, own_broker, resident, session
from tests.campaign.sizes import MIB, WAYS

READS = {
    "peek": lambda kq, channel: kq.queues.peek(channel, wait=0),
    "receive": lambda kq, channel: kq.queues.receive(channel, wait=0),
    "send and receive": lambda kq, channel: (
        kq.queues.send(channel, "x"),
        kq.queues.receive(channel, wait=0),
    ),
}
BODY = 40 * MIB
LEFT = 30 * MIB  # may stay of what has gone: less than one message


@pytest.mark.embedded_only
@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell the peak of a process")
def test_a_file_is_sent_and_read_back_in_far_less_memory_than_it_has():
    found = memory.cost("jsonl", rows=1500, size=100_000)

    assert found.same
    assert found.data == 150
    assert found.sending < found.data / 2, found
    assert found.reading < found.data / 2, found


@pytest.mark.embedded_only
@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell the memory of a process")
def test_large_messages_leave_nothing_behind_in_the_broker():
    with own_broker() as broker, session(broker.address, broker.token_file) as kq:
        kq.queues.peek(fresh("warm"), wait=0)
        before = resident(broker.pid)

        for name, way in WAYS.items():
            way(kq, fresh(name.replace(" ", "-")), bytes(BODY))

        kq.queues.peek(fresh("again"), wait=0)  # the broker has let go when it answers the next call
        assert resident(broker.pid) - before < LEFT


@pytest.mark.embedded_only
@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell the memory of a process")
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_many_reads_leave_nothing_behind_in_the_kernel(read):
    with own_broker() as broker, session(broker.address, broker.token_file) as kq:
        channel = fresh("reads")
        for _ in range(300):
            read(kq, channel)
        before = resident()

        for _ in range(1000):
            read(kq, channel)

        assert resident() - before < 8 * MIB
