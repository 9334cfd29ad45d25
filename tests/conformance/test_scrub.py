"""The time scrubber, against what folding the same events in plain Python gives."""

import functools
import random
import threading
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from kubemq_nb.messages import Event
from kubemq_nb.session import fold as folds
from kubemq_nb.session.fold import Fold
from kubemq_nb.session.recording import Recording
from tests.conformance.support import eventually

MANY = 1_500


def balance(state, event):
    """Mutates its state, as folds do."""
    state = {} if state is None else state
    told = event.json()
    line = state.setdefault(told["carrier"], {"flights": 0, "delay": 0})
    line["flights"] += 1
    line["delay"] += told["delay"]
    return state


def departures(count):
    return [{"carrier": "AB"[number % 2], "delay": number % 7} for number in range(1, count + 1)]


def folded(bodies, count):
    events = [Event(channel="", body=str(body).replace("'", '"').encode()) for body in bodies[:count]]
    return functools.reduce(balance, events, None)


@pytest.fixture(scope="module")
def stored(request):
    """A session on a broker of its own with some departures in a store."""
    import kubemq_nb

    with kubemq_nb.connect(name="scrubbed") as session:
        session.events_store.send("departures", rows=departures(MANY))
        yield session


@pytest.mark.embedded_only
@pytest.mark.rows("B-07")
def test_the_state_at_a_position_is_the_fold_of_the_events_up_to_it(stored):
    scrub = stored.events_store.scrub("departures", fold=balance)
    places = [0, 1, 2, 63, 64, 65, MANY, MANY - 1, 777, 3]
    random.Random(7).shuffle(places)

    for place in places:
        assert scrub.at(place).state == (folded(departures(MANY), place)), place
        assert scrub.sequence == place
    assert scrub.wait(10)
    assert scrub.reading == "ready"
    assert scrub.at(412).event.json() == departures(412)[-1]
    assert len(scrub.df) == 412


@pytest.mark.embedded_only
def test_a_step_goes_both_ways_and_stops_at_the_ends(stored):
    scrub = stored.events_store.scrub("departures", fold=balance)

    assert scrub.at(10).step(3).sequence == 13
    assert scrub.step(-2).state == folded(departures(MANY), 11)
    assert scrub.step(-100).sequence == 0
    assert scrub.state is None
    assert scrub.event is None
    assert scrub.step(10 * MANY).sequence == MANY


@pytest.mark.embedded_only
def test_a_time_is_the_last_event_stored_by_then(stored):
    scrub = stored.events_store.scrub("departures")
    scrub.wait(10)
    instant = scrub.at(700).event.timestamp

    found = scrub.at(time=instant).sequence

    assert found >= 700
    assert scrub.at(found).event.timestamp == instant
    assert scrub.at(time=datetime(2001, 1, 1, tzinfo=UTC)).sequence == 0
    with pytest.raises(ValueError, match="zone"):
        scrub.at(time=datetime(2001, 1, 1))  # noqa: DTZ001


@pytest.mark.embedded_only
@pytest.mark.rows("B-07")
def test_a_field_that_never_goes_back_finds_the_last_event_up_to_its_value(stored, channel):
    hours = [{"hour": f"2013-01-01T{number // 10:02}:00", "miles": number * 2.5} for number in range(100)]
    stored.events_store.send(channel, rows=hours)
    scrub = stored.events_store.scrub(channel)

    assert scrub.at(time=datetime(2013, 1, 1, 5, 30, tzinfo=UTC), by="body.hour").sequence == 60
    assert scrub.axes == ["sequence", "time", "body.hour", "body.miles"]
    assert scrub.at(10, by="body.miles").sequence == 5
    assert scrub.at(-1, by="body.miles").sequence == 0
    assert scrub.along("body.miles", 0, 5) == [None, 10.0]
    with pytest.raises(
        ValueError, match=r"body.delay is no field that each event has .*body.hour, body.miles"
    ):
        scrub.at(1, by="body.delay")
    with pytest.raises(ValueError, match=r"body\.hour holds times: give `time`"):
        scrub.at(1, by="body.hour")
    with pytest.raises(ValueError, match=r"body\.miles holds numbers"):
        scrub.at(time=datetime(2013, 1, 1, tzinfo=UTC), by="body.miles")
    with pytest.raises(ValueError, match="sequence is no field"):
        scrub.at(1, by="sequence")


