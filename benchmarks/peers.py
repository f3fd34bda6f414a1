"""What people run today: two Hugging Face pipelines, one for the event types and one for the spans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedTokenizerFast,
    pipeline,
)

from tacitus.model.modeling import EventModel


def two_pipelines(model: EventModel, checkpoint: Path) -> Callable[[Sequence[str], int], int]:
    """A function that codes texts at a batch size with two models of the joint model's encoder size.

    Both carry the joint model's encoder weights and random heads, which serve for speed. Roles are left out, to the
    peer's favour.
    """
    file = str(checkpoint / "tokenizer.json")
    pad = Tokenizer.from_file(file).id_to_token(model.config.encoder.get("pad_token_id") or 0)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=file, pad_token=pad, model_max_length=model.config.max_tokens)
    task = model.config.task()
    types = AutoModelForSequenceClassification.from_config(
        _config(model, {"num_labels": len(task.event_types), "problem_type": "multi_label_classification"})
    )
    spans = AutoModelForTokenClassification.from_config(_config(model, {"num_labels": len(model.config.tag_set())}))
    for network in (types, spans):
        network.base_model.load_state_dict(model.encoder.state_dict(), strict=False)
        network.eval()
    classify = pipeline("text-classification", model=types, tokenizer=tokenizer, top_k=None, device="cpu")
    mark = pipeline(
        "token-classification", model=spans, tokenizer=tokenizer, aggregation_strategy="simple", device="cpu"
    )

    def run(texts: Sequence[str], batch_size: int) -> int:
        found = classify(list(texts), batch_size=batch_size, truncation=True)
        return len(found) + len(mark(list(texts), batch_size=batch_size))

    return run


def _config(model: EventModel, options: dict[str, Any]) -> Any:
    return AutoConfig.for_model(**{**model.config.encoder, "id2label": None, "label2id": None, **options})
