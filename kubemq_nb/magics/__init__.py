"""The magics %kubemq and %%kubemq, and what `%load_ext kubemq_nb` sets up."""

from kubemq_nb.magics.extension import KubeMQMagics, load_ipython_extension, unload_ipython_extension

__all__ = ["KubeMQMagics", "load_ipython_extension", "unload_ipython_extension"]
