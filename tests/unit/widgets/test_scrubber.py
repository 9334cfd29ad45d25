import json

import pytest
from ipywidgets import Label

import kubemq_nb
from kubemq_nb import render
from kubemq_nb._wire import kubemq_pb2 as pb
from kubemq_nb.session import Scrubber
from kubemq_nb.widgets.scrubber import ScrubberView
from tests.unit.widgets.conftest import eventually


def payload(number):
    hour = f"2013-01-{1 + number // 24:02}T{number % 24:02}:00"
    body = json.dumps(
        {"carrier": "AB"[number % 2], "n": number % 9, "hour": hour, "miles": number / 8}
    ).encode()
    return pb.EventReceive(
        EventID=str(number), Channel="gates", Body=body, Sequence=number, Timestamp=10**18 + number * 10**9
    ).SerializeToString()


def count(state, event):
    if event.sequence == 90:
        raise ValueError("ninety")
    state = state or {}
    carrier = event.json()["carrier"]
    return state | {carrier: state.get(carrier, 0) + 1}


@pytest.fixture
def scrubber():
    def open(events=80, fold=count):
        made = Scrubber("gates", fold=fold, connection="embedded", read_again=lambda first, last: [])
        payloads = [payload(number) for number in range(1, events + 1)]
        made.begin(lambda take: take(payloads), expected=events)
        assert made.wait(5)
        return made

    return open


@pytest.fixture
def view():
    made = []

    def show(source, **options):
        made.append(ScrubberView(source, open_view=lambda form: Label(str(form.arguments())), **options))
        return made[-1]

    yield show
    for each in made:
        each.close()


def rows(shown):
    return {row["key"]: row["cells"] for row in shown.table["rows"]}


def test_a_view_opens_at_the_end_and_follows_what_python_does(scrubber, view):
    source = scrubber()
    shown = view(source)
    assert (shown.position["sequence"], rows(shown)) == (80, {"B": ["40"], "A": ["40"]})

    source.at(3)

    assert eventually(lambda: rows(shown) == {"B": ["2"], "A": ["1"]})
    assert [row["key"] for row in shown.table["rows"] if row["new"]] == ["B"]


def test_moves_of_the_slider_and_steps_are_those_of_the_model(scrubber, view):
    source = scrubber()
    shown = view(source, variables={"scrub": source})

    shown.act({"do": "move", "to": 12, "turn": "one"})
    assert eventually(lambda: shown.position["turn"] == "one" and not shown.busy)
    assert (source.sequence, shown.foot["code"]) == (12, "scrub.at(12)")

    shown.act({"do": "step", "count": -2, "turn": "two"})
    assert eventually(lambda: shown.position["turn"] == "two" and not shown.busy)
    assert (source.sequence, shown.foot["code"]) == (10, "scrub.step(-2)")


def test_on_the_axis_of_time_the_slider_is_an_instant(scrubber, view):
    shown = view(scrubber())

    shown.act({"do": "axis", "axis": "time"})
    low, high = shown.axis["low"], shown.axis["high"]
    shown.act({"do": "move", "of": "slider", "to": low + 4000, "turn": "one"})

    assert high - low == 79_000
    assert eventually(lambda: shown.position["sequence"] == 5)


def test_the_slider_moves_along_a_field_that_never_goes_back(scrubber, view):
    source = scrubber()
    shown = view(source, variables={"scrub": source})
    assert [each["label"] for each in shown.axis["names"]] == [
        "sequence",
        "stored at",
        "body.hour",
        "body.miles",
    ]

    shown.act({"do": "axis", "axis": "body.hour"})
    low, high = shown.axis["low"], shown.axis["high"]
    shown.act({"do": "move", "of": "slider", "to": low + 4 * 3_600_000 + 5, "turn": "one"})

    assert (high - low, shown.axis["is_time"], sum(shown.axis["bars"])) == (79 * 3_600_000, True, 80)
    assert eventually(lambda: shown.position["sequence"] == 5 and not shown.busy)
    shown.act({"do": "time", "text": "2013-01-02 01:30"})
    assert eventually(lambda: shown.position["sequence"] == 25 and not shown.busy)
    told = "scrub.at(time=datetime.fromisoformat('2013-01-02T01:30:00+00:00'), by='body.hour')"
    assert shown.foot["code"] == told

    shown.act({"do": "axis", "axis": "body.miles"})
    shown.act({"do": "move", "of": "slider", "to": 1.9, "turn": "two"})
    assert eventually(lambda: shown.position["sequence"] == 15)
    shown.act({"do": "move", "of": "slider", "to": shown.axis["high"], "turn": "three"})
    assert eventually(lambda: shown.position["sequence"] == 80)


