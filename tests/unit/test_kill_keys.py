"""Emergency keys are found in raw bytes, whole or cut, alone or inside anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kill_keys import Emergency, EmergencyKeys

KILL = [b"\x0b", b"\x1b[20~", b"\x1b[20;1~", b"\x1b[107;5u", b"\x1b[107;5:1u", b"\x1b[27;5;107~"]
KILL += [b"\x1b[107:75;69u", b"\x1b[107;133u"]
HALT = [b"\x1b[19~", b"\x1b[19;1:1~"]
NEITHER = [b"k", b"p", b"\x1b[107;1u", b"\x1b[106;5u", b"\x1b[21~", b"\x1b[27;5;106~", b"\x1b[A", b""]


@pytest.mark.parametrize("data", KILL)
def test_every_form_of_the_kill_key_kills(data: bytes) -> None:
    assert EmergencyKeys().scan(data) is Emergency.KILL


@pytest.mark.parametrize("data", HALT)
def test_the_halt_key_halts(data: bytes) -> None:
    assert EmergencyKeys().scan(data) is Emergency.HALT


@pytest.mark.parametrize("data", NEITHER)
def test_other_keys_do_neither(data: bytes) -> None:
    assert EmergencyKeys().scan(data) is None


@given(st.sampled_from(KILL), st.binary(max_size=40), st.binary(max_size=40))
def test_kill_is_found_inside_anything(key: bytes, before: bytes, after: bytes) -> None:
    assert EmergencyKeys().scan(before + key + after) is Emergency.KILL


@given(st.sampled_from(KILL + HALT), st.lists(st.integers(0, 12), max_size=4), st.binary(max_size=30))
def test_a_key_cut_by_reads_is_found_once(key: bytes, cuts: list[int], before: bytes) -> None:
    keys = EmergencyKeys()
    keys.scan(before.replace(b"\x0b", b"").replace(b"\x1b", b""))
    edges = sorted({0, len(key), *(cut for cut in cuts if cut < len(key))})
    pieces = [key[a:b] for a, b in zip(edges, edges[1:], strict=False)]
    found = [answer for piece in pieces if (answer := keys.scan(piece)) is not None]
    assert len(found) == 1
    assert keys.scan(b"abc") is None


@given(st.lists(st.binary(max_size=64), max_size=20))
def test_any_bytes_are_scanned_in_bounded_memory(chunks: list[bytes]) -> None:
    keys = EmergencyKeys()
    for chunk in chunks:
        keys.scan(chunk)
        assert len(keys._tail) <= 64 + 24
