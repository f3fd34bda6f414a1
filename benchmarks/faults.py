"""Does a killed command end as if nothing had happened? SIGKILL at random moments, then the same command again.

    python benchmarks/faults.py extract --model runs/default --kills 50
    python benchmarks/faults.py train --kills 20

``extract`` kills runs that write one file, and runs that write a folder; ``train`` kills a small run with a random
encoder. Every round ends with a run that is left alone, whose rows or weights must equal an uninterrupted run's to the
last digit, with nothing left over beside them. A difference ends the script with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tacitus.data.jsonl import read_sentences, write_sentences
from tacitus.files import sha256
from tacitus.folder import WEIGHTS
from tacitus.resources import default_checkpoint_path


@dataclass
class Trial:
    """A command, what it leaves behind, and how often it was killed.

    Args:
        name: in the report.
        command: makes the arguments for an output.
        content: what must be the same in the end; raises where a file is broken.
        seconds: an uninterrupted run's.
    """

    name: str
    command: Callable[[Path], Sequence[str]]
    content: Callable[[Path], Any]
    seconds: float = 0.0
    kills: int = 0
    rounds: int = 0
    states: set[str] = field(default_factory=set)


def main() -> None:
    """Runs the trials and prints a line for each."""
    args = _arguments()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trials = _extractions(folder, args) if args.what == "extract" else [_training(folder, args.encoder)]
        for trial in trials:
            expected = _uninterrupted(trial, folder)
            until = time.monotonic() + 60 * args.minutes
            while trial.kills < args.kills and time.monotonic() < until:
                _round(trial, folder, expected, args, chance)
            print(
                f"{trial.name}: {trial.kills} kills in {trial.rounds} rounds, each ended as the uninterrupted run "
                f"({trial.seconds:.1f} s); killed when it had written {', '.join(sorted(trial.states))}",
                flush=True,
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["extract", "train"])
    parser.add_argument("--kills", type=int, default=50, help="of each kind of output")
    parser.add_argument("--kills-in-a-row", type=int, default=5, help="before a run is left alone")
    parser.add_argument("--minutes", type=float, default=60, help="most time for each kind of output")
    parser.add_argument("--model", type=Path, default=default_checkpoint_path(), help="checkpoint of extract")
    parser.add_argument("--runtime", default="auto", help="of extract")
    parser.add_argument("--encoder", type=Path, help="of train; a random one of two layers where left out")
    parser.add_argument("--documents", type=int, default=400, help="of extract")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    return parser.parse_args()


def _extractions(folder: Path, args: argparse.Namespace) -> list[Trial]:
    texts = [s.text for s in read_sentences(Path("annotations/dev.jsonl"))]
    reports = folder / "reports.jsonl"
    rows = (" ".join(texts[(i + k) % len(texts)] for k in range(3)) for i in range(args.documents))
    reports.write_text("".join(json.dumps({"id": f"d{i}", "text": t}) + "\n" for i, t in enumerate(rows)), "utf-8")
    options = ["extract", str(reports), "--model", str(args.model), "--runtime", args.runtime]
    shard = ["--shard-documents", str(max(1, args.documents // 8))]
    return [
        Trial("extract into a file", lambda out: [*options, "-o", f"{out}.jsonl"], _file_rows),
        Trial("extract into a folder", lambda out: [*options, *shard, "-o", str(out)], _folder_rows),
    ]


def _file_rows(out: Path) -> str | None:
    file = out.with_suffix(".jsonl")
    return sha256(file) if file.exists() else None


def _folder_rows(out: Path) -> list[Any] | None:
    import pyarrow.parquet as pq

    parts = sorted(out.glob("part-*"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()] if parts else None


def _training(folder: Path, encoder: Path | None) -> Trial:
    for name, n in (("train", 160), ("dev", 40)):
        write_sentences(folder / f"{name}.jsonl", read_sentences(Path(f"annotations/{name}.jsonl"))[:n])
    recipe = {
        "name": "faults",
        "data": {"train": [str(folder / "train.jsonl")], "dev": str(folder / "dev.jsonl")},
        "model": {"encoder": str(encoder or _random_encoder(folder / "encoder")), "max_tokens": 96, "role_dim": 16},
        "optim": {"epochs": 8, "batch_size": 16, "weight_average": 0.9},
        "run": {"bf16": False, "device": "cpu"},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe), "utf-8")
    return Trial("train", lambda out: ["train", str(folder / "recipe.yaml"), f"run.output={out}"], _weights)


def _random_encoder(folder: Path) -> Path:
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(default_checkpoint_path() / "tokenizer.json"), **special)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **sizes)).save_pretrained(folder)
    return folder


def _weights(out: Path) -> str | None:
    return sha256(out / WEIGHTS) if (out / "metrics.json").exists() else None


def _uninterrupted(trial: Trial, folder: Path) -> Any:
    start = time.monotonic()
    running = _start(trial, folder / "whole")
    _, errors = running.communicate()
    trial.seconds = time.monotonic() - start
    if running.returncode:
        sys.exit(errors)
    return trial.content(folder / "whole")


def _start(trial: Trial, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tacitus.cli.main", *trial.command(out)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # noqa: S603 (ours)


def _round(trial: Trial, folder: Path, expected: Any, args: argparse.Namespace, chance: random.Random) -> None:
    trial.rounds += 1
    home = folder / f"round-{trial.name.replace(' ', '-')}-{trial.rounds}"
    home.mkdir()
    out = home / "out"
    for _ in range(min(args.kills_in_a_row, args.kills - trial.kills)):
        if _killed(trial, out, chance.uniform(0, trial.seconds)):
            trial.kills += 1
            trial.states.add(_state(trial.content(out), expected))
    running = _start(trial, out)
    _, errors = running.communicate()
    failed = running.returncode and "holds a finished run" not in errors  # which says that the last kill came too late
    left = [str(p) for p in home.rglob("*") if p.suffix == ".partial" or p.name in ("state.json", "checkpoints")]
    if failed or trial.content(out) != expected or left:
        sys.exit(f"{trial.name}, round {trial.rounds}: another result; left over: {left}; {errors}")


def _killed(trial: Trial, out: Path, after: float) -> bool:
    running = _start(trial, out)
    try:
        running.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        running.kill()
        running.communicate()
        return True
    return False


def _state(content: Any, expected: Any) -> str:
    if content is None:
        return "nothing"
    return "all" if content == expected else "a part"


if __name__ == "__main__":
    main()
