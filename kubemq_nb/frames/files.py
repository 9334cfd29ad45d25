"""Rows from files: CSV, JSON lines and Parquet, a part at a time, so that a file may be larger than memory.

What `Writer` wrote is read back to the byte. In JSON lines and CSV a body is text in `body` or, where it is
not UTF-8 text, base64 in `body_base64`; in Parquet it is binary. Tags are an object in JSON lines, JSON
text elsewhere. In a CSV file of ours (one with a column `body_base64`) a text that a spreadsheet would take
for a formula has an apostrophe before it, which reading takes away again.

What a row becomes depends on no other part of its file: objects and cells are read one by one, and where CSV
without bodies leaves the kind of a column open, the whole file decides.
"""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import pandas as pd

PART = 10_000  # rows that are in memory at once,
PART_SIZE = 4_000_000  # unless so many characters or bytes are
BUFFER = 1_000_000  # bytes of a column that are read at once
BASE64 = "body_base64"
TEXTS = frozenset({"id", "channel", "metadata", "client_id", "dead_letter", "body", "rerouted_from"})

Record = dict[str, Any]
Part = pd.DataFrame | list[Any]
"""Rows of one JSON body each as a frame, or messages and bodies one by one."""


def read(path: str | Path) -> Iterator[Part]:
    """Read a file in parts of at most PART rows, fewer where they are large.

    Raises:
        ValueError: A file of another kind, or one that is damaged; names the line.
        ImportError: Parquet without pyarrow.
    """
    path = Path(path).expanduser()
    if path.suffix not in _READERS:
        raise ValueError(f"rows come from a .csv, .jsonl or .parquet file, not from {path.name}")
    return _READERS[path.suffix](path)


def need_arrow() -> None:
    """Do nothing, if pyarrow is installed.

    Raises:
        ImportError: It is not; says how to install it.
    """
    if find_spec("pyarrow") is None:
        raise ImportError("Parquet needs pyarrow: pip install 'kubemq-nb[arrow]', or use .jsonl or .csv")


def read_csv(text: str) -> Part:
    """Read the text of a CSV file as the file would be."""
    parts = list(_csv(lambda: io.StringIO(text), "the cell"))
    frames = [part for part in parts if isinstance(part, pd.DataFrame)]
    return pd.concat(frames, ignore_index=True) if frames else [row for part in parts for row in part]


def _text_of(path: Path) -> Callable[[], IO[str]]:
    """Opens a file of text; the mark that some programs begin one with is not part of it."""
    return lambda: path.open(encoding="utf-8-sig", newline="")


def _read_json_lines(path: Path) -> Iterator[Part]:
    with _text_of(path)() as lines:
        yield from _in_parts(
            (_object(line, f"{path.name}, line {number}"), len(line))
            for number, line in enumerate(_decoded(lines, path.name), start=1)
            if line.strip()
        )


def _object(line: str, place: str) -> Any:
    """A row of JSON lines; an object may name message fields, anything else is a body as it stands."""
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError(f"{place}: nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}, character {error.colno}: {error.msg}") from error
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    return value if isinstance(value, dict) else line.strip()


def _in_parts(rows: Iterator[tuple[Any, int]]) -> Iterator[list[Any]]:
    """Parts of rows that come with their sizes."""
    part: list[Any] = []
    total = 0
    for row, size in rows:
        part.append(row)
        total += size
        if len(part) == PART or total >= PART_SIZE:
            yield part
            part, total = [], 0
    if part:
        yield part


def _decoded(lines: IO[str], name: str) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text") from None


def _read_csv(path: Path) -> Iterator[Part]:
    return _csv(_text_of(path), path.name)


def _csv(opened: Callable[[], IO[str]], name: str) -> Iterator[Part]:
    with opened() as file:
        _, names = next(_rows_of(file, name, strict=False), (0, []))
    if not {"body", BASE64} & set(names):
        try:
            yield from _csv_bodies(opened)
        except pd.errors.ParserError as error:
            reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
            raise ValueError(f"{name} is no CSV: {reason}") from None
        return
    with opened() as file:
        yield from _in_parts(_csv_messages(_rows_of(file, name, strict=True), name))


def _rows_of(file: IO[str], name: str, *, strict: bool) -> Iterator[tuple[int, list[str]]]:
    """Rows of cells, and the line where each ends."""
    before = csv.field_size_limit(sys.maxsize)  # a body is a cell; the limit is the whole process's
    rows = csv.reader(_decoded(file, name), strict=strict)
    try:
        for row in rows:
            yield rows.line_num, row
    except csv.Error as error:
        raise ValueError(f"{name}, line {rows.line_num}: {error}") from None
    finally:
        csv.field_size_limit(before)


def _csv_bodies(opened: Callable[[], IO[str]]) -> Iterator[pd.DataFrame]:
    """One JSON body a row, with pandas' reading of its cells."""
    kinds: dict[str, set[str]] = {}
    with opened() as file:
        for part in _parts_of(file):
            for name, column in part.items():
                found = kinds.setdefault(str(name), set())
                found.update([str(column.dtype)] * bool(column.notna().any()))
    with opened() as file:
        yield from _parts_of(file, {name: _common(found) for name, found in kinds.items()})


def _parts_of(file: IO[str], kinds: dict[str, str] | None = None) -> Iterator[pd.DataFrame]:
    try:
        yield from pd.read_csv(
            file, chunksize=PART, dtype_backend="numpy_nullable", low_memory=False, dtype=kinds
        )
    except pd.errors.EmptyDataError:
        return


def _common(kinds: set[str]) -> str:
    """The kind of a column whose parts are of these: text where they differ, so that no cell changes."""
    if kinds == {"Int64", "Float64"}:
        return "Float64"
    return kinds.pop() if len(kinds) == 1 else "string"


def _csv_messages(rows: Iterator[tuple[int, list[str]]], name: str) -> Iterator[tuple[Record, int]]:
    _, names = next(rows)
    ours = BASE64 in names
    for line, row in rows:
        if len(row) != len(names) and row:
            raise ValueError(f"{name}, line {line}: {len(row)} cells, where the first line has {len(names)}")
        if row:
            cells = zip(names, row, strict=True)
            yield {column: _value(column, cell, ours=ours) for column, cell in cells}, sum(map(len, row))


def _value(name: str, text: str, *, ours: bool) -> Any:
    """A cell of a CSV file, an apostrophe of ours taken away."""
    if ours and name in {*TEXTS, BASE64} and text.startswith("'"):
        return text[1:]
    return text


def _read_parquet(path: Path) -> Iterator[Part]:
    need_arrow()
    from pyarrow import parquet  # noqa: PLC0415  an extra

    with parquet.ParquetFile(path, buffer_size=BUFFER) as file:
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            fitting = PART_SIZE * group.num_rows // (group.total_byte_size or 1)
            rows = min(PART, max(1, fitting))
            for part in file.iter_batches(batch_size=rows, row_groups=[number], use_threads=False):
                yield part.to_pylist()  # values as they are: a frame makes a number with gaps another


_READERS: dict[str, Callable[[Path], Iterator[Part]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}
