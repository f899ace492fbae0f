"""A Textual app that shows one `TradingView` and nothing else, for tests of drawing."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.screen import Screen

import themes
from widgets.layout import TradingView
from widgets.lean import make_lean


class ViewScreen(Screen[None]):
    """One view; `lean` sends lean updates."""

    def __init__(self, page: str = "trading", lean: bool = True, plain: bool = False) -> None:
        super().__init__()
        if lean:
            make_lean(self)
        self.view = TradingView(page=page, plain=plain)

    def compose(self) -> ComposeResult:
        yield self.view


class ViewApp(App[None]):
    """An app without session."""

    CSS_PATH = themes.CSS_PATH

    def __init__(self, screen: ViewScreen, theme: str = "") -> None:
        super().__init__()
        self._view_screen = screen
        themes.register(self)
        if theme:
            self.theme = theme

    @property
    def view(self) -> TradingView:
        return self._view_screen.view

    def get_default_screen(self) -> ViewScreen:
        return self._view_screen


def make_app(theme: str = "", page: str = "trading", lean: bool = True, plain: bool = False) -> ViewApp:
    """Give an app ready for `run_test`."""
    return ViewApp(ViewScreen(page, lean, plain), theme)
