"""A tiny world: a two-layer encoder, a word-piece vocabulary of our own and a handful of sentences, all in memory."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from label_studio_server import SECOND, LabelStudio, find_executable
from tacitus.data.jsonl import write_sentences
from tacitus.ontology import Ontology, load_ontology, ontology_from_dict
from tacitus.records import AnnotatedSentence, Event, Span

# Loaded machines make single examples slow; how many are drawn bounds the time.
settings.register_profile("tacitus", deadline=None)
settings.load_profile("tacitus")

REPOSITORY = Path(__file__).resolve().parent.parent

TINY_ONTOLOGY = {
    "name": "tiny",
    "span_labels": [{"id": "ACTOR"}, {"id": "LOCATION"}],
    "roles": [
        {"id": "initiator", "key": "initiators", "span_label": "ACTOR"},
        {"id": "target", "key": "targets", "span_label": "ACTOR"},
        {"id": "place", "key": "places", "span_label": "LOCATION"},
    ],
    "groups": [
        {"id": "force", "disorder_type": "Political violence", "types": [{"id": "attack"}, {"id": "capture"}]},
        {"id": "talk", "types": [{"id": "deal"}]},
    ],
}
ACTORS = ["rebels", "troops", "police", "villagers"]
PLACES = ["juba", "goma", "mosul"]
VERBS = {"attack": "attacked", "capture": "seized from", "deal": "signed a deal with"}


def sentence(name: str, actor: str, kind: str, other: str, place: str) -> AnnotatedSentence:
    """``ACTOR VERB ACTOR in PLACE .`` with its gold."""
    text = f"{actor} {VERBS[kind]} {other} in {place} ."
    spans = [Span(text.index(x, start), text.index(x, start) + len(x), label) for x, start, label in
             ((actor, 0, "ACTOR"), (other, len(actor), "ACTOR"), (place, len(text) - len(place) - 3, "LOCATION"))]  # fmt: skip
    event = Event(kind, {"initiators": (0,), "targets": (1,), "places": (2,)})
    return AnnotatedSentence(name, text, tuple(spans), (event,), doc_id=name.partition("-")[0], sentence_index=0)


@pytest.fixture(scope="session")
def ontology() -> Ontology:
    return load_ontology()


@pytest.fixture(scope="session")
def tiny_ontology() -> Ontology:
    return ontology_from_dict(TINY_ONTOLOGY)


@pytest.fixture(scope="session")
def tiny_sentences() -> list[AnnotatedSentence]:
    out = []
    for i in range(48):
        actor, other = ACTORS[i % 4], ACTORS[(i + 1 + i // 16) % 4]
        out.append(
            sentence(
                f"d{i}-s0", actor, list(VERBS)[i % 3], other if other != actor else "guards", PLACES[i % 3 - i // 24]
            )
        )
    out += [AnnotatedSentence(f"n{i}-s0", f"prices in {place} rose again .", (Span(10, 10 + len(place), "LOCATION"),), ())
            for i, place in enumerate(PLACES * 4)]  # fmt: skip
    return out


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT of two layers with a word-piece tokenizer, as a folder that AutoModel loads."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = [
        *ACTORS,
        *PLACES,
        *" ".join(VERBS.values()).split(),
        "guards",
        "prices",
        "rose",
        "again",
        "in",
        ".",
        ",",
        "'",
        "-",
    ]
    pieces = [f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789"] + list("abcdefghijklmnopqrstuvwxyz0123456789")
    vocabulary = {
        w: i for i, w in enumerate(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *pieces]))
    }
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", vocabulary["[SEP]"]), ("[CLS]", vocabulary["[CLS]"]))
    folder = tmp_path_factory.mktemp("encoder")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_task(
    tmp_path_factory: pytest.TempPathFactory, tiny_sentences: list[AnnotatedSentence], tiny_encoder: Path
) -> Path:
    """A folder with ontology, data and recipe of a training run of a few seconds."""
    import yaml

    folder = tmp_path_factory.mktemp("task")
    (folder / "ontology.yaml").write_text(yaml.safe_dump(TINY_ONTOLOGY))
    write_sentences(folder / "train.jsonl", [s for i, s in enumerate(tiny_sentences) if i % 4])
    texts = {s.text for i, s in enumerate(tiny_sentences) if i % 4}
    dev = [s for i, s in enumerate(tiny_sentences) if i % 4 == 0 and s.text not in texts]
    extra = [
        sentence("x0-s0", "guards", "attack", "villagers", "goma"),
        sentence("x1-s0", "villagers", "deal", "guards", "juba"),
    ]
    write_sentences(folder / "dev.jsonl", [*{s.text: s for s in [*dev, *extra]}.values()])
    recipe = {
        "name": "tiny",
        "data": {
            "train": [str(folder / "train.jsonl")],
            "dev": str(folder / "dev.jsonl"),
            "ontology": str(folder / "ontology.yaml"),
        },
        "model": {"encoder": str(tiny_encoder), "max_tokens": 64, "role_dim": 16},
        "optim": {"epochs": 3, "batch_size": 8, "learning_rate": 3e-3, "head_learning_rate": 5e-3},
        "run": {"output": str(folder / "run"), "bf16": False, "device": "cpu"},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_task: Path) -> Path:
    """A trained tiny checkpoint."""
    from tacitus.training.recipe import load_recipe
    from tacitus.training.run import train

    output = tiny_task / "checkpoint"
    train(load_recipe(tiny_task / "recipe.yaml", [f"run.output={output}", "optim.epochs=15"]))
    return output


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudio]:
    """A real Label Studio with two users, stopped at the end."""
    executable = find_executable()
    if executable is None:
        pytest.skip("label-studio is not installed; TACITUS_LABEL_STUDIO names a virtual environment that has it")
    server = LabelStudio(executable, tmp_path_factory.mktemp("label-studio"))
    try:
        server.start()
        server.add_user(SECOND)
        yield server
    finally:
        server.kill()
