"""Ideas and permits: what a press binds to is what is drawn."""

from __future__ import annotations

import time

from app.acts.base import ActsBase
from app.screens.dialogs import LineDialog
from app.window_panel import window_dialog
from pipeline.core.inputs import Command, WindowTerms
from pipeline.core.types import scaled_text
from widgets.cells import qty_text, side_word
from widgets.scales import scales_of

AGAIN_S = 2.0
"""How long the row of a declined card stays, and with it the second press that declines for longer."""


class IdeaActs(ActsBase):
    """Permit, decline, resize, window."""

    _declined: tuple[int, int] = (0, 0)
    _declined_s = 0.0

    def act_permit(self) -> None:
        """Permit the selected idea once, as it is drawn; nothing is selected afterwards."""
        now_s, drawn, card = time.monotonic(), self._drawn, self._view.selected_card()
        if self._console.presses.is_repeated(now_s):
            return
        if drawn is None or card is None or not self._view.is_shown("proposals"):
            self._say("no card is selected: 1 shows them, j selects one")
            return
        if card.symbol != drawn.instrument.symbol:
            self._console.link.select_symbol(card.symbol)
            self._say(f"{card.symbol} comes up first; then a again")
            return
        refusal = self._console.presses.refusal((card.idea_id, card.revision), now_s)
        if refusal:
            self._say(f"a not taken: {refusal}")
            return
        self._view.clear_selection()
        self._send(Command.PERMIT_ONCE, target=(card.idea_id, card.revision), symbol=card.symbol)

    def act_decline(self) -> None:
        """Silence the selected idea's side; again at once for longer."""
        now_s, selected = time.monotonic(), self._view.selected()
        if selected is None and now_s - self._declined_s < AGAIN_S:
            selected = self._declined
        if selected is None or not self._view.is_shown("proposals"):
            self._say("no card is selected: 1 shows them, j selects one")
            return
        self._declined, self._declined_s = selected, now_s
        self._view.clear_selection()
        self._send(Command.DECLINE, target=selected)

    def act_end_permits(self) -> None:
        """End every permit."""
        self._send(Command.END_PERMITS)

    def act_edit_size(self) -> None:
        """Type a size for the selected idea."""
        card, drawn = self._view.selected_card(), self._drawn
        if card is None or drawn is None or not self._view.is_shown("proposals"):
            self._say("no card is selected: 1 shows them, j selects one")
            return
        view, target = scales_of(drawn, card.symbol), (card.idea_id, card.revision)
        if view is None:
            self._say(f"{card.symbol} is not on the screen: [ and ] change the symbol")
            return

        def answered(answer: tuple[str, float]) -> None:
            lots = lots_of(answer[0], view.lot_units, view.size_decimals)
            if lots > 0:
                self._send(Command.EDIT_SIZE, target=target, qty_lots=lots)
            elif answer[0]:
                step = scaled_text(view.lot_units, view.size_decimals)
                self._say(f"size {answer[0]}: wanted a multiple of {step}, above 0", "warn")

        prompt = f"#{card.idea_id} {side_word(card.side)} {card.symbol}, size in {view.base}:"
        shown = qty_text(view, card.qty_lots)
        self._open(LineDialog(prompt, answered, plain=self._plain, value=shown, digits=True))

    def act_window(self) -> None:
        """Open the window permit panel."""
        drawn = self._drawn
        if drawn is None or drawn.ladder.mid_half_ticks == 0:
            self._say("no window now: the book has no price")
            return
        symbol = drawn.instrument.symbol

        def arm(terms: WindowTerms) -> None:
            send = Command.PERMIT_WINDOW
            self._upward("arm the window", lambda: self._send(send, terms=terms, symbol=symbol))

        self._open(window_dialog(drawn, self._where(drawn), arm, plain=self._plain))


def lots_of(text: str, lot_units: int, size_decimals: int) -> int:
    """Give the lots of a typed decimal quantity; 0 where it is none or off the grid."""
    whole, _, rest = text.partition(".")
    digits = whole + rest
    if not digits.isascii() or not digits.isdigit() or len(rest) > size_decimals or len(whole) > 18:
        return 0
    units = int(whole or "0") * 10**size_decimals + int(rest.ljust(size_decimals, "0") or "0")
    return units // lot_units if units % lot_units == 0 else 0
