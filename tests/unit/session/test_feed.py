import asyncio
import threading
from datetime import timedelta

import pytest

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.errors import SubscriptionLost
from kubemq_nb.messages import StartPosition
from kubemq_nb.session import live
from kubemq_nb.session.feed import Feed
from tests.conformance.support import eventually
from tests.unit.session.streams import FedStream, event


@pytest.fixture
def stream():
    return FedStream()


@pytest.fixture
def begin(stream):
    feeds = []

    def begin(**options):
        feed = Feed(kind="events", channel="gates", **options)
        feeds.append(feed)
        feed.begin(stream.subscribe)
        return feed

    yield begin
    for feed in feeds:
        feed.stop()


def bodies(frame):
    return list(frame["id"])


def test_a_feed_is_live_before_its_first_row(begin, stream):
    feed = begin()
    before = feed.status()

    stream.put("a", "b")

    assert feed.wait(count=2)
    after = feed.status()
    assert (before.state, before.received) == ("live", 0)
    assert (after.state, after.received, after.held) == ("live", 2, 2)
    assert bodies(feed.df) == ["a", "b"]


def test_the_rows_behind_one_are_read_alone(begin, stream):
    feed = begin(keep=3)
    stream.put(*"abcde")
    assert feed.wait(count=5)

    assert [bodies(feed.behind(number)) for number in (0, 3, 4, 5)] == [
        ["c", "d", "e"],
        ["d", "e"],
        ["e"],
        [],
    ]
    assert feed.behind(4).attrs["last"] == 5


@pytest.mark.rows("M-13", "M-16")
def test_only_the_newest_rows_are_held_and_the_others_counted(begin, stream):
    feed = begin(keep=3)

    stream.put(*"abcde")

    assert feed.wait(count=5)
    assert bodies(feed.df) == ["c", "d", "e"]
    assert (feed.status().received, feed.status().dropped) == (5, 2)


def test_a_frame_tells_the_number_of_its_last_row(begin, stream):
    feed = begin(keep=2)
    stream.dropped = 10  # what the client had to drop came before as well

    stream.put(*"abc")

    assert feed.wait(count=3)
    assert feed.tail(1).attrs["received"] == feed.df.attrs["received"] == 13


@pytest.mark.rows("M-13")
def test_a_row_is_found_by_its_number_while_it_is_held(begin, stream):
    feed = begin(keep=2)
    stream.put(*"abc")
    assert feed.wait(count=3)

    assert [feed.row(number)["body"] for number in (2, 3)] == [b"b", b"c"]
    for number in (0, 1, 4):
        with pytest.raises(ValueError, match=f"row {number} is not among those held"):
            feed.row(number)
    feed.pause()
    stream.put("d")
    assert feed.wait(count=4)
    assert feed.row(2)["body"] == b"b"


@pytest.mark.rows("M-22")
def test_a_row_is_sent_again_through_a_form_as_it_was_or_changed(session, channel):
    feed = session.events_store.receive(channel, live=True)
    session.events_store.send(channel, {"flight": 1}, metadata="late", tags={"day": "1"})
    assert feed.wait(count=1)

    feed.form(1).send()
    feed.form(1).fill(metadata="gone").send()

    assert feed.wait(count=3)
    assert feed.df["metadata"].tolist() == ["late", "late", "gone"]
    assert feed.df["tags"].tolist() == [{"day": "1"}] * 3
    assert feed.df["id"].nunique() == 3
    assert feed.form().entries == {"channel": channel}


def test_a_pause_freezes_the_tail_while_rows_go_on_coming(begin, stream):
    feed = begin()
    stream.put("a")
    assert feed.wait(count=1)

    feed.pause()
    stream.put("b")

    assert feed.wait(count=2)
    assert feed.status().state == "paused"
    assert bodies(feed.tail()) == ["a"]
    assert bodies(feed.df) == ["a", "b"]
    feed.resume()
    assert bodies(feed.tail()) == ["a", "b"]


def test_clear_lets_go_of_the_rows_and_keeps_the_count(begin, stream):
    feed = begin()
    stream.put("a")
    assert feed.wait(count=1)

    feed.clear()

    assert bodies(feed.df) == []
    assert feed.status().received == 1


def test_the_version_grows_with_every_change_and_only_then(begin, stream):
    feed = begin()
    before = feed.version

    feed.status()
    same = feed.version
    stream.put("a")

    assert feed.wait(count=1)
    assert same == before
    assert feed.version > before


def test_waiting_is_over_in_time_when_nothing_comes(begin):
    assert begin().wait(timeout=0.01) is False


