"""Help and the command reference, from the commands' own declarations."""

import inspect
import sys
from collections.abc import Container, Sequence

from IPython.core.error import UsageError

from kubemq_nb.magics import grammar
from kubemq_nb.magics.declaration import NOUNS, Command, Docstring, Parameter
from kubemq_nb.render import Page, columns

CELL = "   A cell: %%kubemq queues send CHANNEL"
RULES = """\
A line is split at spaces. A quote counts at the start of a word or right after `=`; a backslash is an
ordinary character outside quotes. A word that starts with `{{` runs to its `}}` and is one Python expression,
passed as the object that it is. A word that starts with `{` or `[` is one JSON value, sent as typed. `--`
ends options; options may stand anywhere after the verb. `$NAME` expands from the environment in `connect`
only. A line that ends in `?` is IPython's: quote it; `%kubemq queues peek?` shows help. Cell bodies are sent
as they are.

Durations are `500ms 5s 2m 1h30m`, times are ISO 8601 with a zone, or `now`. `df = %kubemq ...` and `-o df`
keep the result.

`--where EXPR` takes a condition in a part of Python's syntax, quoted if it has spaces:
`--where "body.total > 10 and tags.day in ('1', '2')"`. It knows the columns of the frame, `body` (the decoded
one: `body.items[0].sku`, `body["a b"]`), `tags.k` and `size`; comparisons, `and or not in`, `+ - * / // %`,
`.startswith(...) .endswith(...) .lower() .upper() .strip()`, `len(...)` and `matches(body.sku, "^A-")`, a
regular expression. A time is compared with its text: `timestamp > "2013-01-31T23:59Z"`. What a message does
not have is `None`. A text without an operator, or one in quotes, is searched for everywhere. Consuming reads
take no `--where`.

`--rows FILE` and `--to-file FILE` take `.jsonl`, `.csv` and `.parquet` (with the extra `arrow`), however
large. A file of ours is sent again byte for byte. In JSON lines and CSV a body is text in `body` or, where
it is not UTF-8 text, base64 in `body_base64`; in Parquet it is binary. In a CSV file of ours a text that a
spreadsheet would take for a formula has an apostrophe before it, which `--rows` takes away. Of more than
100,000 rows from a file the result lists the refused ones only.

In a shell (`kubemq-nb queues peek orders -n 5`) each argument is one word and is itself; there is no
`{{...}}`. `--store`, `--address` or `--profile` say where, anywhere on the line; without them it is
`KUBEMQ_ADDRESS`, else the only named store whose broker runs. A body that is `-` or left out is what is
piped in, byte for byte. The exit status is 0, 1 for what was refused or failed, and 2 for a wrong line.

A profile is a table in `profiles.toml`, in the folder `kubemq-nb` of your settings (`~/.config` on Linux),
with the options of `connect`; it never holds a token."""


def page(
    commands: Sequence[Command],
    noun: str | None = None,
    verb: str | None = None,
    *,
    without: Container[str] = (),
) -> Page:
    """The commands, those of a noun, or one in full, without these options of every command.

    Raises:
        UsageError: There is no such command.
    """
    if noun is None:
        return Page(overview(commands), overview(commands))
    name = NOUNS.get(noun, noun)
    members = [command for command in commands if command.noun == name]
    single = any(command.words == name for command in commands)  # `channels` is a command and a noun
    if members and verb is None:
        text = family(name, members)
        others = [each for each in commands if each not in members]
        whole = page(others, noun, without=without) if single else Page("", "")
        return Page(
            "\n\n".join(filter(None, [whole, text])), "\n\n".join(filter(None, [whole.markdown, text]))
        )
    command, length = grammar.find([word for word in (noun, verb) if word], commands)
    if verb and length == 1:
        raise UsageError(f"{noun} has no verb {verb}. More: %kubemq help {noun}")
    return Page(plain(command, without), markdown(command))


def overview(known: Sequence[Command]) -> str:
    """All commands, a line each."""
    lines = [[f"%kubemq {_shape(command)}", command.doc.summary] for command in known]
    tail = f"More: %kubemq help queues send{CELL}   Python: kq.queues.send(...)"
    return "\n".join([*columns(lines), tail])


def family(noun: str, members: Sequence[Command]) -> str:
    """The commands of a noun, a line each."""
    title = _title(members)
    lines = [[f"  {_shape(command, command.verb)}", command.doc.summary] for command in members]
    examples = [f"Try:  %kubemq {example}" for command in members for example in command.examples[:1]]
    return "\n".join([f"{noun}: {title}", *columns(lines), examples[0], f"More: %kubemq help {noun} VERB"])


