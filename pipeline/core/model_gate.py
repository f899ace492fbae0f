"""Stops a model that answers nonsense, or always the same (CONTROLS C19, M2 and M3). Pure.

Once stopped it stays so until a person resumes: its answers are still counted and shown, no entry follows.
"""

from __future__ import annotations

from collections import deque

from pipeline.core.params import SECOND

WINDOW_NS = 10 * SECOND


class ModelGate:
    """What one session's model has done lately."""

    def __init__(self, most_bad: int, frozen_rows: int) -> None:
        """`most_bad` bad answers within ten seconds stop it, as do `frozen_rows` equal ones in a row."""
        self.disabled = ""
        """Why the model may start nothing; empty while it may."""
        self._bad_ns: deque[int] = deque(maxlen=most_bad)
        self._frozen_rows = frozen_rows
        self._last: tuple[float, float, float] | None = None
        self._same = 0
        self._digest = 0

    def bad(self, now_ns: int) -> bool:
        """Count an answer that is none; True where this one stops the model."""
        self._bad_ns.append(now_ns)
        full = len(self._bad_ns) == self._bad_ns.maxlen
        return self._stop("BAD_ANSWERS") if full and now_ns - self._bad_ns[0] <= WINDOW_NS else False

    def good(self, answer: tuple[float, float, float], touch_digest: int) -> bool:
        """Take an answer to a row; only a market that moved counts. True where this one stops the model."""
        moved, self._digest = touch_digest != self._digest, touch_digest
        self._same = self._same + moved if answer == self._last else 0
        self._last = answer
        return self._stop("SAME_ANSWER") if self._same >= self._frozen_rows else False

    def reenable(self) -> None:
        """Start counting from nothing: a person said so."""
        self.disabled, self._same = "", 0
        self._bad_ns.clear()

    def _stop(self, why: str) -> bool:
        first, self.disabled = not self.disabled, self.disabled or why
        return first
