"""What this machine's processor is called and can multiply."""

from __future__ import annotations

import platform
from functools import lru_cache
from pathlib import Path


@lru_cache
def _cpuinfo() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return {}
    first = text.partition("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first)}


def processor_name() -> str:
    """The processor's name as the system gives it."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def processor_flags() -> frozenset[str]:
    """Instruction sets as Linux names them; empty where they cannot be read."""
    return frozenset((_cpuinfo().get("flags") or _cpuinfo().get("Features") or "").split())


def has_int8() -> bool:
    """Whether int8 products are native (VNNI, AMX, or dot products on Arm), so that an int8 graph is the quickest."""
    return bool(processor_flags() & {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})


def has_bf16() -> bool:
    """Whether bfloat16 products are native."""
    return bool(processor_flags() & {"avx512_bf16", "amx_bf16", "bf16"})
