"""What this console says with each command: the picture it had drawn, its age, the card, the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.core.evidence import Seen
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import Severity

if TYPE_CHECKING:
    from app.console import ConsoleApp


def seen_on(console: ConsoleApp, target: tuple[int, int], now_s: float) -> Seen:
    """Give what stood on the screen at `now_s` (monotonic); `target` is the idea and revision pressed."""
    drawn = console.drawn
    if drawn is None:
        return Seen(key=console.asked_by)
    cards = {(card.idea_id, card.revision): card for card in drawn.proposals}
    card = cards.get(target)
    return Seen(
        picture_ns=drawn.ts_ns,
        symbol=drawn.instrument.symbol,
        drawn_ms=_ms(now_s - console.drawn_s),
        numbers_ms=_ms(now_s - console.numbers_s),
        display_ms=console.terminal_hooks.lag.lag_ms(now_s),
        card_hash=card.content_hash if card is not None else "",
        key=console.asked_by,
    )


def newest_alert(drawn: ConsoleSnapshot) -> int:
    """Give the newest alert above information in a picture; 0 without one."""
    weighty = (one.alert_id for one in drawn.alerts if one.severity > Severity.INFO)
    return max(weighty, default=0)


def _ms(seconds: float) -> int:
    return max(0, int(seconds * 1000))
