import pytest

from kubemq_nb.broker.engine.clock import SECOND
from kubemq_nb.broker.engine.durable import SAVE_AFTER, Durable
from kubemq_nb.broker.engine.events import Refused
from kubemq_nb.broker.engine.events_store import PAGE_EVENTS
from kubemq_nb.broker.engine.plan import InsertEvents, StoredEvent
from tests.unit.broker.harness import BEGIN, drain

NEW, FIRST, LAST, SEQUENCE, TIME, DELTA = range(1, 7)


@pytest.fixture
def five(engine):
    """Five stored events, three of them two seconds before the others."""
    for number in range(1, 6):
        if number == 4:
            engine.clock.advance(2)
        engine.store_event("log", f"e{number}")
    return engine


@pytest.mark.parametrize(
    ("type", "value", "expected"),
    [
        (NEW, 0, [6]),
        (FIRST, 0, [1, 2, 3, 4, 5, 6]),
        (LAST, 0, [5, 6]),
        (SEQUENCE, 3, [3, 4, 5, 6]),
        (SEQUENCE, 99, [6]),
        (TIME, BEGIN + SECOND, [4, 5, 6]),
        (TIME, 1_700_000_000, [1, 2, 3, 4, 5, 6]),
        (TIME, BEGIN + 3600 * SECOND, [6]),
        (DELTA, 1, [4, 5, 6]),
        (DELTA, 3600, [1, 2, 3, 4, 5, 6]),
        (DELTA, 10**10, [1, 2, 3, 4, 5, 6]),
        (7, 0, [6]),
    ],
)
def test_a_new_reader_begins_where_it_asks_to(five, type, value, expected):
    reader = five.read("log", type=type, value=value)

    five.store_event("log", "e6")

    assert drain(reader) == [f"e{number}#{number}" for number in expected]


def test_an_event_is_not_read_before_its_commit(engine):
    reader = engine.read("log")
    engine.commits.hold_back()
    answers = engine.store_event("log", "a")
    early = (list(answers), drain(reader))

    engine.commits.let_go()

    assert early == ([], [])
    assert (answers, drain(reader)) == ([""], ["a#1"])


def test_a_failed_commit_is_told_and_nothing_is_read(engine):
    reader = engine.read("log")
    engine.commits.failing = "disk full"

    answers = engine.store_event("log", "a")

    assert answers == ["disk full"]
    assert drain(reader) == []


def test_an_event_that_was_refused_leaves_no_gap_in_the_numbers(engine):
    engine.commits.failing = "disk full"
    engine.store_event("log", "a")
    engine.commits.failing = ""
    engine.clock.advance(2)

    engine.store_event("log", "b")

    assert drain(engine.read("log")) == ["b#1"]


def test_an_event_stored_by_a_commit_that_seemed_to_fail_is_read(engine):
    reader = engine.read("log")
    engine.commits.failing = "disk broken"
    engine.store_event("log", "a")
    stored = StoredEvent(1, engine.clock.now(), b"a#1")
    engine.commits.store.apply([[InsertEvents(engine.events_store.get("log").id, [stored])]])
    engine.commits.failing = ""

    engine.clock.advance(2)

    assert drain(reader) == ["a#1"]


def test_events_sent_together_are_one_plan_and_a_bad_one_stops_no_other(engine):
    reader = engine.read("log")
    engine.commits.hold_back()

    answers = engine.store_events(("log", "a"), ("a..b", "bad"), ("other", "b"), ("log", "c"))

    assert len(engine.commits.held_back) == 1
    engine.commits.let_go()
    assert answers == ["", "stan: invalid publish request", "", ""]
    assert drain(reader) == ["a#1", "c#2"]
    assert drain(engine.read("other", "second")) == ["b#1"]


def test_events_sent_together_are_refused_together_and_leave_no_gap(engine):
    engine.commits.failing = "disk full"
    answers = engine.store_events(("log", "a"), ("a..b", "bad"), ("log", "b"))
    engine.commits.failing = ""
    engine.clock.advance(2)

    engine.store_events(("log", "c"), ("log", "d"))

    assert answers == ["disk full", "stan: invalid publish request", "disk full"]
    assert drain(engine.read("log")) == ["c#1", "d#2"]