def test_a_field_that_goes_back_is_no_axis(scrubber, view):
    shown = view(scrubber())

    shown.act({"do": "axis", "axis": "body.n"})

    assert (shown.axis["by"], shown.axis["high"]) == ("sequence", 80)


def test_a_pinned_position_stands_beside_the_present_one(scrubber, view):
    source = scrubber()
    shown = view(source)

    source.at(4).pin().at(6)

    assert eventually(lambda: shown.table["compare"])
    assert rows(shown) == {"B": ["2", "3", "+1"], "A": ["2", "3", "+1"]}
    assert (shown.table["between"], shown.foot["held"]) == (2, "2 keys, 2 changed")


def test_a_fold_that_raises_is_told_with_its_event_until_one_goes_before_it(scrubber, view):
    source = scrubber(100)
    shown = view(source)

    assert shown.failure["head"] == "count stopped at event 90:"
    assert "ninety. The state shown is the one before." in shown.failure["rest"]
    assert rows(shown) == {"B": ["45"], "A": ["44"]}

    source.at(89)
    assert eventually(lambda: shown.failure == {})


def test_a_time_that_is_none_is_said_in_the_view(scrubber, view):
    shown = view(scrubber())

    shown.act({"do": "time", "text": "noon"})

    assert eventually(lambda: "a time is written as" in shown.said.get("head", "").lower())


def test_events_up_to_the_position_are_handed_over(scrubber, view):
    source, variables = scrubber(), {}
    shown = view(source, variables=variables)

    source.at(7)
    shown.act({"do": "frame"})

    assert eventually(lambda: "gates" in variables)
    assert len(variables["gates"]) == 7


@pytest.mark.rows("M-22")
def test_the_event_at_the_position_is_sent_again_through_a_form_below(session, channel, view):
    session.events_store.send(channel, rows=["gate C70", "gate C71", "gate C72"])
    source = session.events_store.scrub(channel)
    assert source.wait(5)
    shown = view(source.at(2), variables={"scrub": source})
    assert shown.about["can_send"]

    shown.act({"do": "form"})

    assert (shown.pane, shown.foot["code"]) == ({"title": "Send event 2 again"}, "scrub.form()")
    assert "gate C71" in shown.child.value
    shown.act({"do": "close"})
    assert shown.child is None


def test_where_nothing_can_be_sent_no_event_offers_it(session, credentials, channel, scrubber, view):
    session.events_store.send(channel, "gate C71")
    with kubemq_nb.connect(session.address, name="looking", read_only=True, **credentials) as looking:
        assert not view(looking.events_store.scrub(channel)).about["can_send"]
    assert not view(scrubber()).about["can_send"]


def test_without_a_browser_a_scrubber_is_its_state_in_lines(scrubber):
    text, html = render.scrubber(scrubber().at(3))

    assert text.splitlines()[0].startswith("gates, events store, embedded broker, after event 3 of 80")
    assert "A        1" in text
    assert "Saved view, no kernel." in html


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1205, "1,205"),
        (8.5, "8.5"),
        (2 / 3, "0.667"),
        (12345.6, "12,346"),
        (-6, "\N{MINUS SIGN}6"),
        (None, "\N{EN DASH}"),
        ([1], "[1]"),
    ],
)
def test_values_of_a_state_are_short_figures(value, text):
    from kubemq_nb.render.scrub import figure

    assert figure(value) == text
