"""The committing thread on a real store, and on one whose connection fails."""

import errno
import queue
import sqlite3

import pytest

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Plan
from kubemq_nb.broker.storage import opening
from kubemq_nb.broker.storage.base import StoreError
from kubemq_nb.broker.storage.commits import Committer
from kubemq_nb.broker.storage.sqlite import SqliteStore, connect
from tests.contract.test_storage import QUEUE, message


class Faults(sqlite3.Connection):
    """A connection that counts its commits, and fails where a test says so."""

    commits = 0
    failing: dict = {}  # noqa: RUF012  (a part of a statement, to how often it fails and with what)
    failing_late: list = []  # noqa: RUF012  (with what a commit fails that has reached the disk)

    def execute(self, sql, *arguments):
        type(self).commits += sql == "COMMIT"
        for part, faults in self.failing.items():
            if part in sql and faults:
                raise faults.pop()
        done = super().execute(sql, *arguments)
        if sql == "COMMIT" and self.failing_late:
            raise self.failing_late.pop()
        return done


def io_error():
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    return error


def full():
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


class Engine:
    """The engine's thread: what is called there waits until a test looks."""

    def __init__(self, folder):
        self.outcomes = []
        self.opened = 0
        self._folder = folder
        self._calls = queue.SimpleQueue()
        self.committer = Committer(self._open, self._calls.put)

    def _open(self):
        self.opened += 1
        return SqliteStore(self._folder, connect=lambda path: connect(path, factory=Faults))

    def give(self, *operations, name):
        self.committer.commit(
            Plan(
                operations=list(operations),
                done=lambda results: self.outcomes.append((name, results)),
                failed=lambda reason: self.outcomes.append((name, reason)),
            )
        )

    def until(self, count):
        while len(self.outcomes) < count:
            self._calls.get(timeout=60)()
        return self.outcomes


@pytest.fixture
def engine(tmp_path):
    Faults.commits = 0
    Faults.failing = {}
    engine = Engine(tmp_path)
    yield engine
    engine.committer.close()


def insert(sequence):
    return plan.InsertMessages([message(sequence)])


def there(engine):
    engine.give(plan.ReadMessages(QUEUE, range(1, 100)), name="look")
    name, results = engine.until(len(engine.outcomes) + 1)[-1]
    assert name == "look"
    return [found.sequence for found in results[0]]


def test_plans_that_wait_share_one_commit_and_are_answered_in_order(engine):
    for number in range(1, 51):
        engine.give(insert(number), name=number)
    before = Faults.commits

    engine.committer.start()

    assert [name for name, _ in engine.until(50)] == list(range(1, 51))
    assert Faults.commits == before + 1


def test_a_plan_that_fails_does_not_take_its_group_along(engine):
    for name, sequence in (("first", 1), ("same again", 1), ("other", 2)):
        engine.give(insert(sequence), name=name)

    engine.committer.start()

    outcomes = dict(engine.until(3))
    assert outcomes["first"] == outcomes["other"] == [None]
    assert "UNIQUE" in outcomes["same again"]
    assert there(engine) == [1, 2]


def test_after_an_io_error_senders_are_told_and_the_store_is_opened_anew(engine):
    engine.committer.start()
    engine.give(insert(1), name="before")
    engine.until(1)
    Faults.failing = {"COMMIT": [io_error()]}
    engine.give(insert(2), name="failing")
    engine.until(2)

    engine.give(insert(3), name="after")

    outcomes = dict(engine.until(3))
    assert "disk I/O error" in outcomes["failing"]
    assert outcomes["after"] == [None]
    assert there(engine) == [1, 3]
    assert engine.opened == 2


def test_a_commit_that_failed_and_is_on_the_disk_is_answered_as_done(engine):
    engine.committer.start()
    Faults.failing_late = [io_error()]

    engine.give(insert(1), name="stored")

    assert engine.until(1) == [("stored", [None])]
    assert there(engine) == [1]


