"""A scrubber without a browser: where it stands, and the state there line by line."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from numbers import Real
from typing import TYPE_CHECKING

from kubemq_nb.render.frames import DEFAULT, raw
from kubemq_nb.render.live import SAVED, where
from kubemq_nb.render.tables import Column, Look, Shown, Table, as_of
from kubemq_nb.render.text import counted
from kubemq_nb.visible import line

if TYPE_CHECKING:
    from kubemq_nb.session.scrub import Scrubber

SMALL = 1_000  # a figure below it shows fractions to three places


def scrubber(source: "Scrubber", look: Look = DEFAULT) -> Shown:
    """Where a scrubber stands: the event, and the state that the fold has after it."""
    event, states, failure = source.event, source.lines, source.failure
    stored = event.timestamp if event and not look.deterministic else None
    at = f"after event {source.sequence:,} of {source.span[1]:,}" if event else "before the first event"
    keys = f". State of {source.fold_name}, {counted(len(states.rows), 'key')}" if source.fold_name else ""
    when = f"{_stored(stored)}{as_of(datetime.now(UTC), look)}"
    about = f", events store, {where(source.connection)}, {at}{when}{keys}."
    shown = list(states.rows.items())[: look.max_rows]
    columns = [Column("key", [line(key) for key, _ in shown])] if shown else []
    columns += [
        _column(name, [values[place] for _, values in shown]) for place, name in enumerate(states.columns)
    ]
    notes = [failure.text if failure else "", f"event: {raw(event.body)}" if event else ""]
    told = Table(columns, caption=(source.channel, about), note="; ".join(filter(None, notes)))
    saved = Table(columns, caption=told.caption, note=". ".join(filter(None, [told.note, SAVED])))
    return Shown("\n".join(filter(None, [line(f"{source.channel}{about}"), told.text()])), saved.html())


def figure(value: object, *, signed: bool = False) -> str:
    """A value of a state as a reader wants it: figures grouped, fractions short, a true minus."""
    if value is None:
        return "–"  # noqa: RUF001  an en dash
    if isinstance(value, bool) or not isinstance(value, Real):
        return line(value if isinstance(value, str) else _json(value))
    number = value if isinstance(value, int) else float(value)
    text = f"{number:,}" if isinstance(number, int) else _fraction(number)
    return ("+" if signed and number > 0 else "") + text.replace("-", "−")  # noqa: RUF001  a true minus


def is_figure(values: Sequence[object]) -> bool:
    """Whether a column holds figures alone."""
    return all(value is None or (isinstance(value, Real) and not isinstance(value, bool)) for value in values)


def _fraction(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= SMALL else f"{number:,.3f}".rstrip("0").rstrip(".")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _column(name: str, values: Sequence[object]) -> Column:
    return Column(line(name), [figure(value) for value in values], right=is_figure(values))


def _stored(time: datetime | None) -> str:
    return f", stored {time:%Y-%m-%d %H:%M:%S} UTC" if time else ""
