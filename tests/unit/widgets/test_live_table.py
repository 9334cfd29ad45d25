import json
import threading
import time

import pytest
from ipywidgets import Label

import kubemq_nb
from kubemq_nb.errors import SubscriptionLost
from kubemq_nb.messages import StartPosition
from kubemq_nb.session.feed import Feed
from kubemq_nb.session.positions import as_start
from kubemq_nb.widgets import LiveTable, captions
from kubemq_nb.widgets.ticker import PERIOD
from tests.unit.session.streams import FedStream, request
from tests.unit.widgets.conftest import counter, eventually, shown


@pytest.mark.rows("M-09")
def test_body_fields_are_columns_in_a_group(filled, view):
    source = filled(kind="events_store")
    source.put({"carrier": "UA", "dep_delay": -6, "route": ["EWR", "IAH"]}, Tags={"day": "1"})

    table = view(source.feed)

    labels = [(column["label"], column.get("group", "")) for column in table.table["columns"]]
    assert labels == [
        ("seq", ""),
        ("age", ""),
        ("id", ""),
        ("tags", ""),
        ("carrier", "body"),
        ("dep_delay", "body"),
        ("rest of body", ""),
        ("size", ""),
    ]
    assert shown(table, "dep_delay") == ["-6"]
    assert shown(table, "rest of body") == ['route: ["EWR","IAH"]']


def test_five_fields_get_a_column_and_keep_it(filled, view):
    source = filled()
    source.put(dict.fromkeys("abcdefg", 1))
    table = view(source.feed)

    source.put(*[dict.fromkeys("gfedcba", 1)] * 3)
    table.refresh()

    fields = [column["label"] for column in table.table["columns"] if column.get("group")]
    assert fields == list("abcde")


def test_text_bodies_stand_in_one_column(filled, view):
    source = filled()
    source.put(b"gate C71 is closed", b"\xff\x00")

    table = view(source.feed)

    assert shown(table, "body") == ["gate C71 is closed", "ff 00"]


def test_a_megabyte_reaches_the_browser_as_a_cell_with_its_size(filled, view):
    source = filled()
    source.put({"manifest": "x" * 1_200_000}, b"y" * 3_000)

    table = view(source.feed)

    assert len(json.dumps(table.table)) < 3_000
    assert shown(table, "size") == ["1.2 MB", "3 kB"]


@pytest.mark.rows("M-16")
def test_the_browser_gets_two_hundred_rows_at_most(filled, view):
    source = filled()
    source.put(*[b"x"] * 500)

    table = view(source.feed)

    assert len(table.table["rows"]) == 200
    assert (counter(table, "received"), counter(table, "shown")) == ("500", "200")


@pytest.mark.rows("M-16")
def test_what_comes_fast_is_painted_seldom_and_shown_to_the_last(filled, view):
    source = filled(keep=300)
    table = view(source.feed)
    painted, began = [], time.monotonic()
    table.observe(painted.append, names="table")

    for number in range(1_000):
        source.put(b"%d" % number)  # waits until the feed has it: each is a change of its own

    assert eventually(lambda: shown(table, "body")[-1:] == ["999"])
    assert len(painted) <= (time.monotonic() - began) / PERIOD + 1
    assert shown(table, "body") == [str(number) for number in range(800, 1_000)]
    assert eventually(lambda: counter(table, "received") == "1,000")  # the status is painted behind the rows
    assert counter(table, "dropped") == "700"


@pytest.mark.rows("M-09")
def test_what_comes_is_shown_without_being_asked(filled, view):
    source = filled()
    table = view(source.feed)

    source.put(b"a")

    assert eventually(lambda: shown(table, "body") == ["a"])


def test_no_row_is_sent_again_while_nothing_comes(filled, view):
    source = filled()
    source.put(b"a")
    table = view(source.feed)
    painted = []
    table.observe(painted.append, names="table")

    assert not eventually(lambda: painted, 1.0)


@pytest.mark.rows("M-13")
def test_pause_stands_still_and_counts_what_came_meanwhile(filled, view):
    source = filled()
    source.put(b"a")
    table = view(source.feed)

    table.act({"do": "pause"})
    source.put(b"b", b"c")
    table.refresh()

    assert shown(table, "body") == ["a"]
    assert (table.status["word"], counter(table, "received")) == ("paused", "3")
    assert table.status["unseen"] == "2 new events since the pause. Receiving goes on."

    table.act({"do": "resume"})

    assert shown(table, "body") == ["a", "b", "c"]
    assert table.status["unseen"] == ""


