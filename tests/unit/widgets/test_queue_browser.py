"""The queue browser's widget and the card, on a real broker, without a browser."""

import os
import signal

import pytest

import kubemq_nb
from kubemq_nb.session import Feed
from kubemq_nb.widgets.message import dump, edited, opened
from kubemq_nb.widgets.peeked import first
from kubemq_nb.widgets.views import Views
from tests.unit.widgets.conftest import eventually

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def variables():
    return {}


@pytest.fixture
def shown(session, channel, variables):
    """A widget of a queue with two flights."""
    session.queues.send(
        channel, {"origin": "LGA", "flight": 1}, max_receive_count=3, dead_letter=f"{channel}.dead"
    )
    session.queues.send(channel, {"origin": "EWR", "flight": 2}, tags={"day": "1"}, expiration=300)
    browser = variables["browser"] = session.ui("queues", channel)
    views = Views(variables)
    view = views.of(browser)
    yield view
    browser.close()
    view.close()


def act(view, name, **more):
    """Do what a button does, and wait until it is done."""
    view.act({"do": name, **more})
    assert eventually(lambda: not view.busy)


def cells(view, label):
    labels = [column["label"] for column in view.table["columns"]]
    return [row["cells"][labels.index(label)] for row in view.table["rows"]]


def counts(view):
    return dict(view.status["counts"])


def test_a_message_is_a_row_with_its_attributes_and_fields(shown):
    assert cells(shown, "seq") == ["1", "2"]
    assert cells(shown, "origin") == ["LGA", "EWR"]
    assert cells(shown, "received") == ["1 of 3", "1"]
    assert cells(shown, "tags") == [[], [["day", "1"]]]
    assert [row["expires"] is None for row in shown.table["rows"]] == [True, False]
    assert counts(shown) == {"waiting": "2", "peeked": "2", "held": "0", "delayed": "0", "expired": "0"}


def test_the_column_received_says_that_it_counts_the_receive_that_comes_next(shown):
    column = next(each for each in shown.table["columns"] if each["label"] == "received")
    assert "1 means that nobody has received it yet" in column["title"]

    shown.act({"do": "open", "number": 1})
    assert dict(shown.detail["facts"])["received"] == "not yet"
    act(shown, "hold")
    act(shown, "reject")
    shown.act({"do": "open", "number": 3})
    assert dict(shown.detail["facts"])["received"] == "1 time"


def test_a_filter_and_an_order_are_choices_of_the_view(shown):
    shown.act({"do": "filter", "text": 'body.origin == "EWR"'})
    assert cells(shown, "seq") == ["2"]
    shown.act({"do": "filter", "text": ""})
    shown.act({"do": "sort", "column": "sequence"})
    assert cells(shown, "seq") == ["2", "1"]
    shown.act({"do": "sort", "column": "expiration_at"})
    assert cells(shown, "seq") == ["2", "1"]  # what never expires stands last


def test_a_wrong_filter_is_said_below_it_and_harms_nothing(shown):
    shown.act({"do": "filter", "text": "body.origin =="})

    assert "where" in shown.table["wrong"]
    shown.act({"do": "filter", "text": ""})
    assert shown.table["wrong"] == ""
    assert len(shown.table["rows"]) == 2


def test_an_open_message_has_its_tabs(shown):
    shown.act({"do": "open", "number": 2})

    detail = shown.detail
    assert detail["decoded"] == '{\n  "origin": "EWR",\n  "flight": 2\n}'
    assert detail["raw"] == '{"origin": "EWR", "flight": 2}'
    assert detail["hex"].startswith("0000  7b 22 6f 72")
    assert detail["tags"] == [["day", "1"]]
    assert dict(detail["facts"])["dead letter"] == "none"
    assert "the queue is unchanged" in detail["how"]
    shown.act({"do": "open", "number": None})
    assert shown.detail == {}


@pytest.mark.rows("T-12")
def test_a_held_message_shows_its_deadline_and_ack_settles_it(shown):
    act(shown, "hold")
    card = shown.card
    assert (card["state"], card["title"], card["about"]) == ("held", "sequence 1", "received 1 of 3")
    assert card["visibility"] == pytest.approx(30, abs=1)
    assert (counts(shown)["held"], shown.status["can_hold"]) == ("1", False)
    assert shown.foot["code"] == "browser.hold()"

    act(shown, "ack")

    assert shown.card["state"] == "done"
    assert shown.card["done"]["text"].startswith("Acked after")
    assert "Settlement(sequences=(1,), is_error=False)" in shown.card["done"]["hint"]
    assert (counts(shown)["waiting"], counts(shown)["held"]) == ("1", "0")
    assert shown.foot["code"] == "browser.held.ack()"


