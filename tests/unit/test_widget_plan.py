"""Where panels go, and how their rules meet."""

from __future__ import annotations

import pytest

from widgets.plan import PAGES, Place, Share, divide, kind_of, plan


def picture(places: dict[str, Place], width: int, height: int) -> list[str]:
    """Draw the rules of a plan alone."""
    grid = [[" "] * width for _ in range(height)]
    for place in places.values():
        frame = place.frame
        rows = [frame.top] if len(frame.top) == place.width else []
        for offset, glyph in enumerate(rows[0] if rows else ""):
            grid[place.y][place.x + offset] = glyph
        for offset in range(len(frame.left)):
            grid[place.y + 1 + offset][place.x] = frame.left[offset]
        for offset in range(len(frame.right)):
            grid[place.y + 1 + offset][place.x + place.width - 1] = frame.right[offset]
        for offset, glyph in enumerate(frame.bottom):
            grid[place.y + place.height - 1][place.x + offset] = glyph
    return ["".join(row) for row in grid]


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        ((160, 48), "full"),
        ((116, 36), "full"),
        ((115, 48), "compact"),
        ((160, 35), "compact"),
        ((80, 24), "compact"),
        ((79, 24), "line"),
        ((80, 23), "line"),
        ((20, 5), "line"),
    ],
)
def test_the_layout_follows_the_size(size: tuple[int, int], kind: str) -> None:
    assert kind_of(*size) == kind


def test_rules_join_where_they_meet() -> None:
    rules = picture(plan(160, 48), 160, 48)
    assert rules[3][0] == "┌"
    assert rules[3].rstrip()[-1] == "┐"
    assert "┬" in rules[3]
    assert rules[46][0] == "└"
    assert rules[46].rstrip()[-1] == "┘"
    alerts = plan(160, 48)["alerts"]
    assert rules[alerts.y].count("┴") == 2
    assert rules[alerts.y][0] == "├"
    tape = plan(160, 48)["tape"]
    assert rules[tape.y][tape.x + tape.width] in "┤┼"


def test_below_the_least_size_one_panel_keeps_what_must_not_leave() -> None:
    assert list(plan(60, 7)) == ["status"]
    assert list(plan(60, 10)) == ["status", "hints"]


@pytest.mark.parametrize(
    ("page", "panels"),
    [
        ("orders", ("orders", "position", "chain")),
        ("health", ("workers", "stages", "limits", "chain")),
        ("model", ("skill", "model", "chain")),
    ],
)
def test_on_the_smallest_screen_a_page_keeps_what_it_is_named_for(page: str, panels: tuple[str, ...]) -> None:
    places = plan(80, 24, page)
    assert set(panels) <= set(places)
    assert places["chain"].y == max(place.y for name, place in places.items() if name != "hints")


def test_header_and_hints_are_at_every_size_that_has_panels() -> None:
    for size in ((80, 24), (120, 40), (160, 48), (220, 70)):
        for page in PAGES:
            places = plan(*size, page)
            assert places["status"].height == 3
            assert places["hints"].y == size[1] - 1


def test_a_maximised_panel_leaves_header_and_chain() -> None:
    places = plan(120, 40, "trading", "orders")
    assert set(places) == {"orders", "chain", "status", "hints"}
    assert places["orders"].width == 120
    assert set(plan(120, 40, "trading", "chain")) == {"chain", "status", "hints"}


def test_a_tall_small_screen_has_room_for_the_position() -> None:
    assert "position" not in plan(80, 24)
    assert "position" in plan(80, 40)


def test_rows_go_first_to_the_least_then_by_weight_up_to_the_most() -> None:
    shares = (Share("a", 2, 1, 4), Share("b", 3, 3))
    assert divide(5, shares) == [2, 3]
    assert divide(9, shares) == [3, 6]
    assert divide(30, shares) == [4, 26]
    assert divide(30, (Share("a", 2, 1, 4), Share("b", 3, 1, 5))) == [4, 26]
    assert divide(30, (Share("a", 2, 0), Share("b", 3, 0))) == [2, 28]


def test_too_few_rows_are_given_from_the_first_share_on() -> None:
    assert divide(4, (Share("a", 3), Share("b", 3))) == [3, 1]
    assert divide(0, (Share("a", 3), Share("b", 3))) == [0, 0]
