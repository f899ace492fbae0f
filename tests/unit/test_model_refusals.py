"""Each refusal code has a model that earns it, and says which part was wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pipeline.models.contract import Metrics, encode_metadata
from pipeline.models.expectation import Expectation, Role
from pipeline.models.golden import golden_rows, probe_rows
from pipeline.models.graph import LogisticWeights
from pipeline.models.loader import load_model
from pipeline.models.manifest import Manifest, manifest_path
from pipeline.models.packaging import contract_of
from pipeline.models.refusal import ModelRefused, RefusalCode
from pipeline.models.running import open_session
from tests.fakes.models import FEATURES, expectation, logistic, model_bytes, score, source, write_model

Spoil = Callable[[onnx.ModelProto], object]


def refusal(folder: Path, data: bytes, **expected: object) -> ModelRefused:
    with pytest.raises(ModelRefused) as caught:
        load_model(write_model(folder, data), expectation(**expected))
    return caught.value


def spoilt(spoil: Spoil) -> bytes:
    model = onnx.load_from_string(model_bytes())
    spoil(model)
    return bytes(model.SerializeToString())


def foreign(nodes: list[Any], constants: dict[str, Any], domain: str = "", **changes: object) -> bytes:
    """Build a model of other nodes than ours, with our contract over it."""
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info("row", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    contract = msgspec.structs.replace(contract_of(source()), **changes)
    helper.set_model_props(model, encode_metadata(contract))
    return bytes(model.SerializeToString())


def test_a_sound_model_loads_and_answers(tmp_path: Path) -> None:
    path = write_model(tmp_path)

    model = load_model(path, expectation(sha256=hashlib.sha256(path.read_bytes()).hexdigest()))

    assert model.features == FEATURES
    assert model.predict_into((0.0, 0.0, 0.0)) == (0.5, 0.0, 0.5)
    p_down, p_flat, p_up = model.predict_into((0.4, 1.0, -0.5))
    assert p_up > p_down
    assert p_flat == 0
    assert p_up + p_down == pytest.approx(1, abs=1e-6)


def test_a_three_class_model_loads(tmp_path: Path) -> None:
    label = msgspec.structs.replace(source().label, kind="three_class")
    made_from = source(logistic=logistic(classes=3), symmetric=False, label=label)

    model = load_model(write_model(tmp_path, model_bytes(made_from)), expectation())

    assert sum(model.predict_into((0.1, 0.2, 0.3))) == pytest.approx(1, abs=1e-6)
    assert model.predict_into((0.1, 0.2, 0.3))[1] > 0


def test_another_file_than_the_pinned_one(tmp_path: Path) -> None:
    refused = refusal(tmp_path, model_bytes(), sha256="ab" * 32)
    assert refused.code is RefusalCode.E_SHA
    assert "ab" * 32 in refused.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused) as caught:
        load_model(tmp_path / "none.onnx", Expectation())
    assert caught.value.code is RefusalCode.E_SHA
    assert "none.onnx" in str(caught.value)


def test_a_file_over_the_size_limit(tmp_path: Path) -> None:
    assert refusal(tmp_path, model_bytes(), max_bytes=1000).code is RefusalCode.E_SIZE


def test_bytes_that_are_no_model(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"PK\x03\x04 a pickle in a zip").code is RefusalCode.E_OPS


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda model: setattr(model.graph.node[0], "op_type", "Loop"), "operator ai.onnx:Loop"),
        (lambda model: setattr(model.graph.node[0], "domain", "evil"), "operator evil:Sub"),
        (lambda model: model.opset_import.append(helper.make_opsetid("evil", 1)), "domain 'evil'"),
        (
            lambda model: setattr(model.graph.initializer[0], "data_location", TensorProto.EXTERNAL),
            "external data of 'mean'",
        ),
        (
            lambda model: model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd"),
            "external data of 'mean'",
        ),
        (lambda model: model.functions.add(name="f", domain="evil"), "local function"),
        (lambda model: model.training_info.add(), "training info"),
        (lambda model: model.graph.sparse_initializer.add(), "sparse initializer"),
        (
            lambda model: model.graph.node[0].attribute.append(helper.make_attribute("body", model.graph)),
            "graph inside Sub",
        ),
    ],
)
def test_parts_no_model_of_ours_has(tmp_path: Path, spoil: Spoil, part: str) -> None:
    refused = refusal(tmp_path, spoilt(spoil))
    assert refused.code is RefusalCode.E_OPS
    assert part in refused.differences


def test_a_constant_with_data_outside_the_file(tmp_path: Path) -> None:
    tensor = TensorProto(name="outside", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    data = spoilt(
        lambda model: model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))
    )
    assert "external data of 'outside'" in refusal(tmp_path, data).differences


def test_a_graph_onnx_runtime_cannot_run(tmp_path: Path) -> None:
    data = spoilt(lambda model: model.graph.node[0].input.__setitem__(1, "nobody"))
    assert refusal(tmp_path, data).code is RefusalCode.E_OPS


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda texts: texts.pop("horizon_ms"), "metadata lacks horizon_ms"),
        (lambda texts: texts.update(horizon_ms="soon"), "horizon_ms"),
        (lambda texts: texts.update(horizon_ms="1e400"), "horizon_ms"),
        (lambda texts: texts.update(horizon_ms="-5"), "horizon_ms"),
        (lambda texts: texts.update(contract_version="2"), "contract_version is 2, want 1"),
        (lambda texts: texts.update(class_order='["up","flat","down"]'), "class_order"),
        (lambda texts: texts.update(score_definition="p_up"), "score_definition"),
        (lambda texts: texts.update(binary="false"), "binary"),
        (lambda texts: texts.update(tolerance="0.5"), "tolerance"),
        (lambda texts: texts.update(move_rate_e6="0"), "move_rate_e6"),
        (lambda texts: texts.update(golden_inputs="[]", golden_outputs="[]"), "0 golden inputs"),
        (
            lambda texts: texts.update(
                golden_inputs=texts["golden_inputs"].replace("0.0,0.0,0.0", "0,1,0", 1)
            ),
            "zero",
        ),
        (lambda texts: texts.update(golden_inputs=texts["golden_inputs"].replace("[0.0,", "[", 1)), "3 wide"),
        (
            lambda texts: texts.update(golden_outputs=texts["golden_outputs"].replace("0.5", "0.9", 1)),
            "distribution",
        ),
        (lambda texts: texts.update(label="[" * 100_000), "label"),
    ],
)
def test_metadata_that_is_missing_or_contradicts_itself(
    tmp_path: Path, spoil: Callable[[dict[str, str]], object], part: str
) -> None:
    refused = refusal(tmp_path, model_bytes(metadata=spoil))
    assert refused.code is RefusalCode.E_CONTRACT
    assert part in refused.message


def test_a_manifest_that_disagrees_or_does_not_approve(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    identity = hashlib.sha256(path.read_bytes()).hexdigest()
    sound = Manifest("test-logit", identity, contract_of(source()).schema_hash, "me", "", (Role.PAPER,))
    manifest_path(path).write_bytes(msgspec.json.encode(sound))
    assert load_model(path, expectation()).model_id == identity

    unasked = refusal(tmp_path, model_bytes(), role=Role.LIVE)
    assert unasked.code is RefusalCode.E_APPROVAL
    assert "approved for paper, not for live" in unasked.message
    manifest_path(path).write_bytes(msgspec.json.encode(msgspec.structs.replace(sound, model_id="00")))
    refused = refusal(tmp_path, model_bytes())
    assert refused.code is RefusalCode.E_CONTRACT
    assert refused.differences == (f"model_id: manifest '00', model {identity!r}",)
    manifest_path(path).write_text("{")
    assert refusal(tmp_path, model_bytes()).code is RefusalCode.E_CONTRACT


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda model: setattr(model.graph.input[0], "name", "x"), "inputs ['x']"),
        (lambda model: setattr(model.graph.output[0], "name", "label"), "outputs ['label']"),
        (lambda model: model.graph.input.append(model.graph.input[0]), "inputs ['row', 'row']"),
        (
            lambda model: setattr(model.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 1),
            "row has a fixed batch of 1",
        ),
        (
            lambda model: setattr(model.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 4),
            "row is 4 wide",
        ),
        (lambda model: model.graph.input[0].type.tensor_type.shape.dim.pop(), "row has rank 1"),
        (
            lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", TensorProto.DOUBLE),
            "row has element type 11",
        ),
        (
            lambda model: setattr(model.graph.output[0].type.tensor_type.shape.dim[1], "dim_value", 2),
            "probabilities is 2 wide",
        ),
    ],
)
def test_input_or_output_of_another_form(tmp_path: Path, spoil: Spoil, part: str) -> None:
    refused = refusal(tmp_path, spoilt(spoil))
    assert refused.code is RefusalCode.E_IO
    assert any(part in line for line in refused.differences)


def with_schema(change: Callable[[dict[str, Any]], object]) -> bytes:
    schema = json.loads(contract_of(source()).schema_json)
    change(schema)
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return model_bytes(
        contract={"schema_json": text, "schema_hash": hashlib.sha256(text.encode()).hexdigest()}
    )


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            lambda schema: schema["features"][2]["params"].update(window_ms=250),
            "features[tfi_1s].params.window_ms: model 250, here 1000",
        ),
        (lambda schema: schema["features"][0].update(version=9), "features[qi_1].version: model 9, here 1"),
        (
            lambda schema: schema["features"][1].update(parity="even"),
            "features[micro_dev].parity: model 'even', here 'odd'",
        ),
        (lambda schema: schema.update(cadence="depth@0ms"), "cadence: model 'depth@0ms', here"),
        (lambda schema: schema["features"][0].update(name="vpin"), "no feature is called 'vpin'"),
    ],
)
def test_features_that_are_not_the_ones_of_this_build(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], difference: str
) -> None:
    refused = refusal(tmp_path, with_schema(change))
    assert refused.code is RefusalCode.E_SCHEMA_HASH
    assert refused.differences
    assert refused.differences[0].startswith(difference)


@pytest.mark.parametrize(
    "contract",
    [
        {"schema_hash": "00"},
        {"schema_json": "{}"},
        {"schema_json": "no json"},
        {"schema_json": "[" * 100_000},
    ],
)
def test_a_schema_that_is_not_what_its_hash_says(tmp_path: Path, contract: dict[str, object]) -> None:
    assert refusal(tmp_path, model_bytes(contract=contract)).code is RefusalCode.E_SCHEMA_HASH


def test_fewer_features_than_inputs(tmp_path: Path) -> None:
    refused = refusal(tmp_path, with_schema(lambda schema: schema["features"].pop()))
    assert refused.code is RefusalCode.E_SCHEMA_HASH
    assert "2 features for an input 3 wide" in refused.message


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ({"today": "2028-01-01"}, "expires_at: 2027-12-31, today is 2028-01-01"),
        ({"venue": "binance-usdm"}, "venue: model 'binance', here 'binance-usdm'"),
        ({"market": "usdm"}, "market: model 'spot', here 'usdm'"),
        ({"symbols": ("BTCUSDT", "ETHUSDT")}, "symbols: model ['BTCUSDT'], here 'ETHUSDT'"),
        ({"cadence": "depth@0ms"}, "cadence: model 'depth@100ms+bookTicker+trade', here 'depth@0ms'"),
    ],
)
def test_expired_or_trained_on_something_else(
    tmp_path: Path, expected: dict[str, object], difference: str
) -> None:
    refused = refusal(tmp_path, model_bytes(), **expected)
    assert refused.code is RefusalCode.E_SPAN
    assert refused.differences == (difference,)


@pytest.mark.parametrize(("expected", "name"), [({"tick": "0.1"}, "tick"), ({"lot": "0.001"}, "lot")])
def test_units_that_changed_at_the_venue(tmp_path: Path, expected: dict[str, object], name: str) -> None:
    refused = refusal(tmp_path, model_bytes(), **expected)
    assert refused.code is RefusalCode.E_UNITS
    assert name in refused.differences[0]


def test_a_portable_model_runs_on_any_market_and_expires_all_the_same(tmp_path: Path) -> None:
    data = model_bytes(source(portable=True))
    elsewhere = {
        "venue": "kraken",
        "market": "spot",
        "symbols": ("XBTUSD",),
        "tick": "0.1",
        "cadence": "book",
    }

    assert load_model(write_model(tmp_path, data), expectation(**elsewhere))
    assert refusal(tmp_path, data, **elsewhere, today="2030-01-01").code is RefusalCode.E_SPAN


@pytest.mark.parametrize(
    "metrics",
    [
        Metrics(1000, score(0.55), None, score(0.693)),
        Metrics(1000, score(0.58), score(0.58), score(0.693)),
        Metrics(1000, score(0.699), score(0.58), score(0.693)),
    ],
    ids=["no baseline", "as good", "worse"],
)
def test_a_model_not_better_than_queue_imbalance_is_a_shadow_at_most(
    tmp_path: Path, metrics: Metrics
) -> None:
    data = model_bytes(source(metrics=metrics))

    assert refusal(tmp_path, data).code is RefusalCode.E_METRICS
    assert load_model(write_model(tmp_path, data), expectation(role=Role.SHADOW))


def test_the_baseline_itself_is_compared_with_the_constant(tmp_path: Path) -> None:
    alone = source(
        features=("qi_1",),
        logistic=logistic(1),
        metrics=Metrics(1000, score(0.58), score(0.58), score(0.693)),
    )
    assert load_model(write_model(tmp_path, model_bytes(alone)), expectation())

    useless = source(
        features=("qi_1",), logistic=logistic(1), metrics=Metrics(1000, score(0.7), score(0.7), score(0.693))
    )
    assert refusal(tmp_path, model_bytes(useless)).code is RefusalCode.E_METRICS


Parts = tuple[list[Any], dict[str, Any]]
NOT_A_NUMBER: Parts = ([helper.make_node("Log", ["row"], ["probabilities"])], {})
NOT_ONE: Parts = ([helper.make_node("Sigmoid", ["row"], ["probabilities"])], {})
ABOVE_ONE: Parts = (
    [helper.make_node("Sub", ["row", "less"], ["probabilities"])],
    {"less": [[0.0, 1.0, -2.0]]},
)


@pytest.mark.parametrize("parts", [NOT_A_NUMBER, NOT_ONE, ABOVE_ONE], ids=["nan", "sum 1.5", "below 0"])
def test_answers_that_are_no_distribution(tmp_path: Path, parts: Parts) -> None:
    assert refusal(tmp_path, foreign(*parts)).code is RefusalCode.E_NAN


def test_a_model_that_overflows_on_large_finite_input(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Exp", ["row"], ["powers"]),
        helper.make_node("ReduceSum", ["powers", "axis"], ["total"], keepdims=1),
        helper.make_node("Div", ["powers", "total"], ["probabilities"]),
    ]
    data = onnx.load_from_string(foreign(nodes, {}))
    data.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
    assert refusal(tmp_path, data.SerializeToString()).code is RefusalCode.E_NAN


def test_golden_rows_that_do_not_come_out(tmp_path: Path) -> None:
    slightly_off = LogisticWeights(((0.9, 0.6, 0.3001),), (0.0,), (0.0,) * 3, (1.0,) * 3, 1.1)
    refused = refusal(tmp_path, model_bytes(graph=slightly_off))
    assert refused.code is RefusalCode.E_GOLDEN
    assert refused.differences[0].startswith("row ")


def test_swapped_columns_are_found_by_the_golden_rows(tmp_path: Path) -> None:
    swapped = LogisticWeights((logistic().weights[0][::-1],), (0.0,), (0.0,) * 3, (1.0,) * 3, 1.1)
    assert refusal(tmp_path, model_bytes(graph=swapped)).code is RefusalCode.E_GOLDEN


def test_a_model_that_claims_symmetry_and_has_an_intercept(tmp_path: Path) -> None:
    leaning = LogisticWeights(((0.9, 0.6, 0.3),), (0.05,), (0.0,) * 3, (1.0,) * 3)

    assert refusal(tmp_path, model_bytes(source(logistic=leaning))).code is RefusalCode.E_MIRROR
    assert load_model(
        write_model(tmp_path, model_bytes(source(logistic=leaning, symmetric=False))), expectation()
    )


def test_an_answer_that_depends_on_the_batch(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ReduceSum", ["row", "batch_axis"], ["total"], keepdims=1),
        helper.make_node("Sub", ["row", "total"], ["mixed"]),
        helper.make_node("Softmax", ["mixed"], ["probabilities"], axis=1),
    ]
    model = onnx.load_from_string(foreign(nodes, {}))
    model.graph.initializer.append(numpy_helper.from_array(np.array([0], np.int64), "batch_axis"))

    assert refusal_of_batch(tmp_path, model).code is RefusalCode.E_BATCH


def refusal_of_batch(folder: Path, model: onnx.ModelProto) -> ModelRefused:
    """Write golden rows that fit the model as it answers the whole batch of the load, then load it."""
    rows = np.vstack([golden_rows(FEATURES), probe_rows(FEATURES)])
    answers = open_session(model.SerializeToString()).run(["probabilities"], {"row": rows})[0][:17]
    outputs = tuple(tuple(row) for row in answers.tolist())
    contract = msgspec.structs.replace(contract_of(source()), golden_outputs=outputs, symmetric=False)
    helper.set_model_props(model, encode_metadata(contract))
    return refusal(folder, model.SerializeToString())


def test_a_model_slower_than_its_budget(tmp_path: Path) -> None:
    assert refusal(tmp_path, model_bytes(), max_p99_us=1).code is RefusalCode.E_LATENCY
    assert load_model(write_model(tmp_path), expectation(max_p99_us=0))


def test_every_code_is_listed_once_and_explains_itself() -> None:
    assert [code.value for code in RefusalCode] == [code.name for code in RefusalCode]
    assert len(RefusalCode) == 15
    assert str(ModelRefused(RefusalCode.E_IO, "wrong", ("a", "b"))) == "E_IO: wrong\n  a\n  b"
