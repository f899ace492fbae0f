"""A ring is a bounded first-in first-out queue, whatever the order of pushes and pops."""

from __future__ import annotations

import mmap
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline.runtime.rings import (
    PAGE,
    RESULT,
    Ring,
    is_depth,
    request_struct,
    ring_bytes,
    ring_memory_bytes,
    worker_memory_bytes,
)

PAYLOAD = 24


def ends(depth: int, payload: int = PAYLOAD) -> tuple[Ring, Ring, memoryview]:
    memory = memoryview(mmap.mmap(-1, ring_bytes(depth, payload)))
    return Ring(memory[:], 0, depth, payload), Ring(memory[:], 0, depth, payload), memory


class RingAgainstDeque(RuleBasedStateMachine):
    """Two ends of one ring, driven in any order, against a deque."""

    def __init__(self) -> None:
        super().__init__()
        self.producer, self.consumer, _ = ends(4)
        self.model: deque[bytes] = deque()

    @rule(payload=st.binary(min_size=PAYLOAD, max_size=PAYLOAD))
    def push(self, payload: bytes) -> None:
        fits = len(self.model) < 4
        assert self.producer.push(payload) is fits
        if fits:
            self.model.append(payload)

    @precondition(lambda self: self.model)
    @rule()
    def pop(self) -> None:
        assert self.consumer.pop() == self.model.popleft()

    @precondition(lambda self: not self.model)
    @rule()
    def pop_empty(self) -> None:
        assert self.consumer.pop() is None

    @invariant()
    def ready_tells(self) -> None:
        assert self.consumer.ready() is bool(self.model)


TestRing = RingAgainstDeque.TestCase
TestRing.settings = settings(max_examples=40, stateful_step_count=60, deadline=None)


@given(depth=st.sampled_from([1, 2, 8, 64]), bursts=st.lists(st.integers(0, 70), max_size=30))
@settings(max_examples=60, deadline=None)
def test_no_payload_is_lost_doubled_or_swapped_over_many_turns(depth: int, bursts: list[int]) -> None:
    producer, consumer, _ = ends(depth)
    sent, taken = 0, []
    for burst in bursts:
        for _ in range(burst):
            sent += producer.push(sent.to_bytes(PAYLOAD, "little"))
        while (payload := consumer.pop()) is not None:
            taken.append(int.from_bytes(payload, "little"))
    assert taken == list(range(sent))


def test_a_payload_that_is_not_wholly_visible_yet_is_not_there_yet() -> None:
    producer, consumer, memory = ends(2)
    producer.push(b"a" * PAYLOAD)
    at = bytes(memory).index(b"aaaa")
    memory[at] = 0
    assert consumer.pop() is None

    memory[at] = ord("a")
    assert consumer.pop() == b"a" * PAYLOAD


def test_turns_go_on_past_what_a_slot_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    producer, consumer, memory = ends(4)
    turn = 2**32 - 2
    monkeypatch.setattr(producer, "_turn", turn)
    monkeypatch.setattr(consumer, "_turn", turn)
    memory.cast("Q")[0] = turn
    for value in range(10):
        assert producer.push(bytes([value]) * PAYLOAD)
        assert consumer.pop() == bytes([value]) * PAYLOAD


def test_a_payload_of_another_size_is_refused() -> None:
    producer, consumer, _ = ends(2)
    with pytest.raises(ValueError, match="different structures"):
        producer.push(b"short")
    assert consumer.pop() is None


@pytest.mark.parametrize(("depth", "payload"), [(0, 24), (3, 24), (-4, 24), (2**17, 24), (4, 20)])
def test_depths_and_sizes_no_ring_can_have(depth: int, payload: int) -> None:
    with pytest.raises(ValueError, match="want a power of two"):
        Ring(memoryview(bytearray(4096)), 0, depth, payload)


@given(depth=st.sampled_from([1, 2, 64, 1024, 65536]), width=st.integers(1, 200))
def test_memory_is_what_the_docs_say(depth: int, width: int) -> None:
    assert is_depth(depth)
    assert request_struct(width).size % 8 == 0
    used = PAGE + ring_bytes(depth, request_struct(width).size) + ring_bytes(depth, RESULT.size)
    total = worker_memory_bytes(depth, width)
    assert used <= total < used + mmap.PAGESIZE
    assert ring_memory_bytes(depth, width, 3) == 3 * total
