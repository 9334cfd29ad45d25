"""Every property of the campaign: each module beside this one that has `PROPERTIES`."""

import importlib
import os
import pkgutil
import shutil
import subprocess

import tests.campaign
from tests.campaign.outcome import Property


def properties() -> list[Property]:
    """By row, then by name."""
    names = [
        module.name
        for module in pkgutil.iter_modules(tests.campaign.__path__)
        if not module.name.startswith("test_")
    ]
    modules = [importlib.import_module(f"tests.campaign.{name}") for name in names]
    found = [each for module in modules for each in getattr(module, "PROPERTIES", ())]
    return sorted(found, key=lambda each: (each.row, each.name))


def lacking(wanted: Property) -> str:
    """What this machine does not allow although the property needs it; "" when it may run."""
    return "root" if wanted.needs == "root" and not may_mount() else ""


def may_mount() -> bool:
    """Whether this process may mount disks of its own, which in a container root may not."""
    tools = shutil.which("mkfs.ext4") and shutil.which("unshare")
    if os.geteuid() != 0 or not tools or not os.path.exists("/dev/loop-control"):  # noqa: PTH110
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
