import re
import shutil
import subprocess

import pytest

from kubemq_nb.widgets.views import MAKE

VIEWS = sorted(set(MAKE.values()), key=lambda view: view.__name__)
pytestmark = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)


@pytest.mark.may_skip
def test_the_module_of_the_browser_is_javascript(view, tmp_path):
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    module = tmp_path / "view.mjs"
    module.write_text(view._esm)

    checked = subprocess.run([node, "--check", module], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr


def test_data_can_become_nothing_but_text(view):
    parsing = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|\.href\b"
    )

    assert re.findall(parsing, view._esm) == []


def test_nothing_is_loaded_from_anywhere(view):
    assert re.findall(r"\bimport\b|\bfetch\(|https?://(?!www\.w3\.org/2000/svg)", view._esm) == []
    assert re.findall(r"@import|url\(", view._css) == []


def test_every_rule_stays_inside_the_view(view):
    style = re.sub(r"/\*.*?\*/", "", view._css, flags=re.DOTALL)
    selectors = re.findall(r"[{};]\s*([^{};@]+?)\s*\{", style)

    strangers = [each for each in selectors if ".kq" not in each and not re.fullmatch(r"to|from|\d+%", each)]
    assert strangers == []


def test_widgets_stay_small_enough_to_be_saved_in_a_notebook(view):
    assert len(view._esm) + len(view._css) < 90_000
