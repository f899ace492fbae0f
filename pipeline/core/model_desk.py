"""Acts on the models: a swap in two phases, the way back, shadows, and what a shadow's answers become.

    wanted -> PrepareModel -> every worker has loaded, checked and warmed it -> ModelPrepared -> live
                           -> one worker did not                             -> abandoned, the old one runs on

The switch is one input: the row before it is of the old generation, the row after it of the new one, and an
answer to the old row decides nothing any more. A swap ends permits and cards, and with them their working
entries; positions stay and leave by their exit rule. Other features than the running model's start cold, so
that such a swap waits until the session is flat.
"""

from __future__ import annotations

from pipeline.core.effects import AlertCode, HoldModels, PrepareModel
from pipeline.core.inputs import ModelAct, ModelPrepared, ModelWanted, PredictionReceived
from pipeline.core.model_book import MAX_SHADOWS, PendingModel, short_name
from pipeline.core.params import SECOND, ModelSpec
from pipeline.core.shadows import ShadowPrediction
from pipeline.core.state import EngineState
from pipeline.core.trader import Trader
from pipeline.core.types import Severity

GIVEN_UP_NS = 60 * SECOND
"""A preparation nobody answers for is over by then."""


class ModelDesk:
    """Moves `EngineState.models`."""

    def __init__(self, state: EngineState, trader: Trader) -> None:
        self._state = state
        self._trader = trader

    def on_wanted(self, wanted: ModelWanted) -> None:
        """Begin what a person asks of the models, or say why not."""
        state, book = self._state, self._state.models
        refusal = self._refusal(wanted)
        if refusal:
            state.last_answer = book.last_words = refusal
            self._say(_unchanged(wanted.act), Severity.INFO, refusal, wanted.ts_ns)
            return
        if wanted.act is ModelAct.DROP and wanted.model is not None:
            book.drop(wanted.model.model_id)
            self._forget_windows()
            self._settled(f"{short_name(wanted.model)} is no shadow any more", wanted.ts_ns)
            return
        model = book.previous if wanted.act is ModelAct.BACK else wanted.model
        assert model is not None
        named = book.begin(model, wanted.act, wanted.who, wanted.ts_ns)
        state.out.put(PrepareModel(named, wanted.act, wanted.ts_ns))
        state.last_answer = book.last_words = f"loading {short_name(named)} as generation {named.generation}"
        values = (named.generation,)
        self._say(AlertCode.MODEL_LOADING, Severity.INFO, _by(named, wanted.who), wanted.ts_ns, values)

    def on_prepared(self, event: ModelPrepared) -> None:
        """Switch once all workers agree, unless something stands against it now; else keep what there is."""
        pending = self._state.models.pending
        if pending is None or pending.model.generation != event.generation:
            return
        why = event.why if not event.ok else self._misfit(pending.model, pending.act)
        if why or not event.ok:
            self._abandon(pending, why, event.ts_ns)
        elif pending.act is ModelAct.SHADOW:
            self._state.models.add_shadow(pending.model)
            values = (pending.model.generation,)
            detail = _by(pending.model, pending.who)
            self._say(AlertCode.MODEL_SHADOWED, Severity.INFO, detail, event.ts_ns, values)
            self._settled(f"{short_name(pending.model)} runs as a shadow", event.ts_ns)
        else:
            self._swap(pending, event.ts_ns)

    def on_beat(self, now_ns: int) -> None:
        """Give up on a preparation nobody answers for."""
        pending = self._state.models.pending
        if pending is not None and now_ns - pending.asked_ns > GIVEN_UP_NS:
            self._abandon(pending, "the workers never answered", now_ns)

    def on_shadow(self, event: PredictionReceived) -> ShadowPrediction | None:
        """Take a shadow's answer; the fact is for the monitors and goes nowhere else."""
        fact = self._state.shadows.answer(event)
        desk = self._state.desks.get(event.symbol)
        if fact is not None and desk is not None:
            answer = fact.p_down, fact.p_flat, fact.p_up
            desk.watch.answered_beside(fact.model_id, fact.row_seq, *answer)
        return fact

    def _refusal(self, wanted: ModelWanted) -> str:
        book, model = self._state.models, wanted.model
        if book.live is None:
            return "this session runs no model"
        if book.pending is not None and wanted.act is not ModelAct.DROP:
            return f"{short_name(book.pending.model)} is being loaded: wait for it"
        if wanted.act is ModelAct.BACK:
            model = book.previous
            if model is None:
                return "there is no model to go back to"
        if model is None:
            return "no model is named"
        shadowed = any(one.model_id == model.model_id for one in book.shadows)
        if wanted.act is ModelAct.DROP:
            return "" if shadowed else f"{short_name(model)} is no shadow here"
        if model.model_id == book.live.model_id:
            return f"{short_name(model)} is the live model already"
        if wanted.act is ModelAct.SHADOW and shadowed:
            return f"{short_name(model)} is a shadow already"
        if wanted.act is ModelAct.SHADOW and len(book.shadows) >= MAX_SHADOWS:
            return f"{MAX_SHADOWS} shadows run already: drop one first"
        return self._misfit(model, wanted.act)

    def _misfit(self, model: ModelSpec, act: ModelAct) -> str:
        """Say why the features of a model do not go with what the session holds and computes now."""
        state, live = self._state, self._state.models.live
        if live is None or model.schema_hash == live.schema_hash:
            return ""
        unknown = [name for name in model.features if not state.computes(name)]
        if act is ModelAct.SHADOW:
            missing = f"this session does not compute {', '.join(unknown[:4])}"
            return f"E_SCHEMA_HASH: {missing}; start it with --shadow" if unknown else ""
        for symbol in state.desks:
            if state.portfolio.position(symbol).lots or state.orders.exposure(symbol).orders:
                words = f"E_SCHEMA_HASH: {short_name(model)} has other features than {short_name(live)}"
                return f"{words}: not while {symbol} has a position or orders; flatten first"
        return ""

    def _swap(self, pending: PendingModel, now_ns: int) -> None:
        state, model = self._state, pending.model
        before = state.models.live
        state.models.swap(model)
        state.inference.model = model
        state.model_gate.reenable()
        self._trader.permits_ended(state.permits.set_model(model.model_id, model.generation, now_ns), now_ns)
        for desk in state.desks.values():
            state.ideas.withdraw(desk.symbol, now_ns)
            desk.take_model(state.params, model, state.models.shadows, before, now_ns)
            self._trader.work(desk, now_ns)
        self._forget_windows()
        values = (model.generation, before.generation if before is not None else 0)
        self._say(AlertCode.MODEL_SWAPPED, Severity.WARN, _by(model, pending.who), now_ns, values)
        self._settled(f"{short_name(model)} is live as generation {model.generation}", now_ns)

    def _forget_windows(self) -> None:
        kept = self._state.models.generations
        for desk in self._state.desks.values():
            windows = desk.shadow_windows
            desk.shadow_windows = {one: window for one, window in windows.items() if one in kept}

    def _abandon(self, pending: PendingModel, why: str, now_ns: int) -> None:
        self._state.models.abandon()
        name, code = short_name(pending.model), _unchanged(pending.act)
        words = f"{name} was not taken: {why}"
        detail = words if code is AlertCode.MODEL_KEPT else f"{name}: {why}"
        self._say(code, Severity.WARN, detail, now_ns, (pending.model.generation,))
        self._settled(words, now_ns)

    def _settled(self, words: str, now_ns: int) -> None:
        state = self._state
        state.last_answer = state.models.last_words = words
        live = state.models.live
        if live is not None:
            state.out.put(HoldModels(live.generation, state.models.generations, now_ns))

    def _say(
        self, code: AlertCode, severity: Severity, detail: str, now_ns: int, values: tuple[int, ...] = ()
    ) -> None:
        self._state.out.alert(code, severity, now_ns, "", detail, values)


def _unchanged(act: ModelAct) -> AlertCode:
    return AlertCode.SHADOW_NOT_TAKEN if act is ModelAct.SHADOW else AlertCode.MODEL_KEPT


def _by(model: ModelSpec, who: str) -> str:
    return f"{short_name(model)} {who}".strip()