def test_all_that_a_commit_stored_that_seemed_to_fail_is_read_also_beyond_a_page(engine):
    engine.commits.failing = "disk broken"
    engine.store_event("log", "a")
    count = PAGE_EVENTS + 1
    stored = [StoredEvent(number, engine.clock.now(), b"x") for number in range(1, count + 1)]
    engine.commits.store.apply([[InsertEvents(engine.events_store.get("log").id, stored)]])
    engine.commits.failing = ""

    engine.clock.advance(2)
    engine.store_event("log", "b")

    assert drain(engine.read("log", type=LAST)) == [f"b#{count + 1}"]


def test_a_start_by_time_waits_for_a_store_that_cannot_tell_where_it_is(engine):
    engine.store_event("log", "a")
    engine.commits.failing = "disk broken"
    reader = engine.read("log", type=TIME, value=1)
    engine.commits.failing = ""

    engine.clock.advance(2)

    assert drain(reader) == ["a#1"]


@pytest.mark.parametrize("name", ["a/b", "../evil", ".a", "a..b"])
def test_what_the_real_storage_refuses_is_refused_and_not_called_sent(engine, name):
    assert engine.store_event(name, "a") == ["stan: invalid publish request"]


@pytest.mark.parametrize("type", [NEW, FIRST, LAST])
def test_a_reader_who_comes_back_goes_on_where_it_was(five, type):
    reader = five.read("log")
    drain(reader)
    five.events_store.unsubscribe(reader)
    five.store_event("log", "e6")

    assert drain(five.read("log", type=type)) == ["e6#6"]


def test_a_place_survives_a_restart(five):
    drain(five.read("log"))
    five.clock.advance(SAVE_AFTER / SECOND)
    again = five.restarted()
    again.store_event("log", "e6")

    assert drain(again.read("log")) == ["e6#6"]


def test_a_reader_that_was_only_there_has_a_place(five):
    five.events_store.unsubscribe(five.read("log", type=NEW))
    five.store_event("log", "e6")

    assert drain(five.restarted().read("log", type=NEW)) == ["e6#6"]


def test_what_was_taken_and_not_written_is_read_again(five):
    reader = five.read("log")
    reader.take()
    page = reader.take()
    reader.written()
    five.events_store.unsubscribe(reader)

    assert len(page) == 5
    assert drain(five.read("log")) == ["e2#2", "e3#3", "e4#4", "e5#5"]


def test_one_by_one_an_event_counts_as_written_when_the_next_is_asked_for(five):
    reader = five.read("log")
    reader.take()
    upcoming = reader.one_by_one(reader.take())

    open_ = [[event.sequence for event in reader.unwritten()] for _ in upcoming]
    behind = reader.unwritten()
    reader.take()

    assert open_ == [[1, 2, 3, 4, 5], [2, 3, 4, 5], [3, 4, 5], [4, 5], [5]]
    assert [event.sequence for event in behind] == [5]  # until more is asked for
    assert reader.unwritten() == []


def test_an_event_whose_writing_is_broken_off_is_read_again(five):
    reader = five.read("log")
    reader.take()
    upcoming = reader.one_by_one(reader.take())
    next(upcoming), next(upcoming)
    five.clock.advance(SAVE_AFTER / SECOND)
    crashed = five.restarted()
    five.events_store.unsubscribe(reader)

    assert drain(crashed.read("log")) == drain(five.read("log")) == ["e2#2", "e3#3", "e4#4", "e5#5"]


def test_places_that_change_within_a_moment_are_saved_together(five, monkeypatch):
    saved, begin = [], five.clock.now()
    readers = [five.read("log", name) for name in ("one", "two")]
    monkeypatch.setattr(Durable, "save", lambda durable: saved.append(five.clock.now()))

    for reader in readers:
        reader.take()
        five.clock.advance(SAVE_AFTER / SECOND / 4)
    five.clock.advance(SAVE_AFTER / SECOND)

    assert saved == [begin + SAVE_AFTER] * 2


