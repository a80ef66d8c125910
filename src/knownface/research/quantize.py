"""A network in smaller numbers: int8 by ONNX Runtime's own quantisation, fp16 and bf16.

What each is good for on a processor: ``int8`` (static: the ranges of all values are measured beforehand on pictures)
runs faster where the processor multiplies bytes (AVX-512 VNNI, ARM's dot product); ``int8-dynamic`` measures ranges
anew for each batch, which pays for the large matrix products of transformers, and whose output depends on the batch
(convolutions are left as they are: their dynamic kind is slower than 32 bits); ``fp16`` and
``bf16`` halve the file, and ONNX Runtime computes in 32 bits all the same on a processor. ``fp16`` is faster on CUDA.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from knownface.errors import MissingExtraError, ModelError
from knownface.models.session import Tensor
from knownface.precisions import PRECISIONS, Precision

if TYPE_CHECKING:
    import onnx

CALIBRATION_PICTURES = 64
"""Enough for ranges that stay: with 128 the figures of MobileFaceNet and dlib's network were the same."""
_SMALLEST_HALVED = 64
"""Numbers from which on a constant is halved; smaller ones are shapes and single factors."""


def usual_precisions(content: bytes, *, calibrated: bool) -> tuple[Precision, ...]:
    """What is worth making of a network, in the order of :data:`PRECISIONS`.

    Args:
        content: Of the ONNX file.
        calibrated: Whether there are pictures to measure ranges on, without which there is no static int8.

    Raises:
        MissingExtraError: The package onnx is not installed.
        ModelError: It is no ONNX network.
    """
    left_out = set() if calibrated else {"int8"}
    if not _has_attention(_read(content).graph):
        left_out.add("int8-dynamic")
    return tuple(kind for kind in PRECISIONS if kind not in left_out)


def depends_on_batch(precision: Precision) -> bool:
    """Whether a network of this kind must be run one face at a time."""
    return precision == "int8-dynamic"


def write_variant(content: bytes, precision: Precision, target: Path, calibration: Sequence[Tensor] = ()) -> None:
    """Make a network in smaller numbers.

    Args:
        content: Of the ONNX file in 32 bits.
        precision: Of the result.
        target: The file to write.
        calibration: For ``int8``: inputs, float32 of shape (1, ...), as photos of faces give them.

    Raises:
        MissingExtraError: The package onnx is not installed.
        ModelError: It is no ONNX network, a network that cannot be made so, or ``int8`` lacks its pictures.
    """
    network = _read(content)
    del network.graph.value_info[:]  # an exporter's notes on shapes may contradict the new graph
    if precision == "int8" and not calibration:
        raise ModelError("Static int8 needs pictures to measure ranges on.", 'Give photos of people as data="FOLDER".')
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        match precision:
            case "fp16":
                _write_fp16(network, target)
            case "bf16":
                _onnx().save(_with_bf16_weights(network), str(target))
            case "int8-dynamic":
                _write_dynamic(_prepared(network, Path(folder)), target)
            case "int8":
                _write_static(_prepared(network, Path(folder)), target, calibration)


def _read(content: bytes) -> onnx.ModelProto:
    from google.protobuf.message import DecodeError  # comes with onnx

    package = _onnx()
    try:
        network: onnx.ModelProto = package.load_model_from_string(content)
    except DecodeError as error:
        raise ModelError(f"The network cannot be read: {error}.", "It must be an ONNX file.") from error
    return network


def _has_attention(graph: onnx.GraphProto) -> bool:
    return any(node.op_type == "Softmax" for node in graph.node)


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(
            "Making networks smaller needs onnx, which is not installed.",
            "quantize",
        ) from error
    return onnx


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """ONNX Runtime's quantisation prints how far it is, and logs advice for its developers to the root logger."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(before)


def _prepared(network: onnx.ModelProto, folder: Path) -> Path:
    """The network with its shapes written down and its simple operations joined, as quantisation wants it."""
    from onnxruntime.quantization import quant_pre_process

    given, path = folder / "given.onnx", folder / "prepared.onnx"
    _onnx().save(network, str(given))
    # The symbolic inference of shapes would need SymPy; ONNX's own is enough for image networks.
    quant_pre_process(str(given), str(path), skip_symbolic_shape=True)
    return path


def _write_dynamic(prepared: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # Weights with a sign: for products of unsigned with signed bytes processors have instructions (VNNI). With a
    # patch convolution in bytes, CLIP's 86 million weights took 54 instead of 27 ms on one processor.
    products = ["MatMul", "Gemm"]
    quantize_dynamic(str(prepared), str(target), weight_type=QuantType.QInt8, op_types_to_quantize=products)


def _write_static(prepared: Path, target: Path, calibration: Sequence[Tensor]) -> None:
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static

    onnx = _onnx()
    graph = onnx.load(str(prepared)).graph
    name = graph.input[0].name
    inputs = iter(calibration)

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Tensor] | None:
            item = next(inputs, None)
            return None if item is None else {name: item}

    # Attention's sums and norms lose too much in 8 bits, and cost little: only its products are made so.
    attention = _has_attention(graph)
    quantize_static(
        str(prepared),
        str(target),
        Reader(),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax if attention else CalibrationMethod.Percentile,
        op_types_to_quantize=["Conv", "Gemm", "MatMul"] if attention else None,
        extra_options={"MatMulConstBOnly": True},
    )


def _write_fp16(network: onnx.ModelProto, target: Path) -> None:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    halved = convert_float_to_float16(network, keep_io_types=True, disable_shape_infer=False)
    _onnx().save(halved, str(target))


def _with_bf16_weights(network: onnx.ModelProto) -> onnx.ModelProto:
    """The weights rounded to bfloat16, and an operation for each that makes 32 bits of them when the file is loaded."""
    onnx = _onnx()
    casts = []
    for constant in network.graph.initializer:
        if constant.data_type != onnx.TensorProto.FLOAT:
            continue
        values = onnx.numpy_helper.to_array(constant)
        if values.size < _SMALLEST_HALVED:
            continue
        name = constant.name
        halved = onnx.TensorProto(name=f"{name}.bf16", dims=values.shape, data_type=onnx.TensorProto.BFLOAT16)
        halved.raw_data = _bf16(values).tobytes()
        constant.CopyFrom(halved)
        casts.append(onnx.helper.make_node("Cast", [halved.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *network.graph.node]
    del network.graph.node[:]
    network.graph.node.extend(nodes)
    return network


def _bf16(values: Tensor) -> npt.NDArray[np.uint16]:
    """The upper half of each number's bits, rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4")
    return np.asarray((bits + 0x7FFF + (bits >> 16 & 1)) >> 16, dtype="<u2")
