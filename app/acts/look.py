"""Looking around: selection, ladder, pages, panels, alerts, themes. Nothing here reaches an order."""

from __future__ import annotations

import time

import themes
from app.acts.base import ActsBase
from pipeline.core.inputs import Command

_FAR = 1_000


class LookActs(ActsBase):
    """What changes only this screen."""

    def act_next_item(self) -> None:
        """Select the next card or order."""
        self._view.move_selection(+1)

    def act_previous_item(self) -> None:
        """Select the previous card or order."""
        self._view.move_selection(-1)

    def act_first_item(self) -> None:
        """Select the first card or order."""
        self._view.move_selection(-_FAR)

    def act_last_item(self) -> None:
        """Select the last card or order."""
        self._view.move_selection(+_FAR)

    def act_next_symbol(self) -> None:
        """Look at the next symbol."""
        self._turn_symbol(+1)

    def act_previous_symbol(self) -> None:
        """Look at the previous symbol."""
        self._turn_symbol(-1)

    def act_recentre(self) -> None:
        """Recentre the ladder."""
        self._view.ladder.recentre()

    def act_coarser(self) -> None:
        """Take a coarser ladder step."""
        self._view.ladder.change_step(+1)

    def act_finer(self) -> None:
        """Take a finer ladder step."""
        self._view.ladder.change_step(-1)

    def act_screen_trading(self) -> None:
        """Show page 1."""
        self._view.show_page("trading")

    def act_screen_orders(self) -> None:
        """Show page 2."""
        self._view.show_page("orders")

    def act_screen_health(self) -> None:
        """Show page 3."""
        self._view.show_page("health")

    def act_screen_model(self) -> None:
        """Show page 4."""
        self._view.show_page("model")

    def act_screen_replay(self) -> None:
        """Show page 5."""
        self._view.show_page("replay")

    def act_screen_help(self) -> None:
        """Show page 6."""
        self._view.show_page("help")

    def act_next_panel(self) -> None:
        """Give the keyboard to the next panel."""
        self._view.focus_next(+1)

    def act_previous_panel(self) -> None:
        """Give the keyboard to the previous panel."""
        self._view.focus_next(-1)

    def act_maximise(self) -> None:
        """Give the focused panel the whole screen, or take it back."""
        if not self._view.focused_panel and not self._view.maximised:
            self._say("Tab to a panel first: z gives it the whole screen")
        self._view.toggle_maximised()

    def act_note_alert(self) -> None:
        """Note the newest alert."""
        self._send(Command.NOTE_ALERT)

    def act_bell(self) -> None:
        """Turn the bell on or off."""
        bell = self._console.ringer
        bell.on = not bell.on
        self._say(f"bell {'on' if bell.on else 'off'}")

    def act_theme(self) -> None:
        """Take the next theme."""
        names = [theme.name for theme in themes.THEMES]
        here = names.index(self._console.theme) if self._console.theme in names else -1
        self._console.theme = names[(here + 1) % len(names)]
        self._say(f"theme {self._console.theme}")

    def act_repaint(self) -> None:
        """Write every cell anew."""
        self._main.refresh(layout=True)
        self._main.refresh(repaint=True)

    def _turn_symbol(self, step: int) -> None:
        drawn = self._drawn
        if drawn is None or len(drawn.symbols) < 2:
            self._say("one symbol in this session")
            return
        here = drawn.symbols.index(drawn.instrument.symbol)
        self._console.presses.symbol_asked(time.monotonic())
        self._console.link.select_symbol(drawn.symbols[(here + step) % len(drawn.symbols)])
