"""The feed's ups and downs in words on stderr: what a session without a screen, or its log, has to say."""

from __future__ import annotations

import sys
from typing import TextIO

from pipeline.core.inputs import CONNECTING, FeedStatusChanged
from pipeline.runtime.feed_route import FeedSink

_TRIED = "; it is tried again"


class SpokenSink:
    """Hands everything on to a sink and says what changed; the same words of a channel only once in a row."""

    def __init__(self, sink: FeedSink, out: TextIO | None = None) -> None:
        """Speak to `out`, else to stderr."""
        self.frame = sink.frame
        self._sink = sink
        self._out = sys.stderr if out is None else out
        self._down: dict[str, str] = {}
        """Reason of what was last said to be down, by channel; as many as there are channels."""
        self.last_words = ""
        """What was last said."""

    def status(self, status: FeedStatusChanged) -> None:
        """Take what became of a connection, a channel or the snapshot service."""
        self._sink.status(status)
        was, now = self._down.get(status.channel, ""), "" if status.up else status.reason
        self._down[status.channel] = now
        if now in (was, CONNECTING) or (not now and was == CONNECTING):
            return
        words = f"down: {now}{_TRIED}" if now else "up again"
        self.last_words = f"feed {status.channel} {words.removesuffix(_TRIED)}"
        self._out.write(f"lobdeck: feed {status.channel} {words}\n")
        self._out.flush()
