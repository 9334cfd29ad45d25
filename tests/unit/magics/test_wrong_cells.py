"""Each wrong cell of tests/wrong_cells.toml, in a bare shell on a live broker: one line, and all goes on."""

import time
import tomllib
from pathlib import Path

import pytest

from kubemq_nb.magics.commands import COMMANDS
from kubemq_nb.session import profiles

TABLE = Path(__file__).parents[2] / "wrong_cells.toml"
CELLS = tomllib.loads(TABLE.read_text())["cell"]


@pytest.fixture(scope="module")
def places(broker, tmp_path_factory):
    wrong_token = tmp_path_factory.mktemp("tokens") / "token"
    wrong_token.write_text("another")
    wrong_token.chmod(0o600)
    return {"{address}": broker.address, "{wrong_token}": str(wrong_token)} | {
        "{token}": str(broker.token_file),
        "{profiles}": str(profiles.file()),
    }


@pytest.fixture
def lab(shell, broker):
    """A shell with the extension, connected to the broker as `lab`."""
    shell.run_line_magic("load_ext", "kubemq_nb")
    shell.run_cell(f"%kubemq connect {broker.address} --token-file {broker.token_file} --name lab -q")
    shell.user_ns["wait_until"] = wait_until
    yield shell
    shell.run_line_magic("unload_ext", "kubemq_nb")


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("wrong", CELLS, ids=lambda cell: cell["situation"].replace(" ", "-"))
def test_a_wrong_cell_is_answered_in_one_line_and_the_session_goes_on(lab, places, capsys, wrong):
    run(lab, wrong.get("before", ""), places)
    capsys.readouterr()

    result = run(lab, wrong["cell"], places)

    assert said(capsys, places) == wrong["answer"]
    assert not result.success
    assert run(lab, "%kubemq ping --on lab -q", places).success
    assert said(capsys, places) == ""


def run(shell, cell, places):
    for name, place in places.items():
        cell = cell.replace(name, place)
    return shell.run_cell(cell)


def said(capsys, places):
    """What was written, with the names of this run's places in place of them."""
    captured = capsys.readouterr()
    text = captured.out + captured.err
    for name, place in places.items():
        text = text.replace(place, name)
    return text.strip()


def test_the_table_is_long_and_says_each_situation_once():
    situations = [cell["situation"] for cell in CELLS]

    assert len(situations) >= 150
    assert len(set(situations)) == len(situations)
    assert all("\n" not in cell["answer"] for cell in CELLS)


@pytest.mark.parametrize("words", [command.words for command in COMMANDS])
def test_every_command_has_a_wrong_cell(words):
    lines = [line.lstrip("%").removeprefix("kubemq ") for cell in CELLS for line in cell["cell"].splitlines()]

    assert any(line == words or line.startswith(f"{words} ") for line in lines)
