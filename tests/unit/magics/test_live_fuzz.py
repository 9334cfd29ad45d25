"""Whatever is run against a live broker gives a result or one clean line, soon, and leaves nothing behind.

`--hypothesis-profile thorough --timeout 0` tries ten times as many.
"""

import io
import sys
import time
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from IPython.core.error import UsageError

from kubemq_nb import command_line, render
from kubemq_nb.errors import KubeMQError
from kubemq_nb.magics import grammar, present
from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.session import Feed, Responder, Transaction, registry

SOON = 30.0  # seconds; every wait on these lines ends within one
WAITS = {"wait", "timeout", "idle"}  # long ones would be waited for, as they should
UNASKED = {
    "store",
    "profile",
    "to_file",
    "token_file",
    "ca",
    "cert",
    "key",
}  # touch what is outside the broker

OBJECTS = r"""
None|5|-1|True|10**400|float('nan')|'text'|b'\xff\x00'|[]|{}|object|[1, object]|{'a': {1}}|{1: 2}|range(3)
frame|frame['n']|rows['a']|nowhere|1 / 0|len|lambda _: {1}|...|(1, 2)
pd.Timestamp('2013')|pd.NaT|pd.Timedelta('1s')
"""
TEXTS = r"""
x|it's|C:\temp\x|what?|$HOME|é|-5|--|=|{|]|{{|}}|[1,|{"a": 1}|"two words"|'open|999999999999999999999|nan
0001-01-01T00:00+23:59
"""


def pieces(table):
    return table.strip().replace("\n", "|").split("|")


EXPRESSIONS = [f"{{{{{each}}}}}" for each in pieces(OBJECTS)]
WILD = some.text(max_size=6) | some.sampled_from(
    [*EXPRESSIONS, *pieces(TEXTS), "", "\u202e", "\x00", "\ud800", "a" * 300]
)
VALUES = {
    "DURATION": ["0s", "1s", "500ms", "1h30m", "99999999999d", "5", "-1s", "1s1s"],
    "POSITION": ["new", "first", "last", "now", "seq:1", "seq:0", "seq:9999999999999999999", "2013-01-31Z"],
    "KEY=VALUE": ["a=b", "a=", "=b", "a", "a=b=c"],
    "BODY": ["hello", '{"id": 1}', "[1, 2]", '"it\'s late"', "-"],
    "ROWS": ["[1, 2]", '[{"n": 1}]', '[{"body": 1}]', "{{frame}}", "{{['a', b'b']}}", "nowhere.csv", "."],
    "EXPR": ["body.n>1", "sequence==1", "1", "body.n*2", "(((", "body.a.b.c==tags.x", "10**10**10"],
    "PATHS": ["n", "tags.a", "a.b,c", ",", "body"],
    "DECODER": ["auto", "text", "json", "hex", "base64", "msgpack", "zstd", "protobuf", "protobuf:x:y"],
    "N": ["1", "3", "0", "-1", "1025", "99999999999999999999"],
    "SEQUENCE": ["1", "0", "99999999999999999999"],
    "TEXT": ["note", "fuzz.dead", "other"],
    "CHANNEL": ["fuzz.a", "fuzz.a", "fuzz.b", "fuzz.*", "fuzz.>", '"a b"', ".", "a/b", "_x"],
    "KIND": ["queues", "events", "events_store", "commands", "queries"],
    "NAME": ["lab", "nowhere"],
    "JOB": ["1", "all", "99"],
    "{{FUNCTION}}": ["{{len}}", "{{5}}", "{{lambda request: 1 / 0}}"],
}  # fmt: skip
CELLS = [
    *(
        "",
        "n: int = 3\nn",
        '{"a": 1}\n{"a": }',
        "a,b\n1,2\n3",
        "[" * 2000,
        "ping\nnonsense",
        "\x00",
        "\ud800",
    ),
    *pieces('hello|1 +|return 5|yield 1|{"a": 1}|request.text|queues peek fuzz.a -w 50ms'),
]
CAREFULLY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # `connected` cleans up
MORE = settings(CAREFULLY, max_examples=3 * settings.default.max_examples)


def mostly(known):
    return some.integers(0, 5).flatmap(lambda number: some.sampled_from(known) if number else WILD)


