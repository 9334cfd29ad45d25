"""Certificates and keys of TLS: read from PEM files and checked, so that what is wrong is told in words.

gRPC checks them when it connects, and then says only that no connection came about.
"""

import ssl
from os import PathLike
from pathlib import Path
from typing import NamedTuple

PemFile = str | PathLike[str]

_OTHERS = 0o077  # anybody but the owner


class Certificates(NamedTuple):
    """The content of PEM files; None where there is no file.

    Attributes:
        ca: Whose signature the other side's certificate must bear.
        cert: One's own certificate, with those between it and its authority.
        key: Its private key.
    """

    ca: bytes | None
    cert: bytes | None
    key: bytes | None


def read(ca: PemFile | None, cert: PemFile | None, key: PemFile | None) -> Certificates:
    """Read the files.

    Raises:
        ValueError: A file that cannot be read, or does not hold what it should; a certificate without key.
    """
    if bool(cert) != bool(key):
        raise ValueError("A certificate and its key are two files: give both --cert and --key.")
    found = Certificates(_content(ca), _content(cert), _content(key))
    if ca:
        _check_authority(ca)
    if cert and key:
        _check_pair(cert, key)
    return found


def trusted() -> bytes | None:
    """The authorities that this system trusts, or SSL_CERT_FILE names; None for those that gRPC brings."""
    if file := ssl.get_default_verify_paths().cafile:
        return Path(file).read_bytes()
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, known)).encode() or None


def exposed(path: PemFile) -> str:
    """A warning for a file with a secret that others may read; "" when they may not."""
    if not Path(path).stat().st_mode & _OTHERS:
        return ""
    return f"{path} can be read by others on this machine; `chmod 600 {path}` keeps it yours."


def _content(path: PemFile | None) -> bytes | None:
    try:
        return Path(path).read_bytes() if path else None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error


def _check_authority(ca: PemFile) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca)
    except ssl.SSLError:
        raise ValueError(f"{ca} holds no certificate (PEM) of an authority.") from None


def _check_pair(cert: PemFile, key: PemFile) -> None:
    try:
        # The empty password keeps OpenSSL from asking for one on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError(f"{key} is not the key of {cert}.") from None
        raise ValueError(
            f"{cert} and {key} are not a certificate and its key (PEM, the key without a password)."
        ) from None
