"""How a permit is written out from what a person saw: a card, the panel's terms, or the limits alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from pipeline.core.cards import ExitRule, Idea
from pipeline.core.inputs import WindowTerms
from pipeline.core.params import RiskLimits
from pipeline.core.permit import HIGHEST_TICKS, NO_COUNT, Permit, PermitKind
from pipeline.core.types import Side


@dataclass(frozen=True, slots=True)
class PermitIssue:
    """What every new permit carries, whatever it allows."""

    permit_id: int
    who: str
    symbol: str
    model_id: str
    generation: int
    policy_hash: str
    passive: bool
    exit_rule: ExitRule
    now_ns: int


def one_shot_permit(issue: PermitIssue, idea: Idea, position_lots: int) -> Permit:
    """Allow one order of the card: its side and quantity, at its worst price or better, for its life.

    `position_lots` is signed, open orders counted as filled; the position may not grow past it by more.
    """
    buys = idea.side is Side.BUY
    return _permit(
        issue,
        kind=PermitKind.ONE_SHOT,
        sides=(idea.side,),
        max_order_lots=idea.qty_lots,
        drawn_hash=idea.content_hash,
        idea_id=idea.idea_id,
        max_orders=1,
        max_net_lots=max(idea.qty_lots, idea.side * position_lots + idea.qty_lots),
        lowest_ticks=1 if buys else idea.worst_ticks,
        highest_ticks=idea.worst_ticks if buys else HIGHEST_TICKS,
        life_ns=idea.life_ns,
    )


def window_permit(issue: PermitIssue, terms: WindowTerms) -> Permit:
    """Allow what the window panel showed, for its duration; the terms must be `acceptable`."""
    return _permit(
        issue,
        kind=PermitKind.WINDOW,
        sides=terms.sides,
        max_order_lots=terms.max_order_lots,
        drawn_hash=hashlib.sha256(msgspec.msgpack.encode(terms)).hexdigest()[:16],
        max_orders=terms.max_orders,
        max_net_lots=terms.max_net_lots,
        lowest_ticks=terms.lowest_ticks,
        highest_ticks=terms.highest_ticks,
        min_net_edge_e6=terms.min_net_edge_e6,
        max_loss_quote_e8=terms.max_loss_quote_e8,
        life_ns=terms.duration_ns,
    )


def auto_permit(issue: PermitIssue, limits: RiskLimits) -> Permit:
    """Allow both sides without an end of its own; the limits bound it."""
    return _permit(
        issue,
        kind=PermitKind.AUTO,
        sides=(Side.BUY, Side.SELL),
        max_order_lots=limits.max_qty_lots,
        drawn_hash="",
    )


def acceptable(terms: WindowTerms, limits: RiskLimits, longest_ns: int) -> bool:
    """Tell whether the terms of a window are whole and inside the limits.

    There is no window for reductions alone: they need no permit, and a decision never reduces.
    """
    return (
        terms.sides in ((Side.BUY,), (Side.SELL,), (Side.BUY, Side.SELL), (Side.SELL, Side.BUY))
        and 0 < terms.max_order_lots <= limits.max_qty_lots
        and terms.max_net_lots > 0
        and terms.max_orders > 0
        and 0 < terms.max_loss_quote_e8 <= limits.max_daily_loss_quote_e8
        and 0 < terms.lowest_ticks <= terms.highest_ticks
        and 0 < terms.duration_ns <= longest_ns
    )


def _permit(
    issue: PermitIssue,
    *,
    kind: PermitKind,
    sides: tuple[Side, ...],
    max_order_lots: int,
    drawn_hash: str,
    idea_id: int = 0,
    max_orders: int = NO_COUNT,
    max_net_lots: int = NO_COUNT,
    lowest_ticks: int = 1,
    highest_ticks: int = HIGHEST_TICKS,
    min_net_edge_e6: int = 0,
    max_loss_quote_e8: int = NO_COUNT,
    life_ns: int = NO_COUNT,
) -> Permit:
    return Permit(
        permit_id=issue.permit_id,
        kind=kind,
        idea_id=idea_id,
        who=issue.who,
        symbol=issue.symbol,
        sides=sides,
        max_order_lots=max_order_lots,
        max_orders=max_orders,
        max_net_lots=max_net_lots,
        lowest_ticks=lowest_ticks,
        highest_ticks=highest_ticks,
        min_net_edge_e6=min_net_edge_e6,
        passive=issue.passive,
        max_loss_quote_e8=max_loss_quote_e8,
        exit_rule=issue.exit_rule,
        model_id=issue.model_id,
        generation=issue.generation,
        policy_hash=issue.policy_hash,
        drawn_hash=drawn_hash,
        starts_ns=issue.now_ns,
        ends_ns=issue.now_ns + life_ns if life_ns else NO_COUNT,
    )
