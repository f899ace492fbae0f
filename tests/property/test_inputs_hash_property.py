"""The hash of the inputs changes with any byte of any frame, with a lost one, and with their order."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.core.effects import Effect
from pipeline.core.inputs import Input, TimerBeat
from pipeline.runtime.pump import Pump
from pipeline.wire.binance_spot import BinanceSpotCodec
from tests.fakes.sessions import synthetic_lines

FRAMES = [line.partition(b" ")[2] for line in synthetic_lines(40)]


class Deaf:
    """An engine that has nothing to say."""

    def handle(self, event: Input) -> list[Effect]:
        del event
        return []


def hashed(frames: list[bytes], beat_after: int = 20) -> str:
    pump = Pump(Deaf(), BinanceSpotCodec({}), None, lambda _: None)
    for number, frame in enumerate(frames):
        pump.frame(frame, 1_000 + number, 0)
        if number == beat_after:
            pump.event(TimerBeat(5_000))
    return pump.inputs_sha256


REFERENCE = hashed(FRAMES)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(FRAMES) - 1), st.integers(0, 10**6), st.integers(1, 255))
def test_any_byte_of_any_frame_changes_it(which: int, where: int, by: int) -> None:
    frames = list(FRAMES)
    frame = bytearray(frames[which])
    frame[where % len(frame)] ^= by
    frames[which] = bytes(frame)
    assert hashed(frames) != REFERENCE


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(FRAMES) - 1), st.integers(0, len(FRAMES) - 1))
def test_a_lost_or_moved_frame_changes_it(one: int, other: int) -> None:
    lost = [frame for number, frame in enumerate(FRAMES) if number != one]
    assert hashed(lost) != REFERENCE
    moved = list(FRAMES)
    moved[one], moved[other] = moved[other], moved[one]
    assume(moved != FRAMES)
    assert hashed(moved) != REFERENCE


def test_the_same_frames_give_the_same() -> None:
    assert hashed(list(FRAMES)) == REFERENCE
