import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from IPython.core.completer import provisionalcompleter

from kubemq_nb.magics import load_ipython_extension, unload_ipython_extension
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.completion import MOST, Completion
from kubemq_nb.session import profiles


@pytest.fixture
def completion(shell):
    shell.user_ns |= {"flights": [], "price": lambda request: 1}
    profiles.file().parent.mkdir(parents=True, exist_ok=True)
    profiles.file().write_text("[lesson]\n")
    yield made(shell)
    profiles.file().unlink()


def made(shell):
    return Completion(shell, COMMANDS, lambda _noun: ["orders", "orders.dead"])


def offered(completion, typed):
    return [each.text for each in completion.match(typed)["completions"]]


@pytest.mark.rows("M-05")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("%kubemq que", ["queues", "queries"]),
        ("%%kubemq comm", ["commands"]),
        ("x = %kubemq que", ["queues", "queries"]),
        ("    df = %kubemq queues pe", ["peek"]),
        ("%kubemq queue pe", ["peek"]),
        ("%kubemq queues peek ", ["orders", "orders.dead"]),
        ("%kubemq queues peek -n 5 ord", ["orders", "orders.dead"]),
        ("%kubemq queues peek orders --co", ["--count"]),
        ("%kubemq queues peek orders --format j", ["json", "jsonl"]),
        ("%kubemq queues send orders --dead-letter orders.", ["orders.dead"]),
        ("%%kubemq queues send orders --enc", ["--encode"]),
        ("%kubemq events_store receive flights --start ", ["new", "first", "last", "seq:"]),
        ("%kubemq channels --pattern qu", ["queues", "queries"]),
        ("%kubemq stop ", ["all"]),
        ("%kubemq help tx e", ["extend"]),
        ("%kubemq queues peek orders ", []),
        ("%kubemq channels de", ["delete"]),
        ("%kubemq channels --pat", ["--pattern"]),
        ("%kubemq channels create qu", ["queues", "queries"]),
        ("%kubemq queues send orders --rows {{flig", ["{{flights}}"]),
        ("%kubemq queues send orders {{flig", ["{{flights}}"]),
        ("%kubemq connect --profile ", ["lesson"]),
        ("%kubemq answers auto ", ["off", "echo", "fixed", "delay", "error"]),
        ("%kubemq queues send orders --id ", []),
        ("%kubemq events_store receive flights --start=f", ["--start=first"]),
        ("%kubemq queues peek orders --live=", []),
        ("%kubemq queues peek orders --decode m", ["msgpack"]),
        ("%kubemq queues peek orders --decode protobuf", ["protobuf", "protobuf:"]),
        ("%kubemq queries respond prices --handler ", ["{{price}}"]),
        ("%kubemq nonsense ", []),
    ],
)
def test_what_may_follow_is_offered(completion, typed, expected):
    assert offered(completion, typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("%kubemq queues send orders --rows ", ["data/", "flights.csv"]),
        ("%kubemq events_store receive orders --to-file fl", ["flights.csv"]),
        ("%kubemq connect --ca data/", ["data/ca.pem"]),
        ("%kubemq connect --ca nowhere/", []),
        ("%kubemq connect --store ", []),
    ],
)
def test_files_are_offered_where_an_option_is_one(completion, tmp_path, monkeypatch, typed, expected):
    for name in ("data/ca.pem", "flights.csv", ".hidden", "two words.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)

    assert offered(completion, typed) == expected


def test_settings_are_offered_and_each_is_explained_by_help(shell):
    load_ipython_extension(shell)
    magics = shell.magics_manager.registry["KubeMQMagics"]

    settings = offered(magics.completion, "%kubemq config ")

    unload_ipython_extension(shell)
    (config,) = (command for command in COMMANDS if command.words == "config")
    assert settings == sorted(magics.traits(config=True))
    assert all(f"{name}," in config.doc.parameters["key"] for name in settings)


def test_running_jobs_are_offered_by_number(completion, session, channel):
    session.events.subscribe(channel, print)

    assert offered(completion, "%kubemq stop ") == ["1", "all"]


def test_requests_that_wait_are_offered_by_id(completion, session, channel):
    desk = session.queries.respond(channel, manual=True)
    with ThreadPoolExecutor(2) as others:
        for id in ("q-1", "two words"):
            others.submit(session.queries.send, channel, "?", id=id, timeout=20)
        assert desk.wait(count=2)

        assert offered(completion, "%kubemq answers reply ") == ["q-1"]
        assert offered(completion, "%kubemq answers refuse q") == ["q-1"]
        for id in ("q-1", "two words"):
            desk.reply(id, "done")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%%kubemq\nqueues pe", ["peek"]),
        ("%%kubemq \nping\n  queues peek ord", ["orders", "orders.dead"]),
        ("%%kubemq\n%kubemq queues pe", ["peek"]),
        ("%%kubemq queues send orders\nqueues pe", []),
    ],
)
def test_each_line_below_a_bare_cell_magic_is_completed(shell, completion, cell, expected):
    completion.add()
    shell.Completer.use_jedi = False

    with provisionalcompleter():
        found = [each.text for each in shell.Completer.completions(cell, len(cell))]

    completion.remove()
    assert [name for name in found if not name.startswith("%")] == expected


def test_channels_that_python_used_or_a_listing_told_are_offered(lab, session, channel):
    session.queues.send(channel, "x")
    session.channels.create("queues", f"{channel}.made")
    session.channels.list()
    completion = lab.magics_manager.registry["KubeMQMagics"].completion

    names = offered(completion, f"%kubemq queues peek {channel}")

    assert names == [channel, f"{channel}.made"]


def test_only_channels_of_the_pattern_are_offered(lab, session, channel):
    session.queues.send(f"{channel}.queue", "x")
    session.events_store.send(f"{channel}.store", "x")
    lab.run_line_magic("kubemq", f"queues peek {channel}.peeked")
    completion = lab.magics_manager.registry["KubeMQMagics"].completion

    assert offered(completion, f"%kubemq queues peek {channel}") == [f"{channel}.peeked", f"{channel}.queue"]
    assert offered(completion, f"%kubemq events_store receive {channel}") == [f"{channel}.store"]
    assert len(offered(completion, f"%kubemq channels delete queues {channel}")) == 3


@pytest.mark.parametrize("typed", ["print(", "%timeit x", "# %kubemqx ", "'%kubemq"])
def test_other_lines_are_left_to_others(completion, typed):
    found = completion.match(typed)

    assert not found["completions"]
    assert not found["suppress"]


def test_our_lines_are_ours_alone(completion):
    found = completion.match("x = %kubemq pe")

    assert found["suppress"]
    assert found["matched_fragment"] == "pe"


@pytest.mark.rows("M-05")
def test_a_flood_of_channels_is_bounded_and_quick(shell):
    completion = Completion(shell, COMMANDS, lambda _noun: [f"channel.{n}" for n in range(100_000)])
    began = time.perf_counter()

    names = offered(completion, "%kubemq queues peek ch")

    assert len(names) == MOST
    assert time.perf_counter() - began < 5


@pytest.mark.rows("M-05")
def test_the_completer_of_the_shell_finds_it(shell, completion):
    completion.add()
    shell.Completer.use_jedi = False

    with provisionalcompleter():
        found = [each.text for each in shell.Completer.completions("df = %kubemq queues pe", 22)]

    assert found == ["peek"]
    completion.remove()
    assert shell.Completer.custom_matchers == []
