"""Rate limits as the venue counts them: so many in each window, windows aligned to the clock."""

from __future__ import annotations

from dataclasses import dataclass

SECOND_NS = 1_000_000_000

_INTERVALS = {"SECOND": 1, "MINUTE": 60, "DAY": 86_400}


@dataclass(slots=True)
class Quota:
    """One limit of `exchangeInfo` and what is used of it in the window that runs."""

    kind: str
    """REQUEST_WEIGHT, ORDERS or RAW_REQUESTS."""
    interval: str
    interval_num: int
    limit: int
    _window: int = -1
    _used: int = 0

    @property
    def window_ns(self) -> int:
        """Give the length of a window."""
        return _INTERVALS[self.interval] * self.interval_num * SECOND_NS

    @property
    def header(self) -> str:
        """Give the interval as the response headers name it, e.g. 10S or 1M."""
        return f"{self.interval_num}{self.interval[0]}"

    def used(self, now_ns: int) -> int:
        """Give how much of the window that runs is used."""
        window = now_ns // self.window_ns
        if window != self._window:
            self._window, self._used = window, 0
        return self._used

    def has_room(self, amount: int, now_ns: int) -> bool:
        """Say whether so much more fits into the window."""
        return self.used(now_ns) + amount <= self.limit

    def use(self, amount: int, now_ns: int) -> None:
        """Count an amount; a negative one gives back, never below nothing."""
        self._used = max(0, self.used(now_ns) + amount)

    def next_window_ns(self, now_ns: int) -> int:
        """Give when the next window begins."""
        return (now_ns // self.window_ns + 1) * self.window_ns


def usdm_order_quotas() -> tuple[Quota, Quota]:
    """Give the two limits on the new orders of a USD-M account."""
    return Quota("ORDERS", "SECOND", 10, 300), Quota("ORDERS", "MINUTE", 1, 1_200)


def order_quotas(per_10_s: int = 50, per_day: int = 160_000) -> tuple[Quota, Quota]:
    """Give the two limits on the new orders of an account."""
    return Quota("ORDERS", "SECOND", 10, per_10_s), Quota("ORDERS", "DAY", 1, per_day)
