"""Engine, switch and pool over workers that load, lie and die: only the live model's own answers decide.

A played worker answers with the opinion of the file it really loaded under the generation it was asked for,
so that every decision shows which model made it, whatever it says it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from pipeline.core.effects import HoldModels, PrepareModel, RequestInference
from pipeline.core.inputs import Input, ModelAct, ModelWanted, PredictionReceived
from pipeline.core.params import SECOND, DecisionParams, ModelSpec
from pipeline.core.types import VenueMode
from pipeline.models.expectation import Expectation
from pipeline.runtime.model_orders import DropOrder, schema_check
from pipeline.runtime.model_switch import ModelSwitch
from pipeline.runtime.rings import RESULT, TICKET
from pipeline.runtime.worker_process import Launch
from pipeline.runtime.workers import ModelFile
from tests.fakes.engines import Floor, engine_params
from tests.fakes.workers import SPEC, FakeFloor, FakeProcess

LIVE = replace(SPEC, features=("qi_1",), model_id="00" * 32, name="m0")
MODELS = tuple(replace(LIVE, model_id=f"{at:02d}" * 32, name=f"m{at}") for at in range(4))
OPINIONS = {model.model_id: 0.55 + 0.05 * at for at, model in enumerate(MODELS)}
"""What each model says of every row; all of them on one side, none of them 0.5."""


class HonestProcess(FakeProcess):
    """A worker that knows which file it loaded under which generation."""

    def __init__(self, launch: Launch, done_fd: int, pid: int) -> None:
        super().__init__(launch, done_fd, pid)
        self.files = {one.generation: one.expectation.sha256 for one in launch.models}

    def load_all(self, refuse: bool) -> None:
        """Carry out the orders that came, or refuse what is to be loaded."""
        for order in self.orders():
            if isinstance(order, DropOrder):
                self.files.pop(order.generation, None)
            elif refuse:
                self.report(order.generation, "E_GOLDEN: no")
            else:
                self.files[order.generation] = order.expectation.sha256
                self.report(order.generation, schema_hash=LIVE.schema_hash)

    def serve(self, at_most: int, lie: int) -> None:
        """Answer rows by what is loaded; a lie names the next generation."""
        for _ in range(at_most):
            payload = self.worker.requests.pop()
            if payload is None:
                return
            ticket, generation = TICKET.unpack_from(payload)
            model_id = self.files.get(generation)
            up = OPINIONS[model_id] if model_id else 0.0
            answer = (ticket, 5, 9, 1.0 - up, 0.0, up, int(model_id is not None))
            self.worker.results.push(RESULT.pack(*answer, generation + lie, schema_check(LIVE.schema_hash)))
            self.beat()


class HonestFloor(FakeFloor):
    """A pool over honest workers."""

    def _start(self, launch: Launch, done_fd: int) -> FakeProcess:
        self.started.append(HonestProcess(launch, done_fd, 1000 + len(self.started)))
        return self.started[-1]


class Session:
    """What `ModelSwitch` needs of a run, and what carries the engine's effects to the pool."""

    def __init__(self, shadowed: bool, workers: int, spares: int) -> None:
        shadows = (replace(MODELS[1], generation=2),) if shadowed else ()
        patient = DecisionParams(max_row_age_ns=60 * SECOND)
        params = engine_params(model=LIVE, shadows=shadows, decision=patient)
        self.market = Floor(params)
        self.engine = self.market.engine
        files = [ModelFile(model, Path("any"), Expectation()) for model in (LIVE, *shadows)]
        self.pool = HonestFloor(
            LIVE,
            files[1:],
            workers=workers,
            spares=spares,
            depth=8,
            deaths_max=50,
            backoff_max_ns=10**8,
            deadline_ns=60 * SECOND,
        )
        all_files = [ModelFile(model, Path("any"), Expectation()) for model in MODELS]
        self.switch = ModelSwitch(
            self.pool.pool, all_files, Path("none"), params.instruments, VenueMode.REPLAY, ""
        )

    @property
    def now_ns(self) -> int:
        return self.market.now_ns

    def put(self, event: Input) -> None:
        self.carry(self.market.put(event))

    def carry(self, effects: Sequence[object]) -> None:
        for effect in effects:
            if isinstance(effect, RequestInference):
                self.pool.pool.submit(effect)
            elif isinstance(effect, PrepareModel | HoldModels):
                self.switch.carry_out(effect)


