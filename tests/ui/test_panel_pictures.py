"""Every panel in an ordinary moment, with a stale book, and before anything came, as committed text."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from pipeline.core.snapshot import NONE_E6, LimitRow
from pipeline.core.types import Severity
from tests.fakes import snapshots
from tests.fakes.pictures import FOLDER, assert_same_picture, panel_text
from widgets.card import card_lines, short_card
from widgets.layout import PANELS
from widgets.lines import line_text
from widgets.lost import LostView
from widgets.status import StatusPanel

STATES = {
    "ok": snapshots.make_snapshot(),
    "stale": snapshots.stale_snapshot(),
    "empty": snapshots.empty_snapshot(),
}
SIZES = {
    "status": (160, 3), "ladder": (50, 24), "tape": (50, 8), "chart": (53, 12), "score": (53, 10),
    "imbalance": (53, 9), "why": (53, 10), "proposals": (55, 13), "permits": (55, 6), "position": (55, 9),
    "orders": (55, 11), "market": (80, 6), "alerts": (160, 5), "chain": (160, 2), "limits": (100, 6),
    "workers": (120, 4), "stages": (60, 8), "model": (120, 8), "skill": (96, 14), "reliability": (70, 12),
    "hints": (120, 1),
}  # fmt: skip


@pytest.mark.parametrize("state", sorted(STATES))
@pytest.mark.parametrize("name", sorted(PANELS))
def test_panel(name: str, state: str) -> None:
    assert_same_picture(f"{name}-{state}.txt", panel_text(name, STATES[state], *SIZES[name]))


@pytest.mark.parametrize("confirmed", [False, True], ids=["asking", "confirmed"])
@pytest.mark.parametrize("width", [80, 160])
def test_banner_while_killed(width: int, confirmed: bool) -> None:
    drawn = panel_text("status", snapshots.killed_snapshot(confirmed), width, 3)
    assert "YOUR POSITION STAYS: +0.020 BTC LONG = 1,284 USDT" in drawn
    assert ("NO ORDERS LEFT" in drawn) is confirmed
    assert_same_picture(f"status-killed-{width}-{'confirmed' if confirmed else 'asking'}.txt", drawn)


@pytest.mark.parametrize("width", [80, 120, 160])
def test_header_with_real_money(width: int) -> None:
    drawn = panel_text("status", snapshots.live_snapshot(), width, 3)
    assert "UNMANAGED +0.020" in drawn
    assert_same_picture(f"status-live-{width}.txt", drawn)


def test_header_of_a_replay() -> None:
    assert_same_picture("status-replay.txt", panel_text("status", snapshots.replay_snapshot(), 160, 3))


def test_cards_of_several_symbols() -> None:
    drawn = panel_text("proposals", snapshots.many_ideas_snapshot(), 55, 13)
    assert "2 more" in drawn
    assert_same_picture("proposals-many.txt", drawn)


def test_card_whose_score_has_flipped_shows_no_gain_and_says_why() -> None:
    card = snapshots.flipped()
    snapshot = replace(STATES["ok"], proposals=(card,))
    drawn = panel_text("proposals", snapshot, 55, 13)
    assert "-1.4 - cost 0.9 = -2.3 bp" in drawn
    assert "waits: score flipped" in drawn
    assert_same_picture("proposals-flipped.txt", drawn)
    for width in (44, 55, 70):
        for height in (7, 9, 13):
            lines = card_lines(card, snapshot.instrument, width, height, selected=False)
            edge = next(line for line in lines if "cost" in line_text(line))
            assert {role for words, role in edge if "bp" in words} == {"warn"}
            assert "flipped" in " ".join(line_text(line) for line in lines)
    assert "good" not in {role for _, role in short_card(card, snapshot.instrument, 55)}


def test_card_on_the_small_screen() -> None:
    drawn = panel_text("proposals", STATES["ok"], 44, 8)
    assert "exit" in drawn
    assert_same_picture("proposals-small.txt", drawn)


def test_what_is_printed_as_nothing_is_drawn_as_nothing() -> None:
    position = replace(STATES["ok"].position, day_quote_e8=-400_000, closed_quote_e8=400_000)
    panel = PANELS["position"](id="position")
    panel.keep(replace(STATES["ok"], position=position))
    lines = [line for line in panel.framed(55, 9) if " 0.00 " in f"{line_text(line)} "]
    assert lines
    assert not {"up", "down"} & {role for line in lines for words, role in line if words.strip() == "0.00"}


def test_a_small_gain_of_a_card_is_printed_finer_than_a_cent() -> None:
    card = replace(snapshots.proposal(), net_quote_e8=170_000)
    drawn = panel_text("proposals", replace(STATES["ok"], proposals=(card,)), 55, 13)
    assert "= +0.0017" in drawn


@pytest.mark.parametrize(("width", "touch"), [(60, "64,214.8 × 64,214.9"), (37, "64214.8×64214.9"), (24, "")])
def test_the_price_title_keeps_both_prices_whole_or_leaves_them_out(width: int, touch: str) -> None:
    title = panel_text("chart", snapshots.replay_snapshot(), width, 8).splitlines()[0]
    assert touch in title
    assert ("×" in title) == bool(touch)


def test_the_score_stands_in_its_title_where_the_age_has_no_room() -> None:
    title = panel_text("score", snapshots.replay_snapshot(), 34, 8).splitlines()[0]
    assert "SCORE -0.15" in title


def test_limits_are_printed_with_thousands_separators() -> None:
    rows = (LimitRow("position", "15000.00 USDT", "-1284.5 USDT", 85_000), LimitRow("odd", "none", "", -1))
    drawn = panel_text("limits", replace(STATES["ok"], limits=rows), 100, 4)
    assert "15,000.00 USDT" in drawn
    assert "-1,284.5 USDT" in drawn
    assert "none" in drawn


@pytest.mark.parametrize(("name", "height"), [("alerts", 3), ("alerts", 2), ("market", 6)])
def test_a_warning_nobody_noted_is_in_sight_behind_any_number_of_fills(name: str, height: int) -> None:
    picture = STATES["ok"]
    fill = next(alert for alert in picture.alerts if alert.severity is Severity.INFO)
    warning = replace(fill, severity=Severity.WARN, code="BOOK_GAP", values=(), detail="", noted_by="")
    drawn = panel_text(name, replace(picture, alerts=(*[fill] * 9, warning)), 100, height)
    assert "book GAP" in drawn
    noted = replace(warning, noted_by="ada")
    assert "book GAP" not in panel_text(name, replace(picture, alerts=(*[fill] * 9, noted)), 100, height)


def test_blotter_with_every_order_state() -> None:
    snapshot = replace(STATES["ok"], orders=snapshots.every_order_state())
    assert_same_picture("orders-states.txt", panel_text("orders", snapshot, 55, 16))
    assert_same_picture("orders-states-wide.txt", panel_text("orders", snapshot, 160, 16))


def test_ladders_of_other_scales() -> None:
    spot = snapshots.make_snapshot(snapshots.FakeMarket(snapshots.SPOT, 6_421_010))
    tiny = snapshots.make_snapshot(snapshots.FakeMarket(snapshots.TINY, 1_234))
    assert_same_picture("ladder-spot.txt", panel_text("ladder", spot, 50, 16))
    assert_same_picture("ladder-tiny.txt", panel_text("ladder", tiny, 50, 16))


def test_an_old_picture_says_so_in_every_title() -> None:
    for name in set(PANELS) - {"status", "hints"}:
        first = panel_text(name, STATES["ok"], *SIZES[name], age_ms=3_200).splitlines()[0]
        assert "SCREEN 3 s OLD" in first, name
    assert "SCREEN 3 s OLD" in panel_text("status", STATES["ok"], 80, 3, age_ms=3_200)
    assert "SCREEN 3 s OLD" in panel_text("status", STATES["ok"], 60, 5, age_ms=3_200)


def test_a_lost_session_is_told_whole_on_the_smallest_screen() -> None:
    panel = StatusPanel(id="status")
    panel.keep(snapshots.make_snapshot())
    panel.set_lost(LostView(gone=True, reason="killed", orders=2))
    told = " ".join(" ".join(line_text(line) for line in panel.framed(20, 5)).split())
    assert told == "SESSION GONE ORDERS MAY STILL WORK pos +0.020 BTC LONG q leaves"


@pytest.mark.parametrize("state", ["ok", "stale", "empty"])
def test_every_title_carries_the_mode(state: str) -> None:
    for name in set(PANELS) - {"status", "hints"}:
        for width in (36, 44, 60, 160):
            assert panel_text(name, STATES[state], width, 4).splitlines()[0].rstrip("─").endswith(" SIM ")


def test_nothing_but_a_real_account_prints_live() -> None:
    quiet = [*STATES.values(), snapshots.killed_snapshot(), snapshots.replay_snapshot()]
    for snapshot in quiet:
        for name in PANELS:
            assert "LIVE" not in panel_text(name, snapshot, 160, 20)
    for name in set(PANELS) - {"hints"}:
        assert "LIVE" in panel_text(name, snapshots.live_snapshot(), 160, 20)


def test_a_stale_book_shows_no_size_and_no_touch() -> None:
    drawn = panel_text("ladder", STATES["stale"], 50, 24)
    assert "STALE 3.2 s" in drawn
    assert "█" not in drawn
    assert "×" not in panel_text("chart", STATES["stale"], 53, 12).splitlines()[0]


def test_no_committed_picture_is_without_a_test() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    known = {f"{name}-{state}.txt" for name in PANELS for state in STATES}
    known |= {f"status-live-{width}.txt" for width in (80, 120, 160)}
    known |= {f"status-killed-{width}-{end}.txt" for width in (80, 160) for end in ("asking", "confirmed")}
    for path in FOLDER.glob("*.txt"):
        assert path.name in known or f'"{path.name}"' in source, path.name


@pytest.mark.parametrize(
    ("source", "constant", "imbalance", "words"),
    [
        ("NONE", "NOT_PROVEN", "NOT_PROVEN", "not proven: reductions only"),
        ("NONE", "WORSE", "WORSE", "worse than a constant: reductions only"),
        ("NONE", "PROVEN", "WORSE", "worse than queue imbalance: reductions only"),
        ("NONE", "GATHERING", "GATHERING", "not proven yet: reductions only"),
        ("FALLBACK", "WORSE", "WORSE", "queue imbalance decides instead"),
        ("MODEL", "GATHERING", "GATHERING", "not proven yet: 87 of 200 calls"),
    ],
)
def test_title_of_the_skill_panel_says_who_decides(
    source: str, constant: str, imbalance: str, words: str
) -> None:
    shown = STATES["ok"]
    assert shown.model is not None
    assert shown.model.watch is not None
    skill_e6 = 143_000 if constant != "GATHERING" else NONE_E6
    record = snapshots.record("live", constant, imbalance, skill_e6)
    watch = replace(shown.model.watch, source=source, records=(record,))
    drawn = panel_text("skill", replace(shown, model=replace(shown.model, watch=watch)), 90, 8)
    assert words in drawn.splitlines()[0]


def test_limits_go_on_in_a_second_column_before_any_is_left_out() -> None:
    rows = tuple(LimitRow(f"limit {number}", "400.00 USDT", "1.00", 2_500) for number in range(22))
    snapshot = replace(snapshots.make_snapshot(), limits=rows)
    drawn = panel_text("limits", snapshot, 158, 13)
    assert all(f"limit {number} " in drawn for number in range(22))
    assert "more" not in drawn
    assert "1 to 11 of 22, j and k go through them" in panel_text("limits", snapshot, 100, 13)
