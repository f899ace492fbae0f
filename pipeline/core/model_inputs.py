"""What a person asks of the models, and what became of loading one, as inputs."""

from __future__ import annotations

import enum

import msgspec

from pipeline.core.params import ModelSpec


class ModelAct(enum.StrEnum):
    """What can be asked of the models of a session."""

    USE = "USE"
    """Make a model the live one."""
    BACK = "BACK"
    """Make the one before it the live one again."""
    SHADOW = "SHADOW"
    """Score a model beside the live one; it never trades."""
    DROP = "DROP"
    """Score a shadow no longer."""


class ModelWanted(msgspec.Struct, frozen=True, tag=True):
    """A person's act on the models; `model` passed every check that needs no worker, its role's approval too.

    `model` is None for BACK. The engine gives the generation, whatever `model.generation` says.
    """

    act: ModelAct
    who: str
    tty: str
    model: ModelSpec | None
    ts_ns: int


class ModelPrepared(msgspec.Struct, frozen=True, tag=True):
    """What became of a `PrepareModel`: all workers hold the model warm under this generation, or why not."""

    generation: int
    ok: bool
    why: str
    """One line; empty when all agree."""
    ts_ns: int
