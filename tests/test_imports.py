"""What importing the package costs, and what it leaves alone."""

import subprocess
import sys

import pytest

HEAVY = ("pandas", "ipywidgets", "anywidget", "IPython", "numpy", "grpc")


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("heavy", HEAVY)
def test_importing_the_package_does_not_load(heavy):
    assert run(f"import kubemq_nb, sys; print({heavy!r} in sys.modules)") == "False\n"


def test_importing_the_launcher_does_not_load_grpc():
    assert run("import kubemq_nb.broker.launcher, sys; print('grpc' in sys.modules)") == "False\n"


def test_every_public_name_resolves():
    run("import kubemq_nb; [getattr(kubemq_nb, name) for name in kubemq_nb.__all__]")


def test_an_unknown_name_is_an_attribute_error():
    code = "import kubemq_nb\ntry: kubemq_nb.nonsense\nexcept AttributeError as error: print(error)"

    assert "nonsense" in run(code)


def test_commands_do_not_wait_for_pandas():
    assert run("import kubemq_nb.magics.commands.queues, sys; print('pandas' in sys.modules)") == "False\n"


FIRST_RESULT = """
import sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance(history_load_length=0)
print("loaded", *sys.modules)
for line in ("%load_ext kubemq_nb", "%kubemq connect", "frame = %kubemq queues peek orders --wait 0s"):
    assert shell.run_cell(line).success
    print("loaded", *sys.modules)
shell.user_ns["kq"].close()
"""
OF_OTHER_PATTERNS = (
    *(
        f"kubemq_nb.client.{name}"
        for name in ("events", "events_store", "replays", "requests", "subscription")
    ),
    *(f"kubemq_nb.session.{name}" for name in ("events", "events_store", "requests", "feed", "responders")),
    *(f"kubemq_nb.session.{name}" for name in ("answers", "dashboard", "form", "queue_browser", "scrub")),
    *(f"kubemq_nb.magics.commands.{name}" for name in ("events", "requests", "information")),
    *("kubemq_nb.widgets", "ipywidgets", "anywidget", "importlib.metadata", "tomllib", "platformdirs"),
)


def test_a_first_result_loads_only_what_it_needs():
    told = [line for line in run(FIRST_RESULT).splitlines() if line.startswith("loaded")]
    before, _, connected, peeked = (set(line.split()) for line in told)

    assert "kubemq_nb.magics.commands.queues" in peeked - connected
    assert (peeked - before) & set(OF_OTHER_PATTERNS) == set()  # old versions of IPython load some


ONE_MESSAGE = """
import sys, kubemq_nb
from kubemq_nb import command_line
with kubemq_nb.connect() as session:
    session.queues.send("orders", "hello")
    place = ["--address", session.address, f"--token-file={session.token_file}"]
    assert command_line.main([*place, "queues", "send", "orders", "hello", "-q"]) == 0
print("pandas" in sys.modules)
"""


def test_a_script_or_a_shell_that_sends_a_message_does_not_wait_for_pandas():
    assert run(ONE_MESSAGE) == "False\n"
