import json
import shutil
import subprocess
import sys

import pytest
from safetensors.torch import load_file

from tacitus.data.jsonl import read_sentences
from tacitus.errors import CheckpointError, InputError, RecipeError
from tacitus.extractor import Extractor
from tacitus.metrics import count, headline
from tacitus.training.recipe import load_recipe
from tacitus.training.run import train

REPOSITORY_RECIPES = ["default.yaml", "gpu.yaml"]


def run(task, name, *overrides):
    output = task / name
    train(load_recipe(task / "recipe.yaml", [f"run.output={output}", *overrides]))
    return output


def weights(folder):
    return load_file(folder / "model.safetensors")


def greatest_difference(a, b):
    return max(float((a[k].float() - b[k].float()).abs().max()) for k in a)


def test_the_model_learns_all_three_layers(tiny_checkpoint, tiny_task):
    extractor = Extractor.load(tiny_checkpoint)
    gold = read_sentences(tiny_task / "dev.jsonl", extractor.ontology)
    scores = headline(count(list(zip(gold, extractor.predict(gold), strict=True)), extractor.ontology))
    assert scores["event_micro_f1"] > 0.8
    assert scores["span_strict_f1"] > 0.9
    assert scores["role_strict_f1"] > 0.7


def test_the_run_folder_tells_the_whole_story(tiny_checkpoint):
    names = {p.name for p in tiny_checkpoint.iterdir()}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "recipe.yaml",
        "metrics.json",
        "log.jsonl",
        "README.md",
    } <= names
    assert "checkpoints" not in names
    metrics = json.loads((tiny_checkpoint / "metrics.json").read_text())
    assert metrics["data"]["train"]["files"][0]["sha256"]
    assert metrics["versions"]["torch"]
    assert set(metrics["intervals"]) == set(metrics["headline"])
    config = json.loads((tiny_checkpoint / "config.json").read_text())
    assert "_name_or_path" not in config["encoder"]
    assert set(config["calibration"]["thresholds"]) == {"attack", "capture", "deal"}


def test_one_seed_gives_the_same_weights_and_another_does_not(tiny_task):
    first, second = run(tiny_task, "seed-a"), run(tiny_task, "seed-b")
    assert greatest_difference(weights(first), weights(second)) == 0
    other = run(tiny_task, "seed-c", "run.seed=2")
    assert greatest_difference(weights(first), weights(other)) > 0


def test_killed_and_resumed_equals_uninterrupted(tiny_task):
    """Kills a training process hard after its first checkpoint and runs the same command again."""
    whole = run(tiny_task, "whole", "optim.epochs=6")
    output = tiny_task / "killed"
    code = (
        "import sys, os, signal\n"
        "from tacitus.training import trainer\n"
        "evaluate = trainer.EventTrainer.evaluate\n"
        "def stop(self, *a, **k):\n"
        "    if self.state.epoch >= 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return evaluate(self, *a, **k)\n"
        "trainer.EventTrainer.evaluate = stop\n"
        "from tacitus.cli.main import main\n"
        "main()\n"
    )
    arguments = ["train", str(tiny_task / "recipe.yaml"), f"run.output={output}", "optim.epochs=6"]
    killed = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert not (output / "metrics.json").exists()
    assert len(list((output / "checkpoints").iterdir())) == 2
    # A checkpoint that the kill cut short is passed over.
    newest = sorted((output / "checkpoints").iterdir())[-1]
    shutil.copytree(newest, output / "checkpoints" / "checkpoint-999")
    (output / "checkpoints" / "checkpoint-999" / "trainer_state.json").write_text("{")
    run(tiny_task, "killed", "optim.epochs=6")
    assert greatest_difference(weights(whole), weights(output)) < 1e-6


