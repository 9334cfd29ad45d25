import pytest

from kubemq_nb.broker.engine import events as module
from kubemq_nb.broker.engine.events import Outgoing, Refused, event_error
from kubemq_nb.broker.engine.groups import matches
from tests.unit.broker.harness import taken


@pytest.fixture
def events(engine):
    return engine.events


def event(channel, body=b"x"):
    return Outgoing("id", "sender", channel, False, False, body)


def listen(events, channel, group=""):
    return events.subscribe("listener", channel, group, 0, lambda: None)


@pytest.mark.parametrize(
    ("pattern", "channel", "covered"),
    [
        ("a.b", "a.b", True),
        ("a.*", "a.b", True),
        ("a.*", "a.b.c", False),
        ("*.b", "a.b", True),
        ("a.>", "a.b.c", True),
        ("a.>", "a", False),
        (">", "anything", True),
        ("a.b", "a.b.c", False),
        ("a.b.c", "a.b", False),
        ("*", "a", True),
    ],
)
def test_wildcards_cover_what_they_should(pattern, channel, covered):
    assert matches(pattern, channel) is covered


def test_everybody_who_listens_gets_an_event(events):
    first, second, wild = listen(events, "a.b"), listen(events, "a.b"), listen(events, "a.*")

    events.send(event("a.b"))

    assert [taken(s) for s in (first, second, wild)] == [[b"x"]] * 3


def test_one_of_each_group_gets_an_event(events):
    group = [listen(events, "a", "g") for _ in range(3)]
    other = listen(events, "a", "h")

    events.send(event("a"))

    assert sum(len(taken(s)) for s in group) == 1
    assert taken(other) == [b"x"]


def test_who_has_left_gets_nothing(events):
    gone = listen(events, "a")
    events.unsubscribe(gone)

    events.send(event("a"))

    assert taken(gone) == []
    assert list(events.channels()) == []


def test_a_batch_has_a_bound_of_events_and_of_bytes_but_always_one(events, monkeypatch):
    monkeypatch.setattr(module, "BATCH_BYTES", 10)
    listener = listen(events, "a")
    for content in (b"12345", b"12345", b"1", b"larger than that", b"2", b"3"):
        events.send(event("a", content))

    batches = list(iter(lambda: listener.take_many(3), []))

    assert batches == [[b"12345", b"12345"], [b"1"], [b"larger than that"], [b"2", b"3"]]
    monkeypatch.setattr(module, "BUFFER_BYTES", 10)
    events.send(event("a", b"1234567890"))
    assert listener.take_many(3) == [b"1234567890"]
    assert listener.missed() == 0


def test_a_slow_listener_loses_events_and_the_others_do_not(events, monkeypatch, caplog):
    monkeypatch.setattr(module, "BUFFER_BYTES", 10)
    slow, quick = listen(events, "a"), listen(events, "a")
    for _ in range(4):
        events.send(event("a", b"12345"))
        quick.take()

    assert taken(slow) == [b"12345"] * 2
    assert (slow.missed(), quick.missed()) == (2, 0)
    assert slow.missed() == 0
    assert caplog.text.count("slow subscriber") == 1


@pytest.mark.parametrize("channel", [".", "..", "a..b", ".a"])
def test_names_with_empty_parts_cannot_be_listened_to(events, channel):
    with pytest.raises(Refused, match=r"Error 119|nats: invalid subject"):
        listen(events, channel)


def test_a_group_with_a_space_is_refused(events):
    with pytest.raises(Refused, match="nats: invalid queue name"):
        listen(events, "a", "g h")


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        (("id", "", "", True), 101),
        (("id", "c", "", True), 102),
        (("id", "c", "a .", True), 119),
        (("id", "c", "a *", True), 108),
        (("id", "c", "a*", True), 107),
        (("id", "c", "a", True), 110),
    ],
)
def test_rules_are_checked_in_the_order_of_the_real_server(fields, number):
    assert event_error(Outgoing(*fields, False, b"")).startswith(f"Error {number}:")
