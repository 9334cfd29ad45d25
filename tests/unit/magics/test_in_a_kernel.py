"""What only a real kernel and a real prompt decide: completion as they ask for it, and who sees progress."""

import pytest
from IPython.terminal.ptutils import IPythonPTCompleter
from jupyter_client.manager import start_new_kernel
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from kubemq_nb.magics import load_ipython_extension, unload_ipython_extension
from kubemq_nb.session import profiles

CASES = [
    ("x = %kubemq queues pe", ["peek"]),
    ("    x = %kubemq queues pe", ["peek"]),
    ("%%kubemq queries resp", ["respond"]),
    ("%kubemq queues peek seen", ["seen.before"]),
    ("%kubemq events_store receive seen.before --st", ["--start"]),
    ("%kubemq connect --profile les", ["lesson"]),
    ("%kubemq queues send seen.before --rows {{fli", ["{{flights}}"]),
]


@pytest.fixture(scope="module", autouse=True)
def profile():
    profiles.file().parent.mkdir(parents=True, exist_ok=True)
    profiles.file().write_text("[lesson]\n")
    yield
    profiles.file().unlink()


@pytest.fixture(scope="module")
def kernel(address, credentials):
    """A client of a kernel that has seen a channel, and has no connection any more."""
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    token = "".join(f" --token-file {file}" for file in credentials.values())
    run(client, "%load_ext kubemq_nb")
    run(client, f"%kubemq connect {address}{token} -q")
    run(client, "flights = []\n%kubemq queues peek seen.before -w 0s -q")
    run(client, "%kubemq close -q")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code, *, watched=False):
    """Run a cell; all that it wrote."""
    written = []

    def listen(message):
        if message["msg_type"] in ("stream", "error"):
            written.append(message["content"].get("text") or "\n".join(message["content"]["traceback"]))

    reply = client.execute_interactive(
        code, timeout=60, allow_stdin=watched, output_hook=listen, stdin_hook=lambda _: None
    )
    assert reply["content"]["status"] == "ok", written
    return "".join(written)


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_a_kernel_completes_a_line_without_any_connection(kernel, typed, expected):
    reply = kernel.complete(typed, len(typed), reply=True, timeout=60)["content"]

    assert reply["matches"] == expected
    assert expected[0].startswith(typed[reply["cursor_start"] : reply["cursor_end"]])
    assert reply["cursor_end"] == len(typed)


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_a_terminal_completes_it_too(shell, typed, expected):
    load_ipython_extension(shell)
    shell.user_ns["flights"] = []
    shell.min_elide = 30  # as the shell of a terminal has it
    magics = shell.magics_manager.registry["KubeMQMagics"]
    magics.dispatcher._remember("", "seen.before")

    found = IPythonPTCompleter(shell=shell).get_completions(Document(typed), CompleteEvent())
    completed = [typed[: len(typed) + each.start_position] + each.text for each in found]

    unload_ipython_extension(shell)
    (word,) = expected
    assert completed == [typed[: typed.rindex(" ") + 1] + word]


@pytest.mark.parametrize("watched", [True, False])
def test_progress_is_for_a_notebook_that_somebody_watches(kernel, watched):
    ask = "from kubemq_nb.magics import progress; print(progress.painter(get_ipython()) is not None)"

    assert (
        run(kernel, ask, watched=watched) == f"{watched}\n"
    )  # as nbval, nbconvert and papermill run it: False
