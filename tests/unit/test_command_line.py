"""The command `kubemq-nb`: the commands of the magics from a shell, in pipes, with exit codes."""

import io
import json
import shlex
import signal
import subprocess
import sys
import time

import pytest

from kubemq_nb import __main__ as program
from kubemq_nb import command_line
from kubemq_nb.broker import launcher
from kubemq_nb.magics import grammar
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.words import of_arguments
from kubemq_nb.messages import Response, SendResult

UNREAD = 128 + signal.SIGPIPE  # as a shell tells of a program whose reader has gone


@pytest.fixture
def place(address, credentials):
    return ["--address", address, *(f"--token-file={file}" for file in credentials.values())]


@pytest.fixture
def run(place, capsys, monkeypatch):
    """Run a command line; its exit status, output and errors."""

    def run(*arguments, typed=None):
        content = io.BytesIO(b"" if typed is None else typed)
        stdin = io.TextIOWrapper(content)
        stdin.isatty = lambda: typed is None
        monkeypatch.setattr(sys, "stdin", stdin)
        status = program.main([*place, *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.mark.rows("M-49")
def test_a_command_does_what_the_magic_does_and_ends_with_zero(run, channel):
    sent = run("queues", "send", channel, '{"id": 1}', "-m", "note", "--tag", "a=b")
    status, out, err = run("queues", "peek", channel, "-n", "5", "--format", "json")

    assert sent[0] == 0
    assert sent[1].startswith(f"sent  {channel}")
    assert (status, err) == (0, "")
    (message,) = json.loads(out)
    assert message["body"] == '{"id": 1}'
    assert message["metadata"] == "note"
    assert message["tags"] == {"a": "b"}


def test_a_table_is_written_whole_and_is_plain_text(run, channel, session):
    session.queues.send(channel, rows=[f"row {number}" for number in range(30)])

    status, out, _ = run("queues", "peek", channel)

    assert status == 0
    assert [f"row {number}" in out for number in range(30)] == [True] * 30


@pytest.mark.parametrize("body", ["it's late", "two words", "{{1 + 1}}", r"C:\temp\x", "[info] no JSON", '"'])
def test_an_argument_is_one_word_and_is_itself(run, channel, session, body):
    assert run("queues", "send", channel, body)[0] == 0

    assert session.queues.peek(channel)["body"].tolist() == [body.encode()]


@pytest.mark.parametrize("typed", [b"\x00\xff\n", b"hello\n"])
@pytest.mark.parametrize("word", [[], ["-"]])
def test_standard_input_is_the_body_byte_for_byte(run, channel, session, typed, word):
    assert run("queues", "send", channel, *word, typed=typed)[0] == 0

    assert session.queues.peek(channel)["body"].tolist() == [typed]


def test_standard_input_holds_many_messages_as_json_lines(run, channel, session):
    status, _, _ = run("queues", "send", channel, "-", "--encode", "jsonl", typed=b'{"n": 1}\n{"n": 2}\n')

    assert status == 0
    assert session.queues.peek(channel)["decoded"].tolist() == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("encoding", "typed"),
    [
        ("jsonl", b'{"n": 1}\n{"n": 2}\n'),
        ("csv", b"n\n1\n2\n"),
        ("csv", b'body\n"{""n"": 1}"\n"{""n"": 2}"\n'),
    ],
)
def test_standard_input_holds_rows_as_a_file_does(run, channel, session, encoding, typed):
    assert run("queues", "send", channel, "--rows", "-", "--encode", encoding, typed=typed)[0] == 0

    assert session.queues.peek(channel)["decoded"].tolist() == [{"n": 1}, {"n": 2}]


def test_what_one_command_writes_as_json_lines_another_sends_again_to_the_byte(run, channel, session):
    bodies = [b"\xff\x00", "é".encode(), b'{"a": 1}', b"", b"'=1+1", b"a\r\nb", b"5", b"\0"]
    row = {"metadata": "m\u2028", "tags": {"k": "v"}, "expiration": 60}
    session.queues.send(channel, rows=[{"body": body, **row} for body in bodies])

    status, out, _ = run("queues", "peek", channel, "--format", "jsonl")
    again = run("queues", "send", f"{channel}.2", "--rows", "-", "--encode", "jsonl", typed=out.encode())

    before, after = session.queues.peek(channel), session.queues.peek(f"{channel}.2")
    same = ["id", "metadata", "body", "tags", "expiration"]
    assert (status, again[0]) == (0, 0)
    assert before[same].to_dict("records") == after[same].to_dict("records")


def test_half_a_pair_of_characters_is_written_as_json_escapes_it(run, channel, session):
    session.queues.send(channel, b'{"s": "\\ud800"}')

    status, out, _ = run("queues", "peek", channel, "--format", "jsonl")

    assert status == 0
    assert r'"decoded": {"s": "\ud800"}' in out


def test_a_wrong_line_of_standard_input_is_named_and_nothing_was_sent(run, channel, session):
    status, _, err = run("queues", "send", channel, "--encode", "jsonl", typed=b'{"n": 1}\n{"n": \n')

    assert status == 2
    assert "standard input.jsonl, line 2" in err
    assert len(session.queues.peek(channel, wait=0)) == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["queues", "send", "x", "--rows", "-"], "--rows - wants --encode jsonl or csv"),
        (["queries", "send", "x", "-", "--encode", "jsonl"], "queries send sends one message"),
        (["quues", "peek", "x"], "no command quues. Did you mean queues? All commands: kubemq-nb help"),
        (["queues", "peek", "x", "--cuont", "5"], "no option --cuont in queues peek. Did you mean --count?"),
        (["queues", "peek", "x", "-n", "many"], "-n/--count wants a whole number, not many"),
        (["queues", "peek"], "queues peek wants a CHANNEL: kubemq-nb queues peek CHANNEL"),
        (["queues", "transaction", "x"], "queues transaction is for a notebook or Python"),
        (["help", "tx"], "tx is for a notebook or Python: a transaction ends with its process"),
        (["help", "queues", "transaction"], "queues transaction is for a notebook or Python"),
        (["pause", "1"], "pause is for a notebook or Python"),
        (["queues", "receive", "x", "-o", "taken"], "-o/--out is for a notebook"),
        (["queries", "respond", "x", "--manual"], "--manual is for a notebook: a shell answers with --reply"),
        (["queues", "receive", "x", "--on", "lab"], "--on is for a notebook: a shell says --store"),
        (["--format", "json", "queues", "peek", "x"], "the command comes first, and --format after it"),
        (["queues", "peek", "x", "-n", "0"], "1"),
        (["queues", "send", "x", "{id:", "1}"], "BODY is one word: quote it for your shell, JSON in single"),
        (["queues", "send", "x", "b", "--token", "secret"], "a token stays off the line"),
    ],
)
def test_a_wrong_command_line_is_one_line_on_standard_error(run, arguments, told):
    status, out, err = run(*arguments)

    assert status in (1, 2)
    assert out == ""
    assert err.startswith("kubemq-nb: ")
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.rows("M-31", "M-41")
def test_what_destroys_is_refused_without_yes(run, channel, session):
    session.queues.send(channel, "precious")

    status, out, err = run("queues", "ack_all", channel)

    assert (status, out) == (1, "")
    assert "repeat it with -y" in err
    assert run("queues", "ack_all", channel, "-y")[:2] == (0, f"1 acknowledged  {channel}\n")


