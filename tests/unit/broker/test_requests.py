import pytest

from kubemq_nb.broker.engine.events import Refused
from kubemq_nb.broker.engine.requests import Answer, Ask
from tests.unit.broker.harness import taken


class Asking:
    """One request and what became of it."""

    def __init__(self, engine, channel="sum", *, kind="commands", timeout=1000, key="", ttl=0, empty=False):
        self.outcomes = []
        self.forget = engine.requests.send(
            Ask(kind, "asker", channel, empty, timeout, key, ttl, lambda inbox: inbox.encode()),
            reply=lambda content: self.outcomes.append(content.decode()),
            hit=lambda content: self.outcomes.append(f"kept {content.decode()}"),
            timed_out=lambda: self.outcomes.append("timed out"),
        )


def responder(engine, channel="sum", *, kind="commands", group=""):
    return engine.requests.subscribe(kind, "responder", channel, group, lambda: None)


def answer(engine, inbox, text="done", *, executed=True):
    engine.requests.respond(Answer("responder", "id", inbox, executed, text.encode()))


def test_an_answer_reaches_the_asker(engine):
    responding = responder(engine)
    asking = Asking(engine)

    answer(engine, responding.take().decode())

    assert asking.outcomes == ["done"]


def test_the_first_answer_wins_and_later_ones_are_forgotten(engine):
    asking = Asking(engine)

    answer(engine, "inbox-1", "first")
    answer(engine, "inbox-1", "second")

    assert asking.outcomes == ["first"]


def test_without_an_answer_the_whole_timeout_passes(engine):
    asking = Asking(engine, timeout=700)

    engine.clock.advance(0.69)
    early = list(asking.outcomes)
    engine.clock.advance(0.01)

    assert (early, asking.outcomes) == ([], ["timed out"])


def test_an_answer_that_comes_too_late_is_forgotten(engine):
    asking = Asking(engine)
    engine.clock.advance(1)

    answer(engine, "inbox-1")

    assert asking.outcomes == ["timed out"]


def test_an_asker_that_has_gone_leaves_nothing_behind(engine):
    asking = Asking(engine)
    asking.forget()

    engine.clock.advance(5)
    answer(engine, "inbox-1")

    assert asking.outcomes == []


def test_commands_and_queries_do_not_meet(engine):
    responding = responder(engine, kind="queries")

    Asking(engine, kind="commands")

    assert responding.take() is None


def test_a_group_shares_and_others_all_get_a_request(engine):
    group = [responder(engine, group="g") for _ in range(3)]
    others = [responder(engine, "su*"), responder(engine, "*"), responder(engine)]

    Asking(engine)

    assert sum(len(taken(member)) for member in group) == 1
    assert [len(taken(other)) for other in others] == [0, 1, 1]


def test_a_kept_answer_is_given_until_its_time_is_over(engine):
    for _ in range(2):
        Asking(engine, kind="queries", key="k", ttl=10)
    answer(engine, "inbox-2", "42")
    kept = Asking(engine, kind="queries", key="k", ttl=10)

    engine.clock.advance(10)
    anew = Asking(engine, kind="queries", key="k", ttl=10)

    assert kept.outcomes == ["kept 42"]
    assert anew.outcomes == []


@pytest.mark.parametrize(
    ("channel", "key", "kind"), [("other", "k", "queries"), ("sum", "l", "queries"), ("sum", "k", "commands")]
)
def test_an_answer_is_kept_for_its_channel_and_key_and_for_queries_only(engine, channel, key, kind):
    Asking(engine, kind="queries", key="k", ttl=10)
    answer(engine, "inbox-1", "42")

    assert Asking(engine, channel, kind=kind, key=key, ttl=10).outcomes == []


def test_a_failed_answer_is_not_kept(engine):
    Asking(engine, kind="queries", key="k", ttl=10)
    answer(engine, "inbox-1", "no", executed=False)

    assert Asking(engine, kind="queries", key="k", ttl=10).outcomes == []


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({"kind": None}, 206),
        ({"channel": ""}, 102),
        ({"channel": "a."}, 119),
        ({"channel": "a b"}, 108),
        ({"channel": "a.*"}, 107),
        ({"timeout": 0, "empty": True}, 109),
        ({"empty": True}, 115),
        ({"key": "k"}, 116),
    ],
)
def test_bad_requests_are_refused_in_the_order_of_the_real_server(engine, fields, number):
    with pytest.raises(Refused, match=f"Error {number}:"):
        Asking(engine, **fields)


@pytest.mark.parametrize(
    ("channel", "group", "reason"),
    [
        ("a..b", "", "nats: invalid subject"),
        (".a", "", "nats: invalid subject"),
        ("a", "g h", "nats: invalid queue name"),
    ],
)
def test_names_that_live_events_cannot_have_are_none_for_requests_either(engine, channel, group, reason):
    with pytest.raises(Refused, match=reason):
        responder(engine, channel, group=group)


def test_an_answer_without_a_request_id_is_refused(engine):
    with pytest.raises(Refused, match="Error 117:"):
        engine.requests.respond(Answer("responder", "", "inbox-1", True, b""))
