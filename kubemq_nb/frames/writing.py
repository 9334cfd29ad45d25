"""Messages to files: CSV, JSON lines and Parquet, a part at a time; `files` says their form and reads them.

Beside the columns of the messages a file has those of `fields`, and `decoded` where a decoder was asked for:
as JSON. Without one it is left out, since it is made of the body.
"""

import base64
import contextlib
import csv
import json
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import pandas as pd

from kubemq_nb.frames.files import BASE64, TEXTS, Record, need_arrow
from kubemq_nb.frames.kinds import QUEUE
from kubemq_nb.frames.selecting import values_of

# What spreadsheets take for the beginning of a formula, in full width too; and our own mark, to be read back.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")
ESCAPED = "backslashreplace"  # half a surrogate pair, which JSON may hold, as JSON escapes it
_JSON_TEXT = ("tags", "decoded")  # in Parquet
_KINDS = {int: "int64", float: "float64", bool: "bool_", str: "string"}  # of pyarrow


class Writer:
    """Writes frames of messages to one file, which is there when all is written and not before.

    An interrupt may end it while another thread still writes: that thread is refused then.

    Args:
        path: The file; its ending says which kind. One that exists is replaced at the end.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser()
        self.count = 0
        if self.path.suffix not in _SINKS:
            raise ValueError(f"rows go to a .csv, .jsonl or .parquet file, not to {self.path.name}")
        if self.path.suffix == ".parquet":
            need_arrow()
        self._lock = threading.Lock()
        self._closed = False
        self._unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self._sink = _SINKS[self.path.suffix](_begun(self._unfinished), self._unfinished)
        except OSError as error:
            raise OSError(f"{self.path} cannot be written: {error.strerror}") from error

    def write(self, frame: pd.DataFrame) -> None:
        """Add the rows of a frame; all frames of a file have the same columns."""
        left_out = {BASE64} if frame.attrs.get("decode") else {BASE64, "decoded"}
        with self._lock:
            if self._closed:
                raise ValueError(f"{self.path.name} is closed")
            self._sink.write(frame[[name for name in frame.columns if name not in left_out]])
            self.count += len(frame)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            try:
                self._sink.close()
                if kind is None:
                    self._unfinished.replace(self.path)
            finally:
                self._unfinished.unlink(missing_ok=True)


def _begun(path: Path) -> IO[bytes]:
    """A new file, never one that somebody put in its place, nor what a link there leads to."""
    path.unlink(missing_ok=True)  # left by a process that was killed
    return os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666), "wb"
    )


class _JsonLines:
    def __init__(self, file: IO[bytes], _path: Path) -> None:
        self._file = TextIOWrapper(file, encoding="utf-8", errors=ESCAPED, newline="\n")

    def write(self, frame: pd.DataFrame) -> None:
        self._file.writelines(f"{_json(record)}\n" for record in _records(frame))

    def close(self) -> None:
        self._file.close()


class _Csv:
    def __init__(self, file: IO[bytes], _path: Path) -> None:
        self._file = TextIOWrapper(file, encoding="utf-8", errors=ESCAPED, newline="")
        self._rows: csv.DictWriter[str] | None = None

    def write(self, frame: pd.DataFrame) -> None:
        if self._rows is None:
            self._rows = csv.DictWriter(self._file, [*frame.columns, BASE64], restval="")
            self._rows.writeheader()
        self._rows.writerows({name: _cell(value) for name, value in row.items()} for row in _records(frame))

    def close(self) -> None:
        self._file.close()


class _Parquet:
    """Parquet, whose columns have one kind from the first row to the last.

    What the columns of `fields` hold is known at the end only: they are written as JSON and, where all values
    turned out to be of one kind, once more as what they are.
    """

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file = file
        self._path = path
        self._writer: Any = None
        self._fields: dict[str, set[type]] = {}

    def write(self, frame: pd.DataFrame) -> None:
        import pyarrow as pa  # noqa: PLC0415  an extra
        from pyarrow import parquet  # noqa: PLC0415

        fields = [name for name in frame.columns if name not in QUEUE]
        for name in fields:
            kinds = {_kind(value) for value in _plain(frame[name])}
            self._fields.setdefault(name, set()).update(kinds - {type(None)})
        texts = [name for name in frame.columns if name in _JSON_TEXT or name in fields]
        written: dict[str, Any] = {
            name: [_json_or_none(value) for value in _plain(frame[name])] for name in texts
        }
        frame = frame.assign(**written)
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._file, _schema(frame, texts))
        self._writer.write_table(
            pa.Table.from_pandas(frame, schema=self._writer.schema, preserve_index=False)
        )

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._file.close()
        told = {name: _KINDS[next(iter(kinds))] for name, kinds in self._fields.items() if _is_one(kinds)}
        told |= {name: "float64" for name, kinds in self._fields.items() if kinds == {int, float}}
        if told:
            _retyped(self._path, told)


def _kind(value: Any) -> type:
    """The type of a value; what no column of that type can hold is an object."""
    too_large = type(value) is int and not -(2**63) <= value < 2**63
    return object if too_large or (isinstance(value, str) and not _is_unicode(value)) else type(value)


def _is_unicode(text: str) -> bool:
    with contextlib.suppress(UnicodeEncodeError):
        return text.encode() is not None
    return False


def _is_one(kinds: set[type]) -> bool:
    return len(kinds) == 1 and kinds <= _KINDS.keys()


def _schema(frame: pd.DataFrame, texts: list[str]) -> Any:
    import pyarrow as pa  # noqa: PLC0415  an extra

    kinds = dict.fromkeys([*TEXTS, *texts, "md5_of_body"], pa.string()) | {"body": pa.binary()}
    found = pa.Schema.from_pandas(frame, preserve_index=False).remove_metadata()
    return pa.schema([pa.field(each.name, kinds.get(each.name, each.type)) for each in found])


def _retyped(path: Path, kinds: Mapping[str, str]) -> None:
    """Write a file again, these columns of JSON as what they hold."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    from pyarrow import parquet  # noqa: PLC0415

    again = path.with_name(f"{path.name}.again")
    try:
        with parquet.ParquetFile(path) as file:
            types = {name: getattr(pa, kind)() for name, kind in kinds.items()}
            schema = pa.schema(
                [each.with_type(types.get(each.name, each.type)) for each in file.schema_arrow]
            )
            with _begun(again) as renewed, parquet.ParquetWriter(renewed, schema) as writer:
                for part in file.iter_batches():
                    columns = part.to_pydict() | {
                        name: [None if text is None else json.loads(text) for text in part[name].to_pylist()]
                        for name in kinds
                    }
                    writer.write_table(pa.table(columns, schema=schema))
        again.replace(path)
    finally:
        again.unlink(missing_ok=True)


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
    """What a column holds, as JSON has it."""
    return [value.isoformat() if isinstance(value, datetime) else value for value in values_of(column)]


def _text(body: bytes) -> str | None:
    with contextlib.suppress(UnicodeDecodeError):
        text = body.decode()
        return None if "\0" in text else text
    return None


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        return _json(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _json_or_none(value: Any) -> str | None:
    return None if value is None else _json(value).encode(errors=ESCAPED).decode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_described)


def _described(value: Any) -> str:
    """What a decoder may give and JSON has not: bytes as base64, times as ISO 8601."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else str(value)


_SINKS: dict[str, type[_JsonLines | _Csv | _Parquet]] = {
    ".csv": _Csv,
    ".jsonl": _JsonLines,
    ".ndjson": _JsonLines,
    ".parquet": _Parquet,
}