def test_saved_and_loaded_predict_the_same(tiny_checkpoint, tiny_sentences, tmp_path):
    from tokenizers import Tokenizer

    from tacitus.checkpoint import load_model, save_checkpoint

    first = Extractor.load(tiny_checkpoint)
    save_checkpoint(
        tmp_path / "again", load_model(tiny_checkpoint), Tokenizer.from_file(str(tiny_checkpoint / "tokenizer.json"))
    )
    second = Extractor.load(tmp_path / "again")
    assert first.predict(tiny_sentences, event_scores=True) == second.predict(tiny_sentences, event_scores=True)


def test_auto_classes_know_the_checkpoint(tiny_checkpoint):
    from transformers import AutoConfig, AutoModel

    import tacitus.model.modeling as modeling

    assert isinstance(AutoConfig.from_pretrained(tiny_checkpoint), modeling.EventModelConfig)
    assert isinstance(AutoModel.from_pretrained(tiny_checkpoint), modeling.EventModel)


def test_partial_annotation_trains_the_layers_it_has(tiny_task, tiny_sentences, tmp_path):
    from dataclasses import replace

    from tacitus.data.jsonl import write_sentences

    train_part = read_sentences(tiny_task / "train.jsonl")
    mixed = [
        replace(s, spans=None, events=tuple(replace(e, roles={}) for e in s.events))
        if i % 2
        else replace(s, events=None)
        for i, s in enumerate(train_part)
    ]
    write_sentences(tmp_path / "mixed.jsonl", mixed)
    output = tmp_path / "out"
    metrics = train(
        load_recipe(
            tiny_task / "recipe.yaml",
            [f"data.train=[{tmp_path / 'mixed.jsonl'}]", f"run.output={output}", "optim.epochs=12"],
        )
    )
    assert metrics["headline"]["event_micro_f1"] > 0.6
    assert metrics["headline"]["span_strict_f1"] > 0.8


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.scheme=BIO", "model.crf=false", "model.pooling=mean"],
        ["model.pooling=first", "model.focal_gamma=2", "model.positive_weight=2"],
    ],
)
def test_every_head_variant_trains(tiny_task, overrides):
    name = "-".join(overrides)
    assert (run(tiny_task, name, *overrides) / "metrics.json").exists()


def test_types_only_and_spans_only_and_exclusive_ontologies(tiny_task, tiny_sentences, tmp_path):
    from dataclasses import replace

    import yaml

    from conftest import TINY_ONTOLOGY
    from tacitus.data.jsonl import write_sentences

    parts = {n: read_sentences(tiny_task / f"{n}.jsonl") for n in ("train", "dev")}
    kinds = {
        "types": ({"name": "t", "exclusive": True, "groups": TINY_ONTOLOGY["groups"]},
                  lambda s: replace(s, spans=None, events=tuple(replace(e, roles={}) for e in s.events))),
        "spans": ({"name": "s", "span_labels": TINY_ONTOLOGY["span_labels"]}, lambda s: replace(s, events=None)),
    }  # fmt: skip
    for name, (ontology, convert) in kinds.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(ontology))
        for part, sentences in parts.items():
            write_sentences(tmp_path / f"{name}-{part}.jsonl", map(convert, sentences))
        metrics = train(
            load_recipe(
                tiny_task / "recipe.yaml",
                [f"data.train=[{tmp_path}/{name}-train.jsonl]", f"data.dev={tmp_path}/{name}-dev.jsonl", f"data.ontology={tmp_path}/{name}.yaml",
                 f"run.output={tmp_path}/{name}", "optim.epochs=12"],
            )
        )  # fmt: skip
        assert min(metrics["headline"].values()) > 0.5, metrics["headline"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["optim.epoch=3"], "optim.epoch: unknown key (did you mean 'epochs'?)"),
        (["optims.epochs=3"], "optims: unknown key (did you mean 'optim'?)"),
        (["optim.epochs=-1"], "optim.epochs: Input should be greater than 0"),
        (["model.pooling=max"], "model.pooling: Input should be 'attention', 'mean' or 'first'"),
        (["optim.epochs"], "write part.key=value"),
        (["name.x=1"], "'name' is no part of a recipe"),
    ],
)
def test_a_wrong_recipe_is_one_line(tiny_task, overrides, message):
    with pytest.raises(RecipeError) as error:
        load_recipe(tiny_task / "recipe.yaml", overrides)
    assert message in str(error.value)


