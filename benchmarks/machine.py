"""What the machine's cores can multiply, measured."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import numpy as np
import torch

_SIZE = (2048, 1536, 1536)  # rows, inner, columns: big enough to fill the cores, small enough for the caches
_CHAINED = 8


def matmul_peaks(seconds: float) -> dict[str, float]:
    """Best measured rate of a large matrix product in 10⁹ operations a second (two a multiply-add), by number type.

    Args:
        seconds: how long each type is tried; the best single product counts.
    """
    rows, inner, columns = _SIZE
    a, b = torch.randn(rows, inner), torch.randn(inner, columns)
    a8, b8 = (x.clamp(-3, 3).mul(40).to(torch.int8) for x in (a, b))
    a16, b16 = a.bfloat16(), b.bfloat16()
    products: dict[str, Callable[[], object]] = {
        "fp32": lambda: a @ b,
        "bf16": lambda: a16 @ b16,
        "int8": lambda: torch._int_mm(a8, b8),  # the only int8 product that PyTorch offers on CPUs
    }
    work = 2e-9 * rows * inner * columns
    peaks = {name: work / _best(product, seconds) for name, product in products.items()}
    if importlib.util.find_spec("openvino") is not None:
        chained = _CHAINED * 2e-9 * rows * inner**2 / _best(int8_chain(rows, inner, _CHAINED), seconds)
        peaks["int8"] = max(peaks["int8"], chained)
    return peaks


def int8_chain(rows: int, width: int, n: int) -> Callable[[], object]:
    """A function that runs ``n`` int8 products in a row in OpenVINO, whose kernels can beat PyTorch's.

    Its input and output are float32; only what lies between stays int8, hence several products.
    """
    import openvino
    from openvino import opset13

    random = np.random.default_rng(0)
    low, high = (opset13.constant(np.float32(bound)) for bound in (-4, 4))
    scale = np.full((width, 1), 0.01 / width**0.5, np.float32)
    start = node = opset13.parameter([rows, width], np.float32)
    for _ in range(n):
        weights = opset13.constant(random.integers(-127, 128, (width, width), dtype=np.int8))
        weights = opset13.multiply(opset13.convert(weights, np.float32), opset13.constant(scale))
        node = opset13.matmul(opset13.fake_quantize(node, low, high, low, high, 256), weights, False, True)
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = openvino.Core().compile_model(openvino.Model([node], [start], "peak"), "CPU", options)
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(random.standard_normal((rows, width), dtype=np.float32)))
    return request.infer


def _best(run: Callable[[], object], seconds: float) -> float:
    run()
    best, until = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() >= until:
            return best
