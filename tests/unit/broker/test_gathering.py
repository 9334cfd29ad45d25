"""Small sends of several clients: which are stored together, and for how long one waits for the others."""

import pytest

from kubemq_nb.broker.engine.gathering import EACH, FAILED, MOST, MOST_BYTES, QUIET, SMALL, Gathering
from kubemq_nb.broker.engine.plan import InsertMessages
from kubemq_nb.broker.engine.sending import Draft
from tests.unit.broker.harness import SECOND, draft

A_MOMENT = QUIET / SECOND / 2


class Senders:
    """Requests by the ids of their messages, and what was answered to each."""

    def __init__(self, engine):
        self.engine = engine
        self.commits = []  # the ids stored by each plan, also by one that fails
        self.answers = {}
        self.failing = {}  # an id, and with what a plan fails that holds it
        self.gathering = Gathering(engine.queues)
        engine.queues.commit = self._commit

    def send(self, *ids, size=100, told=lambda: None):
        drafts = [id if isinstance(id, Draft) else draft("orders", id) for id in ids]
        name = "+".join(draft.id for draft in drafts)

        def answer(results):
            assert name not in self.answers
            self.answers[name] = [result.error for result in results]
            told()

        self.gathering.send(size, lambda: drafts, answer)

    def together(self, *ids):
        """Requests that are under way together, of which the first is answered; forgets their commits."""
        self.engine.commits.hold_back()
        for id in ids:
            self.send(id)
        self.answer_first()
        del self.commits[:]

    def answer_first(self):
        """Carry out the first plan that is held back; the others stay."""
        commits = self.engine.commits
        commits.held_back, others = commits.held_back[:1], commits.held_back[1:]
        commits.step()
        commits.held_back += others

    def answer(self):
        """Answer all that is under way, and go on without holding anything back."""
        self.engine.commits.let_go()

    def _commit(self, plan):
        inserts = [operation for operation in plan.operations if isinstance(operation, InsertMessages)]
        ids = [message.content.decode() for insert in inserts for message in insert.messages]
        if ids:
            self.commits.append(ids)
        for id in self.failing.keys() & set(ids):
            plan.failed(self.failing[id])
            return
        self.engine.commits(plan)


@pytest.fixture
def senders(engine):
    return Senders(engine)


def test_who_is_alone_never_waits(senders):
    for id in "abc":
        senders.send(id)

    assert senders.commits == [["a"], ["b"], ["c"]]
    assert senders.answers == {"a": [""], "b": [""], "c": [""]}


def test_requests_wait_for_as_many_as_were_under_way_when_one_was_answered(senders):
    senders.together("a", "b", "c")

    for id in "def":
        senders.send(id)

    assert senders.commits == [["d", "e", "f"]]
    senders.answer()
    assert senders.answers["f"] == [""]
    assert senders.engine.there("orders") == ["a", "b", "c", "d", "e", "f"]


def test_a_request_waits_no_longer_than_until_nobody_comes(senders):
    senders.together(*"abcdghijklmnopqr")

    senders.send("e")
    senders.engine.clock.advance(A_MOMENT)
    senders.send("f")
    senders.engine.clock.advance(2 * A_MOMENT)
    before = list(senders.commits)
    senders.engine.clock.advance(2 * A_MOMENT)

    assert before == []
    assert senders.commits == [["e", "f"]]


def test_a_request_does_not_wait_longer_whoever_comes(senders):
    senders.together("a", "b", "c", "d")
    latest = 4 * EACH / SECOND

    senders.send("e")
    senders.engine.clock.advance(latest - A_MOMENT / 10)
    senders.send("f")
    before = list(senders.commits)
    senders.engine.clock.advance(A_MOMENT / 10)

    assert before == []
    assert senders.commits == [["e", "f"]]


