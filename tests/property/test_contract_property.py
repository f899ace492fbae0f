"""A contract survives its trip through metadata text unchanged, and a source its trip through JSON."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.registry import NAMES
from pipeline.models.contract import ContractError, decode_metadata, encode_metadata
from pipeline.models.golden import golden_rows, mirror_signs, probe_rows
from pipeline.models.onnx_file import parse_onnx
from pipeline.models.packaging import ModelSource, build_model, contract_of, read_source, source_json
from tests.fakes.models import logistic, source

ROWS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8, unique=True).map(tuple)
TEXT = st.text(max_size=20)


@st.composite
def sources(draw: st.DrawFn) -> ModelSource:
    features = draw(ROWS)
    return source(
        name=draw(TEXT),
        version=draw(st.integers(0, 2**31)),
        features=features,
        logistic=logistic(len(features)),
        horizon_ms=draw(st.integers(1, 10**6)),
        cadence=draw(TEXT),
        trigger=draw(TEXT),
        symbols=tuple(draw(st.lists(TEXT, max_size=3))),
        expires_at=draw(TEXT),
        tolerance=draw(st.floats(1e-9, 1e-3)),
        portable=draw(st.booleans()),
    )


@given(made_from=sources())
@settings(max_examples=50, deadline=None)
def test_a_contract_comes_back_from_the_file_as_it_went_in(made_from: ModelSource) -> None:
    contract = contract_of(made_from)

    assert decode_metadata(encode_metadata(contract)) == contract
    assert decode_metadata(parse_onnx(build_model(made_from)).metadata) == contract


@given(made_from=sources())
@settings(max_examples=30, deadline=None)
def test_a_source_comes_back_from_its_json(made_from: ModelSource) -> None:
    assert msgspec.json.decode(source_json(made_from), type=ModelSource) == made_from


@given(key=st.sampled_from(sorted(encode_metadata(contract_of(source())))), text=st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_in_any_field_is_read_or_refused(key: str, text: str) -> None:
    texts = encode_metadata(contract_of(source()))
    texts[key] = text
    try:
        contract = decode_metadata(texts)
    except ContractError:
        return
    assert decode_metadata(encode_metadata(contract)) == contract


@given(features=ROWS)
@settings(max_examples=50, deadline=None)
def test_golden_and_probe_rows_hold_zero_extremes_and_mirrors(features: tuple[str, ...]) -> None:
    golden, probes = golden_rows(features), probe_rows(features)

    assert golden.shape == (17, len(features))
    assert probes.shape == (64, len(features))
    assert not golden[0].any()
    assert np.array_equal(golden[1::2] * mirror_signs(features), golden[2::2])
    assert np.array_equal(golden[[1, 3]], probes[1:3])
    assert np.array_equal(golden, golden_rows(features))


def test_a_source_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(source_json(source()))
    assert read_source(path) == source()
