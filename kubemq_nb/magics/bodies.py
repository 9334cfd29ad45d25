"""A cell as what is sent: one body, or rows."""

import json

from IPython.core.error import UsageError

from kubemq_nb import frames
from kubemq_nb.magics.grammar import Encoding


def of_cell(cell: str, encoding: Encoding) -> dict[str, object]:
    """What the cell is to `send`: a `body`, or `rows` where each line is one message.

    Raises:
        UsageError: It is not what the encoding says; names the line, and nothing was sent.
    """
    text = cell.removesuffix("\n")
    if encoding == "json":
        _json(text, first=1)
    if encoding in ("text", "json"):
        return {"body": text}
    if encoding == "csv":
        return {"rows": frames.read_csv(text)}
    lines = enumerate(text.splitlines(), start=1)
    return {"rows": [_row(line, number) for number, line in lines if line.strip()]}


def _row(line: str, number: int) -> object:
    """A row of JSON lines; an object may name message fields, anything else is a body as it stands."""
    value = _json(line, first=number)
    return value if isinstance(value, dict) else line


def _json(text: str, *, first: int) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        raise UsageError("the JSON is nested too deeply. Nothing was sent.") from None
    except json.JSONDecodeError as error:
        # The magic's own line is line 1 of the cell.
        where = f"line {error.lineno + first}, column {error.colno}"
        raise UsageError(f"{where}: {error.msg}. Nothing was sent.") from None
