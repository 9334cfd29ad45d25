import html.parser
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from kubemq_nb import frames, render
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.client.results import Results
from kubemq_nb.frames.selecting import Selection
from kubemq_nb.messages import Acknowledged, Response, SendResult, ServerInfo, Settlement
from kubemq_nb.render import Look
from kubemq_nb.render.text import displayed

PLAIN = Look()
STEADY = Look(deterministic=True)
AT = datetime(2026, 11, 23, 21, 4, 9, 114_000, tzinfo=UTC)
HARMFUL = [chr(n) for n in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</td></table><iframe src=javascript:alert(1)>",
    "</style><style>*{display:none}",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt;",
]
ALLOWED = {"p", "b", "small", "table", "thead", "tbody", "tr", "th", "td", "br", "pre"}
ATTRIBUTES = {"cellpadding", "scope", "align"}


def queue_frame(*bodies, sequence=1, tags=None, metadata="", **attrs):
    payloads = [
        pb.QueueMessage(
            MessageID=f"id-{n}",
            Channel="orders",
            Metadata=metadata,
            Body=body,
            Tags=tags or {},
            Attributes=pb.QueueMessageAttributes(
                Timestamp=int(AT.timestamp() * 1e9) + n * 10**6, Sequence=sequence + n, ReceiveCount=1
            ),
        ).SerializeToString()
        for n, body in enumerate(bodies)
    ]
    return frames.queue_messages(
        payloads, **{"channel": "orders", "kind": "queues", "is_peek": True, **attrs}
    )


class Elements(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {name for name, _ in attrs}))


def assert_harmless(text):
    for tag, attributes in Elements(text).found:
        assert tag in ALLOWED
        assert attributes <= ATTRIBUTES


def test_json_bodies_become_columns_figures_at_the_right():
    shown = render.frame(queue_frame(b'{"carrier": "MQ", "flight": 4401}', b'{"carrier": "AA", "flight": 7}'))

    assert shown.text.splitlines() == [
        "sequence  timestamp (UTC)  receive_count  carrier  flight  size",
        "       1  21:04:09.114                 1  MQ         4401  33 B",
        "       2  21:04:09.115                 1  AA            7  30 B",
        "2 messages; the queue is unchanged",
    ]


def test_other_bodies_are_one_column_of_text():
    shown = render.frame(queue_frame(b"two\nlines", b"\xff\xfe", b""))

    assert [line.split()[3:] for line in shown.text.splitlines()[1:4]] == [
        [r"two\nlines", "9", "B"],
        ["0xfffe", "2", "B"],
        ["0", "B"],
    ]


def test_html_is_a_bare_table_with_the_same_facts():
    frame = queue_frame(b'{"carrier": "MQ"}')

    assert render.frame(frame).html == (
        '<p><b>orders</b>, queue</p><table cellpadding="4"><thead><tr>'
        '<th scope="col" align="right">sequence</th><th scope="col" align="left">timestamp (UTC)</th>'
        '<th scope="col" align="right">receive_count</th><th scope="col" align="left">carrier</th>'
        '<th scope="col" align="right">size</th></tr></thead><tbody><tr>'
        '<td align="right">1</td><td align="left">21:04:09.114</td><td align="right">1</td>'
        '<td align="left">MQ</td><td align="right">17 B</td></tr></tbody></table>'
        "<p><small>1 message; the queue is unchanged</small></p>"
    )


def test_what_differs_from_run_to_run_can_be_left_out():
    text = render.frame(queue_frame(b"hello"), STEADY).text

    assert text.splitlines() == [
        "sequence  receive_count  body   size",
        "       1              1  hello   5 B",
        "1 message; the queue is unchanged",
    ]


def test_text_never_takes_more_than_110_columns():
    wide = queue_frame(b"{" + b",".join(b'"field%d": "%s"' % (n, b"x" * 50) for n in range(8)) + b"}")

    text = render.frame(wide).text

    assert max(map(len, text.splitlines())) <= 110
    assert "…" in text


