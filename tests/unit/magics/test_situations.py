"""The situations that a grammar for notebooks is judged by, one test each, as somebody types them.

What is typed stands in the test's name or its first line; what must come of it, below.
"""

from datetime import timedelta

import pandas as pd
import pytest
from IPython.core.error import UsageError

pytestmark = pytest.mark.rows("M-04")


@pytest.fixture
def waiting(run):
    """Tells the bodies that wait in the queue CH."""

    def waiting():
        return run("%kubemq queues peek CH -w 50ms")["body"].tolist()

    return waiting


@pytest.fixture
def refused(lab, channel, capsys):
    """Run a cell that must be refused; what is said then."""

    def refused(cell):
        result = lab.run_cell(cell.replace("CH", channel))
        assert isinstance(result.error_in_exec, UsageError)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return str(result.error_in_exec)

    return refused


def test_1_json_on_the_line_is_sent_as_it_is_typed(run, waiting):
    run('%kubemq queues send CH {"id": 1, "ok": true}')

    assert waiting() == [b'{"id": 1, "ok": true}']


def test_2_an_option_may_stand_before_the_body(run, waiting):
    result = run("%kubemq queues send CH --delay 5s hello")

    assert result.delayed_to - result.sent_at == timedelta(seconds=5)
    assert waiting() == []
    assert run("%kubemq queues peek CH -n 1 -w 20s")["body"].tolist() == [b"hello"]


def test_3_a_duration_as_a_start_means_that_long_ago(run, refused):
    run("%kubemq es send CH --rows {{['earlier', 'later']}} -q")

    asked = run("%kubemq es receive CH --start 10m")
    called = run("from datetime import timedelta; kq.events_store.receive('CH', start=timedelta(minutes=10))")

    assert asked["body"].tolist() == [b"earlier", b"later"]
    pd.testing.assert_frame_equal(asked, called)
    assert refused("%kubemq es receive CH --start 10") == (
        "--start wants seq:10 for a sequence, or 10s for a time ago"
    )


def test_4_a_question_mark_at_the_end_is_sent_when_quoted_and_else_asks_for_help(run, waiting):
    run('%kubemq queues send CH "what now?"')
    run("%kubemq queues send CH what?")

    assert waiting() == [b"what now?"]


def test_5_an_apostrophe_inside_a_word_is_itself(run, waiting, refused):
    run("%kubemq queues send CH it's")
    run('%kubemq queues send CH "it\'s late"')

    assert refused("%kubemq queues send CH it's late") == 'BODY is one word; quote it: "it\'s late"'
    assert waiting() == [b"it's", b"it's late"]


def test_6_a_backslash_is_itself(run, waiting):
    run(r"%kubemq queues send CH C:\temp\x")

    assert waiting() == [rb"C:\temp\x"]


def test_7_a_frame_is_refused_as_a_body_and_sent_as_rows(run, waiting, refused, lab):
    lab.user_ns["df"] = pd.DataFrame({"n": [1, 2]})

    assert refused("%kubemq queues send CH {{df}}") == "BODY is one message, a DataFrame is many: use --rows"
    results = run("%kubemq queues send CH --rows {{df}}")

    assert results["sent"].tolist() == [True, True]
    assert waiting() == [b'{"n": 1}', b'{"n": 2}']


def test_8_an_expression_may_hold_quotes_brackets_and_spaces(run, waiting, lab):
    lab.user_ns["rows"] = {"a": {"id": 7}}

    run('%kubemq queues send CH {{ rows["a"] }}')

    assert waiting() == [b'{"id": 7}']


def test_9_a_condition_on_a_read_that_consumes_is_refused_and_nothing_is_taken(run, waiting, refused):
    run('%kubemq queues send CH {"total": 5} -q')

    assert "queues receive would take those that do not match" in refused(
        "%kubemq queues receive CH -n 5 --where body.total>10"
    )
    assert waiting() == [b'{"total": 5}']


def test_10_braces_inside_a_cell_are_text(run, waiting):
    run("%%kubemq queues send CH\nDear {{ name }}, you owe {{\n")

    assert waiting() == [b"Dear {{ name }}, you owe {{"]
