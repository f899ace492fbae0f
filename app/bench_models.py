"""Models a measurement needs: the bundled one again under another version, and one of many features."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from app.replay_command import bundled_model
from pipeline.core.registry import NAMES
from pipeline.models.contract import encode_metadata
from pipeline.models.expectation import Expectation, Role
from pipeline.models.golden import golden_rows
from pipeline.models.graph import LogisticWeights
from pipeline.models.inspection import inspect_model
from pipeline.models.manifest import Manifest, write_manifest
from pipeline.models.packaging import ModelSource, build_model, contract_for, read_source
from pipeline.research.learners import TreeOptions
from pipeline.research.trees import learn_trees

WIDE = 26
"""Features of the models whose time in the worker is budgeted."""
TREES = TreeOptions(rounds=300, leaves=31)
_TREE_ROWS = 4_000
_TREE_TOLERANCE = 1e-4
"""A value at a threshold may fall to its other side in float32."""


def registered_variants(folder: Path, name: str, versions: int) -> None:
    """Put the bundled model into a registry folder as versions 1 to n: other files, the same features."""
    original = read_source(bundled_model("ob-logit").with_suffix(".json"))
    for version in range(1, versions + 1):
        path = folder / name / str(version) / f"{name}.onnx"
        path.parent.mkdir(parents=True)
        path.write_bytes(build_model(msgspec.structs.replace(original, name=name, version=version)))
        found = inspect_model(path, Expectation(role=Role.SHADOW))
        schema_hash = found.contract.schema_hash
        roles = (Role.SHADOW, Role.PAPER)
        write_manifest(path, Manifest(name, found.model_id, schema_hash, "lobdeck bench", "", roles))


def wide_source() -> ModelSource:
    """Give a logistic of 26 features with the shape of the bundled one."""
    original = read_source(bundled_model("ob-logit").with_suffix(".json"))
    weights = tuple(0.3 / (1 + at) for at in range(WIDE))
    logistic = LogisticWeights((weights,), (0.0,), (0.0,) * WIDE, (1.0,) * WIDE, 1.1)
    return msgspec.structs.replace(
        original, name="wide-logit", features=NAMES[:WIDE], logistic=logistic, symmetric=False
    )


def write_wide(folder: Path) -> Path:
    """Write the logistic of 26 features; give its file."""
    path = folder / "wide-logit.onnx"
    path.write_bytes(build_model(wide_source()))
    return path


def write_trees(folder: Path) -> Path:
    """Grow 300 trees on planted rows and write them; give their file.

    Raises:
        MissingExtra: the `train` extra is not installed.
    """
    facts = msgspec.structs.replace(wide_source(), name="trees-300")
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(_TREE_ROWS, WIDE))
    rises = rows[:, 0] + 0.5 * rows[:, 1] * rows[:, 2] + chance.normal(size=_TREE_ROWS) > 0
    trees = learn_trees(TREES, 1, rows, np.where(rises, 2, 0), binary=True)
    contract = contract_for(facts, True, trees.probabilities(golden_rows(facts.features)))
    loose = msgspec.structs.replace(contract, tolerance=_TREE_TOLERANCE)
    path = folder / f"{facts.name}.onnx"
    path.write_bytes(trees.onnx(facts.name, facts.version, encode_metadata(loose)))
    return path
