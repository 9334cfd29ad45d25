"""A token that must be found nowhere but in its own place, whatever is done and whatever goes wrong."""

import os
import pickle
import traceback
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import kubemq_nb
from kubemq_nb.client.tokens import Secret, Token
from kubemq_nb.errors import KubeMQError
from tests.conformance.support import eventually

pytestmark = pytest.mark.embedded_only

CANARY = "canary-7f3a9c51d0e84b26"

# What is done in a notebook; {...} is filled in by the test, the token never.
CELLS = """
%load_ext kubemq_nb
---
import logging, os, pathlib
logging.basicConfig(filename="{folder}/debug.log", level=logging.DEBUG)
logging.debug("the log is on")
---
%xmode Verbose
---
%kubemq connect --name own
---
%kubemq queues send orders hello
---
pathlib.Path("{folder}/own").write_text(kq.token_file.read_text())
store = kq.token_file.parent
---
%kubemq connect {lenient} --name by-variable --token-env CANARY_TOKEN
---
%kubemq connect {lenient} --name by-file --token-file {file}
---
%kubemq connect {lenient} --name by-default
---
%kubemq status
---
%kubemq connections
---
kq
---
kq, vars(kq), vars(kq._link), vars(kq._link.connection), vars(kq._link.connection._token)
---
%whos
---
%%kubemq
events send a hello
queues send a hello
queues peek a
queues receive a
jobs
channels
---
tx = %kubemq queues transaction a --wait 0s
---
feed = kq.events.receive("a", live=True); feed
---
%kubemq queues send "no such name" x
---
%kubemq queues send
---
%kubemq nonsense
---
%kubemq connect {strict} --token-env CANARY_TOKEN
---
%kubemq connect {strict} --token-file {file}
---
%kubemq connect {strict}
---
%kubemq connect 127.0.0.1:1 --token-env CANARY_TOKEN
---
%kubemq connect 192.0.2.1:50000 --token-env CANARY_TOKEN
---
%kubemq connect {lenient} --token-env CANARY_TOKEN --ca {ca}
---
%kubemq connect {lenient} --token-env CANARY_TOKEN --ca {file}
---
%kubemq connect {lenient} --token-env CANARY_TOKEN --token-file {file}
---
%kubemq connect $CANARY_TOKEN
---
%kubemq connect {lenient} --name $CANARY_TOKEN --store x
---
import kubemq_nb
kubemq_nb.connect("{strict}", token_env="CANARY_TOKEN")
---
kubemq_nb.connect("{strict}", token_file="{file}")
---
kubemq_nb.connect("192.0.2.1:50000", token_env="CANARY_TOKEN")
---
kubemq_nb.connect("127.0.0.1:1", token_env="CANARY_TOKEN")
---
kubemq_nb.connect("{lenient}", token_env="CANARY_TOKEN", ca="{ca}")
---
os.environ["BROKEN_TOKEN"] = os.environ["CANARY_TOKEN"] + chr(10) + "x"
kubemq_nb.connect("{lenient}", token_env="BROKEN_TOKEN")
---
%kubemq connect {lenient} --token-env BROKEN_TOKEN
---
%kubemq use by-file
---
kq.queues.send("no such name", "x")
---
%tb
---
own = kubemq_nb.session.registry.get("own")
children = [pathlib.Path("/proc", str(own.broker.start()["pid"][0]))]
secrets = [os.environ["CANARY_TOKEN"].encode(), pathlib.Path("{folder}/own").read_bytes()]
seen = [(pid / name).read_bytes() for pid in children for name in ("cmdline", "environ")]
print(len(children), "children,", sum(secret in text for secret in secrets for text in seen), "hits")
---
files = [path for path in store.rglob("*") if path.is_file() and path.name != "token"]
found = [path.name for path in files for secret in secrets if secret in path.read_bytes()]
print(len(files) > 2, "files,", len(found), "hits")
---
%history
---
get_ipython().history_manager.writeout_cache()
shown = repr(In) + repr(Out) + repr([value for name, value in get_ipython().user_ns.items()
                                     if name not in ("secrets", "seen", "shown")])
print(sum(secret.decode() in shown for secret in secrets), "hits")
"""


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "canary"
    file.touch(0o600)
    file.write_text(CANARY)
    return file


@pytest.fixture
def lenient(serve, file):
    """A broker whose token is the canary."""
    return serve("--token-file", file)


@pytest.fixture
def strict(serve):
    """A broker whose token is another one."""
    return serve()


def outputs(cell):
    return "".join(out.get("text", "") for out in cell.outputs)


def run(cells, folder, monkeypatch):
    """Run a notebook in a kernel of its own that keeps its history in `folder`."""
    monkeypatch.setenv("CANARY_TOKEN", CANARY)
    monkeypatch.setenv("KUBEMQ_AUTH_TOKEN", CANARY)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        allow_errors=True,
        ipython_hist_file=str(folder / "history.sqlite"),
        resources={"metadata": {"path": folder}},
    ).execute()
    return notebook


