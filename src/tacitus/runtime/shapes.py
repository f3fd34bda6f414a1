"""Few batch shapes: an exported graph prepares its kernels once for each, which costs more than some padding."""

from __future__ import annotations

from collections.abc import Sequence

from tacitus.data.encode import Window

_STEPS = ((64, 8), (128, 16), (256, 32))  # up to so many tokens, rounded up to a multiple


def row_length(n_tokens: int) -> int:
    """Length that a window of ``n_tokens`` is padded to."""
    step = next((step for limit, step in _STEPS if n_tokens <= limit), 64)
    return -(-n_tokens // step) * step


def batch_shape(windows: Sequence[Window], batch_tokens: int) -> tuple[int, int]:
    """Rows and tokens that a batch is padded to: full batches of one length share a shape, rests a power of two."""
    n_tokens = row_length(max(len(w.input_ids) for w in windows))
    full = max(1, batch_tokens // n_tokens)
    rows = 1 << (len(windows) - 1).bit_length()
    return (full if len(windows) <= full <= rows else rows), n_tokens
