import re
import shutil
import subprocess

import pytest

from kubemq_nb.widgets import LiveTable


@pytest.mark.may_skip
def test_the_module_of_the_browser_is_javascript(tmp_path):
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    module = tmp_path / "live_table.mjs"
    module.write_text(LiveTable._esm)

    checked = subprocess.run([node, "--check", module], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stderr


def test_data_can_become_nothing_but_text():
    parsing = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|\.href\b"
    )

    assert re.findall(parsing, LiveTable._esm) == []


def test_nothing_is_loaded_from_anywhere():
    assert re.findall(r"\bimport\b|\bfetch\(|https?://(?!www\.w3\.org/2000/svg)", LiveTable._esm) == []
    assert re.findall(r"@import|url\(", LiveTable._css) == []


def test_every_rule_stays_inside_the_view():
    style = re.sub(r"/\*.*?\*/", "", LiveTable._css, flags=re.DOTALL)
    selectors = re.findall(r"[{};]\s*([^{};@]+?)\s*\{", style)

    strangers = [each for each in selectors if ".kq" not in each and not re.fullmatch(r"to|from|\d+%", each)]
    assert strangers == []


def test_widgets_stay_small_enough_to_be_saved_in_a_notebook():
    assert len(LiveTable._esm) + len(LiveTable._css) < 80_000
