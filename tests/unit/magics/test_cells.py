import asyncio
import inspect
import traceback

import pytest
from IPython.core.error import UsageError

from kubemq_nb.magics.cells import as_function, evaluate
from kubemq_nb.messages import Request

REQUEST = Request(kind="query", channel="c", body=b'"); import os  #')


def function(shell, cell):
    return as_function(cell, shell, "%%kubemq queries respond c")


def test_the_last_expression_is_the_answer(shell):
    assert function(shell, "x = 2\nx * 21\n")(REQUEST) == 42


def test_return_answers_earlier(shell):
    assert function(shell, "if request.channel == 'c':\n    return 1\n2\n")(REQUEST) == 1


def test_a_cell_without_an_answer_answers_nothing(shell):
    assert function(shell, "x = 2\n")(REQUEST) is None


def test_the_globals_are_the_notebooks_and_are_read_at_each_request(shell):
    shell.user_ns["rate"] = 1
    answer = function(shell, "rate\n")

    shell.user_ns["rate"] = 2

    assert answer(REQUEST) == 2


def test_names_stay_inside_unless_declared_global(shell):
    function(shell, "global kept\nkept = 1\nlost = 2\n")(REQUEST)

    assert shell.user_ns["kept"] == 1
    assert "lost" not in shell.user_ns
    assert "cell" not in shell.user_ns


def test_a_cell_that_awaits_is_a_coroutine_function(shell):
    answer = function(shell, "import asyncio\nawait asyncio.sleep(0)\n'done'\n")

    assert inspect.iscoroutinefunction(answer)
    assert asyncio.run(answer(REQUEST)) == "done"


def test_an_inner_coroutine_does_not_make_the_cell_one(shell):
    assert not inspect.iscoroutinefunction(function(shell, "async def f():\n    await g()\n1\n"))


def test_what_a_message_says_is_only_data(shell):
    assert function(shell, "request.text\n")(REQUEST) == REQUEST.text


def test_a_traceback_counts_lines_as_the_notebook_does(shell):
    answer = function(shell, "a = 1\nb = a / 0\n")

    with pytest.raises(ZeroDivisionError) as raised:
        answer(REQUEST)

    last = traceback.extract_tb(raised.value.__traceback__)[-1]
    assert (last.lineno, last.line) == (3, "b = a / 0")


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("a = = 1\n", "line 2, column 5: invalid syntax"),
        ("x = 1\nif x\n    pass\n", "line 3, column 5: expected ':'"),
        ("break\n", "line 2, column 1: 'break' outside loop"),
        ("yield 1\n", "it cannot yield"),
        ("# nothing\n", "the cell is empty"),
    ],
)
def test_a_cell_that_is_no_function_is_refused_with_its_line(shell, cell, complaint):
    with pytest.raises(UsageError) as refused:
        function(shell, cell)

    assert complaint in str(refused.value)


def test_an_expression_sees_the_variables():
    assert evaluate("[x * n for n in y]", {"x": 2, "y": [1, 2]}) == [2, 4]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("nowhere", "{{nowhere}} raises NameError: name 'nowhere' is not defined"),
        ("1 / 0", "{{1 / 0}} raises ZeroDivisionError: division by zero"),
    ],
)
def test_what_an_expression_raises_is_said_in_one_line(expression, complaint):
    with pytest.raises(UsageError) as refused:
        evaluate(expression, {})

    assert str(refused.value) == complaint
