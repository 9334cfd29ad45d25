"""Damaged stores, one kind of damage at a time: nothing is lost in silence, nothing wrong is delivered."""

import errno
import json
import shutil
import sqlite3
from pathlib import Path
from unittest.mock import Mock

import pytest

from kubemq_nb.broker.engine import plan
from kubemq_nb.broker.engine.plan import Delayed
from kubemq_nb.broker.storage import space, wal
from kubemq_nb.broker.storage.base import StoreError
from kubemq_nb.broker.storage.damage import FILE_NAME as DAMAGE_NAME
from kubemq_nb.broker.storage.damage import Damage, DamageLog
from kubemq_nb.broker.storage.repair import repair
from kubemq_nb.broker.storage.sqlite import SqliteStore
from tests.contract.test_storage import LOG, OTHER, QUEUE, events, message

FRAME = 24 + 4096


@pytest.fixture
def folder(tmp_path):
    """What a killed broker leaves: ten commits of one message, all in the log."""
    running, left = tmp_path / "running", tmp_path / "left"
    running.mkdir()
    store = SqliteStore(running)
    store.apply([[plan.AddChannel(QUEUE, "queues", "orders"), plan.AddChannel(LOG, "events_store", "audit")]])
    for number in range(1, 11):
        store.apply([[plan.InsertMessages([message(number)])]])
    left.mkdir()
    for path in running.glob("broker.sqlite*"):
        shutil.copy(path, left)
    store.close()
    return left


def apply(folder, *operations):
    """Open, do, close; what the last operation gave, and what there is then."""
    store = SqliteStore(folder)
    try:
        given = store.apply([list(operations)])[0] if operations else [None]
        return given[-1], store.load()
    finally:
        store.close()


