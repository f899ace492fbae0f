"""A desk with a whole engine behind it, and a journal that outlives both: sessions die and others begin.

The journal is kept record by record as the pump writes it. What a power loss takes are records after the
newest order that left, because that one waited for the disk (`OrderParking`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.core.earlier import BooksCarried
from pipeline.core.effects import Alert, CancelOrder, Effect, SubmitOrder, TakeHome
from pipeline.core.engine import Engine
from pipeline.core.inputs import Command, Input, OperatorCommand, TimerBeat
from pipeline.core.params import (
    DecisionParams,
    EngineParams,
    ExecutionParams,
    HealthParams,
    PermitParams,
    SizingParams,
)
from pipeline.core.types import Authority, OrderType, Origin, RiskApproved, Side, VenueMode
from pipeline.runtime.earlier_books import KEPT_TAG, BooksFold, input_tag
from pipeline.runtime.journal_format import Record, RecordKind
from tests.fakes.trading import LIMITS, POLICY, intent
from tests.fakes.venue_bench import BEST_BID, PARAMS, SESSION, VenueBench


class RestartBench(VenueBench):
    """Sessions one after another at one venue."""

    def __init__(self, *faults: str, mode: VenueMode = VenueMode.LIVE, **options: Any) -> None:
        self.mode = mode
        self.number = SESSION
        self.journal: list[Record] = []
        self.runs: list[list[Record]] = []
        """Journals of the sessions before; the newest that knew the account has its books."""
        self.effects: list[Effect] = []
        super().__init__(*faults, **{"params": PARAMS, **options})

    def begin(self, session_number: int, books: BooksCarried | None) -> None:
        super().begin(session_number, books)
        self.engine = Engine(
            EngineParams(
                mode=self.mode,
                authority=Authority.OBSERVE,
                instruments=(self.instrument,),
                model=None,
                decision=DecisionParams(),
                sizing=SizingParams(),
                execution=ExecutionParams(),
                permits=PermitParams(),
                health=HealthParams(),
                limits={"BTCUSDT": LIMITS},
                session_number=session_number,
            )
        )
        self.store, self.portfolio = self.engine.state.orders, self.engine.state.portfolio
        if books is not None:
            self.put(books)

    @property
    def start(self) -> Any:
        return self.engine.state.start

    # --- the session's life -------------------------------------------------------------------------------

    def crash(self, lost_records: int = 0) -> None:
        """Die; at most the records after the newest order that left are lost with the process."""
        self.unplug()
        sent = [n for n, one in enumerate(self.journal) if one.kind == RecordKind.EFFECT]
        safe = sent[-1] + 1 if sent else 0
        del self.journal[max(safe, len(self.journal) - lost_records) :]

    def restart(self, *, reads: bool = True) -> None:
        """Begin the next session from the journal; `reads` False as where there is none."""
        self.runs.append(self.journal)
        books = self.folded() if reads else None
        self.journal = []
        self.number += 1
        self.begin(self.number, books)

    def keep(self) -> None:
        """Put the books on record, as a session does each minute."""
        fold = BooksFold("before", (self.instrument,))
        for record in self.journal:
            fold.take(record)
        kept = fold.kept(self.now_ns)
        if kept is not None:
            self.put(kept)

    def folded(self, trouble: str = "") -> BooksCarried | None:
        """Give the books of what the journal has."""
        for run in reversed([*self.runs, self.journal]):
            fold = BooksFold("before", (self.instrument,))
            kept = [n for n, one in enumerate(run) if input_tag(one.payload) == KEPT_TAG]
            for record in run[kept[-1] if kept else 0 :]:
                fold.take(record)
            books = fold.books(self.now_ns, trouble if run else "")
            if books is not None:
                return books
        return None

    def again(self, lost_records: int = 0) -> None:
        """Die and begin anew, and come up."""
        self.crash(lost_records)
        self.restart()
        self.pass_ms(4_000)

    def command(self, command: Command) -> str:
        """Let a person command."""
        self.put(OperatorCommand(command, "ada", "", "BTCUSDT", 0, 0, self.now_ns))
        return self.engine.last_answer

    # --- the engine's side --------------------------------------------------------------------------------

    def submit(
        self, side: Side = Side.BUY, lots: int = 1_000, ticks: int = BEST_BID, *, takes: bool = False
    ) -> str:
        kind = OrderType.LIMIT_IOC if takes else OrderType.POST_ONLY
        # A person's order: the execution policy leaves it alone.
        wanted = intent(
            side=side, qty_lots=lots, price_ticks=ticks, order_type=kind, origin=Origin.MANUAL, permit_id=0
        )
        approved = RiskApproved(wanted, self.store.next_client_order_id(), POLICY)
        self.store.add(approved, self.now_ns)
        effect = SubmitOrder(approved, self.now_ns)
        self._record(RecordKind.EFFECT, effect)
        refused = self.desk.submit(effect, self.now_ns)
        if refused is not None:
            self.put(refused)
        return approved.client_order_id

    def put(self, event: Input) -> None:
        """Hand an input over as the pump does: on record first."""
        self._record(RecordKind.INPUT, event)
        for effect in self.engine.handle(event):
            self.effects.append(effect)
            match effect:
                case CancelOrder():
                    self.desk.cancel(effect.symbol, effect.client_order_id, self.now_ns)
                case TakeHome():
                    self.desk.take_home(self.now_ns)
                case _:
                    pass
        self._take_reports()

    def pass_ms(self, ms: int, step_ms: int = 50) -> None:
        for _ in range(max(1, ms // 50)):
            super().pass_ms(min(ms, 50), step_ms)
            self.put(TimerBeat(self.now_ns))

    def alerts(self, code: str) -> list[Alert]:
        """Give the alerts of a code so far."""
        return [one for one in self.effects if isinstance(one, Alert) and one.code == code]

    def agrees(self) -> bool:
        """Say whether engine and exchange know the same orders and position, over every session."""
        sums = self.exchange.ledger.sums("main", "BTCUSDT")
        lots = self.portfolio.position("BTCUSDT").lots
        return self.live_ids() == self.open_ids() and lots == sums.bought_lots - sums.sold_lots

    def _apply(self, report: Input) -> None:
        self.put(report)

    def _record(self, kind: RecordKind, value: Input | Effect) -> None:
        ts_ns = getattr(value, "ts_ns", self.now_ns)
        payload = msgspec.msgpack.Encoder(order="deterministic").encode(value)
        self.journal.append(Record(kind, len(self.journal) + 1, ts_ns, payload, 0, 0, 0))
