"""The words for codes: why not, what happened, what stops the chain; one table each, complete by test.

The engine sends codes and integers (`AlertView`, `DenyReason`, stage names); the sentences are made here and
nowhere else. An unknown code is printed as it stands, in lower case: a newer engine can always be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pipeline.core.snapshot import AlertView, InstrumentView
from pipeline.core.types import Severity
from widgets.cells import (
    age_text,
    basis_points,
    clean,
    delay_text,
    money,
    percent,
    price_text,
    qty_text,
)

SEVERITY_WORDS: Mapping[int, tuple[str, str]] = {
    Severity.INFO: ("info", "dim"),
    Severity.WARN: ("warn", "warn"),
    Severity.CRITICAL: ("CRIT", "halt"),
}
"""Word and role of an alert's weight."""

REASON_WORDS: Mapping[str, str] = {
    "GATE_CLOSED": "gate closed",
    "KILLED": "killed",
    "HALTED": "halted",
    "REDUCE_ONLY": "reducing only",
    "MODE": "no orders in this mode",
    "NO_PERMIT": "no permit",
    "PERMIT_SPENT": "permit used up",
    "NO_LIMITS": "no limits for this symbol",
    "NOT_TRADABLE": "not tradable",
    "BOOK_NOT_OK": "book not ok",
    "MAX_OPEN_ORDERS": "too many open orders",
    "NOT_A_NUMBER": "not a number",
    "OFF_GRID": "price or size off the grid",
    "MAX_QTY": "quantity over limit",
    "MIN_NOTIONAL": "below least order value",
    "MAX_NOTIONAL": "order value over limit",
    "COLLAR_MID": "too far from mid",
    "COLLAR_LAST": "too far from last trade",
    "NO_REFERENCE_PRICE": "no reference price",
    "MAX_POSITION": "position over limit",
    "MAX_GROSS": "gross over limit",
    "NO_BALANCE": "balance too small",
    "RATE_NEW": "order rate",
    "REPEATED_EXECUTION": "repeated execution",
    "DUPLICATE": "duplicate order",
    "SELF_MATCH": "would meet own order",
    "EDGE_BELOW_COST": "edge < cost",
    "BELOW_LOT": "below one lot",
    "SCORE_BELOW_ENTRY": "score below entry",
    "STALE_PREDICTION": "prediction too old",
    "DAILY_LOSS": "daily loss",
    "AT_TARGET": "position at target",
    "EXIT_FIRST": "exit first",
}
"""Words for every `DenyReason`, as WHY, permits and the chain print them."""

STAGE_WORDS: Mapping[str, str] = {"order": "ack"}
"""Stages whose name on screen differs from the one in the snapshot."""


def reason_words(code: str) -> str:
    """Give the words for a reason code; an unknown one as it stands, cleaned, in lower case."""
    return REASON_WORDS.get(code) or clean(code).replace("_", " ").lower()


class Sentence(NamedTuple):
    """How an alert reads: `full` with all its values, `short` where they are missing.

    `units` says what each value is: `n` plain, `ms`, `us`, `lots`, `ticks`, `share` (1e-6), `bp` (1e-6),
    `money` (1e-8 quote). `{0}` ... are the values, `{detail}` the alert's detail.
    """

    short: str
    full: str = ""
    units: tuple[str, ...] = ()


