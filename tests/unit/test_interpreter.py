"""What the console asks of its interpreter, and that it is all as before afterwards."""

from __future__ import annotations

import gc
import sys

import pytest

from app.interpreter import SWITCH_INTERVAL_S, THRESHOLDS, attentive, set_apart


def test_nothing_is_collected_until_the_start_is_over_and_what_it_made_never_is() -> None:
    with attentive():
        assert not gc.isenabled()
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
        made: list[list[int]] = [[] for _ in range(1_000)]
        set_apart()
        assert gc.isenabled()
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > len(made)
        assert len(gc.get_objects()) < 1_000


def test_everything_is_as_before_when_the_console_is_gone() -> None:
    before = (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count(), gc.isenabled())

    def fails() -> None:
        with attentive():
            set_apart()
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert (sys.getswitchinterval(), gc.get_threshold(), gc.get_freeze_count(), gc.isenabled()) == before
