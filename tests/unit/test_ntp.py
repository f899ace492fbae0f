"""What the kernel says of who keeps its clock."""

from __future__ import annotations

import struct

from pipeline.runtime.ntp import KernelClock, kernel_clock_of, read_kernel_clock

UNSYNCHRONISED, NANOSECONDS = 0x40, 0x2000


def timex(offset: int, max_error_us: int, status: int) -> bytes:
    """A struct timex with what we read of it."""
    return struct.pack("@i3lqi", 0, offset, 0, max_error_us, 0, status) + bytes(400)


def test_offset_is_in_microseconds_unless_the_kernel_says_nanoseconds() -> None:
    assert kernel_clock_of(timex(-3, 900, 0)) == KernelClock(True, -3_000, 900)
    assert kernel_clock_of(timex(-3, 900, NANOSECONDS)) == KernelClock(True, -3, 900)


def test_offset_of_a_clock_nobody_keeps_is_not_known() -> None:
    found = kernel_clock_of(timex(700_000, 16_000_000, UNSYNCHRONISED | NANOSECONDS))
    assert not found.synchronised
    assert found.known_offset_ns == 0
    assert kernel_clock_of(timex(700_000, 900, NANOSECONDS)).known_offset_ns == 700_000


def test_this_kernel_says_something_or_nothing_at_all() -> None:
    found = read_kernel_clock()
    assert found is None or found.max_error_us >= 0
