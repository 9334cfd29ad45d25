import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tests.conformance.support import PATIENCE, counting, eventually, interrupted, pass_time


def bodies(frame):
    return [body.decode() for body in frame["body"]]


@pytest.fixture
def store(session, channel):
    """Stores this many events in order; their bodies."""

    def store(count, *, first=1):
        names = [f"e{number}" for number in range(first, first + count)]
        session.events_store.send(channel, rows=names)
        eventually(lambda: bodies(session.events_store.receive(channel, start="last")) == names[-1:])
        return names

    return store


@pytest.fixture
def read(session, channel):
    return lambda **options: session.events_store.receive(channel, **options)


@pytest.mark.rows("S-01")
def test_a_sent_event_is_stored(session, channel, read):
    result = session.events_store.send(channel, "x", id="one", metadata="m", tags={"k": "v"})

    row = eventually(lambda: read().to_dict("records"))[0]
    assert (result.sent, result.id, result.is_error) == (True, "one", False)
    assert (row["id"], row["body"], row["metadata"], row["tags"]) == ("one", b"x", "m", {"k": "v"})


@pytest.mark.rows("S-01")
def test_an_event_that_is_only_live_is_not_stored(session, channel, read):
    session.events.send(channel, "live only")

    assert read().empty


@pytest.mark.rows("S-02")
def test_a_stream_is_stored_in_order_and_every_event_acknowledged(session, channel, read):
    result = session.events_store.send(channel, rows=[{"body": f"e{n}", "id": f"id-{n}"} for n in range(200)])

    stored = read()
    assert list(result["id"]) == list(stored["id"]) == [f"id-{n}" for n in range(200)]
    assert result["sent"].all()
    assert bodies(stored) == [f"e{n}" for n in range(200)]


@pytest.mark.rows("S-02")
def test_in_a_stream_the_refused_event_is_the_one_that_was_bad(session, channel, read):
    result = session.events_store.send(channel, rows=["a", b"", "c"])

    assert list(result["sent"]) == [True, False, True]
    assert bodies(read()) == ["a", "c"]


@pytest.mark.rows("S-03", "M-14")
def test_start_new_brings_only_what_is_stored_from_then_on(session, channel, store, read):
    store(3)

    feed = read(start="new", live=True)
    session.events_store.send(channel, "new")

    assert feed.wait(count=1, timeout=PATIENCE)
    assert bodies(feed.df) == ["new"]


@pytest.mark.rows("S-03")
def test_a_bounded_read_of_what_is_new_waits_for_it(session, channel, store, read):
    store(2)
    with counting(lambda body: session.events_store.send(channel, f"new {body}")):
        (came,) = bodies(read(start="new", count=1, timeout=PATIENCE))

    assert came.startswith("new")


@pytest.mark.rows("S-04", "M-14")
def test_start_first_brings_all_in_order(store, read):
    stored = store(30)

    frame = read(start="first")

    assert bodies(frame) == stored
    assert list(frame["sequence"]) == list(range(1, 31))
    assert (frame.attrs["complete"], frame.attrs["ended_by"], frame.attrs["last_sequence"]) == (
        True,
        "sequence",
        30,
    )


@pytest.mark.rows("S-05", "M-14")
def test_start_last_brings_the_last_one(store, read):
    store(5)

    assert bodies(read(start="last")) == ["e5"]


@pytest.mark.rows("S-06", "M-14")
def test_start_at_a_sequence_includes_it(store, read):
    stored = store(6)

    frame = read(start="seq:4")

    assert list(frame["sequence"]) == [4, 5, 6]
    assert bodies(frame) == stored[3:]


@pytest.mark.rows("S-06", "M-14")
def test_a_replay_ends_at_the_sequence_that_is_asked(store, read):
    stored = store(6)

    assert bodies(read(start="seq:2", to="seq:4")) == stored[1:4]


@pytest.fixture
def phases(store):
    """Three events, an instant, three more."""
    store(3)
    pass_time(1.2)
    middle = datetime.now(UTC)
    pass_time(0.1)
    store(3, first=4)
    return middle


@pytest.mark.rows("S-07", "M-14")
def test_start_at_a_time_is_exact(phases, read):
    stored = read()["timestamp"]

    assert bodies(read(start=phases)) == ["e4", "e5", "e6"]
    for place in range(6):
        exact = stored[place].floor("us").to_pydatetime()  # a datetime has no nanoseconds
        assert bodies(read(start=exact))[0] == f"e{place + 1}"
        later = exact + timedelta(milliseconds=1)
        wanted = [f"e{n + 1}" for n in range(6) if stored[n] >= pd.Timestamp(later)]
        assert bodies(read(start=later)) == wanted


@pytest.mark.rows("S-07", "M-14")
def test_a_replay_ends_at_the_time_that_is_asked(phases, read):
    assert bodies(read(to=phases)) == ["e1", "e2", "e3"]
    assert bodies(read(to="now")) == ["e1", "e2", "e3", "e4", "e5", "e6"]


@pytest.mark.rows("S-08", "M-14")
def test_start_that_long_ago_is_in_seconds(phases, read):
    assert bodies(read(start=1)) == ["e4", "e5", "e6"]
    assert bodies(read(start=timedelta(minutes=10))) == ["e1", "e2", "e3", "e4", "e5", "e6"]


