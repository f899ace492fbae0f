"""Settings of who and what may stop a session: the guard's patience, and a supervisor's group.

The guard can be made stricter than the defaults, never looser.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from app.config_fields import Section, Whole, require
from pipeline.runtime.guard_params import GuardSettings

_USUAL = GuardSettings()


class AccessSettings(Section):
    """Who besides the owner may stop a session on live data."""

    kill_group: Annotated[str, Field(max_length=32)] = Field(
        default="",
        description="Members of this group may look, halt and kill, and nothing else, with LOBDECK_HOME set "
        "to the owner's. Empty: nobody.",
    )
    release_group: Annotated[str, Field(max_length=32)] = Field(
        default="",
        description="Those of kill_group who may agree to the release of a kill by a limit: "
        "`lobdeck release NAME --agree`. Empty: time and a written reason instead.",
    )

    @model_validator(mode="after")
    def _agrees_by_the_door(self) -> AccessSettings:
        require(not self.release_group or bool(self.kill_group), "kill_group too: it opens the door")
        return self


class GuardSection(Section):
    """When the guard of orders at a venue acts; every default is the loosest value there is."""

    ack_ms: Annotated[Whole, Field(ge=50, le=_USUAL.ack_ms)] = Field(
        default=_USUAL.ack_ms,
        description="An engine that has not acknowledged a kill after this is fenced: ended before the guard "
        "cancels.",
    )
    halt_ms: Annotated[Whole, Field(ge=200, le=_USUAL.halt_ms)] = Field(
        default=_USUAL.halt_ms, description="An engine this late is halted by the guard."
    )
    late_ms: Annotated[Whole, Field(ge=500, le=_USUAL.late_ms)] = Field(
        default=_USUAL.late_ms, description="An engine this late is fenced. Above halt_ms."
    )
    converge_ms: Annotated[Whole, Field(ge=300, le=_USUAL.converge_ms)] = Field(
        default=_USUAL.converge_ms,
        description="How long an engine that acknowledged a kill cancels by itself before the guard helps.",
    )
    dead_man_ms: Annotated[Whole, Field(ge=10_000, le=_USUAL.dead_man_ms)] = Field(
        default=_USUAL.dead_man_ms,
        description="The venue's dead-man switch cancels after this; refreshed at a third of it.",
    )
    missing_ms: Annotated[Whole, Field(ge=200, le=_USUAL.missing_ms)] = Field(
        default=_USUAL.missing_ms, description="A guard silent for so long is replaced; the engine halts."
    )
    no_venue_ms: Annotated[Whole, Field(ge=500, le=_USUAL.no_venue_ms)] = Field(
        default=_USUAL.no_venue_ms, description="A guard without a venue for so long halts the engine."
    )

    @model_validator(mode="after")
    def _halts_before_it_fences(self) -> GuardSection:
        require(self.halt_ms < self.late_ms, f"halt_ms below late_ms ({self.late_ms})")
        return self

    def settings(self) -> GuardSettings:
        """Give what a guard is started with."""
        return GuardSettings(**self.model_dump())