def spoil(folder, statement):
    """Change a closed store behind the broker's back."""
    connection = sqlite3.connect(folder / "broker.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()


def told(folder):
    path = folder / DAMAGE_NAME
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_what_a_kill_leaves_is_no_damage(folder):
    _, content = apply(folder)

    assert content.queues[QUEUE].ranges == [(1, 11)]
    assert told(folder) == []


def test_a_log_that_is_gone_is_told_with_the_number_of_lost_commits(folder):
    (folder / "broker.sqlite-wal").unlink()

    apply(folder)

    assert "11 acknowledged commits are missing" in told(folder)[0]["what"]
    assert (told(folder)[0]["channel"], told(folder)[0]["sequence"]) == ("", 0)


def test_a_damage_is_told_once(folder):
    (folder / "broker.sqlite-wal").unlink()

    apply(folder)
    apply(folder)

    assert len(told(folder)) == 1


def test_the_last_commit_damaged_is_told_and_the_log_kept(folder):
    log = folder / "broker.sqlite-wal"
    flip(log, log.stat().st_size - 100)
    before = log.read_bytes()

    _, content = apply(folder)

    (kept,) = folder.glob("broker.sqlite-wal.damaged-*")
    assert kept.read_bytes() == before
    assert "1 acknowledged commits are missing" in told(folder)[0]["what"]
    assert str(kept) in told(folder)[0]["what"]
    assert content.queues[QUEUE].ranges == [(1, 10)]


def test_a_log_damaged_in_the_middle_is_told_even_without_a_mark(folder):
    log = folder / "broker.sqlite-wal"
    flip(log, wal.HEADER.size + log.stat().st_size // FRAME // 2 * FRAME + 200)
    (folder / "broker.sqlite-mark").unlink()

    apply(folder)

    assert "frames after frame" in told(folder)[0]["what"]


def test_a_transaction_that_was_under_way_is_no_damage(folder):
    log = folder / "broker.sqlite-wal"
    flip(log, log.stat().st_size - 100)
    (folder / "broker.sqlite-mark").unlink()  # as if it had been behind: the last commit was not acknowledged

    apply(folder)

    assert told(folder) == []


def test_a_mark_that_is_behind_is_no_damage(folder):
    (folder / "broker.sqlite-mark").write_bytes(b"")

    apply(folder)

    assert told(folder) == []


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_database_that_has_vanished_is_refused(folder, how):
    path = folder / "broker.sqlite"
    path.unlink() if how == "gone" else path.write_bytes(b"")

    with pytest.raises(StoreError, match=f"the file is {how}") as caught:
        SqliteStore(folder)

    assert f"kubemq-nb broker --store {folder} --repair" in str(caught.value)
    assert (folder / "broker.sqlite-wal").exists()


def test_another_format_is_refused(folder):
    apply(folder)
    spoil(folder, "PRAGMA user_version=7")

    with pytest.raises(StoreError, match="is of format 7"):
        SqliteStore(folder)


def test_a_damaged_message_is_told_by_channel_and_sequence(folder):
    apply(folder)
    spoil(folder, "UPDATE message SET content = x'00' WHERE key & 0xffff = 4")

    read, _ = apply(folder, plan.ReadMessages(QUEUE, range(1, 11)))

    assert 4 not in [found.sequence for found in read]
    assert [(line["channel"], line["sequence"]) for line in told(folder)] == [("orders", 4)]


def test_a_damaged_message_gets_no_good_check_sum_by_being_moved(folder):
    apply(folder)
    spoil(folder, "UPDATE message SET content = x'00' WHERE key & 0xffff = 4")

    size, content = apply(folder, plan.MoveMessage(QUEUE, 4, message(11, content=b"")))

    assert size is None
    assert content.queues[QUEUE].ranges == [(1, 4), (5, 11)]
    assert told(folder)[0]["sequence"] == 4


def test_a_time_that_became_one_of_expiry_does_not_delete_its_message_unseen(folder):
    apply(folder)
    spoil(folder, "UPDATE message SET expires_at = 1 WHERE key & 0xffff = 4")

    _, content = apply(folder)

    assert content.queues[QUEUE].expiries == {}
    assert [(line["channel"], line["sequence"]) for line in told(folder)] == [("orders", 4)]


def test_text_that_is_no_text_any_more_is_set_aside_alone(folder):
    apply(folder)
    spoil(folder, "UPDATE message SET dead_letter = CAST(x'c328' AS TEXT) WHERE key & 0xffff = 4")

    read, _ = apply(folder, plan.ReadMessages(QUEUE, range(1, 11)))

    assert [found.sequence for found in read] == [1, 2, 3, 5, 6, 7, 8, 9, 10]


@pytest.mark.parametrize("change", ["name = 'ordfrs'", "kind = 'x'", "last_sequence = 3", "crc = 0"])
def test_a_channel_whose_name_cannot_be_trusted_keeps_what_it_holds(folder, change):
    apply(folder)
    spoil(folder, f"UPDATE channel SET {change} WHERE id = {QUEUE}")

    read, content = apply(folder, plan.ReadMessages(QUEUE, range(1, 11)))

    assert len(read) == 10
    assert ("queues", f"damaged.{QUEUE}", 10) in [channel[1:4] for channel in content.channels]
    assert "what it held (10) is in damaged.1" in told(folder)[0]["what"]


def test_a_channel_that_held_nothing_is_told_and_gone(folder):
    apply(folder)
    spoil(folder, f"UPDATE channel SET crc = 0 WHERE id = {LOG}")

    _, content = apply(folder)

    assert [channel.name for channel in content.channels] == ["orders"]
    assert "it held nothing" in told(folder)[0]["what"]


def test_damaged_events_do_not_hide_those_behind_them(folder):
    apply(folder, plan.InsertEvents(LOG, events(1, 10)))
    spoil(folder, "UPDATE event SET content = x'00' WHERE key & 0xffff < 6")

    read, _ = apply(folder, plan.ReadEvents(LOG, 1, 3))

    assert [event.sequence for event in read] == [6]
    assert [line["sequence"] for line in told(folder)] == [1, 2, 3, 4, 5]


def test_a_time_of_the_last_event_that_is_damaged_is_not_gone_by(folder):
    apply(folder, plan.InsertEvents(LOG, events(1, 3)))
    spoil(folder, "UPDATE event SET timestamp = 1 << 62 WHERE key & 0xffff = 3")

    _, content = apply(folder)

    assert [c.last_timestamp for c in content.channels if c.id == LOG] == [20]


def test_a_delayed_message_that_has_lost_its_time_is_told(folder):
    apply(folder, plan.DelayMessages([Delayed(1, 99, message(0)), Delayed(2, 99, message(0))]))
    spoil(folder, "UPDATE delayed SET due = 5 WHERE number = 1")

    _, content = apply(folder)

    assert [item.number for item in content.delayed] == [2]
    assert "delayed" in told(folder)[0]["what"]


def test_a_damaged_position_is_told_and_not_gone_by(folder):
    apply(folder, plan.SavePosition(LOG, "client a", 3))
    spoil(folder, "UPDATE position SET sequence = 9")

    _, content = apply(folder)

    assert list(content.positions) == []
    assert "'client a' on audit" in told(folder)[0]["what"]


def test_a_repair_keeps_the_damaged_files_and_all_that_can_be_read(folder):
    apply(folder)
    path = folder / "broker.sqlite"
    content = bytearray(path.read_bytes())
    content[:200] = b"no database" + bytes(189)
    path.write_bytes(content)

    sentences = repair(folder)

    assert any("10 rows of message were saved" in sentence for sentence in sentences)
    assert bytes(content) in [kept.read_bytes() for kept in folder.glob("broker.sqlite.damaged-*")]
    assert apply(folder)[1].queues[QUEUE].ranges == [(1, 11)]


def test_nothing_to_repair_is_said(tmp_path):
    assert "nothing to repair" in repair(tmp_path)[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["shutil.copy2", "make_tables", "save_all"])
def test_a_repair_without_room_changes_nothing(folder, monkeypatch, step):
    before = contents(folder)
    no_room = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))

    with monkeypatch.context() as full:
        full.setattr(f"kubemq_nb.broker.storage.repair.{step}", no_room)
        with pytest.raises(OSError, match="No space"):
            repair(folder)

    assert contents(folder) == before
    assert "10 rows of message were saved" in repair(folder)


