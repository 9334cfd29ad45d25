"""Messages in files: JSON lines, CSV and Parquet, read and written a part at a time.

What was written is read back to the byte. In JSON lines and CSV a body is text in `body` or, where it is not
UTF-8 text, base64 in `body_base64`; in Parquet it is binary. Tags are an object in JSON lines, JSON text
elsewhere. In a CSV file of ours (one with a column `body_base64`) a text that a spreadsheet would take for a
formula has an apostrophe before it, which reading takes away again.
"""

import base64
import contextlib
import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pandas as pd

PART = 10_000  # rows that are in memory at once
BASE64 = "body_base64"
TEXTS = frozenset({"id", "channel", "metadata", "client_id", "dead_letter", "body", "rerouted_from"})
NOT_WRITTEN = {"decoded", BASE64}  # made from the body
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")

Record = dict[str, Any]


def read(path: str | Path) -> Iterator[pd.DataFrame]:
    """Read a file in parts: frames of at most PART rows.

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


class Writer:
    """Writes frames of messages to one file, which is there when all is written and not before.

    Args:
        path: The file; its ending says which kind. One that exists is replaced at the end.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.count = 0
        if self.path.suffix not in _SINKS:
            raise ValueError(f"rows go to a .csv, .jsonl or .parquet file, not to {self.path.name}")
        self._unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        self._sink = _SINKS[self.path.suffix](self._unfinished)

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame; all frames of a file have the same columns."""
        self._sink.write(frame[[name for name in frame.columns if name not in NOT_WRITTEN]])
        self.count += len(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._sink.close()
        if kind is None:
            self._unfinished.replace(self.path)
        else:
            self._unfinished.unlink(missing_ok=True)


class _JsonLines:
    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="\n")

    def write(self, frame: pd.DataFrame) -> None:
        for record in _records(frame):
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")

    def close(self) -> None:
        self._file.close()


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._rows: csv.DictWriter[str] | None = None

    def write(self, frame: pd.DataFrame) -> None:
        if self._rows is None:
            self._rows = csv.DictWriter(self._file, [*frame.columns, BASE64], restval="")
            self._rows.writeheader()
        self._rows.writerows({name: _cell(value) for name, value in row.items()} for row in _records(frame))

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        need_arrow()
        self._path = path
        self._writer: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        import pyarrow as pa  # noqa: PLC0415  an extra
        from pyarrow import parquet  # noqa: PLC0415

        frame = frame.assign(tags=[json.dumps(tags, ensure_ascii=False) for tags in frame["tags"]])
        if self._writer is None:
            texts = [(name, pa.string()) for name in [*TEXTS - {"body"}, "tags", "md5_of_body"]]
            kinds = dict([*texts, ("body", pa.binary())])
            found = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
            fields = [pa.field(each.name, kinds.get(each.name, each.type)) for each in found]
            self._writer = parquet.ParquetWriter(self._path, pa.schema(fields))
        self._writer.write_table(
            pa.Table.from_pandas(frame, schema=self._writer.schema, preserve_index=False)
        )

    def close(self) -> None:
        if self._writer is None:
            self._path.touch()
        else:
            self._writer.close()


def _records(frame: pd.DataFrame) -> Iterator[Record]:
    """The rows as JSON has them; the body in one of its two places."""
    columns = [_plain(frame[name]) for name in frame.columns]
    for row in zip(*columns, strict=True):
        record = dict(zip(frame.columns, row, strict=True))
        body = record.pop("body")
        text = _text(body)
        yield (
            {**record, BASE64: base64.b64encode(body).decode()} if text is None else {**record, "body": text}
        )


def _plain(column: "pd.Series[Any]") -> list[Any]:
    return [
        None if gone else value.isoformat() if hasattr(value, "isoformat") else value
        for value, gone in zip(column.tolist(), column.isna(), strict=True)
    ]


def _text(body: bytes) -> str | None:
    with contextlib.suppress(UnicodeDecodeError):
        text = body.decode()
        return None if "\0" in text else text
    return None


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _read_json_lines(path: Path) -> Iterator[pd.DataFrame]:
    with path.open(encoding="utf-8") as lines:
        part: list[Any] = []
        for number, line in enumerate(lines, start=1):
            if line.strip():
                part.append(_object(line, number, path))
            if len(part) == PART:
                yield _frame(part)
                part = []
        if part:
            yield _frame(part)


def _object(line: str, number: int, path: Path) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name}, line {number}: {error}") from error


def _frame(records: list[Any]) -> pd.DataFrame:
    """A frame of objects as they are: no number becomes another because its column has a gap."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return pd.DataFrame(
        {name: pd.Series([record.get(name) for record in records], dtype=object) for name in names}
    )


def _read_csv(path: Path) -> Iterator[pd.DataFrame]:
    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file), [])
    if "body" not in names:  # one JSON body a row, with pandas' reading of its numbers
        yield from pd.read_csv(path, chunksize=PART, dtype_backend="numpy_nullable")
        return
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        part: list[Record] = []
        for row in csv.DictReader(file, strict=True):
            part.append({name: _value(name, text, ours=BASE64 in names) for name, text in row.items()})
            if len(part) == PART:
                yield _frame(part)
                part = []
        if part:
            yield _frame(part)


def _value(name: str, text: str, *, ours: bool) -> Any:
    """A cell of a CSV file: an apostrophe of ours taken away, and numbers where messages have them."""
    if ours and name in {*TEXTS, BASE64} and text.startswith("'"):
        return text[1:]
    return int(text) if name in _NUMBERS and text else text


_NUMBERS = {"expiration", "delay", "max_receive_count"}


def _read_parquet(path: Path) -> Iterator[pd.DataFrame]:
    need_arrow()
    from pyarrow import parquet  # noqa: PLC0415  an extra

    with parquet.ParquetFile(path) as file:
        for part in file.iter_batches(batch_size=PART):
            yield part.to_pandas()


_READERS: dict[str, Callable[[Path], Iterator[pd.DataFrame]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}
_SINKS: dict[str, Callable[[Path], _JsonLines | _Csv | _Parquet]] = {
    ".csv": _Csv,
    ".jsonl": _JsonLines,
    ".ndjson": _JsonLines,
    ".parquet": _Parquet,
}
