"""The rules a rehearsal is judged by (CONTROLS 3, S1-S7), each with a name of its own."""

from __future__ import annotations

import enum


class Rule(enum.StrEnum):
    """What must hold after every step."""

    SENT_WHILE_CLOSED = "S1 an order left while the gate was closed"
    SENT_WHILE_STOPPED = "S1 an order left while the session was HALTED, KILLED or only reducing"
    SENT_WITHOUT_BOOK = "S1 an order was decided without an ok book"
    SENT_IN_DOUBT = "S1 an order left while another on its symbol was in doubt"
    SENT_UNGUARDED = "S1 an order left though the guard had been gone for long"
    EXPOSURE = "S2 the worst case went beyond the limit"
    TOO_LARGE = "S2 an order was larger than one may be"
    SENT_TWICE = "S3 a client order id was sent twice"
    FILLS_DIFFER = "S4 our fills are not the exchange's"
    POSITION_DIFFERS = "S4 our position is not the exchange's"
    ORDERS_DIFFER = "S4 our open orders are not the exchange's"
    FOREIGN_TOUCHED = "S4 an order that is not ours is gone"
    BOOK_DIFFERS = "S5 an ok book is not the exchange's"
    SILENT = "S6 something critical raised no alert within 5 s"
    KILL_LOST = "S7 a kill was taken back by nobody"
    NOT_ZERO = "S7 an order of ours stood or came after NO ORDERS LEFT"
    GUARD_LATE = "S7 a guard that was awake did not act in time"
    NOT_SETTLED = "S7 the session did not come to rest"
    NOT_JOURNALLED = "J an order left before its cause was on record"
    NOT_REPLAYED = "J the journal does not give the orders that left"
    CRASHED = "X the program raised"


class RuleBroken(Exception):
    """A rule does not hold; the text says what was found."""

    def __init__(self, rule: Rule, found: str) -> None:
        super().__init__(f"{rule.value}: {found}")
        self.rule = rule
        self.found = found
