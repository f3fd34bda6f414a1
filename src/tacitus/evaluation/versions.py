"""What a result was made with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "tacitus",
    "torch",
    "transformers",
    "openvino",
    "onnxruntime",
    "tokenizers",
    "datasets",
    "numpy",
    "scikit-learn",
)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    out = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            continue
    return out
