"""A cell as what is sent: one body, or rows."""

import json

from IPython.core.error import UsageError

from kubemq_nb import frames
from kubemq_nb.magics.grammar import Encoding


def of_cell(cell: str, encoding: Encoding, *, above: int = 1) -> dict[str, object]:
    """What the cell is to `send`: a `body`, or `rows` where each line is one message.

    Args:
        cell: Its text.
        encoding: What it holds.
        above: Lines before the text that errors count too: in a notebook the magic's own.

    Raises:
        UsageError: It is not what the encoding says; names the line, and nothing was sent.
    """
    text = cell.removesuffix("\n")
    if encoding == "json":
        _json(text, above)
    if encoding in ("text", "json"):
        return {"body": text}
    if encoding == "csv":
        return {"rows": frames.read_csv(text)}
    lines = enumerate(text.splitlines(), start=above)
    return {"rows": [_row(line, number) for number, line in lines if line.strip()]}


def _row(line: str, number: int) -> object:
    """A row of JSON lines; an object may name message fields, anything else is a body as it stands."""
    value = _json(line, number)
    return value if isinstance(value, dict) else line


def _json(text: str, above: int) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise UsageError("the JSON is nested too deeply. Nothing was sent.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno + above}, column {error.colno}"
        raise UsageError(f"{where}: {error.msg}. Nothing was sent.") from None
