"""Cells that answer: what a request holds is data, and what they raise tells nothing of this machine."""

import pytest

from kubemq_nb.session.responders import short

pytestmark = pytest.mark.embedded_only

REQUESTS = (
    '"); import os; os.system("touch {canary}"); ("',
    "'''\nimport os; os.system('touch {canary}')\n'''",
    "\\\"; __import__('os').system('touch {canary}') #",
    "{{__import__('os').system('touch {canary}')}}",
    "$canary {{canary}} {canary} %kubemq stop all",
    "!touch {canary}",
    "%%bash\ntouch {canary}",
    "request.text = 1\n\x1b]0;x\x07",
)


@pytest.fixture
def kq(shell, broker):
    shell.run_cell(f"%kubemq connect {broker.address} --token-file {broker.token_file} -q").raise_error()
    return shell.user_ns["kq"]


@pytest.mark.rows("M-40")
def test_a_request_is_data_to_the_cell_that_answers_it(shell, kq, channel, tmp_path):
    """First seen red with the text of the request put into the source of the cell before it is compiled."""
    canary = tmp_path / "canary"
    shell.user_ns["canary"] = "expanded"
    shell.run_cell(
        f"%%kubemq queries respond {channel}\n[request.text, request.metadata, dict(request.tags)]"
    )

    for request in REQUESTS:
        text = request.replace("{canary}", str(canary))
        answer = kq.queries.send(channel, text, metadata=text, tags={text: text}, timeout=20)
        assert answer.json() == [text, text, {text: text}]

    assert not canary.exists()


RAISES = {
    "a file that is not there": "open({folder!r} + '/secret.txt')",
    "its own file": "raise ValueError('in ' + {folder!r} + '/cell.py')",
    "a folder with spaces": "open({folder!r} + '/My Documents/very secret/a.txt')",
    "a file in double quotes": "raise ValueError('\"' + {folder!r} + '/My Documents/a.txt\" is not there')",
    "a library": "import json; json.loads('[')",
    "a folder of Windows": "raise ValueError(r'C:\\Users\\jo\\Documents\\a.txt')",
    "what fails deep inside": "import pathlib; pathlib.Path({folder!r}, 'x', 'y').read_text()",
}


@pytest.mark.rows("M-40")
@pytest.mark.parametrize("what", RAISES)
def test_what_a_handler_raises_names_no_folder_of_this_machine(shell, kq, channel, tmp_path, what):
    """First seen red on `handler-tells-its-folders`, a mutation, and on a folder with a space in its name."""
    code = RAISES[what].replace("{folder!r}", repr(str(tmp_path)))
    shell.run_cell(f"%%kubemq commands respond {channel}\n{code}")

    answer = kq.commands.send(channel, "x", timeout=20)

    parts = [
        *tmp_path.parts[1:],
        "My Documents",
        "very secret",
        "Users",
        "site-packages",
        "lib/python",
        "Traceback",
    ]
    assert not answer.executed
    assert answer.error
    assert [part for part in parts if part in answer.error] == []
    assert "\n" not in answer.error


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("'/home/jo/My Files/a b.txt' and '/x/y.txt'", "'a b.txt' and 'y.txt'"),
        ('"/home/jo/My Files/a.txt"', '"a.txt"'),
        ("read/write", "read/write"),
        ("it's 1/2 of 3/4", "it's 1/2 of 3/4"),
        ("can't open /a/b/c.txt, don't ask", "can't open c.txt, don't ask"),
    ],
)
def test_only_folders_are_left_out(told, kept):
    assert short(ValueError(told)) == f"ValueError: {kept}"
