"""The speed benchmark runs every contestant; how fast they are is for a quiet machine."""

import json
import subprocess
import sys

from conftest import REPOSITORY


def test_every_contestant_runs_in_every_round(tiny_task, tiny_checkpoint, tmp_path):
    options = ["--sentences", "10", "--rounds", "2", "--peak-seconds", "0", "--json", tmp_path / "speed.json"]
    script = REPOSITORY / "benchmarks" / "speed.py"
    done = subprocess.run(
        [sys.executable, script, tiny_task / "train.jsonl", "--model", tiny_checkpoint, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "speed.json").read_text())
    rates = result["rates"]
    assert {"two pipelines, batch 1", "two pipelines, batch 32", "PyTorch fp32", "PyTorch bf16"} < set(rates)
    assert sum(name.startswith("extract to Parquet") for name in rates) == 1
    assert all(len(of) == 2 and min(of) > 0 for of in rates.values())
    assert set(result["peak_gop_per_second"]) == {"fp32", "bf16", "int8"}
    assert all(f"| {name} |" in done.stdout for name in rates)
    (peer,) = [line for line in done.stdout.splitlines() if line.startswith("| two pipelines, batch 32 |")]
    assert "1.0 (1.0 to 1.0)" in peer


def test_operations_are_those_of_the_matrix_products(tiny_task, tiny_checkpoint):
    """Counted against a sum by hand over the tiny network's layers."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import speed, json; from pathlib import Path\n"
        "from tacitus.checkpoint import load_extractor, load_model; from tacitus.data.jsonl import read_sentences\n"
        "path = Path(sys.argv[2]); model, extractor = load_model(path), load_extractor(path, 'cpu')\n"
        "s = read_sentences(sys.argv[3])[:1]\n"
        "w, = speed.encode_texts([s[0].text], extractor.tokenizer)[0].windows\n"
        "print(json.dumps([speed._gop_per_sentence(model, extractor, s), len(w.input_ids), len(w.unit_positions)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, REPOSITORY / "benchmarks", tiny_checkpoint, tiny_task / "train.jsonl"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    gop, tokens, units = json.loads(done.stdout)
    hidden, wide, layers, types, tags, roles, dim = 32, 64, 2, 3, 9, 3, 16
    encoder = layers * (tokens * (4 * hidden**2 + 2 * hidden * wide) + 2 * tokens**2 * hidden)
    events = hidden**2 * types + 2 * tokens * types * hidden
    spans = units * hidden * tags
    role = units * hidden * roles * dim + types * hidden * dim + units * roles * dim * types + units * hidden * roles
    assert gop * 1e9 == 2 * (encoder + events + spans + role)
