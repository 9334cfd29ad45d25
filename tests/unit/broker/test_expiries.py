"""How many messages of a queue wait, where some of them expire."""

from hypothesis import given
from hypothesis import strategies as st

from kubemq_nb.broker.engine.expiries import SLACK, Expiries
from kubemq_nb.broker.engine.plan import QueueContent
from kubemq_nb.broker.engine.sequences import Sequences
from tests.unit.broker.harness import Engine

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from([0, 1, 2, 5])),
        st.tuples(st.just("take"), st.integers(1, 3)),
        st.tuples(st.just("return"), st.just(0)),
        st.tuples(st.just("drop"), st.just(0)),
        st.tuples(st.just("peek"), st.integers(1, 3)),
        st.tuples(st.just("reload"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 3)),
    ),
    max_size=30,
)


@given(STEPS)
def test_those_wait_that_are_ready_and_have_not_expired(steps):
    engine = Engine()
    queue = engine.queues.get("orders")
    expires = {}
    held = []
    for step, value in steps:
        if step == "send":
            sent = engine.send("orders", "m", expiration=value)[0]
            expires[queue.last_sequence] = sent.expires_at
        elif step == "take":
            held += queue.take(value)[0]
        elif step == "return":
            queue.put_back(held)
            held = []
        elif step == "drop":
            queue.drop(held, 0)
            held = []
        elif step == "peek":
            queue.look(value)
        elif step == "reload":
            queue.reset(queue_content(queue, expires))
        else:
            engine.clock.advance(value)
        now = engine.clock.now()
        assert queue.waiting() == sum(not 0 < expires[sequence] <= now for sequence in queue.ready)


def queue_content(queue, expires):
    there = sorted([*queue.ready, *queue.away])
    times = {sequence: expires[sequence] for sequence in there if expires[sequence]}
    return QueueContent(Sequences((sequence, sequence + 1) for sequence in there).ranges(), times, 0)


def test_asking_again_takes_no_time_for_what_has_expired_before():
    count = 100_000
    expiries = Expiries(Sequences([(1, count + 1)]), {sequence: sequence for sequence in range(1, count + 1)})
    assert expiries.overdue(count // 2) == count // 2
    looked_at = []

    class Ready:
        def __contains__(self, sequence):
            looked_at.append(sequence)
            return True

    expiries._ready = Ready()

    assert expiries.overdue(count // 2 + 3) == count // 2 + 3
    assert len(looked_at) == 3


def test_what_is_gone_takes_no_memory():
    ready = Sequences()
    expiries = Expiries(ready, {})
    for sequence in range(1, 10 * SLACK):
        expiries.add(sequence, 1 << 60)
        expiries.forget([sequence])

    assert len(expiries._soonest) <= SLACK + 1