def test_what_the_broker_refuses_ends_with_one(run, channel):
    status, _, err = run("commands", "send", channel, "x", "--timeout", "500ms")

    assert status == 1
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("result", "refused"),
    [
        (SendResult(id="1", channel="q"), False),
        (SendResult(id="1", channel="q", sent=False, error="no"), True),
        (Response(executed=True), False),
        (Response(executed=False, error="no"), True),
        (7, False),
        (None, False),
    ],
)
def test_a_refusal_in_a_result_is_one_in_the_exit_status(result, refused):
    assert command_line.is_refused(result) is refused


def test_help_needs_no_broker_and_speaks_of_the_shell(capsys):
    assert program.main([]) == 0
    assert "usage: kubemq-nb" in capsys.readouterr().out

    assert program.main(["queues", "peek", "--help"]) == 0
    assert "Try:    kubemq-nb queues peek orders -n 5" in capsys.readouterr().out


@pytest.mark.rows("M-06", "M-49")
@pytest.mark.parametrize(
    "arguments", [["queues", "--help"], ["queues"], ["queues", "help"], ["help", "queue"], ["--store", "x"]]
)
def test_help_is_found_wherever_it_is_asked_for(arguments, capsys):
    assert program.main(arguments) == 0

    told = capsys.readouterr().out
    assert "receive CHANNEL" in told
    assert "transaction CHANNEL" not in told  # which is for a notebook
    assert "%" not in told


def test_the_version_is_told_as_everywhere(capsys):
    assert program.main(["--version"]) == 0
    assert program.main(["version"]) == 0

    first, second = capsys.readouterr().out.splitlines()
    assert first == second


@pytest.mark.rows("M-06", "M-49")
@pytest.mark.parametrize("command", command_line._of_a_shell(), ids=lambda command: command.words)
def test_the_examples_of_the_shells_help_are_lines_for_a_shell(command, capsys):
    program.main(["help", *command.words.split()])

    told = capsys.readouterr().out.splitlines()
    lines = [line.removeprefix("Try:    kubemq-nb ") for line in told if line.startswith("Try:    ")]
    assert lines == list(command.examples)
    for line in lines:
        words = of_arguments(shlex.split(line))
        found, length = grammar.find(words, COMMANDS)
        parsed = grammar.parse(found, words[length:], str)
        assert found.words == command.words
        assert grammar.missing(found, parsed.arguments) == ""
    assert not [line for line in told if line.lstrip().startswith(("--on ", "-o, --out "))]


