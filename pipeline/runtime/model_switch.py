"""The session's part in acts on models: names become files, files become models the workers hold.

    a person's words -> find and check the file, in a thread -> ModelWanted -> engine: PrepareModel
    -> every worker loads it -> ModelPrepared -> engine: HoldModels, and the person hears how it ended

A name that is refused here never reaches the engine. Nothing here decides which model is live.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.core.effects import HoldModels, PrepareModel
from pipeline.core.inputs import Input, ModelAct, ModelPrepared, ModelWanted
from pipeline.core.model_book import ModelBook, short_name
from pipeline.core.params import ModelSpec
from pipeline.core.types import Instrument, VenueMode
from pipeline.models.expectation import Expectation, Role
from pipeline.models.inspection import model_spec
from pipeline.models.refusal import ModelRefused
from pipeline.models.registry import approved_model, find_model, one_line, role_of
from pipeline.models.venue_offer import expectation_for
from pipeline.runtime.model_words import file_words
from pipeline.runtime.short_turns import short_turns
from pipeline.runtime.spec import SessionSpec
from pipeline.runtime.workers import ModelFile, WorkerPool

Reply = Callable[[bool, str], None]
"""Tells who asked how it ended: whether it was done, and one line."""


class EngineLike(Protocol):
    """What this needs of the engine."""

    @property
    def models(self) -> ModelBook:
        """Give the models there are."""
        ...

    @property
    def last_answer(self) -> str:
        """Give the answer to the last act."""
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    model: ModelSpec
    path: Path
    words: str


class ModelSwitch:
    """Acts on the models of one session; everything but the search for a file is on the session's loop."""

    def __init__(
        self,
        pool: WorkerPool | None,
        files: Sequence[ModelFile],
        folder: Path,
        instruments: Sequence[Instrument],
        mode: VenueMode,
        today: str,
    ) -> None:
        """`files` are the models the session starts with, `folder` the registry; `today` as in the spec."""
        self._pool = pool
        self._paths = {one.model.model_id: one.path for one in files}
        self.words = {one.model.model_id: file_words(one.path) for one in files}
        """Version and approvals of each model's file, by model id."""
        self._folder = folder
        self._instruments = instruments
        self._role = role_of(mode is VenueMode.LIVE)
        self._today = today
        self._waiting: Reply | None = None
        self._searching = False
        self._refused: list[tuple[int, str]] = []

    def ask(
        self, act: ModelAct, name: str, who: tuple[str, str], run: Callable[[], RunLike], reply: Reply
    ) -> None:
        """Begin an act of a person, `who` by name and terminal; `reply` is called once, now or later.

        `run` gives the run that feeds the engine then: a replay may have begun a new one meanwhile.
        """
        if self._pool is None:
            reply(False, "no model runs here")
            return
        if self._waiting is not None or self._searching:
            reply(False, "a model is being loaded: wait for it")
            return
        if act in (ModelAct.BACK, ModelAct.DROP):
            shadows = run().engine.models.shadows
            named = next((one for one in shadows if name in (one.name, short_name(one))), None)
            if act is ModelAct.DROP and named is None:
                reply(False, f"{name[:80]!r} is no shadow here")
                return
            self._hand_over(act, named if act is ModelAct.DROP else None, who, run(), reply)
            return
        role = Role.SHADOW if act is ModelAct.SHADOW else self._role
        loop = asyncio.get_running_loop()
        self._searching = True
        searching = loop.run_in_executor(None, self._find, name, role)

        def found(search: asyncio.Future[_Found | str]) -> None:
            self._searching = False
            if search.cancelled():
                return
            answer = search.result()
            if isinstance(answer, str):
                reply(False, f"{answer}; nothing changed")
                return
            self._paths[answer.model.model_id] = answer.path
            self.words[answer.model.model_id] = answer.words
            self._hand_over(act, answer.model, who, run(), reply)

        searching.add_done_callback(found)

    def carry_out(self, effect: PrepareModel | HoldModels) -> None:
        """Let the pool do what the engine asks for."""
        if self._pool is None:
            return
        if isinstance(effect, HoldModels):
            self._pool.hold(effect.live, effect.generations)
            return
        model = effect.model
        path = self._paths.get(model.model_id)
        role = Role.SHADOW if effect.act is ModelAct.SHADOW else self._role
        why = "its file is not known to this session"
        if path is not None:
            why = self._pool.prepare(ModelFile(model, path, self._expectation(role)))
        if why:
            self._refused.append((model.generation, why))

    def tick(self, run: RunLike) -> None:
        """Tell the engine how a preparation ended, and who asked."""
        if self._pool is None:
            return
        ended = self._pool.prepared()
        if ended is not None:
            self._end(ModelPrepared(ended.generation, not ended.why, ended.why, run.now_ns), run)
        while self._refused:
            generation, why = self._refused.pop()
            self._end(ModelPrepared(generation, ok=False, why=why, ts_ns=run.now_ns), run)
        if self._waiting is not None and run.engine.models.pending is None:
            self._tell(ok=False, words=run.engine.models.last_words)

    def start_again(self) -> None:
        """Let go of what is under way: the engine that asked for it is gone."""
        self._refused.clear()
        self._tell(ok=False, words="the replay began anew; nothing changed")

    def _hand_over(
        self, act: ModelAct, model: ModelSpec | None, who: tuple[str, str], run: RunLike, reply: Reply
    ) -> None:
        run.put(ModelWanted(act, who[0], who[1], model, run.now_ns))
        engine = run.engine
        if engine.models.pending is not None and self._waiting is None and _began(engine, act, model):
            self._waiting = reply
            return
        dropped = act is ModelAct.DROP and model is not None and not _is_shadow(engine.models, model)
        reply(dropped, engine.last_answer)

    def _end(self, event: ModelPrepared, run: RunLike) -> None:
        run.put(event)
        book = run.engine.models
        taken = [model for model in (book.live, *book.shadows) if model is not None]
        ok = any(model.generation == event.generation for model in taken)
        self._tell(ok=ok, words=book.last_words)

    def _tell(self, *, ok: bool, words: str) -> None:
        reply, self._waiting = self._waiting, None
        if reply is not None:
            reply(ok, words)

    def _find(self, name: str, role: Role) -> _Found | str:
        """Find and check a file in a thread; a large one takes half a second."""
        with short_turns():
            return self._found(name, role)

    def _found(self, name: str, role: Role) -> _Found | str:
        try:
            path = find_model(name, self._folder)
            inspected = approved_model(path, self._expectation(role))
            return _Found(model_spec(inspected.contract, inspected.model_id), path, file_words(path))
        except ModelRefused as refused:
            return one_line(refused)
        except OSError as problem:
            return f"E_SHA: {name[:80]!r} cannot be read: {problem.strerror}"

    def _expectation(self, role: Role) -> Expectation:
        return expectation_for(self._instruments[0], self._today, role=role)


