"""The machine's name and what its cores can multiply, measured."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

_SIZE = (2048, 1536, 1536)  # rows, inner, columns: big enough to fill the cores, small enough for the caches


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def matmul_peaks(seconds: float = 0.5) -> dict[str, float]:
    """Best measured rate of a large matrix product in 10⁹ operations a second (two a multiply-add), by number type.

    Args:
        seconds: how long each type is tried; the best single product counts.
    """
    rows, inner, columns = _SIZE
    a, b = torch.randn(rows, inner), torch.randn(inner, columns)
    a8, b8 = (x.clamp(-3, 3).mul(40).to(torch.int8) for x in (a, b))
    a16, b16 = a.bfloat16(), b.bfloat16()
    products: dict[str, Callable[[], torch.Tensor]] = {
        "fp32": lambda: a @ b,
        "bf16": lambda: a16 @ b16,
        "int8": lambda: torch._int_mm(a8, b8),  # the only int8 product that PyTorch offers on CPUs
    }
    return {name: 2e-9 * rows * inner * columns / _best(product, seconds) for name, product in products.items()}


def _best(run: Callable[[], object], seconds: float) -> float:
    run()
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best
