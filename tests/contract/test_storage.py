"""One class of tests over every store: what the engine relies on."""

import shutil

import pytest

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Delayed, Message, StoredEvent
from kubemq_nb.broker.storage.base import StoreError
from kubemq_nb.broker.storage.sqlite import SqliteStore
from tests.memory_store import MemoryStore

QUEUE, OTHER, LOG = 1, 2, 3


def message(sequence, *, queue=QUEUE, content=None, **fields):
    values = {
        "queue": queue,
        "sequence": sequence,
        "content": f"m{sequence}".encode() if content is None else content,
        "md5": b"d" * 16,
        "timestamp": 1_000 + sequence,
        "expires_at": 0,
        "expiration": 0,
        "receive_count": 0,
        "max_receive_count": 1024,
        "dead_letter": "",
        "rerouted_from": "",
    }
    return Message(**(values | fields))


def events(first, last):
    return [StoredEvent(number, number * 10, f"e{number}".encode()) for number in range(first, last + 1)]


class StoreContract:
    @pytest.fixture
    def store(self):
        raise NotImplementedError

    def one(self, store, operation):
        return store.apply([[operation]])[0][0]

    def fill(self, store, count, **fields):
        made = [message(number, **fields) for number in range(1, count + 1)]
        self.one(store, plan.InsertMessages(made))
        return made

    def test_messages_are_read_as_they_were_inserted(self, store):
        made = self.fill(store, 3, expires_at=7, expiration=5, dead_letter="dead", rerouted_from="before")

        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2, 3])) == made

    def test_reading_changes_nothing(self, store):
        self.fill(store, 2)

        self.one(store, plan.ReadMessages(QUEUE, [1, 2]))

        assert len(self.one(store, plan.ReadMessages(QUEUE, [1, 2]))) == 2

    def test_what_is_looked_at_is_what_is_there(self, store):
        made = self.fill(store, 4)
        look = plan.LookAtMessages(QUEUE, [1, 2, 3, 4])
        assert self.one(store, look) == self.one(store, look) == made

        self.one(store, plan.DeleteMessages(QUEUE, [(1, 2)]))
        assert self.one(store, look) == made[1:]
        self.one(store, plan.TakeMessages(QUEUE, [2]))
        assert self.one(store, look) == made[2:]
        self.one(store, plan.MoveMessage(QUEUE, 3, message(5, queue=OTHER)))
        assert self.one(store, look._replace(sequences=[3])) == []
        assert self.one(store, look) == made[3:]
        assert self.one(store, plan.LookAtMessages(OTHER, [5]))[0].content == made[2].content
        self.one(store, plan.RemoveChannel(QUEUE))
        assert self.one(store, look._replace(sequences=[4])) == self.one(store, look) == []

    def test_a_budget_cuts_a_look_whether_it_is_the_first_or_not(self, store):
        made = self.fill(store, 3, content=b"x" * 1000)
        look = plan.LookAtMessages(QUEUE, [1, 2, 3])

        assert self.one(store, look._replace(budget=2600)) == made[:2]
        assert self.one(store, look) == made
        assert self.one(store, look._replace(budget=2600)) == made[:2]

    def test_a_look_at_what_a_failed_commit_added_finds_nothing(self, store):
        look = plan.LookAtMessages(QUEUE, [1])
        twice = plan.InsertMessages([message(2), message(2)])

        with pytest.raises(StoreError):
            store.apply([[plan.InsertMessages([message(1)]), look, twice]])

        assert self.one(store, look) == []

    def test_taking_deletes_what_it_gives(self, store):
        made = self.fill(store, 3)

        assert self.one(store, plan.TakeMessages(QUEUE, [1, 3])) == [made[0], made[2]]
        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2, 3])) == [made[1]]

    def test_a_budget_cuts_a_read_but_never_to_nothing(self, store):
        made = self.fill(store, 3, content=b"x" * 1000)

        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2, 3], budget=2600)) == made[:2]
        assert self.one(store, plan.TakeMessages(QUEUE, [1, 2, 3], budget=1)) == made[:1]
        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2, 3])) == made[1:]

    def test_deleting_says_how_many_bytes_went(self, store):
        self.fill(store, 10, content=b"12345")

        assert self.one(store, plan.DeleteMessages(QUEUE, [(1, 4), (9, 20)])) == 25
        assert [m.sequence for m in self.one(store, plan.ReadMessages(QUEUE, range(1, 11)))] == [
            4,
            5,
            6,
            7,
            8,
        ]

    def test_a_moved_message_keeps_its_content_and_nothing_else(self, store):
        self.fill(store, 1)
        moved = message(5, queue=OTHER, content=b"", receive_count=2, rerouted_from="first", timestamp=9)

        assert self.one(store, plan.MoveMessage(QUEUE, 1, moved)) == 2
        assert self.one(store, plan.ReadMessages(QUEUE, [1])) == []
        assert self.one(store, plan.ReadMessages(OTHER, [5])) == [moved._replace(content=b"m1")]

    def test_a_message_that_is_not_there_cannot_be_moved(self, store):
        assert self.one(store, plan.MoveMessage(QUEUE, 1, message(2))) is None
        assert self.one(store, plan.ReadMessages(QUEUE, [2])) == []

    def test_held_messages_are_told_when_the_store_is_loaded(self, store):
        made = self.fill(store, 3)

        assert self.one(store, plan.HoldMessage(QUEUE, 2)) == [made[1]]

        assert store.load().held == [made[1]._replace(content=b"")]

    @pytest.mark.parametrize(
        "settled", [plan.MoveMessage(QUEUE, 2, message(2)), plan.DeleteMessages(QUEUE, [(2, 3)])]
    )
    def test_a_settled_message_is_no_longer_held(self, store, settled):
        self.fill(store, 3)
        self.one(store, plan.HoldMessage(QUEUE, 2))

        self.one(store, settled)

        assert list(store.load().held) == []

    def test_a_delayed_message_is_in_no_queue_until_it_is_released(self, store):
        item = Delayed(4, 99, message(0, content=b"late"))
        self.one(store, plan.DelayMessages([item]))
        before = self.one(store, plan.LoadQueue(QUEUE))

        size = self.one(store, plan.ReleaseDelayed(4, message(8, content=b"")))

        assert before.ranges == []
        assert size == 4
        assert self.one(store, plan.ReadMessages(QUEUE, [8])) == [message(8, content=b"late")]
        assert list(store.load().delayed) == []

    def test_delayed_messages_are_told_when_the_store_is_loaded(self, store):
        item = Delayed(4, 99, message(0, queue=OTHER, expiration=3))
        self.one(store, plan.AddChannel(OTHER, "queues", "orders"))
        self.one(store, plan.DelayMessages([item]))

        assert list(store.load().delayed) == [item._replace(message=item.message._replace(content=b""))]

    def test_the_last_sequence_stays_when_its_message_goes(self, store):
        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))
        self.fill(store, 3)

        self.one(store, plan.DeleteMessages(QUEUE, [(1, 4)]))

        assert [(c.name, c.last_sequence) for c in store.load().channels] == [("orders", 3)]

    def test_an_older_message_put_back_does_not_turn_the_numbering_back(self, store):
        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))
        store.apply([[plan.InsertMessages([message(7)])], [plan.InsertMessages([message(2)])]])

        assert store.load().channels[0].last_sequence == 7

    def test_a_known_channel_stays_as_it_is(self, store):
        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))
        self.fill(store, 1)

        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))

        assert store.load().channels[0].last_sequence == 1

    def test_the_content_of_queues_is_told_without_bodies(self, store):
        self.fill(store, 5, content=b"123")
        self.one(store, plan.DeleteMessages(QUEUE, [(3, 4)]))
        self.one(store, plan.InsertMessages([message(1, queue=OTHER, expires_at=50)]))

        queues = store.load().queues

        assert queues[QUEUE] == plan.QueueContent([(1, 3), (4, 6)], {}, 12)
        assert queues[OTHER].expiries == {1: 50}

    def test_events_are_read_from_a_sequence_on(self, store):
        self.one(store, plan.InsertEvents(LOG, events(1, 5)))
        size = len(events(1, 1)[0].content)

        assert self.one(store, plan.ReadEvents(LOG, 3, 2)) == events(3, 4)
        assert self.one(store, plan.ReadEvents(LOG, 6, 2)) == []
        assert self.one(store, plan.ReadEvents(LOG, 1, 5, budget=2 * size)) == events(1, 2)
        assert self.one(store, plan.ReadEvents(LOG, 1, 5, budget=2 * size - 1)) == events(1, 1)
        assert self.one(store, plan.ReadEvents(LOG, 1, 5, budget=1)) == events(1, 1)

    @pytest.mark.parametrize(
        ("time", "sequence"), [(0, 1), (10, 1), (11, 2), (50, 5), (51, None), (1 << 62, None)]
    )
    def test_an_event_is_found_by_its_time(self, store, time, sequence):
        self.one(store, plan.InsertEvents(LOG, events(1, 5)))

        assert self.one(store, plan.FindEvent(LOG, time)) == sequence

    def test_delayed_messages_are_found_by_their_numbers(self, store):
        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))
        self.one(store, plan.DelayMessages([Delayed(n, 99, message(0)) for n in (1, 3)]))

        assert self.one(store, plan.FindDelayed([1, 2, 3])) == [1, 3]

    def test_positions_are_remembered(self, store):
        self.one(store, plan.SavePosition(LOG, "client a", 3))
        self.one(store, plan.SavePosition(LOG, "client a", 5))

        assert list(store.load().positions) == [plan.SavePosition(LOG, "client a", 5)]

    def test_a_removed_channel_leaves_nothing_behind(self, store):
        for id, kind in ((QUEUE, "queues"), (LOG, "events_store")):
            self.one(store, plan.AddChannel(id, kind, "gone"))
        self.fill(store, 2)
        self.one(store, plan.DelayMessages([Delayed(1, 99, message(0))]))
        self.one(store, plan.InsertEvents(LOG, events(1, 2)))
        self.one(store, plan.SavePosition(LOG, "client a", 1))

        store.apply([[plan.RemoveChannel(QUEUE), plan.RemoveChannel(LOG)]])

        assert [list(part) for part in store.load()] == [[], [], [], [], []]

    def test_a_failed_group_leaves_nothing_and_says_why(self, store):
        self.fill(store, 1)

        with pytest.raises(StoreError, match="UNIQUE"):
            store.apply([[plan.InsertMessages([message(2)])], [plan.InsertMessages([message(1)])]])

        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2])) == [message(1)]

    @pytest.mark.parametrize(
        "second",
        [
            plan.InsertMessages([message(1)]),
            plan.MoveMessage(QUEUE, 2, message(1)),
            plan.DelayMessages([Delayed(4, 99, message(0))]),
            plan.ReleaseDelayed(4, message(1)),
            plan.InsertEvents(LOG, events(1, 1)),
        ],
    )
    def test_a_place_that_is_taken_is_taken_by_nobody_else(self, store, second):
        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))
        made = self.fill(store, 2)
        self.one(store, plan.DelayMessages([Delayed(4, 98, message(0))]))
        self.one(store, plan.InsertEvents(LOG, events(1, 1)))
        commits = store.commits

        with pytest.raises(StoreError, match="UNIQUE"):
            store.apply([[plan.InsertMessages([message(3)]), plan.HoldMessage(QUEUE, 1), second]])

        assert store.commits == commits
        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2, 3])) == made
        assert [delayed.due for delayed in store.load().delayed] == [98]
        assert list(store.load().held) == []
        assert self.one(store, plan.ReadEvents(LOG, 1, 2)) == events(1, 1)

    def test_what_returns_to_its_place_and_is_there_already_stays_as_it_is(self, store):
        made = self.fill(store, 1)

        self.one(store, plan.ReturnMessages([message(1, content=b"other"), message(2)]))

        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2])) == [*made, message(2)]

    def test_results_come_one_for_each_operation_in_order(self, store):
        results = store.apply(
            [
                [plan.InsertMessages([message(1)]), plan.ReadMessages(QUEUE, [1])],
                [plan.ReadMessages(QUEUE, [1])],
            ]
        )

        assert results == [[None, [message(1)]], [[message(1)]]]


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path):
        store = SqliteStore(tmp_path)
        yield store
        store.close()

    def test_another_run_finds_everything_again(self, store, tmp_path):
        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))
        made = self.fill(store, 600)
        store.close()

        again = SqliteStore(tmp_path)

        assert self.one(again, plan.ReadMessages(QUEUE, range(1, 601))) == made
        assert again.load().channels[0].last_sequence == 600
        again.close()

    def test_a_full_store_refuses_inserts_and_still_deletes(self, store):
        self.fill(store, 50, content=b"x" * 4000)
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count={pages}")

        with pytest.raises(StoreError, match="full") as caught:
            store.apply([[plan.InsertMessages([message(n, content=b"y" * 4000) for n in range(51, 99)])]])

        assert not caught.value.broken
        assert self.one(store, plan.DeleteMessages(QUEUE, [(1, 51)])) == 50 * 4000

    def test_a_second_store_on_the_same_folder_is_refused(self, store, tmp_path):
        with pytest.raises(StoreError, match="locked"):
            SqliteStore(tmp_path)

    def test_a_damaged_message_is_set_aside_and_the_rest_is_served(self, store, tmp_path, caplog):
        made = self.fill(store, 3)
        damage(store, "UPDATE message SET content = 'mX' WHERE key & 0xffff = 2")

        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2, 3])) == [made[0], made[2]]
        assert "sequence 2" in caplog.text
        assert store._connection.execute("SELECT found_in, content FROM damaged").fetchall() == [
            ("message", "mX")
        ]

    @pytest.mark.parametrize(
        "change",
        ["timestamp = 5", "receive_count = 9", "dead_letter = 'x'", "expires_at = 'soon'", "md5 = x'00'"],
    )
    def test_damage_in_any_column_is_noticed(self, store, change):
        self.fill(store, 1)
        damage(store, f"UPDATE message SET {change}")

        assert self.one(store, plan.ReadMessages(QUEUE, [1])) == []

    def test_what_was_looked_at_is_not_read_again(self, store):
        made = self.fill(store, 2)
        look = plan.LookAtMessages(QUEUE, [1, 2])
        self.one(store, look)
        damage(store, "UPDATE message SET content = 'mX' WHERE key & 0xffff = 2")

        assert self.one(store, look) == made
        assert self.one(store, plan.ReadMessages(QUEUE, [1, 2])) == made[:1]
        assert self.one(store, look) == made[:1]

    def test_a_damaged_event_is_set_aside(self, store):
        self.one(store, plan.InsertEvents(LOG, events(1, 3)))
        damage(store, "UPDATE event SET content = x'00' WHERE key & 0xffff = 2")

        assert [e.sequence for e in self.one(store, plan.ReadEvents(LOG, 1, 10))] == [1, 3]

    def test_a_damaged_file_is_refused_with_the_way_to_save_what_is_left(self, store, tmp_path):
        self.fill(store, 500, content=b"x" * 500)
        store.close()
        with store.path.open("r+b") as file:
            file.seek(5 * 4096)
            file.write(b"damage" * 500)

        with pytest.raises(StoreError, match=r"is damaged .*`kubemq-nb broker --store .* --repair`"):
            SqliteStore(tmp_path)

    def test_every_commit_is_flushed(self, store):
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_a_store_that_is_not_flushed_is_found_again_without_being_closed(self, tmp_path):
        (tmp_path / "first").mkdir()
        store = SqliteStore(tmp_path / "first", flushed=False)
        self.one(store, plan.AddChannel(QUEUE, "queues", "orders"))
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (0,)
        made = self.fill(store, 300)

        # The files as they are when the process is killed now.
        shutil.copytree(tmp_path / "first", tmp_path / "second")
        again = SqliteStore(tmp_path / "second", flushed=False)

        assert self.one(again, plan.ReadMessages(QUEUE, range(1, 301))) == made
        again.close()
        store.close()


def damage(store, statement):
    store._connection.execute(statement)
