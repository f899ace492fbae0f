"""The composed screen under a host: what is repainted, selected, focused, resized."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pyte
import pytest
from msgspec.structs import replace
from textual._compositor import ChopsUpdate
from textual.geometry import Region

from app.screens.lean_full import LeanLayout
from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import TradingState
from tests.fakes import snapshots
from tests.fakes.console import ViewApp, make_app
from tests.fakes.wild import wild
from widgets.base import SnapshotWidget
from widgets.lean import LeanCompositor, LeanUpdate
from widgets.lines import line_text

DESK = (160, 48)


def screen_text(app: ViewApp) -> str:
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


@contextmanager
def repaints(panel: SnapshotWidget) -> Iterator[list[Region]]:
    """Record which regions a panel asks to have repainted."""
    asked: list[Region] = []
    original = panel.repaint

    def recording(dirty: list[Region]) -> None:
        asked.extend(dirty)
        original(dirty)

    panel.repaint = recording  # type: ignore[method-assign]
    yield asked
    del panel.repaint


async def test_only_the_changed_cells_of_a_changed_row_are_repainted() -> None:
    app = make_app()
    before = snapshots.make_snapshot()
    price, size = before.ladder.bids[0]
    ladder = replace(before.ladder, bids=((price, size + 200), *before.ladder.bids[1:]))
    async with app.run_test(size=DESK) as pilot:
        app.view.show(before)
        await pilot.pause()
        panel = app.view.panel("ladder")
        with repaints(panel) as asked:
            app.view.show(replace(before, ladder=ladder, seq=2))
    assert len({region.y for region in asked}) == 1
    assert sum(region.width for region in asked) < 25


async def test_an_equal_picture_repaints_nothing_but_the_frame_mark() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        for panel in app.view.shown():
            with repaints(panel) as asked:
                panel.show(snapshots.make_snapshot())
            if panel.id == "status":
                assert [(region.y, region.width) for region in asked] == [(0, 1)]
            else:
                assert asked == [], panel.id


async def test_the_frame_mark_stands_still_when_no_new_picture_comes() -> None:
    app = make_app()
    snapshot = snapshots.make_snapshot()
    async with app.run_test(size=DESK):
        app.view.show(snapshot)
        first = line_text(app.view.status.framed(160, 3)[0])
        app.view.show(snapshot, 500)
        assert line_text(app.view.status.framed(160, 3)[0]) == first
        app.view.show(replace(snapshot, seq=2))
        assert line_text(app.view.status.framed(160, 3)[0]) != first


async def test_a_picture_older_than_a_second_is_drawn_as_old_everywhere() -> None:
    app = make_app()
    snapshot = snapshots.make_snapshot()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshot, 999)
        await pilot.pause()
        assert "OLD" not in screen_text(app)
        app.view.show(snapshot, 2_400)
        await pilot.pause()
        assert screen_text(app).count("SCREEN 2 s OLD") == 13


@pytest.mark.parametrize(
    ("size", "shown", "hidden"),
    [
        ((160, 48), {"chart", "why", "tape", "position", "chain"}, {"market"}),
        ((120, 40), {"chart", "why", "tape", "position", "chain"}, {"market"}),
        ((80, 24), {"ladder", "proposals", "permits", "orders", "market"}, {"chart", "tape", "chain"}),
        ((79, 24), {"status", "hints"}, {"ladder", "orders"}),
        ((79, 7), {"status"}, {"ladder", "orders", "hints"}),
    ],
)
async def test_the_layout_follows_a_resize(size: tuple[int, int], shown: set[str], hidden: set[str]) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.resize_terminal(*size)
        await pilot.pause()
        visible = {panel.id for panel in app.view.shown()}
        assert shown <= visible
        assert not hidden & visible
        drawn = screen_text(app).split("\n")
        assert len(drawn) == size[1]
        assert "+0.020" in drawn[0]
        assert "ACTIVE" in drawn[0]


async def test_what_must_never_leave_the_screen_is_there_at_every_size() -> None:
    app = make_app()
    async with app.run_test(size=(200, 60)) as pilot:
        app.view.show(snapshots.live_snapshot())
        for size in ((160, 48), (120, 40), (100, 28), (80, 24), (79, 20), (60, 5)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            first = screen_text(app).splitlines()[0]
            for word in ("LIVE", "APPROVE", "ACTIVE", "UNMANAGED +0.020"):
                assert word in first, (size, word)
            if size[0] >= 79:
                assert "Ctrl+K" in first or "^K" in first, size
                assert "al" in first, size


async def test_while_killed_the_banner_reaches_from_edge_to_edge() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshots.killed_snapshot())
        await pilot.pause()
        for strip in app.screen._compositor.render_strips()[:3]:
            assert all(segment.style is not None and segment.style.reverse for segment in strip)
        assert "KILLED" in screen_text(app).splitlines()[0]


async def test_a_gate_closed_without_latch_is_a_halt_and_no_banner() -> None:
    app = make_app()
    killed = snapshots.killed_snapshot()
    assert killed.kill is not None
    header = replace(killed.header, trading_state=TradingState.HALTED)
    halted = replace(killed, kill=replace(killed.kill, latched=False), header=header)
    async with app.run_test(size=DESK) as pilot:
        app.view.show(halted)
        await pilot.pause()
        text = screen_text(app)
        assert "KILLED" not in text.splitlines()[0] + text.splitlines()[1]
        assert "GATE CLOSED console" in text.splitlines()[0]


async def test_the_kill_choice_stands_in_the_banner() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(snapshots.killed_snapshot())
        app.view.status.set_kill_choice("Enter cancel ours (1.4 s)  f  A  l")
        await pilot.pause()
        assert "Enter cancel ours (1.4 s)" in screen_text(app).splitlines()[2]


# Selection.


def with_cards(*ids: int, revision: int = 2, seq: int = 1) -> ConsoleSnapshot:
    cards = tuple(replace(snapshots.proposal(idea), revision=revision) for idea in ids)
    return replace(snapshots.make_snapshot(), proposals=cards, seq=seq)


async def test_a_press_binds_to_the_revision_as_drawn() -> None:
    app = make_app()
    async with app.run_test(size=DESK):
        app.view.show(with_cards(91))
        assert app.view.selected() == (91, 2)
        app.view.show(with_cards(91, revision=3, seq=2))
        assert app.view.selected() == (91, 3)


async def test_after_a_press_nothing_is_selected_until_a_card_is_chosen() -> None:
    app = make_app()
    async with app.run_test(size=DESK):
        app.view.show(with_cards(91))
        app.view.clear_selection()
        app.view.show(with_cards(91, seq=2))
        assert app.view.selected() is None
        app.view.move_selection(1)
        assert app.view.selected() == (91, 2)


async def test_the_selection_does_not_move_to_another_card_by_itself() -> None:
    app = make_app()
    async with app.run_test(size=DESK):
        app.view.show(with_cards(91, 92))
        app.view.move_selection(1)
        app.view.show(with_cards(92, seq=2))
        assert app.view.selected() is None
        assert app.view.selected_card() is None


async def test_the_drawn_card_does_not_change_when_another_one_comes() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(with_cards(91))
        await pilot.pause()
        with repaints(app.view.panel("proposals")) as asked:
            app.view.show(with_cards(91, 92, seq=2))
        assert {region.y for region in asked} <= {0, 11, 12}


async def test_orders_are_selected_where_the_blotter_has_the_focus() -> None:
    app = make_app()
    async with app.run_test(size=DESK):
        app.view.show(snapshots.make_snapshot())
        app.view.focus_panel("orders")
        app.view.move_selection(1)
        app.view.move_selection(1)
        order = app.view.selected_order()
        assert order is not None
        assert order.number == 87
        app.view.orders.clear()
        assert app.view.selected_order() is None


async def test_the_selected_order_stays_in_sight_when_the_panel_is_short() -> None:
    app = make_app()
    snapshot = replace(snapshots.make_snapshot(), orders=snapshots.every_order_state())
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(snapshot)
        app.view.focus_panel("orders")
        for _ in range(7):
            app.view.move_selection(1)
        await pilot.pause()
        order = app.view.selected_order()
        assert order is not None
        assert any("▶" in line and f" {order.number}" in line for line in screen_text(app).splitlines())


async def test_the_mouse_selects_cards_and_orders_and_nothing_else_happens() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshots.many_ideas_snapshot(2))
        await pilot.pause()
        await pilot.click("#proposals", offset=(10, 2))
        assert app.view.selected() == (91, 2)
        assert app.view.focused_panel == "proposals"
        await pilot.click("#proposals", offset=(10, 11))
        assert app.view.selected() == (92, 2)
        await pilot.click("#orders", offset=(10, 3))
        order = app.view.selected_order()
        assert order is not None
        assert order.number == 87


# Focus and pages.


async def test_focus_goes_round_and_is_shown() -> None:
    app = make_app()
    async with app.run_test(size=DESK):
        app.view.show(snapshots.make_snapshot())
        seen = [app.view.focus_next() for _ in range(len(app.view.focus_names()) + 1)]
        assert seen[0] == "ladder"
        assert seen[-1] == ""
        assert app.view.focus_next(-1) == app.view.focus_names()[-1]
        assert [panel.id for panel in app.view.shown() if panel.marked] == [app.view.focused_panel]


async def test_a_maximised_panel_keeps_header_and_chain() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshots.make_snapshot())
        app.view.focus_panel("orders")
        app.view.toggle_maximised()
        await pilot.pause()
        assert {panel.id for panel in app.view.shown()} == {"status", "orders", "chain", "hints"}
        assert "press to sent" in screen_text(app)
        app.view.toggle_maximised()
        await pilot.pause()
        assert "LADDER" in screen_text(app)


async def test_without_a_focus_nothing_is_maximised() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.toggle_maximised()
        await pilot.pause()
        assert app.view.maximised == ""
        assert "LADDER" in screen_text(app)


async def test_pages_change_at_once_and_the_selection_stays() -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        for page, title in (
            ("health", "WORKERS"),
            ("trading", "LADDER"),
            ("model", "MODEL"),
            ("orders", "client id"),
        ):
            app.view.set_page(page)
            await pilot.pause()
            assert title in screen_text(app)
            assert app.view.is_shown("hints")
            assert app.view.selected() == (91, 2)


@pytest.mark.parametrize("page", ["orders", "health", "model"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48)])
async def test_every_page_draws_at_every_size(page: str, size: tuple[int, int]) -> None:
    app = make_app(page=page)
    async with app.run_test(size=size) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        text = screen_text(app)
        assert "CHAIN" in text
        assert {"orders": "ORDERS", "health": "WORKERS", "model": "SKILL"}[page] in text


async def test_a_strip_takes_the_place_of_the_hints() -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.hints.set_strip("FLATTEN BTCUSDT: sell 0.020, Enter")
        await pilot.pause()
        assert "FLATTEN BTCUSDT" in screen_text(app).splitlines()[-1]
        app.view.hints.set_strip("")
        app.view.hints.set_hints((("q", "quit"),))
        await pilot.pause()
        assert screen_text(app).splitlines()[-1].strip() == "q quit"


async def test_the_ladder_steps_and_recentres_by_hand() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        step = app.view.ladder.axis.step
        app.view.ladder.change_step(1)
        assert app.view.ladder.axis.step > step
        app.view.ladder.change_step(-1)
        assert app.view.ladder.axis.step == step
        app.view.ladder.recentre()
        assert app.view.ladder.axis.by_hand


async def test_another_symbol_starts_another_axis() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        before = app.view.ladder.axis
        app.view.show(snapshots.make_snapshot(snapshots.FakeMarket(snapshots.TINY, 1_234)))
        assert app.view.ladder.axis.centre != before.centre


# What is sent.


async def test_lean_updates_draw_the_same_screen_with_a_fraction_of_the_bytes() -> None:
    """A terminal fed with lean updates alone shows, cell for cell, what a full repaint shows."""
    app, market = make_app(), snapshots.FakeMarket()
    lean_bytes = stock_bytes = 0
    async with app.run_test(size=DESK) as pilot:
        compositor = app.screen._compositor
        assert isinstance(compositor, LeanCompositor)
        app.view.show(snapshots.make_snapshot(market))
        await pilot.pause()
        terminal = Terminal(*DESK)
        terminal.feed(compositor.render_full_update().render_segments(app.console))
        updates: list[LeanUpdate] = []
        original = compositor.render_partial_update

        def recording() -> ChopsUpdate | None:
            update = original()
            if isinstance(update, LeanUpdate):
                updates.append(update)
            return update

        compositor.render_partial_update = recording  # type: ignore[method-assign]
        for _ in range(5):
            market.step()
            app.view.show(snapshots.make_snapshot(market))
            await pilot.pause()
        for update in updates:
            lean = update.render_segments(app.console)
            lean_bytes += len(lean.encode())
            stock_bytes += len(super(LeanUpdate, update).render_segments(app.console).encode())
            terminal.feed(lean)
        whole = Terminal(*DESK)
        whole.feed(compositor.render_full_update().render_segments(app.console))
        assert terminal.cells() == whole.cells()
    assert updates
    assert lean_bytes * 2 < stock_bytes


class Terminal:
    """What a terminal shows after some bytes."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.Stream(self.screen)

    def feed(self, sequences: str) -> None:
        self.stream.feed(sequences.replace("\n", ""))

    def cells(self) -> list[list[tuple[object, ...]]]:
        """Give every cell; of a blank only what one sees of it."""
        buffer, screen = self.screen.buffer, self.screen
        return [[seen(buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    if cell.data == " " and not cell.reverse:
        return " ", cell.bg, cell.underscore, cell.strikethrough
    return tuple(cell)


async def test_a_screen_without_lean_updates_marks_one_run_a_row() -> None:
    app = make_app(lean=False)
    snapshot = snapshots.make_snapshot()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshot)
        await pilot.pause()
        with repaints(app.view.panel("position")) as asked:
            position = replace(snapshot.position, day_quote_e8=-1, open_quote_e8=-100_000_000)
            app.view.show(replace(snapshot, position=position, seq=2))
    rows = [region.y for region in asked]
    assert rows == sorted(set(rows))
    assert all(region.x == 0 for region in asked)


async def test_a_panel_that_was_taken_off_the_screen_can_still_be_told_to_draw() -> None:
    app = make_app()
    async with app.run_test(size=DESK) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        panel = app.view.panel("position")
        await panel.remove()
        panel.show(snapshots.empty_snapshot())


async def test_textual_still_has_what_lean_updates_lean_on() -> None:
    app = make_app(lean=False)
    async with app.run_test(size=(80, 24)):
        compositor = app.screen._compositor
        assert not isinstance(compositor, LeanCompositor)
        assert type(compositor) in LeanCompositor.__mro__


# Themes and terminals.


async def test_another_theme_repaints_in_its_colours() -> None:
    app = make_app("night")
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(snapshots.make_snapshot())
        await pilot.pause()
        before = app.screen._compositor.render_strips()[5]
        app.theme = "day"
        await pilot.pause()
        await pilot.pause()
        after = app.screen._compositor.render_strips()[5]
        assert before.text == after.text
        assert [segment.style for segment in before] != [segment.style for segment in after]


async def test_no_color_takes_the_theme_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app()
    assert app.theme == "mono"
    async with app.run_test(size=(80, 24)) as pilot:
        app.view.show(snapshots.live_snapshot())
        await pilot.pause()
        colours = {
            colour.name
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None
        }
        assert colours <= {"default"}


async def test_a_plain_terminal_gets_ascii_only() -> None:
    app = make_app(plain=True)
    async with app.run_test(size=DESK) as pilot:
        for snapshot in (snapshots.make_snapshot(), snapshots.killed_snapshot()):
            app.view.show(snapshot)
            await pilot.pause()
            assert screen_text(app).isascii()


@pytest.mark.parametrize("plain", [False, True])
async def test_hostile_words_never_steer_the_terminal(plain: bool) -> None:
    """What the compositor sends holds no control character but its own sequences."""
    own = re.compile(r"\x1b\[[0-9;]*[mH]")
    random = Random(7)
    for size in ((160, 48), (80, 24), (40, 10)):
        app = make_app(plain=plain)
        async with app.run_test(size=size) as pilot:
            for page in ("trading", "orders", "health", "model"):
                app.view.set_page(page)
                app.view.show(wild(snapshots.make_snapshot(), random, 1.0))
                await pilot.pause()
                whole = app.screen._compositor.render_full_update()
                sent = own.sub("", LeanLayout(whole.strips, whole.region).render_segments(app.console))
                assert all(character.isprintable() for character in sent)
                assert sent.isascii() or not plain
