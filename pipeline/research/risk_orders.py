"""Who authorised which order and what stood there then: rows of the page for risk, each with an anchor."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.evidence import Seen
from pipeline.core.permit import HIGHEST_TICKS
from pipeline.core.session_facts import CommandFact, OrderFact, PermitFact, SessionFacts
from pipeline.core.types import Instrument
from pipeline.research.report_parts import moment, money, span_ms
from pipeline.research.risk_limits import figure

MOST_ROWS = 5_000
"""Rows of one table; a page stays one a browser opens."""

ACT_HEADS = (
    *("act", "time", "who", "terminal", "peer", "what", "key", "on", "picture", "card as drawn"),
    *("answer", "then"),
)
PERMIT_HEADS = ("permit", "kind", "who", "act", "card", "opened", "terms", "model", "orders", "end", "ended")
ORDER_HEADS = (
    *("order", "sent", "side", "quantity", "price", "type", "origin", "permit", "card", "score", "edge bp"),
    *("row", "asked", "worker", "book", "bid / ask", "state", "filled", "fee", "heard after ms", "why"),
    *("checks passed: value of limit",),
)


def act_cells(facts: SessionFacts) -> Iterator[tuple[str, ...]]:
    """Give a row for each command, in order of time."""
    for one in facts.commands[:MOST_ROWS]:
        yield _act(one, facts.started_ns)


def permit_cells(facts: SessionFacts, instruments: dict[str, Instrument]) -> Iterator[tuple[str, ...]]:
    """Give a row for each permit."""
    for one in facts.permits[:MOST_ROWS]:
        yield _permit(one, instruments[one.permit.symbol])


def order_cells(facts: SessionFacts, instruments: dict[str, Instrument]) -> Iterator[tuple[str, ...]]:
    """Give a row for each order that was sent."""
    for one in facts.orders[:MOST_ROWS]:
        yield _order(one, instruments[one.intent.symbol])


def _act(one: CommandFact, started_ns: int) -> tuple[str, ...]:
    command = one.command
    target = command.client_order_id or (
        f"{command.target_id}.{command.revision}" if command.target_id else ""
    )
    on = " ".join(part for part in (command.symbol, target) if part)
    seen = command.seen or Seen()
    return (
        str(one.place),
        moment(command.ts_ns),
        command.who,
        command.tty or "–",
        _peer(seen),
        command.command.value,
        seen.key or "–",
        on,
        _picture(command.drawn_seq, seen, started_ns),
        seen.card_hash or "–",
        one.answer,
        f"{one.authority.name} {one.trading_state.name}",
    )


def _peer(seen: Seen) -> str:
    if seen.uid < 0:
        return "–"
    return f"uid {seen.uid} pid {seen.pid}" + ("" if seen.controls else " watching")


def _picture(number: int, seen: Seen, started_ns: int) -> str:
    """Say which picture stood on that screen, and how far into the session: a replay to there redraws it."""
    if not seen.picture_ns:
        return str(number) if number else "–"
    ages = f"{seen.drawn_ms} ms on screen, numbers {seen.numbers_ms} ms old"
    lag = f", display {seen.display_ms} ms" if seen.display_ms >= 0 else ""
    into_s = (seen.picture_ns - started_ns) / 1e9
    return f"{number} of {moment(seen.picture_ns)} ({into_s:+.2f} s) {seen.symbol}, {ages}{lag}"


def _permit(one: PermitFact, instrument: Instrument) -> tuple[str, ...]:
    permit = one.permit
    return (
        str(permit.permit_id),
        f"{permit.kind.value} {permit.symbol}",
        permit.who,
        f"#act:{one.opened_by}" if one.opened_by else "–",
        f"{permit.idea_id} {permit.drawn_hash}".strip() if permit.idea_id else permit.drawn_hash,
        moment(permit.starts_ns),
        _terms(one, instrument),
        f"{permit.model_id[:12]} generation {permit.generation}",
        f"{one.used}" + (f" of {permit.max_orders}" if permit.max_orders else ""),
        one.end or "open",
        moment(one.ended_ns),
    )


def _terms(one: PermitFact, instrument: Instrument) -> str:
    permit = one.permit
    sides = "/".join(side.name for side in permit.sides)
    parts = [f"{sides} ≤ {instrument.qty_text(permit.max_order_lots)}"]
    if permit.max_net_lots:
        parts.append(f"net ± {instrument.qty_text(permit.max_net_lots)}")
    if permit.lowest_ticks > 0:
        parts.append(f"from {instrument.price_text(permit.lowest_ticks)}")
    if permit.highest_ticks < HIGHEST_TICKS:
        parts.append(f"to {instrument.price_text(permit.highest_ticks)}")
    if permit.max_loss_quote_e8:
        parts.append(f"loss {money(permit.max_loss_quote_e8)}")
    if permit.ends_ns:
        parts.append(f"until {moment(permit.ends_ns)}")
    return ", ".join(parts)


def _order(one: OrderFact, instrument: Instrument) -> tuple[str, ...]:
    intent = one.intent
    best = f"{instrument.price_text(one.bid_ticks)} / {instrument.price_text(one.ask_ticks)}"
    return (
        str(one.number),
        moment(one.sent_ns),
        f"{intent.side.name} {intent.symbol}",
        instrument.qty_text(intent.qty_lots),
        instrument.price_text(intent.price_ticks),
        intent.order_type.value + (" reduce-only" if intent.reduce_only else ""),
        intent.origin.value,
        f"#permit:{intent.permit_id}" if intent.permit_id else "–",
        str(intent.idea_id or "–"),
        f"{intent.score_e6 / 1e6:+.3f}",
        f"{intent.edge_e6 / 100:+.2f}",
        str(intent.feature_seq or "–"),
        moment(one.row_ns),
        str(one.worker_id) if one.worker_id >= 0 else "–",
        str(one.update_id or "–"),
        best if one.bid_ticks else "–",
        one.state.value,
        instrument.qty_text(one.filled_lots),
        money(one.fee_quote_e8),
        span_ms(one.sent_ns, one.answered_ns),
        one.reason,
        ", ".join(
            f"{check.code.value} {figure(check.code, check.value, instrument)} of "
            f"{figure(check.code, check.limit, instrument)}"
            for check in one.checks
        ),
    )
