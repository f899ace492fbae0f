"""When a model may start anything: only while its skill is proven, with hysteresis. Pure.

Judged at each block's end. Before enough calls have come of age nothing is proven either way, and a setting
says what holds then; only what is worse than a constant is told earlier. Once decided, too few calls (a
market gone quiet) change nothing. It closes at once and opens only after `OPEN_BLOCKS` blocks in a row whose
interval is above zero.
"""

from __future__ import annotations

from pipeline.core.skill import Proof

OPEN_BLOCKS = 3


class SkillGate:
    """Open or closed, from a stream of proofs."""

    __slots__ = ("_streak", "decided", "is_open")

    def __init__(self, open_unproven: bool) -> None:
        """Start open or closed until there is proof of something."""
        self.is_open = open_unproven
        self.decided = False
        """Say whether enough calls were ever there to judge by."""
        self._streak = 0

    def judge(self, proof: Proof, *, beaten: bool = False) -> bool:
        """Take a block's end; `beaten`: the baseline is proven better. True where open and closed changed."""
        before = self.is_open
        if proof is Proof.GATHERING:
            return False
        self.decided = True
        good = proof is Proof.PROVEN and not beaten
        self._streak = self._streak + 1 if good else 0
        self.is_open = good and (before or self._streak >= OPEN_BLOCKS)
        return self.is_open is not before

    def state(self) -> tuple[bool, bool]:
        """Give (open, decided), which `restore` takes."""
        return self.is_open, self.decided

    def restore(self, is_open: bool, decided: bool) -> None:
        """Go on from what was decided before; nothing decided changes nothing."""
        if decided:
            self.is_open, self.decided, self._streak = is_open, True, 0
