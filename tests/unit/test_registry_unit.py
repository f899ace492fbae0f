"""The registry: what models rely on when they bind to a schema hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from pipeline.core.feature_spec import FeatureSpec, Needs, Parity
from pipeline.core.feature_table import FEATURES
from pipeline.core.registry import NAMES, REGISTRY, mirror_row, schema_hash, schema_json, spec_of

CADENCE = "depth@100ms"
TRIGGER = "grid_100ms+l1_20ms"


def only_text_and_integers(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(k, str) and only_text_and_integers(v) for k, v in value.items())
    if isinstance(value, list):
        return all(only_text_and_integers(v) for v in value)
    return isinstance(value, str) or type(value) is int


def test_schema_is_canonical_ascii_json_without_floats() -> None:
    text = schema_json(NAMES, CADENCE, TRIGGER)
    value = json.loads(text)
    assert text == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert text.isascii()
    assert only_text_and_integers(value)


def test_hash_is_the_sha256_of_the_schema() -> None:
    names = ("qi_1", "ofi_1s")
    text = schema_json(names, CADENCE, TRIGGER)
    assert schema_hash(names, CADENCE, TRIGGER) == hashlib.sha256(text.encode()).hexdigest()


def test_hash_changes_with_order_cadence_and_trigger() -> None:
    names = ("qi_1", "qi_5")
    hashes = [
        schema_hash(names, CADENCE, TRIGGER),
        schema_hash(names[::-1], CADENCE, TRIGGER),
        schema_hash(names, "depth@0ms", TRIGGER),
        schema_hash(names, CADENCE, "grid_100ms"),
    ]
    assert len(dict.fromkeys(hashes)) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"unit": "lots"},
        {"parity": Parity.EVEN},
        {"needs": Needs.DEPTH},
        {"range_e6": (-2, 2)},
        {"levels": 2},
        {"min_levels": 2},
        {"window_ms": 1},
        {"tau_ms": 1},
        {"norm_tau_ms": 1},
        {"signed_log": True},
        {"params": (("bps", 1),)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_schema_of_a_feature_changes_with_every_declared_field(change: dict[str, object]) -> None:
    spec = spec_of("qi_1")
    assert replace(spec, **change).schema() != spec.schema()  # type: ignore[arg-type]  # any one field


def test_wording_is_not_part_of_the_schema() -> None:
    spec = spec_of("qi_1")
    assert replace(spec, summary="other words").schema() == spec.schema()


def test_names_are_unique_and_formulas_with_one_name_share_their_version() -> None:
    assert len(REGISTRY) == len(FEATURES)
    versions: dict[str, int] = {}
    for spec in FEATURES:
        assert versions.setdefault(spec.formula, spec.version) == spec.version


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("qi_10", 0), ("tfi_5s", 5), ("mlofi_2_1s", 9), ("cancel_ratio", 15), ("ofi_1s", 90), ("sv_ewma", 180)],
)
def test_ready_after_is_the_window_or_three_times_the_slowest_tau(name: str, seconds: int) -> None:
    assert spec_of(name).ready_after_ns == seconds * 1_000_000_000


def test_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"no feature is called 'qi_7'; there are qi_1"):
        schema_json(("qi_7",), CADENCE, TRIGGER)


def test_repeated_name_is_refused() -> None:
    with pytest.raises(ValueError, match="once"):
        schema_json(("qi_1", "qi_1"), CADENCE, TRIGGER)


def test_mirrored_row_flips_odd_features_only() -> None:
    assert mirror_row(("qi_1", "spread_t", "ofi_1s"), (5, 7, -3)) == (-5, 7, 3)


def test_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        mirror_row(("qi_1",), (1, 2))


def test_odd_feature_with_a_lopsided_range_is_refused() -> None:
    with pytest.raises(ValueError, match="parity"):
        FeatureSpec("x", "x", 1, "ratio", Parity.ODD, Needs.TOUCH, (-1, 2), "x")
