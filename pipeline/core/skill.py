"""Skill of a stream of probabilities over a baseline, with an interval for calls that overlap. Pure.

Calls 100 ms apart share most of their outcome, so single calls would look far too certain. They are summed
in blocks of time (batch means): a block is long against the horizon, and blocks, not calls, are the sample.
Losses are integers of 1e-6 nat, so that totals are exact in whatever order they were added.

    skill = 1 - loss / baseline loss = sum(gain) / sum(baseline loss), gain = baseline loss - loss

The interval is that of a ratio of sums over blocks: residual of a block = gain - skill * baseline loss, and
the two-sided 95 % point of Student's t with one degree less than there are blocks.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.core.types import E6

LN2_E6 = 693_147
"""Loss of a constant that says one half, in 1e-6 nat."""

LEAST_BLOCKS = 8
"""Fewer blocks give no interval: their spread says nothing yet."""

LEAST_BAD_CALLS = 40
"""Calls that do not overlap, from which a skill may count as proven worse: a fault needs less proof."""

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Skill:
    """How much smaller the loss is than the baseline's, in 1e-6 of the baseline's."""

    skill_e6: int
    low_e6: int
    high_e6: int
    blocks: int
    """Blocks with calls; below `LEAST_BLOCKS` the three numbers mean nothing."""

    @property
    def known(self) -> bool:
        """Tell whether there are enough blocks for an interval."""
        return self.blocks >= LEAST_BLOCKS


class Proof(enum.StrEnum):
    """What the interval says of a skill."""

    GATHERING = "GATHERING"
    """Too few calls to say anything."""
    NOT_PROVEN = "NOT_PROVEN"
    """The interval holds zero."""
    PROVEN = "PROVEN"
    WORSE = "WORSE"
    """The whole interval is below zero."""


NO_SKILL = Skill(0, 0, 0, 0)


def skill_of(blocks: Iterable[tuple[int, int]]) -> Skill:
    """Give the skill of (loss, baseline loss) sums by block, both in 1e-6 nat; empty blocks do not count."""
    pairs = [(base - loss, base) for loss, base in blocks if base > 0]
    total = sum(base for _, base in pairs)
    if not total:
        return NO_SKILL
    count = len(pairs)
    ratio = sum(gain for gain, _ in pairs) / total
    if count < 2:
        return Skill(round(ratio * E6), round(ratio * E6), round(ratio * E6), count)
    square = sum((gain - ratio * base) ** 2 for gain, base in pairs)
    reach = student_95(count - 1) * math.sqrt(square * count / (count - 1)) / total
    low, high = ratio - reach, ratio + reach
    return Skill(round(ratio * E6), math.floor(low * E6), math.ceil(high * E6), count)


def proof_of(skill: Skill, calls: int, least_calls: int, least_bad: int | None = None) -> Proof:
    """Say in one word what a skill amounts to; `calls` are those that do not overlap.

    From `least_bad` calls on a skill may be WORSE, before `least_calls` say anything else of it.
    """
    early = calls < least_calls
    if early and least_bad is not None and calls >= least_bad and skill.known and skill.high_e6 < 0:
        return Proof.WORSE
    if early or not skill.known:
        return Proof.GATHERING
    if skill.low_e6 > 0:
        return Proof.PROVEN
    return Proof.WORSE if skill.high_e6 < 0 else Proof.NOT_PROVEN


def student_95(freedom: int) -> float:
    """Give the two-sided 95 % point of Student's t, within 0.002 from 7 degrees of freedom on."""
    z, n = _Z, max(freedom, 1)
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )
