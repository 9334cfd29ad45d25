"""Lines and cells in a bare shell, on a live broker: what a user types, and what comes back."""

import json
import signal
import threading
import time

import pandas as pd
import pytest

from kubemq_nb.errors import ConfirmationRequired, SessionClosed
from kubemq_nb.magics import load_ipython_extension, unload_ipython_extension
from kubemq_nb.messages import Response, SendResult
from kubemq_nb.session import Feed, Responder, Session, registry


@pytest.mark.rows("C-01", "M-02", "M-04")
def test_a_line_gives_what_the_method_gives(run, lab, channel):
    sent = run('%kubemq queues send CH {"id": 1, "ok": true} -m note -t a=b')
    frame = run("%kubemq queues peek CH")

    assert isinstance(sent, SendResult)
    assert isinstance(lab.user_ns["kq"], Session)
    assert isinstance(frame, pd.DataFrame)
    assert frame["decoded"].tolist() == [{"id": 1, "ok": True}]
    assert frame["body"].tolist() == [b'{"id": 1, "ok": true}']
    assert frame["metadata"].tolist() == ["note"]
    assert frame["tags"].tolist() == [{"a": "b"}]
    assert frame["channel"].tolist() == [channel]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('{"id": 1, "ok": true}', b'{"id": 1, "ok": true}'),
        ("[1, 2]", b"[1, 2]"),
        ("hello", b"hello"),
        ("it's", b"it's"),
        ('"it\'s late"', b"it's late"),
        ('"what now?"', b"what now?"),
        (r"C:\temp\x", rb"C:\temp\x"),
        ("cost=$5", b"cost=$5"),
        ("{{ rows['a'] }}", b"first"),
        ("{{blob}}", b"\x00\xff"),
        ("{{ {'n': 1} }}", b'{"n": 1}'),
        ("--delay 0s hello", b"hello"),
        ("-- --delay", b"--delay"),
        ("-5", b"-5"),
    ],
)
def test_a_body_is_sent_as_it_is_typed(run, lab, body, sent):
    lab.user_ns.update(rows={"a": "first"}, blob=b"\x00\xff")

    run(f"%kubemq queues send CH {body}")

    assert run("%kubemq queues peek CH -n 1")["body"].tolist() == [sent]


def test_a_line_that_ends_in_a_question_mark_is_ipythons(run, capsys):
    run("%kubemq queues send CH what?")

    assert run("%kubemq queues peek CH").empty


def test_braces_in_a_cell_are_text(run):
    run("%%kubemq queues send CH\nHello {{name}}, $HOME {x}\n")

    assert run("%kubemq queues peek CH -n 1")["body"].tolist() == [b"Hello {{name}}, $HOME {x}"]


@pytest.mark.rows("M-04", "M-20")
@pytest.mark.parametrize(
    ("encoding", "cell", "bodies"),
    [
        ("json", '{"a":\n 1}\n', [b'{"a":\n 1}']),
        ("jsonl", '{"a": 1}\n\n{"a": 2}\n', [b'{"a": 1}', b'{"a": 2}']),
        ("csv", "carrier,flight\nB6,1\n", [b'{"carrier": "B6", "flight": 1}']),
    ],
)
def test_a_cell_is_sent_as_its_encoding_says(run, encoding, cell, bodies):
    run(f"%%kubemq queues send CH --encode {encoding}\n{cell}")

    assert run("%kubemq queues peek CH")["body"].tolist() == bodies


@pytest.mark.rows("Q-05", "M-20")
def test_rows_are_sent_as_many(run, lab):
    lab.user_ns["table"] = pd.DataFrame({"carrier": ["B6", "AA"], "delay": [1.5, None]})

    results = run("%kubemq queues send CH --rows {{table}} -t day=1")
    frame = run("%kubemq queues receive CH")

    assert results["sent"].tolist() == [True, True]
    assert frame["decoded"].tolist() == [{"carrier": "B6", "delay": 1.5}, {"carrier": "AA", "delay": None}]
    assert frame["tags"].tolist() == [{"day": "1"}] * 2


@pytest.mark.rows("M-20")
def test_rows_come_from_a_list_on_the_line_and_from_a_file(run, tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"n": 2}\n{"n": 3}\n')

    run('%kubemq queues send CH --rows [{"n":1}]')
    run(f"%kubemq queues send CH --rows {file}")

    assert [row["n"] for row in run("%kubemq queues peek CH")["decoded"]] == [1, 2, 3]


def test_an_expression_sees_the_variables_of_a_function(run):
    run("def send(n):\n    return get_ipython().run_line_magic('kubemq', 'queues send CH {{[n, n]}}')")
    run("send(7)")

    assert run("%kubemq queues peek CH -n 1")["decoded"].tolist() == [[7, 7]]


def test_a_result_can_go_into_a_variable_and_be_kept_quiet(run, lab):
    shown = run("%kubemq queues send CH hello -qo first")
    run("second = %kubemq queues peek CH -n 1")

    assert shown is None
    assert isinstance(lab.user_ns["first"], SendResult)
    assert len(lab.user_ns["second"]) == 1


def test_a_result_can_be_json(run):
    run("%kubemq queues send CH hello -q")

    rows = run("%kubemq queues peek CH -n 1 --format json")

    assert json.loads(rows)[0]["body"] == "hello"


@pytest.mark.rows("M-42")
def test_a_line_runs_on_the_connection_that_it_names(run, lab, address, credentials):
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in credentials.items())
    run(f"%kubemq connect {address}{options} --name other --client-id other-client")

    run("%kubemq queues send CH hello --on lab")
    frame = run("%kubemq queues peek CH -n 1")

    assert lab.user_ns["kq"].name == "other"
    assert frame["client_id"].tolist() == [registry.get("lab").client_id]
    run("%kubemq close other")
    assert registry.current().name == "lab"
    assert lab.user_ns["kq"].name == "lab"


@pytest.mark.parametrize(
    ("line", "same"),
    [("queues send --help", "help queues send"), ("queues -h", "help queues"), ("--help", "help")],
)
def test_help_may_be_asked_for_behind_a_command(run, lab, line, same):
    assert run(f"%kubemq {line}") == run(f"%kubemq {same}")
    run('%kubemq queues send CH -- "--help"')
    assert run("%kubemq queues peek CH")["body"].iloc[-1] == b"--help"


@pytest.mark.embedded_only
def test_an_extension_that_was_loaded_again_connects_by_itself(lab):
    closed = lab.user_ns["kq"]
    unload_ipython_extension(lab)
    load_ipython_extension(lab)

    lab.run_cell("%kubemq ping").raise_error()

    assert closed.closed
    assert not registry.current().closed
    assert lab.user_ns["kq"] is registry.current()


@pytest.mark.rows("C-05")
def test_a_closed_session_says_so(run, lab):
    session = lab.user_ns["kq"]

    assert run("%kubemq close") == "lab is closed"
    with pytest.raises(SessionClosed):
        session.ping()
    for line in ("%kubemq queues peek CH", "%kubemq stop all"):
        with pytest.raises(SessionClosed, match="lab was closed, and no other connection is open"):
            run(line)
    assert registry.all() == []  # nothing was opened in its place


@pytest.mark.rows("T-01", "T-03", "T-09", "M-08")
def test_a_transaction_is_worked_line_by_line(run):
    run('%kubemq queues send CH {"id": 1} -q')

    held = run("%kubemq queues transaction CH --visibility 20s")
    modified = run("%kubemq tx modify edited -t by=hand")
    again = run("%kubemq queues transaction CH")
    acked = run("%kubemq tx ack")

    assert held.message.body == b'{"id": 1}'
    assert (modified.action, modified.is_error) == ("modify", False)
    assert (again.message.body, again.message.tags) == (b"edited", {"by": "hand"})
    assert (acked.action, acked.sequences) == ("ack", (again.message.sequence,))


@pytest.mark.rows("Q-14", "M-31")
def test_a_purge_with_a_yes_tells_how_many(run):
    run("%kubemq queues send CH --rows {{['a', 'b']}} -q")

    assert run("%kubemq queues ack_all CH -y") == 2


def test_a_purge_is_told_in_words_and_to_programs_as_a_number(run, channel, capsys):
    run("%kubemq queues send CH --rows {{['a', 'b']}} -q")
    capsys.readouterr()

    run("%kubemq queues ack_all CH -y")
    run("%kubemq queues ack_all CH -y --format json")

    shown = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert shown == [f"2 acknowledged  {channel}", "0"]


def test_a_transaction_with_a_name_says_that_there_was_nothing_to_hold(run, channel, capsys):
    run("%kubemq queues send CH a -q")
    run("%kubemq queues receive CH -q")
    capsys.readouterr()

    run("tx = %kubemq queues transaction CH -w 0s")
    run("tx = %kubemq queues transaction CH -w 1s")
    run("tx = %kubemq queues transaction CH -w 0s -q")

    told = f"{channel} had no message"
    assert capsys.readouterr().out == f"{told}\n{told} within 1 s\n"


