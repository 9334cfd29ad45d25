import atexit
import gc
import weakref

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from kubemq_nb.widgets import register, views
from kubemq_nb.widgets.views import Views
from tests.unit.widgets.conftest import Filled, eventually

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def shell():
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    yield shell
    shell._atexit_once()
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()


def test_a_feed_is_displayed_as_a_widget_beside_its_text(shell, filled):
    register(shell)
    source = filled()

    data, _ = shell.display_formatter.format(source.feed)

    assert data[VIEW]["model_id"]
    assert data["text/plain"] == repr(source.feed)


def test_two_displays_of_a_feed_are_two_windows_on_one_view(shell, filled):
    register(shell)
    source = filled()

    first, _ = shell.display_formatter.format(source.feed)
    second, _ = shell.display_formatter.format(source.feed)

    assert first[VIEW] == second[VIEW]


def test_ended_feeds_are_let_go_but_for_the_newest():
    shown = Views({})
    tables, feeds = zip(*[ended(shown) for _ in range(views.ENDED + 2)], strict=True)

    def is_freed():  # a thread of the feed may be at its last line
        gc.collect()
        return feeds[0]() is None

    assert eventually(is_freed)
    assert [table.source is None for table in tables] == [True] + [False] * (views.ENDED + 1)
    assert [feed() is None for feed in feeds] == [True] + [False] * (views.ENDED + 1)
    assert tables[0].said["head"] == "The kernel no longer holds this."


def test_an_ended_feed_that_a_variable_holds_keeps_its_view():
    variables = {}
    shown = Views(variables)
    source = Filled()
    variables["flights"] = source.feed
    table = shown.of(source.feed)
    source.feed.stop()
    assert eventually(lambda: table.ended)

    for _ in range(views.ENDED + 2):
        ended(shown)

    assert table.source is source.feed
    assert shown.of(source.feed) is table


def test_all_views_are_let_go_as_their_models_are_now():
    shown = Views({})
    source = Filled()
    table = shown.of(source.feed)
    source.put(b"a")
    source.feed.stop()

    shown.let_go()

    assert (table.source, table.ended, table.status["word"]) == (None, True, "stopped")
    assert [row["cells"][-2] for row in table.table["rows"]] == ["a"]


def ended(shown):
    """A view of a feed that has ended, and a weak reference to the feed."""
    source = Filled()
    table = shown.of(source.feed)
    source.feed.stop()
    assert eventually(lambda: table.ended)
    return table, weakref.ref(source.feed)