@pytest.mark.embedded_only
def test_two_positions_are_compared_line_by_line(stored):
    scrub = stored.events_store.scrub("departures", fold=balance)

    compared = scrub.compare(1, 4)

    assert compared.to_dict("list") == {
        "key": ["B", "A"],
        "flights A": [1, None],
        "flights B": [2, 2],
        "flights change": [1, 2],
        "delay A": [1, None],
        "delay B": [4, 6],
        "delay change": [3, 6],
    }
    assert (compared.attrs["between"], compared.attrs["changed"]) == (3, 2)
    with pytest.raises(ValueError, match="compare wants a fold"):
        stored.events_store.scrub("departures").compare(1, 2)


@pytest.mark.embedded_only
def test_a_fold_that_raises_names_the_event_and_keeps_the_state_before(stored):
    def count_late(state, event):
        state["seen"] += 1
        if event.sequence == 538:
            raise TypeError("dep_delay is null")
        return state

    scrub = stored.events_store.scrub("departures", fold=count_late, initial={"seen": 0})

    assert scrub.at(537).failure is None
    assert scrub.at(900).state == {"seen": 537}
    assert scrub.failure.text.startswith("count_late stopped at event 538: TypeError in line ")
    assert scrub.failure.text.endswith(", dep_delay is null. The state shown is the one before.")
    assert scrub.at(20).state == {"seen": 20}
    assert scrub.failure is None


@pytest.mark.embedded_only
def test_a_position_that_is_not_stored_is_refused(stored):
    scrub = stored.events_store.scrub("departures")

    with pytest.raises(ValueError, match="has events up to 1,500 here, not 2,000"):
        scrub.at(2_000)
    with pytest.raises(ValueError, match="a sequence, or a time"):
        scrub.at()


@pytest.mark.embedded_only
def test_an_empty_channel_has_one_position(stored):
    scrub = stored.events_store.scrub("nothing.here", fold=balance)

    assert scrub.wait(10)
    assert (scrub.sequence, scrub.state, len(scrub.df)) == (0, None, 0)


@pytest.mark.embedded_only
def test_the_reading_is_a_job_that_can_be_stopped(stored):
    let_go = threading.Event()

    def wait_for_it(state, event):
        let_go.wait(10)
        return state

    scrub = stored.events_store.scrub("departures", fold=wait_for_it)
    assert eventually(lambda: scrub.received == MANY)
    jobs = stored.jobs()

    stored.stop("all")
    let_go.set()

    assert jobs["kind"].tolist() == ["scrub"]
    assert scrub.reading == "stopped"
    assert eventually(lambda: not stored.open_jobs())


@pytest.mark.embedded_only
def test_what_does_not_fit_into_memory_is_read_again(stored):
    payloads = stored._link.events_store.replay("departures", start=_first()).payloads
    asked = []

    def read_again(first, last):
        asked.append((first, last))
        return payloads[first - 1 : last]

    recording = Recording(read_again, held=sum(map(len, payloads[:250])))
    for start in range(0, MANY, 100):
        recording.append(payloads[start : start + 100])

    assert list(recording.payloads(150, 320)) == payloads[150:320]
    assert asked == [(101, 200), (201, 300), (301, 400)]
    assert recording.payload(MANY) == payloads[-1]
    assert recording.counts(15, "sequence") == [100] * 15


def test_states_that_are_kept_stay_within_their_bound(monkeypatch):
    monkeypatch.setattr(folds, "MOST", 8)
    recording = Recording(lambda first, last: [])
    recording.append([_payload(number) for number in range(1, 4_001)])
    fold = Fold(lambda state, event: state + 1, 0, recording)

    assert fold.at(4_000) == 4_000
    assert len(fold._kept) <= 8
    assert [fold.at(place) for place in (3_999, 1, 2_000)] == [3_999, 1, 2_000]


def test_a_state_that_cannot_be_pickled_is_kept_as_well():
    recording = Recording(lambda first, last: [])
    recording.append([_payload(number) for number in range(1, 301)])

    def count(state, event):
        state["n"] += 1
        return state

    fold = Fold(count, defaultdict(lambda: 0), recording)

    assert fold.at(300)["n"] == 300
    assert fold.at(10)["n"] == 10


def _first():
    from kubemq_nb.messages import StartPosition

    return StartPosition.first()


def _payload(number):
    from kubemq_nb._wire import kubemq_pb2 as pb

    return pb.EventReceive(EventID=str(number), Sequence=number, Timestamp=number).SerializeToString()
