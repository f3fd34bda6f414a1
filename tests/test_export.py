"""Exported graphs give the network's decisions, whatever the runtime and the batches, and need no PyTorch."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from tacitus.data.encode import encode_texts
from tacitus.data.jsonl import write_sentences
from tacitus.errors import CheckpointError
from tacitus.export.run import export
from tacitus.extractor import Extractor
from tacitus.files import sha256
from tacitus.folder import EXPORTS, GRAPHS, WEIGHTS
from tacitus.loading import choose, load


@pytest.fixture(scope="module")
def exported(tiny_checkpoint, tiny_sentences, tmp_path_factory):
    """The tiny checkpoint with every kind of graph, and the quality of each."""
    folder = tmp_path_factory.mktemp("exported") / "checkpoint"
    shutil.copytree(tiny_checkpoint, folder)
    quality = {kind: export(folder, kind, tiny_sentences[::2], tiny_sentences[1::2]) for kind in GRAPHS}
    return folder, quality


def decisions(predicted):
    return [
        ([s.key for s in p.spans], {e.type: {k: v for k, v in e.roles.items() if v} for e in p.events})
        for p in predicted
    ]


@pytest.mark.parametrize("kind", ["openvino", "onnx"])
def test_float_graphs_decide_as_the_network_does(exported, kind):
    _, quality = exported
    assert quality[kind].event_agreement == quality[kind].sentence_agreement == quality[kind].span_agreement == 1
    assert quality[kind].mean_difference < 1e-3


def test_int8_keeps_quality_and_every_result_is_stored(exported, tiny_sentences):
    folder, quality = exported
    assert quality["openvino-int8"].kept
    one, other = (load(folder, kind).score([tiny_sentences[0].text])[0] for kind in ("openvino-int8", "pytorch"))
    assert 0 < abs(one.event_logits - other.event_logits).max() < 0.5  # it really is another arithmetic
    stored = json.loads((folder / "metrics.json").read_text())
    assert stored["exports"]["openvino-int8"]["n_sentences"] == quality["openvino-int8"].n_sentences == 30
    assert "headline" in stored


@pytest.mark.parametrize("kind", ["openvino", "onnx", "pytorch"])
@pytest.mark.parametrize("batch_tokens", [1, 64, 100_000])
def test_batches_do_not_change_decisions(exported, tiny_sentences, kind, batch_tokens):
    folder, _ = exported
    long = [replace(s, id=f"long-{s.id}", text=" ".join([s.text] * 9)) for s in tiny_sentences[:3]]
    sentences = [*tiny_sentences[::5], *long]
    reference = decisions(Extractor.load(folder, runtime="pytorch").predict(sentences))
    found = replace(Extractor.load(folder, runtime=kind), batch_tokens=batch_tokens).predict(sentences)
    assert decisions(found) == reference


def test_a_stream_left_early_leaves_the_runtime_usable(exported, tiny_sentences):
    extractor = replace(Extractor.load(exported[0], runtime="openvino"), batch_tokens=16)
    windows = [w for e in encode_texts([s.text for s in tiny_sentences], extractor.tokenizer) for w in e.windows]
    results = extractor.runtime.run([w] for w in windows)
    next(results)
    results.close()
    assert len(list(extractor.runtime.run([w] for w in windows))) == len(windows)


def test_graphs_of_other_weights_are_refused(exported, tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(exported[0], folder)
    with (folder / WEIGHTS).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(CheckpointError, match="made from other weights; run 'tacitus export"):
        load(folder, "openvino")
    (folder / EXPORTS).unlink()
    with pytest.raises(CheckpointError, match="holds no onnx graph"):
        load(folder, "onnx")


def test_the_runtime_follows_the_processor(exported, monkeypatch):
    monkeypatch.setattr("tacitus.loading.sees_gpu", lambda: False)
    monkeypatch.setattr("tacitus.loading.has_int8", lambda: True)
    assert choose(exported[0], "auto").runtime == "openvino-int8"
    monkeypatch.setattr("tacitus.loading.has_int8", lambda: False)
    assert choose(exported[0], "auto").runtime == "openvino"
    assert choose(exported[0], "cuda").runtime == "pytorch"
    with pytest.raises(CheckpointError, match="take auto, openvino-int8"):
        load(exported[0], "tensorrt")
    with pytest.raises(CheckpointError, match="runs on the CPU"):
        load(exported[0], "onnx", device="cuda")


def test_a_graph_that_lost_quality_is_run_only_when_it_is_asked_for(exported, tmp_path, monkeypatch):
    monkeypatch.setattr("tacitus.loading.has_int8", lambda: True)
    shutil.copytree(exported[0], tmp_path / "lossy")
    note = json.loads((tmp_path / "lossy" / EXPORTS).read_text())
    note["openvino-int8"]["kept"] = False
    (tmp_path / "lossy" / EXPORTS).write_text(json.dumps(note))
    assert choose(tmp_path / "lossy", "cpu").runtime == "openvino"
    assert load(tmp_path / "lossy", "openvino-int8").runtime.kind == "openvino-int8"


def test_an_export_that_loses_quality_is_noted_as_such(exported, tiny_sentences, tmp_path, monkeypatch):
    monkeypatch.setattr("tacitus.export.quality.MIN_AGREEMENT", 1.1)
    shutil.copytree(exported[0], tmp_path / "lossy")
    assert not export(tmp_path / "lossy", "openvino", [], tiny_sentences[:4]).kept
    assert json.loads((tmp_path / "lossy" / EXPORTS).read_text())["openvino"]["kept"] is False


@pytest.fixture
def light(exported, tmp_path):
    """The folder with its graphs alone."""
    shutil.copytree(exported[0], tmp_path / "light", ignore=shutil.ignore_patterns(WEIGHTS))
    return tmp_path / "light"


def without_pytorch(cwd, *arguments):
    """Runs a command where PyTorch and what comes with it cannot be found."""
    code = (
        "import importlib.util as u, sys\n"
        "gone, find = ('torch', 'transformers', 'safetensors'), u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name in gone else find(name, *rest)\n"
        "sys.modules.update(dict.fromkeys(gone))\n"
        "from tacitus.cli.main import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_weights_alone_say_what_they_need_where_pytorch_is_not_installed(tiny_checkpoint, tmp_path):
    (tmp_path / "r.txt").write_text("rebels attacked police in juba .")
    done = without_pytorch(tmp_path, "extract", "r.txt", "--model", tiny_checkpoint)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "'tacitus export'" in done.stderr
    assert "install the extra 'torch'" in done.stderr


def test_a_folder_of_graphs_is_evaluated_and_named_by_its_weights(exported, light, tiny_sentences, tmp_path):
    write_sentences(tmp_path / "gold.jsonl", tiny_sentences[:8])
    arguments = [
        "evaluate",
        "gold.jsonl",
        "--model",
        light,
        "--runtime",
        "openvino",
        "--samples",
        "0",
        "--json",
        "m.json",
    ]
    done = without_pytorch(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert metrics["inputs"]["model"]["sha256"] == sha256(exported[0] / WEIGHTS)
    assert metrics["runtime"] == "openvino"


@pytest.mark.parametrize("kind", [*GRAPHS, "pytorch"])
def test_a_runtime_knows_its_name(exported, kind):
    assert load(exported[0], kind).runtime.kind == kind


def test_a_graph_extracts_where_pytorch_is_not_installed(light, tmp_path):
    (tmp_path / "r.txt").write_text("rebels attacked police in juba .")
    done = without_pytorch(tmp_path, "extract", "r.txt", "-o", "e.jsonl", "--model", light)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["sub_event_type"] for line in (tmp_path / "e.jsonl").open()] == ["attack"]
