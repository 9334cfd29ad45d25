"""The magics %kubemq and %%kubemq, and what `%load_ext kubemq_nb` sets up."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubemq_nb.magics.extension import KubeMQMagics, load_ipython_extension, unload_ipython_extension

__all__ = ["KubeMQMagics", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    """Find what belongs to a notebook when it is first used: a command of the shell needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.extension"), name)
