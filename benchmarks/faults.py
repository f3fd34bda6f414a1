"""Does a killed command end as if nothing had happened? SIGKILL at random moments, then the same command again.

    python benchmarks/faults.py extract --model runs/default --kills 50
    python benchmarks/faults.py train --kills 20

``extract`` kills runs that write one file, and runs that write a folder; ``train`` kills a small run with a random
encoder. Every round ends with a run that is left alone, whose rows or weights must equal an uninterrupted run's to the
last digit, with nothing left over beside them. A difference ends the script with exit code 1.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from tacitus.cli.main import main as tacitus_main
from tacitus.data.jsonl import read_sentences, write_sentences
from tacitus.files import sha256
from tacitus.folder import WEIGHTS
from tacitus.resources import default_checkpoint_path

IMPORTED = {
    "extract": ["tacitus.checkpoint", "tacitus.cli.extract", "tacitus.shards", "pyarrow.parquet"],
    "train": ["tacitus.training.run"],
}


@dataclass
class Trial:
    """A command, what it leaves behind, and how often it was killed.

    Args:
        name: in the report.
        command: makes the arguments for an output.
        content: hashes of what is finished, which must be the same in the end.
        seconds: an uninterrupted run's.
    """

    name: str
    command: Callable[[Path], Sequence[str]]
    content: Callable[[Path], dict[str, str]]
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
        for module in IMPORTED[args.what]:
            importlib.import_module(module)
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
        Trial("extract into a file", lambda out: [*options, "-o", f"{out}.jsonl"], _written),
        Trial("extract into a folder", lambda out: [*options, *shard, "-o", str(out)], _written),
    ]


def _written(out: Path) -> dict[str, str]:
    """Hashes of what a run of extract has finished."""
    files = [*out.parent.glob(f"{out.name}.jsonl"), *out.glob("part-*")]
    return {path.name.removeprefix(out.name): sha256(path) for path in files}


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


def _weights(out: Path) -> dict[str, str]:
    """Hash of the weights of a finished training run."""
    return {WEIGHTS: sha256(out / WEIGHTS)} if (out / "metrics.json").exists() else {}


def _uninterrupted(trial: Trial, folder: Path) -> Any:
    whole = folder / trial.name.replace(" ", "-") / "whole"
    whole.parent.mkdir()
    start = time.monotonic()
    code, errors = _run(trial, whole)
    trial.seconds = time.monotonic() - start
    if code:
        sys.exit(errors)
    return trial.content(whole)


def _run(trial: Trial, out: Path, seconds: float | None = None) -> tuple[int, str]:
    """Exit code and standard error of the command in a process of its own, killed after some seconds.

    The process is a copy of this one, with everything imported: most kills would meet an import otherwise.
    """
    errors = out.parent / f"{out.name}.errors"
    pid = os.fork()
    if not pid:
        _become(["tacitus", *trial.command(out)], errors)
    until = time.monotonic() + (1e9 if seconds is None else seconds)
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), errors.read_text("utf-8")
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            until = float("inf")
        time.sleep(0.002)


def _become(command: list[str], errors: Path) -> NoReturn:
    stream = errors.open("w", encoding="utf-8")
    os.dup2(stream.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv, code = command, 0
    try:
        tacitus_main()
    except SystemExit as done:
        code = int(done.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        os._exit(code)


def _round(trial: Trial, folder: Path, expected: Any, args: argparse.Namespace, chance: random.Random) -> None:
    trial.rounds += 1
    home = folder / f"round-{trial.rounds}"
    home.mkdir()
    out = home / "out"
    for _ in range(min(args.kills_in_a_row, args.kills - trial.kills)):
        code, _ = _run(trial, out, chance.uniform(0, trial.seconds))
        if code == -signal.SIGKILL:
            trial.kills += 1
            trial.states.add(_state(trial.content(out), expected))
    code, errors = _run(trial, out)
    failed = code and "holds a finished run" not in errors  # which says that the last kill came too late
    left = [str(p) for p in home.rglob("*") if p.suffix == ".partial" or p.name in ("state.json", "checkpoints")]
    if failed or trial.content(out) != expected or left:
        sys.exit(f"{trial.name}, round {trial.rounds}: another result; left over: {left}; {errors}")
    shutil.rmtree(home)


def _state(content: Any, expected: Any) -> str:
    if not content:
        return "nothing"
    return "all" if content == expected else "a part"


if __name__ == "__main__":
    main()