def _title(members: Sequence[Command]) -> str:
    """What a noun is: the class that its methods are of says so."""
    method = members[0].method
    owner = getattr(sys.modules[method.__module__], method.__qualname__.partition(".")[0])
    return Docstring.of(owner).summary


def _shape(command: Command, name: str = "") -> str:
    words = [each.metavar if each.required else f"[{each.metavar}]" for each in command.arguments]
    return " ".join([name or command.words, *words, *(["-y"] if command.destroys else [])])


def plain(command: Command, without: Container[str] = ()) -> str:
    """The help of one command, as text, without these options of every command."""
    rows = [[f"  {_names(each)}", _explained(each)] for each in command.parameters]
    options = [each for each in grammar.options(command) if each.name not in without]
    shared = [each for each in options if each not in command.options]
    parts = [
        f"{grammar.usage(command)} [options]\n{command.doc.summary}",
        command.doc.details,
        "\n".join(columns(rows)),
        "As with every command:\n" + "\n".join(columns([[f"  {_names(e)}", _explained(e)] for e in shared])),
        "\n".join([*(f"Try:    {line}" for line in _examples(command)), *_in_python(command, "Python: {}")]),
    ]
    return "\n\n".join(part for part in parts if part)


def markdown(command: Command) -> str:
    """The help of one command, as Markdown."""
    rows = [_row(each, _explained(each)) for each in command.parameters]
    table = "\n".join(["| | |", "|---|---|", *rows])
    examples = "\n".join(_examples(command))
    parts = [
        f"### {command.words}",
        command.doc.summary,
        command.doc.details,
        table if rows else "",
        f"```\n{examples}\n```",
        *_in_python(command, "Python: `{}`"),
    ]
    return "\n\n".join(part for part in parts if part)


def _in_python(command: Command, form: str) -> list[str]:
    call = python(command)
    return [form.format(call)] if call else []


def _row(parameter: Parameter, text: str) -> str:
    """A row of a Markdown table, in which a bar needs a backslash even in code."""
    names = _names(parameter).replace("|", "\\|")
    return f"| `{names}` | {text} |"


def _examples(command: Command) -> list[str]:
    return [f"%kubemq {example}" for example in command.examples]


def _names(parameter: Parameter) -> str:
    if not parameter.option:
        return parameter.metavar
    names = ", ".join(name for name in (parameter.short, parameter.option) if name)
    return names if parameter.flag else f"{names} {parameter.reading.metavar}"


def _explained(parameter: Parameter) -> str:
    default = _default(parameter)
    return f"{parameter.help} Default {default}." if default else parameter.help


def _default(parameter: Parameter) -> str:
    value = parameter.default
    if parameter.required or value in (None, "", ...) or isinstance(value, bool):
        return ""
    return duration(value) if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """Write seconds as one would type them."""
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    if 0 < seconds < 1:
        return f"{_figure(seconds * 1000)}ms"
    return f"{_figure(seconds)}s"


def _figure(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def python(command: Command) -> str:
    """The call that does the same in Python, where there is one."""
    method = command.method
    if method.__module__.startswith("kubemq_nb.magics"):
        return "kq.close()" if command.words == "close" else ""
    signature = inspect.signature(method)
    bare = [
        each.replace(annotation=each.empty) for each in signature.parameters.values() if each.name != "self"
    ]
    return f"{_path(command)}{signature.replace(parameters=bare, return_annotation=signature.empty)}"


def _path(command: Command) -> str:
    name = command.method.__name__
    if command.noun == "tx":
        return f"tx.{name}"
    if owner := command.owner or command.noun:
        return f"kq.{owner}.{name}"
    return f"kq.{name}" if "." in command.method.__qualname__ else f"kubemq_nb.{name}"


def whole(commands: Sequence[Command]) -> str:
    """The page docs/commands.md."""
    shared = [_row(each, each.help) for each in grammar.PRESENTATION.options]
    intro = "# Commands\n\nMade from the commands themselves by `python -m kubemq_nb.magics`."
    table = "\n".join(["## Options of every command", "", "| | |", "|---|---|", *shared])
    nouns = dict.fromkeys(command.noun for command in commands)
    chapters = [_chapter(noun, [each for each in commands if each.noun == noun]) for noun in nouns]
    return "\n\n".join([intro, "## Words", RULES, table, *chapters]) + "\n"


def _chapter(noun: str, members: Sequence[Command]) -> str:
    title = f"## {noun}\n\n{_title(members)}" if noun else "## Session"
    return "\n\n".join([title, *(markdown(command) for command in members)])
