"""Compile proto/ into kubemq_nb/_wire, in private descriptor pools; `--check` only compares."""

import argparse
import filecmp
import sys
import tempfile
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent.parent
PACKAGE = Path("kubemq_nb/_wire")
GENERATED = (
    "kubemq_pb2.py",
    "kubemq_pb2.pyi",
    "containers_pb2.py",
    "containers_pb2.pyi",
)
COMPILER = "1.71.2"
SHARED_POOL = "_descriptor_pool.Default()"
PRIVATE_POOL = "_descriptor_pool.DescriptorPool()"


def compile_protos(target: Path) -> None:
    """Write the generated modules below `target`."""
    google = str(files("grpc_tools").joinpath("_proto"))
    flags = [f"--python_out={target}", f"--pyi_out={target}"]
    for name in ("kubemq", "containers"):
        source = f"{PACKAGE}/{name}.proto"
        if protoc.main(["protoc", f"-I{ROOT / 'proto'}", f"-I{google}", *flags, source]):
            raise SystemExit(f"protoc failed on {source}")


def use_private_pool(module: Path) -> None:
    """Give the module a descriptor pool of its own (docs/adr/0002-private-descriptor-pool.md)."""
    source = module.read_text()
    if source.count(SHARED_POOL) != 1:
        raise SystemExit(f"{module.name}: expected {SHARED_POOL} exactly once")
    module.write_text(source.replace(SHARED_POOL, PRIVATE_POOL))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    if version("grpcio-tools") != COMPILER:
        raise SystemExit(f"grpcio-tools {COMPILER} is needed, not {version('grpcio-tools')}")
    with tempfile.TemporaryDirectory() as folder:
        compile_protos(Path(folder))
        made = Path(folder) / PACKAGE
        for name in ("kubemq_pb2.py", "containers_pb2.py"):
            use_private_pool(made / name)
        if check:
            stale = [n for n in GENERATED if not filecmp.cmp(made / n, ROOT / PACKAGE / n, shallow=False)]
            if stale:
                raise SystemExit(f"stale: {', '.join(stale)}; run scripts/stubs and commit the result")
            return
        for name in GENERATED:
            (ROOT / PACKAGE / name).write_bytes((made / name).read_bytes())
    sys.stdout.write(f"wrote {len(GENERATED)} files to {PACKAGE}\n")


if __name__ == "__main__":
    main()
