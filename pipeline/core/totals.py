"""The counters of a session as its summary prints them."""

from __future__ import annotations

from typing import Any

from pipeline.core.cards import CardEnd
from pipeline.core.model_book import short_name
from pipeline.core.model_monitor import ModelMonitor
from pipeline.core.start_view import start_summary
from pipeline.core.state import EngineState
from pipeline.core.types import E6, scaled_text


def counts(state: EngineState) -> dict[str, Any]:
    """Give every counter of the summary, by its name there."""
    books = [desk.synced for desk in state.desks.values()]
    inference, orders, counters = state.inference, state.orders.counts, state.counters
    return {
        "updates": sum(book.updates for book in books),
        "trades": counters.trades,
        "gaps": sum(book.gaps for book in books),
        "resyncs": sum(book.resyncs for book in books),
        "crossed": sum(book.crossed for book in books),
        "ignored": sum(book.ignored for book in books) + counters.ignored_frames,
        "wire_errors": counters.wire_errors,
        "bookticker": {
            "shared": sum(book.check.shared for book in books),
            "equal": sum(book.check.equal for book in books),
        },
        "features": counters.features,
        "predictions": counters.predictions,
        "stale_predictions": inference.stale + inference.late,
        "conflated": inference.conflated,
        "wrong_generation": inference.wrong_generation,
        "decisions": counters.decisions,
        "signals": counters.signals,
        "ideas": counters.ideas,
        "permits": counters.permits,
        "orders": orders.sent - orders.refused_by_gate,
        "fills": orders.fills,
        "denied": _denied(state),
        "alerts": state.alerts.raised,
        "open_orders": state.orders.open_orders,
        "start": start_summary(state),
        "model": _model(state),
        "skill": _skills(state),
        "fates": _fates(state),
        "trading_state": state.trading_state.name,
        "authority": state.authority.name,
    }


def _model(state: EngineState) -> dict[str, Any]:
    """Give which models run, how often the live one was swapped, and what became of the shadows' rows."""
    book, shadows = state.models, state.shadows.counts
    live = book.live
    return {
        "name": live.name if live is not None else "",
        "model_id": live.model_id if live is not None else "",
        "generation": live.generation if live is not None else 0,
        "previous": short_name(book.previous) if book.previous is not None else "",
        "loading": short_name(book.pending.model) if book.pending is not None else "",
        "last": book.last_words,
        "swaps": book.swaps,
        "abandoned": book.abandoned,
        "shadows": [short_name(model) for model in book.shadows],
        "shadow_rows": shadows.asked,
        "shadow_predictions": shadows.answered,
        "shadow_wrong": shadows.wrong,
    }


def _skills(state: EngineState) -> dict[str, dict[str, Any]]:
    """Give what the live model was worth on each symbol; null where too few calls came of age."""
    return {
        symbol: _skill(desk.watch.live, desk.watch.source.value)
        for symbol, desk in state.desks.items()
        if desk.watch.live is not None
    }


def _skill(live: ModelMonitor, source: str) -> dict[str, Any]:
    summary = live.sum_up()
    constant, imbalance = summary.over_constant[0], summary.over_imbalance[0]
    calls, reliability = summary.reliability.calls, summary.reliability
    return {
        "source": source,
        "proof": summary.over_constant_proof.value,
        "calls": summary.calls,
        "outcomes": summary.rows,
        "over_constant_e6": constant.skill_e6 if constant.known else None,
        "over_constant_low_e6": constant.low_e6 if constant.known else None,
        "over_constant_high_e6": constant.high_e6 if constant.known else None,
        "over_imbalance_e6": imbalance.skill_e6 if imbalance.known else None,
        "over_imbalance_low_e6": imbalance.low_e6 if imbalance.known else None,
        "over_imbalance_high_e6": imbalance.high_e6 if imbalance.known else None,
        "brier_e6": reliability.brier_e6 if calls else None,
        "ece_e6": reliability.ece_e6 if calls else None,
        "temperature_e6": round(E6 / live.temperature.value),
        "unanswered": live.unanswered,
        "void": live.void,
    }


def _fates(state: EngineState) -> dict[str, dict[str, int]]:
    """Give what ideas of all symbols came to, by what became of them."""
    found: dict[str, dict[str, int]] = {}
    for end in CardEnd:
        counts = [desk.watch.ideas.by_fate[end] for desk in state.desks.values()]
        ideas, moves_e9 = sum(one.ideas for one in counts), sum(one.move_e9 for one in counts)
        mean_e6 = moves_e9 // (1_000 * ideas) if ideas else 0
        found[end.value] = {"ideas": ideas, "hits": sum(one.hits for one in counts), "move_e6": mean_e6}
    return found


def positions(state: EngineState) -> dict[str, dict[str, str]]:
    """Give each symbol's position and profit as exact decimal text."""
    result = {}
    for symbol, desk in state.desks.items():
        position = state.portfolio.position(symbol)
        result[symbol] = {
            "qty": desk.instrument.qty_text(position.lots),
            "avg_price": scaled_text(position.avg_price_e8, 8),
            "closed": scaled_text(position.closed_quote_e8, 8),
            "open": scaled_text(position.open_quote_e8, 8),
            "fees": scaled_text(position.fees_quote_e8, 8),
        }
    return result


def _denied(state: EngineState) -> dict[str, int]:
    """Give what stopped decisions and orders, over all symbols."""
    stopped: dict[str, int] = {}
    for desk in state.desks.values():
        for reason, count in desk.funnel.session().stopped:
            stopped[reason.value] = stopped.get(reason.value, 0) + count
    return stopped
