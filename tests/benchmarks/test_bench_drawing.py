"""What a picture costs: our panels against Rich tables, lean updates against Textual's own.

The reference draws three tables of the desk's height with 8 rows changing a picture, the way most Textual
programs do it. CPU time of the app's thread, medians, interleaved.
"""

from __future__ import annotations

import statistics
import time

from rich.console import Console
from rich.table import Table
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from tests.fakes import snapshots
from tests.fakes.console import make_app
from widgets.lean import LeanCompositor, LeanUpdate

DESK = (160, 48)
PICTURES = 60
CONSOLE = Console(color_system="truecolor", force_terminal=True)
BYTES_A_PICTURE = 3_000
"""30 kB/s at ten pictures a second."""


class TablesApp(App[None]):
    """Three Rich tables in Statics."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            for name in ("left", "middle", "right"):
                yield Static(id=name)

    def draw(self, frame: int) -> None:
        for place, name in enumerate(("left", "middle", "right")):
            table = Table(expand=True)
            for column in ("bid", "price", "ask"):
                table.add_column(column)
            for row in range(40):
                moved = frame if row % 5 == frame % 5 else 0
                table.add_row(f"{row * 7 + moved:>8}", f"{64_210 + row}.{place}", f"{row * 3 + moved:>8}")
            self.query_one(f"#{name}", Static).update(table)


async def our_cost() -> tuple[float, list[int], list[int]]:
    """Give median CPU seconds a picture, and the bytes of lean and of Textual's own updates."""
    app, market = make_app(), snapshots.FakeMarket()
    spent: list[float] = []
    lean: list[int] = []
    stock: list[int] = []
    async with app.run_test(size=DESK) as pilot:
        compositor = app.screen._compositor
        assert isinstance(compositor, LeanCompositor)
        app.view.show(snapshots.make_snapshot(market))
        await pilot.pause()
        for _ in range(PICTURES):
            market.step()
            picture = snapshots.make_snapshot(market)
            begun = time.thread_time()
            app.view.show(picture)
            compositor.update_widgets(set(app.view.shown()))
            update = compositor.render_partial_update()
            assert isinstance(update, LeanUpdate)
            sequences = update.render_segments(CONSOLE)
            spent.append(time.thread_time() - begun)
            lean.append(len(sequences.encode()))
            stock.append(len(super(LeanUpdate, update).render_segments(CONSOLE).encode()))
    return statistics.median(spent), lean, stock


async def table_cost() -> float:
    """Give median CPU seconds a picture of Rich tables."""
    app = TablesApp()
    spent: list[float] = []
    async with app.run_test(size=DESK) as pilot:
        app.draw(0)
        await pilot.pause()
        for frame in range(1, 16):
            begun = time.thread_time()
            app.draw(frame)
            compositor = app.screen._compositor
            compositor.update_widgets(set(app.query(Static)))
            update = compositor.render_partial_update()
            if update is not None:
                update.render_segments(CONSOLE)
            spent.append(time.thread_time() - begun)
    return statistics.median(spent)


async def test_a_picture_costs_a_fraction_of_rich_tables() -> None:
    ours, lean, stock = await our_cost()
    tables = await table_cost()
    print(  # noqa: T201 - the numbers are what a benchmark is for
        f"\na picture: our desk {ours * 1e3:.2f} ms, three Rich tables {tables * 1e3:.2f} ms, "
        f"1 to {tables / ours:.1f}; {statistics.mean(lean):.0f} bytes, {statistics.mean(stock):.0f} stock"
    )
    assert ours * 4 < tables
    assert statistics.mean(lean) < BYTES_A_PICTURE
    assert sum(lean) * 2 < sum(stock)