def test_a_rate_falls_when_nothing_comes_any_more_however_early_it_was_shown(filled, view):
    source = filled()
    source.put(b"a", b"b", b"c")  # all within the first second, of which there is no history yet
    table = view(source.feed)
    shown_at_first = table.status["rate"]

    assert shown_at_first == "3.0"
    assert eventually(lambda: table.status["rate"] != shown_at_first, seconds=30)


def test_a_click_on_stop_waits_for_no_handler(filled, view):
    at_work, let_go = threading.Event(), threading.Event()

    def handler(_event):
        at_work.set()
        let_go.wait(10)

    source = filled(handler=handler)
    source.put(b"a")
    assert at_work.wait(5)
    table = view(source.feed)

    table.act({"do": "stop"})
    came_back = not let_go.is_set()  # the handler is at work still, and nobody let it go
    stopped = eventually(lambda: table.status["word"] == "stopped")
    let_go.set()

    assert came_back
    assert stopped
    assert eventually(lambda: source.stream.closed)


@pytest.mark.rows("M-13")
def test_stop_ends_the_subscription_and_the_ticker_and_keeps_the_rows(filled, view):
    source = filled()
    source.put(b"a")
    table = view(source.feed)

    table.act({"do": "stop"})

    assert eventually(lambda: source.stream.closed and table.status["word"] == "stopped")
    assert eventually(lambda: table.ended)
    table.act({"do": "filter", "text": "a"})
    assert shown(table, "body") == ["a"]


@pytest.mark.rows("M-13")
def test_clear_empties_the_view_and_says_that_the_channel_is_untouched(filled, view):
    source = filled()
    source.put(b"a")
    table = view(source.feed)

    table.act({"do": "clear"})

    assert table.table["rows"] == []
    assert "The channel is untouched" in table.table["empty"]["rest"]


@pytest.mark.rows("M-13")
def test_a_filter_says_how_many_of_those_held_it_shows(filled, view):
    source = filled()
    source.put(b"to BQN", b"to IAH", b"to BQN")
    table = view(source.feed)

    table.act({"do": "filter", "text": "bqn"})

    assert shown(table, "body") == ["to BQN", "to BQN"]
    assert counter(table, "shown") == "2 of 3"
    assert table.choices["filter"] == "bqn"


def test_a_filter_that_finds_nothing_says_so(filled, view):
    source = filled()
    source.put(b"a")
    table = view(source.feed)

    table.act({"do": "filter", "text": "zebra"})

    assert table.table["empty"]["head"] == "None of 1 held row matches “zebra”"


@pytest.mark.rows("M-09")
def test_to_dataframe_binds_a_variable_that_was_free(filled, view):
    source = filled(channel="gates.*")
    source.put(b"a")
    variables = {"gates": "the user's own"}
    table = view(source.feed, variables=variables)

    table.act({"do": "frame"})

    assert variables["gates"] == "the user's own"
    assert list(variables["gates_2"]["body"]) == [b"a"]
    assert table.said["code"] == "gates_2"

    source.put(b"b")
    table.act({"do": "frame"})

    assert set(variables) == {"gates", "gates_2"}
    assert len(variables["gates_2"]) == 2


@pytest.mark.parametrize(
    ("channel", "name"),
    [("list", "rows_list"), ("7.up", "rows_7_up"), (">", "rows"), ("flights.x", "flights_x")],
)
def test_a_channel_gives_a_name_that_python_takes(filled, view, channel, name):
    variables = {}
    table = view(filled(channel=channel).feed, variables=variables)

    table.act({"do": "frame"})

    assert list(variables) == [name]


def test_the_foot_names_the_variable_that_holds_the_feed(filled, view):
    source = filled(code="%kubemq events receive gates --live")
    table = view(source.feed, variables={"_4": source.feed, "live": source.feed})

    assert table.foot == {"code": "%kubemq events receive gates --live", "held": "0 rows in live.df"}

    table.act({"do": "pause"})

    assert table.foot["code"] == "live.pause()"


def test_a_feed_without_a_name_is_stopped_by_its_number(filled, view):
    source = filled()
    source.feed.id = 3
    table = view(source.feed)

    table.act({"do": "stop"})

    assert table.foot["code"] == "%kubemq stop 3"