@pytest.mark.rows("T-12")
def test_reject_gives_it_back_received_once_more(shown):
    act(shown, "hold")
    act(shown, "reject")

    assert shown.card["done"]["text"].startswith("Rejected after")
    assert cells(shown, "received") == ["1", "2 of 3"]


@pytest.mark.rows("T-12")
def test_extend_sets_the_deadline_anew(shown):
    act(shown, "hold")
    before = shown.card["deadline"]
    act(shown, "extend", seconds="90 s")

    assert shown.card["deadline"] > before + 50_000
    assert shown.card["visibility"] == 90
    act(shown, "extend", seconds="soon")
    assert "extend wants seconds, such as 30, not soon" in shown.said["head"].lower() + shown.said["rest"]
    assert shown.card["state"] == "held"


@pytest.mark.rows("T-12")
def test_resend_moves_it_to_the_queue_that_was_named(shown, session, channel):
    act(shown, "hold")
    assert shown.card["resend"] == f"{channel}.dead"
    act(shown, "resend", channel="")
    assert "wants a queue" in shown.said["head"]
    act(shown, "resend", channel=f"{channel}.later")

    assert shown.card["state"] == "done"
    assert session.queues.peek(f"{channel}.later")["decoded"].tolist() == [{"origin": "LGA", "flight": 1}]


@pytest.mark.rows("T-12")
def test_a_held_dead_letter_is_offered_to_the_queue_that_it_came_from(session, channel):
    session.queues.send(f"{channel}.rebook", "x", max_receive_count=1, dead_letter=f"{channel}.lost")
    session.queues.transaction(f"{channel}.rebook").reject()
    view = Views({}).of(session.ui("queues", f"{channel}.lost"))
    act(view, "hold")

    assert view.card["resend"] == f"{channel}.rebook"
    view.source.close()
    view.close()


@pytest.mark.rows("T-12")
def test_modify_sends_a_changed_message_in_its_place(shown, session, channel):
    act(shown, "hold")
    shown.act({"do": "edit", "on": True})
    fields = {name: shown.editor[name] for name in ("body", "metadata", "tags", "channel")}
    assert fields["body"] == '{"origin": "LGA", "flight": 1}'

    act(shown, "modify", fields=fields | {"body": '{"origin": "BOS"'})
    assert "Line 1, column" in shown.said["head"]
    assert "Nothing was sent." in shown.said["rest"]
    assert shown.card["state"] == "held"
    act(shown, "modify", fields=fields | {"body": '{"origin": "BOS"}', "tags": "day=2\n\nnight=yes"})

    assert shown.editor == {}
    changed = session.queues.peek(channel).iloc[-1]
    assert (changed["decoded"], changed["tags"]) == ({"origin": "BOS"}, {"day": "2", "night": "yes"})


@pytest.mark.rows("T-12")
def test_when_the_time_is_over_the_card_says_what_the_server_says(shown):
    shown.source.hold(1)
    shown.refresh()

    assert eventually(lambda: shown.card["state"] == "lost")
    assert eventually(lambda: cells(shown, "received") == ["1", "2 of 3"])  # it looked by itself
    assert (counts(shown)["waiting"], counts(shown)["held"]) == ("2", "0")
    assert (
        shown.card["done"]["text"] == "Its 1 s ran out (error 129). It is back in the queue, received 2 of 3."
    )
    act(shown, "ack")
    assert shown.card["done"]["text"].startswith("Ack came too late: its 1 s ran out")
    assert "(error 129)" in shown.card["done"]["text"]
    act(shown, "hold")
    assert shown.card["state"] == "held"


@pytest.mark.embedded_only
def test_a_held_message_whose_broker_was_killed_is_looked_for_by_itself():
    with kubemq_nb.connect(name="killed") as session:
        session.queues.send("orders", rows=["a", "b"])
        view = Views({}).of(session.ui("queues", "orders"))
        act(view, "hold")
        before = view.status["as_of"]

        os.kill(session._link.embedded.running.pid, signal.SIGKILL)

        assert eventually(lambda: sorted(cells(view, "body")) == ["a", "b"], seconds=60)
        assert (counts(view)["waiting"], counts(view)["held"]) == ("2", "0")
        assert view.status["as_of"] > before
        assert view.said == {}
        view.close()


def test_what_a_cell_does_with_the_held_message_shows_too(shown):
    act(shown, "hold")
    shown.source.held.ack()

    assert eventually(lambda: shown.card["state"] == "done")
    assert shown.card["done"]["text"].startswith("Acked: removed from")


