"""What an ONNX file is made of, read with our own few lines before any library touches it.

The session reads names, shapes and metadata this way, so that it needs no ONNX Runtime in its own process;
the loader refuses operators, domains and external data from it before ONNX Runtime opens the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.models.protobuf import ProtobufError, read_fields

DYNAMIC = -1
"""A dimension that has a name or nothing instead of a number."""

FLOAT32 = 1
"""`elem_type` of float32 in ONNX."""

_EXTERNAL = 1
_MAX_NODES = 10_000


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Name, element type (ONNX number) and shape of a graph input or output; `DYNAMIC` where it is open."""

    name: str
    elem_type: int
    shape: tuple[int, ...]


@dataclass(slots=True)
class OnnxFile:
    """Parts of a model file that the contract speaks of; built by `parse_onnx` alone."""

    ir_version: int = 0
    opsets: list[tuple[str, int]] = field(default_factory=list)
    """(domain, version); the standard domain is the empty string."""
    operators: list[tuple[str, str]] = field(default_factory=list)
    """(domain, operator) of each node."""
    inputs: list[TensorInfo] = field(default_factory=list)
    """Without those that have an initializer."""
    outputs: list[TensorInfo] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)
    """Things no model of ours has: external data, functions, nested graphs, sparse tensors."""


def parse_onnx(data: bytes) -> OnnxFile:
    """Read a serialised ModelProto.

    Raises:
        ProtobufError: the bytes are no ONNX model.
    """
    file = OnnxFile()
    graphs = 0
    for number, value in read_fields(memoryview(data)):
        match number, value:
            case 1, int():
                file.ir_version = value
            case 7, memoryview():
                graphs += 1
                _read_graph(value, file)
            case 8, memoryview():
                domain, version = _text(value, 1), _integer(value, 2)
                file.opsets.append((domain, version))
            case 14, memoryview():
                file.metadata[_text(value, 1)] = _text(value, 2)
            case 20, _:
                file.oddities.append("training info")
            case 25, _:
                file.oddities.append("local function")
            case _:
                pass
    if graphs != 1:
        raise ProtobufError(f"{graphs} graphs in the file, want 1")
    return file


def _read_graph(graph: memoryview, file: OnnxFile) -> None:
    constants = set()
    for number, value in read_fields(graph):
        match number, value:
            case 1, memoryview():
                _read_node(value, file)
            case 5, memoryview():
                constants.add(_text(value, 8))
                _read_tensor(value, file)
            case 11, memoryview():
                file.inputs.append(_tensor_info(value))
            case 12, memoryview():
                file.outputs.append(_tensor_info(value))
            case 15, _:
                file.oddities.append("sparse initializer")
            case _:
                pass
    file.inputs = [tensor for tensor in file.inputs if tensor.name not in constants]


def _read_node(node: memoryview, file: OnnxFile) -> None:
    if len(file.operators) >= _MAX_NODES:
        raise ProtobufError(f"more than {_MAX_NODES} nodes")
    domain, operator = _text(node, 7), _text(node, 4)
    file.operators.append(("" if domain == "ai.onnx" else domain, operator))
    for attribute in _messages(node, 5):
        for number, value in read_fields(attribute):
            match number, value:
                case ((5 | 10), memoryview()):
                    _read_tensor(value, file)
                case ((6 | 11), _):
                    file.oddities.append(f"graph inside {operator}")
                case ((22 | 23), _):
                    file.oddities.append(f"sparse tensor inside {operator}")
                case _:
                    pass


def _read_tensor(tensor: memoryview, file: OnnxFile) -> None:
    for number, value in read_fields(tensor):
        if number == 13 or (number == 14 and value == _EXTERNAL):
            file.oddities.append(f"external data of {_text(tensor, 8)!r}")
            return


def _tensor_info(value_info: memoryview) -> TensorInfo:
    elem_type = 0
    shape: list[int] = []
    for type_proto in _messages(value_info, 2):
        for tensor_type in _messages(type_proto, 1):
            elem_type = _integer(tensor_type, 1)
            for shape_proto in _messages(tensor_type, 2):
                shape.extend(_dimension(dim) for dim in _messages(shape_proto, 1))
    return TensorInfo(_text(value_info, 1), elem_type, tuple(shape))


def _dimension(dimension: memoryview) -> int:
    values = [value for number, value in read_fields(dimension) if number == 1 and isinstance(value, int)]
    return values[-1] if values else DYNAMIC


def _messages(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in read_fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _text(message: memoryview, wanted: int) -> str:
    text = ""
    for piece in _messages(message, wanted):
        try:
            text = bytes(piece).decode()
        except UnicodeDecodeError as error:
            raise ProtobufError(f"field {wanted} is no UTF-8 text") from error
    return text


def _integer(message: memoryview, wanted: int) -> int:
    number = 0
    for found, value in read_fields(message):
        if found == wanted and isinstance(value, int):
            number = value
    return number
