"""A page that is gone, and the one that is opened after it: a view hears each."""

import time

import pytest

from tests.campaign.kernels import kernel

pytestmark = [pytest.mark.embedded_only, pytest.mark.timeout(120)]

VIEW = """
import time
%load_ext kubemq_nb
%kubemq connect
feed = kq.events.receive("news", live=True)
shown, _ = get_ipython().display_formatter.format(feed)
"""
COMM = "print(shown['application/vnd.jupyter.widget-view+json']['model_id'])"


class Page:
    """What JupyterLab does for a page with views: their messages have a shell of their own in the kernel."""

    def __init__(self, client, comm):
        self.client, self.comm = client, comm
        self.shell = self._control("create_subshell_request")["subshell_id"]

    def click(self, action):
        content = {"comm_id": self.comm, "data": {"method": "custom", "content": {"do": action}}}
        message = self.client.session.msg("comm_msg", content)
        message["header"]["subshell_id"] = self.shell
        self.client.shell_channel.send(message)

    def close(self):
        self._control("delete_subshell_request", subshell_id=self.shell)

    def _control(self, kind, **content):
        message = self.client.session.msg(kind, content)
        self.client.control_channel.send(message)
        until = time.monotonic() + 60
        while True:
            answer = self.client.get_control_msg(timeout=until - time.monotonic())
            if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return answer["content"]


def state_becomes(running, state):
    code = f"""
until = time.monotonic() + 10
while feed.status().state != {state!r} and time.monotonic() < until:
    time.sleep(0.01)
print(feed.status().state)"""
    return running.good(code).text.strip()


@pytest.fixture
def shown(tmp_path):
    """A kernel with a view of a feed, and the name under which a page speaks to it."""
    with kernel(tmp_path) as running:
        running.good(VIEW)
        yield running, running.good(COMM).text.strip()


@pytest.mark.rows("M-38")
def test_a_view_hears_the_page_that_is_open_when_the_page_before_is_gone(shown):
    running, comm = shown
    first = Page(running.client, comm)
    first.click("pause")
    assert state_becomes(running, "paused") == "paused"
    first.click("dismiss")
    first.click("resume")
    first.close()

    Page(running.client, comm).click("stop")

    assert state_becomes(running, "stopped") == "stopped"


@pytest.mark.rows("M-38")
def test_a_view_hears_its_page_while_a_cell_runs(shown):
    running, comm = shown
    page = Page(running.client, comm)

    waits = running.begin("while feed.status().state != 'stopped': time.sleep(0.01)")
    page.click("stop")

    assert not running.end(waits).error
