"""What is said of the workers' health, in the engine and beside it."""

from __future__ import annotations

from pipeline.core.effects import AlertCode
from pipeline.core.inputs import WorkerCounters, WorkerStatus
from pipeline.core.types import WorkerState
from pipeline.core.worker_watch import WorkerWatch
from pipeline.runtime.notices import Notices

READY, BUSY, STARTING, DEAD = (
    WorkerState.READY,
    WorkerState.BUSY,
    WorkerState.STARTING,
    WorkerState.DEAD,
)


def reading(*workers: tuple[WorkerState, int], ts_ns: int = 1) -> WorkerCounters:
    """Make counters of workers given as (state, restarts)."""
    status = [
        WorkerStatus(number, 100 + number, state, 0, 0, restarts, 0, 0.0, 0.0, 0.0, "m", 1, 5)
        for number, (state, restarts) in enumerate(workers)
    ]
    return WorkerCounters(tuple(status), 0, ts_ns)


def said(watch: WorkerWatch, *workers: tuple[WorkerState, int]) -> tuple[AlertCode, tuple[int, int]] | None:
    news = watch.read(reading(*workers))
    return None if news is None else (news.code, news.values)


def running() -> WorkerWatch:
    watch = WorkerWatch()
    assert said(watch, (READY, 0), (READY, 0)) is None
    return watch


def test_workers_that_start_are_no_news() -> None:
    watch = WorkerWatch()
    assert said(watch, (STARTING, 0), (STARTING, 0)) is None
    assert said(watch, (READY, 0), (STARTING, 0)) is None
    assert said(watch, (BUSY, 0), (READY, 0)) is None


def test_a_model_no_worker_takes_is_news_from_the_start() -> None:
    assert said(WorkerWatch(), (DEAD, 0), (DEAD, 0)) == (AlertCode.WORKER_DEAD, (2, 2))


def test_a_death_and_the_return_are_said_once_each() -> None:
    watch = running()
    assert said(watch, (READY, 0), (STARTING, 0)) == (AlertCode.WORKER_DEAD, (1, 2))
    assert said(watch, (READY, 0), (DEAD, 0)) is None
    assert said(watch, (READY, 0), (READY, 1)) == (AlertCode.WORKER_READY, (0, 2))
    assert said(watch, (BUSY, 0), (READY, 1)) is None


def test_a_death_whose_desk_a_spare_took_at_once_is_said_too() -> None:
    watch = running()
    assert said(watch, (READY, 1), (READY, 0)) == (AlertCode.WORKER_REPLACED, (1, 2))
    assert said(watch, (READY, 1), (READY, 0)) is None
    assert said(watch, (READY, 2), (BUSY, 1)) == (AlertCode.WORKER_REPLACED, (2, 2))


def test_notices_have_ids_of_their_own_and_are_noted() -> None:
    notices = Notices()
    notices.workers(reading((READY, 0)))
    notices.workers(reading((STARTING, 0), ts_ns=7))
    (view,) = notices.views(10)
    assert (view.alert_id, view.code, view.ts_ns, view.values) == (-1, "WORKER_DEAD", 7, (1, 1))
    assert notices.unnoted == 1
    assert notices.note("ada")
    assert not notices.note("ada")
    assert (notices.unnoted, notices.views(10)[0].noted_by) == (0, "ada")


def test_a_lap_begins_with_its_own_notice_alone() -> None:
    notices = Notices()
    notices.workers(reading((READY, 0)))
    notices.workers(reading((READY, 1)))
    notices.start_again()
    notices.lap(2, 5)
    assert [(view.code, view.values) for view in notices.views(10)] == [("REPLAY_LAP", (2,))]
    assert notices.unnoted == 0
