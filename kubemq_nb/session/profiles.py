"""Named ways to connect, kept in a file of the user's: `profiles.toml`, a table for each name.

[production]
address = "kubemq.example.com:50000"
token_env = "KUBEMQ_TOKEN"
ca = "~/ca.pem"
read_only = true
"""

from pathlib import Path
from typing import Any

KINDS: dict[str, type] = {
    **dict.fromkeys(("address", "store", "client_id", "token_env", "token_file", "ca", "cert", "key"), str),
    "server_name": str,
    **dict.fromkeys(("tls", "insecure", "read_only"), bool),
}
PATHS = ("token_file", "ca", "cert", "key")


def file() -> Path:
    """Where the profiles are kept."""
    from platformdirs import user_config_dir  # noqa: PLC0415  few have profiles

    return Path(user_config_dir("kubemq-nb", appauthor=False)) / "profiles.toml"


def names() -> list[str]:
    """The names of all profiles; none where the file cannot be read."""
    try:
        return sorted(_tables())
    except ValueError:
        return []


def profile(name: str) -> dict[str, Any]:
    """What a profile says, as `connect` takes it.

    Raises:
        ValueError: There is none of this name, or it says what no profile says.
    """
    tables = _tables()
    if name not in tables:
        raise ValueError(f"no profile {name} in {file()}; there are: {', '.join(sorted(tables)) or 'none'}")
    said = tables[name]
    if not isinstance(said, dict):
        raise ValueError(f"{name} in {file()} is no table: write [{name}] above its lines")  # noqa: TRY004
    for key, value in said.items():
        if "token" in key and key not in KINDS:
            raise ValueError(f"the profile {name} holds a token: name its place by token_env or token_file")
        if key not in KINDS:
            raise ValueError(f"the profile {name} has {key}; there may be {', '.join(KINDS)}")
        if not isinstance(value, KINDS[key]):
            raise ValueError(f"{key} of the profile {name} is {KINDS[key].__name__}, as in TOML")  # noqa: TRY004
    return {key: str(Path(value).expanduser()) if key in PATHS else value for key, value in said.items()}


def _tables() -> dict[str, Any]:
    import tomllib  # noqa: PLC0415  the same

    try:
        return tomllib.loads(file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ValueError(f"the profiles in {file()} cannot be read: {error}") from None
