import pytest

from kubemq_nb.errors import InvalidChannel
from tests.conformance.support import PATIENCE, counting, eventually, pass_time


def bodies(frame):
    return [body.decode() for body in frame["body"]]


@pytest.fixture
def listen(session, channel):
    """A live feed of the test's channel, or of another."""
    return lambda to=channel, **options: session.events.receive(to, live=True, **options)


@pytest.mark.rows("E-01")
def test_a_sent_event_says_that_it_was_sent(session, channel):
    result = session.events.send(channel, "x")

    assert (result.sent, result.is_error, result.error, result.channel) == (True, False, "", channel)


@pytest.mark.rows("E-02")
def test_a_stream_of_events_is_sent_in_order_with_a_summary(session, channel, listen):
    feed = listen()

    result = session.events.send(channel, rows=({"body": f"e{n}", "tags": {"n": str(n)}} for n in range(500)))

    assert feed.wait(count=500, timeout=PATIENCE)
    assert bodies(feed.df) == [f"e{n}" for n in range(500)]
    assert list(feed.df["tags"]) == [{"n": str(n)} for n in range(500)]
    assert (len(result), result.attrs["refused"]) == (500, 0)


@pytest.mark.rows("E-02")
def test_in_a_stream_a_bad_event_does_not_stop_the_others(session, channel, listen):
    feed = listen()

    result = session.events.send(channel, rows=["a", b"", "c"])

    assert feed.wait(count=2, timeout=PATIENCE)
    assert bodies(feed.df) == ["a", "c"]
    assert list(result["sent"]) == [True, False, True]
    assert "110" in result["error"][1]


@pytest.mark.rows("E-03")
def test_a_handler_is_called_with_each_event(session, channel):
    seen = []
    session.events.subscribe(channel, lambda event: seen.append((event.channel, event.body)))

    for number in range(3):
        session.events.send(channel, f"e{number}")

    eventually(lambda: len(seen) >= 3)
    assert seen == [(channel, f"e{number}".encode()) for number in range(3)]


@pytest.mark.rows("E-03", "M-15")
def test_events_are_captured_into_a_frame_up_to_a_count(session, channel):
    with counting(lambda body: session.events.send(channel, body)):
        captured = session.events.receive(channel, count=2, timeout=PATIENCE)

    one, next_one = map(int, bodies(captured))
    assert next_one == one + 1
    assert (captured.attrs["ended_by"], captured.attrs["complete"]) == ("count", True)


@pytest.mark.rows("E-03", "M-15")
def test_a_capture_ends_when_its_time_is_over(session, channel):
    captured = session.events.receive(channel, timeout=0.5)

    assert captured.empty
    assert captured.attrs["ended_by"] == "timeout"


@pytest.mark.rows("E-03")
def test_a_live_feed_holds_what_comes(session, channel, listen):
    feed = listen()

    session.events.send(channel, "one")

    assert feed.wait(count=1, timeout=PATIENCE)
    assert bodies(feed.tail()) == ["one"]
    assert feed.status().state == "live"


@pytest.mark.rows("E-04")
def test_a_bad_channel_surfaces_in_the_status_of_the_subscription(session, channel):
    told = []

    feed = session.events.subscribe("a bad channel", print, on_error=told.append)

    assert feed.status().state == "not connected"
    assert "a bad channel" in feed.status().note
    assert [type(error) for error in told] == [InvalidChannel]
    with pytest.raises(InvalidChannel):
        session.events.subscribe("a bad channel", print)


@pytest.mark.rows("E-04", "M-39")
def test_an_error_of_the_handler_surfaces_in_the_status_of_the_subscription(session, channel):
    told = []

    def handler(event):
        raise ValueError("cannot read this")

    feed = session.events.subscribe(channel, handler, on_error=told.append)
    session.events.send(channel, "x")

    eventually(lambda: told)
    assert "cannot read this" in feed.status().note
    assert feed.status().errors == 1


@pytest.mark.rows("E-05")
def test_after_stop_the_handler_is_never_called_again(session, channel):
    seen = []
    feed = session.events.subscribe(channel, lambda event: seen.append(event.body))
    witness = session.events.receive(channel, live=True)
    session.events.send(channel, "before")
    eventually(lambda: seen == [b"before"])

    feed.stop()
    session.events.send(channel, "after")

    assert witness.wait(count=2, timeout=PATIENCE)
    assert seen == [b"before"]
    assert feed.status().state == "stopped"


@pytest.mark.rows("E-06")
def test_two_of_a_group_share_the_events(session, channel, listen):
    members = [listen(group="g"), listen(group="g")]

    session.events.send(channel, rows=[f"e{n}" for n in range(50)])

    eventually(lambda: sum(feed.status().received for feed in members) >= 50)
    pass_time(0.2)  # for those that should not come
    assert sorted(body for feed in members for body in bodies(feed.df)) == sorted(f"e{n}" for n in range(50))


@pytest.mark.rows("E-07", "M-07")
def test_an_event_arrives_with_all_its_fields(session, channel, listen):
    feed = listen()
    wanted = ("my-id", channel, "note ü", b"\x00\xff", {"k": "v", "l": "w"})

    session.events.send(channel, b"\x00\xff", id="my-id", metadata="note ü", tags={"k": "v", "l": "w"})

    assert feed.wait(count=1, timeout=PATIENCE)
    row = feed.df.iloc[0]
    assert (row.id, row.channel, row.metadata, row.body, row.tags) == wanted


@pytest.mark.rows("E-08")
def test_a_late_subscriber_sees_nothing_of_before(session, channel, listen):
    witness = listen()
    session.events.send(channel, "early")
    assert witness.wait(count=1, timeout=PATIENCE)

    late = listen()
    session.events.send(channel, "now")

    assert late.wait(count=1, timeout=PATIENCE)
    assert bodies(late.df) == ["now"]
    assert session.events_store.receive(channel).empty


@pytest.mark.rows("E-09")
def test_two_subscribers_get_all_events_once_each(session, channel, listen):
    feeds = [listen(), listen()]

    for number in range(20):
        session.events.send(channel, f"e{number}")

    assert all(feed.wait(count=20, timeout=PATIENCE) for feed in feeds)
    assert [bodies(feed.df) for feed in feeds] == [[f"e{number}" for number in range(20)]] * 2


@pytest.mark.rows("E-10")
def test_a_star_stands_for_one_word_between_dots(session, channel, listen):
    feed = listen(f"{channel}.*.gate")

    for name in ("a.gate", "b.gate", "a.b.gate", "a.other", "c.gate"):
        session.events.send(f"{channel}.{name}", name)

    assert feed.wait(count=3, timeout=PATIENCE)
    assert bodies(feed.df) == ["a.gate", "b.gate", "c.gate"]
    assert list(feed.df["channel"]) == [f"{channel}.{name}" for name in ("a.gate", "b.gate", "c.gate")]


def test_a_row_of_a_queue_is_sent_as_an_event_without_its_policy(session, channel, listen):
    session.queues.send(channel, "x", expiration=60, tags={"k": "v"})
    feed = listen()

    session.events.send(channel, rows=session.queues.receive(channel))

    assert feed.wait(count=1, timeout=PATIENCE)
    assert list(feed.df["tags"]) == [{"k": "v"}]
