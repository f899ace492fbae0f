"""Whatever workers do and however time passes, every row asked ends exactly once and the accounts agree."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fakes.workers import FakeFloor, FakeProcess

SYMBOLS = st.sampled_from(["BTC", "ETH", "SOL"])


class PoolUnderFire(RuleBasedStateMachine):
    """Rows in any order against workers that answer, lie, hang, die and come back."""

    floor: FakeFloor

    @initialize(
        workers=st.integers(1, 3),
        spares=st.integers(0, 1),
        depth=st.sampled_from([1, 2, 8]),
        lockstep=st.booleans(),
    )
    def open(self, workers: int, spares: int, depth: int, lockstep: bool) -> None:
        self.floor = FakeFloor(
            workers=workers, spares=spares, depth=depth, lockstep=lockstep, deaths_max=8, backoff_max_ns=10**8
        )
        self.floor.pool.start()
        self.asked: list[int] = []
        self.ended: Counter[int] = Counter()
        self.causes: Counter[str] = Counter()

    @property
    def alive(self) -> list[FakeProcess]:
        return [process for process in self.floor.started if not process.reap()]

    @rule(symbol=SYMBOLS)
    def ask(self, symbol: str) -> None:
        self.asked.append(self.floor.ask(symbol))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), at_most=st.integers(1, 4), valid=st.booleans())
    def answer(self, data: st.DataObject, at_most: int, valid: bool) -> None:
        process = data.draw(st.sampled_from(self.alive))
        if process.ready:
            process.answer(at_most, valid=valid)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def become_ready(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.alive)).become_ready()

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.alive)).die()

    @rule(ms=st.sampled_from([10, 30, 100, 600, 2500]), beating=st.booleans())
    def time_passes(self, ms: int, beating: bool) -> None:
        self.floor.pass_ms(ms, step_ms=10 if ms < 100 else 100, beating=beating)

    @rule()
    def take(self) -> None:
        for seq, cause in self.floor.ends():
            self.ended[seq] += 1
            self.causes[cause] += 1

    @invariant()
    def accounts_agree(self) -> None:
        counts = self.floor.pool.counts
        assert counts.asked == len(self.asked)
        assert counts.open >= 0
        assert all(times == 1 for times in self.ended.values())

    @invariant()
    def lockstep_is_never_late_nor_conflated(self) -> None:
        assert not (self.floor.pool._params.lockstep and (self.causes["late"] or self.causes["conflated"]))

    def teardown(self) -> None:
        if not hasattr(self, "asked"):
            return
        for end in self.floor.pool.close(0):
            self.ended[end.feature_seq] += 1
            self.causes[getattr(end, "cause", "answer")] += 1
        counts = self.floor.pool.counts
        assert counts.open == 0
        assert sorted(self.ended.elements()) == self.asked
        assert self.causes == Counter(
            answer=counts.answered,
            late=counts.late,
            worker=counts.worker,
            conflated=counts.conflated,
            invalid=counts.invalid,
        )


TestPool = PoolUnderFire.TestCase
TestPool.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