@some.composite
def lines(draw):
    """A command with some of its words and options, mostly of the right kind."""
    command = draw(some.sampled_from([each for each in COMMANDS if each.words != "broker start"]))
    options = [each for each in grammar.options(command) if each.name not in UNASKED]
    waits = [f"{each.option} 50ms" for each in options if each.name in WAITS]
    words = [
        draw(value(each)) for each in command.arguments[: draw(some.sampled_from([9, 9, 9, 9, 0, 1, 2]))]
    ]
    chosen = draw(some.lists(some.sampled_from(options), max_size=4)) if options else []
    said = [each.option if each.flag else f"{each.option} {draw(value(each))}" for each in chosen]
    noise = draw(some.lists(WILD, max_size=1)) if draw(some.integers(0, 4)) == 0 else []
    return " ".join([command.words, *waits, *draw(some.permutations([*words, *said, *noise]))])


def value(parameter):
    """Mostly what the parameter wants."""
    if parameter.name == "key":
        return some.sampled_from(["max_rows", "nothing"])  # a traceback that was asked for is no failure
    if parameter.name in WAITS:
        return some.sampled_from(pieces("50ms|0s|-1s|5|nonsense|{{10**400}}|{{float('nan')}}|{{'x'}}"))
    kinds = (parameter.metavar, parameter.reading.metavar, "TEXT")
    known = parameter.reading.choices or next(VALUES[kind] for kind in kinds if kind in VALUES)
    return mostly(known)


@pytest.fixture(scope="module")
def place(broker, tmp_path_factory):
    """The environment of the lines: files are made here, and `connect` finds the broker of this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("fuzz"))
        patch.setenv("KUBEMQ_ADDRESS", broker.address)
        patch.setenv("KUBEMQ_AUTH_TOKEN", broker.token())
        yield broker


@pytest.fixture
def lab(shell, place):
    shell.run_line_magic("load_ext", "kubemq_nb")
    shell.user_ns.update(frame=pd.DataFrame({"n": [1, None], "at": pd.NaT}), rows={"a": "first"}, pd=pd)
    processes = children()
    yield shell.magics_manager.registry["KubeMQMagics"]
    shell.run_line_magic("unload_ext", "kubemq_nb")
    assert children() <= processes


def children():
    return {each.pid for each in psutil.Process().children()}


def connected(shell):
    """The session `lab`, alone and current, with no job and no variable of an earlier line."""
    for session in registry.all():
        if session.name != "lab":
            session.close()
    if not registry.all():
        shell.run_line_magic("kubemq", "connect --name lab -q")
    session = registry.get("lab")
    session.stop("all")
    return session


def answer(lab, line, cell=None):
    """What the line gives, or the error that it is refused with; any other error passes."""
    began = time.monotonic()
    try:
        result = lab.kubemq(line, cell)
    except (UsageError, KubeMQError) as error:
        told = render.clean(str(error))
        assert told
        assert "\n" not in told or "\n" in f"{line}{cell or ''}"
        assert len(told) < 1000 + len(line) + len(cell or "")
        return error
    finally:
        assert time.monotonic() - began < SOON
    present.presented(result, "plain", lab.look())
    return result


@MORE
@given(line=lines())
def test_a_line_gives_a_result_or_one_line_and_a_refused_one_leaves_no_job(lab, line):
    session = connected(lab.owner)

    result = answer(lab, line)

    if isinstance(result, Exception):
        assert session.closed or session.open_jobs() == []
    if isinstance(result, Feed | Responder | Transaction):
        result.stop()
        assert result.finished


@MORE
@given(line=lines() | some.just(""), cell=some.sampled_from(CELLS) | lines() | some.text(max_size=20))
def test_a_cell_gives_a_result_or_one_line(lab, line, cell):
    connected(lab.owner)

    answer(lab, line, cell)


@CAREFULLY
@given(arguments=lines().map(lambda line: [part for part in line.split(" ") if part not in ("", "--live")]))
def test_a_shells_line_ends_with_a_status_and_at_most_one_line_of_errors(place, arguments):
    said = SimpleNamespace(out=io.StringIO(), err=io.StringIO(), typed=io.TextIOWrapper(io.BytesIO(b"x")))
    began = time.monotonic()
    if {"respond", "ui"}.intersection(arguments):
        return  # goes on until somebody interrupts it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", said.typed)
        patch.setattr(sys, "stdout", said.out)
        patch.setattr(sys, "stderr", said.err)
        status = command_line.main(arguments)

    assert status in (0, 1, 2)
    assert len(said.err.getvalue().splitlines()) == (status == 2) or status != 2
    assert registry.all() == []
    assert time.monotonic() - began < SOON
