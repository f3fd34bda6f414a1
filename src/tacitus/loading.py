"""A checkpoint folder → an extractor on the runtime that suits this machine. PyTorch is loaded only where it runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from tacitus.errors import CheckpointError, TacitusError, require, suggest
from tacitus.extractor import Extractor
from tacitus.folder import GRAPHS, WEIGHTS, check_folder, kept_quality, load_tokenizer, read_export, read_settings
from tacitus.runtime.base import Runtime
from tacitus.runtime.processor import has_bf16, has_int8

RUNTIMES = ("auto", "openvino-int8", "openvino", "onnx", "pytorch")
_PACKAGES = {"openvino-int8": "openvino", "openvino": "openvino", "onnx": "onnxruntime", "pytorch": "torch"}


def load(path: Path, runtime: str = "auto", device: str = "auto", bf16: bool = False, threads: int = 0) -> Extractor:
    """Loads a checkpoint folder; see :meth:`tacitus.extractor.Extractor.load`.

    Raises:
        CheckpointError: the folder, or an unknown runtime or device.
        TacitusError: the runtime's package is not installed.
    """
    if runtime not in RUNTIMES:
        raise CheckpointError(f"runtime {runtime!r}: take {', '.join(RUNTIMES)}{suggest(runtime, RUNTIMES)}")
    check_folder(path)
    if runtime == "auto":
        runtime = choose(path, device).runtime
    if runtime == "onnx":
        require("onnxruntime", "onnx")
    if runtime == "pytorch":
        _require_pytorch(path)
        from tacitus.checkpoint import load_extractor

        return load_extractor(path, device, bf16)
    if device not in ("auto", "cpu"):
        raise CheckpointError(f"runtime {runtime!r} runs on the CPU; leave --device out, or take --runtime pytorch")
    settings = read_settings(path)
    graph = _graph(path, runtime, settings.pad_token_id, bf16, threads)
    return Extractor.assemble(graph, load_tokenizer(path), settings, str(path))


class Choice(NamedTuple):
    """The runtime that ``auto`` takes, and why."""

    runtime: str
    why: str


def choose(path: Path, device: str) -> Choice:
    """The runtime for a folder on this machine: PyTorch for a GPU, else the quickest graph that is here.

    int8 is taken where the processor multiplies int8 natively, since it is slower than float32 elsewhere. A graph whose
    export found that it loses quality is not taken unasked.
    """
    torch_here = find_spec("torch") is not None and find_spec("transformers") is not None
    if torch_here and (path / WEIGHTS).is_file() and (device.startswith("cuda") or (device == "auto" and sees_gpu())):
        return Choice("pytorch", "the GPU was asked for" if device.startswith("cuda") else "PyTorch sees a GPU")
    int8 = has_int8()
    kinds = ["openvino-int8", "openvino", "onnx"] if int8 else ["openvino", "onnx", "openvino-int8"]
    for kind in kinds:
        if kept_quality(path, kind) and find_spec(_PACKAGES[kind]) is not None:
            order = f"the processor {'multiplies' if int8 else 'does not multiply'} int8 natively"
            return Choice(kind, f"the first that can run of {', '.join(kinds)}, since {order}")
    return Choice("pytorch", "no exported graph that kept the network's quality can run here")


def obstacle(path: Path, runtime: str) -> str | None:
    """Why a runtime cannot run a checkpoint folder here; ``None`` where it can."""
    needed = ("torch", "transformers") if runtime == "pytorch" else (_PACKAGES[runtime],)
    missing = [package for package in needed if find_spec(package) is None]
    if missing:
        return f"{missing[0]} is not installed"
    if runtime == "pytorch":
        return None if (path / WEIGHTS).is_file() else f"{path} holds no {WEIGHTS}"
    try:
        read_export(path, runtime)
    except CheckpointError as error:
        return str(error)
    return None


def _require_pytorch(path: Path) -> None:
    for package in ("torch", "transformers"):
        try:
            require(package, "torch")
        except TacitusError as error:
            raise TacitusError(
                f"{path}: PyTorch runs the weights ('tacitus export' makes a graph that does without); {error}"
            ) from None


def sees_gpu() -> bool:
    """Whether an NVIDIA driver is loaded: asked of the system first, since importing PyTorch takes a second."""
    if not Path("/proc/driver/nvidia/version").exists() and not Path("/dev/nvidiactl").exists():
        return False
    import torch

    return torch.cuda.is_available()


def _graph(path: Path, kind: str, pad_token_id: int, bf16: bool, threads: int) -> Runtime:
    chain = read_export(path, kind)
    file = path / GRAPHS[kind]
    if kind == "onnx":
        from tacitus.runtime.onnx import ONNXRuntime

        return ONNXRuntime(file, chain, pad_token_id, threads)
    from tacitus.runtime.openvino import OpenVINORuntime

    return OpenVINORuntime(file, chain, pad_token_id, bf16 and has_bf16(), threads)
