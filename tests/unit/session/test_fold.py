"""A fold over recorded events: states that cannot be copied end it, and nobody waits for them."""

import threading

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.session.fold import CLOSEST, Fold
from kubemq_nb.session.recording import Recording


def recorded(count):
    recording = Recording(lambda _first, _last: [])
    recording.append(
        [
            pb.EventReceive(EventID=str(number), Sequence=number, Timestamp=number).SerializeToString()
            for number in range(1, count + 1)
        ]
    )
    return recording


def test_a_state_that_cannot_be_copied_is_a_failure_at_its_event():
    fold = Fold(
        lambda state, _event: {"lock": threading.Lock(), "count": (state or {"count": 0})["count"] + 1},
        None,
        recorded(9),
    )

    assert fold.at(9) is None
    assert (fold.failure.place, fold.failure.sequence) == (1, 1)
    assert "cannot pickle" in fold.failure.text


def test_states_before_one_that_cannot_be_copied_are_there():
    def counted(state, event):
        return threading.Lock() if event.sequence > CLOSEST + 3 else state + 1

    fold = Fold(counted, 0, recorded(2 * CLOSEST))

    assert fold.at(2 * CLOSEST) == CLOSEST
    assert fold.failure.place == CLOSEST + 1
    assert fold.at(5) == 5
