"""`--shadow`: the models a session scores beside the live one from its first row on."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.core.model_book import MAX_SHADOWS
from pipeline.core.params import ModelSpec
from pipeline.core.types import Instrument
from pipeline.models.expectation import Role
from pipeline.models.inspection import model_spec
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.registry import approved_model, find_model
from pipeline.models.venue_offer import expectation_for
from pipeline.runtime.places import models_dir


def shadow_models(
    names: Sequence[str], live: ModelSpec, instrument: Instrument, today: str
) -> tuple[tuple[ModelSpec, ...], tuple[str, ...]]:
    """Give the models named, each NAME or NAME@VERSION, and their files; generations follow the live one's.

    Raises:
        ModelRefused: one is not here, not approved for the shadow, refused, named twice, or one too many.
    """
    wanted = [name.strip() for text in names for name in text.split(",") if name.strip()]
    if len(wanted) > MAX_SHADOWS:
        raise ModelRefused(RefusalCode.E_CONTRACT, f"--shadow: {len(wanted)} models, at most {MAX_SHADOWS}")
    specs: list[ModelSpec] = []
    paths: list[str] = []
    for name in wanted:
        path = find_model(name, models_dir())
        found = approved_model(path, expectation_for(instrument, today, role=Role.SHADOW))
        if found.model_id in (live.model_id, *(one.model_id for one in specs)):
            raise ModelRefused(RefusalCode.E_CONTRACT, f"--shadow {name}: it runs already")
        specs.append(model_spec(found.contract, found.model_id, live.generation + 1 + len(specs)))
        paths.append(str(path.absolute()))
    return tuple(specs), tuple(paths)
