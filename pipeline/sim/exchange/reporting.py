"""Writes each event of an order's life twice: for the account, and into the venue's ledger."""

from __future__ import annotations

from pipeline.core.types import Side
from pipeline.sim.exchange.account import Account
from pipeline.sim.exchange.errors import VenueError
from pipeline.sim.exchange.house import Cleared, House
from pipeline.sim.exchange.ledger import Entry, EntryKind, Ledger
from pipeline.sim.exchange.matching import Fill
from pipeline.sim.exchange.order import (
    NO_TRADE,
    ClientOrder,
    ExecutionType,
    NewOrder,
    OrderReport,
    VenueEvent,
)

_ENTRY_OF = {
    ExecutionType.NEW: EntryKind.ACCEPTED,
    ExecutionType.CANCELED: EntryKind.CANCELED,
    ExecutionType.EXPIRED: EntryKind.EXPIRED,
    ExecutionType.TRADE_PREVENTION: EntryKind.EXPIRED,
}
_NO_FILL = Cleared(0, 0, 0)


class Reporter:
    """Makes the reports; the exchange takes them out of `events`."""

    def __init__(self, ledger: Ledger, house: House) -> None:
        self.ledger = ledger
        self.connection = 0
        """Whose request is being carried out; 0 for none."""
        self._house = house
        self.events: list[VenueEvent] = []
        self._execution_id = 0

    def opened(self, account: Account, now_ns: int) -> None:
        """Note an account's opening balances."""
        for asset, free_e8, _ in account.holds():
            self.ledger.write(Entry(0, now_ns, EntryKind.OPENED, account.name, asset=asset, base_e8=free_e8))

    def refused(
        self, account: Account, wanted: NewOrder, symbol: str, error: VenueError, now_ns: int
    ) -> None:
        """Note an order that was not let in; `symbol` is "" for one that is not listed."""
        self.ledger.write(
            Entry(
                *(0, now_ns, EntryKind.REFUSED, account.name, symbol),
                client_order_id=wanted.client_order_id[:36],
                side=wanted.side,
                code=error.code,
                text=error.message,
                connection=self.connection,
            )
        )

    def changed(
        self,
        account: Account,
        order: ClientOrder,
        execution: ExecutionType,
        now_ns: int,
        cancel_client_id: str = "",
    ) -> OrderReport:
        """Report that an order came in or ended, as it stands now."""
        report = self._report(order, execution, now_ns, cancel_client_id=cancel_client_id)
        lots = order.lots if execution is ExecutionType.NEW else order.leaves_lots
        self._write(account, order, _ENTRY_OF[execution], lots, order.ticks, now_ns)
        self._publish(account, report)
        return report

    def filled(
        self,
        account: Account,
        order: ClientOrder,
        fill: Fill,
        cleared: Cleared,
        trade_id: int,
        maker: bool,
        now_ns: int,
    ) -> OrderReport:
        """Report a fill that has been cleared."""
        report = self._report(order, ExecutionType.TRADE, now_ns, fill, cleared, trade_id, maker)
        self._write(account, order, EntryKind.FILLED, fill.lots, fill.ticks, now_ns, cleared, trade_id, maker)
        self._publish(account, report)
        return report

    def _report(
        self,
        order: ClientOrder,
        execution: ExecutionType,
        now_ns: int,
        fill: Fill | None = None,
        cleared: Cleared = _NO_FILL,
        trade_id: int = NO_TRADE,
        maker: bool = False,
        cancel_client_id: str = "",
    ) -> OrderReport:
        self._execution_id += 1
        return OrderReport(
            order=order,
            execution=execution,
            status=order.status,
            execution_id=self._execution_id,
            ts_ns=now_ns,
            filled_lots=order.filled_lots,
            filled_quote_e8=order.filled_quote_e8,
            last_lots=fill.lots if fill else 0,
            last_ticks=fill.ticks if fill else 0,
            trade_id=trade_id,
            commission_e8=cleared.commission_e8,
            realised_e8=cleared.realised_e8,
            maker=maker,
            working=order.is_open and order.rests,
            cancel_client_id=cancel_client_id,
        )

    def _write(
        self,
        account: Account,
        order: ClientOrder,
        kind: EntryKind,
        lots: int,
        ticks: int,
        now_ns: int,
        cleared: Cleared = _NO_FILL,
        trade_id: int = NO_TRADE,
        maker: bool = False,
    ) -> None:
        self.ledger.write(
            Entry(
                *(0, now_ns, kind, account.name, order.listing.symbol),
                order_id=order.order_id,
                client_order_id=order.client_order_id,
                side=Side(order.side),
                lots=lots,
                ticks=ticks,
                trade_id=trade_id,
                maker=maker,
                base_e8=cleared.base_e8,
                quote_e8=cleared.quote_e8,
                commission_e8=cleared.commission_e8,
                commission_asset=cleared.commission_asset,
                realised_e8=cleared.realised_e8,
                text=order.kind.value if kind is EntryKind.ACCEPTED else "",
                connection=self.connection,
            )
        )

    def _publish(self, account: Account, report: OrderReport) -> None:
        account.updated_ns = report.ts_ns
        self.events += self._house.told(account, report)
