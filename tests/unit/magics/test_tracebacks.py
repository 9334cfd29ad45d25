"""What a shell shows of an error that Python code met: the user's own lines and a sentence."""

import pytest

from kubemq_nb.errors import InvalidChannel

CELL = """\
import kubemq_nb
kq = kubemq_nb.connect(address, **credentials, name="python")

def look(name):
    return kq.queues.peek(name)

try:
    look("a b")
finally:
    kq.close()
"""


@pytest.fixture
def said(shell, capsys):
    """Run a cell that fails; its error, and the lines that are shown."""

    def said(cell, **variables):
        shell.user_ns.update(variables)
        error = shell.run_cell(cell).error_in_exec
        return error, capsys.readouterr().out.splitlines()

    return said


def test_an_error_in_python_shows_the_lines_of_the_user_and_a_sentence(said, address, credentials):
    error, lines = said(CELL, address=address, credentials=credentials)

    assert isinstance(error, InvalidChannel)
    assert lines == [
        'line 8: look("a b")',
        "line 5 in look: return kq.queues.peek(name)",
        f"InvalidChannel: {error}",
    ]


def test_notes_of_an_error_are_shown_and_nothing_of_it_is_obeyed(said):
    cell = """\
from kubemq_nb.errors import KubeMQError
error = KubeMQError("one\\x1b[2Jtwo")
error.add_note("told before")
raise error
"""

    assert said(cell)[1] == ["line 4: raise error", r"KubeMQError: one\x1b[2Jtwo (told before)"]


def test_lines_of_another_module_of_the_user_name_it(said, tmp_path, monkeypatch):
    (tmp_path / "of_the_team.py").write_text(
        "from kubemq_nb.errors import KubeMQError\n\n\ndef fail():\n    raise KubeMQError('no')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    lines = said("import of_the_team\nof_the_team.fail()")[1]

    assert lines == [
        "line 2: of_the_team.fail()",
        "of_the_team, line 5 in fail: raise KubeMQError('no')",
        "KubeMQError: no",
    ]


def test_all_of_a_traceback_is_shown_when_asked_for(lab, capsys):
    cell = "from kubemq_nb import session\nsession.registry.use('nobody')"

    lab.run_cell("%kubemq config traceback on")
    lab.run_cell(cell)
    whole = capsys.readouterr().out
    lab.run_cell("%kubemq config traceback off")
    lab.run_cell(cell)
    lines = capsys.readouterr().out.splitlines()[-2:]

    assert "Traceback" in whole
    assert "registry.py" in whole
    assert lines[0] == "line 2: session.registry.use('nobody')"
    assert lines[1].startswith("SessionClosed: no connection nobody is open")
