"""Text of others made safe to show: what a terminal obeys or a reader does not see becomes its escape."""

import re
from collections.abc import Callable

# C0 (but line break and tab), DEL and C1: a terminal obeys them. What turns the direction of text, what has
# no width, and halves of surrogate pairs: a reader is fooled by them.
_harmful = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# The two joiners stay between characters that may need them, as in Persian words and emoji; beside Latin
# letters and signs they join nothing.
_joiner = re.compile("(?<=[^\0-\u024f\u2000-\u206f])[\u200c\u200d](?=[^\0-\u024f\u2000-\u206f])")


def clean(text: str) -> str:
    """Replace control, direction and invisible characters by their escapes; line breaks and tabs stay."""
    return _harmful.sub(lambda found: _escape(found, _in_text), text)


def line(text: str) -> str:
    """The same on one line: line breaks and tabs become visible too."""
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def clean_json(text: str) -> str:
    """The same of a JSON text, as escapes of JSON: whoever reads it gets the characters as they were."""
    return _harmful.sub(lambda found: _escape(found, _in_json), text)


def _escape(found: re.Match[str], written: Callable[[int], str]) -> str:
    """The escape of a character, or the character where it joins two others."""
    return found[0] if _joiner.match(found.string, found.start()) else written(ord(found[0]))


def _in_text(number: int) -> str:
    if number < 0x100:  # noqa: PLR2004  Latin-1
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"  # noqa: PLR2004  beyond the first plane


def _in_json(number: int) -> str:
    units = chr(number).encode("utf-16-be", errors="surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