def test_a_wrong_start_leaves_nothing_behind(tiny_task, tmp_path):
    output = tmp_path / "out"
    with pytest.raises(InputError, match="stands in the held-out data too"):
        train(
            load_recipe(tiny_task / "recipe.yaml", [f"run.output={output}", f"data.train=[{tiny_task / 'dev.jsonl'}]"])
        )
    assert not output.exists()


def test_an_output_is_never_overwritten(tiny_checkpoint, tiny_task):
    with pytest.raises(RecipeError, match="holds a finished run"):
        train(load_recipe(tiny_task / "recipe.yaml", [f"run.output={tiny_checkpoint}"]))


def test_a_broken_checkpoint_is_named(tiny_checkpoint, tmp_path):
    with pytest.raises(CheckpointError, match="no such checkpoint folder"):
        Extractor.load(tmp_path / "none")
    broken = tmp_path / "broken"
    shutil.copytree(tiny_checkpoint, broken)
    (broken / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="cannot load the checkpoint"):
        Extractor.load(broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors is missing"):
        Extractor.load(broken)
    (broken / "model.safetensors").write_bytes(b"junk")
    (broken / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError, match="names the model type 'bert'"):
        Extractor.load(broken)


@pytest.mark.parametrize("name", REPOSITORY_RECIPES)
def test_every_shipped_recipe_parses(name):
    from conftest import REPOSITORY

    load_recipe(REPOSITORY / "training" / name)


def test_a_corrected_recipe_starts_where_a_wrong_one_failed(tiny_task, tmp_path):
    output = tmp_path / "out"
    with pytest.raises(RecipeError, match="cannot be loaded"):
        train(load_recipe(tiny_task / "recipe.yaml", [f"run.output={output}", "model.encoder=/no/such/encoder"]))
    with pytest.raises(RecipeError, match="is more than the 128"):
        train(load_recipe(tiny_task / "recipe.yaml", [f"run.output={output}", "model.max_tokens=512"]))
    assert not output.exists()


def test_empty_data_is_refused_before_training(tiny_task, tmp_path):
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(InputError, match="holds no sentences"):
        train(
            load_recipe(
                tiny_task / "recipe.yaml", [f"data.dev={tmp_path / 'empty.jsonl'}", f"run.output={tmp_path / 'o'}"]
            )
        )


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors"])
def test_cut_checkpoint_files_are_one_line(tiny_checkpoint, tmp_path, name):
    broken = tmp_path / "broken"
    shutil.copytree(tiny_checkpoint, broken)
    (broken / name).write_bytes((broken / name).read_bytes()[:200])
    with pytest.raises(CheckpointError):
        Extractor.load(broken)


def test_weights_of_another_model_are_refused(tiny_checkpoint, tmp_path):
    from safetensors.torch import save_file

    broken = tmp_path / "broken"
    shutil.copytree(tiny_checkpoint, broken)
    kept = {k: v for k, v in weights(broken).items() if not k.startswith("role_head")}
    save_file(kept, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="do not belong together"):
        Extractor.load(broken)


def test_two_processes_train_one_model(tiny_task):
    """The launch file's way (torchrun), on two CPU processes; a batch of 4 each equals one of 8 up to the order of sums."""
    output = tiny_task / "two"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "tacitus.cli.main",
    ]
    arguments = [
        "train",
        str(tiny_task / "recipe.yaml"),
        f"run.output={output}",
        "optim.epochs=4",
        "optim.batch_size=4",
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    log = [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]
    losses = [entry["loss"] for entry in log if "loss" in entry]
    assert len(losses) == 4
    assert losses[-1] < losses[0]
    gold = read_sentences(tiny_task / "dev.jsonl")
    assert len(Extractor.load(output).predict(gold)) == len(gold)
