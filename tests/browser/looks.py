"""Measures what a view looks like: contrast of its texts, texts that are cut off, parts that stick out.

`assert_clean` is all of it, and axe-core, in both themes and at three widths.
"""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page

from tests.browser.lab import choose_theme

THEMES = ("JupyterLab Light", "JupyterLab Dark")
WIDTHS = (480, 728, 1200)
LEAST = 4.5  # contrast of text

CONTRAST = """(root) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const grounds = (node) =>
        node ? [...grounds(node.parentElement), getComputedStyle(node).backgroundColor] : ['#fff'];
    const paint = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return luminance(canvas.getImageData(0, 0, 1, 1).data);
    };
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement;
        if (!text.textContent.trim() || !node.checkVisibility()) continue;
        if (node.closest('.sr, :disabled, [aria-disabled=true]')) continue;
        const below = grounds(node);
        const pair = [paint(below), paint([...below, getComputedStyle(node).color])].sort((a, b) => b - a);
        found.push([(pair[0] + 0.05) / (pair[1] + 0.05), text.textContent.trim()]);
    }
    return found;
}"""

CLIPPED = """(root) => [...root.querySelectorAll('*')].filter((node) => {
    const style = getComputedStyle(node);
    if (!node.checkVisibility() || node.closest('.sr')) return false;
    if (['visible', 'auto'].includes(style.overflowX)) return false;
    if (node.tagName === 'INPUT' || node.scrollWidth <= node.clientWidth + 1) return false;
    return !(style.textOverflow === 'ellipsis' && node.title);
}).map((node) => `${node.tagName}.${node.className}: ${node.textContent}`)"""

STICKING_OUT = """(root) => {
    const frame = root.getBoundingClientRect();
    return [...root.querySelectorAll('*')].filter((node) => {
        if (!node.checkVisibility() || node.closest('.sr, .kq-scroll, svg')) return false;
        const box = node.getBoundingClientRect();
        return box.right > frame.right + 0.5 || box.left < frame.left - 0.5;
    }).map((node) => `${node.tagName}.${node.className}`);
}"""

# Colours that fade are measured when they have arrived; what turns until it is done is no colour.
STEADY = """async (root) => {
    const moving = () => root.getAnimations({subtree: true})
        .filter((each) => each.effect.getComputedTiming().endTime !== Infinity);
    do {
        await new Promise(requestAnimationFrame);
        await Promise.allSettled(moving().map((each) => each.finished));
    } while (moving().length);
}"""

SET_WIDTH = "(root, width) => { root.style.width = width ? `${width}px` : ''; }"

# The rules of WCAG 2 and axe's own advice, over one element and what is in it. Which heading comes before it
# is the notebook's business.
AXE = """async (root) => (await axe.run(root, {
    resultTypes: ['violations'], rules: {'heading-order': {enabled: false}},
})).violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes.map((node) => node.html).join('; ')}`)"""


def assert_clean(
    page: Page, frame: Locator, *, themes: tuple[str, ...] = THEMES, widths: tuple[int, ...] = WIDTHS
) -> None:
    """Fail when a view, as it stands now, is hard to read or to use in a theme, or breaks at a width.

    Roles and names are right (axe-core), every text stands out from its ground, no text is cut off, and no
    part sticks out of the frame. The page is in the first theme afterwards, the frame as wide as before.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    faults: list[str] = []
    for theme in reversed(themes):
        choose_theme(page, theme)
        faults += [f"{theme}: {found}" for found in measured(frame, AXE)]
        texts = measured(frame, CONTRAST)
        assert texts, f"{theme}: no text is to be seen"
        faults += [f"{theme}: {found}" for found in texts if found[0] < LEAST]
    for width in widths:
        frame.evaluate(SET_WIDTH, width)
        faults += [f"cut off at {width} px: {found}" for found in measured(frame, CLIPPED)]
        faults += [f"sticks out at {width} px: {found}" for found in measured(frame, STICKING_OUT)]
    frame.evaluate(SET_WIDTH, 0)
    assert not faults, "\n".join(faults)


def measured(frame: Locator, what: str) -> list[Any]:
    """What a script finds in a view that stands still."""
    found: list[Any] = frame.evaluate(f"async (root) => {{ await ({STEADY})(root); return ({what})(root); }}")
    return found
