"""Every property of the campaign: each module beside this one that has `PROPERTIES`."""

import importlib
import os
import pkgutil
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
    """Whether this process has the rights of root, which in a container it may lack whoever it is."""
    if os.geteuid() != 0:
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
