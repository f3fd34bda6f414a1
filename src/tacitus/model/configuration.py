"""Configuration of the joint model, stored as ``config.json`` the transformers way."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from tacitus.ontology import Ontology, ontology_from_dict
from tacitus.tagging import TagSet


class EventModelConfig(PreTrainedConfig):
    """What the network and the decoding need to know.

    Args:
        encoder: configuration of the encoder as a mapping (``model_type`` and the rest).
        ontology: the ontology as a mapping; its label order is the order of the heads' outputs.
        letter_case: add a learned vector for the letter case of each token's word to the encoder's input; uncased
            encoders see names only so.
        max_tokens: tokens per window.
        scheme: tag scheme, ``BIOES`` or ``BIO``.
        crf: learn transition scores (linear-chain CRF) instead of a softmax per unit with hard constraints.
        pooling: sentence vector of the event head: ``attention`` (one query per type), ``mean`` or ``first``.
        role_dim: size of the vectors that roles are scored with.
        head_dropout: dropout before the heads.
        loss_weights: weight of the ``events``, ``tags`` and ``roles`` losses.
        positive_weight: weight of positive event labels in the loss, against class imbalance.
        focal_gamma: exponent that plays down easy *negatives* (asymmetric loss, Ridnik et al. 2021); 0 is plain.
        calibration: thresholds and temperatures fitted on held-out data (see :mod:`tacitus.model.decode`).
    """

    model_type = "tacitus"

    def __init__(
        self,
        encoder: dict[str, Any] | None = None,
        ontology: dict[str, Any] | None = None,
        letter_case: bool = False,
        max_tokens: int = 256,
        scheme: str = "BIOES",
        crf: bool = True,
        pooling: str = "attention",
        role_dim: int = 64,
        head_dropout: float = 0.1,
        loss_weights: dict[str, float] | None = None,
        positive_weight: float = 1.0,
        focal_gamma: float = 0.0,
        calibration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder or {}
        self.ontology = ontology or {}
        self.letter_case = letter_case
        self.max_tokens = max_tokens
        self.scheme = scheme
        self.crf = crf
        self.pooling = pooling
        self.role_dim = role_dim
        self.head_dropout = head_dropout
        self.loss_weights = {"events": 1.0, "tags": 1.0, "roles": 1.0} | (loss_weights or {})
        self.positive_weight = positive_weight
        self.focal_gamma = focal_gamma
        self.calibration = calibration or {}
        super().__init__(**kwargs)

    def encoder_config(self) -> PreTrainedConfig:
        """The encoder's configuration as an object."""
        return AutoConfig.for_model(**self.encoder)

    def task(self) -> Ontology:
        """The ontology as an object."""
        return ontology_from_dict(self.ontology, where="config.json: ontology")

    def tag_set(self) -> TagSet:
        """The tags over the ontology's span labels."""
        return TagSet(tuple(self.task().span_label_ids), self.scheme)  # type: ignore[arg-type]
