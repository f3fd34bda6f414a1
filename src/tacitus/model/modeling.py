"""The joint network: one encoder, three heads, one forward pass. It knows tensors only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel
from transformers.utils import ModelOutput

from tacitus.data.encode import IGNORE, N_CASES
from tacitus.model.configuration import EventModelConfig
from tacitus.model.crf import crf_log_likelihood
from tacitus.ontology import Ontology
from tacitus.tagging import TagSet

RARE_EVENT_LOGIT = -3.0  # new event heads begin near the share of sentences that carry a type, not at one half
QUERY_SCALE = 3.0


@dataclass
class EventModelOutput(ModelOutput):
    """Scores before calibration.

    ``event_logits`` ``(batch, n_types)``; ``tag_logits`` ``(batch, units, n_tags)``;
    ``role_logits`` ``(batch, units, n_types, n_roles + 1)`` with none first.
    """

    loss: Tensor | None = None
    event_logits: Tensor | None = None
    tag_logits: Tensor | None = None
    role_logits: Tensor | None = None


class EventHead(nn.Module):
    """Token vectors → one logit and one context vector per event type.

    ``attention`` pools the tokens once per type with a query of its own and adds their mean; ``mean`` and ``first``
    give every type the same vector.
    """

    def __init__(self, hidden: int, n_types: int, pooling: str, dropout: float) -> None:
        super().__init__()
        self.pooling = pooling
        self.dense = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.query = nn.Linear(hidden, n_types, bias=False) if pooling == "attention" else None
        self.classifier = nn.Linear(hidden, n_types)

    def forward(self, hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """``(batch, seq, hidden)`` and mask → logits ``(batch, n_types)``, contexts ``(batch, n_types, hidden)``."""
        if self.pooling == "first":
            pooled = hidden[:, :1]
        else:
            weights = mask.to(hidden.dtype).unsqueeze(2)
            pooled = ((hidden * weights).sum(1) / weights.sum(1)).unsqueeze(1)
        if self.query is not None:
            scores = self.query(hidden).float().masked_fill(~mask.bool().unsqueeze(2), -1e4)
            pooled = pooled + torch.einsum("bst,bsh->bth", scores.softmax(1).to(hidden.dtype), hidden)
        context = self.dropout(functional.gelu(self.dense(pooled)))
        context = context.expand(-1, self.classifier.out_features, -1)
        logits = (context * self.classifier.weight).sum(2) + self.classifier.bias
        return logits, context


class RoleHead(nn.Module):
    """Unit vectors and type contexts → role scores, none at 0.

    A role's score is the product of the unit's vector for that role and the type's vector, which adds a learned one and
    one from the sentence, so that two events of a sentence give each its own actors and places.
    """

    def __init__(self, hidden: int, n_types: int, n_roles: int, dim: int) -> None:
        super().__init__()
        self.n_roles, self.dim = n_roles, dim
        self.unit = nn.Linear(hidden, n_roles * dim)
        self.context = nn.Linear(hidden, dim)
        self.type_embedding = nn.Embedding(n_types, dim)
        self.prior = nn.Linear(hidden, n_roles)

    def forward(self, units: Tensor, contexts: Tensor) -> Tensor:
        """``(batch, units, hidden)``, ``(batch, n_types, hidden)`` → ``(batch, units, n_types, n_roles + 1)``."""
        batch, n_units, _ = units.shape
        unit = self.unit(units).view(batch, n_units, self.n_roles, self.dim)
        kind = self.context(contexts) + self.type_embedding.weight
        scores = torch.einsum("burd,btd->butr", unit, kind) / self.dim**0.5 + self.prior(units).unsqueeze(2)
        return functional.pad(scores, (1, 0))


class EventModel(PreTrainedModel):
    """Joint event-type, span and role model over any Hugging Face encoder."""

    config: EventModelConfig
    config_class = EventModelConfig
    base_model_prefix = "encoder"
    accepts_loss_kwargs = False
    supports_gradient_checkpointing = True

    def __init__(self, config: EventModelConfig) -> None:
        super().__init__(config)
        ontology = config.task()
        encoder_config = config.encoder_config()
        self.encoder = AutoModel.from_config(encoder_config)
        if getattr(self.encoder, "pooler", None) is not None:
            self.encoder.pooler = None
        width = self.encoder.get_input_embeddings().embedding_dim
        self.case_embedding = nn.Embedding(N_CASES, width) if config.letter_case else None
        hidden = encoder_config.hidden_size
        n_types, tag_set = len(ontology.event_types), config.tag_set()
        self.dropout = nn.Dropout(config.head_dropout)
        self.event_head = EventHead(hidden, n_types, config.pooling, config.head_dropout) if n_types else None
        self.tag_head = nn.Linear(hidden, len(tag_set)) if tag_set.labels else None
        self.role_head = (
            RoleHead(hidden, n_types, len(ontology.roles), config.role_dim) if ontology.roles and n_types else None
        )
        n_tags = len(tag_set)
        self.transitions = nn.Parameter(torch.zeros(n_tags + 2, n_tags), requires_grad=config.crf)
        self.post_init()

    @classmethod
    def from_encoder(
        cls, encoder: str, ontology: Ontology, attention_dropout: float = 0.0, **options: Any
    ) -> EventModel:
        """A model with a pretrained encoder (hub id or folder) and new heads; ``options`` go to the configuration."""
        encoder_config = AutoConfig.from_pretrained(encoder, trust_remote_code=False)
        for name in ("attention_probs_dropout_prob", "attention_dropout"):
            if hasattr(encoder_config, name):
                setattr(encoder_config, name, attention_dropout)
        described = encoder_config.to_dict()
        described.pop("_name_or_path", None)  # where it lay on this machine is of no use elsewhere
        config = EventModelConfig(encoder=described, ontology=ontology.to_dict(), **options)
        model = cls(config)
        pretrained = _pretrained(encoder).state_dict()
        wanted = model.encoder.state_dict().keys()
        model.encoder.load_state_dict({k: v for k, v in pretrained.items() if k in wanted})
        if model.case_embedding is not None:
            nn.init.zeros_(model.case_embedding.weight)
        if model.event_head is not None:
            nn.init.constant_(model.event_head.classifier.bias, RARE_EVENT_LOGIT)
            tokenizer = AutoTokenizer.from_pretrained(encoder, trust_remote_code=False)
            model._point_queries_at_definitions(tokenizer, ontology)
        return model

    @torch.no_grad()
    def _point_queries_at_definitions(self, tokenizer: Any, ontology: Ontology) -> None:
        """Starts each type's query at what sets its definition apart, so that its words draw attention at once."""
        assert self.event_head is not None
        if self.event_head.query is None:
            return
        texts = [f"{name.replace('-', ' ')}: {ontology.definitions[name]}" for name in ontology.event_types]
        batch = tokenizer(texts, padding=True, return_tensors="pt")
        mask = batch["attention_mask"].unsqueeze(2)
        self.encoder.eval()
        hidden = self.encoder(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
        self.encoder.train()
        vectors = (hidden * mask).sum(1) / mask.sum(1)
        own = vectors - vectors.mean(0)
        own = own / own.norm(dim=1, keepdim=True).clamp(min=1e-6)
        self.event_head.query.weight.copy_(QUERY_SCALE * own / hidden.norm(dim=2).mean().sqrt())

    def tag_scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Start ``(n_tags,)``, end ``(n_tags,)`` and transition ``(n_tags, n_tags)`` scores with the constraints."""
        scores = self.transitions.float() + _constraints(self.config.tag_set()).to(self.transitions.device)
        return scores[0], scores[1], scores[2:]

    def encode(self, input_ids: Tensor, case_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The encoder's token vectors ``(batch, seq, hidden)``, letter case added where the model sees it."""
        embedded = self.encoder.get_input_embeddings()(input_ids)
        if self.case_embedding is not None:
            embedded = embedded + self.case_embedding(case_ids)
        hidden: Tensor = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask).last_hidden_state
        return hidden

    def forward(
        self,
        input_ids: Tensor,
        case_ids: Tensor,
        attention_mask: Tensor,
        unit_positions: Tensor,
        event_labels: Tensor | None = None,
        tag_labels: Tensor | None = None,
        role_labels: Tensor | None = None,
    ) -> EventModelOutput:
        """Scores of a batch, and the loss when labels are given; shapes as :class:`tacitus.data.collate.Collator`."""
        hidden = self.dropout(self.encode(input_ids, case_ids, attention_mask))
        index = unit_positions.clamp(min=0).unsqueeze(2).expand(-1, -1, hidden.shape[2])
        units = hidden.gather(1, index)
        output = EventModelOutput()
        if self.event_head is not None:
            output.event_logits, contexts = self.event_head(hidden, attention_mask)
            if self.role_head is not None:
                output.role_logits = self.role_head(units, contexts)
        if self.tag_head is not None:
            output.tag_logits = self.tag_head(units)
        if event_labels is not None and tag_labels is not None and role_labels is not None:
            output.loss = self._loss(output, event_labels, tag_labels, role_labels)
        return output

    def _loss(self, output: EventModelOutput, event_labels: Tensor, tag_labels: Tensor, role_labels: Tensor) -> Tensor:
        weights = self.config.loss_weights
        loss = torch.zeros((), device=event_labels.device)
        if output.event_logits is not None:
            loss = loss + weights["events"] * self._event_loss(output.event_logits.float(), event_labels)
        if output.tag_logits is not None:
            loss = loss + weights["tags"] * self._tag_loss(output.tag_logits.float(), tag_labels)
        if output.role_logits is not None:
            logits = output.role_logits.float().flatten(0, 2)
            total = functional.cross_entropy(logits, role_labels.flatten(), ignore_index=IGNORE, reduction="sum")
            loss = loss + weights["roles"] * total / (role_labels != IGNORE).sum().clamp(min=1)
        return loss

    def _event_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        known = labels[:, 0] != IGNORE
        n_known = known.sum().clamp(min=1)
        if self.config.ontology.get("exclusive"):
            target = torch.where(labels.max(1).values > 0, labels.argmax(1) + 1, 0).masked_fill(~known, IGNORE)
            total = functional.cross_entropy(
                functional.pad(logits, (1, 0)), target, ignore_index=IGNORE, reduction="sum"
            )
            return total / n_known
        positive = (labels == 1).to(logits.dtype)
        log_p, log_q = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        negative = log_q * logits.sigmoid().detach() ** self.config.focal_gamma if self.config.focal_gamma else log_q
        per_label = -(self.config.positive_weight * positive * log_p + (1 - positive) * negative)
        return (per_label.sum(1) * known).sum() / n_known

    def _tag_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        mask = labels != IGNORE
        n_units = mask.sum().clamp(min=1)
        if not self.config.crf:
            return (
                functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, reduction="sum")
                / n_units
            )
        rows = mask[:, 0]
        if not bool(rows.any()):
            return (logits.sum() + self.transitions.sum()) * 0  # every parameter has a gradient in every step
        with torch.autocast(logits.device.type, enabled=False):
            likelihood = crf_log_likelihood(logits[rows], labels[rows].clamp(min=0), mask[rows], *self.tag_scores())
        return -likelihood.sum() / n_units


def _pretrained(encoder: str) -> PreTrainedModel:
    """A hub id's or folder's own weights: only safetensors, since other files can run code, and no code of theirs."""
    model = AutoModel.from_pretrained(encoder, dtype=torch.float32, trust_remote_code=False, use_safetensors=True)
    assert isinstance(model, PreTrainedModel)
    return model


@lru_cache
def _constraints(tags: TagSet) -> Tensor:
    """Start, end and transition constraints stacked, ``(n_tags + 2, n_tags)``: 0 or forbidden."""
    rows = [tags.start_scores, tags.end_scores, *tags.transition_scores]
    return torch.stack([torch.from_numpy(row) for row in rows])


AutoConfig.register(EventModelConfig.model_type, EventModelConfig)
AutoModel.register(EventModelConfig, EventModel)
