"""Below 80x24: what must never leave the screen, and what else there is room for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import Authority, BookState, TradingState, VenueMode
from tests.fakes import snapshots
from widgets.lines import line_text, line_width
from widgets.terse import Chrome, terse_lines

CLOCK = (("09:31:07Z ", "text"), ("/", "accent"))
PLAIN = Chrome("^K", CLOCK)
WATCHING = Chrome("^K", CLOCK, watching=True)


def at_worst(**header: object) -> ConsoleSnapshot:
    """Give a picture whose words are as long as they get."""
    picture = snapshots.make_snapshot()
    return replace(
        picture,
        header=replace(
            picture.header,
            **{
                "mode": VenueMode.REPLAY,
                "authority": Authority.APPROVE,
                "trading_state": TradingState.REDUCING,
                **header,
            },
        ),
        ladder=replace(picture.ladder, state=BookState.CHECKSUM),
    )


def drawn(snapshot: ConsoleSnapshot, width: int, height: int, chrome: Chrome = PLAIN) -> str:
    lines = terse_lines(snapshot, chrome, width, height)
    assert len(lines) <= height
    return "\n".join(line_text(line) for line in lines)


@pytest.mark.parametrize("chrome", [PLAIN, WATCHING], ids=["control", "watching"])
@pytest.mark.parametrize("unmanaged", [0, 20])
@pytest.mark.parametrize("size", [(20, 5), (24, 5), (40, 3), (60, 2), (79, 23)])
def test_what_must_never_leave_the_screen_is_there_whole(
    size: tuple[int, int], unmanaged: int, chrome: Chrome
) -> None:
    text = drawn(at_worst(unmanaged_lots=unmanaged), *size, chrome)
    for word in ("REPLAY", "APPROVE", "REDUCING", "+0.020", "CHECKSUM", "^K"):
        assert word in text, (word, text)
    assert ("WATCH" in text) == chrome.watching
    assert all(line_width(line) <= size[0] for line in terse_lines(at_worst(), chrome, *size)[:5])


def test_the_position_says_long_or_short_where_there_is_room() -> None:
    assert "+0.020 LONG" in drawn(snapshots.make_snapshot(), 20, 5)


def test_on_less_than_that_the_trading_state_the_position_and_the_key_stay_longest() -> None:
    assert drawn(at_worst(), 20, 1) == "REDUCING +0.020 ^K"
    assert drawn(at_worst(), 8, 1) == "REDUCING"
    assert "REDUCING" in drawn(at_worst(), 1, 1)
    assert drawn(at_worst(), 20, 0) == ""


def test_a_kill_is_told_from_edge_to_edge_with_what_the_keys_do() -> None:
    chrome = Chrome("^K", CLOCK, choice="Enter cancels ours")
    lines = terse_lines(snapshots.killed_snapshot(), chrome, 40, 14)
    red = [line for line in lines if line[0][1] == "kill"]
    assert all(line_width(line) == 40 for line in red)
    text = " ".join(line_text(line).strip() for line in red)
    for words in ("KILLED", "YOUR POSITION STAYS: +0.020 BTC LONG = 1,284 USDT", "Enter cancels ours"):
        assert words in text
    assert text.index("KILLED") < 20


def test_an_old_picture_says_so() -> None:
    assert "OLD" in drawn(snapshots.make_snapshot(), 20, 5, Chrome("^K", CLOCK, old=((" 3 s OLD ", "warn"),)))


def test_rows_that_are_left_show_touch_money_score_card_chain_and_alert() -> None:
    text = drawn(snapshots.make_snapshot(), 79, 20)
    for words in ("spread 1 t", "day -1.04 USDT", "entry 0.24", "edge", "feed", "denied by risk", "80x24"):
        assert words in text
    few = drawn(snapshots.make_snapshot(), 79, 3)
    assert "spread 1 t" in few
    assert "edge" not in few


def test_a_book_that_is_not_ok_is_loud_also_in_the_smallest_form() -> None:
    for size in ((20, 5), (30, 2)):
        line = [part for line in terse_lines(at_worst(), PLAIN, *size) for part in line]
        assert next(role for words, role in line if "CHECKSUM" in words) == "overprint"