class SwapUnderFire(RuleBasedStateMachine):
    """Anything may happen to workers and models at any time."""

    @initialize(shadowed=st.booleans(), workers=st.integers(1, 2), spares=st.integers(0, 1))
    def open(self, shadowed: bool, workers: int, spares: int) -> None:
        self.session = Session(shadowed, workers, spares)
        self.session.pool.ready()
        market = self.session.market
        market.trade()
        self.session.carry(market.snapshot())
        for _ in range(3):
            self.session.carry(market.update())
            self.session.carry(market.pass_ms(100))
        self.decided = 0

    @property
    def workers(self) -> list[HonestProcess]:
        alive = [one for one in self.session.pool.started if not one.reap()]
        return [one for one in alive if isinstance(one, HonestProcess)]

    @rule(milliseconds=st.sampled_from([10, 30, 100]))
    def time_passes(self, milliseconds: int) -> None:
        session = self.session
        session.carry(session.market.pass_ms(milliseconds))
        session.carry(session.market.update())
        session.pool.pass_ms(milliseconds)
        session.switch.tick(session)

    @precondition(lambda self: self.workers)
    @rule(choose=st.integers(0, 9), at_most=st.integers(1, 4), lie=st.sampled_from([0, 0, 0, 0, 1, -1]))
    def a_worker_answers(self, choose: int, at_most: int, lie: int) -> None:
        self.workers[choose % len(self.workers)].serve(at_most, lie)

    @rule()
    def all_workers_answer(self) -> None:
        for worker in self.workers:
            worker.serve(10, 0)
        self.answers_come_in()

    @rule(model=st.sampled_from(MODELS), answered=st.booleans())
    def a_swap_goes_through(self, model: ModelSpec, answered: bool) -> None:
        """Make one the common case; rows may be in flight over it, and answered right after."""
        self.a_person_asks(ModelAct.USE, model)
        self.time_passes(10)
        self.every_worker_loads()
        self.time_passes(10)
        if answered:
            self.all_workers_answer()

    @rule()
    def answers_come_in(self) -> None:
        engine = self.session.engine
        for answer in self.session.pool.pool.poll(self.session.now_ns):
            before = engine.counts()["decisions"]
            self.session.put(answer)
            if engine.counts()["decisions"] == before:
                continue
            assert isinstance(answer, PredictionReceived)
            live = engine.models.live
            assert live is not None
            assert answer.generation == live.generation
            assert answer.p_up == OPINIONS[live.model_id], "another model's opinion decided"
            self.decided += 1

    @precondition(lambda self: self.workers)
    @rule(choose=st.integers(0, 9), refuse=st.booleans())
    def a_worker_loads_what_it_was_told(self, choose: int, refuse: bool) -> None:
        self.workers[choose % len(self.workers)].load_all(refuse)

    @rule()
    def every_worker_loads(self) -> None:
        for worker in self.workers:
            worker.load_all(refuse=False)

    @precondition(lambda self: self.workers)
    @rule(choose=st.integers(0, 9))
    def a_worker_dies(self, choose: int) -> None:
        self.workers[choose % len(self.workers)].die()

    @rule()
    def who_was_starting_is_ready(self) -> None:
        for worker in self.workers:
            if not worker.ready:
                worker.become_ready()

    @rule(act=st.sampled_from(ModelAct), model=st.sampled_from(MODELS))
    def a_person_asks(self, act: ModelAct, model: ModelSpec) -> None:
        self.session.put(ModelWanted(act, "ada", "", model, self.session.now_ns))

    @invariant()
    def who_sits_at_a_desk_holds_every_model_that_is_needed(self) -> None:
        wanted = set(self.session.engine.models.generations)
        for desk in self.session.pool.pool._crew.desks:
            if desk.process is not None and not desk.process.reap():
                assert wanted <= set(desk.process.holds)

    @invariant()
    def no_row_is_lost(self) -> None:
        counts = self.session.pool.pool.counts
        assert counts.open >= 0

    def teardown(self) -> None:
        self.session.pool.pool.close(0)


TestSwapUnderFire = SwapUnderFire.TestCase
TestSwapUnderFire.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
