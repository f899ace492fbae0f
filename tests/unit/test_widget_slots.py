"""Places of cards: nothing moves under the finger."""

from __future__ import annotations

from widgets.slots import CardSlots

SECOND = 1_000_000_000


def test_a_card_born_alone_is_selected() -> None:
    assert CardSlots().follow([91], SECOND).selected == 91


def test_a_card_born_beside_another_is_not_selected() -> None:
    slots = CardSlots().follow([91], SECOND).select(0).follow([91, 92], 2 * SECOND)
    assert slots.selected == 0
    assert slots.present == (91, 92)


def test_a_standing_card_is_not_selected_again_after_a_press() -> None:
    assert CardSlots().follow([91], SECOND).select(0).follow([91], 2 * SECOND).selected == 0


def test_a_new_card_does_not_take_the_place_of_one_just_gone() -> None:
    slots = CardSlots().follow([91, 92], SECOND).follow([92, 93], 2 * SECOND)
    assert slots.present == (92, 93)
    assert slots.slots[0] is not None
    assert slots.slots[0].idea_id == 91
    assert slots.just_gone == (91,)


def test_the_place_is_free_again_after_two_seconds() -> None:
    slots = CardSlots().follow([91, 92], SECOND).follow([92], 2 * SECOND).follow([92, 93], 4 * SECOND)
    assert slots.present == (93, 92)
    assert slots.just_gone == ()


def test_the_selection_ends_with_its_card_and_does_not_jump_to_another() -> None:
    slots = CardSlots().follow([91, 92], SECOND).select(91)
    assert slots.follow([92], 2 * SECOND).selected == 0


def test_moving_goes_through_the_places_and_stops_at_the_ends() -> None:
    slots = CardSlots().follow([91, 92, 93], SECOND)
    assert slots.moved(1).selected == 91
    assert slots.moved(-1).selected == 93
    assert slots.select(92).moved(1).selected == 93
    assert slots.select(93).moved(1).selected == 93
    assert slots.select(91).moved(-1).selected == 91


def test_with_no_card_nothing_can_be_selected() -> None:
    assert CardSlots().moved(1).selected == 0
    assert CardSlots().select(5).selected == 0


def test_time_that_jumps_back_frees_places() -> None:
    slots = CardSlots().follow([91, 92], 10 * SECOND).follow([92], 11 * SECOND)
    assert slots.follow([92], SECOND).just_gone == ()
