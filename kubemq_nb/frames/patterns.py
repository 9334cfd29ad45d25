"""Regular expressions that cannot take for ever: what may backtrack without bound is refused first."""

import math
import re
import time
import warnings
from dataclasses import dataclass, field

MOST = 200  # characters of a pattern
STEPS = 1e8  # that one search may take in the worst case: about a second
SECONDS = 5.0  # that all searches of one read may take together
CHOICES = 10_000
REPEATS = 100
FEW = 10  # ways of a bounded repeat that count as choices; more count as a repeat without bound

_bounds = re.compile(r"\{(\d*)(,?)(\d*)\}")
_opening = re.compile(r"\((?:\?(?:[aimsu]*:|[aimsu]+\)|P<\w+>|>))?(?!\?)")
_piece = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)


class Refused(ValueError):
    """A pattern that is none, or may take too long; says why."""


@dataclass
class _Group:
    varies: bool = False  # it holds a repeat, so that repeating the whole may take for ever
    branches: int = 1
    repeats: int = 0  # counted before it was opened; in it, once it is closed
    choices: int = 1


@dataclass
class Pattern:
    """A pattern, and how long a text it may search.

    Raises:
        Refused: It is not a regular expression, or no bound can be given.
    """

    text: str
    spent: float = 0.0  # seconds
    _repeats: int = 0
    _choices: int = 1
    _groups: list[_Group] = field(default_factory=lambda: [_Group()])

    def __post_init__(self) -> None:
        if len(self.text) > MOST:
            raise Refused(f"a pattern has at most {MOST} characters, not {len(self.text)}")
        self._check()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._compiled = re.compile(self.text)
        except (re.error, OverflowError, RecursionError) as error:
            raise Refused(f"not a regular expression: {error}") from None
        power = self._repeats + 1
        self.longest = int((STEPS / self._choices * math.factorial(power)) ** (1 / power))

    def found_in(self, text: str) -> bool:
        """Whether it is anywhere in the text.

        Raises:
            ValueError: The text is longer than this pattern may search.
            Refused: The searches so far took too long.
        """
        if len(text) > self.longest:
            raise ValueError(f"a text of {len(text)} characters is too long for this pattern")
        if self.spent > SECONDS:
            raise Refused(f"the pattern {self.text} has searched for {SECONDS:.0f} s; use a simpler one")
        began = time.perf_counter()
        found = self._compiled.search(text)
        self.spent += time.perf_counter() - began
        return found is not None

    def _check(self) -> None:
        at, text = 0, self.text
        while at < len(text):
            found = _piece.match(text, at)
            assert found
            piece, closed, at = found[0], None, found.end()
            if piece == "(":
                at = self._open(at - 1)
                continue
            if piece == "|":
                self._groups[-1].branches += 1
            if piece == ")" and len(self._groups) > 1:
                closed = self._close()
            if re.fullmatch(r"\\[1-9]", piece):
                raise Refused(f"{piece} refers back, which may take too long")
            at = self._repeat(at, closed)

    def _open(self, at: int) -> int:
        found = _opening.match(self.text, at)
        if not found:
            raise Refused(f"{self.text[at : at + 3]} looks around or refers back, which may take too long")
        if not found[0].endswith(")"):
            self._groups.append(_Group(repeats=self._repeats, choices=self._choices))
        return found.end()

    def _close(self) -> _Group:
        closed = self._groups.pop()
        self._choose(closed.branches)
        closed.repeats = self._repeats - closed.repeats
        closed.choices = self._choices // closed.choices
        self._groups[-1].varies |= closed.varies
        return closed

    def _repeat(self, at: int, closed: _Group | None) -> int:
        """Count the repeat that stands here, and give where it ends."""
        sign = self.text[at : at + 1]
        bounds = _bounds.match(self.text, at)
        if sign == "" or (sign not in "*+?" and not bounds):
            return at
        end = bounds.end() if bounds else at + 1
        if bounds and not bounds[2]:
            if closed:
                self._repeat_exactly(int(bounds[1] or 1), closed)
        elif sign == "?":
            self._choose(2)
            self._groups[-1].varies = True
        elif closed and (closed.varies or closed.branches > 1):
            raise Refused("a repeat of what repeats or branches may take too long; use a class such as [ab]+")
        else:
            ways = int(bounds[3]) - int(bounds[1] or 0) + 1 if bounds and bounds[3] else math.inf
            if ways <= FEW:
                self._choose(int(ways))
            else:
                self._repeat_freely(1)
            self._groups[-1].varies = True
        return end + (self.text[end : end + 1] in {"?", "+"})

    def _repeat_exactly(self, times: int, closed: _Group) -> None:
        """What a group may do it may do in each of its turns, whatever it did in the others."""
        again = max(0, times - 1)
        self._choose(times)
        self._repeat_freely(closed.repeats * again)
        if closed.choices > 1:
            self._choose(closed.choices ** min(again, CHOICES.bit_length()))

    def _repeat_freely(self, repeats: int) -> None:
        self._repeats += repeats
        if self._repeats > REPEATS:
            raise Refused("a pattern with so many repeats may take too long")

    def _choose(self, ways: int) -> None:
        self._choices *= max(1, ways)
        if self._choices > CHOICES:
            raise Refused("a pattern with so many alternatives may take too long")