def test_a_row_opens_with_its_whole_body(filled, view):
    source = filled(kind="events_store")
    source.put({"carrier": "UA", "notes": "x" * 900}, Metadata="late", Tags={"day": "1"})
    table = view(source.feed)

    table.act({"do": "open", "number": 1})

    assert (table.detail["head"], table.detail["tags"]) == ("Event 1", [["day", "1"]])
    assert json.loads(table.detail["body"]) == {"carrier": "UA", "notes": "x" * 900}
    assert table.detail["copy"] == json.dumps({"carrier": "UA", "notes": "x" * 900})  # as it was sent
    assert ["metadata", "late"] in table.detail["facts"]

    table.act({"do": "open", "number": None})

    assert table.detail == {}


def test_a_row_that_fell_out_cannot_be_opened_and_the_view_says_so(filled, view):
    source = filled(keep=1)
    source.put(b"a", b"b")
    table = view(source.feed)

    table.act({"do": "open", "number": 1})

    assert table.detail == {}
    assert table.said["head"] == "Row 1 is not among those held"


@pytest.mark.rows("M-22")
def test_the_open_row_is_sent_again_through_a_form_below(session, channel):
    feed = session.events.receive(channel, live=True)
    table = LiveTable(feed, open_view=lambda form: Label(str(form.arguments())), variables={"live": feed})
    assert table.about["can_send"]
    session.events.send(channel, "gate C71", metadata="late")
    assert feed.wait(count=1)

    table.act({"do": "open", "number": 1})
    table.act({"do": "form", "number": 1})

    assert (table.pane, table.foot["code"]) == ({"title": "Send event 1 again"}, "live.form(1)")
    assert "gate C71" in table.child.value
    table.act({"do": "close"})
    assert table.child is None
    table.close()


def test_where_nothing_can_be_sent_no_row_offers_it(session, credentials, filled, view):
    with kubemq_nb.connect(session.address, name="looking", read_only=True, **credentials) as looking:
        feed = looking.events.receive("gates", live=True)

        assert not view(feed).about["can_send"]
        assert not view(filled().feed).about["can_send"]


def test_a_broken_connection_is_a_notice_and_a_mark_between_rows(filled, view):
    source = filled()
    source.put(b"a")
    table = view(source.feed)

    source.stream.change("reconnecting", "connection lost. Nothing answers.", attempt=2, pause=1.0)
    table.refresh()
    during = table.status
    source.stream.change("live", "events of 3 s may be missing")
    table.refresh()

    assert during["word"] == "reconnecting"
    assert (during["note"]["head"], during["note"]["rest"]) == ("Connection lost.", "Nothing answers.")
    assert during["outage"]["attempt"] == 2
    assert during["outage"]["next_at"] - during["outage"]["since"] == 1_000
    assert table.table["marks"] == [[1, "events of 3 s may be missing"]]
    assert table.status["note"] is None
    assert table.status["outage"] == {}


@pytest.mark.parametrize(
    ("kind", "channel", "start", "can_send", "act"),
    [
        ("events", "gates", None, True, "form"),
        ("events", "gates", None, False, ""),
        ("events", "gates.*", None, True, ""),  # nobody can send to a pattern
        ("events_store", "gates", "first", True, "form"),
        ("events_store", "gates", "new", False, "replay"),
    ],
)
def test_where_nothing_came_yet_there_is_one_thing_to_do(filled, kind, channel, start, can_send, act):
    feed = filled(kind=kind, channel=channel, start=start and as_start(start)).feed

    told = captions.empty(feed, feed.status(), text="", can_send=can_send)

    assert told["act"] == act
    feed.stop()
    assert captions.empty(feed, feed.status(), text="", can_send=can_send)["act"] == ""


def test_a_choice_is_heard_with_what_it_came_to(filled, view):
    table = view(filled().feed)
    seen = []
    table.observe(lambda change: seen.append((change["new"], table.choices["follow"])), "heard")

    table.act({"do": "follow", "on": False, "turn": "hand 1"})
    table.act({"do": "follow", "on": True, "turn": "hand 2"})

    assert seen == [("hand 1", False), ("hand 2", True)]


def test_a_feed_that_is_lost_says_so_and_keeps_its_rows(filled, view):
    source = filled()
    source.put(b"a")
    table = view(source.feed)

    source.stream.break_down(SubscriptionLost("the token is no longer valid"))

    assert eventually(lambda: table.status["word"] == "not connected")
    assert table.status["note"]["tone"] == "bad"
    assert shown(table, "body") == ["a"]


