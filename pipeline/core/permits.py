"""The open permits: how they are given, what they let through, and how they end (INTERACTION 1.4).

In APPROVE no model order goes outside a permit; AUTO is a permit that only the limits bound; in OBSERVE
nothing opens. A permit is given by a key and a revision as drawn, only loses room afterwards, and ends by the
first of many causes; an ended one cannot be opened again. Reductions need none. The engine asks `authorise`
for each order, `consume`s when it is sent, and calls `beat` with each timer beat.
"""

from __future__ import annotations

from collections import deque

from pipeline.core.cards import Idea, PressRefusal, exit_rule
from pipeline.core.inputs import WindowTerms
from pipeline.core.params import EntryStyle, ExecutionParams, PermitParams, RiskLimits
from pipeline.core.permit import (
    Grant,
    Permit,
    PermitEnd,
    PermitKind,
    PermitRecord,
    PermitWait,
    refusal,
    room_lots,
)
from pipeline.core.permit_forms import PermitIssue, acceptable, auto_permit, one_shot_permit, window_permit
from pipeline.core.types import Authority, DenyReason, OrderIntent, Origin, TradingState

REMEMBERED = 32
"""Ended permits kept for the screen."""

_NARROWEST_FIRST = tuple(PermitKind)


class PermitBook:
    """All permits of a session; at most one open of each kind on a symbol."""

    def __init__(
        self,
        params: PermitParams,
        execution: ExecutionParams,
        limits: dict[str, RiskLimits],
        policy_hash: str,
        authority: Authority,
    ) -> None:
        """Start with no permit, in trading state ACTIVE."""
        self._params = params
        self._passive = execution.entry is EntryStyle.PASSIVE
        self._exit_rule = exit_rule(execution)
        self._limits = limits
        self._policy_hash = policy_hash
        self._authority = authority
        self._state = TradingState.ACTIVE
        self._open: dict[str, list[PermitRecord]] = {}
        self._ended: deque[PermitRecord] = deque(maxlen=REMEMBERED)
        self._spent_until_ns: dict[str, int] = {}
        self._book_lost_ns: dict[str, int | None] = {}
        self._pressed_ns: int | None = None
        self._next_id = 1
        self.changes = 0
        """Rises with every permit given, used or ended, and with every reason counted against one."""

    def permit_once(
        self,
        idea: Idea | None,
        revision: int,
        who: str,
        position_lots: int,
        now_ns: int,
        shown_since_ns: int = 0,
        drawn_hash: str = "",
    ) -> PermitRecord | PressRefusal:
        """Open a one-shot permit for a card, bound to the revision and content as they were drawn.

        `idea` is what the board finds under the pressed id; `position_lots` is signed, open orders counted as
        filled; `shown_since_ns` is when the card's symbol came up on that screen, where it is known;
        `drawn_hash` is the content hash the screen had, where it says.
        """
        held_down = self._repeated(now_ns)
        if idea is None:
            return PressRefusal.GONE
        if idea.revision != revision or (drawn_hash and drawn_hash != idea.content_hash):
            return PressRefusal.REVISED
        if now_ns - max(idea.revised_ns, shown_since_ns) < self._params.arming_ns:
            return PressRefusal.NOT_ARMED
        if held_down:
            return PressRefusal.REPEATED
        refused = self._may_open(idea.symbol, Authority.APPROVE)
        if refused is not None:
            return refused
        issue = self._issue(idea.symbol, who, idea.model_id, idea.generation, now_ns)
        return self._opened(one_shot_permit(issue, idea, position_lots), 0, now_ns)

    def open_window(
        self,
        symbol: str,
        terms: WindowTerms | None,
        who: str,
        model_id: str,
        generation: int,
        day_quote_e8: int,
        now_ns: int,
    ) -> PermitRecord | PressRefusal:
        """Open a window permit on the terms as drawn; terms beyond the limits are refused, never trimmed.

        `day_quote_e8` is the day's result now; the window's loss counts from it.
        """
        if self._repeated(now_ns):
            return PressRefusal.REPEATED
        refused = self._may_open(symbol, Authority.APPROVE)
        if refused is not None:
            return refused
        if terms is None or not acceptable(terms, self._limits[symbol], self._params.window_max_ns):
            return PressRefusal.BAD_TERMS
        issue = self._issue(symbol, who, model_id, generation, now_ns)
        return self._opened(window_permit(issue, terms), day_quote_e8, now_ns)

    def open_auto(
        self, symbol: str, who: str, model_id: str, generation: int, now_ns: int
    ) -> PermitRecord | PressRefusal:
        """Open the permit of AUTO: both sides, bounded by the limits only."""
        refused = self._may_open(symbol, Authority.AUTO)
        if refused is not None:
            return refused
        issue = self._issue(symbol, who, model_id, generation, now_ns)
        return self._opened(auto_permit(issue, self._limits[symbol]), 0, now_ns)

    def authorise(self, intent: OrderIntent, position_lots: int, now_ns: int) -> Grant | DenyReason:
        """Give leave for an order, of at most the grant's quantity, or the reason against it.

        `position_lots` is signed, other open orders counted as filled. The intent's own `permit_id` is not
        looked at: the narrowest permit that covers the order is granted. Orders that reduce by the exit rule
        or by a person's flatten need none, in every authority.
        """
        if intent.origin is not Origin.MODEL:
            return self._without_permit(intent)
        if self._authority is Authority.OBSERVE:
            return DenyReason.MODE
        for record in self._open.get(intent.symbol, ()):
            reason = refusal(record.permit, intent, position_lots, now_ns)
            if reason is None:
                lots = min(intent.qty_lots, room_lots(record.permit, intent, position_lots))
                return Grant(record.permit.permit_id, lots)
            self._wait(record, reason)
        spent = now_ns < self._spent_until_ns.get(intent.symbol, 0)
        return DenyReason.PERMIT_SPENT if spent else DenyReason.NO_PERMIT

    def covers(self, intent: OrderIntent, position_lots: int, now_ns: int) -> DenyReason | None:
        """Check, last before the send, that an order is inside the very permit it names."""
        if intent.origin is not Origin.MODEL:
            leave = self._without_permit(intent)
            return None if isinstance(leave, Grant) else leave
        record = self.find(intent.permit_id)
        if record is None or self._authority is Authority.OBSERVE:
            return DenyReason.NO_PERMIT
        if record.end is not None:
            return DenyReason.PERMIT_SPENT if record.end is PermitEnd.ORDERS else DenyReason.NO_PERMIT
        permit = record.permit
        if permit.symbol != intent.symbol or refusal(permit, intent, position_lots, now_ns) is not None:
            return DenyReason.NO_PERMIT
        return (
            None if 0 < intent.qty_lots <= room_lots(permit, intent, position_lots) else DenyReason.NO_PERMIT
        )

    def consume(self, permit_id: int, now_ns: int) -> PermitRecord:
        """Take one order off a permit's budget as the order is sent; the last one ends it.

        Raises:
            ValueError: no such permit is open; an order was sent that nobody allowed.

        """
        record = self.find(permit_id)
        if record is None or record.end is not None:
            raise ValueError(f"permit {permit_id} is not open")
        self.changes += 1
        record.used += 1
        record.used_ns = record.used_ns or now_ns
        if record.used == record.permit.max_orders:
            symbol = record.permit.symbol
            self._spent_until_ns[symbol] = max(self._spent_until_ns.get(symbol, 0), record.permit.ends_ns)
            self._end(record, PermitEnd.ORDERS, now_ns)
        return record

    def note(self, symbol: str, reason: DenyReason) -> None:
        """Count what kept the symbol's waiting one-shot from firing: a stopped decision, a risk denial."""
        for record in self._open.get(symbol, ()):
            if record.permit.kind is PermitKind.ONE_SHOT:
                self._wait(record, reason)

    def beat(self, symbol: str, book_ok: bool, day_quote_e8: int, now_ns: int) -> tuple[PermitRecord, ...]:
        """Let time pass on one symbol; give the permits that ended by time, loss or a lost book."""
        if book_ok:
            self._book_lost_ns[symbol] = None
        elif self._book_lost_ns.get(symbol, now_ns) is None:
            self._book_lost_ns[symbol] = now_ns
        ended = []
        for record in list(self._open.get(symbol, ())):
            end = self._due(record, day_quote_e8, now_ns)
            if end is not None:
                ended.append(self._end(record, end, now_ns))
        return tuple(ended)

    def set_authority(self, authority: Authority, now_ns: int) -> tuple[PermitRecord, ...]:
        """Change the authority; a step down ends every permit and gives them."""
        lowered = authority < self._authority
        self._authority = authority
        return self.end_all(PermitEnd.AUTHORITY, now_ns) if lowered else ()

    def set_trading_state(self, state: TradingState, now_ns: int) -> tuple[PermitRecord, ...]:
        """Change the trading state; HALTED and KILLED end every permit and give them."""
        self._state = state
        if state is TradingState.KILLED:
            return self.end_all(PermitEnd.KILLED, now_ns)
        return self.end_all(PermitEnd.HALTED, now_ns) if state is TradingState.HALTED else ()

    def set_model(self, model_id: str, generation: int, now_ns: int) -> tuple[PermitRecord, ...]:
        """End the permits given for another model or generation and give them."""
        others = [
            record
            for record in self.open_permits()
            if (record.permit.model_id, record.permit.generation) != (model_id, generation)
        ]
        return tuple(self._end(record, PermitEnd.MODEL, now_ns) for record in others)

    def end_all(self, end: PermitEnd, now_ns: int, symbol: str | None = None) -> tuple[PermitRecord, ...]:
        """End every open permit, or those of one symbol, and give them."""
        records = self.open_permits() if symbol is None else tuple(self._open.get(symbol, ()))
        return tuple(self._end(record, end, now_ns) for record in records)

    def end_given(self, end: PermitEnd, now_ns: int, symbol: str) -> tuple[PermitRecord, ...]:
        """End a symbol's one-shots and windows and give them; AUTO's permit stays."""
        records = tuple(self._open.get(symbol, ()))
        return tuple(self._end(one, end, now_ns) for one in records if one.permit.kind is not PermitKind.AUTO)

    def withdraw(self, permit_id: int, now_ns: int) -> PermitRecord | None:
        """End one permit by a person's key; None when it is not open any more."""
        record = self.find(permit_id)
        if record is None or record.end is not None:
            return None
        return self._end(record, PermitEnd.OPERATOR, now_ns)

    def find(self, permit_id: int) -> PermitRecord | None:
        """Give an open or remembered permit."""
        records = (*self.open_permits(), *self._ended)
        return next((record for record in records if record.permit.permit_id == permit_id), None)

    def open_permits(self) -> tuple[PermitRecord, ...]:
        """Give all open permits, by symbol, the narrowest kind first."""
        return tuple(record for records in self._open.values() for record in records)

    def ended_permits(self) -> tuple[PermitRecord, ...]:
        """Give the newest ended permits, newest first."""
        return tuple(reversed(self._ended))

    def waits_on(self, symbol: str) -> bool:
        """Tell whether a one-shot waits on a symbol: no new card is offered there."""
        return any(record.permit.kind is PermitKind.ONE_SHOT for record in self._open.get(symbol, ()))

    def _wait(self, record: PermitRecord, reason: PermitWait | DenyReason) -> None:
        self.changes += 1
        record.wait(reason)

    def _repeated(self, now_ns: int) -> bool:
        """Tell whether the key is held down; refused presses count, or a held key gets through at last."""
        last_ns, self._pressed_ns = self._pressed_ns, now_ns
        return last_ns is not None and now_ns - last_ns < self._params.repeat_ns

    def _may_open(self, symbol: str, least: Authority) -> PressRefusal | None:
        if self._authority < least:
            return PressRefusal.AUTHORITY
        if self._state is not TradingState.ACTIVE:
            return PressRefusal.HALTED
        return None if symbol in self._limits else PressRefusal.BAD_TERMS

    def _issue(self, symbol: str, who: str, model_id: str, generation: int, now_ns: int) -> PermitIssue:
        return PermitIssue(
            permit_id=self._next_id,
            who=who,
            symbol=symbol,
            model_id=model_id,
            generation=generation,
            policy_hash=self._policy_hash,
            passive=self._passive,
            exit_rule=self._exit_rule,
            now_ns=now_ns,
        )

    def _without_permit(self, intent: OrderIntent) -> Grant | DenyReason:
        """Reductions always; a person's own order where that person may trade; nothing else."""
        if intent.reduce_only:
            return Grant(0, intent.qty_lots)
        if intent.origin is not Origin.MANUAL:
            return DenyReason.NO_PERMIT
        return DenyReason.MODE if self._authority is Authority.OBSERVE else Grant(0, intent.qty_lots)

    def _opened(self, permit: Permit, day_quote_e8: int, now_ns: int) -> PermitRecord:
        """Open a permit in place of an older one of its kind on the symbol."""
        self._next_id += 1
        self.changes += 1
        for record in list(self._open.get(permit.symbol, ())):
            if record.permit.kind is permit.kind:
                self._end(record, PermitEnd.REPLACED, now_ns)
        record = PermitRecord(permit, day_quote_e8)
        records = self._open.setdefault(permit.symbol, [])
        records.append(record)
        records.sort(key=lambda open_record: _NARROWEST_FIRST.index(open_record.permit.kind))
        return record

    def _due(self, record: PermitRecord, day_quote_e8: int, now_ns: int) -> PermitEnd | None:
        """Give why a permit is over by now.

        A one-shot outlives a lost book and lapses by its own time. A book that never was ok is not lost: AUTO
        may be given before the first snapshot.
        """
        permit = record.permit
        if permit.ends_ns and now_ns >= permit.ends_ns:
            return PermitEnd.TIME
        if permit.max_loss_quote_e8 and record.day_quote_e8 - day_quote_e8 >= permit.max_loss_quote_e8:
            return PermitEnd.LOSS
        lost_ns = self._book_lost_ns.get(permit.symbol)
        if lost_ns is None or permit.kind is PermitKind.ONE_SHOT:
            return None
        return PermitEnd.BOOK if now_ns - lost_ns >= self._params.book_lost_ns else None

    def _end(self, record: PermitRecord, end: PermitEnd, now_ns: int) -> PermitRecord:
        self.changes += 1
        record.end, record.ended_ns = end, now_ns
        self._open[record.permit.symbol].remove(record)
        self._ended.append(record)
        return record
