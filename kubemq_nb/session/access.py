"""How a session finds its server and is let in: by arguments, environment and files."""

import os
from pathlib import Path

from kubemq_nb.session import registry


def address_of(address: str | None, store: str | Path | None) -> str:
    """Where to connect; "" means an embedded broker.

    Raises:
        TypeError: An address and a store: a store belongs to an embedded broker.
    """
    if address and store:
        raise TypeError("give an address or a store, not both: a store belongs to an embedded broker")
    return address or ("" if store else os.environ.get("KUBEMQ_ADDRESS", ""))


def token_of(address: str, token_env: str | None, token_file: str | Path | None) -> str | None:
    """The token for a server; None when there is none to show.

    Of an embedded broker of this process the token is known, whoever connects to it by its address.

    Raises:
        ValueError: The named variable is not set, or the file cannot be read.
    """
    if token_env:
        if token_env not in os.environ:
            raise ValueError(f"the environment variable {token_env}, which was to hold the token, is not set")
        return os.environ[token_env]
    if token_file:
        return _read(Path(token_file).expanduser())
    for session in registry.all():
        if session.address == address and session.token_file:
            return _read(session.token_file)
    return os.environ.get("KUBEMQ_AUTH_TOKEN")


def described(token: str | None, token_file: str | Path | None, *, encrypted: bool) -> str:
    """How the server is spoken to, in words that hold no secret."""
    place = f"token in {token_file}" if token_file else "token" if token else "no token"
    return f"{place}, TLS" if encrypted else place


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ValueError(f"the token file {path} cannot be read: {error.strerror}") from error