@pytest.mark.parametrize(("columns", "cut"), [(60, True), (110, True), (150, False)])
def test_a_terminal_gets_what_fits_into_its_columns(columns, cut, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    text = render.frame(queue_frame(b"x" * 100)).text

    assert max(map(len, text.splitlines())) <= columns
    assert ("…" in text) is cut


def test_columns_that_do_not_fit_are_named():
    wide = frames.table(
        {f"a_long_column_{n}": [1] for n in range(12)}, {f"a_long_column_{n}": "int64" for n in range(12)}
    )

    text = render.frame(wide).text

    assert "not shown: a_long_column_6" in text
    assert max(map(len, text.splitlines())) <= 110


def test_rows_beyond_the_most_are_counted():
    shown = render.frame(queue_frame(*[b"x"] * 30), Look(max_rows=5))

    assert shown.text.splitlines()[-1] == "30 messages; the queue is unchanged; 5 of 30 rows shown"
    assert shown.html.count("<tr>") == 6


@pytest.mark.parametrize(
    ("bodies", "delayed", "held", "counted"),
    [
        ([b"a"], 1, 0, "1 message, 1 more is delayed"),
        ([b"a"], 2_000, 1, "1 message, 2,000 more are delayed, 1 more is held"),
        ([], 0, 2, "0 messages, 2 are held"),
        ([b"a"], None, None, "1 message"),
    ],
)
def test_a_look_tells_what_it_cannot_show(bodies, delayed, held, counted):
    shown = render.frame(queue_frame(*bodies, delayed=delayed, held=held))

    assert shown.text.splitlines()[-1] == f"{counted}; the queue is unchanged"


def test_a_filtered_copy_does_not_keep_the_facts():
    frame = queue_frame(b"a", b"b")

    assert render.is_ours(frame)
    assert not render.is_ours(frame[frame["sequence"] > 1])


@pytest.mark.parametrize("payload", MARKUP)
def test_no_markup_of_others_reaches_html(payload):
    frame = queue_frame(payload.encode(), tags={payload: payload}, metadata=payload, channel=payload)
    fields = queue_frame(f'{{"{html_safe_key(payload)}": "x"}}'.encode(), channel=payload)
    results = [
        Acknowledged(3, payload),
        SendResult(id=payload, channel=payload),
        SendResult(id="1", channel=payload, error=payload),
        Settlement(action="resend", channel=payload, sequences=(1,), to=payload, error=""),
        ServerInfo(address=payload, host=payload, version=payload, start_time=AT, uptime=timedelta(1)),
        Response(
            executed=False, error=payload, body=payload.encode(), metadata=payload, tags={payload: payload}
        ),
    ]

    for shown in [render.frame(frame), render.frame(fields), *(render.describe(r, PLAIN) for r in results)]:
        assert_harmless(shown.html)


def html_safe_key(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


@pytest.mark.parametrize("character", HARMFUL, ids=lambda c: f"U+{ord(c):04X}")
def test_no_control_character_of_others_reaches_a_terminal(character):
    text = f"a{character}b"
    frame = queue_frame(text.encode(), tags={text: text}, metadata=text)
    shown = [
        render.frame(frame).text,
        *(
            render.describe(each, PLAIN).text
            for each in [
                SendResult(id=text, channel=text, error=text),
                Response(executed=True, error=text, body=text.encode(), metadata=text),
            ]
        ),
        *render.lines(frame),
    ]

    for one in shown:
        assert character in "\n\t" or character not in one


def test_a_response_shows_its_body_as_it_is():
    response = Response(
        executed=True,
        body=b'{"mean": 9.49}',
        channel="delays.mean",
        elapsed=0.0032,
        cache_hit=True,
        tags={"a": "b"},
    )

    assert render.describe(response, PLAIN).text.splitlines() == [
        "executed  delays.mean  from cache  3.2 ms",
        "tags      a=b",
        '{"mean": 9.49}',
    ]
    assert "ms" not in render.describe(response, STEADY).text


def test_a_refusal_shows_its_reason():
    response = Response(executed=False, error="gate C71 is taken", channel="gates.assign")

    assert render.describe(response, PLAIN).text == "not executed  gates.assign  gate C71 is taken"


def test_a_huge_body_is_cut_and_says_so():
    text = render.describe(Response(executed=True, body=b"x" * 5_000_000), PLAIN).text

    assert len(text) < 4_100_000
    assert "cut: 5,000,000 characters in all" in text


def test_a_sent_message_tells_when_it_can_be_seen_and_when_it_ends():
    result = SendResult(id="8c1f", channel="orders", delayed_to=AT, expiration_at=AT + timedelta(minutes=5))

    assert render.describe(result, PLAIN).text == (
        "sent  orders  id 8c1f  visible 21:04:09 UTC  expires 21:09:09 UTC"
    )
    assert render.describe(result, STEADY).text == "sent  orders"


@pytest.mark.parametrize(
    ("settlement", "text"),
    [
        (Settlement(action="ack", channel="orders", sequences=(1041,)), "acked  orders  sequence 1,041"),
        (
            Settlement(action="resend", channel="orders", sequences=(1, 2), to="later"),
            "resent  orders  sequences 1, 2  to later",
        ),
        (Settlement(action="close", channel="orders", sequences=()), "given back  orders  nothing"),
        (
            Settlement(action="extend", channel="orders", sequences=(3,), until=AT),
            f"extended  orders  sequence 3  until {AT:%H:%M:%S} UTC",
        ),
    ],
)
def test_a_settlement_says_what_became_of_which_message(settlement, text):
    assert render.describe(settlement, PLAIN).text == text


def test_without_what_differs_from_run_to_run_an_extension_has_no_time():
    extended = Settlement(action="extend", channel="orders", sequences=(3,), until=AT)

    assert render.describe(extended, Look(deterministic=True)).text == "extended  orders  sequence 3"


def test_a_batch_says_how_many_were_sent():
    results = frames.results(Results.of(SendResult(id=str(n), channel="orders") for n in range(2)).columns)

    assert render.frame(results, STEADY).text.splitlines() == [
        "channel  sent",
        "orders   yes",
        "orders   yes",
        "2 sent",
    ]


def test_of_a_batch_the_refused_ones_are_shown():
    errors = ["", "Error 120: invalid", ""]
    results = frames.results(
        Results.of([SendResult(id=f"n{n}", channel="orders", error=e) for n, e in enumerate(errors)]).columns
    )

    assert render.frame(results).text.splitlines() == [
        "id  channel  sent  error",
        "n1  orders   yes   Error 120: invalid",
        "1 of 3 refused; 1 of 3 rows shown",
    ]


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({"complete": True, "ended_by": "sequence"}, "1 event; complete"),
        ({"complete": True, "ended_by": "count"}, "1 event; stopped at the count"),
        ({"complete": False, "ended_by": "timeout"}, "1 event; not complete, stopped at the timeout"),
    ],
)
def test_a_replay_says_whether_it_is_complete(facts, line):
    payload = pb.EventReceive(
        EventID="1", Channel="c", Body=b"x", Sequence=1, Timestamp=1
    ).SerializeToString()

    assert render.frame(frames.events([payload], "events_store", **facts)).text.splitlines()[-1] == line


