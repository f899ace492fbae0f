"""Settings of the journals: how much disk they keep, and where the chain's head goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.config_fields import Section, Whole
from pipeline.core.types import VenueMode
from pipeline.runtime.head_params import SYSLOG, HeadParams


def _program(path: str) -> str:
    """Take nothing, or a program by its whole path: what a shell would make of it is nobody's guess.

    Raises:
        PydanticCustomError: it is neither.

    """
    if path and (not path.startswith("/") or "\0" in path):
        raise PydanticCustomError("program", "Input should be a program's path from / on, or nothing")
    return path


class JournalSettings(Section):
    """The journals of all sessions, and the proof that leaves this machine."""

    max_gb: Annotated[Whole, Field(ge=0, le=100_000)] = Field(
        default=50,
        description="Disk all journals together may keep; the oldest of ended sessions go first, never an "
        "account's newest three. 0 keeps all.",
    )
    head_every_s: Annotated[Whole, Field(ge=0, le=86_400)] = Field(
        default=3_600, description="How often the chain's head is sent out, and at the end; 0 never."
    )
    head_syslog: Literal["live", "always", "never"] = Field(
        default="live", description="Of which sessions it goes to the system's log: live, always or never."
    )
    head_hook: Annotated[str, Field(max_length=4_096), AfterValidator(_program)] = Field(
        default="",
        description="A program run with session, run, record and head; given up after 5 s.",
    )

    def heads(self, mode: VenueMode) -> HeadParams:
        """Give where heads of a session go."""
        wanted = self.head_syslog == "always" or (self.head_syslog == "live" and mode is VenueMode.LIVE)
        return HeadParams(self.head_every_s, SYSLOG if wanted else "", self.head_hook)
