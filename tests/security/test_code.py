"""What the source holds: nothing that runs what others sent, and nothing that calls home."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest

from kubemq_nb import frames, render
from kubemq_nb.frames.decoders import MADE, NAMES, decode_with, decoder
from kubemq_nb.frames.expanding import Budget
from kubemq_nb.frames.writing import Writer
from kubemq_nb.widgets import cells, detail
from tests.security.specimens import LOOK, queue_frame
from tests.source import ROOT, imports, modules

RUNS_DATA = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
    "jsonpickle",
    "dbm",
    "code",
    "codeop",
}
RUNS_CODE = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "execfile",
    "input",
    "breakpoint",
    "os.system",
    "os.popen",
    "os.spawnl",
    "os.spawnv",
    "os.execv",
    "os.execl",
    "os.startfile",
    "pandas.eval",
    "pd.eval",
    "pd.read_pickle",
    "runpy.run_path",
    "runpy.run_module",
    "types.CodeType",
    "types.FunctionType",
}
METHODS = {"run_cell", "ex", "ev", "safe_execfile", "to_pickle", "read_pickle", "eval", "query"}
STARTS = {"run", "Popen", "call", "check_call", "check_output", "getoutput", "create_subprocess_shell"}
CALLS_OUT = {
    "socket",
    "urllib",
    "http",
    "ftplib",
    "smtplib",
    "xmlrpc",
    "requests",
    "httpx",
    "aiohttp",
    "webbrowser",
    "telnetlib",
}

LEGITIMATE = {
    ("magics.cells", "eval"): "the user's own expression on a line",
    ("magics.cells", "compile"): "the same, and a cell that the user makes the body of a function",
    ("magics.cells", "exec"): "the same",
    ("session.fold", "pickle"): "states of the user's fold, written and read by one object, in memory",
    ("lab", "os.execv"): "to become JupyterLab, whose arguments the user typed",
    ("broker.server", "socket"): "to find a port that is free, on loopback",
}
"""The places where one of these is right, and why."""


def called(tree):
    """Names of what is called, as they are written."""
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def dangerous(module):
    found = {each.name.partition(".")[0] for each in imports(module)} & (RUNS_DATA | CALLS_OUT)
    for name, node in called(module.tree):
        if name in RUNS_CODE or ("." in name and name.rpartition(".")[2] in METHODS):
            found.add(name if name in RUNS_CODE else name.rpartition(".")[2])
        if name.rpartition(".")[2] in STARTS and any(
            each.arg == "shell" and ast.unparse(each.value) != "False" for each in node.keywords
        ):
            found.add("shell=True")
    return found


def test_nothing_runs_what_others_sent():
    """First seen red on `yaml.load` in frames/decoders.py and on `shell=True` in frames/protobuf.py."""
    found = {(module.name, name) for module in modules() for name in dangerous(module)}

    assert found - set(LEGITIMATE) == set()
    assert set(LEGITIMATE) - found == set()


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from yaml import load",
        "def f():\n    import marshal",
        "eval(x)",
        "os.system(x)",
        "subprocess.run(x, shell=True)",
        "frame.query(x)",
        "pd.read_pickle(x)",
        "import urllib.request",
    ],
)
def test_each_of_them_would_be_seen(text):
    module = next(module for module in modules() if module.name == "messages")

    assert dangerous(type(module)(module.name, module.path, text, ast.parse(text)))


PICKLED = b"cos\nsystem\n(S'touch %s'\ntR."
BODIES = (
    PICKLED,
    b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x08touch %s\x85R.",
    b"!!python/object/apply:os.system ['touch %s']",
    b'{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["touch %s"]}]}',
    b"__import__('os').system('touch %s')",
    b"{{__import__('os').system('touch %s')}}",
    b"${jndi:ldap://127.0.0.1/touch %s}",
    b"`touch %s`; $(touch %s)",
)


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_code_stays_a_body(tmp_path, body):
    canary = tmp_path / "canary"
    body = body.replace(b"%s", str(canary).encode())

    for name in MADE:
        decode_with(decoder(name, Budget()), [body])
    frame = queue_frame("x", body.decode("latin-1"))
    render.frame(frame)
    render.as_json(frame, lines=True)
    repr(frame)

    assert frame["body"][0] == body.decode("latin-1").encode()
    assert not canary.exists()


def test_no_decoder_reads_what_may_run():
    assert [
        name for name in NAMES if any(each in name for each in ("pickle", "marshal", "yaml", "python"))
    ] == []


@pytest.mark.parametrize("depth", [100, 480, 900, 980, 5000, 200_000])
@pytest.mark.parametrize("form", ["[]", '{"a":}'])
def test_a_body_nested_in_itself_is_shown_and_written(tmp_path, depth, form):
    """First seen red with `--format json`, which failed on a message nested 400 deep that had been taken."""
    before, after = form[:-1], form[-1]
    body = f"{before * depth}1{after * depth}"
    frame = queue_frame("x", body)

    assert "x" in render.frame(frame).text
    assert body[:100] in render.as_json(frame, lines=True).replace("\\", "")
    assert len(cells.value(frame["decoded"][0])) <= cells.CUT
    assert render.frame(frame, LOOK).html
    assert detail.shown_body(frame["decoded"][0], body.encode())
    for kind in (".csv", ".jsonl", ".parquet"):
        with Writer(tmp_path / f"rows{kind}") as writer:
            writer.write(frame)
    assert frames.records(tmp_path / "rows.jsonl")[0]["body"] == body.encode()


def test_a_message_of_a_megabyte_takes_little_room_in_a_display():
    """A display holds its beginning; what a kernel holds of a thousand is row 14 of docs/reliability.md."""
    frame = queue_frame("x", "y" * 1_000_000)
    shown = render.frame(frame)

    assert len(shown.text) < 10_000
    assert len(shown.html) < 10_000


def test_a_name_of_a_megabyte_takes_little_room_in_a_display():
    """First seen red: the fields of a body became headings as long as they were."""
    shown = render.frame(queue_frame("x", '{"%s": 1}' % ("y" * 1_000_000)))

    assert len(shown.html) < 10_000


# Supply chain

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_each_dependency_has_a_lower_bound():
    wanted = [
        *PROJECT["dependencies"],
        *PROJECT["optional-dependencies"]["arrow"],
        *PROJECT["optional-dependencies"]["decode"],
    ]

    assert [each for each in wanted if not re.fullmatch(r"[A-Za-z0-9-]+>=\d[\d.]*", each)] == []
    assert len(PROJECT["dependencies"]) == 9


def test_what_the_tests_run_with_is_pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert [
        line for line in lines if not line.startswith("#") and not re.fullmatch(r"[\w.-]+==[\w.+!-]+", line)
    ] == []


IMPORT_EVERYTHING = """
import sys
asked = []
OUT = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "urllib.Request")
OUT += ("subprocess.Popen", "os.system", "os.exec")
sys.addaudithook(lambda event, given: event in OUT and asked.append((event, given)))
import importlib, pkgutil
import kubemq_nb
for found in pkgutil.walk_packages(kubemq_nb.__path__, "kubemq_nb."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(asked)
"""


def test_importing_all_of_it_asks_nobody_and_starts_nothing():
    """First seen red on `socket.getaddrinfo("kubemq.io", 443)` in kubemq_nb/__init__.py."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_no_address_of_another_machine_is_in_the_source():
    """No telemetry, no update check, no CDN: first seen red on an `import` from a CDN in live_table.js."""
    sources = [module.path for module in modules()]
    sources += [path for path in (ROOT / "kubemq_nb" / "widgets" / "static").iterdir() if path.is_file()]
    found = {
        address
        for path in sources
        for address in re.findall(r"(?:https?|wss?)://[\w.-]+", path.read_text(encoding="utf-8"))
    }

    assert found <= {"http://www.w3.org", "http://user", "https://github.com"}
