"""Whatever answers come, and however models come and go: only the live generation's own answer decides."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from pipeline.core.effects import HoldModels, PrepareModel, RequestInference, SubmitOrder
from pipeline.core.inputs import ModelAct, ModelPrepared, ModelWanted, PredictionVoid
from pipeline.core.params import ModelSpec
from tests.fakes.engines import MODEL, Floor, engine_params

MODELS = tuple(replace(MODEL, model_id=f"{number:032d}", name=f"m{number}") for number in range(4))
OTHER_FEATURES = replace(MODELS[3], schema_hash="77aa", features=("qi_1", "tfi_1s"))
ANY_MODEL = st.sampled_from([MODEL, *MODELS[:3], OTHER_FEATURES])


class ModelsUnderFire(RuleBasedStateMachine):
    """Rows, true and false answers, swaps, ways back and shadows in any order."""

    @initialize(shadowed=st.booleans())
    def open(self, shadowed: bool) -> None:
        shadows = (replace(MODELS[0], generation=2),) if shadowed else ()
        self.floor = Floor(engine_params(shadows=shadows)).warm()
        self.given: dict[int, ModelSpec] = {one.generation: one for one in (MODEL, *shadows)}
        self.used: set[int] = set()

    @property
    def live(self) -> ModelSpec:
        model = self.floor.state.models.live
        assert isinstance(model, ModelSpec)
        return model

    def _row(self, choose: int) -> RequestInference:
        rows = self.floor.of(RequestInference)[-12:]
        row: RequestInference = rows[choose % len(rows)]
        return row

    @rule(milliseconds=st.sampled_from([20, 100, 300]))
    def time_passes(self, milliseconds: int) -> None:
        self.floor.pass_ms(milliseconds)
        self.floor.update()

    @rule(choose=st.integers(0, 11), p_up=st.sampled_from([0.05, 0.5, 0.95]), lie=st.integers(0, 5))
    def an_answer(self, choose: int, p_up: float, lie: int) -> None:
        row, models = self._row(choose), [*self.given.values()]
        model = models[(choose + lie) % len(models)]
        lies: list[dict[str, object]] = [
            {},
            {},
            {"generation": model.generation},
            {"model_id": model.model_id},
            {"schema_hash": "another"},
            {"generation": row.generation + 1},
        ]
        event = self.floor.prediction(p_up, row, **lies[lie])
        live, before = self.live, self.floor.engine.counts()
        effects = self.floor.put(event)
        after = self.floor.engine.counts()
        if after["decisions"] == before["decisions"]:
            assert not self.floor.of(SubmitOrder, effects)
            return
        assert (event.generation, event.model_id, event.schema_hash) == (
            live.generation,
            live.model_id,
            live.schema_hash,
        ), "an answer of another generation decided"
        assert (row.generation, row.shadow_of) == (live.generation, 0), "a row of another model decided"
        assert row.feature_seq not in self.used, "a row decided twice"
        self.used.add(row.feature_seq)
        for order in self.floor.of(SubmitOrder, effects):
            assert order.approved.intent.generation == live.generation

    @rule(choose=st.integers(0, 11))
    def a_worker_dies_over_a_row(self, choose: int) -> None:
        row = self._row(choose)
        self.floor.put(PredictionVoid(row.symbol, row.feature_seq, "worker", self.floor.now_ns))

    @rule(act=st.sampled_from(ModelAct), model=ANY_MODEL)
    def a_person_asks(self, act: ModelAct, model: ModelSpec) -> None:
        effects = self.floor.put(ModelWanted(act, "ada", "", model, self.floor.now_ns))
        for asked in self.floor.of(PrepareModel, effects):
            assert asked.model.generation not in self.given, "a generation was given twice"
            self.given[asked.model.generation] = asked.model

    @rule(ok=st.booleans(), stray=st.sampled_from([0, 0, 0, -1, 1]))
    def the_workers_answer(self, ok: bool, stray: int) -> None:
        live, newest = self.live, max(self.given)
        pending = self.floor.state.models.pending
        self.floor.put(ModelPrepared(newest + stray, ok, "" if ok else "no", self.floor.now_ns))
        if pending is None or not ok or pending.model.generation != newest + stray:
            assert self.live == live, "the model changed though the workers did not agree on it"
        if self.live != live:
            assert not self.floor.state.permits.open_permits()
            assert self.live.generation == newest

    @invariant()
    def the_workers_keep_all_that_is_asked_for(self) -> None:
        held = self.floor.of(HoldModels)
        known = held[-1].generations if held else tuple(self.given)
        book = self.floor.state.models
        wanted = [book.live, *book.shadows, *([book.previous] if book.previous else [])]
        assert {model.generation for model in wanted} <= set(known)

    @invariant()
    def every_shadow_row_is_accounted_for(self) -> None:
        desk = self.floor.state.shadows
        counts = desk.counts
        assert counts.asked == counts.answered + counts.void + counts.wrong + desk.in_flight

    @invariant()
    def every_row_is_accounted_for(self) -> None:
        desk = self.floor.state.inference
        assert desk.asked == desk.answered + desk.void + desk.in_flight


TestModelsUnderFire = ModelsUnderFire.TestCase
TestModelsUnderFire.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
