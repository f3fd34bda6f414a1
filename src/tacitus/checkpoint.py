"""Checkpoint folders: config.json, model.safetensors and tokenizer.json, saved and loaded the transformers way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers.utils import logging

from tacitus.errors import CheckpointError, one_line
from tacitus.extractor import Extractor
from tacitus.folder import WEIGHTS, check_folder, load_tokenizer, read_settings
from tacitus.model.configuration import EventModelConfig
from tacitus.model.decode import Calibration
from tacitus.model.modeling import EventModel
from tacitus.model.settings import settings_from_config
from tacitus.runtime.pytorch import PyTorchRuntime


def load_model(path: Path) -> EventModel:
    """The network of a checkpoint folder, in float32.

    Raises:
        CheckpointError: the folder is not whole, or is no tacitus checkpoint.
    """
    check_folder(path)
    if not (path / WEIGHTS).is_file():
        raise CheckpointError(f"{path}: {WEIGHTS} is missing, which PyTorch needs; the exported graphs run without")
    read_settings(path)  # says what is wrong with config.json
    try:
        with without_bars():
            model, loading = EventModel.from_pretrained(
                path, dtype=torch.float32, local_files_only=True, output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError, TypeError, KeyError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot load the checkpoint ({one_line(error)[:200]})") from None
    absent = sorted([*loading["missing_keys"], *loading["unexpected_keys"]])
    if absent:
        raise CheckpointError(f"{path}: weights and config.json do not belong together, first {absent[0]!r}")
    assert isinstance(model, EventModel)
    return model


@contextmanager
def without_bars() -> Iterator[None]:
    """Progress is shown where it was asked for, not by a library below."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def extractor_from_model(
    model: EventModel, tokenizer: Tokenizer, name: str, device: str = "cpu", bf16: bool = False
) -> Extractor:
    """An extractor around a network in memory, under the calibration in its configuration."""
    settings = settings_from_config(model.config.to_dict())
    runtime = PyTorchRuntime(model, settings.pad_token_id, device, bf16)
    return Extractor.assemble(runtime, tokenizer, settings, name)


def load_extractor(path: Path, device: str = "auto", bf16: bool = False) -> Extractor:
    """Loads a checkpoint folder into PyTorch; see :meth:`tacitus.extractor.Extractor.load`."""
    cuda = torch.cuda.is_available()
    if device == "auto":
        device = "cuda" if cuda else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device) or (device != "cpu" and not cuda):
        raise CheckpointError(
            f"device {device!r}: take auto, cpu, cuda or cuda:N" + ("" if cuda else "; PyTorch sees no GPU")
        )
    return extractor_from_model(load_model(path), load_tokenizer(path), str(path), device, bf16)


def save_checkpoint(path: Path, model: EventModel, tokenizer: Tokenizer, half: bool = True) -> None:
    """Writes a checkpoint folder; ``half`` stores the weights as float16."""
    path.mkdir(parents=True, exist_ok=True)
    if half:
        model = EventModel.from_pretrained(
            None,
            config=model.config,
            state_dict={k: v.half() for k, v in model.state_dict().items()},
            dtype=torch.float16,
        )
    model.save_pretrained(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.save(str(path / "tokenizer.json"))
    (path / WEIGHTS).chmod(0o644)  # the library writes it for its owner alone


def store_calibration(path: Path, calibration: Calibration) -> None:
    """Puts a calibration into the configuration of a stored checkpoint."""
    config = EventModelConfig.from_pretrained(path)
    config.calibration = asdict(calibration)
    config.save_pretrained(path)
