"""Says whether a key that adds risk may count now, and follows pastes, from what the input thread reads.

One writer, the input thread; the app's loop only reads. Times are monotonic seconds, given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START

LONGEST_PASTE_S = 1.0
"""A paste that brings nothing more for so long ends itself, so that keys after it are keys again."""

BURST_KEYS = 8
BURST_S = 0.05
AFTER_GAP_S = 1.0


@dataclass(slots=True)
class InputGuard:
    """Keys that add risk count neither in a burst nor in a paste nor right after a display gap."""

    burst_until_s: float = 0.0
    gap_until_s: float = 0.0
    paste_open: bool = False
    _recent: list[tuple[float, int]] = field(default_factory=list)

    def note_keys(self, now_s: float, count: int) -> None:
        """Count keys read together; more than eight within 50 ms are a burst."""
        if count:
            self._recent = [(t, n) for t, n in self._recent if now_s - t < BURST_S]
            self._recent.append((now_s, count))
            if sum(n for _, n in self._recent) > BURST_KEYS:
                self.burst_until_s = now_s + BURST_S

    def note_paste_end(self, now_s: float) -> None:
        """Count what comes right behind a paste as part of it."""
        self.paste_open = False
        self.burst_until_s = now_s + BURST_S

    def note_gap(self, now_s: float) -> None:
        """Note that what is on the screen may be old for another second."""
        self.gap_until_s = now_s + AFTER_GAP_S

    def in_burst(self, now_s: float) -> bool:
        """Say whether keys come faster than fingers press them."""
        return self.paste_open or now_s < self.burst_until_s

    def refusal(self, now_s: float) -> str:
        """Give why a key that adds risk does not count now; empty when it does."""
        if self.in_burst(now_s):
            return "keys came in a burst or a paste"
        return "the screen stood still until just now" if now_s < self.gap_until_s else ""


class PasteWatch:
    """Follows bracketed pastes in the decoded text, also where a mark is cut in two by a read."""

    def __init__(self, guard: InputGuard) -> None:
        self._guard = guard
        self._tail = ""
        self._newest_s = 0.0

    def note(self, text: str, now_s: float) -> None:
        """See where pastes open and close."""
        window = self._tail + text
        start, end = window.rfind(BRACKETED_PASTE_START), window.rfind(BRACKETED_PASTE_END)
        if start > end:
            self._guard.paste_open = True
        elif end >= 0:
            self._guard.note_paste_end(now_s)
        self._newest_s = now_s
        # A whole mark must not be seen again: keep less than one, and nothing after the newest.
        self._tail = window[max(start, end) + 1 :][1 - len(BRACKETED_PASTE_END) :]

    def is_overdue(self, now_s: float) -> bool:
        """Say once that an open paste has brought nothing more for too long, and count it as closed."""
        if not self._guard.paste_open or now_s - self._newest_s < LONGEST_PASTE_S:
            return False
        self._guard.note_paste_end(now_s)
        return True
