"""Chance from a seed, the same on every processor and in every version: integers and the four operations.

Nothing here calls the C library's mathematics, whose last digits differ between machines.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_LN_2 = 0.6931471805599453


class Chance:
    """A stream of random numbers (SplitMix64); two streams of one seed are equal for ever."""

    def __init__(self, seed: int) -> None:
        """Start the stream of a seed, any integer of at most 64 bits."""
        self._state = seed & _MASK

    def bits(self) -> int:
        """Give 64 random bits."""
        self._state = z = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def unit(self) -> float:
        """Give a number in [0, 1)."""
        return (self.bits() >> 11) * 2.0**-53

    def below(self, limit: int) -> int:
        """Give an integer in [0, limit), limit at most 2**32; the bias is below 2**-32."""
        return ((self.bits() >> 32) * limit) >> 32

    def between(self, low: int, high: int) -> int:
        """Give an integer in [low, high], both included."""
        return low + self.below(high - low + 1)

    def exponential(self, mean: float) -> float:
        """Give a waiting time or size of the given mean, at most about 37 times the mean."""
        n = (self.bits() >> 11) + 1
        m = n / (1 << (n.bit_length() - 1))
        return mean * ((54 - n.bit_length()) * _LN_2 - _ln(m))


def _ln(m: float) -> float:
    """Give the logarithm of a number in [1, 2], right to 1e-6, by its series in (m - 1) / (m + 1)."""
    t = (m - 1.0) / (m + 1.0)
    s = t * t
    return 2.0 * t * (1.0 + s * (1.0 / 3 + s * (0.2 + s * (1.0 / 7 + s * (1.0 / 9 + s / 11)))))
