"""`lobdeck model approve` and `model list`: what people decided about the models of this machine."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.models.expectation import Expectation, Role
from pipeline.models.inspection import InspectedModel, inspect_model
from pipeline.models.manifest import Manifest, approved_for, read_manifest, write_manifest
from pipeline.models.refusal import ModelRefused
from pipeline.models.registry import bundled_models, bundled_version
from pipeline.runtime.places import models_dir


class ApprovalError(Exception):
    """An approval cannot be written; the text names the file."""


def approve_model(file: Path, role: Role) -> str:
    """Add a role to a model's manifest, made if missing; say what it is approved for.

    Raises:
        ModelRefused: the model cannot have that role, whoever approves it.
        ApprovalError: the manifest cannot be written.
    """
    before = read_manifest(file)
    manifest = before or _manifest_of(inspect_model(file, Expectation(role=Role.SHADOW)))
    approvals = tuple(one for one in Role if one in manifest.approvals or one is role)
    try:
        write_manifest(file, msgspec.structs.replace(manifest, approvals=approvals))
        try:
            inspect_model(file, Expectation(role=role))
        except ModelRefused:
            write_manifest(file, manifest)
            raise
    except OSError as problem:
        raise ApprovalError(f"{file}: the manifest cannot be written: {problem.strerror}") from problem
    return f"{file}: approved for {', '.join(approvals)}"


def list_models() -> str:
    """Give a line for each model of the registry, by name and version, then for each bundled one.

    One that is refused says why.
    """
    files = sorted(models_dir().glob("*/*/*.onnx"), key=lambda path: (path.parts[-3], _number(path)))
    lines = [_line(file, f"{file.parts[-3]}/{file.parts[-2]}") for file in files]
    lines = lines or [f"no model in {models_dir()}; train one: lobdeck train"]
    for name, file in bundled_models().items():
        lines.append(f"{_line(file, f'{name}/{bundled_version(file)}')}  bundled")
    return "\n".join(lines)


def _line(file: Path, place: str) -> str:
    try:
        inspected, manifest = inspect_model(file, Expectation(role=None)), read_manifest(file)
    except ModelRefused as refusal:
        return f"{place}  {refusal.code}: {refusal.message}"
    metrics = inspected.contract.metrics
    base = f", queue imbalance alone {metrics.qi_only.logloss:.4f}" if metrics.qi_only else ""
    roles = approved_for(manifest)
    losses = f"log-loss {metrics.model.logloss:.4f}{base}"
    return f"{place}  {inspected.model_id[:16]}  {roles}  {losses}"


def _number(path: Path) -> tuple[int, str]:
    name = path.parts[-2]
    return (int(name) if name.isascii() and name.isdigit() else -1), name


def _manifest_of(inspected: InspectedModel) -> Manifest:
    contract = inspected.contract
    return Manifest(contract.name, inspected.model_id, contract.schema_hash, "", "", ())
