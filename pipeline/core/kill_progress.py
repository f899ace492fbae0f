"""One kill from the closing of the gate to the venue's zero, and what a person at a console chose for it.

A kill by a console's key waits a moment for that choice: cancel ours (the default), cancel everything on the
account, or leave ours resting. Every other kill cancels ours at once.
"""

from __future__ import annotations

from dataclasses import dataclass

CHOICE_NS = 2_000_000_000
"""After a console's kill key ours are cancelled this late, unless a person is faster or leaves them."""

RELEASED = "authority OBSERVE, permits ended; `:resume`, then raise the authority step by step"
"""How a session stands after the release of a kill, and the way back up."""


@dataclass(slots=True)
class KillProgress:
    """One kill from the closing of the gate to the venue's zero."""

    who: str
    reason: str
    ts_ns: int
    latched: bool
    ours_total: int
    canceled_before: int
    filled_before: int
    cancels_sent: int = 0
    confirmed_ts_ns: int = 0
    first_zero_ns: int = 0
    """When the first list without an order of ours was asked for; 0 while there is none."""
    listed_zero: bool = False
    """A second one, asked for later than any order could still have been on its way."""
    last_number: int = 0
    """The newest order when the gate closed; what a person sends later (flatten) has a higher one."""
    later_canceled: int = 0
    later_filled: int = 0
    """What became of those later ones, which the kill's own counts leave out."""
    sent_ns: int = 0
    """When the newest later one was sent; 0 without one."""
    kills: int = 0
    """`GateChanged.kills` when it began, or at the last one since."""
    choose_by_ns: int = 0
    """Until when the choice is open; 0 once it is made, or where there is none."""
    left: bool = False
    """A person left ours resting: nothing here cancels them any more."""
    account: bool = False
    """A person asked for every order of the account to be cancelled, foreign ones too."""

    @property
    def spares(self) -> bool:
        """Say whether ours are not to be cancelled: left on purpose, or not decided yet."""
        return self.left or self.choose_by_ns > 0

    def cancel_ours(self) -> None:
        """Choose the default."""
        self.choose_by_ns, self.left = 0, False

    def leave(self) -> None:
        """Leave ours resting."""
        self.choose_by_ns, self.left = 0, True

    def on_sent(self, now_ns: int) -> None:
        """Take the venue's zero back: an order goes there after it."""
        self.sent_ns = now_ns
        self.confirmed_ts_ns, self.first_zero_ns, self.listed_zero = 0, 0, False

    def on_cancel(self, number: int) -> None:
        """Count a cancel that was sent for an order of before the kill."""
        self.cancels_sent += number <= self.last_number

    def on_counts(self, number: int, canceled: int, filled: int) -> None:
        """Leave out of the kill's counts what an answer made of an order sent after it."""
        if number > self.last_number:
            self.later_canceled += canceled
            self.later_filled += filled

    def on_listed(self, ours: int, asked_ns: int) -> None:
        """Take a list of open orders; one asked for before the kill or the newest order says nothing."""
        if asked_ns <= max(self.ts_ns, self.sent_ns):
            return
        if ours:
            self.first_zero_ns, self.listed_zero = 0, False
        elif not self.first_zero_ns:
            self.first_zero_ns = asked_ns
        elif asked_ns - self.first_zero_ns >= LATEST_ARRIVAL_NS:
            self.listed_zero = True


LATEST_ARRIVAL_NS = 1_000_000_000
"""The longest recvWindow: an order sent before this long ago is refused by the venue."""