def model_files(spec: SessionSpec) -> tuple[ModelFile, ...]:
    """Give the models a session starts with, the live one first, and what each is checked against."""
    params = spec.params
    if spec.is_journal or not spec.model_path or params.model is None:
        return ()
    role, symbol = role_of(params.mode is VenueMode.LIVE), params.instruments[0]
    live = ModelFile(params.model, Path(spec.model_path), expectation_for(symbol, spec.today, role=role))
    shadow = expectation_for(symbol, spec.today, role=Role.SHADOW)
    pairs = zip(params.shadows, spec.shadow_paths, strict=True)
    return (live, *(ModelFile(model, Path(path), shadow) for model, path in pairs))


class RunLike(Protocol):
    """What this needs of a run."""

    @property
    def engine(self) -> EngineLike:
        """Give its engine."""
        ...

    @property
    def now_ns(self) -> int:
        """Give the session's time."""
        ...

    def put(self, event: Input) -> None:
        """Hand over an input at the session's time."""
        ...


def _began(engine: EngineLike, act: ModelAct, model: ModelSpec | None) -> bool:
    """Say whether what is being loaded now is what was asked for just now."""
    pending = engine.models.pending
    if pending is None or pending.act is not act:
        return False
    return model is None or pending.model.model_id == model.model_id


def _is_shadow(book: ModelBook, model: ModelSpec) -> bool:
    return any(one.model_id == model.model_id for one in book.shadows)
