"""What importing the package costs, and what it leaves alone."""

import subprocess
import sys

import pytest

HEAVY = ("pandas", "ipywidgets", "anywidget", "IPython", "numpy", "grpc")


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("heavy", HEAVY)
def test_importing_the_package_does_not_load(heavy):
    assert run(f"import kubemq_nb, sys; print({heavy!r} in sys.modules)") == "False\n"


def test_importing_the_launcher_does_not_load_grpc():
    assert run("import kubemq_nb.broker.launcher, sys; print('grpc' in sys.modules)") == "False\n"


def test_every_public_name_resolves():
    run("import kubemq_nb; [getattr(kubemq_nb, name) for name in kubemq_nb.__all__]")


def test_an_unknown_name_is_an_attribute_error():
    code = "import kubemq_nb\ntry: kubemq_nb.nonsense\nexcept AttributeError as error: print(error)"

    assert "nonsense" in run(code)