@pytest.mark.rows("M-40")
def test_a_notebook_that_does_everything_holds_no_token(tmp_path, monkeypatch, files, file, lenient, strict):
    folder = tmp_path / "notebook"
    folder.mkdir()
    names = {"{folder}": folder, "{file}": file, "{ca}": files.ca}
    names |= {"{lenient}": lenient.address, "{strict}": strict.address}
    text = CELLS
    for name, value in names.items():
        text = text.replace(name, str(value))

    notebook = run([cell.strip() for cell in text.split("\n---\n")], folder, monkeypatch)
    nbformat.write(notebook, folder / "notebook.ipynb")

    assert b"by-variable" in (folder / "history.sqlite").read_bytes()
    assert (folder / "debug.log").stat().st_size > 0
    own = (folder / "own").read_bytes()
    (folder / "own").unlink()
    hits = [
        path
        for path in folder.rglob("*")
        if path.is_file()
        for secret in (CANARY.encode(), own)
        if secret in path.read_bytes()
    ]
    assert hits == []
    by_source = {cell.source.partition("\n")[0]: cell for cell in notebook.cells}
    assert outputs(notebook.cells[-1]).endswith("0 hits\n")
    assert outputs(by_source['own = kubemq_nb.session.registry.get("own")']) == "1 children, 0 hits\n"
    assert outputs(next(cell for cell in notebook.cells if cell.source.startswith("files ="))) == (
        "True files, 0 hits\n"
    )
    failed = [cell for cell in notebook.cells if any(out.output_type == "error" for out in cell.outputs)]
    assert len(failed) >= 10


def with_locals(error):
    """All that a debugger's traceback would show."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


USES = {
    "send to a queue": lambda kq: kq.queues.send("a", "x"),
    "send many": lambda kq: kq.queues.send("a", rows=["x"] * 3),
    "peek": lambda kq: kq.queues.peek("a"),
    "receive": lambda kq: kq.queues.receive("a"),
    "take everything": lambda kq: kq.queues.ack_all("a"),
    "hold": lambda kq: kq.queues.transaction("a", wait=1),
    "send an event": lambda kq: kq.events.send("a", "x"),
    "stream events": lambda kq: kq.events.send("a", rows=["x"] * 3),
    "listen": lambda kq: kq.events.receive("a", live=True),
    "replay": lambda kq: kq.events_store.receive("a"),
    "ask": lambda kq: kq.queries.send("a", "x"),
    "answer": lambda kq: kq.queries.respond("a", reply="x"),
    "list": lambda kq: kq.channels.list(),
}


@pytest.mark.usefixtures("nothing_settles")
@pytest.mark.rows("M-40")
def test_no_error_of_any_verb_holds_the_token(serve, tmp_path, file, lenient, caplog):
    caplog.set_level("DEBUG")
    shown = []
    with kubemq_nb.connect(lenient.address, token_file=file) as kq:
        lenient.process.terminate()
        lenient.process.wait()
        other = tmp_path / "other"
        other.touch(0o600)
        other.write_text("another")
        serve("--token-file", other, "--address", lenient.address)
        eventually(lambda: kq.status()["state"].tolist() == ["live"])
        for use in USES.values():
            with pytest.raises(KubeMQError) as caught:
                use(kq)
            shown += [str(caught.value), repr(caught.value), repr(vars(caught.value))]
            shown.append(with_locals(caught.value))
        shown += [repr(kq), kq.status().to_string(), str(vars(kq._link.connection))]

    assert sum("refused the token of" in text for text in shown) >= 2 * len(USES)
    assert [text for text in [*shown, caplog.text] if CANARY in text] == []


def test_a_secret_is_the_text_but_does_not_show_it():
    secret = Secret(CANARY)

    assert secret == CANARY
    assert repr(secret) == "'***'"
    assert CANARY not in f"{[secret]} {secret!r} {(secret,)}" + repr({"token": secret})


def test_a_token_does_not_tell_itself():
    token = Token(lambda: CANARY, place="somewhere")

    assert CANARY not in repr(token) + repr(vars(token)) + token.words
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(token)


def test_the_brokers_log_and_runtime_file_hold_no_token(lenient, file, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("none of its tokens")
    with pytest.raises(KubeMQError):
        kubemq_nb.connect(lenient.address, token_file=wrong)
    kubemq_nb.connect(lenient.address, token_file=file).close()

    held = [path for path in Path(lenient.store).rglob("*") if path.is_file()]

    assert len(held) > 2
    assert [path.name for path in held if CANARY.encode() in path.read_bytes()] == []
    assert CANARY not in Path(f"/proc/{lenient.pid}/cmdline").read_text()
    assert CANARY not in os.environ.values()


@pytest.mark.parametrize(
    "line",
    [
        "connect h:1 --token {secret}",
        "connect h:1 --token-env {secret}",
        "connect h:1 --token-env={secret}",
        "connect h:1 --auth-token '{secret}'",
        "connect $HOLDS_A_SECRET",
        "connect h:1 --token-env $HOLDS_A_SECRET",
        "connect h:1 --ca $HOLDS_A_SECRET",
        "connect http://user:{secret}@h:1",
    ],
)
def test_a_secret_in_the_wrong_place_is_told_and_kept_nowhere(shell, monkeypatch, capsys, line):
    for secret in (CANARY, "7f3a9c51d0e84b267f3a9c51d0e84b26", "abcdefabcdefabcdefabcdef01234567"):
        monkeypatch.setenv("HOLDS_A_SECRET", secret)

        result = shell.run_cell(f"%kubemq {line.format(secret=secret)}", store_history=True)
        shell.history_manager.writeout_cache()

        assert type(result.error_in_exec).__name__ == "UsageError"
        kept = Path(shell.history_manager.hist_file).read_bytes()
        assert b"%kubemq connect" in kept
        told = "".join(capsys.readouterr())
        assert secret not in told + kept.decode(errors="replace") + repr(shell.user_ns["In"])
