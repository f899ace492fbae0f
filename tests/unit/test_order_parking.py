"""Orders that wait for the disk: none overtakes another, none goes twice, and there is an end to them."""

from __future__ import annotations

from pipeline.core.effects import SubmitOrder
from pipeline.core.types import RiskApproved
from pipeline.runtime.order_parking import MOST_PARKED, OrderParking
from tests.fakes.trading import POLICY, intent


class Disk:
    """A journal whose disk writes when the test says so."""

    def __init__(self) -> None:
        self.healthy = True
        self.appended = 0
        self.written = 0

    def barrier(self) -> int:
        self.appended += 1
        return self.appended

    def durable(self, token: int) -> bool:
        return self.healthy and token <= self.written


def order(name: str) -> SubmitOrder:
    return SubmitOrder(RiskApproved(intent(), name, POLICY), 1)


def names(orders: list[SubmitOrder]) -> list[str]:
    return [one.approved.client_order_id for one in orders]


def test_an_order_whose_cause_is_written_waits_for_nothing() -> None:
    disk = Disk()
    disk.written = 99
    assert not OrderParking(disk).parks(order("a"))
    assert not OrderParking(None).parks(order("a"))


def test_a_later_order_does_not_overtake_one_that_still_waits() -> None:
    disk = Disk()
    parking = OrderParking(disk)
    assert parking.parks(order("a"))
    disk.written = 99
    assert parking.parks(order("b")), "the first has not been let go yet"
    assert names(parking.due()) == ["a", "b"]
    assert parking.due() == []


def test_orders_go_as_far_as_the_disk_has_come() -> None:
    disk = Disk()
    parking = OrderParking(disk)
    for name in "abc":
        parking.parks(order(name))
    disk.written = 2
    assert names(parking.due()) == ["a", "b"]
    disk.written = 3
    assert names(parking.due()) == ["c"]


def test_one_that_is_wanted_no_more_never_goes() -> None:
    disk = Disk()
    parking = OrderParking(disk)
    for name in "ab":
        parking.parks(order(name))
    taken = parking.take("a")
    assert taken is not None
    assert names([taken]) == ["a"]
    assert parking.take("a") is None
    disk.written = 99
    assert names(parking.due()) == ["b"]


def test_too_many_that_wait_let_no_more_in() -> None:
    disk = Disk()
    parking = OrderParking(disk)
    for number in range(MOST_PARKED):
        assert not parking.is_refused()
        parking.parks(order(f"o{number}"))
    assert parking.is_refused()
    disk.written = 1
    parking.due()
    assert not parking.is_refused()


def test_a_journal_that_failed_hands_each_order_back_once() -> None:
    disk = Disk()
    parking = OrderParking(disk)
    for name in "ab":
        parking.parks(order(name))
    assert parking.given_up() == []
    disk.healthy, disk.written = False, 99
    assert parking.is_refused()
    assert parking.due() == []
    assert names(parking.given_up()) == ["a", "b"]
    assert parking.given_up() == []
