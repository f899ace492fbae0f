"""The models of a session: the live one, the one before it, the shadows, and the one being loaded.

Each model that is taken in gets the next generation, also one that comes back: a generation is never given
twice, so that an answer, a permit or an order names exactly one stretch of one model.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from pipeline.core.model_inputs import ModelAct
from pipeline.core.params import ModelSpec

MAX_SHADOWS = 4
"""Each is one more call of its worker for every row."""


@dataclass(frozen=True, slots=True)
class PendingModel:
    """A model the workers are loading."""

    model: ModelSpec
    act: ModelAct
    who: str
    asked_ns: int


class ModelBook:
    """Which models there are; one writer, the engine's `ModelDesk`."""

    def __init__(self, live: ModelSpec | None, shadows: tuple[ModelSpec, ...] = ()) -> None:
        self.live = live
        self.previous: ModelSpec | None = None
        """What `BACK` goes to; the workers keep it loaded."""
        self.shadows = shadows
        self.pending: PendingModel | None = None
        self.swaps = 0
        self.abandoned = 0
        self.last_words = ""
        """What became of the newest act, for the screen; empty while there was none."""
        known = (*shadows, *((live,) if live is not None else ()))
        self._newest = max((model.generation for model in known), default=0)

    def follow(self, other: ModelBook) -> None:
        """Go on from the book of an engine that is given up: its way back, and no generation of it again."""
        self.previous = other.previous
        self._newest = max(self._newest, other._newest)

    @property
    def note(self) -> str:
        """Say what the live model's name does not: its generation, what is loading, shadows."""
        if self.pending is not None:
            loading = "shadow " if self.pending.act is ModelAct.SHADOW else ""
            return f"loading {loading}{short_name(self.pending.model)}"
        beside = f"{len(self.shadows)} shadow{'s' if len(self.shadows) > 1 else ''}" if self.shadows else ""
        again = f"g{self.live.generation}" if self.live is not None and self.swaps else ""
        return ", ".join(filter(None, (again, beside)))

    @property
    def generations(self) -> tuple[int, ...]:
        """Give the generations the workers must keep: live, previous, shadows; in rising order."""
        kept = (self.live, self.previous, *self.shadows)
        return tuple(sorted(model.generation for model in kept if model is not None))

    def begin(self, model: ModelSpec, act: ModelAct, who: str, now_ns: int) -> ModelSpec:
        """Take a model in as the next generation and wait for the workers; give it."""
        self._newest += 1
        named = replace(model, generation=self._newest)
        self.pending = PendingModel(named, act, who, now_ns)
        return named

    def abandon(self) -> None:
        """Give up what is being loaded; everything else stays."""
        self.pending = None
        self.abandoned += 1

    def swap(self, model: ModelSpec) -> None:
        """Make `model` the live one; the one before it stays loaded. It is no shadow any more."""
        self.previous, self.live, self.pending = self.live, model, None
        self.drop(model.model_id)
        self.swaps += 1

    def add_shadow(self, model: ModelSpec) -> None:
        """Score `model` beside the live one from now on."""
        self.pending = None
        self.shadows = (*self.shadows, model)

    def drop(self, model_id: str) -> bool:
        """Score a shadow no longer; say whether there was one."""
        left = tuple(model for model in self.shadows if model.model_id != model_id)
        found, self.shadows = len(left) < len(self.shadows), left
        return found


def short_name(model: ModelSpec) -> str:
    """Give a model's name with the start of its identity, as the screen shows it."""
    return f"{model.name}@{model.model_id[:8]}"
