"""What the kernel knows of who keeps its clock: adjtimex, which everybody may read.

chrony, ntpd and systemd-timesyncd all tell the kernel, so that none of them need be asked.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass

_TIMEX_BYTES = 512
"""Larger than struct timex anywhere; its zeros ask for nothing to be set."""
_TIMEX = struct.Struct("@i3lqi")
"""modes, offset, freq, maxerror, esterror, status: the head of struct timex on 64-bit Linux."""
_UNSYNCHRONISED = 0x0040
_IN_NS = 0x2000
_US = 1_000


@dataclass(frozen=True, slots=True)
class KernelClock:
    """How the system's clock is kept."""

    synchronised: bool
    offset_ns: int
    """How far it still is from the time it is kept by; it is being slewed there."""
    max_error_us: int

    @property
    def known_offset_ns(self) -> int:
        """Give the offset where somebody keeps the clock; 0 where nobody knows it."""
        return self.offset_ns if self.synchronised else 0


def read_kernel_clock() -> KernelClock | None:
    """Ask the kernel; None where it does not say. Costs about a microsecond."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    try:
        answer = ctypes.CDLL(None).adjtimex(buffer)
    except (OSError, AttributeError):
        return None
    return kernel_clock_of(buffer.raw) if answer >= 0 else None


def kernel_clock_of(timex: bytes) -> KernelClock:
    """Read a struct timex."""
    _, offset, _, max_error_us, _, status = _TIMEX.unpack_from(timex)
    unit_ns = 1 if status & _IN_NS else _US
    return KernelClock(not status & _UNSYNCHRONISED, offset * unit_ns, max_error_us)