def test_a_handler_sees_each_event_in_order(begin, stream):
    seen = []
    feed = begin(handler=lambda event: seen.append(event.body))
    done = threading.Event()
    feed._handler = lambda event, first=feed._handler: (first(event), len(seen) == 3 and done.set())

    stream.put(*"abc")

    assert done.wait(5)
    assert seen == [b"a", b"b", b"c"]


def test_a_coroutine_handler_runs_on_a_loop_of_ours(begin, stream):
    seen, done = [], threading.Event()

    async def handler(event):
        await asyncio.sleep(0)
        seen.append((event.body, threading.current_thread().name))
        done.set()

    begin(handler=handler)
    stream.put("a")

    assert done.wait(5)
    assert seen == [(b"a", "kubemq-nb:handlers")]


def test_after_stop_the_handler_is_not_called_again(begin, stream):
    entered, release, calls, returned = threading.Event(), threading.Event(), [], []

    def handler(event):
        calls.append(event.body)
        entered.set()
        release.wait(5)
        returned.append(event.body)

    feed = begin(handler=handler)
    stream.put("a", "b")
    assert entered.wait(5)

    threading.Timer(0.05, release.set).start()
    feed.stop()

    assert calls == returned == [b"a"]
    assert stream.closed
    assert feed.status().state == "stopped"


def test_a_handler_may_stop_its_own_feed(begin, stream):
    done = threading.Event()
    feed = begin(handler=lambda event: (feed.stop(), done.set()))

    stream.put("a", "b")

    assert done.wait(5)
    assert feed.finished


@pytest.mark.rows("M-39")
def test_what_a_handler_raises_is_counted_kept_and_told(begin, stream):
    told = []

    def handler(event):
        raise ValueError(f"no {event.body.decode()}")

    feed = begin(handler=handler, on_error=told.append)
    stream.put("a", "b")

    assert feed.wait(count=2)
    with feed._changed:
        assert feed._changed.wait_for(lambda: feed.errors == 2, 5)
    assert "ValueError: no b" in feed.status().note
    assert "in handler" in feed.traceback
    eventually(lambda: len(told) == 2)
    assert [str(error) for error in told] == ["no a", "no b"]


def test_an_error_handler_that_fails_itself_does_not_end_the_feed(begin, stream, caplog):
    def fail(error):
        raise RuntimeError("worse")

    feed = begin(handler=lambda event: 1 / 0, on_error=fail)

    stream.put("a", "b")

    assert feed.wait(count=2)
    with feed._changed:
        assert feed._changed.wait_for(lambda: feed.errors == 2, 5)
    eventually(lambda: len(caplog.records) == 2)


@pytest.mark.rows("M-43")
def test_an_outage_is_a_state_and_leaves_a_gap(begin, stream):
    feed = begin()
    stream.put("a")
    assert feed.wait(count=1)

    stream.change("reconnecting", "no broker answers; trying again")
    during = feed.status()
    stream.change("live", "events of 3 s may be missing")

    assert (during.state, during.note) == ("reconnecting", "no broker answers; trying again")
    assert feed.status().state == "live"
    assert feed.df.attrs["gaps"] == [(1, "events of 3 s may be missing")]


@pytest.mark.rows("M-43")
def test_an_outage_has_a_beginning_and_counts_its_attempts(begin, stream):
    feed = begin()
    assert feed.status().outage is None

    stream.change("reconnecting", "nobody there", attempt=1, pause=0.5)
    first = feed.status().outage
    stream.change("reconnecting", "nobody there", attempt=2, pause=60.0)
    second = feed.status().outage
    stream.change("live")
    between = feed.status().outage
    stream.change("reconnecting", "nobody there", attempt=1, pause=0.5)

    assert (first.attempt, second.attempt) == (1, 2)
    assert second.since == first.since < second.next_at
    assert second.next_at - first.next_at >= timedelta(seconds=59)
    assert between is None
    assert feed.status().outage.since > first.since


def test_a_subscription_that_ends_for_good_says_so_and_tells_who_waits(begin, stream):
    told = []
    feed = begin(on_error=told.append)
    lost = SubscriptionLost("the broker ended it")

    stream.break_down(lost)

    assert feed.wait(timeout=5) is False
    assert feed.status().state == "not connected"
    assert feed.status().note == "the broker ended it"
    assert eventually(lambda: told) == [lost]


def test_a_refused_subscription_raises_without_on_error_and_tells_it_with():
    told = []

    def refuse(on_state):
        raise SubscriptionLost("no such group")

    feed = Feed(kind="events", channel="gates", on_error=told.append)
    feed.begin(refuse)

    assert feed.status().state == "not connected"
    assert [str(error) for error in told] == ["no such group"]
    with pytest.raises(SubscriptionLost):
        Feed(kind="events", channel="gates").begin(refuse)


