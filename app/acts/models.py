"""Acts on the models of the session: swap, way back, shadows. How they end comes as the answer's line."""

from __future__ import annotations

from app.acts.base import ActsBase
from pipeline.core.inputs import ModelAct


class ModelActs(ActsBase):
    """What is typed about models."""

    def act_use_model(self) -> None:
        """Say how a model is named."""
        self._say("which one? :model NAME or :model NAME@VERSION, as `lobdeck model list` prints them")

    def typed_use_model(self, name: str) -> None:
        """Make a model of the registry the live one."""
        self._upward(f"trade with {name}", lambda: self._ask_models(ModelAct.USE, name))

    def act_model_back(self) -> None:
        """Go back to the model before."""
        self._ask_models(ModelAct.BACK, "")

    def act_shadow_model(self) -> None:
        """Say how a shadow is named."""
        self._say("which one? :shadow NAME or :shadow NAME@VERSION")

    def typed_shadow_model(self, name: str) -> None:
        """Score a model beside the live one."""
        self._ask_models(ModelAct.SHADOW, name)

    def act_drop_shadow(self) -> None:
        """Say how a shadow is dropped."""
        self._say("which one? :unshadow NAME")

    def typed_drop_shadow(self, name: str) -> None:
        """Score a shadow no longer."""
        self._ask_models(ModelAct.DROP, name)

    def _ask_models(self, act: ModelAct, name: str) -> None:
        self._console.asked = None
        self._console.link.model(act, name)
        self._say("asked; the old model runs until all workers have the new one" if name else "asked")