@pytest.mark.rows("S-09")
def test_a_replay_goes_on_with_what_is_stored_meanwhile_without_gap_or_repeat(session, channel, store):
    stored = store(100)
    sender = threading.Thread(target=store, args=(100,), kwargs={"first": 101})
    sender.start()

    feed = session.events_store.receive(channel, start="first", live=True)

    assert feed.wait(count=200, timeout=PATIENCE)
    sender.join()
    assert list(feed.df["sequence"]) == list(range(1, 201))
    assert bodies(feed.df)[:100] == stored


@pytest.mark.rows("S-10")
def test_sequences_count_from_one_and_times_are_those_of_storing(session, channel, read):
    before = pd.Timestamp.now(tz="UTC") - timedelta(minutes=1)
    for number in range(3):
        session.events_store.send(channel, f"e{number}")

    frame = eventually(lambda: [frame for frame in [read()] if len(frame) == 3])[0]
    assert list(frame["sequence"]) == [1, 2, 3]
    assert frame["timestamp"].is_monotonic_increasing
    assert frame["timestamp"].between(before, before + timedelta(minutes=5)).all()


@pytest.mark.rows("S-11")
def test_two_of_a_group_share_what_is_stored(session, channel, read):
    members = [read(live=True, group="g"), read(live=True, group="g")]

    session.events_store.send(channel, rows=[f"e{n}" for n in range(50)])

    eventually(lambda: sum(feed.status().received for feed in members) >= 50)
    pass_time(0.2)  # for those that should not come
    wanted = sorted(f"e{n}" for n in range(50))
    assert sorted(body for feed in members for body in bodies(feed.df)) == wanted


@pytest.mark.rows("S-12")
def test_after_stop_nothing_more_comes(session, channel, store, read):
    seen = []
    feed = session.events_store.subscribe(channel, lambda event: seen.append(event.body), start="first")
    store(2)
    eventually(lambda: len(seen) == 2)

    feed.stop()
    store(2, first=3)

    assert seen == [b"e1", b"e2"]
    assert feed.status().state == "stopped"


@pytest.mark.rows("S-13")
@pytest.mark.embedded_only
def test_stored_events_survive_the_death_of_the_broker(own, channel):
    own.events_store.send(channel, rows=[f"e{n}" for n in range(100)])

    os.kill(int(own.broker.start()["pid"][0]), signal.SIGKILL)
    own.broker.restart()
    own.events_store.send(channel, "after")

    frame = own.events_store.receive(channel)
    assert bodies(frame) == [*(f"e{n}" for n in range(100)), "after"]
    assert list(frame["sequence"]) == list(range(1, 102))


@pytest.mark.rows("S-13", "M-43")
@pytest.mark.embedded_only
def test_a_feed_goes_on_after_a_restart_without_gap_or_repeat(own, channel):
    feed = own.events_store.receive(channel, start="first", live=True)
    own.events_store.send(channel, rows=["a", "b"])
    assert feed.wait(count=2, timeout=PATIENCE)

    own.broker.restart()
    own.events_store.send(channel, rows=["c", "d"])

    assert feed.wait(count=4, timeout=PATIENCE)
    assert list(feed.df["sequence"]) == [1, 2, 3, 4]
    assert feed.status().reconnects >= 1
    assert feed.df.attrs["gaps"]


@pytest.mark.rows("S-14")
@pytest.mark.parametrize("start", ["yesterday", "seq:0", "5", 0, -5, datetime(2026, 1, 1)])  # noqa: DTZ001
def test_a_bad_start_is_refused_with_the_valid_ones(read, start):
    with pytest.raises(ValueError, match=r"start"):
        read(start=start)
    with pytest.raises(ValueError, match=r"new, first, last, seq:N, a time with a zone, or a duration"):
        read(start="nonsense")


@pytest.mark.rows("S-15")
def test_reading_again_gives_the_same_rows(store, read):
    store(20)

    first, second = read(start="first"), read(start="first")

    pd.testing.assert_frame_equal(first, second)
    assert len(first) == 20


@pytest.mark.rows("M-15")
def test_an_empty_channel_is_an_empty_frame_that_is_complete(read):
    frame = read()

    assert frame.empty
    assert (frame.attrs["complete"], frame.attrs["ended_by"]) == (True, "empty")


@pytest.mark.rows("M-15")
def test_a_read_cut_by_a_count_says_so(store, read):
    store(10)

    frame = read(count=4)

    assert bodies(frame) == ["e1", "e2", "e3", "e4"]
    assert (frame.attrs["complete"], frame.attrs["ended_by"]) == (False, "count")


def test_a_client_id_of_ones_own_goes_on_where_it_was(session, channel, store, read):
    store(3)
    first = read(client_id=f"reader-{channel[-8:]}")
    session.events_store.send(channel, "e4")

    again = eventually(lambda: bodies(read(client_id=f"reader-{channel[-8:]}")))

    assert bodies(first) == ["e1", "e2", "e3"]
    assert again == ["e4"]


def test_a_read_under_a_name_tells_what_its_position_did(store, read, channel, tmp_path):
    store(5)
    group = f"group-{channel[-8:]}"

    cut = read(count=2, group=group)
    again = eventually(lambda: read(group=group, start="first").attrs["notes"])
    to_file = read(group=group, to_file=tmp_path / "read.jsonl")

    assert cut.attrs["notes"] == [f"what {group} was sent beyond counts as read"]
    assert again == to_file.attrs["notes"] == [f"{group} goes on where it had read to, whatever the start"]
    assert read(count=2).attrs["notes"] == []


def test_an_interrupted_wait_for_what_is_new_leaves_a_session_that_works(session, channel, read):
    with interrupted():
        read(start="new", timeout=60)

    session.events_store.send(channel, "x")
    eventually(lambda: bodies(read()) == ["x"])