def test_a_feed_names_its_channel_in_its_repr_and_no_address(begin):
    assert repr(begin()) == "<Feed 0: events gates, live>"


def test_a_feed_without_room_is_refused():
    with pytest.raises(ValueError, match="1 row at least"):
        Feed(kind="events", channel="gates", keep=0)


def test_a_feed_holds_so_many_bytes_and_counts_what_it_lets_go(begin, stream, monkeypatch):
    monkeypatch.setattr(live, "MOST", 3 * len(event("a")))
    feed = begin()

    stream.put(*"abcde")

    assert feed.wait(count=5)
    assert bodies(feed.df) == ["c", "d", "e"]
    assert (feed.status().received, feed.status().dropped) == (5, 2)


def test_a_filter_narrows_what_matches_and_not_what_is_held(begin, stream):
    feed = begin()
    stream.put("late", "early")
    assert feed.wait(count=2)

    feed.filter('id == "late"')
    assert bodies(feed.matching) == ["late"]
    assert bodies(feed.df) == ["late", "early"]

    with pytest.raises(ValueError, match="where, column"):
        feed.filter("id ==")
    assert bodies(feed.matching) == ["late"]

    feed.filter()
    assert bodies(feed.matching) == ["late", "early"]


class Streams:
    """A stream for each time that a feed subscribes; `refuse` makes the next one fail."""

    def __init__(self):
        self.opened = []
        self.refuse = None

    def subscribe(self, on_state):
        if self.refuse:
            raise self.refuse
        self.opened.append(FedStream())
        return self.opened[-1].subscribe(on_state)


@pytest.fixture
def stored():
    streams = Streams()
    feed = Feed(kind="events_store", channel="gates", start=StartPosition.first())
    feed.begin(streams.subscribe)
    yield feed, streams
    feed.stop()


def test_a_feed_that_is_started_again_reads_from_the_new_start_and_holds_nothing_twice(stored):
    feed, streams = stored
    streams.opened[0].put("a", "b")
    assert feed.wait(count=2)
    feed.stop()

    feed.restart(start="seq:2")
    streams.opened[1].put("b")

    assert feed.wait(count=3)
    assert streams.opened[0].closed
    assert (feed.start.kind, feed.start.value) == ("sequence", 2)
    assert (bodies(feed.df), feed.state, feed.received) == (["b"], "live", 3)


def test_started_again_with_new_events_alone_the_rows_stay_above_a_mark(stored):
    feed, streams = stored
    streams.opened[0].put("a")
    assert feed.wait(count=1)

    feed.restart(start="new")
    streams.opened[1].put("b")

    assert feed.wait(count=2)
    assert bodies(feed.df) == ["a", "b"]
    assert [after for after, _ in feed.df.attrs["gaps"]] == [1]


def test_events_have_no_position_to_start_at(begin):
    with pytest.raises(TypeError, match="events are not stored"):
        begin().restart(start="first")


def test_a_retry_while_it_reconnects_hurries_the_stream(begin, stream):
    feed = begin()
    stream.change("reconnecting", "nobody there")

    feed.retry()

    assert stream.retries == 1


def test_a_retry_of_what_had_given_up_goes_on_after_the_last_event(stored):
    feed, streams = stored
    streams.opened[0].put_payload(pb.EventReceive(EventID="a", Sequence=7).SerializeToString())
    assert feed.wait(count=1)
    streams.opened[0].break_down(SubscriptionLost("gone", channel="gates"))
    assert eventually(lambda: feed.state == "not connected")
    streams.refuse = SubscriptionLost("still gone", channel="gates")

    with pytest.raises(SubscriptionLost):
        feed.retry()
    assert (feed.state, feed.note) == ("not connected", "still gone")
    streams.refuse = None
    feed.retry()

    assert (feed.state, feed.position.kind, feed.position.value) == ("live", "sequence", 8)
    assert feed.errors == 2


def test_what_the_broker_dropped_is_counted_and_marked_once_an_episode(begin, stream, monkeypatch):
    feed = begin()
    stream.put("a")
    assert feed.wait(count=1)

    stream.change("live", missed=3)
    stream.change("live", missed=4)
    monkeypatch.setattr(live, "EPISODE", -1.0)
    stream.change("live", missed=5)

    assert (feed.status().received, feed.status().dropped) == (1, 12)
    assert feed.note == "12 were lost: they came faster than they were read here."
    assert feed.df.attrs["gaps"] == [(1, live.MISSED), (1, live.MISSED)]