ALERT_SENTENCES: Mapping[str, Sentence] = {
    "SESSION_STARTED": Sentence("session started {detail}"),
    "BOOK_SYNCED": Sentence("book ok again", "book ok again after {0}", ("ms",)),
    "BOOK_GAP": Sentence(
        "book GAP: updates are missing, a new snapshot is asked for",
        "book GAP: {0} updates missing, a new snapshot is asked for",
        ("n",),
    ),
    "BOOK_CROSSED": Sentence(
        "book CROSSED: bid above ask", "book CROSSED: bid {0} above ask {1}", ("ticks", "ticks")
    ),
    "BOOK_STALE": Sentence("book STALE: nothing received", "book STALE: nothing received for {0}", ("ms",)),
    "FRAME_REFUSED": Sentence("a frame was refused: {detail}", "frames refused, now {0}: {detail}", ("n",)),
    "FEED_DOWN": Sentence("feed down: {detail}"),
    "FEED_UP": Sentence("feed up: {detail}"),
    "WORKER_STALLED": Sentence(
        "worker {detail} does not answer; it will be replaced",
        "worker {0} silent for {1}; it will be replaced",
        ("n", "ms"),
    ),
    "WORKER_DEAD": Sentence(
        "worker {detail} died; it will be replaced", "worker {0} died; it will be replaced", ("n",)
    ),
    "WORKER_READY": Sentence("worker {detail} ready", "worker {0} ready", ("n",)),
    "PREDICTION_LATE": Sentence(
        "a prediction missed its deadline; that decision was skipped",
        "a prediction missed its deadline ({0}); that decision was skipped",
        ("ms",),
    ),
    "PREDICTION_REFUSED": Sentence("a prediction was refused: {detail}"),
    "LATENCY_HIGH": Sentence(
        "receive to decision is slow", "receive to decision took {0} ms, limit {1} ms", ("us", "us")
    ),
    "LATENCY_OK": Sentence("receive to decision is inside its limit again"),
    "LOOP_LAG": Sentence("the session's loop lags", "the session's loop lagged {0} ms", ("us",)),
    "CLOCK_SKEW": Sentence(
        "clock differs from the venue's", "clock differs from the venue's by {0}", ("ms",)
    ),
    "MEMORY_HIGH": Sentence("memory is high", "memory is high: {0} MB of {1} MB", ("n", "n")),
    "ORDER_DENIED": Sentence(
        "order denied by risk: {detail}", "order denied by risk: {detail}, {1} of {0}", ("n", "n")
    ),
    "ORDER_REJECTED": Sentence(
        "order rejected by the venue: {detail}", "#{0} rejected by the venue: {detail}", ("n",)
    ),
    "ORDER_FILLED": Sentence("order filled", "#{0} filled {1} at {2}", ("n", "lots", "ticks")),
    "ORDER_UNKNOWN": Sentence("an order's state is UNKNOWN", "#{0} UNKNOWN: asking the venue", ("n",)),
    "FILL_DUPLICATE": Sentence("a fill was reported twice and counted once: {detail}"),
    "FILL_FOREIGN": Sentence("a fill of an order that is not ours: {detail}"),
    "PERMIT_OPENED": Sentence("permit opened by {detail}", "permit P{0} opened by {detail}", ("n",)),
    "PERMIT_USED": Sentence("permit used", "permit P{0} used", ("n",)),
    "PERMIT_ENDED": Sentence("permit ended: {detail}", "permit P{0} ended: {detail}", ("n",)),
    "PERMIT_REFUSED": Sentence("permit refused: {detail}"),
    "AUTHORITY_CHANGED": Sentence("authority is now {detail}"),
    "TRADING_STATE_CHANGED": Sentence("trading state is now {detail}"),
    "GATE_CLOSED": Sentence("gate CLOSED by {detail}: no order leaves"),
    "GATE_OPENED": Sentence("gate open"),
    "LOSS_LIMIT": Sentence("daily loss limit reached", "daily loss {0} of {1}", ("money", "money")),
    "CONSOLE_LOST": Sentence("a console was lost {detail}"),
    "UNMANAGED_POSITION": Sentence(
        "position without exit rule", "position without exit rule: {0}", ("lots",)
    ),
    "COMMAND_REFUSED": Sentence("refused: {detail}"),
    "ORDERS_GONE": Sentence("NO ORDERS LEFT at the venue"),
}
"""Words for every `AlertCode`, and what the values of its alert mean, in order."""

_CODES_IN_DETAIL = ("ORDER_DENIED", "PERMIT_ENDED", "PERMIT_REFUSED", "COMMAND_REFUSED")
"""Alerts whose detail is a reason code, printed with its words."""


def alert_words(view: AlertView, instrument: InstrumentView) -> str:
    """Make the sentence of an alert; the selected instrument's scales, raw counts elsewhere."""
    sentence = ALERT_SENTENCES.get(view.code)
    detail = reason_words(view.detail) if view.code in _CODES_IN_DETAIL else clean(view.detail)
    if sentence is None:
        values = " ".join(str(value) for value in view.values)
        return " ".join(part for part in (reason_words(view.code), detail, values) if part)
    own = view.symbol in ("", instrument.symbol)
    if sentence.units and len(view.values) >= len(sentence.units):
        shown = [
            _value(unit, value, instrument if own else None)
            for unit, value in zip(sentence.units, view.values, strict=False)
        ]
        words = sentence.full.format(*shown, detail=detail)
    else:
        words = sentence.short.format(detail=detail)
    words = words.strip().removesuffix(":").removesuffix(" by")
    return words if own else f"{clean(view.symbol)} {words}"


_UNITS: Mapping[str, Callable[[int], str]] = {
    "n": str,
    "ms": age_text,
    "us": delay_text,
    "share": percent,
    "bp": basis_points,
    "money": money,
}


def _value(unit: str, value: int, instrument: InstrumentView | None) -> str:
    if unit == "lots":
        return qty_text(instrument, value, sign=True) if instrument else f"{value:+d} lots"
    if unit == "ticks":
        return price_text(instrument, value) if instrument else f"tick {value}"
    return _UNITS[unit](value)