def test_a_purge_asks_with_the_count_of_that_moment(shown, session, channel):
    act(shown, "hold")
    session.queues.send(channel, "late")
    act(shown, "ask")
    assert shown.asking["head"] == f"Remove all 2 waiting messages from {channel}?"
    assert shown.asking["rest"] == "They cannot be brought back. The 1 held message is not touched."
    assert shown.asking["act"] == "Remove 2 messages"

    shown.act({"do": "keep"})
    assert shown.asking == {}
    assert counts(shown)["waiting"] == "2"
    act(shown, "ask")
    act(shown, "purge")

    assert shown.said["head"] == "2 messages are removed."
    assert (counts(shown)["waiting"], counts(shown)["held"]) == ("0", "1")
    assert shown.foot["code"] == "browser.purge()"


def test_to_dataframe_hands_over_what_is_shown(shown, variables):
    shown.act({"do": "filter", "text": "EWR"})
    shown.act({"do": "frame"})

    assert len(variables[shown.said["code"]]) == 1


def test_without_a_name_the_foot_shows_the_line_of_the_grammar(session, channel):
    session.queues.send(channel, "x")
    view = Views({}).of(session.ui("queues", channel))
    act(view, "refresh", count="5")

    assert view.foot["code"] == f"%kubemq queues peek {channel} -n 5"
    assert view.about["count"] == 5
    act(view, "refresh", count="0")
    assert view.said == {} or "bad" in view.said["tone"]
    view.close()


def test_an_error_of_the_broker_is_said_in_the_view(shown):
    act(shown, "refresh", count="5000")

    assert shown.said["tone"] == "bad"
    assert "at most 1,024" in shown.said["head"]
    assert len(shown.table["rows"]) == 2


def test_an_empty_queue_says_what_is_true(session, channel):
    session.queues.send(channel, "later", delay=60)
    view = Views({}).of(session.ui("queues", channel))

    assert view.table["empty"]["head"] == f"No message waits in {channel}"
    assert "1 delayed" in view.table["empty"]["rest"]
    view.close()


def test_a_read_only_connection_is_told_why_there_are_no_buttons(address, credentials, session, channel):
    session.queues.send(channel, "x")
    with kubemq_nb.connect(address, name="onlooker", read_only=True, **credentials) as onlooker:
        view = Views({}).of(onlooker.ui("queues", channel))
        assert view.about["read_only"].startswith("Read-only connection")
        act(view, "hold")
        assert "read-only" in view.said["head"]
        view.close()


def test_a_message_that_nobody_knows_and_an_action_that_is_none_do_no_harm(shown):
    shown.act({"do": "open", "number": 99})
    assert "99 is not among the messages" in shown.said["head"]
    shown.act({"do": "dismiss"})
    shown.act({"do": "explode"})
    shown.act({})
    assert shown.said == {}


def test_large_and_strange_bodies_are_cut_and_stay_text(session, channel):
    session.queues.send(channel, "x" * 1_000_000, metadata=MARKUP, tags={MARKUP: MARKUP})
    session.queues.send(channel, bytes(range(256)))
    session.queues.send(channel, {MARKUP: MARKUP})
    view = Views({}).of(session.ui("queues", channel))
    for row in view.table["rows"]:
        view.act({"do": "open", "number": row["number"]})
        assert all(len(str(value)) < 25_000 for value in view.detail.values())
    assert len(str(view.table)) < 5_000
    view.close()


def test_a_browser_that_was_let_go_says_so_and_does_nothing(shown):
    shown.let_go()
    shown.act({"do": "hold"})

    assert shown.busy == ""
    assert shown.said["head"] == "The kernel no longer holds this."


# ---------------------------------------------------------------- the card by itself


@pytest.mark.rows("T-12")
def test_a_transaction_shows_its_message_and_its_verbs(session, channel, variables):
    session.queues.send(channel, {"n": 1})
    tx = variables["tx"] = session.queues.transaction(channel, visibility=20, hold=0)
    view = Views(variables).of(tx)
    assert (view.card["state"], view.detail["head"]) == ("held", "Message 1")
    assert not view.ended

    act(view, "extend", seconds="60")
    act(view, "ack")

    assert view.card["state"] == "done"
    assert view.foot == {"code": "tx.ack()", "held": "nothing held"}
    assert view.ended
    view.close()


def test_a_transaction_of_several_lists_them_and_settles_all(session, channel):
    session.queues.send(channel, rows=["a", "b", "c"])
    tx = session.queues.transaction(channel, count=3)
    view = Views({}).of(tx)
    assert view.card["many"]
    assert [row[1:] for row in view.table["rows"]] == [["held", "a"], ["held", "b"], ["held", "c"]]

    act(view, "resend", channel=f"{channel}.next")

    assert view.card["done"]["text"].startswith("Resent")
    assert len(session.queues.peek(f"{channel}.next")) == 3
    view.close()


