"""The blotter: our orders with their state mark, and the counts of the session under them."""

from __future__ import annotations

from pipeline.core.snapshot import ConsoleSnapshot, OrderView
from widgets.base import SnapshotWidget
from widgets.blotter import count_lines, narrow_columns, wide_columns
from widgets.glyphs import POINTER
from widgets.lines import Line, Segment, text
from widgets.marks import WORKING

_WIDE = 110
"""From this width on the blotter is a table with a column for every fact."""


class OrdersPanel(SnapshotWidget):
    """Orders, newest first, with one selected by its client order id."""

    TITLE = "ORDERS"

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Make an empty blotter."""
        super().__init__(plain=plain, id=id)
        self._chosen = ""
        self._top = 0
        self._head_rows = 1

    def selected(self) -> OrderView | None:
        """Give the selected order as drawn, or None."""
        return next((order for order in self._orders() if order.client_order_id == self._chosen), None)

    def move(self, step: int) -> None:
        """Select the next (+1) or previous (-1) order, from nothing the first or the last."""
        orders = self._orders()
        if not orders:
            return
        places = [index for index, order in enumerate(orders) if order.client_order_id == self._chosen]
        place = places[0] + step if places else 0 if step > 0 else len(orders) - 1
        self._choose(orders[max(0, min(len(orders) - 1, place))].client_order_id)

    def pick(self, row: int) -> None:
        """Select the order at a row; the first row may be the head."""
        orders, place = self._orders(), row - self._head_rows + self._top
        if row >= self._head_rows and 0 <= place < len(orders):
            self._choose(orders[place].client_order_id)

    def clear(self) -> None:
        """Select nothing."""
        self._choose("")

    def _choose(self, client_order_id: str) -> None:
        self._chosen = client_order_id
        self.redraw()

    def _orders(self) -> tuple[OrderView, ...]:
        return self.snapshot.orders if self.snapshot is not None else ()

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Give how many work, and every order that is unknown or not ours."""
        del room
        counts = snapshot.counts
        working = len([order for order in snapshot.orders if order.state in WORKING])
        warnings: list[Segment] = []
        if counts.unknown:
            warnings.append((f" {counts.unknown} UNKNOWN ", "unknown"))
        if counts.foreign:
            warnings.append((f" {counts.foreign} FOREIGN", "warn"))
        return ((f"{working} working", "bright" if working else "dim"), *warnings), ()

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the head, as many orders as fit around the selected one, and the session's counts."""
        foot = count_lines(snapshot, width)[: max(0, (height - 4) // 2)]
        headed = height >= 5
        room = max(0, height - len(foot) - headed)
        columns = wide_columns if width >= _WIDE else narrow_columns
        orders = snapshot.orders
        self._top = self._first(orders, room)
        lines = [self._row(order, snapshot, width) for order in orders[self._top : self._top + room]]
        if not orders:
            lines = [text("  no orders", "dim")]
        more = len(orders) - self._top - len(lines) if orders else 0
        if more > 0 and lines:
            lines[-1] = text(f"  {more + 1} more below", "dim")
        head = [columns(None, snapshot, width)] if headed else []
        self._head_rows = len(head)
        return [*head, *lines, *[()] * (room - len(lines)), *foot]

    def _first(self, orders: tuple[OrderView, ...], room: int) -> int:
        """Give the first order to draw, so that the selected one is inside, above the last line."""
        places = [index for index, order in enumerate(orders) if order.client_order_id == self._chosen]
        if not places or places[0] < room - 1:
            return 0
        return min(places[0] - room + 2, max(0, len(orders) - room))

    def _row(self, order: OrderView, snapshot: ConsoleSnapshot, width: int) -> Line:
        columns = wide_columns if width >= _WIDE else narrow_columns
        line = columns(order, snapshot, width)
        if order.client_order_id != self._chosen:
            return line
        return ((POINTER, "selected"), *line[1:])
