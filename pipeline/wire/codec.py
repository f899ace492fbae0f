"""What every venue's codec promises: raw frame in, engine inputs out, pure and total.

A codec reads no clock and keeps no state between frames beyond caches of texts, so a journal of raw frames
decodes to the same inputs for ever. Sequence ids are carried, not judged: that is `core.sync`.
"""

from __future__ import annotations

from typing import Protocol

from pipeline.core.inputs import WireInput

CODEC_VERSION = 1
"""Goes into the journal's header; raised when the same frame would give other inputs."""

MS_NS = 1_000_000

MAX_FRAME_BYTES = 8 * 1024 * 1024
"""Default size limit of one frame; whole-book snapshots of several MB are real."""


class Codec(Protocol):
    """Turns one venue's frames into inputs."""

    venue: str

    def decode(
        self, frame: bytes, ts_recv_ns: int, epoch: int, symbol_hint: str = ""
    ) -> tuple[WireInput, ...]:
        """Give the inputs of one frame, in order; never raises, whatever the bytes.

        A frame that cannot be believed gives one `FrameRefused`, one of no use a `FrameIgnored`.
        `symbol_hint` names the symbol of answers that print none (REST depth); without it they belong to
        the codec's only instrument, or are refused when there are several.
        """
        ...