def test_a_view_whose_connection_was_closed_looks_no_more(address, credentials, channel):
    with kubemq_nb.connect(address, name="short", **credentials) as session:
        session.queues.send(channel, "x")
        views = Views({})
        shown = [views.of(model) for model in (session.ui(), session.ui("queues", channel))]
        shown.append(views.of(session.queues.transaction(channel)))

    assert eventually(lambda: not any(view._ticker.running for view in shown))
    assert [view.status["word"] for view in shown[:2]] == ["closed", "closed"]
    assert shown[2].card["state"] in {"done", "lost"}
    for view in shown:
        view.close()


def test_a_view_looks_until_what_it_holds_went_back_although_its_connection_is_closed(shown, monkeypatch):
    act(shown, "hold")
    closed = property(lambda _session: True)  # `close` says so before it gives anything back
    monkeypatch.setattr(type(shown.source.session), "closed", closed)

    assert shown._tick()
    act(shown, "ack")
    assert not shown._tick()


def test_what_goes_back_during_the_last_look_is_shown_by_another(shown, monkeypatch):
    act(shown, "hold")
    shown._ticker.stop()
    show = shown.show

    def show_and_end(source):
        show(source)
        if not source.held.finished:
            source.held.ack()

    monkeypatch.setattr(shown, "show", show_and_end)
    monkeypatch.setattr(type(shown.source.session), "closed", property(lambda _session: True))

    assert shown._tick()
    assert not shown._tick()
    assert shown.card["state"] == "done"


def test_a_queue_whose_connection_was_closed_offers_nothing_more(address, credentials, channel):
    with kubemq_nb.connect(address, name="short", **credentials) as session:
        session.queues.send(channel, rows=["a", "b"])
        view = Views({}).of(session.ui("queues", channel))
        act(view, "hold")
        view.act({"do": "edit", "on": True})
        act(view, "ask")

    assert eventually(lambda: view.status["word"] == "closed")
    assert (view.status["closed"], view.status["can_hold"]) == (True, False)
    assert (view.asking, view.editor) == ({}, {})
    assert counts(view)["held"] == "–"  # noqa: RUF001  nobody knows any more
    assert view.status["note"]["head"] == "The connection short was closed."
    view.close()


def test_a_transaction_without_a_message_has_no_card(session, channel):
    view = Views({}).of(session.queues.transaction(channel, wait=0))

    assert view.card == {}
    assert view.detail == {}
    view.close()


# ---------------------------------------------------------------- parts


def test_a_dump_shows_place_bytes_and_what_is_visible():
    (line,) = dump(b'{"carrier": "MQ"')
    assert line == '0000  7b 22 63 61 72 72 69 65  72 22 3a 20 22 4d 51 22  {"carrier": "MQ"'
    assert list(dump(bytes(17)))[1] == "0010  00                                                ."


def test_only_what_was_changed_is_sent():
    before = {"body": "a", "is_json": False, "metadata": "", "tags": "k=v", "channel": "c"}

    assert edited(before, before) == {}
    assert edited(before | {"tags": "k=w=x", "channel": " d "}, before) == {
        "tags": {"k": "w=x"},
        "channel": "d",
    }
    with pytest.raises(ValueError, match="a tag is key=value"):
        edited(before | {"tags": "novalue"}, before)
    assert edited(before | {"body": None}, before | {"body": None}) == {}


def test_an_opened_message_tells_the_size_of_the_whole(session, channel):
    session.queues.send(channel, b"\xff" * 10_000)
    detail = opened(first(session.queues.peek(channel)), hint="")

    assert detail["dumped"] == "First 4,096 of 10 kB."
    assert "No text" in detail["how"]


def test_a_body_is_copied_as_it_is_and_not_as_it_is_shown(session, channel):
    text = '{\n\t"note": "caf\u00e9 \u202e ' + "x" * 30_000 + '"\n}'
    session.queues.send(channel, text.encode())
    detail = opened(first(session.queues.peek(channel)), hint="")

    assert (detail["copy"], detail["uncopied"]) == (text, "")
    assert detail["raw"] != text


@pytest.mark.parametrize(
    ("body", "why"), [(b"\xff\xfe", "no text"), (b"x" * 200_000, "200 kB are not copied")]
)
def test_a_body_that_cannot_be_copied_says_why(session, channel, body, why):
    session.queues.send(channel, body)
    detail = opened(first(session.queues.peek(channel)), hint="")

    assert detail["copy"] == ""
    assert why in detail["uncopied"]


def test_a_pane_that_is_closed_ends_the_subscription_that_it_began(session, channel):
    view = Views({}).of(session.ui())
    view.act({"do": "act", "what": "tail", "kind": "events", "channel": channel})
    assert eventually(lambda: view.child is not None)
    feed = view.child.source
    assert isinstance(feed, Feed)

    view.act({"do": "close"})

    assert feed.state == "stopped"
    assert view.child is None
    session.stop("all")
    view.close()
