"""Weight averaging and R-Drop: by hand, and in whole runs."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tacitus.model.modeling import EventModelOutput
from tacitus.training.average import WeightAverage
from tacitus.training.consistency import disagreement, doubled
from tacitus.training.recipe import load_recipe
from tacitus.training.run import train


def weights(folder):
    return load_file(folder / "model.safetensors")


def run(task, output, *overrides):
    train(load_recipe(task / "recipe.yaml", [f"run.output={output}", "optim.epochs=4", *overrides]))
    return weights(output)


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def test_the_average_follows_its_formula_and_survives_a_file(tmp_path):
    model = nn.Linear(1, 1, bias=False)
    average, wanted = WeightAverage(model, 0.15), None
    for n, value in enumerate([1.0, 2.0, 4.0, 8.0]):
        nn.init.constant_(model.weight, value)
        average.on_step_end()
        kept = min(0.15, (1 + n) / (10 + n))  # 0.15 binds from the second step on
        wanted = value if wanted is None else kept * wanted + (1 - kept) * value
    assert average.model.weight.item() == pytest.approx(wanted)
    average.save(tmp_path)
    other = WeightAverage(nn.Linear(1, 1, bias=False), 0.15)
    other.load(tmp_path)
    assert other.model.weight.item() == pytest.approx(wanted)


def divergence(p, q):
    """Mean of both Kullback–Leibler divergences, from probabilities, by PyTorch's own."""
    kl = torch.nn.functional.kl_div
    return (kl(q.log(), p, reduction="sum") + kl(p.log(), q, reduction="sum")) / 2


def test_disagreement_is_the_symmetric_divergence():
    torch.manual_seed(0)
    inputs = doubled({"input_ids": torch.zeros(2, 3), "unit_positions": torch.tensor([[1, 2], [1, -1]])})
    assert inputs["unit_positions"].shape == (4, 2)
    events, tags = torch.randn(4, 3), torch.randn(4, 2, 5)
    p, q = events.softmax(-1), tags.softmax(-1)
    found = disagreement(EventModelOutput(tag_logits=tags), inputs, False)
    units = [(0, 0), (0, 1), (1, 0)]  # the padded one has no say
    assert found.item() == pytest.approx(sum(divergence(q[b, u], q[b + 2, u]) for b, u in units).item() / 3, rel=1e-5)
    found = disagreement(EventModelOutput(event_logits=events), inputs, False)
    p = torch.stack([events.sigmoid(), 1 - events.sigmoid()], -1)
    assert found.item() == pytest.approx(divergence(p[:2], p[2:]).item() / 2, rel=1e-4)
    found = disagreement(EventModelOutput(event_logits=events), inputs, True)
    p = nn.functional.pad(events, (1, 0)).softmax(-1)
    assert found.item() == pytest.approx(divergence(p[:2], p[2:]).item() / 2, rel=1e-4)


def test_runs_with_both_learn_and_go_on_after_a_stop(tiny_task, tmp_path, monkeypatch):
    from tacitus.training import trainer

    options = ["optim.weight_average=0.9", "optim.r_drop=0.5"]
    whole, plain = run(tiny_task, tmp_path / "whole", *options), run(tiny_task, tmp_path / "plain")
    assert not same(whole, plain)
    evaluate = trainer.EventTrainer.evaluate

    def stop(self, *args, **kwargs):
        if self.state.epoch >= 3:
            raise KeyboardInterrupt
        return evaluate(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.EventTrainer, "evaluate", stop)
        with pytest.raises(KeyboardInterrupt):
            run(tiny_task, tmp_path / "stopped", *options)
    assert same(whole, run(tiny_task, tmp_path / "stopped", *options))
