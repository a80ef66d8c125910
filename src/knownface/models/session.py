"""ONNX Runtime: a network from a file, run over any number of inputs."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from knownface.errors import ModelError
from knownface.models.contract import InputContract
from knownface.models.onnx_graph import (
    is_block_quantised,
    with_free_batch,
    without_needless_blocks,
    without_needless_inputs,
    without_prelu,
)

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
Tensor: TypeAlias = npt.NDArray[np.float32]

SMALL_NETWORK = 64_000_000
"""Bytes up to which a network is run by one thread: a face takes it some milliseconds. CLIP's are larger."""

_CUDA = "CUDAExecutionProvider"
_WEIGHTS = "session.optimized_model_external_initializers"
# ONNX Runtime's own errors share no base below Exception. A ValueError is ours: the file is no ONNX.
_ORT_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    ValueError,
    *(kind for kind in vars(ort_state).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)


def usable_processors() -> int:
    """Processors that this process may use, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


class OnnxNetwork:
    """One network with one image input and one vector output; may be used by several threads at once.

    On the processor a small network is run by one thread a run, several runs at a time: nobody waits for anybody. Two
    processors make 340 faces a second of dlib's ResNet so, against 250 with both at each run; with runs of several
    faces 390. A large network has all processors for each run. A file whose batch dimension is fixed at 1, and one
    that must see one face at a time, is run item by item.

    Args:
        path: The ONNX file.
        content: The network itself, where ``path`` holds it in another format; ``path`` then only names it.
        device: ``auto`` takes CUDA where ONNX Runtime offers it.
        batch_size: Largest batch given to a file that takes batches.
        per_item: Whether the output depends on the batch, so that each item must be run alone (dynamic int8).
        input_name: The input tensor; empty: the file's only one.
        output_name: The output tensor; empty: the file's only one.
        threads: Processors to use; None: all that this process may use.

    Raises:
        ModelError: The file is broken, has no such tensor, or CUDA was asked for and is not offered.
    """

    def __init__(
        self,
        path: Path,
        *,
        content: bytes | None = None,
        device: Device = "auto",
        batch_size: int = 32,
        per_item: bool = False,
        input_name: str = "",
        output_name: str = "",
        threads: int | None = None,
    ) -> None:
        self.path = path
        self.batch_size = batch_size
        self._threads = threads or usable_processors()
        providers = providers_of(device)
        alone = providers[0] != _CUDA and (per_item or is_small(path, content))
        self._session = load_session(path, providers, threads=1 if alone else self._threads, content=content)
        self.input_name = _only_input(self._session, input_name, path)
        self.output_name = _pick([node.name for node in self._session.get_outputs()], output_name, "output", path)
        if providers[0] == _CUDA and not per_item and _fixed_batch(self._session, self.input_name) == 1:
            self._session = _of_any_batch(self._session, self.input_name, path, content) or self._session
        self.fixed_batch = _fixed_batch(self._session, self.input_name)
        self.one_by_one = per_item or self.fixed_batch == 1
        self.provider: str = self._session.get_providers()[0]
        if device == "cuda" and self.provider != _CUDA:
            raise ModelError(
                "ONNX Runtime offers CUDA but cannot start it.",
                "Check the driver and that the CUDA and cuDNN versions fit onnxruntime-gpu, or choose auto or cpu.",
            )
        self._side_by_side = self._threads if alone else 1
        self._pool: ThreadPoolExecutor | None = None
        self._pool_lock = threading.Lock()

    def run(self, batch: Tensor) -> Tensor:
        """The output of n inputs in their order.

        Args:
            batch: Float32, shape (n, ...) as the file wants an item; n at least 1.

        Returns:
            Float32, shape (n, dim).

        Raises:
            ModelError: The file does not take such inputs, or fails on them.
        """
        parts = list(self._parts(batch))
        if self._side_by_side > 1 and len(parts) > 1:
            outputs = list(self._workers().map(self._run_once, parts))
        else:
            outputs = [self._run_once(part) for part in parts]
        return np.concatenate(outputs)[: len(batch)]

    def _parts(self, batch: Tensor) -> Iterator[Tensor]:
        size = 1 if self.one_by_one else self.fixed_batch or min(self.batch_size, -(-len(batch) // self._side_by_side))
        for start in range(0, len(batch), size):
            part = batch[start : start + size]
            if self.fixed_batch and len(part) < self.fixed_batch:
                padding = np.repeat(part[-1:], self.fixed_batch - len(part), axis=0)
                part = np.concatenate([part, padding])
            yield part

    def _run_once(self, part: Tensor) -> Tensor:
        try:
            output: Any = self._session.run([self.output_name], {self.input_name: part})[0]
        except _ORT_ERRORS as error:
            raise ModelError(
                f"{self.path} fails on an input of shape {part.shape}: {_first_line(error)}",
                "Check the contract of the network: size, layout and tensor names.",
            ) from error
        return np.asarray(output, dtype=np.float32).reshape(len(part), -1)

    def _workers(self) -> ThreadPoolExecutor:
        with self._pool_lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="onnx")
            return self._pool


def try_network(path: Path, contract: InputContract) -> None:
    """Load a network and run it once on a grey picture, to see that a contract fits it.

    Raises:
        ModelError: It does not load, or gives something else than the contract says.
    """
    network = OnnxNetwork(path, device="cpu", input_name=contract.input_name, output_name=contract.output_name)
    dim = network.run(np.full(contract.shape(1), 0.5, dtype=np.float32)).shape[1]
    if dim != contract.dim:
        raise ModelError(f"{path} gives vectors of length {dim}, its contract says {contract.dim}.", "Correct dim.")


def _of_any_batch(session: Any, input_name: str, path: Path, content: bytes | None) -> Any:
    """The network of a file that insists on a batch of one, on CUDA, for batches of any size; None if it has none.

    A graph may state one item out of habit, or compute with it: it is taken if two items give what each gives alone.
    """
    item = next(node.shape for node in session.get_inputs() if node.name == input_name)[1:]
    if not all(isinstance(length, int) for length in item) or not is_small(path, content):
        return None
    two = np.random.default_rng(0).uniform(-1, 1, (2, *item)).astype(np.float32)
    two[1] *= 10
    failures: tuple[type[Exception], ...] = (ModelError, *_ORT_ERRORS)
    try:
        freed = without_needless_inputs(without_needless_blocks(content or path.read_bytes()))
        free = load_session(path, session.get_providers(), 1, with_free_batch(freed, item))
        quiet = onnxruntime.RunOptions()
        quiet.log_severity_level = 4
        together = free.run(None, {input_name: two}, quiet)[0]
        apart = np.concatenate([session.run(None, {input_name: one[None]})[0] for one in two])
    except failures:
        return None
    return free if together.shape == apart.shape and np.allclose(together, apart, rtol=1e-3, atol=1e-3) else None


def is_small(path: Path, content: bytes | None) -> bool:
    """Whether a network is run by one thread; ``content`` is the network itself where the file has another format."""
    # A file whose size cannot be read cannot be loaded either, and that error says more.
    return (len(content) if content else path.stat().st_size if path.is_file() else 0) <= SMALL_NETWORK


def cuda_offered() -> bool:
    """Whether this ONNX Runtime was built with CUDA."""
    return _CUDA in onnxruntime.get_available_providers()


def providers_of(device: Device) -> list[str]:
    """ONNX Runtime's execution providers for a device, the one to use first.

    Raises:
        ModelError: CUDA was asked for and is not offered.
    """
    if device != "cpu" and cuda_offered():
        return [_CUDA, "CPUExecutionProvider"]
    if device == "cuda":
        raise ModelError(
            "ONNX Runtime offers no CUDA on this machine.",
            "Run pip uninstall onnxruntime, then pip install onnxruntime-gpu; or choose the device auto or cpu.",
        )
    return ["CPUExecutionProvider"]


def load_session(
    path: Path, providers: list[str], threads: int, content: bytes | None = None, *, optimised: Path | None = None
) -> Any:
    """An ONNX Runtime session.

    Args:
        path: The ONNX file.
        providers: Execution providers, the one to use first.
        threads: Processors for one run.
        content: The network itself, where ``path`` holds it in another format.
        optimised: Where to write the network as it is optimised for any processor, its weights beside it. The session
            is slower then than one of what is written, which is optimised further for this processor.

    Raises:
        ModelError: The file cannot be loaded.
    """
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if optimised is not None:
        options.optimized_model_filepath = str(optimised)
        options.add_session_config_entry(f"{_WEIGHTS}_file_name", f"{optimised.stem}.weights")
        options.add_session_config_entry(f"{_WEIGHTS}_min_size_in_bytes", "1024")
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    try:
        small = content or (path.read_bytes() if is_small(path, content) and path.is_file() else b"")
        if is_block_quantised(small):
            # The weights are dequantised once, not at each run: a face of SFace takes 28 instead of 45 ms.
            options.add_session_config_entry("session.disable_quant_qdq", "1")
            content = small = without_needless_inputs(without_needless_blocks(small))  # else it is loaded twice
        if b"PRelu" in small and _blocks_channels(providers):
            content = without_prelu(small)
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
        session = onnxruntime.InferenceSession(content or str(path), options, providers=providers)
        if len(session.get_inputs()) <= 1:
            return session
        mended = without_needless_inputs(content or path.read_bytes())
        return onnxruntime.InferenceSession(mended, options, providers=providers)
    except _ORT_ERRORS as error:
        raise ModelError(
            f"ONNX Runtime cannot load {path}: {_first_line(error)}",
            "Delete the file and fetch it again, or check that it is an ONNX network.",
        ) from error


def _blocks_channels(providers: list[str]) -> bool:
    """Whether ONNX Runtime lays pictures out in blocks of channels, where convolutions of one pixel are quick."""
    return _CUDA not in providers and platform.machine().lower() in {"x86_64", "amd64"}


def _pick(names: list[str], wanted: str, what: str, path: Path) -> str:
    if not wanted and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    problem = f"has no {what} named {wanted!r}" if wanted else f"has several {what}s"
    raise ModelError(
        f"{path} {problem}; its {what}s are {', '.join(names)}.",
        f"Set {what}_name in the network's contract.",
    )


def _only_input(session: Any, wanted: str, path: Path) -> str:
    names = [node.name for node in session.get_inputs()]
    if len(names) > 1:
        raise ModelError(
            f"{path} takes {len(names)} inputs: {', '.join(names)}; knownface gives a network one picture and no more.",
            "Take the image encoder alone (of a CLIP the file is often called vision_model.onnx), or export the "
            "network with its picture as the only input.",
        )
    return _pick(names, wanted, "input", path)


def _fixed_batch(session: Any, input_name: str) -> int:
    """The batch size that the file insists on; 0: any."""
    shape = next(node.shape for node in session.get_inputs() if node.name == input_name)
    return shape[0] if shape and isinstance(shape[0], int) else 0


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
