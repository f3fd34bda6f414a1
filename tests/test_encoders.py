"""One model over encoders of several families, each a tiny random one: forward, loss, save, load, extract."""

import shutil

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel

from tacitus.checkpoint import extractor_from_model, load_extractor, save_checkpoint
from tacitus.data.collate import Collator
from tacitus.data.encode import FeatureEncoder, prepare_tokenizer
from tacitus.model.modeling import EventModel

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
FAMILIES = {
    "bert": SMALL,
    "roberta": SMALL | {"pad_token_id": 1, "max_position_embeddings": 130},
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    "electra": SMALL | {"embedding_size": 32},
    "deberta-v2": SMALL | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16},
    "modernbert": SMALL | {"pad_token_id": 0, "global_attn_every_n_layers": 2},
}


@pytest.fixture(params=FAMILIES)
def encoder(request, tiny_encoder, tmp_path):
    tokenizer = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    config = AutoConfig.for_model(request.param, vocab_size=tokenizer.get_vocab_size(), **FAMILIES[request.param])
    torch.manual_seed(0)
    shutil.copytree(tiny_encoder, tmp_path / "encoder", ignore=shutil.ignore_patterns("config.json", "*.safetensors"))
    AutoModel.from_config(config).save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


def test_a_family_trains_saves_and_loads(encoder, tiny_ontology, tiny_sentences, tmp_path):
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    model = EventModel.from_encoder(str(encoder), tiny_ontology, max_tokens=64, role_dim=16)
    features, lost = FeatureEncoder(prepare_tokenizer(tokenizer, 64), tiny_ontology, model.config.tag_set())(
        tiny_sentences
    )
    assert lost == 0
    batch = Collator(model.config.encoder.get("pad_token_id") or 0, 3)(features)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(8):
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    model.eval()
    before = extractor_from_model(model, tokenizer, "memory")
    save_checkpoint(tmp_path / "saved", model, tokenizer, half=False)
    after = load_extractor(tmp_path / "saved", "cpu")
    texts = [s.text for s in tiny_sentences[:5]]
    for a, b in zip(before.score(texts), after.score(texts), strict=True):
        np.testing.assert_allclose(a.event_logits, b.event_logits, atol=1e-5)
        np.testing.assert_allclose(a.tag_logits, b.tag_logits, atol=1e-5)


def test_letter_case_is_seen_through_an_uncased_tokenizer(encoder, tiny_ontology):
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    model = EventModel.from_encoder(str(encoder), tiny_ontology, max_tokens=64, role_dim=16, letter_case=True).eval()
    extractor = extractor_from_model(model, tokenizer, "memory")
    before = extractor.score(["police in juba", "Police in JUBA"])
    np.testing.assert_allclose(before[0].tag_logits, before[1].tag_logits, atol=1e-6)  # it begins by changing nothing
    torch.nn.init.normal_(model.case_embedding.weight)
    lower, upper = extractor.score(["police in juba", "Police in JUBA"])
    assert np.abs(lower.tag_logits - upper.tag_logits).max() > 1e-3


def test_padding_does_not_change_scores(encoder, tiny_ontology, tiny_sentences):
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    model = EventModel.from_encoder(str(encoder), tiny_ontology, max_tokens=64, role_dim=16).eval()
    extractor = extractor_from_model(model, tokenizer, "memory")
    short, long = tiny_sentences[0].text, " ".join(s.text for s in tiny_sentences[:4])
    together, alone = extractor.score([short, long])[0], extractor.score([short])[0]
    np.testing.assert_allclose(together.event_logits, alone.event_logits, atol=1e-4)
    np.testing.assert_allclose(together.role_logits, alone.role_logits, atol=1e-4)


def test_an_encoder_is_read_anew_each_time(tiny_encoder, tmp_path, tiny_ontology):
    folder = shutil.copytree(tiny_encoder, tmp_path / "e")
    before = EventModel.from_encoder(str(folder), tiny_ontology).encoder.state_dict()
    changed = AutoModel.from_pretrained(folder)
    torch.nn.init.zeros_(changed.embeddings.word_embeddings.weight)
    changed.save_pretrained(folder)
    after = EventModel.from_encoder(str(folder), tiny_ontology).encoder.state_dict()
    assert before["embeddings.word_embeddings.weight"].any()
    assert not after["embeddings.word_embeddings.weight"].any()