@pytest.mark.parametrize("end", ["sequence", "time"])
def test_a_replay_of_a_place_without_events_tells_the_last_one(end):
    facts = {"complete": True, "ended_by": end, "last_sequence": 31}
    one = pb.EventReceive(EventID="1", Channel="c", Body=b"x", Sequence=31, Timestamp=1).SerializeToString()

    def line(payloads, **more):
        return render.frame(frames.events(payloads, "events_store", **facts, **more)).text.splitlines()[-1]

    assert line([]) == "0 events; none there: the last that is stored is 31"
    assert line([], read=3) == line([one]).replace("1 event", "0 events")  # others were there


@pytest.mark.rows("M-11")
def test_numbers_that_were_asked_for_look_as_in_the_body():
    chosen = Selection(where=None, fields="flight,late,mean", decode=None)
    frame = chosen.apply(queue_frame(b'{"flight": 1545, "late": true, "mean": 12345.678901}', b"{}"))

    head, first, *_ = render.frame(frame).text.splitlines()
    assert head.split()[-4:] == ["flight", "late", "mean", "size"]
    assert first.split()[-5:] == ["1545", "true", "12345.678901", "52", "B"]


def test_json_keeps_every_column_and_every_byte():
    rows = render.as_json(queue_frame(b'{"a": 1}', b"\xff"), lines=True).splitlines()

    assert len(rows) == 2
    assert '"body": "{\\"a\\": 1}", "decoded": {"a": 1}' in rows[0]
    assert '"body_base64": "/w==", "decoded": null' in rows[1]
    assert '"expiration_at": null' in rows[0]
    assert re.search(r'"timestamp": "2026-11-23T21:04:09\.114', rows[0])


def test_a_result_is_one_json_value():
    result = SendResult(id="1", channel="orders", delayed_to=AT)

    assert render.as_json(result, lines=True) == (
        '{"id": "1", "channel": "orders", "sent": true, "error": "", "sent_at": null, "expiration_at": null, '
        '"delayed_to": "2026-11-23T21:04:09.114000+00:00"}'
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0031, "3.1 ms"),
        (0.051, "51 ms"),
        (8.2, "8.2 s"),
        (72, "1 m 12 s"),
        (50_400, "14 h"),
        (5_270_400, "61 d"),
    ],
)
def test_spans_have_their_unit(seconds, text):
    assert render.span(seconds) == text


