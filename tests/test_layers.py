"""The table of docs/architecture.md: who may import whom, and which third party where."""

import sys

import pytest

from tests.source import Import, Module, imports, modules

BASE = {"errors", "messages", "rules", "visible"}
CLIENT = {*BASE, "_wire", "client"}
SESSION = {*CLIENT, "frames", "session", "broker.launcher", "broker.known"}

# Layer: what it may import of ours, then of others. The longest name that fits a module is its layer.
LAYERS: dict[str, tuple[set[str], set[str]]] = {
    "errors": (BASE, set()),
    "messages": (BASE, set()),
    "rules": (BASE, set()),
    "visible": (set(), set()),
    "_wire": ({*BASE, "_wire"}, {"grpc", "google"}),
    "client": (CLIENT, set()),
    "client.connection": (CLIENT, {"grpc"}),
    "client.calls": (CLIENT, {"grpc"}),
    "client.grpc_channels": (CLIENT, {"grpc"}),
    "client.quiet": (set(), {"grpc"}),
    "frames": ({"messages", "_wire.columns", "frames"}, {"pandas", "numpy", "pyarrow"}),
    "frames.expanding": ({"frames"}, {"msgpack", "zstandard"}),  # the extra `decode`, loaded by name
    "frames.protobuf": ({"frames"}, {"google"}),
    "session": (SESSION, set()),
    "session.language": (SESSION, set()),
    "session.profiles": (set(), {"platformdirs"}),
    "render": ({"messages", "visible", "frames", "render"}, set()),
    "widgets": ({*BASE, "session", "frames", "render", "widgets"}, {"ipywidgets", "anywidget", "traitlets"}),
    "magics": ({*BASE, "session", "frames", "render", "magics"}, {"IPython", "traitlets"}),
    "command_line": ({*BASE, "session", "frames", "render", "magics", "broker.launcher"}, {"IPython"}),
    "lab": (set(), set()),
    "__main__": ({"lab", "broker.command", "command_line"}, set()),
    "broker": (set(), set()),
    "broker.engine": ({*BASE, "broker.engine"}, set()),
    "broker.storage": ({"messages", "broker.engine.plan", "broker.storage"}, set()),
    "broker.handlers": ({*BASE, "_wire", "broker.engine", "broker.storage", "broker.handlers"}, {"grpc"}),
    "broker.server": (
        {*BASE, "_wire", "broker.engine", "broker.storage", "broker.handlers", "broker.server"},
        {"grpc"},
    ),
    "broker.__main__": ({*BASE, "broker"}, set()),
    "broker.command": ({*BASE, "_wire.address", "broker"}, set()),
    "broker.shared": (set(), set()),
    "broker.known": ({"broker.launcher", "broker.shared"}, set()),
    "broker.launcher": ({"errors", "broker.shared", "broker.launcher"}, {"platformdirs"}),
}
LAZILY = {("magics", "widgets"), ("session.language", "magics")}  # what shows in a browser; lines
FOR_TYPES = {("render", "session")}  # what it shows; it asks for nothing and makes none
DOOR = ""  # the package itself: it opens on everything, but inside functions
TIMELESS = {"time", "sqlite3", "asyncio", "threading", "socket", "subprocess", "selectors"}


def layer_of(name: str) -> str:
    fitting = [layer for layer in LAYERS if name == layer or name.startswith(f"{layer}.")]
    assert fitting, f"{name} is in no layer: add it to the table here and in docs/architecture.md"
    return max(fitting, key=len)


def complaint(module: Module, found: Import) -> str | None:
    ours, others = LAYERS[layer_of(module.name)]
    top = found.name.partition(".")[0]
    if top == "kubemq_nb":
        name = found.name.removeprefix("kubemq_nb").lstrip(".")
        if any(name == allowed or name.startswith(f"{allowed}.") for allowed in ours):
            return None
        layer = layer_of(module.name)
        crossings = {(place, name.partition(".")[0]) for place in (layer, layer.partition(".")[0])}
        if (found.lazy and crossings & LAZILY) or (found.typing and crossings & FOR_TYPES):
            return None
    elif top in sys.stdlib_module_names or top in others or found.typing:
        return None
    return f"kubemq_nb/{module.name}:{found.line} imports {found.name}"


@pytest.mark.parametrize(
    "module", [module for module in modules() if module.name != DOOR], ids=lambda module: module.name
)
def test_a_module_imports_only_what_its_layer_may(module):
    complaints = [complaint(module, found) for found in imports(module)]

    assert [text for text in complaints if text] == []


def test_the_package_itself_imports_nothing_of_ours_before_it_is_used():
    (door,) = [module for module in modules() if module.name == DOOR]

    eager = [found.name for found in imports(door) if not found.lazy and not found.typing]

    assert [name for name in eager if name.partition(".")[0] not in sys.stdlib_module_names] == []


def test_the_engine_has_no_clock_and_no_io_of_its_own():
    engine = [module for module in modules() if module.name.startswith("broker.engine")]

    used = {(module.name, found.name) for module in engine for found in imports(module)}

    assert [(module, name) for module, name in used if name.partition(".")[0] in TIMELESS] == []


def test_only_the_wire_layer_touches_generated_modules():
    outside = [module for module in modules() if not module.name.startswith("_wire")]

    assert [module.name for module in outside if "_pb2" in module.text] == []


def test_a_wrong_import_is_seen():
    module = next(module for module in modules() if module.name == "messages")

    assert complaint(module, Import("kubemq_nb.session.queues", 1, lazy=False, typing=False))
    assert complaint(module, Import("kubemq_nb.session.queues", 1, lazy=False, typing=True))
    assert complaint(module, Import("pandas", 1, lazy=True, typing=False))
    assert complaint(module, Import("json", 1, lazy=False, typing=False)) is None
