"""A live session: a venue's public data in real time, orders to the paper venue or to a real one.

Which gateway orders take is the spec's; everything else is the same. Messages reach the engine in the
callback that read them; this loop adds the beat every 10 ms, with how late it came, the gate, the workers'
counters and the consoles' pictures.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from pipeline.core.earlier import BooksCarried, DayCarried
from pipeline.core.engine import Engine
from pipeline.core.facts import RuntimeFacts
from pipeline.core.inputs import FeedStatusChanged, HeadLeft, HealthRead, InstrumentDiffers, ModelRecord
from pipeline.core.types import VenueMode
from pipeline.runtime.capture_run import BEAT_NS
from pipeline.runtime.clock import SessionClock
from pipeline.runtime.earlier_books import BooksFold
from pipeline.runtime.feed import Feed
from pipeline.runtime.feed_log import SpokenSink
from pipeline.runtime.feed_params import FeedParams
from pipeline.runtime.gate import Gate
from pipeline.runtime.guard_duty import GuardDuty, chain_is_healthy
from pipeline.runtime.guard_keeper import GuardKeeper
from pipeline.runtime.guard_start import guard_params
from pipeline.runtime.head_out import Head, HeadOut
from pipeline.runtime.health_reader import HealthReader
from pipeline.runtime.heart import Life
from pipeline.runtime.journal import JournalWriter
from pipeline.runtime.link_messages import CommandResult, ReplayControl
from pipeline.runtime.live_run import LiveRun
from pipeline.runtime.locks import InstanceLock
from pipeline.runtime.model_records import ModelRecords
from pipeline.runtime.ntp import read_kernel_clock
from pipeline.runtime.places import records_dir
from pipeline.runtime.session_host import SessionHost
from pipeline.runtime.sim_child import SimChild, ended_words
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.start_words import SETTLED, start_lines
from pipeline.runtime.summary import FeedCounts
from pipeline.runtime.venue_facts import Difference
from pipeline.runtime.venue_gateway import VenueGateway
from pipeline.runtime.venue_keys import read_keys
from pipeline.runtime.workers import WorkerPool
from pipeline.wire.venues import codec_for

BEAT_S = BEAT_NS / 1e9
BOOKS_EVERY_S = 60.0
STEADY_S = 5.0
"""Longest time a late beat is put down to starting."""


class LiveSession(SessionHost):
    """Hosts one engine on a venue's feed."""

    def __init__(
        self,
        spec: SessionSpec,
        feed: FeedParams,
        directory: Path,
        gate: Gate,
        pool: WorkerPool | None,
        lock: InstanceLock,
        sim: SimChild | None = None,
        differs: Sequence[Difference] = (),
        books: BooksCarried | None = None,
        day: DayCarried | None = None,
    ) -> None:
        """Prepare; `differs` is what the venue gave differently from the tables, to be said first.

        `books` is what the account's last session left, `day` what the day had come to.
        """
        super().__init__(spec, directory, gate, pool, lock)
        clock = SessionClock()
        instruments = {i.symbol: i for i in spec.params.instruments}
        self._books = books
        self._own_books = None if self._venue_is_own(spec) else BooksFold(spec.name, spec.params.instruments)
        self._next_books_s = 0.0
        self._day = day
        self._venue = self._venue_gateway(clock)
        self._run = LiveRun(
            engine=Engine(spec.params),
            codec=codec_for(spec.venue, instruments, max_frame_bytes=feed.max_frame_bytes),
            gateway=self._paper_gateway() if self._venue is None else self._venue,
            pool=pool,
            journal=self._journal,
            sources=spec.sources,
            clock=clock,
            on_gate=self._gate_watch.carry_out,
            books=self._own_books,
        )
        self._run.on_model = self._models.carry_out
        if self._venue is not None:
            self._venue.on_reports = self._run.venue_reported
        self._feed_params = feed
        self._sim = sim
        self._sim_lost = False
        self._differs = differs
        self._records = ModelRecords(records_dir(), spec.params)
        self._health_reader = HealthReader(directory)
        self._heads = HeadOut(spec.heads)
        self._clock = clock
        self._feed: Feed | None = None
        self._spoken: SpokenSink | None = None
        self._had_book = False
        self._failure: BaseException | None = None
        self._next_counters_s = 0.0
        self._said_start = False
        self._steady = False
        self._duty: GuardDuty | None = None
        if spec.guard is not None:
            # An exchange of the session's own outlives the engine as long as the guard has work there.
            keeps = () if sim is None else (sim.life_fd,)
            self._guard = GuardKeeper(guard_params(spec, spec.guard), directory, BEAT_NS, keeps)
            self._duty = GuardDuty(self._guard, gate, self._gate_watch)

    @property
    def run_(self) -> LiveRun:
        """Give the run that feeds the engine."""
        return self._run

    def replay(self, request: ReplayControl) -> CommandResult:
        """Refuse: real time has no pace."""
        return CommandResult(request.request_id, ok=False, text="live data: nothing to pause or seek")

    def facts(self) -> RuntimeFacts:
        """Read what only the session knows, the feed's connections among it."""
        return replace(super().facts(), feeds=() if self._feed is None else self._feed.views())

    async def _drive(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._note_failure)
        sink = SpokenSink(self._run)
        feed = Feed(self.spec.venue, self.spec.symbols, self._feed_params, self._clock, sink)
        self._feed, self._spoken = feed, sink
        self._run.want_snapshot = feed.want_snapshot
        if self._books is not None:
            self._run.put(msgspec.structs.replace(self._books, ts_ns=self._run.now_ns))
        if self._day is not None:
            self._run.put(msgspec.structs.replace(self._day, ts_ns=self._run.now_ns))
        self._watch_gate()
        for one in self._differs:
            self._run.put(InstrumentDiffers(one.symbol, one.what, one.table, one.venue, self._run.now_ns))
        for record in self._records.load(self._records.unasked(self._run.engine), time.time_ns()):
            self._take_record(record)
        feed.start()
        self._watch_journal()
        try:
            next_s = time.monotonic()
            while not self._is_over():
                self._turn(feed)
                next_s = max(next_s + BEAT_S, time.monotonic())
                await self._sleep(next_s - time.monotonic())
                if self._failure is not None:
                    raise self._failure
        except BaseException:
            self._guard = None  # no goodbye: the guard takes this for a crash and cancels what is ours
            raise
        finally:
            if self._venue is not None:
                self._venue.close()
            if self._journal is not None:
                asyncio.get_running_loop().remove_reader(self._journal.fileno())
            await feed.close()
            if self._guard is not None:
                self._guard.say_goodbye(self._farewell())
            self._records.save(self._run.engine, time.time_ns())

    def _farewell(self) -> Life:
        """Give how the session ends for its guard: cancels nobody confirmed are the guard's to finish."""
        if self._how == "leave":
            return Life.LEFT
        return Life.OWING if self._run.engine.open_orders else Life.ENDED

    def _turn(self, feed: Feed) -> None:
        self._watch_gate()
        self._run.collect_answers()
        self._had_book = self._had_book or self._has_book()
        now_s = time.monotonic()
        self._run.beat(self._lag_us * 1_000 if self._is_steady(now_s) else 0)
        self._look_after_workers(now_s)
        self._look_after_models()
        self._look_after_sim()
        self._say_start()
        feed.tick(self._run.now_ns)
        if self._look_after_guard() and self._venue is not None:
            self._venue.tick(self._run.now_ns)
        self._link.tick(now_s)
        self._each_second(now_s)

    def _look_after_guard(self) -> bool:
        """Beat for the guard; say whether the order path may be opened."""
        guard = self._duty
        if guard is None:
            return True
        engine, venue = self._run.engine, self._venue
        healthy = chain_is_healthy(
            engine,
            path_up=venue is None or venue.is_up,
            workers=self._pool is None or self._pool.ready > 0,
        )
        return guard.look(
            time.monotonic_ns(),
            self._run.put,
            self._run.now_ns,
            healthy=healthy,
            spared=engine.spared_generation,
        )

    def _has_book(self) -> bool:
        engine = self._run.engine
        return any((book := engine.synced_book(s)) is not None and book.is_synced for s in engine.symbols)

    def _never_worked(self) -> str:
        """Say what never came: any frame for a recording, a book for a session without a screen."""
        recording = not self.spec.model_path
        served = self._run.pump.frames > 0 if recording else self._had_book
        if not self.spec.headless or served:
            return ""
        said = "" if self._spoken is None else self._spoken.last_words
        missed = "nothing was recorded" if recording else "there never was a book to trade on"
        return f"{missed}: {said or 'the feed brought none in time'}"

    def _is_steady(self, now_s: float) -> bool:
        """Say whether starting is over: until then the workers' start-up takes the processors.

        A late beat is no alarm before there is a worker to decide by; after five seconds it always is.
        """
        if not self._steady:
            ready = self._pool is None or self._pool.ready == self.spec.workers
            self._steady = ready or now_s - self._started_s > STEADY_S
        return self._steady

    def _each_second(self, now_s: float) -> None:
        due = now_s >= self._next_second_s
        super()._each_second(now_s)
        if due:
            self._run.put(self._health())
            self._keep_books(now_s)
            self._look_after_head(now_s)
            self._records.save_when_due(self._run.engine, now_s, time.time_ns())

    def _look_after_head(self, now_s: float) -> None:
        """Send the journal's head out when it is time, and tell the engine what became of it."""
        journal = self._journal
        if journal is None:
            return
        outcome = self._heads.outcome()
        if outcome is None and self._heads.is_due(now_s):
            outcome = self._heads.send(self._head_of(journal), now_s)
        if outcome is not None:
            self._run.put(HeadLeft(outcome.head.digest, outcome.trouble, self._run.now_ns))

    def _close_journal(self) -> None:
        journal = self._journal
        super()._close_journal()
        if journal is not None:
            trouble = self._heads.close(self._head_of(journal))
            if trouble:
                sys.stderr.write(f"lobdeck: the journal's last head is kept nowhere else: {trouble}\n")

    def _head_of(self, journal: JournalWriter) -> Head:
        return Head(self.spec.name, journal.run, journal.sequence, journal.head())

    @staticmethod
    def _venue_is_own(spec: SessionSpec) -> bool:
        """Say whether nothing of the session outlives it: no account, or an exchange of its own."""
        return spec.orders is None or spec.sim is not None

    def _keep_books(self, now_s: float) -> None:
        """Put the books on record now and then, so that the next start need not read a whole journal."""
        if self._own_books is None or now_s < self._next_books_s:
            return
        kept = self._own_books.kept(self._run.now_ns)
        if kept is not None:
            self._next_books_s = now_s + BOOKS_EVERY_S
            self._run.put(kept)

    def _say_start(self) -> None:
        """Say on stderr what an earlier session left and nobody has settled, and when somebody has."""
        engine = self._run.engine
        if engine.is_unsettled is not self._said_start:
            self._said_start = engine.is_unsettled
            lines = start_lines(engine.start_summary()) or [SETTLED]
            sys.stderr.write("".join(f"lobdeck: {line}\n" for line in lines))
            sys.stderr.flush()

    def _look_after_models(self) -> None:
        """Let a model that begins here go on from its record; the disk is a thread's business."""
        super()._look_after_models()
        fresh = self._records.unasked(self._run.engine)
        if fresh:
            loop = asyncio.get_running_loop()
            reading = loop.run_in_executor(None, self._records.load, fresh, time.time_ns())
            reading.add_done_callback(self._records_read)

    def _records_read(self, reading: asyncio.Future[tuple[ModelRecord, ...]]) -> None:
        if not reading.cancelled():
            for record in reading.result():
                self._take_record(record)

    def _take_record(self, record: ModelRecord) -> None:
        self._run.put(msgspec.structs.replace(record, ts_ns=self._run.now_ns))

    def _health(self) -> HealthRead:
        """Read what the health agents watch."""
        kept = read_kernel_clock()
        ahead_ns = 0 if self._venue is None else self._venue.clock_ahead_ns
        by_ntp_ns = 0 if kept is None else kept.known_offset_ns
        skew_ns = max(self._clock.drift_ns(), ahead_ns, by_ntp_ns, key=abs)
        return self._health_reader.read(
            self._run.pump.histograms,
            clock_ahead_ns=skew_ns,
            rss_mb=self._memory.rss_mb,
            journal_ok=self._journal is None or self._journal.healthy,
            now_ns=self._run.now_ns,
            day=self._run.engine.day,
        )

    def _look_after_workers(self, now_s: float) -> None:
        """Replace what hangs; tell the engine of the workers once a second and at each change."""
        if self._pool is None:
            return
        changed = self._pool.tick(self._run.now_ns)
        if changed or now_s >= self._next_counters_s:
            self._next_counters_s = now_s + 1.0
            self._run.put(self._pool.counters(self._run.now_ns))

    def _look_after_sim(self) -> None:
        """Say once that the simulated exchange is gone; it does not come back, and no book without it."""
        if self._sim is None or self._sim_lost or self._sim.exit_status is None:
            return
        self._sim_lost = True
        reason = f"its process ended ({ended_words(self._sim.exit_status)}); nothing trades any more"
        self._run.status(FeedStatusChanged("simulated exchange:", False, 0, reason, self._run.now_ns))

    def _sim_pid(self) -> int | None:
        return None if self._sim is None else self._sim.pid

    def _note_failure(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep what a callback of the loop raised: the session must not go on with a broken engine.

        Trouble of sockets is reported here too and is the feed's and the link's daily bread.
        """
        problem = context.get("exception")
        if problem is None or isinstance(problem, OSError):
            sys.stderr.write(f"lobdeck: {context['message']}\n")
        else:
            self._failure = self._failure or problem

    def _venue_gateway(self, clock: SessionClock) -> VenueGateway | None:
        """Make the gateway to a venue; its key is read here, and is nowhere else.

        Raises:
            KeyFileError: the key file cannot be used.
        """
        orders = self.spec.orders
        if orders is None:
            return None
        instruments = {i.symbol: i for i in self.spec.params.instruments}
        key = read_keys(Path(orders.key_path))
        live = self.spec.params.mode is VenueMode.LIVE
        return VenueGateway(
            orders,
            instruments,
            key,
            self.spec.params.session_number,
            self._gate,
            clock,
            journal=self._journal if live else None,
            books=self._books,
        )

    def _watch_journal(self) -> None:
        """Let orders go that wait for the disk as soon as it has written."""
        journal, venue = self._journal, self._venue
        if journal is None or venue is None:
            return

        def written() -> None:
            journal.clear_notice()
            venue.release_parked(self._run.now_ns)

        asyncio.get_running_loop().add_reader(journal.fileno(), written)

    def _feed_counts(self) -> FeedCounts:
        return FeedCounts() if self._feed is None else self._feed.counts()