def test_senders_who_do_not_wait_for_answers_do_not_make_each_other_wait_longer_and_longer(senders, engine):
    sent, waited = {}, []
    engine.queues.commit = lambda plan: engine.clock.wake_at(
        engine.clock.now() + 3 * SECOND // 2000, lambda: engine.commits(plan)
    )

    for number in range(2000):
        sent[number] = engine.clock.now()
        senders.send(f"{number}", told=lambda number=number: waited.append(engine.clock.now() - sent[number]))
        engine.clock.advance(0.001)

    assert len(waited) > 1900
    assert max(waited) < SECOND // 100  # a millisecond and a half without the others


def test_who_is_left_alone_waits_once(senders):
    senders.together("a", "b")
    senders.send("c")
    senders.answer()
    before = list(senders.commits)
    senders.engine.clock.advance(2 * A_MOMENT)

    senders.send("d")

    assert before == []
    assert senders.commits == [["c"], ["d"]]


def test_a_large_request_does_not_wait_and_stays_behind_what_came_before(senders):
    senders.together("a", "b")

    senders.send("c")
    senders.send("d", "e", size=SMALL + 1)

    assert senders.commits == [["c"], ["d", "e"]]


def test_nobody_waits_for_large_requests(senders):
    senders.engine.commits.hold_back()
    senders.send("a")
    for id in "bc":
        senders.send(id, size=SMALL + 1)
    senders.answer_first()

    senders.send("d")

    assert senders.commits[-1] == ["d"]


def test_so_many_are_stored_together_at_most(senders):
    senders.together(*[f"{number}" for number in range(MOST + 10)])

    for number in range(MOST + 1):
        senders.send(f"then {number}")

    assert [len(ids) for ids in senders.commits] == [MOST]


def test_so_much_is_read_together_at_most(senders):
    senders.together(*[f"{number}" for number in range(MOST)])

    for number in range(MOST_BYTES // SMALL + 1):
        senders.send(f"then {number}", size=SMALL)

    assert [len(ids) for ids in senders.commits] == [MOST_BYTES // SMALL + 1]


def test_each_request_gets_its_own_results(senders):
    senders.together("a", "b")

    senders.send("c", Draft("refused", "", "orders", False, b"refused", b""))
    senders.send("d")
    senders.answer()

    assert senders.answers["d"] == [""]
    assert [error[:9] for error in senders.answers["c+refused"]] == ["", "Error 101"]


def test_requests_that_are_stored_together_fail_together(senders):
    senders.together("a", "b", "c")
    senders.failing = {"d": "no room"}

    senders.send("d")
    senders.send("e")
    senders.send("f")
    senders.send("g")
    senders.answer()

    assert senders.commits == [["d", "e", "f"]]
    assert [senders.answers[id] for id in "def"] == [["no room"]] * 3
    assert "g" not in senders.answers
    senders.engine.clock.advance(2 * A_MOMENT)
    assert senders.engine.there("orders") == ["a", "b", "c", "g"]


def broken():
    raise MemoryError


def test_where_a_request_cannot_be_read_all_are_told_and_nobody_waits_for_ever(senders, caplog):
    told = []
    senders.together("a", "b", "c")

    senders.send("d")
    senders.gathering.send(100, broken, told.extend)
    senders.send("e")
    senders.answer()
    senders.send("f")

    assert [result.error for result in told] == [FAILED]
    assert senders.answers["d"] == senders.answers["e"] == [FAILED]
    senders.engine.clock.advance(2 * A_MOMENT)
    assert senders.answers["f"] == [""]
    assert "MemoryError" in caplog.text


def test_an_answer_that_cannot_be_given_stops_no_other(senders, caplog):
    senders.together("a", "b", "c")

    senders.send("d", told=broken)
    senders.send("e")
    senders.send("f")
    senders.answer()

    assert senders.answers["e"] == senders.answers["f"] == [""]
    assert "MemoryError" in caplog.text


def test_what_cannot_be_planned_is_answered_and_who_comes_next_is_served(senders, monkeypatch, caplog):
    monkeypatch.setattr(senders.engine.queues, "sending", lambda _: broken())
    senders.send("a")
    monkeypatch.undo()

    senders.send("b")

    assert senders.answers == {"a": [FAILED], "b": [""]}
    assert "MemoryError" in caplog.text
