"""What a permit says, and what one order may take from it: values and pure checks (INTERACTION 1.4).

A permit names the machine's whole room: what, how much, at what worst price, until when, and for which
model. `permits.py` keeps the open ones and ends them; nothing here or there ever widens a permit.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from pipeline.core.cards import ExitRule
from pipeline.core.types import DenyReason, OrderIntent, OrderType, Side

NO_COUNT = 0
"""Value of `max_orders`, `max_net_lots`, `max_loss_quote_e8` and `ends_ns` where only the limits bound."""

HIGHEST_TICKS = 2**62
"""Upper price bound of a permit that only bounds prices from below."""


class PermitKind(enum.StrEnum):
    """How much one permit covers; orders are offered to the narrowest kind first."""

    ONE_SHOT = "one-shot"
    WINDOW = "window"
    AUTO = "auto"


class PermitStatus(enum.StrEnum):
    """Where a permit stands, as the screen prints it."""

    WAITING = "waiting"
    OPEN = "open"
    USED = "used"
    ENDED = "ended"


class PermitEnd(enum.StrEnum):
    """Why a permit is over; there is no way back."""

    TIME = "TIME"
    ORDERS = "ORDERS"
    LOSS = "LOSS"
    BOOK = "BOOK"
    MODEL = "MODEL"
    SKILL = "SKILL"
    REJECTS = "REJECTS"
    AUTHORITY = "AUTHORITY"
    HALTED = "HALTED"
    KILLED = "KILLED"
    PRESENCE = "PRESENCE"
    OPERATOR = "OPERATOR"
    FLATTEN = "FLATTEN"
    REPLACED = "REPLACED"


class PermitWait(enum.StrEnum):
    """Why an open permit did not cover an order that was wanted."""

    TIME_OVER = "TIME_OVER"
    OTHER_MODEL = "OTHER_MODEL"
    OTHER_SIDE = "OTHER_SIDE"
    PRICE_ABOVE = "PRICE_ABOVE"
    PRICE_BELOW = "PRICE_BELOW"
    EDGE_TOO_SMALL = "EDGE_TOO_SMALL"
    MUST_REST = "MUST_REST"
    NET_FULL = "NET_FULL"


@dataclass(frozen=True, slots=True)
class Permit:
    """What one person allowed; prices inclusive, times from `starts_ns` up to but not at `ends_ns`."""

    permit_id: int
    kind: PermitKind
    idea_id: int
    """The card it was given on; 0 for windows and AUTO."""
    who: str
    symbol: str
    sides: tuple[Side, ...]
    """Sides that may open, at least one."""
    max_order_lots: int
    max_orders: int
    max_net_lots: int
    """Largest position either way, open orders counted as filled."""
    lowest_ticks: int
    highest_ticks: int
    min_net_edge_e6: int
    passive: bool
    """True: orders must rest; False: they may also take."""
    max_loss_quote_e8: int
    exit_rule: ExitRule
    model_id: str
    generation: int
    policy_hash: str
    drawn_hash: str
    """Hash of the card or the terms as they were drawn when the key was pressed."""
    starts_ns: int
    ends_ns: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave for one order, of at most `qty_lots`; `permit_id` is 0 where no permit is needed."""

    permit_id: int
    qty_lots: int


@dataclass(slots=True)
class PermitRecord:
    """A permit and what became of it so far."""

    permit: Permit
    day_quote_e8: int
    """The day's result when it was opened; its loss counts from here."""
    used: int = 0
    used_ns: int = 0
    """When its first order was sent; 0 before."""
    end: PermitEnd | None = None
    ended_ns: int = 0
    waits: dict[str, int] = field(default_factory=dict)
    """How often each reason kept it from being used; bounded by the number of reasons."""

    @property
    def status(self) -> PermitStatus:
        """Give where it stands."""
        one_shot = self.permit.kind is PermitKind.ONE_SHOT
        if one_shot and self.used:
            return PermitStatus.USED
        if self.end is not None:
            return PermitStatus.ENDED
        return PermitStatus.WAITING if one_shot else PermitStatus.OPEN

    @property
    def lapsed(self) -> bool:
        """Tell whether its time ran out before any order went."""
        return self.end is PermitEnd.TIME and self.used == 0

    @property
    def why(self) -> str:
        """Give the reason code of the wait or the end; a lapse is explained by what it waited for most."""
        if self.end is not None and not (self.lapsed and self.waits):
            return self.end.value
        return max(self.waits, key=lambda reason: self.waits[reason]) if self.waits else ""

    @property
    def always(self) -> bool:
        """Tell whether one reason held it up the whole time."""
        return len(self.waits) == 1

    def wait(self, reason: PermitWait | DenyReason) -> None:
        """Count one reason against its use."""
        self.waits[reason.value] = self.waits.get(reason.value, 0) + 1


def refusal(permit: Permit, intent: OrderIntent, position_lots: int, now_ns: int) -> PermitWait | None:
    """Give why a permit does not cover an order at all; None when `room_lots` of it may go.

    Its budget is not looked at: a record whose budget is used is not open any more.
    """
    if now_ns < permit.starts_ns or (permit.ends_ns and now_ns >= permit.ends_ns):
        return PermitWait.TIME_OVER
    if intent.generation != permit.generation or intent.model_id != permit.model_id:
        return PermitWait.OTHER_MODEL
    if intent.side not in permit.sides:
        return PermitWait.OTHER_SIDE
    if intent.price_ticks > permit.highest_ticks:
        return PermitWait.PRICE_ABOVE
    if intent.price_ticks < permit.lowest_ticks:
        return PermitWait.PRICE_BELOW
    if intent.edge_e6 < permit.min_net_edge_e6:
        return PermitWait.EDGE_TOO_SMALL
    if permit.passive and intent.order_type is not OrderType.POST_ONLY:
        return PermitWait.MUST_REST
    return PermitWait.NET_FULL if room_lots(permit, intent, position_lots) <= 0 else None


def room_lots(permit: Permit, intent: OrderIntent, position_lots: int) -> int:
    """Give the largest quantity one order may have now; may be 0 or less."""
    if permit.max_net_lots == NO_COUNT:
        return permit.max_order_lots
    return min(permit.max_order_lots, permit.max_net_lots - intent.side * position_lots)
