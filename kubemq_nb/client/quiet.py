"""Imports gRPC without its own log: lines of its C core about failed handshakes would land in a cell.

The core reads GRPC_VERBOSITY when grpc is first imported, so this comes before any other import of it. What
those lines say is in the error that the call raises. Whoever sets GRPC_VERBOSITY gets the lines; children of
this process do not inherit our value.
"""

import os
from importlib import import_module

_VARIABLE = "GRPC_VERBOSITY"

_chosen = os.environ.get(_VARIABLE)
os.environ.setdefault(_VARIABLE, "NONE")
import_module("grpc")
if _chosen is None:
    del os.environ[_VARIABLE]
