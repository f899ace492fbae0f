"""The ladder: a static price axis with the book's sizes, our orders, the last print and the book's state.

Bids stand left of the price, asks right of it; our orders at the outer edges. While the book is not ok no
size is shown and the state is written over the middle.
"""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot
from pipeline.core.types import BookState
from widgets.axis import LadderAxis
from widgets.base import SnapshotWidget
from widgets.cells import plain_price
from widgets.ladder_book import rows_of
from widgets.ladder_row import columns_for, draw_row, shown_decimals
from widgets.lines import Line, overprint, text
from widgets.marks import BOOK_WORDS, book_words
from widgets.times import age_text


class LadderPanel(SnapshotWidget):
    """The book around the touch."""

    TITLE = "LADDER"

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make a ladder with an axis that waits for its first book."""
        super().__init__(plain=plain, id=id)
        self.axis = LadderAxis()
        self._symbol = ""
        self._rows = 0

    def advance(self, snapshot: ConsoleSnapshot) -> None:
        """Let the axis follow the book; another symbol starts a new axis."""
        if snapshot.instrument.symbol != self._symbol:
            self._symbol = snapshot.instrument.symbol
            self.axis = LadderAxis()
        self.axis = self.axis.follow(snapshot.ladder, self._rows, snapshot.ts_ns)

    def recentre(self) -> None:
        """Put the touch into the middle row now."""
        if self.snapshot is not None:
            self.axis = self.axis.recentred(self.snapshot.ladder, self.snapshot.ts_ns)
            self.redraw()

    def change_step(self, direction: int) -> None:
        """Take the next larger (+1) or smaller (-1) step."""
        if self.snapshot is not None:
            self.axis = self.axis.stepped(direction, self.snapshot.ladder, self.snapshot.ts_ns)
            self.redraw()

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give the book's state and age, and the step."""
        ladder, view, step = snapshot.ladder, snapshot.instrument, self.axis.step
        if ladder.state is not BookState.SYNCED:
            return text(BOOK_WORDS[ladder.state], "overprint"), ()
        age = age_text(ladder.age_ms).rjust(6)
        price = plain_price(view, step, shown_decimals(view, step)) if step else ""
        forms = (
            (f"book ok {age}", f"step {price} = {step} tick{'s' * (step > 1)}"),
            (f"book ok {age}", f"step {price} = {step} t"),
            (f"ok {age}", f"step {price} = {step} t"),
            (f"ok {age}", f"step {price}"),
            (f"ok {age}", f"x{step} t"),
        )
        start, end = next((form for form in forms if len(form[0]) + len(form[1]) <= room), forms[-1])
        return text(start, "dim"), text(end if step else "", "dim")

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give one line a price, highest first."""
        if height != self._rows:
            self._rows = height
            self.axis = self.axis.follow(snapshot.ladder, height, snapshot.ts_ns)
        ladder, axis = snapshot.ladder, self.axis
        ok = ladder.state is BookState.SYNCED
        if not axis.step:
            words = "NO PRICE YET" if ok else BOOK_WORDS[ladder.state]
            return overprint([()] * height, words, "overprint", width)
        columns = columns_for(snapshot.instrument, axis, width, height)
        top = axis.centre + height // 2
        rows = range(top, top - height, -1)
        lines = [draw_row(columns, facts) for facts in rows_of(ladder, snapshot.instrument, axis.step, rows)]
        return lines if ok else overprint(lines, book_words(ladder)[0], "overprint", width)