@pytest.fixture
def moves(monkeypatch):
    """Which moves of files fail, counted from one."""
    whole, count = Path.replace, {"done": 0, "fails": range(0)}

    def move(self, target):
        count["done"] += 1
        if count["done"] in count["fails"]:
            raise PermissionError
        return whole(self, target)

    monkeypatch.setattr(Path, "replace", move)
    return count


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_repair_whose_files_cannot_be_moved_changes_nothing(folder, moves, number):
    before = contents(folder)
    moves["fails"] = range(number, number + 1)

    with pytest.raises(PermissionError):
        repair(folder)

    assert contents(folder) == before


@pytest.mark.parametrize("number", [2, 3])
def test_a_store_is_refused_whose_repair_was_killed(folder, moves, number):
    moves["fails"] = range(number, 100)
    with pytest.raises(PermissionError):
        repair(folder)

    with pytest.raises(StoreError, match="the file is gone"):
        SqliteStore(folder)


def test_a_store_whose_repair_was_killed_at_its_end_does_not_look_new(folder, moves):
    moves["fails"] = range(4, 100)
    with pytest.raises(PermissionError):
        repair(folder)

    SqliteStore(folder).close()

    assert "commits are missing" in told(folder)[0]["what"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_line_about_damage_is_not_lost_behind_half_of_one(folder):
    (folder / DAMAGE_NAME).write_text('{"at": "2026')
    DamageLog(folder).tell(Damage("orders", 1, "first"))
    DamageLog(folder).tell(Damage("orders", 2, "second"))

    assert (folder / DAMAGE_NAME).read_text().splitlines()[0] == '{"at": "2026'
    lines = (folder / DAMAGE_NAME).read_text().splitlines()[1:]
    assert [json.loads(line)["what"] for line in lines] == ["first", "second"]


@pytest.fixture
def little_room(monkeypatch):
    """A disk with as much room as a test says."""
    room = {"free": 0}
    monkeypatch.setattr(space.Space, "free", lambda _: room["free"])
    return room


def test_a_send_without_room_says_where_how_much_and_what_to_do(folder, little_room):
    with pytest.raises(
        StoreError, match=r"the disk of .*left is full \(0 bytes free\).* make room"
    ) as caught:
        apply(folder, plan.InsertMessages([message(11)]))

    assert not caught.value.broken


def test_what_moves_or_leaves_needs_no_room(folder, little_room):
    apply(folder, plan.MoveMessage(QUEUE, 1, message(11, content=b"")), plan.TakeMessages(QUEUE, [2]))
    _, content = apply(folder, plan.ReturnMessages([message(2)]), plan.DeleteMessages(QUEUE, [(3, 4)]))

    assert content.queues[QUEUE].ranges == [(2, 3), (4, 12)]


def test_room_that_a_purge_made_in_the_store_is_used(folder, little_room):
    large = [message(number, queue=OTHER, content=bytes(4000)) for number in range(1, 200)]
    little_room["free"] = 1 << 40
    store = SqliteStore(folder)
    store.apply([[plan.InsertMessages(large)]])
    little_room["free"] = 0
    with pytest.raises(StoreError):
        store.apply([[plan.InsertMessages([message(11)])]])

    store.apply([[plan.DeleteMessages(OTHER, [(1, 200)])]])
    store.apply([[plan.InsertMessages([message(11)])]])

    assert store.load().queues[QUEUE].ranges == [(1, 12)]
    store.close()


def test_a_message_that_returns_twice_is_there_once(folder):
    _, content = apply(folder, plan.ReturnMessages([message(2)]), plan.ReturnMessages([message(2)]))

    assert content.queues[QUEUE].ranges == [(1, 11)]
