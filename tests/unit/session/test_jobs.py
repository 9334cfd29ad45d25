import threading

import pytest

from kubemq_nb.errors import KubeMQError
from kubemq_nb.session import live
from kubemq_nb.session.feed import Feed
from kubemq_nb.session.jobs import Jobs, listing
from tests.conformance.support import PATIENCE, eventually
from tests.unit.session.streams import FedStream


def feed(jobs, channel="gates"):
    made = Feed(kind="events", channel=channel)
    made.begin(FedStream().subscribe)
    jobs.add(made)
    return made


@pytest.fixture
def jobs():
    jobs = Jobs()
    yield jobs
    jobs.stop("all")


def test_jobs_are_numbered_from_one_and_no_number_comes_twice(jobs):
    first = feed(jobs)
    first.stop()

    second = feed(jobs)

    assert (first.id, second.id) == (1, 2)
    assert jobs.all() == [second]


def test_a_stopped_job_is_no_longer_listed(jobs):
    one, other = feed(jobs), feed(jobs)

    stopped = jobs.stop(one.id)

    assert stopped == [one]
    assert jobs.all() == [other]


@pytest.mark.rows("M-38")
def test_all_jobs_stop_at_once(jobs):
    made = [feed(jobs), feed(jobs)]

    assert jobs.stop("all") == made
    assert all(job.finished for job in made)


def test_handlers_at_work_finish_side_by_side(jobs, monkeypatch):
    monkeypatch.setattr(live, "GRACE", 10 * PATIENCE)
    at_work, seen = threading.Barrier(4), []

    def handle(_):
        at_work.wait(PATIENCE)
        seen.append(eventually(lambda: all(job.finished for job in made)))

    made = [Feed(kind="events", channel=f"gates.{letter}", handler=handle) for letter in "abc"]
    for job in made:
        stream = FedStream()
        job.begin(stream.subscribe)
        jobs.add(job)
        stream.put("x")
    at_work.wait(PATIENCE)

    jobs.stop("all")

    assert seen == [True, True, True]


def test_all_jobs_stop_although_one_of_them_fails_and_the_error_names_it(jobs, monkeypatch):
    first, second, third = (feed(jobs, f"gates.{letter}") for letter in "abc")

    def broken():
        raise KubeMQError("The broker went away.")

    with monkeypatch.context() as patch:
        patch.setattr(second, "leave", broken)
        with pytest.raises(KubeMQError) as told:
            jobs.stop("all")

    assert (first.finished, second.finished, third.finished) == (True, False, True)
    assert str(told.value) == (
        "2 of 3 jobs were stopped; job 2 (events on gates.b): The broker went away."
        " `%kubemq jobs` lists what still runs."
    )


def test_an_unknown_number_names_those_that_there_are(jobs):
    feed(jobs)

    with pytest.raises(ValueError, match=r"no job has the number 7 \(running: 1\)"):
        jobs.stop(7)


def test_the_listing_has_its_columns_also_without_a_job(jobs):
    empty = listing([])
    feed(jobs, "gates.a")

    full = listing(jobs.all())

    assert list(empty.columns) == ["id", "kind", "channel", "state", "received", "errors", "since", "note"]
    assert empty.dtypes.equals(full.dtypes)
    assert list(full["channel"]) == ["gates.a"]