def test_an_action_that_fails_is_said_in_the_view(filled, view):
    table = view(filled().feed)

    table.act({"do": "open", "number": "one"})

    assert table.said["tone"] == "bad"


def test_a_message_that_means_nothing_does_nothing(filled, view):
    table = view(filled().feed)
    before = table.get_state()

    table.act({"do": "__class__"})
    table.act({})

    assert table.get_state() == before


def test_a_closed_view_stops_looking_and_leaves_the_feed_alone(filled, view):
    source = filled()
    table = view(source.feed)

    table.close()

    assert eventually(lambda: not table._ticker.running)
    assert not source.feed.finished


def test_a_view_of_requests_shows_question_answer_and_time(desk, view):
    one = desk(lambda request: {"mean_delay": 6.93})
    one.ask('{"carrier": "AA"}')

    table = view(one.responder)

    assert table.status["word"] == "taking requests"
    assert shown(table, "request") == ['{"carrier":"AA"}']
    assert shown(table, "executed") == [["yes", "good", "check"]]
    assert shown(table, "answer") == ['{"mean_delay":6.93}']
    assert shown(table, "latency")[0].endswith("ms")


def test_a_refusal_shows_its_reason(desk, view):
    def refuse(request):
        raise ValueError("gate C71 is taken")

    one = desk(refuse)
    one.ask("C71")

    table = view(one.responder)

    assert shown(table, "executed") == [["no", "bad", "close"]]
    assert shown(table, "answer") == ["ValueError: gate C71 is taken"]


def test_a_request_at_work_gets_its_answer_in_the_same_row(desk, view):
    go = threading.Event()
    one = desk(lambda request: go.wait(10) and "done")
    one.send("slow")
    assert eventually(lambda: one.responder.status().received == 1)
    table = view(one.responder)
    before = shown(table, "executed")

    go.set()

    assert before == [["answering", "off", "clock"]]
    assert eventually(lambda: shown(table, "executed") == [["yes", "good", "check"]])
    assert shown(table, "no.") == ["1"]


def test_a_view_has_a_repr_that_is_the_same_in_every_run(filled, view):
    assert repr(view(filled().feed)) == "<Live table of gates>"


def test_a_filter_that_is_none_is_told_at_the_field_until_it_is_mended(filled, view):
    source = filled()
    source.put(b"a", b"b")
    table = view(source.feed)

    table.act({"do": "filter", "text": "size >"})
    assert "where, column" in table.choices["wrong_filter"]
    assert shown(table, "body") == ["a", "b"]

    table.act({"do": "filter", "text": ""})
    assert table.choices["wrong_filter"] == ""


def test_a_filter_set_in_python_shows_in_the_field(filled, view):
    source = filled()
    source.put(b"a", b"b")
    table = view(source.feed)

    source.feed.filter("b")

    assert eventually(lambda: shown(table, "body") == ["b"])
    assert table.choices["filter"] == "b"


def test_a_start_is_picked_and_taken_only_when_it_is_started_again(view):
    made = []

    def subscribe(on_state):
        made.append(FedStream())
        return made[-1].subscribe(on_state)

    feed = Feed(kind="events_store", channel="gates", start=StartPosition.first())
    feed.begin(subscribe)
    table = view(feed, variables={"live": feed})

    table.act({"do": "start", "choice": "sequence", "text": "12"})
    assert (table.choices["start"], feed.start.kind, len(made)) == ("sequence", "first", 1)

    table.act({"do": "restart", "choice": "sequence", "text": "none"})
    assert table.choices["wrong_start"] == "a sequence is a whole number such as 1200, not none"

    table.act({"do": "restart", "choice": "sequence", "text": "12"})
    assert eventually(lambda: len(made) == 2 and table.choices["began"] == ["sequence", "12"])
    assert feed.start.value == 12
    assert eventually(lambda: table.foot["code"] == "live.restart(start='seq:12')")
    feed.stop()


def test_a_request_without_an_answer_in_time_is_too_late(desk, view):
    late = desk(lambda request: time.sleep(0.02) or "late")
    late.stream.put_payload(request("hurry", Timeout=10))
    assert late.responder.wait(count=1)

    table = view(late.responder)

    assert shown(table, "executed") == [["too late", "warn", "clock"]]
