"""Laws of restarts: whenever a session dies, the next one finds out; the exchange's ledger is the judge.

Nothing is sent twice, no fill counts twice or is lost, home inventory stays what it was, and what the last
session left is settled by a person before anything is armed.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inputs import BalancesCompared, Command, PositionBroke
from pipeline.core.types import Fees, OrderState, Side, TradingState
from pipeline.runtime.venue_state import Phase
from pipeline.sim.exchange.listing import NO_FEES
from tests.fakes.restart_bench import RestartBench
from tests.fakes.venue_bench import BEST_ASK, BEST_BID, SESSION

HOME_E8 = 10 * 10**8
FAULTY_S = 5
Act = tuple[str, int, int]

sides = st.sampled_from(Side)
dies = st.tuples(st.just("die"), st.integers(0, 40), st.integers(0, 3_000))
acts = st.one_of(
    st.tuples(st.just("rest"), sides, st.integers(500, 6_000)),
    st.tuples(st.just("take"), sides, st.integers(500, 9_000)),
    st.tuples(st.just("cancel"), st.integers(0, 30), st.just(0)),
    st.tuples(st.just("street"), sides, st.integers(1, 9_000)),
    st.tuples(st.just("cut"), st.just(0), st.just(0)),
    st.tuples(st.just("pass"), st.integers(1, 900), st.just(0)),
    st.tuples(st.sampled_from(["adopt", "drop", "resume", "keep"]), st.just(0), st.just(0)),
    dies,
)
COMMANDS = {"adopt": Command.ADOPT, "drop": Command.CANCEL_EARLIER, "resume": Command.RESUME}
FAULTS = ("", "lost-ack=0.5", "lost-report=1", "lost-report=0.5", "unknown=0.3", "slow-report=300")


def do(bench: RestartBench, act: Act, given_ids: list[str]) -> None:
    """Carry out one act of the engine, the market, the line or the person."""
    what, number, amount = act
    match what:
        case "rest":
            side = Side(number)
            given_ids.append(bench.submit(side, amount, BEST_BID + 1 if side is Side.BUY else BEST_ASK - 1))
        case "take":
            side = Side(number)
            ticks = BEST_ASK + 2 if side is Side.BUY else BEST_BID - 2
            given_ids.append(bench.submit(side, amount, ticks, takes=True))
        case "cancel":
            live = bench.live_ids()
            if live:
                bench.cancel(live[number % len(live)])
        case "street":
            bench.street(Side(number), amount)
        case "cut":
            bench.cut()
        case "pass":
            bench.pass_ms(number)
        case "keep":
            bench.keep()
        case "die":
            bench.crash(lost_records=number)
            bench.street(Side.SELL if amount % 2 else Side.BUY, amount + 1)
            bench.restart()
            bench.pass_ms(amount)
        case _:
            armed = bench.command(COMMANDS[what])
            if bench.start.differs or bench.desk.phase is not Phase.UP:
                assert armed != "ACTIVE"
    bench.pass_ms(20, 20)
    if bench.start.differs:
        assert bench.engine.trading_state is TradingState.HALTED


@given(
    st.lists(acts, min_size=3, max_size=16),
    dies,
    st.sampled_from(FAULTS),
    st.integers(0, 2**16),
    st.sampled_from([0, 0, 80, 900]),
    st.sampled_from([NO_FEES, Fees(1_000, 2_000, "venue")]),
)
@settings(max_examples=60, deadline=None)
def test_whenever_a_session_dies_the_next_one_finds_out(
    script: list[Act], last: Act, fault: str, seed: int, delay_ms: int, fees: Fees
) -> None:
    bench = RestartBench(*([f"{fault}@0.4+{FAULTY_S}"] if fault else []), seed=seed, fees=fees)
    bench.pass_ms(1_000)
    bench.delay_ms = delay_ms
    given_ids: list[str] = []
    for act in (*script, last):
        do(bench, act, given_ids)
    bench.delay_ms = 0
    bench.settle(FAULTY_S + 6)
    assert bench.desk.phase is Phase.UP
    assert bench.agrees()
    assert not bench.store.unknown_orders
    placed = Counter(one["params"]["newClientOrderId"] for one in bench.methods("order.place"))
    assert set(placed.values()) <= {1}
    assert not any(one.differ for one in bench.of(BalancesCompared))
    assert not bench.of(PositionBroke)
    assert bench.portfolio.home_lots("BTCUSDT") == home_lots(bench)
    for order in bench.live_ids():
        earlier = not order.startswith(f"t{bench.number:x}") and bench.start.orders.get(order)
        assert bench.state(order) is not OrderState.UNKNOWN or earlier
    settled(bench)


def settled(bench: RestartBench) -> None:
    """See that what is left is a person's to settle, and that everything can be armed then."""
    bench.command(Command.CANCEL_EARLIER)
    bench.settle(2)
    bench.command(Command.ADOPT)
    bench.settle(2)
    assert not bench.start.differs
    assert bench.command(Command.RESUME) == "ACTIVE"
    assert bench.agrees()


def home_lots(bench: RestartBench) -> int:
    units = HOME_E8 * int(10**bench.instrument.size_decimals) // 10**8
    return units // bench.instrument.lot_units


def test_session_numbers_of_the_bench_rise() -> None:
    bench = RestartBench()
    bench.again()
    assert bench.number == SESSION + 1
