"""Tokens that slipped onto a line: taken out of what IPython remembers of it."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

MASK = "***"

# Long words without an underscore are tokens, though a variable might be called that.
VARIABLE_NAME = r"(?![^\W_]{20})[A-Za-z_]\w*"

_secret = re.compile(r"--(?:token|auth-token|password|secret)(?:=|\s+)(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_no_name = re.compile(rf"--token-env(?:=|\s+)(?!{VARIABLE_NAME}(?:\s|$))(\S+)")
_password = re.compile(r"\bconnect\s[^\n]*?:([^\s:/@]+)@")  # as in http://user:password@host


def secrets(line: str) -> list[str]:
    """What on a line looks like a token."""
    found = [*_secret.findall(line), *_no_name.findall(line), *_password.findall(line)]
    return [text for each in found for text in ([each] if isinstance(each, str) else each) if text]


def forget(shell: "InteractiveShell", line: str) -> None:
    """Mask the tokens of a refused line in the history of this shell, in memory and on disk."""
    history: Any = shell.history_manager
    for secret in secrets(line):
        for entries in (history.input_hist_parsed, history.input_hist_raw):
            entries[:] = [entry.replace(secret, MASK) for entry in entries]
        for name in ("_i", "_ii", "_iii", "_i00"):
            setattr(history, name, getattr(history, name).replace(secret, MASK))
        _forget_variables(shell.user_ns, secret)
        if history.enabled:
            _forget_on_disk(history, secret)


def _forget_variables(variables: dict[str, Any], secret: str) -> None:
    for name, value in list(variables.items()):
        if re.fullmatch(r"_i+|_i\d+", name) and isinstance(value, str):
            variables[name] = value.replace(secret, MASK)


def _forget_on_disk(history: Any, secret: str) -> None:
    history.writeout_cache()
    with history.db:
        history.db.execute(
            "UPDATE history SET source = replace(source, :secret, :mask),"
            " source_raw = replace(source_raw, :secret, :mask) WHERE session = :session",
            {"secret": secret, "mask": MASK, "session": history.session_number},
        )
