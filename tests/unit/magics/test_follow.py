from kubemq_nb import frames
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.magics.follow import follow


class Feed:
    """Rows that come in steps; a step that is an exception is raised while waiting."""

    id = 3
    channel = "gates"

    def __init__(self, *steps):
        self.steps = list(steps)
        self.bodies = []
        self.dropped = 0  # by the client, before they were rows

    @property
    def finished(self):
        return not self.steps

    def behind(self, number):
        payloads = [pb.EventReceive(Channel="gates", Body=body).SerializeToString() for body in self.bodies]
        facts = {"received": len(payloads) + self.dropped, "last": len(payloads)}
        new = payloads[number:]
        return frames.events(new, "events", arrived=[10**18] * len(new), **facts)

    def wait(self, *, timeout):
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        self.bodies += step


def test_each_row_is_written_once_as_it_comes():
    written = []

    said = follow(Feed([b"one"], [], [b"two", b"three"]), written.append)

    first, *rows = written
    assert first == "gates: Ctrl-C gives the prompt back; it goes on as job 3\n"
    assert [line.split("  ")[2].strip() for line in rows] == ["one", "two", "three"]
    assert said == "gates: stopped after 3"


def test_an_interrupt_leaves_the_feed_and_tells_its_number():
    written = []

    said = follow(Feed([b"one"], KeyboardInterrupt()), written.append)

    assert len(written) == 2  # how to get the prompt back, and the row
    assert said == "gates: goes on as job 3; %kubemq stop 3 ends it"


def test_rows_are_not_repeated_after_the_client_dropped_events():
    written = []
    feed = Feed([b"one"], [b"two"])
    feed.dropped = 5

    follow(feed, written.append)

    assert [line.split("  ")[2].strip() for line in written[1:]] == ["one", "two"]
