"""The pages of the main screen: one view whose plan changes, so that selection and filter stay."""

from __future__ import annotations

from textual.geometry import Size

from app.actions import help_rows, page_hints
from app.screens.blotter import FilteredOrders
from app.screens.replay_panel import ReplayPanel
from pipeline.core.snapshot import ConsoleSnapshot
from widgets.help import HelpPanel
from widgets.layout import TradingView
from widgets.plan import PAGES

OWN_PAGES = ("replay", "help")
"""Pages of one panel each, drawn as that panel maximised."""

_FAR = 1_000


class ConsoleView(TradingView):
    """The trading view with the console's own panels and pages."""

    def __init__(self, *, plain: bool, kill_key: str = "Ctrl+K", watching: bool = False) -> None:
        super().__init__(page="trading", plain=plain, kill_key=kill_key)
        self._watching = self.status.watching = watching
        self.blotter = FilteredOrders(plain=plain, id="orders")
        self.keys = HelpPanel(plain=plain, id="help")
        self.keys.set_rows(help_rows())
        self._panels["orders"] = self.blotter
        self._panels["replay"] = ReplayPanel(plain=plain, id="replay")
        self._panels["help"] = self.keys
        self.page_name = "trading"
        self._newest: tuple[ConsoleSnapshot, int] | None = None
        self.hints.set_hints(page_hints("trading", watching=watching))

    def show_page(self, name: str) -> None:
        """Bring a page up: one of the plan's, `replay` or `help`."""
        own = name in OWN_PAGES
        self.page_name = name
        self.page, self.maximised = ("trading", name) if own else (name, "")
        self.focus_panel("")
        self.hints.set_hints(page_hints(name, watching=self._watching))
        self._plan_again()

    def toggle_maximised(self) -> None:
        """Give the focused panel the whole screen, or take it back; pages of one panel stay."""
        if self.page_name not in OWN_PAGES:
            super().toggle_maximised()
            self._plan_again()

    def show(self, snapshot: ConsoleSnapshot, screen_age_ms: int = 0) -> None:
        """Draw a snapshot."""
        self._newest = (snapshot, screen_age_ms)
        super().show(snapshot, screen_age_ms)

    def is_shown(self, name: str) -> bool:
        """Say whether a panel is on the screen: what is not drawn cannot be acted on."""
        return name in self._places

    def move_selection(self, step: int) -> None:
        """Select the next or previous card or order; scroll help and limits."""
        if self.page_name == "help":
            self.keys.move(step)
            return
        if self.page_name == "health":
            self.limits.move(step)
            return
        super().move_selection(step)
        if step <= -_FAR:  # from no selection a step back goes to the last one; a second one to the first
            super().move_selection(step)

    def _plan_again(self) -> None:
        self._planned = (Size(0, 0), "")
        if self.size.area:
            self.places_for(self.size)
        # A child asks for the layout: a widget's own request leaves its arrangement as it was cached.
        self.status.refresh(layout=True)
        if self._newest is not None:
            self.show(*self._newest)
        # Panels paint what differs from their own last picture; where one was away other cells stand now.
        self.screen.refresh(layout=True)
        self.screen.refresh(repaint=True)


PAGE_NAMES = (*PAGES, *OWN_PAGES)
"""Every page, by the digit that brings it up."""
