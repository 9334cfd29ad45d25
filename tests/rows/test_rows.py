"""The table of rows, the lies told about them, and the proxy that tells them."""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from kubemq_nb._wire import kubemq_pb2
from kubemq_nb._wire.methods import METHODS
from tests.rows.lies import EDITS, lies
from tests.rows.proxy import SERVICE
from tests.rows.table import rows
from tests.source import ROOT

PROMISED = {"I": 2, "C": 15, "Q": 16, "A": 8, "T": 13, "E": 10, "S": 15, "R": 13, "M": 40, "B": 1}
IDS = [row.id for row in rows()]
MARK = re.compile(r"mark\.rows\(([^)]*)\)")
UNUSED = {"QueuesUpstream"}  # no row is decided over it


def carried() -> set[str]:
    marks = [mark for path in (ROOT / "tests").rglob("test_*.py") for mark in MARK.findall(path.read_text())]
    return {id for mark in marks for id in re.findall(r'"([^"]+)"', mark)}


def test_the_table_has_every_promised_row_once():
    assert Counter(id[0] for id in IDS) == PROMISED
    assert len(set(IDS)) == len(IDS)


def test_tests_carry_known_rows_only():
    assert carried() - set(IDS) == set()


def test_every_row_is_carried_by_a_test():
    assert [row.id for row in rows() if not row.later and row.id not in carried()] == []


def test_every_lie_names_rows_that_exist():
    assert [lie.name for lie in lies() if not lie.rows or not set(lie.rows) <= set(IDS)] == []


def test_every_method_is_lied_about():
    assert set(METHODS) - {lie.rpc for lie in lies()} == UNUSED


@pytest.mark.parametrize("lie", [lie for lie in lies() if not lie.is_flow], ids=lambda lie: lie.name)
def test_a_lie_changes_a_message_it_is_about(lie):
    method = SERVICE.methods_by_name[lie.rpc]
    kind = method.input_type if lie.side == "request" else method.output_type
    message = full(getattr(kubemq_pb2, kind.name)())
    for name, value in (lie.when or {}).items():
        setattr(message, name, value)
    before = message.SerializeToString(deterministic=True)

    lie.tell(message)

    assert lie.edit in EDITS
    assert message.SerializeToString(deterministic=True) != before


def full(message):
    """Every field set to something, two of what is repeated."""
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            value["a"] = value["b"] = "c"
        elif field.message_type and hasattr(value, "add"):
            full(value.add())
            value.add()
        elif field.message_type:
            full(value)
        elif not hasattr(value, "append"):  # of what is repeated, a list of text or numbers
            setattr(message, field.name, {str: "text", bytes: b"bytes", bool: True, int: 7}[type(value)])
    return message


@pytest.mark.embedded_only
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["drop", "swap"])
def test_the_rows_catch_lies_of_a_kind(kind):
    command = [sys.executable, ROOT / "scripts/_liar.py", "--match", f": {kind} "]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
