"""Characters that a terminal obeys or a reader does not see: what the package writes has their escapes."""

import io
import json
import logging
import re

import pytest

from kubemq_nb import command_line
from kubemq_nb.broker import command
from kubemq_nb.session import embedded
from kubemq_nb.visible import clean, clean_json, line
from tests.security.hostile import ESCAPES, HARMFUL
from tests.security.specimens import SHOWN, TEXTS, kinds_of_errors, queue_frame, records
from tests.source import modules

MAKERS = SHOWN | TEXTS
WRITERS = {
    "broker.command",
    "broker.engine.events",
    "broker.engine.gathering",
    "broker.handlers.service",
    "broker.server",
    "broker.storage.commits",
    "broker.storage.damage",
    "broker.storage.space",
    "client.grpc_channels",
    "client.subscription",
    "command_line",
    "lab",
    "magics.__main__",
    "magics.present",
    "magics.progress",
    "render.text",
    "session.access",
    "session.embedded",
    "session.live",
    "session.scrub",
}
"""Modules that write to a terminal or a log: what of others may be in it is cleaned, as is shown here."""


OTHERS = (
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # a Persian word
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u2764\ufe0f\u200d\U0001f525",
    "e\u0301",
    "\u4f60\u597d",
    "\u0e2a\u0e27\u0e31",
)


def texts(made):
    """Text and HTML of what a maker gave."""
    return [text for each in made for text in ([each.text, each.html] if isinstance(each, tuple) else [each])]


def harmful(text):
    return sorted({character for character in text if character in HARMFUL and character not in "\n\t"})


@pytest.mark.parametrize("name", MAKERS)
def test_no_character_of_others_reaches_a_terminal(name):
    """First seen red on the mutation `terminal-escape-kept`: `clean` knows no ESC."""
    for start in range(0, len(HARMFUL), 4):
        some = HARMFUL[start : start + 4]  # no more than a narrow column has room for
        for text in texts(MAKERS[name](f"a{'b'.join(some)}c")):
            assert harmful(text) == [], ascii(some)


@pytest.mark.parametrize("name", MAKERS)
def test_no_sequence_of_others_reaches_a_terminal(name):
    for sequence in ESCAPES:
        for text in texts(MAKERS[name](sequence)):
            assert harmful(text) == [], sequence


def test_a_cell_of_a_table_has_no_line_break_and_no_tab():
    """A row cannot forge another one."""
    for name in ("\n", "\t", "\r\n"):
        (shown,) = SHOWN["render.tables.Table.shown"](f"a{name}b")
        assert "\t" not in shown.text
        assert len(shown.text.splitlines()) == 3


def test_each_kind_of_error_and_record_is_among_them():
    assert len(list(kinds_of_errors())) >= 14
    assert {kind.__name__ for kind in records()} >= {
        "QueueMessage",
        "Event",
        "Request",
        "Response",
        "SendResult",
    }


def test_an_escape_is_the_character_in_words():
    assert (
        clean("a\x1b\x9b\u202e\u200b\U000e0041\ud800\nb\tc") == r"a\x1b\x9b\u202e\u200b\U000e0041\ud800"
        "\nb\tc"
    )
    assert line("a\nb\tc") == r"a\nb\tc"


def test_what_is_written_in_other_scripts_stays_as_it_is():
    """Joiners that make a Persian word or an emoji, marks, wide and combining characters are text."""
    for text in OTHERS:
        assert clean(text) == text


def test_joiners_that_join_nothing_are_shown():
    assert clean("orders\u200d") == r"orders\u200d"
    assert clean("or\u200cders") == r"or\u200cders"
    assert clean("\U0001f468\u200d\u200d\U0001f469") == "\U0001f468\\u200d\\u200d\U0001f469"


@pytest.mark.parametrize("character", HARMFUL, ids=lambda each: f"U+{ord(each):04X}")
def test_json_means_what_it_meant(character):
    value = {f"a{character}": [character, f"x{character}y"]}

    written = clean_json(json.dumps(value, ensure_ascii=False))

    assert json.loads(written) == value
    assert harmful(written) == []


def test_what_pandas_shows_of_our_frames_has_escapes_too(shell, capsys):
    """Other rows than were read are pandas' to show, which keeps ESC: first seen red on its own repr."""
    part = queue_frame("a\x1b[2J\u202eb")[["id", "metadata"]].iloc[[0, 0]]

    shown, _ = shell.display_formatter.format(part)

    assert "\x1b" in repr(part)
    assert harmful(shown["text/plain"]) == []
    assert r"a\x1b[2J\u202eb" in shown["text/plain"]


def test_the_log_of_a_broker_has_one_line_a_record():
    """First seen red with `logging.Formatter` in place of `Visible`."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(command.Visible("%(levelname)s: %(message)s"))

    for text in [*HARMFUL, "\r\nERROR: forged"]:
        handler.emit(logging.LogRecord("kubemq_nb", logging.ERROR, "", 0, "%s", (f"a{text}b",), None))

    lines = stream.getvalue().splitlines()
    assert len(lines) == len(HARMFUL) + 1
    assert harmful("".join(lines)) == []


def test_the_traceback_in_the_log_of_a_broker_is_clean_too():
    error = ValueError("a\x1b[2Jb")
    record = logging.LogRecord("kubemq_nb", logging.ERROR, "", 0, "failed", (), (type(error), error, None))

    assert harmful(command.Visible().format(record)) == []


def test_what_a_kernel_logs_of_a_damaged_store_is_clean(caplog):
    class Damaged:
        def damage(self):
            return [{"what": "message 1 of a\x1b[2J\u202eb is damaged"}]

    told = embedded.Embedded.__new__(embedded.Embedded)
    told.running, told._told = Damaged(), 0
    told._tell_damage()

    assert r"a\x1b[2J\u202eb" in caplog.text
    assert harmful(caplog.text) == []


@pytest.mark.parametrize("text", ESCAPES)
def test_the_command_line_complains_in_one_clean_line(capsys, text):
    command_line._complain(ValueError(f"a{text}b\nc"), 2)

    told = capsys.readouterr().err
    assert harmful(told) == []
    assert told.count("\n") == 1


def test_a_usage_error_of_a_magic_is_clean(shell, capsys):
    for text in ESCAPES:
        shell.user_ns["hostile"] = f"seq:{text}"
        shell.run_cell("%kubemq events_store receive a --start {{hostile}}")

    told = capsys.readouterr()
    assert "\x1b]" not in told.out + told.err
    assert "\x9b" not in told.out + told.err


def test_whoever_writes_to_a_terminal_or_a_log_is_known():
    """A new module with a logger, or that writes to a stream, fails here until its text is tried above."""
    assert {module.name for module in modules() if writes(module)} == WRITERS


def writes(module):
    return (
        re.search(
            r"\blogging\.|sys\.std(?:out|err)\.(?:write|buffer)|stdout\.write|printer\.text", module.text
        )
        is not None
    )
