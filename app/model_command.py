"""`lobdeck model inspect` and `model verify`: a model's contract to read, and the checks of loading it."""

from __future__ import annotations

import datetime
from pathlib import Path

from app.errors import printable
from pipeline.models.contract import ContractError, ModelContract, Score, Span, decode_metadata
from pipeline.models.expectation import Expectation, Role
from pipeline.models.inspection import feature_names, window_rows
from pipeline.models.inspection import inspect_model as inspect_file
from pipeline.models.manifest import approved_for, read_manifest
from pipeline.models.onnx_file import parse_onnx
from pipeline.models.protobuf import ProtobufError
from pipeline.models.refusal import ModelRefused
from pipeline.models.registry import approved_model
from pipeline.models.venue_offer import expectation_for
from pipeline.runtime.instruments import load_instruments
from pipeline.runtime.places import config_dir

_WIDEST = 100


def inspect_model(file: Path) -> str:
    """Give a model's contract as readable lines; where loading refuses it, why, every difference on a line.

    Raises:
        ModelRefused: the file has no contract that can be read.
    """
    try:
        inspected = inspect_file(file, Expectation())
    except ModelRefused as refusal:
        contract = _contract_of(file)
        if contract is None:
            raise
        refused = [_row("REFUSED", line) for line in str(refusal).splitlines()]
        return "\n".join([*_contract_lines(contract), *refused])
    return "\n".join([_row("model", inspected.model_id), *_contract_lines(inspected.contract)])


def verify_model(file: Path, role: Role | None = None) -> str:
    """Load a model with every check a worker makes and say so in a line, and what it is approved for.

    With a role it must be approved for that; with none it is checked for the most it is approved for.

    The session it is checked for is one on the model's own venue and first symbol, today, with the
    instrument table of this machine; a portable model is checked for no market.

    Raises:
        ModelRefused: with the code of the first check it failed and every difference.
        InstrumentError: the model's own venue or symbol is in no table here.
    """
    from pipeline.models.loader import load_model

    manifest = read_manifest(file)
    wanted = role or max(manifest.approvals if manifest else (), key=list(Role).index, default=None)
    contract = approved_model(file, Expectation(role=wanted)).contract
    loaded = load_model(file, _expectation(contract, wanted))
    where = "any market" if contract.portable else f"{contract.venue} {', '.join(contract.symbols)}"
    approved = f"{'' if manifest else 'no manifest: '}approved for {approved_for(manifest)}"
    features = ", ".join(loaded.features)
    return f"{file}: sound; {contract.name} on {features} for {where}; {approved}\n{loaded.model_id}"


def _expectation(contract: ModelContract, role: Role | None) -> Expectation:
    today = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
    if contract.portable:
        return Expectation(role=role, today=today)
    instruments = load_instruments(contract.venue, contract.symbols, None, config_dir() / "instruments.toml")
    return expectation_for(instruments[0], today, role=role)


def _contract_of(file: Path) -> ModelContract | None:
    """Read the contract of a file that was refused; None where there is none to read."""
    try:
        return decode_metadata(parse_onnx(file.read_bytes()).metadata)
    except (OSError, ProtobufError, ContractError):
        return None


def _contract_lines(contract: ModelContract) -> list[str]:
    return [*_what_it_says(contract), *_where_it_fits(contract), *_how_it_was_made(contract)]


def _what_it_says(contract: ModelContract) -> list[str]:
    label = contract.label
    answers = "P(up | the mid moves)" if contract.binary else "P(down), P(flat), P(up)"
    parity = ", symmetric" if contract.symmetric else ""
    return [
        _row("name", contract.name),
        _row("answers", f"{answers}{parity}; score {contract.score_definition}"),
        _row("horizon", f"{contract.horizon_ms} ms after a delay of {contract.delay_ms} ms"),
        _row("label", f"{label.kind}: {label.price} moves by more than {label.theta:g} {label.unit}"),
    ]


def _where_it_fits(contract: ModelContract) -> list[str]:
    market = f"{contract.venue} {contract.market} {', '.join(contract.symbols)}"
    return [
        _row("market", "any" if contract.portable else market),
        _row("units", f"tick {contract.tick or '-'}, lot {contract.lot or '-'}"),
        _row("cadence", f"{contract.cadence}; rows on {contract.trigger}"),
        *_wrapped("features", feature_names(contract)),
        *_window(contract),
        _row("schema", contract.schema_hash),
        _row("expires", contract.expires_at or "never"),
    ]


def _window(contract: ModelContract) -> list[str]:
    rows = window_rows(contract)
    return [_row("reads", f"{rows} rows at once, the newest last")] if rows > 1 else []


def _how_it_was_made(contract: ModelContract) -> list[str]:
    metrics = contract.metrics
    scores = [("model", metrics.model), ("qi only", metrics.qi_only), ("constant", metrics.constant)]
    spread, move = contract.sigma_train_e6 / 100, contract.mean_move_e6 / 100
    moves = f"volatility {spread:g} bps, mean move {move:g} bps, moves {contract.move_rate_e6 / 1e4:g} %"
    calibration = contract.calibration
    return [
        _row("trained", f"{_span(contract.train_span)}, {contract.rows:,} rows"),
        _row("tested", f"{_span(contract.test_span)}, {metrics.rows:,} rows"),
        *[_row("", _score(name, score)) for name, score in scores if score is not None],
        _row("scale", f"{moves}, over the horizon in training"),
        _row("adjusted", f"{calibration.kind}, temperature {calibration.temperature:g}"),
        _row("golden", f"{len(contract.golden_inputs)} rows, tolerance {contract.tolerance:g}"),
        _row("made by", f"{contract.code_commit}{' with local changes' if contract.code_dirty else ''}"),
        _row("libraries", ", ".join(f"{one.name} {one.version}" for one in contract.libraries)),
    ]


def _row(title: str, words: str) -> str:
    return f"{title:<9} {printable(words)}"


def _wrapped(title: str, names: tuple[str, ...]) -> list[str]:
    lines, line = [], f"{title:<9}"
    for name in names:
        if len(line) + len(name) >= _WIDEST:
            lines.append(line)
            line = " " * 9
        line += f" {name}"
    return [*lines, line]


def _span(span: Span) -> str:
    return f"{span.start} to {span.end}" if span.start or span.end else "-"


def _score(name: str, score: Score) -> str:
    losses = f"log-loss {score.logloss:.4f}  brier {score.brier:.4f}  ece {score.ece:.3f}"
    return f"{name:<9} auc {score.auc:.3f}  {losses}"
