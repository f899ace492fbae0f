"""Bytes from outside: every reader raises what it declares and nothing else, in bounded time and memory.

`python -m tests.fuzz.guided` searches the same readers for as long as one likes, led by what was run.
"""

from __future__ import annotations

import random
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import guided
from tests.fuzz.bending import bend
from tests.fuzz.guided import Findings, Tracer, search
from tests.fuzz.target import Target
from tests.fuzz.targets import all_targets

TARGETS = all_targets()
MOST_RUNS = 6_000
BOMBS = {
    "nested lists": b"[" * 60_000,
    "nested objects": b'{"a":' * 12_000,
    "nested objects in a message": b'{"stream":"btcusdt@depth","data":' + b'{"a":' * 12_000,
    "a long number": b"x = " + b"9" * 60_000,
    "a long exponent": b"x = 1e" + b"9" * 60_000,
    "a long key": b"a." * 30_000 + b"b = 1",
    "nested TOML": b"x = " + b"[" * 60_000,
    "a frame that says it is long": b"\xff\xff\xff\xff" + bytes(60_000),
    "a list that says it is long": b"\x00\x00\x00\x05\xdd\xff\xff\xff\xff",
    "nested lists in a frame": b"\x00\x00\xea\x60" + b"\x91" * 60_000,
    "a packed file that says it is long": b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + bytes(60),
    "a packed file of zeros": b"\x28\xb5\x2f\xfd\xa4" + b"\x00\x00\x00\x7f" + b"\xfb\xff\x7f\x00" * 3_000,
    "a chunk that says it is long": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
    "answers before the answer": b"HTTP/1.1 100 Continue\r\n\r\n" * 2_500,
    "fields of a model": b"\x0a\x00" * 30_000,
}
WITHIN_S, WITHIN_BYTES = 2.0, 64 << 20


@st.composite
def bent(draw: st.DrawFn, target: Target) -> bytes:
    sound = draw(st.sampled_from(target.seeds))
    return bend(sound, target.seeds, lambda most: draw(st.integers(0, most - 1)))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_bytes_of_any_kind_raise_declared_errors_only(target: Target) -> None:
    @settings(max_examples=80, deadline=None)
    @given(bent(target) | st.binary(max_size=200))
    def holds(data: bytes) -> None:
        target.read(data)

    for sound in target.seeds:
        target.read(sound)
    holds()


@pytest.mark.parametrize("what", BOMBS)
def test_bombs_cost_bounded_time_and_memory(what: str) -> None:
    for target in TARGETS:
        tracemalloc.start()
        began_s = time.process_time()
        try:
            target.read(BOMBS[what])
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert time.process_time() - began_s < WITHIN_S, target.name
        assert peak < WITHIN_BYTES, target.name


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_planted_bug_is_found(target: Target) -> None:
    with target.planted():
        for sound in target.seeds:
            target.read(sound)
        found = search(target.read, target.seeds, random.Random(1), until_broken)
    assert found.broken, f"nothing in {found.runs} runs"


def until_broken(found: Findings) -> bool:
    return not found.broken and found.runs < MOST_RUNS


def locked(data: bytes) -> None:
    """Fall only to four bytes in a row, each seen by what is run after it."""
    if data[:1] != b"\x17":
        return
    if data[1:2] != b"\xa3":
        return
    if data[2:3] != b"\x5c":
        return
    assert data[3:4] != b"\xee"


def test_what_was_run_leads_to_what_chance_alone_does_not_find() -> None:
    led = Tracer((str(Path(__file__).parent),))
    found = search(locked, [b"????"], random.Random(1), lambda one: not one.broken and one.runs < 60_000, led)
    assert found.broken, f"nothing in {found.runs} runs"
    blind = search(locked, [b"????"], random.Random(1), lambda one: one.runs < found.runs, Tracer(()))
    assert not blind.broken


def test_the_command_names_what_broke_and_gives_the_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(data: bytes) -> None:
        raise KeyError(data)

    target = Target("broken", refuse, (b"\x01\x02",), (guided, "ROOT", guided.ROOT))
    monkeypatch.setattr(guided, "all_targets", lambda: (target,))
    assert guided.main(["broken", "--seconds", "0.05"]) == 1
    assert "KeyError at test_hostile_bytes.py" in (said := capsys.readouterr().out)
    assert ": 0102" in said