def test_a_transaction_on_a_queue_that_is_not_there_says_which_is_near(run, channel, capsys):
    run("%kubemq queues send CH a -q")

    run("tx = %kubemq queues transaction CHs -w 0s")

    assert f"there is no queue {channel}s; did you mean {channel}?" in capsys.readouterr().out


@pytest.mark.rows("M-31", "M-41")
def test_a_purge_without_a_yes_tells_how_many_it_would_remove_and_removes_none(run, lab, channel):
    run("%kubemq queues send CH --rows {{['a', 'b']}} -q")

    refused = lab.run_cell(f"%kubemq queues ack_all {channel}").error_in_exec

    assert isinstance(refused, ConfirmationRequired)
    assert str(refused).startswith(f"2 waiting messages would be removed from {channel} for good")
    assert len(run("%kubemq queues peek CH -n 2")) == 2


@pytest.mark.rows("S-15")
def test_a_replay_can_be_run_again(run):
    run("%kubemq es send CH --rows {{[{'n': n} for n in range(5)]}} -q")

    first = run("%kubemq es receive CH --start seq:2 --to seq:4")
    second = run("%kubemq es receive CH --start seq:2 --to seq:4")

    assert [row["n"] for row in first["decoded"]] == [1, 2, 3]
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.rows("E-03", "M-38")
def test_a_live_feed_is_a_job(run, capsys):
    feed = run("%kubemq events receive CH --live")
    run("%kubemq events send CH hello")

    assert isinstance(feed, Feed)
    assert feed.wait(count=1)
    assert feed.code.startswith("%kubemq events receive")
    assert run("%kubemq jobs")["state"].tolist() == ["live"]
    run(f"%kubemq stop {feed.id}")
    assert run("%kubemq jobs").empty


@pytest.mark.rows("M-04", "M-23")
def test_a_cell_answers_and_running_it_again_swaps_the_answer(run):
    first = run("%%kubemq queries respond CH\nrequest.text.upper()\n")
    one = run("%kubemq queries send CH hello")
    second = run("%%kubemq queries respond CH\nreturn {'said': request.text}\n")
    two = run("%kubemq queries send CH hello")

    assert isinstance(first, Responder)
    assert first is second
    assert second.code == f"%%kubemq queries respond {second.channel}"
    assert (one.body, two.json()) == (b"HELLO", {"said": "hello"})


@pytest.mark.rows("M-23")
def test_a_cell_that_raises_answers_with_its_reason(run):
    run("%%kubemq commands respond CH\n1 / 0\n")

    response = run("%kubemq commands send CH hello")

    assert isinstance(response, Response)
    assert (response.executed, response.error) == (False, "ZeroDivisionError: division by zero")


@pytest.mark.rows("R-12")
def test_a_cell_that_awaits_answers(run):
    run("%%kubemq queries respond CH\nimport asyncio\nawait asyncio.sleep(0.01)\nrequest.text\n")

    assert run("%kubemq queries send CH hello").text == "hello"


@pytest.mark.rows("M-23")
@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ("--echo", b"hello"),
        ('--reply {"n": 1}', b'{"n": 1}'),
        ("--handler {{lambda request: 'yes'}}", b"yes"),
    ],
)
def test_a_line_answers(run, options, answer):
    run(f"%kubemq queries respond CH {options}")

    assert run("%kubemq queries send CH hello").body == answer


@pytest.mark.rows("M-04")
def test_a_cell_of_lines_runs_them_in_order(run, capsys):
    run('%%kubemq\n# two of them\nqueues send CH {"n": 1} -q\n\n%kubemq queues peek CH -n 1\n')

    assert "1 message; the queue is unchanged" in capsys.readouterr().out


def test_a_frame_shows_its_facts_and_a_copy_does_not(run, capsys):
    run('%kubemq queues send CH {"n": 1} -q')

    run("%kubemq queues peek CH -n 1")
    first = capsys.readouterr().out
    run("df = %kubemq queues peek CH -n 1\ndf[df['sequence'] > 100]")

    assert "1 message; the queue is unchanged" in first
    assert "unchanged" not in capsys.readouterr().out


def test_a_frame_that_is_not_ours_is_shown_as_before(shell, capsys):
    printer = shell.display_formatter.formatters["text/plain"]
    printer.for_type(pd.DataFrame, lambda frame, printer, cycle: printer.text("somebody's table"))
    load_ipython_extension(shell)

    shell.run_cell("import pandas as pd\npd.DataFrame({'a': [1]})")

    assert capsys.readouterr().out.strip().partition(": ")[2] == "somebody's table"
    unload_ipython_extension(shell)


