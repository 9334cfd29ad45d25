"""A stream that a test feeds: a second implementation of what a live job needs of a subscription."""

import queue

from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.subscription import StateChange

END = object()


class FedStream:
    """Gives out what is put in; `break_down` makes it fail as a real one does."""

    def __init__(self):
        self.dropped = 0
        self.missed = 0
        self.reconnects = 0
        self.closed = False
        self.retries = 0
        self.on_state = lambda change: None
        self._waiting = queue.SimpleQueue()

    def subscribe(self, on_state):
        self.on_state = on_state
        return self

    def put(self, *bodies):
        for body in bodies:
            self._waiting.put(event(body))

    def put_payload(self, payload):
        self._waiting.put(payload)

    def break_down(self, error):
        self._waiting.put(error)

    def change(self, state, note="", **more):
        self.on_state(StateChange(state=state, note=note, **more))

    def next(self, timeout=None):
        try:
            found = self._waiting.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(found, Exception):
            raise found
        if found is END:
            self._waiting.put(END)
            return None
        return found

    def drain(self):
        found = []
        while not self._waiting.empty():
            payload = self._waiting.get()
            if not isinstance(payload, bytes):  # the end, or an error: for `next`
                self._waiting.put(payload)
                break
            found.append(payload)
        return found

    def retry(self):
        self.retries += 1

    def close(self):
        self.closed = True
        self._waiting.put(END)


def event(body):
    return pb.EventReceive(EventID=body, Channel="gates", Body=body.encode()).SerializeToString()


def request(body="ask", **fields):
    return pb.Request(
        **{"RequestID": "r", "Channel": "prices", "Body": body.encode(), "RequestTypeData": 2} | fields
    ).SerializeToString()