def test_a_place_is_not_saved_any_more_when_its_reader_has_left_and_the_channel_is_gone(five):
    reader = five.read("log")
    drain(reader)
    five.events_store.unsubscribe(reader)
    five.delete("events_store", "log")
    five.clock.advance(2 * SAVE_AFTER / SECOND)

    assert list(five.commits.store.load().positions) == []


def test_an_id_reads_only_once_at_a_time_on_whatever_channel(five):
    five.read("log", "me")

    with pytest.raises(Refused, match="stan: clientID already registered"):
        five.read("other", "me")


def test_an_id_is_free_again_when_its_reader_has_left(five):
    five.events_store.unsubscribe(five.read("log", "me"))

    five.read("other", "me")


def test_members_of_a_group_share_without_overlap(engine):
    members = [engine.read("log", f"m{n}", group="g") for n in range(2)]
    for number in range(30):
        engine.store_event("log", f"e{number}")

    taken = [[], []]
    while sum(map(len, taken)) < 30:
        for mine, member in zip(taken, members, strict=True):
            for content in member.take():
                mine.append(content)
                member.written()

    assert len(set(taken[0]) | set(taken[1])) == 30
    assert len(taken[0]) == len(taken[1]) == 15


def test_a_group_remembers_its_place_for_other_clients(five):
    reader = five.read("log", "one", group="g")
    drain(reader)
    five.events_store.unsubscribe(reader)
    five.store_event("log", "e6")

    assert drain(five.read("log", "two", group="g")) == ["e6#6"]


def test_what_a_member_leaves_unwritten_goes_to_another(five):
    leaving, staying = five.read("log", "one", group="g"), five.read("log", "two", group="g")
    while not leaving.take():
        pass

    five.events_store.unsubscribe(leaving)

    assert drain(staying) == ["e1#1", "e2#2", "e3#3", "e4#4", "e5#5"]


def test_two_groups_and_a_lone_reader_each_get_everything(five):
    readers = [five.read("log", "a", group="g"), five.read("log", "b", group="h"), five.read("log", "c")]

    assert [len(drain(reader)) for reader in readers] == [5, 5, 5]


def test_a_long_log_is_read_in_pages(engine):
    for number in range(1, 1201):
        engine.store_event("log", str(number))

    assert drain(engine.read("log")) == [f"{n}#{n}" for n in range(1, 1201)]


def test_times_of_one_channel_never_go_back(engine):
    engine.store_event("log", "a")
    engine.clock._now -= 100 * SECOND

    engine.store_event("log", "b")

    stamps = [event.timestamp for event in engine.commits.store._events.values()]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    ("client_id", "channel", "type", "value", "text"),
    [
        ("", "a", FIRST, 0, "Error 101"),
        ("a.b", "", FIRST, 0, "stan: invalid clientID"),
        ("c", "", FIRST, 0, "Error 102"),
        ("c", "a.", FIRST, 0, "Error 119"),
        ("c", "a b", FIRST, 0, "Error 108"),
        ("c", "a.*", FIRST, 0, "Error 107"),
        ("c", "a", 0, 0, "Error 111"),
        ("c", "a", SEQUENCE, 0, "Error 112"),
        ("c", "a", TIME, -1, "Error 113"),
        ("c", "a", DELTA, 0, "Error 114"),
        ("c", "a/b", FIRST, 0, "stan: invalid subject"),
    ],
)
def test_bad_subscriptions_are_refused_in_the_order_of_the_real_server(
    engine, client_id, channel, type, value, text
):
    with pytest.raises(Refused, match=text):
        engine.read(channel, client_id, type=type, value=value)


def test_a_colon_is_refused_in_a_group_and_fine_in_a_channel(engine):
    with pytest.raises(Refused, match="can't contain the character ':'"):
        engine.read("log", "a", group="g:h")

    engine.read("lo:g", "b", group="g")
