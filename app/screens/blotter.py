"""The blotter with its filter: what is hidden is said in the title, and cannot be selected."""

from __future__ import annotations

from msgspec.structs import replace

from app.order_filter import OrderFilter
from pipeline.core.snapshot import ConsoleSnapshot, OrderView
from widgets.lines import Line, line_width, text
from widgets.orders import OrdersPanel


class FilteredOrders(OrdersPanel):
    """The orders that pass the filter; counts and warnings stay those of all orders."""

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Show every order."""
        super().__init__(plain=plain, id=id)
        self.filter = OrderFilter()

    def set_filter(self, wanted: OrderFilter) -> None:
        """Show only what passes."""
        self.filter = wanted
        self.redraw()

    def _orders(self) -> tuple[OrderView, ...]:
        return tuple(order for order in super()._orders() if self.filter.passes(order))

    def title_parts(self, snapshot: ConsoleSnapshot, room: int) -> tuple[Line, Line]:
        """Add the filter, and how much it shows, to the counts of all orders."""
        start, end = super().title_parts(snapshot, room)
        if not self.filter.words:
            return start, end
        count = f"{len(self._orders())} of {len(snapshot.orders)}"
        forms = (
            (*start, *text(f" / {self.filter.text}: {count}", "warn")),
            text(f"/ {self.filter.text}: {count}", "warn"),
            text(f"/ {count}", "warn"),
        )
        return next((form for form in forms if line_width(form) <= room), forms[-1]), end

    def content(self, snapshot: ConsoleSnapshot, width: int, height: int) -> list[Line]:
        """Give the orders that pass."""
        passing = tuple(order for order in snapshot.orders if self.filter.passes(order))
        return super().content(replace(snapshot, orders=passing), width, height)