def test_a_store_that_cannot_be_opened_again_keeps_refusing_until_it_can(engine):
    engine.committer.start()
    Faults.failing = {"COMMIT": [io_error()], "PRAGMA locking_mode": [io_error() for _ in range(5)]}
    for name in ("first", "second", "third"):
        engine.give(insert(1), name=name)
        engine.until(len(engine.outcomes) + 1)

    outcomes = dict(engine.outcomes)
    assert "whether it was stored all the same is not known" in outcomes["first"]
    assert "cannot open" in outcomes["second"]
    assert there(engine) in ([], [1])


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("a bug")])
def test_whatever_keeps_the_store_from_being_opened_again_others_are_served_after_that(engine, error):
    engine.committer.start()
    Faults.failing = {"COMMIT": [io_error()], "PRAGMA locking_mode": [error for _ in range(5)]}
    for name in ("first", "second", "third"):
        engine.give(insert(1), name=name)
        engine.until(len(engine.outcomes) + 1)

    outcomes = dict(engine.outcomes)
    assert "whether it was stored all the same is not known" in outcomes["first"]
    assert there(engine) in ([], [1])


def test_a_store_that_the_system_refuses_to_open_leaves_no_connection(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(opening.wal, "unread", refuse)
        with pytest.raises(StoreError, match=r"cannot open .* Input/output error") as caught:
            SqliteStore(tmp_path)
    assert caught.value.broken

    SqliteStore(tmp_path).close()  # which a connection that was left open would lock


def test_a_commit_for_which_there_was_no_room_at_first_keeps_the_numbers(engine, tmp_path):
    engine.committer.start()
    engine.give(plan.AddChannel(QUEUE, "queues", "orders"), insert(1), name="made")
    engine.until(1)
    Faults.failing = {"COMMIT": [full()]}
    for sequence in (2, 3):
        engine.give(insert(sequence), name=sequence)
    engine.until(3)
    last = max(there(engine))
    engine.committer.close()

    again = SqliteStore(tmp_path)

    assert [channel.last_sequence for channel in again.load().channels] == [last]
    again.close()


@pytest.mark.parametrize(
    "operation", [plan.AddChannel(QUEUE + 1, "queues", "later"), plan.RemoveChannel(QUEUE)]
)
def test_a_commit_that_failed_changes_no_channel(tmp_path, operation):
    Faults.failing = {}
    store = SqliteStore(tmp_path, connect=lambda path: connect(path, factory=Faults))
    store.apply([[plan.AddChannel(QUEUE, "queues", "orders"), insert(1)]])
    Faults.failing = {"COMMIT": [full()]}
    with pytest.raises(StoreError):
        store.apply([[operation, insert(2)]])

    assert [channel.name for channel in store.load().channels] == ["orders"]
    assert store.load().channels[0].last_sequence == 1
    store.close()


def test_a_bug_in_the_store_does_not_end_its_thread(engine, caplog):
    engine.committer.start()
    engine.give(plan.InsertMessages([message(1, timestamp="soon")]), name="wrong")
    engine.give(insert(2), name="right")

    outcomes = dict(engine.until(2))

    assert "the store failed" in outcomes["wrong"]
    assert "the store failed" in caplog.text
    engine.give(insert(3), name="later")
    engine.until(3)
    assert 3 in there(engine)


def test_a_bug_in_an_answer_does_not_take_the_other_answers_along(engine, caplog):
    def fail(_):
        raise RuntimeError("nobody expected that")

    engine.committer.commit(Plan(operations=[insert(1)], done=fail))
    engine.give(insert(2), name="other")

    engine.committer.start()

    assert engine.until(1) == [("other", [None])]
    assert "nobody expected that" in caplog.text


def test_closing_carries_out_what_was_given_before(tmp_path):
    engine = Engine(tmp_path)
    engine.committer.start()
    engine.give(insert(1), name="last")

    engine.committer.close()

    again = SqliteStore(tmp_path)
    assert len(again.apply([[plan.ReadMessages(QUEUE, [1])]])[0][0]) == 1
    again.close()
