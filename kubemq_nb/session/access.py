"""How a session finds its server and is let in: by arguments, environment and files."""

import logging
import os
from pathlib import Path

from kubemq_nb._wire import certificates
from kubemq_nb._wire.address import parse_address
from kubemq_nb._wire.status import HINT
from kubemq_nb.broker import known
from kubemq_nb.client.tokens import Secret, Token
from kubemq_nb.errors import BrokerUnavailable
from kubemq_nb.session import registry

VARIABLE = "KUBEMQ_AUTH_TOKEN"

logger = logging.getLogger(__name__)


def address_of(address: str | None, store: str | Path | None) -> str:
    """Where to connect; "" means an embedded broker.

    Raises:
        TypeError: An address and a store: a store belongs to an embedded broker.
        ValueError: An address that is none; an empty one too, which may be a variable that was not set.
    """
    if address and store:
        raise TypeError("give an address or a store, not both: a store belongs to an embedded broker")
    if address is None:
        return "" if store else os.environ.get("KUBEMQ_ADDRESS", "")
    parse_address(address)
    return address


def of_variable(error: BrokerUnavailable, address: str) -> BrokerUnavailable:
    """The same for an address that nobody typed: it says where it comes from."""
    hint = (
        "Is the server running that KUBEMQ_ADDRESS names? Without that variable the embedded broker starts."
    )
    return BrokerUnavailable(str(error).replace(HINT, hint), address=address)


def refuse_for_embedded(**given: object) -> None:
    """Do nothing, where none of these was given: they are for a server.

    Raises:
        TypeError: One was; it would be ignored.
    """
    if names := [name for name, value in given.items() if value]:
        raise TypeError(
            f"{', '.join(names)} without an address: an embedded broker has a token of its own and is not "
            "reached from other machines; give the address of a server, or leave it out"
        )


def token_of(address: str, token_env: str | None, token_file: str | Path | None) -> Token:
    """The token for a server, and where to look again when it is refused; an empty one is not shown.

    Of an embedded broker of this process, and of any that this user runs on this machine, the token is known,
    whoever connects to it by its address.

    Raises:
        TypeError: A variable and a file.
        ValueError: The named variable is not set, or the file cannot be read, or there is nothing in it.
    """
    if token_env and token_file:
        raise TypeError("give a token_env or a token_file, not both")
    if token_env:
        return in_variable(token_env)
    if token_file:
        return in_file(Path(token_file).expanduser())
    for session in registry.all():
        if session.address == address and session.token_file:
            return in_file(session.token_file)
    if parse_address(address).loopback and (path := known.token_file(address)):
        return in_file(path)
    return in_variable(VARIABLE) if VARIABLE in os.environ else Token(lambda: None)


def in_variable(name: str) -> Token:
    """The token that an environment variable holds."""

    def read() -> Secret:
        if name not in os.environ:
            raise ValueError(f"the environment variable {name}, which was to hold the token, is not set")
        return _secret(os.environ[name], f"the environment variable {name}")

    return Token(read, place=name)


def in_file(path: Path) -> Token:
    """The token that a file holds; whether others may read it is said once."""

    def read() -> Secret:
        try:
            return _secret(path.read_text(encoding="utf-8"), f"the token file {path}")
        except OSError as error:
            raise ValueError(f"the token file {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"the token file {path} holds no text") from None

    token = Token(read, place=str(path))
    if warning := certificates.exposed(path):
        logger.warning("%s", warning)
    return token


def described(token: Token, *, encrypted: bool, certificate: bool = False) -> str:
    """How the server is spoken to, in words that hold no secret."""
    shown = f"token in {token.place}" if token else "no token"
    return ", ".join([shown, *["TLS"] * encrypted, *["client certificate"] * certificate])


def _secret(text: str, source: str) -> Secret:
    token = Secret(text.strip())
    if not token:
        raise ValueError(f"{source}, which was to hold the token, is empty")
    return token