@pytest.mark.parametrize(
    ("length", "text"), [(169, "169 B"), (1_400, "1.4 kB"), (1_400_000, "1.4 MB"), (2_000_000_000, "2 GB")]
)
def test_sizes_are_decimal(length, text):
    assert render.size(length) == text


@dataclass
class Counters:
    state: str = "live"
    received: int = 0
    dropped: int = 0
    errors: int = 0
    note: str = ""
    as_of: datetime = AT


@dataclass
class Source:
    """A feed or responder that stands still."""

    rows: object = field(default_factory=lambda: frames.empty("queues"))
    now: Counters = field(default_factory=Counters)
    kind: str = "events"
    channel: str = "gates"
    connection: str = "embedded"

    def status(self):
        return self.now

    def tail(self, count=20):
        return self.rows.tail(count)


def test_a_feed_without_rows_says_that_it_is_live():
    shown = render.live(Source())

    about = ", events, embedded broker, live, as of 2026-11-23 21:04:09 UTC. Received 0, dropped 0, errors 0."
    assert shown.text == f"gates{about}"
    assert shown.html == (
        f"<p><b>gates</b>{about}</p><p><small>Saved view, no kernel. Run the cell to see it live.</small></p>"
    )


def test_a_feed_shows_its_newest_rows_and_counters():
    now = Counters(state="live", received=1205, dropped=2, errors=1, note="the handler raised KeyError")

    shown = render.live(
        Source(rows=queue_frame(b"a", b"b", b"c"), now=now), Look(max_rows=2, deterministic=True)
    )

    counts = "Received 1,205, dropped 2, errors 1. the handler raised KeyError. Last 2 of 1,205:"
    assert shown.text.splitlines() == [
        f"gates, events, embedded broker, live. {counts}",
        "sequence  receive_count  body  size",
        "       2              1  b      1 B",
        "       3              1  c      1 B",
    ]


@pytest.mark.parametrize("payload", MARKUP)
def test_no_markup_of_others_reaches_the_html_of_a_feed(payload):
    source = Source(rows=queue_frame(payload.encode()), now=Counters(note=payload), channel=payload)

    assert_harmless(render.live(source).html)


@dataclass
class Held:
    """A transaction that stands still."""

    df: object
    sequences: tuple = ()
    state: str = "held"
    deadline: datetime | None = None
    channel: str = "orders"

    @property
    def empty(self):
        return self.df.empty


@pytest.mark.parametrize(
    ("held", "note"),
    [
        (
            Held(queue_frame(b"x"), (1,), deadline=AT),
            "held: sequence 1 until 21:04:09 UTC; tx ack, reject, extend, resend, modify",
        ),
        (Held(queue_frame(b"x", b"y"), (1, 2)), "held: sequences 1, 2; tx ack, reject, resend"),
        (Held(queue_frame(b"x"), (), "acked"), "nothing is held any more: acked"),
        (
            Held(queue_frame(b"x"), (), "lost"),
            "nothing is held any more: the connection broke, which gave it back",
        ),
        (Held(frames.empty("queues"), (), "empty"), "orders has no message to hold"),
    ],
)
def test_a_transaction_says_what_it_holds_and_what_can_be_done(held, note):
    shown = render.transaction(held)

    assert shown.text.splitlines()[-1] == note
    assert note in shown.html


def test_an_event_in_a_terminal_is_one_line():
    rows = queue_frame(b"two\nlines", tags={"day": "1"})

    assert render.lines(rows) == [r"21:04:09  orders  two\nlines  day=1"]


def test_a_long_display_stays_under_the_limit():
    table = render.Table([render.Column("body", ["x" * 100] * 100_000)])

    shown = table.shown()

    assert len(shown.text) <= render.LIMIT + 200
    assert len(shown.html) <= render.LIMIT + 400
    assert shown.text.endswith("cut after 39,603 rows: a display holds 4 MB")
    assert_harmless(shown.html)


@pytest.mark.parametrize(
    "text", ["\uff1c" * 60, "\u4f60\u597d" * 30, "\u4f60" * 5 + "x" * 60, "\U0001f600" * 40]
)
def test_text_of_double_width_is_cut_by_the_columns_that_it_takes(text):
    """First seen red (it never ended) on a cut by characters."""
    shown = render.frame(queue_frame(text.encode(), tags={text: text}, metadata=text))

    assert max(map(displayed, shown.text.splitlines())) <= 110
    assert "…" in shown.text
