"""What a full disk or too little memory raises in a training run, as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from tacitus.errors import OutputError, RecipeError, one_line, reason
from tacitus.runtime.pytorch import out_of_memory


@contextmanager
def explained(output: Path) -> Iterator[None]:
    """Raises one-line errors where the block fails to write or to find memory.

    Raises:
        OutputError: the folder is full or read-only.
        RecipeError: a batch does not fit into memory.
    """
    try:
        yield
    except OSError as error:
        raise _unwritten(output, reason(error)) from None
    except SafetensorError as error:
        raise _unwritten(output, one_line(error)) from None
    except (MemoryError, RuntimeError) as error:
        if "PytorchStreamWriter" in str(error):
            raise _unwritten(output, "the disk is full") from None
        if not out_of_memory(error):
            raise
        raise RecipeError(
            "not enough memory for a batch; halve optim.batch_size and double optim.gradient_accumulation"
        ) from None


def _unwritten(output: Path, why: str) -> OutputError:
    return OutputError(f"{output}: cannot write ({why}); make room, then give the same command again to continue")
