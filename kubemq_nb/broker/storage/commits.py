"""The one thread that touches the store: it takes waiting plans together, commits them, and releases them."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any

from kubemq_nb.broker.engine.plan import NOT_KNOWN, Plan
from kubemq_nb.broker.storage.base import Store, StoreError, Undecided

GROUP = 512  # plans committed together at most
TRIES = 3  # to open a store whose commit failed
PAUSE = 0.1  # seconds between them; whoever waits for that commit waits so long

log = logging.getLogger(__name__)

Outcome = tuple[Plan, list[Any] | str]
"""A plan with its results, or with the sentence that says why nothing of it was stored."""


class Committer:
    """Carries plans out in the order given, many in one commit when they come faster than the disk.

    Args:
        open_store: Opens the store; called again after an error that leaves it unusable.
        call_engine: Runs a function on the thread of the engine, later and in order.
    """

    def __init__(
        self, open_store: Callable[[], Store], call_engine: Callable[[Callable[[], None]], object]
    ) -> None:
        self._open_store = open_store
        self._store: Store | None = open_store()
        self._call_engine = call_engine
        self._plans: SimpleQueue[Plan | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="kubemq-nb:store", daemon=True)
        self._told = ""
        self.content = self._store.load()  # what there was when the broker started

    def start(self) -> None:
        """Begin to carry out plans."""
        self._thread.start()

    def commit(self, plan: Plan) -> None:
        """Take a plan over."""
        self._plans.put(plan)

    def close(self) -> None:
        """Carry out what was given before, then close the store."""
        self._plans.put(None)
        self._thread.join()

    def _run(self) -> None:
        going_on = True
        while going_on:
            group, going_on = self._next_group()
            outcomes = self._carry_out(group)
            self._call_engine(partial(release, outcomes))
            # What was written must not stay in memory until somebody writes again.
            del group, outcomes
        self._leave_store()

    def _next_group(self) -> tuple[list[Plan], bool]:
        group: list[Plan] = []
        plan = self._plans.get()
        while plan is not None:
            group.append(plan)
            if len(group) >= GROUP or self._plans.empty():
                return group, True
            plan = self._plans.get()
        return group, False

    def _carry_out(self, group: Sequence[Plan]) -> list[Outcome]:
        try:
            store = self._store = self._store or self._open_store()
            results = store.apply([plan.operations for plan in group])
        except StoreError as error:
            return self._one_by_one(group, error)
        except Exception as error:
            # Nobody is served any more when this thread ends, so nothing may end it.
            log.exception("the store failed")
            return self._one_by_one(group, StoreError(f"the store failed: {error!r}", broken=True))
        self._told = ""
        return list(zip(group, results, strict=True))

    def _one_by_one(self, group: Sequence[Plan], error: StoreError) -> list[Outcome]:
        """After a failed group, let those through that can be: deletes still work on a full disk."""
        if str(error) != self._told:  # once, not once a message
            self._told = str(error)
            log.error("the store refused %d plans: %s", len(group), error)
        if error.broken:
            # After a failed flush nothing on this connection can be trusted.
            self._leave_store()
        if error.undecided:
            return self._decide(group, error, error.undecided)
        if error.broken or len(group) == 1:
            return [(plan, str(error)) for plan in group]
        return [outcome for plan in group for outcome in self._carry_out([plan])]

    def _decide(self, group: Sequence[Plan], error: StoreError, undecided: Undecided) -> list[Outcome]:
        """Open the store anew and look whether a commit that failed is there."""
        for _ in range(TRIES):
            try:
                self._store = self._store or self._open_store()
                break
            except Exception:
                # Whatever it is, who waits for the commit must be answered, and others served after that.
                log.warning("the store could not be opened again", exc_info=True)
            time.sleep(PAUSE)
        if self._store is not None and self._store.commits == undecided.number:
            log.warning("the commit that failed is on the disk")
            return list(zip(group, undecided.results, strict=True))
        unknown = f"; {NOT_KNOWN}: look before you send again" if self._store is None else ""
        return [(plan, f"{error}{unknown}") for plan in group]

    def _leave_store(self) -> None:
        store, self._store = self._store, None
        if store is None:
            return
        try:
            store.close()
        except Exception:
            log.exception("the store could not be closed")


def release(outcomes: Sequence[Outcome]) -> None:
    """Tell each plan, in order, that it was carried out or why not."""
    for plan, outcome in outcomes:
        try:
            if isinstance(outcome, str):
                plan.failed(outcome)
            else:
                plan.done(outcome)
        except Exception:
            # One client's answer must not take the answers of the others along.
            log.exception("a committed plan could not be released")
