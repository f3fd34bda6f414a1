"""The network as one traceable graph: encoder and the three heads' scores; decoding stays numpy."""

from __future__ import annotations

from torch import Tensor, nn

from tacitus.model.modeling import EventModel
from tacitus.runtime.padding import OUTPUTS, Ids


class ScoringNetwork(nn.Module):
    """Tensors in, a tuple of the scores that the ontology has out, in the order of :attr:`output_names`."""

    def __init__(self, model: EventModel) -> None:
        super().__init__()
        self.model = model
        has = {
            "event_logits": model.event_head is not None,
            "tag_logits": model.tag_head is not None,
            "role_logits": model.role_head is not None,
        }
        self.output_names = [name for name in OUTPUTS if has[name]]
        reads_case = model.case_embedding is not None
        self.eval()
        self.input_names = ["input_ids", *["case_ids"] * reads_case, "attention_mask", "unit_positions"]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Scores for inputs in the order of :attr:`input_names`."""
        named = dict(zip(self.input_names, inputs, strict=True))
        named.setdefault("case_ids", named["input_ids"])  # not read by this network
        output = self.model(**named)
        return tuple(getattr(output, name) for name in self.output_names)

    def inputs_of(self, arrays: dict[str, Ids]) -> list[Ids]:
        """The arrays that the network reads, in order."""
        return [arrays[name] for name in self.input_names]
