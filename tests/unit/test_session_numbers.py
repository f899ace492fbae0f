"""Numbers of sessions that send orders never repeat."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.core.order import client_order_id
from pipeline.runtime.places import PlacesError
from pipeline.runtime.session_numbers import COUNTER_BITS, next_session_number


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("LOBDECK_HOME", str(tmp_path))
    return tmp_path


def test_numbers_rise_under_one_tag_which_every_id_shows() -> None:
    first, second = next_session_number(), next_session_number()
    assert second == first + 1
    assert first >> COUNTER_BITS > 0
    assert client_order_id(first, 1)[:4] == client_order_id(second, 9)[:4]
    assert client_order_id(first, 1)[:8] != client_order_id(second, 1)[:8]


def test_sessions_that_start_together_get_numbers_of_their_own() -> None:
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: next_session_number(), range(40)))
    assert len({*given}) == 40


def test_used_up_numbers_begin_anew_under_another_tag(home: Path) -> None:
    (home / "session-number").write_text(f"00007 {(1 << COUNTER_BITS) - 1:07d}\n")
    assert next_session_number() >> COUNTER_BITS != 7


@pytest.mark.parametrize("text", ["7", "0 5", "x y", "99999999 1", "1 -1"])
def test_a_damaged_file_is_refused_and_not_guessed(home: Path, text: str) -> None:
    (home / "session-number").write_text(text)
    with pytest.raises(PlacesError, match="damaged"):
        next_session_number()
