"""Show the fake market on the real screen: `python -m tests.fakes.demo_screen [--state ok] [--hz 10]`.

For looking at panels and measuring what drawing costs; needs no session.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from msgspec.structs import replace
from textual.app import App, ComposeResult
from textual.screen import Screen

import themes
from pipeline.core.snapshot import ConsoleSnapshot
from tests.fakes import snapshots
from widgets.layout import TradingView
from widgets.lean import make_lean

STATES: dict[str, Callable[[snapshots.FakeMarket], ConsoleSnapshot]] = {
    "ok": snapshots.make_snapshot,
    "replay": snapshots.replay_snapshot,
    "stale": lambda _: snapshots.stale_snapshot(),
    "empty": lambda _: snapshots.empty_snapshot(),
    "killed": lambda _: snapshots.killed_snapshot(),
    "many": lambda _: snapshots.many_ideas_snapshot(),
    "live": lambda _: snapshots.live_snapshot(),
}


class FakeScreen(Screen[None]):
    """One trading view fed by a timer."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        if not options.stock:
            make_lean(self)
        self.options = options
        self.view = TradingView(page=options.page, plain=options.plain)
        self.market = snapshots.FakeMarket()
        self.seq = 0

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.set_interval(1 / self.options.hz, self.tick)

    def tick(self) -> None:
        self.seq += 1
        self.market.step(self.options.moves, self.options.touch)
        picture = STATES[self.options.state](self.market)
        self.view.show(replace(picture, seq=self.seq), self.options.age)
        if self.options.maximise and self.seq == 1:
            self.view.focus_panel(self.options.maximise)
            self.view.toggle_maximised()


class FakeConsole(App[None]):
    """An app without session."""

    CSS_PATH = themes.CSS_PATH

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        self.options = options
        themes.register(self)
        if options.theme:
            self.theme = options.theme

    def get_default_screen(self) -> FakeScreen:
        return FakeScreen(self.options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", choices=sorted(STATES), default="ok")
    parser.add_argument("--page", default="trading")
    parser.add_argument("--theme", default="")
    parser.add_argument("--hz", type=float, default=10)
    parser.add_argument("--age", type=int, default=0)
    parser.add_argument("--moves", type=int, default=8)
    parser.add_argument("--touch", type=float, default=0.3, help="how often the touch moves, 0 to 1")
    parser.add_argument("--maximise", default="")
    parser.add_argument("--stock", action="store_true", help="Textual's own partial updates")
    parser.add_argument("--plain", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    FakeConsole(parse()).run()