def test_what_differs_from_run_to_run_can_be_left_out_of_all_displays(run, capsys, channel):
    run("%config KubeMQMagics.deterministic = True")
    capsys.readouterr()

    run("%kubemq queues send CH hello")

    assert capsys.readouterr().out.strip().partition(": ")[2] == f"sent  {channel}"


def test_errors_are_what_python_would_raise(lab, capsys):
    result = lab.run_cell('%kubemq queues send "a b" hello')

    assert type(result.error_in_exec).__name__ == "InvalidChannel"
    assert "Traceback" not in capsys.readouterr().out


def test_a_whole_traceback_can_be_asked_for(lab, capsys):
    lab.run_cell("%config KubeMQMagics.traceback = True")

    lab.run_cell('%kubemq queues send "a b" hello')

    assert "Traceback" in capsys.readouterr().out


def test_an_interrupt_of_a_wait_is_one_line_and_the_session_goes_on(lab, run, capsys):
    run("%kubemq queues send CH hello -q")
    began = time.monotonic()
    main = threading.main_thread().ident
    interrupt = threading.Timer(1.0, signal.pthread_kill, [main, signal.SIGINT])
    interrupt.start()

    result = lab.run_cell("%kubemq queues receive nothing.there -w 60s")
    interrupt.cancel()
    interrupt.join()

    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert time.monotonic() - began < 30
    assert capsys.readouterr().out.strip() == "KeyboardInterrupt"
    assert len(run("%kubemq queues receive CH -n 1")) == 1


def test_help_is_where_ipython_looks_for_it(lab, monkeypatch):
    pages = []
    monkeypatch.setattr("IPython.core.page.page", lambda page, *_, **__: pages.append(str(page)))

    lab.run_cell("%kubemq?")

    assert "%kubemq queues peek CHANNEL" in pages[0]


@pytest.mark.rows("M-06")
@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("%kubemq queues peek?", "%kubemq queues peek CHANNEL [options]"),
        ("%kubemq queue?", "queues: "),
        ("%kubemq status?", "%kubemq status [options]"),
    ],
)
def test_a_question_mark_after_a_command_asks_for_its_help(run, line, begins):
    assert run(line).startswith(begins)


@pytest.mark.embedded_only
def test_a_broker_of_ones_own_can_be_stopped_started_and_emptied(shell):
    load_ipython_extension(shell)
    run = shell.run_cell

    run("%kubemq queues send orders hello -q").raise_error()
    assert run("%kubemq broker stop").result["state"].tolist() == ["stopped"]
    assert run("%kubemq broker start").result["state"].tolist() == ["running"]
    assert len(run("%kubemq queues peek orders -n 1").result) == 1
    assert run("%kubemq broker restart").result["state"].tolist() == ["running"]
    assert run("%kubemq channels").result["channel"].tolist() == ["orders"]
    assert run("%kubemq broker reset -y").result["state"].tolist() == ["running"]
    assert run("%kubemq channels").result.empty
    unload_ipython_extension(shell)


@pytest.mark.rows("I-01", "M-01")
@pytest.mark.embedded_only
def test_the_first_line_starts_a_broker_and_says_so(shell, capsys):
    load_ipython_extension(shell)

    shell.run_cell("%kubemq queues send orders hello -q").raise_error()
    session = shell.user_ns["kq"]

    said = "Connected to an embedded broker, started for this kernel; in Python it is `kq`."
    assert capsys.readouterr().out.strip() == said
    assert session.embedded
    unload_ipython_extension(shell)
    assert session.closed


def test_loading_twice_changes_nothing(lab):
    before = len(lab.Completer.custom_matchers), lab.magics_manager.registry["KubeMQMagics"]

    load_ipython_extension(lab)

    assert (len(lab.Completer.custom_matchers), lab.magics_manager.registry["KubeMQMagics"]) == before


def test_unloading_leaves_nothing(shell, address, credentials):
    transformers = len(shell.input_transformers_cleanup)
    plain = dict(shell.display_formatter.formatters["text/plain"].type_printers)
    load_ipython_extension(shell)
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in credentials.items())
    shell.run_cell(f"%kubemq connect {address}{options} -q").raise_error()

    unload_ipython_extension(shell)
    unload_ipython_extension(shell)

    assert registry.all() == []
    assert shell.Completer.custom_matchers == []
    assert len(shell.input_transformers_cleanup) == transformers
    assert "kubemq" not in shell.magics_manager.magics["line"]
    assert dict(shell.display_formatter.formatters["text/plain"].type_printers) == plain
    load_ipython_extension(shell)
    assert "kubemq" in shell.magics_manager.magics["line"]
    unload_ipython_extension(shell)