def test_json_in_an_example_is_quoted(capsys):
    program.main(["queues", "send", "-h"])

    assert """kubemq-nb queues send orders '{"id": 17, "total": 99.5}'""" in capsys.readouterr().out


def test_words_after_two_dashes_are_no_options():
    words = of_arguments(["-n", "--tag=a=b", "--", "-n", "--tag=a=b"])

    assert [word.text for word in words] == ["-n", "--tag", "a=b", "-n", "--tag=a=b"]
    assert [word.startswith("\0") for word in words] == [False, False, True, True, True]


def shell(*arguments, **options):
    command = [sys.executable, "-m", "kubemq_nb", *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **pipes | options)


@pytest.mark.embedded_only
def test_it_attaches_to_the_only_running_broker_or_lists_the_choices(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def ask(*arguments):
        status = program.main([*arguments])
        return status, *capsys.readouterr()

    assert "no broker runs on a named store" in ask("queues", "peek", "orders")[2]
    one = launcher.launch("one")
    assert ask("--store", "one", "queues", "send", "orders", "kept")[0] == 0
    with_one = ask("queues", "peek", "orders", "--format", "jsonl")
    mistyped = ask("--store", "on", "queues", "peek", "orders")
    two = launcher.launch("two")
    with_two = ask("queues", "peek", "orders")
    for running in (one, two):
        running.halt()
        running.stop()
    stopped = ask("queues", "peek", "orders")

    assert with_one[0] == 0, with_one[2]
    assert json.loads(with_one[1])["body"] == "kept"
    assert mistyped[:2] == (2, "")
    assert "there is no store on (stores: one); a line that sends makes it" in mistyped[2]
    assert list(launcher.named()) == ["one", "two"]
    assert with_two[:2] == (2, "")
    assert "several brokers run; say which: --store one or --store two" in with_two[2]
    assert "named store: --store one or --store two starts it again, --store NAME starts a new" in stopped[2]


@pytest.mark.embedded_only
def test_a_line_that_makes_a_store_says_so_once(tmp_path, capsys):
    store = str(tmp_path / "lesons")

    told = []
    for _ in range(2):
        assert program.main(["--store", store, "queues", "send", "orders", "a", "--quiet"]) == 0
        told.append(capsys.readouterr().err)

    assert told == [f"(there was no store {store}; it was made)\n", ""]


def test_a_pipe_that_was_closed_is_no_error(place, session, channel):
    session.queues.send(channel, rows=["x" * 5000] * 200)
    process = shell(*place, "queues", "peek", channel, "-n", "200", "--format", "jsonl")
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr.read() == ""
    process.wait(timeout=30)
    process.stderr.close()


def test_a_live_feed_is_written_as_it_comes_until_an_interrupt(place, session, channel):
    process = shell(
        *place, "events_store", "receive", channel, "--live", "--start", "first", "--format=jsonl"
    )
    session.events_store.send(channel, "one")
    first = process.stdout.readline()
    session.events_store.send(channel, "two")
    second = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert [json.loads(line)["body"] for line in (first, second)] == ["one", "two"]
    assert (out, err, process.returncode) == ("", "", 0)


def test_a_live_feed_ends_when_nobody_reads_it_any_more(place, session, channel):
    session.events_store.send(channel, "one")
    process = shell(*place, "events_store", "receive", channel, "--live", "--start", "first")

    assert "one" in process.stdout.readline()
    process.stdout.close()

    assert process.wait(timeout=60) == UNREAD
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_reader_who_has_seen_enough_is_no_error(place, session, channel, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # then Python takes what is cut off for written
    session.queues.send(channel, rows=["x" * 1000] * 200)
    process = shell(*place, "queues", "peek", channel, "-n", "200", "--format", "jsonl")

    process.stdout.read(1)
    process.stdout.close()

    assert process.wait(timeout=60) == UNREAD
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_responder_answers_until_it_is_told_to_end(place, session, channel):
    process = shell(*place, "queries", "respond", channel, "--reply", "yes")
    deadline = time.monotonic() + 60
    answer = None
    while answer is None and time.monotonic() < deadline:
        try:
            answer = session.queries.send(channel, "there?", timeout=1)
        except TimeoutError:
            continue
    first = process.stdout.readline()  # what it writes when it follows its job, and minds signals
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)

    assert answer.body == b"yes"
    assert "there?" in first + out
    assert (err, process.returncode) == ("", 0)


def test_a_word_after_broker_is_a_verb_as_any_other(capsys):
    assert program.main(["broker", "stat"]) == 2

    assert "no verb stat in broker. Did you mean start" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_told_with_what_a_shell_can_do(capsys):
    status = program.main(["--address", "127.0.0.1:1", "ping"])

    assert status == 1
    assert "--store NAME starts the embedded broker" in capsys.readouterr().err
