"""The one registry of features: look-up by name, and the schema and hash that bind a model to them.

`features.py` computes exactly what stands here; model contract, readiness and reference page read it too.
The schema holds text and integers only, so that its hash is the same everywhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from pipeline.core.feature_spec import FeatureSpec, Parity
from pipeline.core.feature_table import FEATURES

REGISTRY: Final[Mapping[str, FeatureSpec]] = MappingProxyType({spec.name: spec for spec in FEATURES})
"""Every feature by name, in the order of the table."""

NAMES: Final[tuple[str, ...]] = tuple(REGISTRY)

if len(NAMES) != len(FEATURES):
    raise ValueError("two features share a name")


def spec_of(name: str) -> FeatureSpec:
    """Give a feature's spec.

    Raises: ValueError naming the feature when there is none of that name.
    """
    spec = REGISTRY.get(name)
    if spec is None:
        raise ValueError(f"no feature is called {name!r}; there are {', '.join(NAMES)}")
    return spec


MAX_WINDOW: Final = 64
"""Most rows a model may read at once."""


def schema_json(names: Sequence[str], cadence: str, trigger: str, window: int = 1) -> str:
    """Give the canonical JSON of a row: its features in order, the feed's cadence, and what asks for rows.

    `cadence` names the feed's channels and their pace, e.g. `depth@100ms`: the same formula on another
    cadence is another feature. `trigger` names the decision clock, e.g. `grid_100ms+l1_20ms`. Keys sorted,
    no spaces, ASCII, no floats. A model that reads several rows at once (`row_window.py`) says how many in
    `window`; one that reads its own row alone says nothing.

    Raises: ValueError for an unknown or repeated name, or a window of no row or more than 64.
    """
    if not 1 <= window <= MAX_WINDOW:
        raise ValueError(f"a window of {window} rows, want 1 to {MAX_WINDOW}")
    if len(dict.fromkeys(names)) != len(names):
        raise ValueError(f"a row holds each feature once, got {', '.join(names)}")
    schema: dict[str, object] = {
        "features": [spec_of(name).schema() for name in names],
        "cadence": cadence,
        "trigger": trigger,
        "prices": "integer ticks",
        "sizes": "integers in the printed precision",
        "values": "float32 of integers in 1e-6",
    }
    if window > 1:
        schema["window"] = window
    return json.dumps(schema, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def schema_hash(names: Sequence[str], cadence: str, trigger: str) -> str:
    """Give the sha256 of `schema_json`, in hex."""
    return hashlib.sha256(schema_json(names, cadence, trigger).encode("ascii")).hexdigest()


def mirror_row(names: Sequence[str], row: Sequence[int]) -> tuple[int, ...]:
    """Give the row the mirrored book would give: odd features change sign, even ones stay."""
    return tuple(
        -value if spec_of(name).parity is Parity.ODD else value
        for name, value in zip(names, row, strict=True)
    )
