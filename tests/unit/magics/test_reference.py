"""The command reference is made from the commands, and says everything that they take."""

import inspect
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from kubemq_nb.magics import grammar, reference
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.magics.declaration import OWNERS
from kubemq_nb.magics.words import split
from kubemq_nb.session import Answers, Session, Transaction
from kubemq_nb.session.broker import Broker
from kubemq_nb.session.channels import Channels
from kubemq_nb.session.events import Events
from kubemq_nb.session.events_store import EventsStore
from kubemq_nb.session.queues import Queues
from kubemq_nb.session.requests import Commands, Queries

PAGE = Path(__file__).parents[3] / "docs" / "commands.md"


def test_the_page_in_docs_is_what_the_commands_say():
    made = reference.whole(COMMANDS)

    assert PAGE.read_text() == made, "run: python -m kubemq_nb.magics > docs/commands.md"


def test_the_verbs_stay_within_fifty():
    assert len(COMMANDS) <= 50


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_a_command_takes_what_its_method_takes(command):
    given = [
        each.name for each in inspect.signature(command.method).parameters.values() if each.name not in OWNERS
    ]

    assert sorted(each.name for each in command.parameters) == sorted(given)
    for parameter in command.parameters:
        declared = inspect.signature(command.method).parameters[parameter.name]
        assert parameter.default is declared.default or parameter.default == declared.default


OWNED = (Session, Queues, Transaction, Events, EventsStore, Commands, Queries, Channels, Broker)
ONLY_IN_PYTHON = {
    "subscribe",  # takes a function of each event
    "reply",  # answers from inside a handler
    "named",  # an object with defaults of its own
    "run",  # `%%kubemq` with nothing more
    "stats",  # of channels; the session's is the command
    "open_jobs",  # jobs as objects
    "begin",  # lists a job
    "figures",  # of `list`, one object a channel
    "line",
    "replaced",
}


@pytest.mark.rows("M-49")
@pytest.mark.parametrize("owner", OWNED, ids=lambda owner: owner.__name__)
def test_every_method_of_a_session_is_a_command_or_is_known_not_to_be(owner):
    commands = {command.method for command in COMMANDS}
    methods = {
        name: each for name, each in vars(owner).items() if inspect.isfunction(each) and name[0] != "_"
    }

    missing = [name for name, each in methods.items() if each not in commands and name not in ONLY_IN_PYTHON]

    inner = {"stop", "close", "hold", "changed", "is_open"} if owner is Transaction else {"close"}
    assert [name for name in missing if name not in inner] == []


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.run], ids=lambda each: each.words)
def test_a_command_without_a_way_of_its_own_calls_the_method_that_python_calls(command):
    holder = {"": Session, "broker": Broker, "channels": Channels, "queues": Queues, "events": Events}
    holder |= {"events_store": EventsStore, "commands": Commands, "queries": Queries}
    holder |= {"answers": Answers}

    owner = holder[command.owner or command.noun]

    assert getattr(owner, command.method.__name__) is command.method


@pytest.mark.rows("M-06")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_a_command_explains_itself_and_each_of_its_parameters(command):
    page = reference.page(COMMANDS, *command.words.split())

    assert command.doc.summary in page
    assert command.examples
    for parameter in command.parameters:
        assert parameter.help, parameter.name
        assert parameter.option in page
        assert parameter.option in page.markdown
        assert parameter.help in page.markdown


@pytest.mark.rows("M-06")
@pytest.mark.parametrize("example", [(c, line) for c in COMMANDS for line in c.examples], ids=lambda e: e[1])
def test_every_example_reads(example):
    command, line = example
    words = split(line)
    found, length = grammar.find(words, COMMANDS)

    parsed = grammar.parse(found, words[length:], lambda text: text)

    assert found is command
    assert grammar.missing(command, parsed.arguments) == ""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_short_options_belong_to_parameters_and_have_one_meaning(command):
    names = {each.name for each in command.parameters}
    meanings = {short: name for each in COMMANDS for name, short in each.shorts.items()}

    assert set(command.shorts) <= names
    for name, short in command.shorts.items():
        assert meanings[short] == name


def test_an_option_has_one_reading_everywhere():
    readings = {}
    for command in COMMANDS:
        for parameter in command.options:
            known = readings.setdefault((parameter.option, parameter.flag), parameter.reading.metavar)
            if parameter.option not in {"--id", "--count"}:
                assert known == parameter.reading.metavar, (command.words, parameter.option)


def test_help_lists_every_command_in_one_screen_width():
    page = reference.page(COMMANDS)

    for command in COMMANDS:
        assert f"%kubemq {command.words}" in page
    assert max(map(len, page.splitlines())) <= 110


def test_a_noun_shows_its_verbs():
    page = reference.page(COMMANDS, "es")

    assert page.startswith("events_store: ")
    assert "receive CHANNEL" in page


@pytest.mark.rows("M-06")
@pytest.mark.parametrize("words", [("quues",), ("queues", "peak"), ("stop", "all")])
def test_help_for_what_is_not_there_is_refused(words):
    with pytest.raises(UsageError):
        reference.page(COMMANDS, *words)


def test_each_family_has_the_commands_that_begin_with_its_words():
    for command in COMMANDS:
        first, _, _ = command.words.partition(" ")
        assert command in COMMANDS.beginning(first)
        assert len(COMMANDS.beginning(first)) < len(COMMANDS)


def test_a_word_that_begins_no_command_is_looked_for_in_all():
    assert list(COMMANDS.beginning("send")) == list(COMMANDS)
