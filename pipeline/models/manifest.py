"""The side-car of a model, for people and registries: `NAME.manifest.json` beside `NAME.onnx`.

The metadata inside the model is the truth. A manifest that is there must agree with it and must approve the
role the model is loaded for. One that is not there approves nothing: `registry.approved_model` refuses such a
file where a session begins or takes a model; a bare file is loaded only by replays and research.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.models.contract import ModelContract
from pipeline.models.expectation import Role
from pipeline.models.refusal import ModelRefused, RefusalCode

_MOST_BYTES = 1 << 20


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Identities repeated from the model, and what people decided about it."""

    name: str
    model_id: str
    schema_hash: str
    author: str
    notes: str
    approvals: tuple[Role, ...]
    parent_model_id: str = ""


def manifest_path(model: Path) -> Path:
    """Give where the manifest of a model file is looked for."""
    return model.with_suffix(".manifest.json")


def read_manifest(model: Path) -> Manifest | None:
    """Give the manifest beside a model file; None where there is none.

    Raises:
        ModelRefused: E_CONTRACT, it cannot be read.
    """
    path = manifest_path(model)
    try:
        data = path.read_bytes() if path.exists() else b""
        return msgspec.json.decode(data[:_MOST_BYTES], type=Manifest) if data else None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelRefused(RefusalCode.E_CONTRACT, f"{path.name} cannot be read: {error}") from error


def write_manifest(model: Path, manifest: Manifest) -> None:
    """Write the manifest beside a model file, in one step.

    Raises:
        OSError: the folder cannot be written.
    """
    path = manifest_path(model)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    partial.replace(path)


def approved_for(manifest: Manifest | None) -> str:
    """Give the roles in words: `shadow, paper`, or `nothing`."""
    return ", ".join(manifest.approvals if manifest is not None else ()) or "nothing"


def not_approved(model: Path, manifest: Manifest | None, role: Role) -> ModelRefused:
    """Give the refusal of a file nobody approved for a role, and how to approve it."""
    has = "has no manifest," if manifest is None else "is"
    said = f"{model.name} {has} approved for {approved_for(manifest)}, not for {role}"
    return ModelRefused(RefusalCode.E_APPROVAL, f"{said}: `lobdeck model approve FILE {role}`")


def check_manifest(model: Path, model_id: str, contract: ModelContract, role: Role | None) -> None:
    """Compare a model with its manifest, if it has one; with no role it need not be approved.

    Raises:
        ModelRefused: E_CONTRACT, with each field that disagrees; E_APPROVAL, the role is not approved.
    """
    path = manifest_path(model)
    manifest = read_manifest(model)
    if manifest is None:
        return
    pairs = (
        ("name", manifest.name, contract.name),
        ("model_id", manifest.model_id, model_id),
        ("schema_hash", manifest.schema_hash, contract.schema_hash),
    )
    wrong = [f"{field}: manifest {said!r}, model {found!r}" for field, said, found in pairs if said != found]
    if wrong:
        raise ModelRefused(RefusalCode.E_CONTRACT, f"{path.name} disagrees", tuple(wrong))
    if role is not None and role not in manifest.approvals:
        raise not_approved(model, manifest, role)
