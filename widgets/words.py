"""The words for codes: why not, what happened, what stops the chain; one table each, complete by test.

The engine sends codes and integers (`AlertView`, `DenyReason`, stage names); the sentences are made here and
nowhere else. An unknown code is printed as it stands, in lower case: a newer engine can always be read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from pipeline.core.snapshot import AlertView, InstrumentView
from pipeline.core.types import Authority, Severity, TradingState
from widgets.cells import basis_points, clean, money, price_text, qty_text, rounded, signed
from widgets.times import delay_text

SEVERITY_WORDS: Mapping[int, tuple[str, str]] = {
    Severity.INFO: ("info", "dim"),
    Severity.WARN: ("warn", "warn"),
    Severity.CRITICAL: ("CRIT", "halt"),
}
"""Word and role of an alert's weight."""

PROOF_WORDS: Mapping[str, str] = {
    "GATHERING": "not proven yet",
    "NOT_PROVEN": "not proven",
    "PROVEN": "proven",
    "WORSE": "worse than a constant",
    "BEATEN": "worse than queue imbalance",
    "UNPROVEN": "it is not proven",
    "STOPPED": "no usable answers",
}
"""What is said of a model's skill, and why queue imbalance stands in for it."""

REASON_WORDS: Mapping[str, str] = {
    "GATE_CLOSED": "gate closed",
    "VENUE_DOWN": "order path down",
    "VENUE_LIMIT": "venue's request limit",
    "NO_JOURNAL": "journal not written",
    "KILLED": "killed",
    "UNRECONCILED": "the last session's left-overs are not settled",
    "HALTED": "halted",
    "REDUCE_ONLY": "reducing only",
    "MODE": "no orders in this mode",
    "NO_PERMIT": "no permit",
    "PERMIT_SPENT": "permit used up",
    "NO_LIMITS": "no limits for this symbol",
    "NOT_TRADABLE": "not tradable",
    "CLOCK": "clock is off",
    "FEED_SLOW": "feed is late",
    "MODEL_DISABLED": "model stopped",
    "MODEL_UNPROVEN": "model not proven",
    "SPREAD": "spread too wide",
    "MARKET_JUMP": "market jumped",
    "TOUCH_SIZE": "size at the touch is absurd",
    "MARGIN_RATIO": "margin bound over limit",
    "ORDER_TO_TRADE": "too many orders a trade",
    "SYMBOL_STOPPED": "stopped: market made no sense",
    "COLLAR_TIME": "taken too much in a minute",
    "PARENT_EXCEEDED": "more than its permit",
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

CHAIN_WORDS: Mapping[str, str] = {
    "REDUCING": "reducing only",
    "NO_MODEL": "no model",
    "NOT_READY": "features not ready",
    "NO_WORKER": "no worker runs",
}
"""Words for what else can stop the chain."""

PERMIT_WORDS: Mapping[str, str] = {
    "TIME": "its time is over",
    "ORDERS": "all its orders are sent",
    "LOSS": "its loss is reached",
    "BOOK": "book not ok for too long",
    "MODEL": "another model came",
    "SKILL": "skill gate closed",
    "REJECTS": "too many rejects",
    "AUTHORITY": "authority lowered",
    "HALTED": "halted",
    "KILLED": "killed",
    "PRESENCE": "nobody at a console",
    "OPERATOR": "ended by hand",
    "FLATTEN": "flattened by hand",
    "REPLACED": "a newer permit replaced it",
    "TIME_OVER": "its time is over",
    "OTHER_MODEL": "another model decides",
    "OTHER_SIDE": "the score points the other way",
    "PRICE_ABOVE": "price above its worst price",
    "PRICE_BELOW": "price below its worst price",
    "EDGE_TOO_SMALL": "edge too small",
    "MUST_REST": "it may only rest",
    "NET_FULL": "its net position is reached",
}
"""Words for why a permit waits or ended."""

PRESS_WORDS: Mapping[str, str] = {
    "GONE": "that card is gone",
    "REVISED": "the card changed since it was drawn",
    "NOT_ARMED": "too soon after the card appeared",
    "REPEATED": "key repeated too fast",
    "AUTHORITY": "authority is OBSERVE",
    "HALTED": "halted",
    "UNRECONCILED": "first :adopt or :cancel-earlier what the last session left",
    "BAD_TERMS": "terms beyond the limits",
}
"""Words for why a key on a card did nothing."""

STAGE_WORDS: Mapping[str, str] = {"order": "send"}
"""Stages whose name on screen differs from the one in the snapshot: the clock stops when an order is sent."""


def stage_word(name: str) -> str:
    """Give the word for a stage of the chain; an unknown one as it stands, cleaned."""
    return STAGE_WORDS.get(name) or clean(name, 12)


def proof_words(code: str) -> str:
    """Give the words of what is said of a model's skill; an unknown one as it came."""
    return PROOF_WORDS.get(code, clean(code))


HEALTH_WORDS: Mapping[str, str] = {
    "LOOP_LAG": "the session's loop",
    "CLOCK_SKEW": "the clock",
    "MEMORY_HIGH": "memory",
    "DISK_LOW": "the disk",
    "FILES_HIGH": "open files",
    "LATENCY_HIGH": "the delay of",
    "FEED_SLOW": "the feed of",
    "MODEL_SKILL": "the calls of the model on",
    "JOURNAL_FAILED": "the journal",
}
"""Words for what a health agent watches, by the code it warns with; the rest of the detail follows."""


def health_words(detail: str) -> str:
    """Give the words for what is well again: a code, then a stage or symbol where it has one."""
    code, _, name = detail.partition(" ")
    return " ".join(part for part in (HEALTH_WORDS.get(code) or clean(code), clean(name)) if part)


def reason_words(code: str) -> str:
    """Give the words for a reason code; an unknown one as it stands, cleaned, in lower case."""
    return REASON_WORDS.get(code) or CHAIN_WORDS.get(code) or clean(code).replace("_", " ").lower()


def permit_words(code: str) -> str:
    """Give the words for why a permit waits or ended."""
    return PERMIT_WORDS.get(code) or reason_words(code)


def press_words(code: str) -> str:
    """Give the words for why a key on a card did nothing."""
    return PRESS_WORDS.get(code) or reason_words(code)


class Sentence(NamedTuple):
    """How an alert reads: `full` with all its values, `short` where they are missing.

    `units` says what each value is: `n` plain, `us` shown in ms, `lots` signed, `qty` unsigned lots, `ticks`,
    `money` (1e-8 quote), `bp` (1e-6), `authority`, `state`, or `-` for one that is not shown. `{0}` ... are
    the values, `{detail}` is the alert's detail after `detail_words`.
    """

    short: str
    full: str = ""
    units: tuple[str, ...] = ()
    detail_words: Callable[[str], str] = clean


ALERT_SENTENCES: Mapping[str, Sentence] = {
    "SESSION_STARTED": Sentence("session started, policy {detail}"),
    "BOOK_SYNCED": Sentence("book ok", "book ok; {1} gaps so far", ("-", "n")),
    "BOOK_GAP": Sentence(
        "book GAP: updates are missing, a new snapshot is asked for",
        "book GAP {0}: updates are missing, a new snapshot is asked for",
        ("n",),
    ),
    "BOOK_CROSSED": Sentence("book CROSSED: bid not below ask, nothing is sized from it"),
    "BOOK_STALE": Sentence("book STALE: nothing received, nothing is sized from it"),
    "FRAME_REFUSED": Sentence("a frame was refused: {detail}"),
    "FEED_DOWN": Sentence("feed down: {detail}"),
    "FEED_UP": Sentence("feed up: {detail}"),
    "WORKER_STALLED": Sentence(
        "a worker does not answer; it will be replaced",
        "{0} of {1} workers do not answer; they will be replaced",
        ("n", "n"),
    ),
    "WORKER_DEAD": Sentence(
        "a worker is gone; it will be replaced",
        "{0} of {1} workers are gone; they will be replaced",
        ("n", "n"),
    ),
    "WORKER_REPLACED": Sentence(
        "a worker died; another took over at once",
        "{0} of {1} workers died; others took over at once",
        ("n", "n"),
    ),
    "REPLAY_LAP": Sentence(
        "the replay began again: counters and P&L start at zero",
        "lap {0}: the replay began again, counters and P&L start at zero",
        ("n",),
    ),
    "WORKER_READY": Sentence("every worker runs", "all {1} workers run", ("-", "n")),
    "PREDICTION_LATE": Sentence(
        "a prediction missed its deadline; that decision was skipped",
        "a prediction missed its deadline ({0} ms); that decision was skipped",
        ("us",),
    ),
    "PREDICTION_REFUSED": Sentence("a prediction was refused: {detail}", detail_words=reason_words),
    "LATENCY_HIGH": Sentence("receive to decision is slow", "receive to decision took {0} ms", ("us",)),
    "LATENCY_OK": Sentence(
        "receive to decision is fast again", "receive to decision is at {0} ms again", ("us",)
    ),
    "LOOP_LAG": Sentence("the session's loop lags", "the session's loop lagged {0} ms", ("us",)),
    "CLOCK_SKEW": Sentence(
        "clock differs from the venue's", "clock differs from the venue's by {0} ms", ("us",)
    ),
    "MEMORY_HIGH": Sentence("memory is high", "memory is high: {0} MB", ("n",)),
    "ORDER_DENIED": Sentence(
        "order denied by risk: {detail}", "order of {0} denied by risk: {detail}", ("qty",), reason_words
    ),
    "ORDER_REJECTED": Sentence(
        "order rejected by the venue: {detail}", "#{0} rejected by the venue: {detail}", ("n",), reason_words
    ),
    "ORDER_FILLED": Sentence("order filled", "filled {0} at {1}", ("lots", "ticks")),
    "ORDER_UNKNOWN": Sentence("an order is UNKNOWN until the venue has answered: {detail}"),
    "FILL_DUPLICATE": Sentence("a fill was reported twice and counted once: {detail}"),
    "FILL_FOREIGN": Sentence("a fill of an order that is not ours: {detail}"),
    "PERMIT_OPENED": Sentence("permit opened by {detail}", "permit P{0} opened by {detail}", ("n",)),
    "PERMIT_USED": Sentence("permit used", "permit P{0} used, orders so far: {2}", ("n", "-", "n")),
    "PERMIT_ENDED": Sentence("permit ended: {detail}", "permit P{0} ended: {detail}", ("n",), permit_words),
    "PERMIT_REFUSED": Sentence("key refused: {detail}", detail_words=press_words),
    "AUTHORITY_CHANGED": Sentence(
        "authority changed by {detail}", "authority {0} to {1} by {detail}", ("authority", "authority")
    ),
    "TRADING_STATE_CHANGED": Sentence(
        "trading state changed by {detail}", "trading state {0} to {1} by {detail}", ("state", "state")
    ),
    "GATE_CLOSED": Sentence("gate CLOSED by {detail}: no order leaves"),
    "GATE_OPENED": Sentence("gate open again by {detail}"),
    "LOSS_LIMIT": Sentence(
        "daily loss limit reached", "daily loss {0} reached the limit of {1}", ("money", "money")
    ),
    "CONSOLE_LOST": Sentence("the last console is gone"),
    "UNMANAGED_POSITION": Sentence(
        "position without exit rule", "position without exit rule: {0}", ("lots",)
    ),
    "COMMAND_REFUSED": Sentence("refused: {detail}", detail_words=reason_words),
    "ORDERS_GONE": Sentence("NO ORDERS LEFT at the venue"),
    "ORDERS_LEFT": Sentence(
        "our orders LEFT RESTING by {detail}", "{0} orders of ours LEFT RESTING by {detail}", ("n",)
    ),
    "ACCOUNT_CANCELED": Sentence(
        "{detail} cancels EVERY order of the account",
        "{detail} cancels EVERY order of the account, {0} foreign seen",
        ("n",),
    ),
    "ORDER_PATH_UP": Sentence("order path up: {detail}"),
    "ORDER_PATH_DOWN": Sentence("order path DOWN: {detail}; nothing new leaves"),
    "DISK_LOW": Sentence("the disk is nearly full", "the disk is {0} % full", ("n",)),
    "FILES_HIGH": Sentence("many open files", "{0} % of the open files allowed", ("n",)),
    "FEED_SLOW": Sentence("feed slow: {detail}", "feed slow: {detail} {0} late", ("us",)),
    "HEALTH_OK": Sentence("back in order: {detail}", detail_words=health_words),
    "DAY_CARRIED": Sentence(
        "the day goes on from session {detail}",
        "the day goes on from session {detail}: {0}, at best {1}",
        ("money", "money"),
    ),
    "HEAD_NOT_KEPT": Sentence("the journal's head is kept nowhere else: {detail}"),
    "HEAD_KEPT": Sentence("the journal's head is kept elsewhere again"),
    "JOURNAL_FAILED": Sentence("the journal cannot be written: no new order leaves"),
    "MODEL_SKILL": Sentence(
        "calls of the model: {detail}", "{0} % of the model's calls wrong: {detail}", ("n",)
    ),
    "MODEL_STOPPED": Sentence("model stopped: {detail}; :resume lets it trade again"),
    "MODEL_LOADING": Sentence("model loading: {detail}"),
    "MODEL_SWAPPED": Sentence(
        "model swapped: {detail}", "model swapped, generation {1} to {0}: {detail}", ("n", "n")
    ),
    "MODEL_SHADOWED": Sentence("a shadow model runs: {detail}"),
    "MODEL_KEPT": Sentence("the model stays: {detail}"),
    "SHADOW_NOT_TAKEN": Sentence("the shadow was not taken: {detail}"),
    "MODEL_GATE_CLOSED": Sentence(
        "model {detail}: it may only reduce",
        "model {detail}: skill {0} % ({1} to {2}) over {3} calls; it may only reduce",
        ("share", "share", "share", "n"),
        detail_words=proof_words,
    ),
    "MODEL_GATE_OPENED": Sentence(
        "model proven: entries again",
        "model proven: skill {0} % ({1} to {2}) over {3} calls; entries again",
        ("share", "share", "share", "n"),
    ),
    "MODEL_PROVEN": Sentence(
        "model proven",
        "model proven: skill {0} % ({1} to {2}) over {3} calls",
        ("share", "share", "share", "n"),
    ),
    "MODEL_FALLBACK": Sentence(
        "queue imbalance decides instead of the model: {detail}", detail_words=proof_words
    ),
    "MODEL_RECORD": Sentence(
        "the record of {detail} goes on",
        "the record of {detail} goes on: {0} outcomes, {1} calls, {2} s old",
        ("n", "n", "n"),
    ),
    "MODEL_RECORD_REFUSED": Sentence("a record of another model or schema is not used: {detail}"),
    "ALERT_UNNOTED": Sentence(
        "a critical alert waits to be noted", "critical alert {0} waits for {1} s to be noted", ("n", "n")
    ),
    "SYMBOL_STATUS": Sentence("the venue says of this symbol: {detail}"),
    "INSTRUMENT_DIFFERS": Sentence("{detail}; the venue's is used"),
    "START_DIFFERS": Sentence(
        "not settled from before ({detail}): :adopt or :cancel-earlier",
        "left from {detail}: {0} orders, {1} missed fills, {2} balances off: :adopt or :cancel-earlier",
        ("n", "n", "n"),
    ),
    "START_SETTLED": Sentence("what the last session left is settled; :resume goes on"),
    "MARKET_DATA": Sentence("market makes no sense: {detail}"),
    "SYMBOL_STOPPED": Sentence("model stopped here: the market made no sense too often; :resume ends it"),
    "POSITION_BREAK": Sentence("the account does not hold what our fills add up to: {detail}"),
    "FOREIGN_ORDERS": Sentence(
        "orders of others on this account: left alone",
        "{0} orders of others on this account: left alone",
        ("n",),
    ),
}
"""Words for every `AlertCode`, and what the values of its alert mean, in order."""

_FETCHING = Sentence("book is fetched anew")
"""A book that has not been lost, only begun (`BOOK_GAP` as information)."""


_LEFT_FROM_NOBODY = "left from :"


def alert_words(view: AlertView, instrument: InstrumentView, elsewhere: InstrumentView | None = None) -> str:
    """Make the sentence of an alert, in the scales of its own symbol.

    `elsewhere` are those of a symbol that is not the selected one; without them its values are counts.
    """
    sentence = ALERT_SENTENCES.get(view.code)
    if view.code == "BOOK_GAP" and view.severity is Severity.INFO:
        sentence = _FETCHING
    if sentence is None:
        values = " ".join(str(value) for value in view.values)
        return " ".join(part for part in (reason_words(view.code), clean(view.detail), values) if part)
    own = view.symbol in ("", instrument.symbol)
    scales = instrument if own else elsewhere
    detail = sentence.detail_words(view.detail) if view.detail else ""
    if sentence.units and len(view.values) >= len(sentence.units):
        shown = [
            _value(unit, value, scales) for unit, value in zip(sentence.units, view.values, strict=False)
        ]
        words = sentence.full.format(*shown, detail=detail)
    else:
        words = sentence.short.format(detail=detail)
    if view.code == "START_DIFFERS" and not view.detail:
        words = words.replace(_LEFT_FROM_NOBODY, "not settled, no earlier books:").replace(" ()", "")
    words = words.strip().removesuffix(":").removesuffix(" by").removesuffix(", policy")
    if view.code == "ORDER_DENIED" and scales is not None:
        words += breach_words(view.detail, view.values[1:], scales)
    return words if own else f"{clean(view.symbol)} {words}"


BREACH_UNITS: Mapping[str, str] = {
    "MAX_QTY": "qty",
    "MIN_NOTIONAL": "money",
    "MAX_NOTIONAL": "money",
    "MAX_POSITION": "money",
    "MAX_GROSS": "money",
    "DAILY_LOSS": "money",
    "COLLAR_MID": "bp",
    "COLLAR_LAST": "bp",
    "MAX_OPEN_ORDERS": "n",
    "RATE_NEW": "n",
    "REPEATED_EXECUTION": "n",
}
"""Units of the limit and the value of a denial, where both are numbers a person can compare."""


def breach_words(reason: str, values: tuple[int, ...], instrument: InstrumentView) -> str:
    """Give `, VALUE against a limit of LIMIT` for a denial; empty where it says nothing."""
    unit = BREACH_UNITS.get(reason)
    if unit is None or len(values) < 2:
        return ""
    value, limit = (_value(unit, number, instrument) for number in values[:2])
    return f", {value} against a limit of {limit}"


def _value(unit: str, value: int, instrument: InstrumentView | None) -> str:
    match unit:
        case "lots":
            return qty_text(instrument, value, sign=True) if instrument else f"{value:+d} lots"
        case "qty":
            return qty_text(instrument, value) if instrument else f"{value} lots"
        case "bp":
            return f"{basis_points(value, sign=False)} bp"
        case "ticks":
            return price_text(instrument, value) if instrument else f"tick {value}"
        case "us":
            return delay_text(value)
        case "share":
            return signed(rounded(value, 3), 1)
        case "money":
            return money(value, sign=False)
        case "authority":
            return _name_of(Authority, value)
        case "state":
            return _name_of(TradingState, value)
        case _:
            return str(value)


def _name_of(kind: type[Authority] | type[TradingState], value: int) -> str:
    """Give a level's name, or its number where a newer engine has one we do not know."""
    return next((member.name for member in kind if member == value), str(value))
