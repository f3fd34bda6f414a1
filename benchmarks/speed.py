"""How fast is it? Peers and every runtime here in turn, in one process: rates, ratios, share of the machine's peak.

    python benchmarks/speed.py annotations/train.jsonl --sentences 1000 --rounds 3 --json benchmarks/speed.json

Every round runs every contestant once, so that a busy moment of the machine meets all of them; ratios are taken within
a round. Loading and one warm-up are not timed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import peers
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from tacitus.checkpoint import load_extractor, load_model
from tacitus.data.documents import read_documents
from tacitus.data.encode import encode_texts
from tacitus.data.jsonl import read_sentences
from tacitus.event_files import write_events
from tacitus.events import all_events
from tacitus.extractor import Extractor
from tacitus.files import write_json
from tacitus.model.modeling import EventModel
from tacitus.records import AnnotatedSentence
from tacitus.resources import default_checkpoint_path
from tacitus.runtime.processor import processor_name

PEER = "two pipelines, batch 32"
Contestant = tuple[str, Callable[[list[AnnotatedSentence]], Any], float]  # name, run, share of sentences


def main() -> None:
    """Runs the benchmark and prints a table in Markdown."""
    args = _arguments()
    torch.set_num_threads(args.threads)
    sentences = read_sentences(args.texts)
    sample = random.Random(0).sample(sentences, min(args.sentences, len(sentences)))
    checkpoint = args.model or default_checkpoint_path()
    model = load_model(checkpoint)
    before = machine.matmul_peaks(args.peak_seconds)
    rates = _rounds(list(_contestants(model, checkpoint)), sample, args.rounds)
    after = machine.matmul_peaks(args.peak_seconds)
    fastest, extractor = list(_runtimes(checkpoint))[-1]
    result = {
        "processor": processor_name(),
        "threads": args.threads,
        "sentences": len(sample),
        "rounds": args.rounds,
        "gop_per_sentence": _gop_per_sentence(model, extractor, sample[:200]),
        "peak_gop_per_second": {kind: max(before[kind], after[kind]) for kind in before},
        "rates": rates,
        "beside_the_network": {"runtime": fastest} | _other_steps(extractor, sample),
    }
    if args.json:
        write_json(args.json, result)
    print(table(result))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("texts", type=Path, help="annotated sentences (JSONL); only their texts are looked at")
    parser.add_argument("--model", type=Path, help="checkpoint folder; the shipped one where left out")
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--peak-seconds", type=float, default=2.0, help="time for each of the machine's peaks, twice")
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


def _contestants(model: EventModel, checkpoint: Path) -> Iterator[Contestant]:
    pipelines = peers.two_pipelines(model, checkpoint)
    yield "two pipelines, batch 1", lambda s: pipelines([x.text for x in s], 1), 0.1
    yield PEER, lambda s: pipelines([x.text for x in s], 32), 0.2
    naive = replace(load_extractor(checkpoint, "cpu"), batch_tokens=10**9)
    yield "joint, batches of 32 as they come", lambda s: [naive.predict(s[i : i + 32]) for i in range(0, len(s), 32)], 1
    for name, extractor in _runtimes(checkpoint):
        yield name, extractor.predict, 1
    yield f"extract to Parquet, {name}", lambda s: extract_to_parquet(extractor, s), 1


def _runtimes(checkpoint: Path) -> Iterator[tuple[str, Extractor]]:
    """Every runtime that is here, by name; the one expected to be fastest last."""
    yield "PyTorch fp32", load_extractor(checkpoint, "cpu")
    yield "PyTorch bf16", load_extractor(checkpoint, "cpu", bf16=True)
    if importlib.util.find_spec("tacitus.loading") is None:  # exported graphs came with it
        return
    from tacitus.folder import GRAPHS

    for kind in sorted(GRAPHS, key=lambda kind: kind == "openvino-int8"):
        if (checkpoint / GRAPHS[kind]).is_file():
            yield kind, Extractor.load(checkpoint, "cpu", runtime=kind)


def extract_to_parquet(extractor: Extractor, sentences: Sequence[AnnotatedSentence]) -> int:
    """What ``tacitus extract`` does once loaded: a JSONL file of reports in, a Parquet file of events out."""
    with tempfile.TemporaryDirectory() as folder:
        reports = Path(folder) / "reports.jsonl"
        reports.write_text("\n".join(json.dumps({"text": s.text}) for s in sentences), encoding="utf-8")
        coded = extractor.stream(read_documents([reports]))
        return write_events(Path(folder) / "events.parquet", all_events(coded, extractor.ontology), extractor.ontology)


def _rounds(contestants: list[Contestant], sample: list[AnnotatedSentence], n: int) -> dict[str, list[float]]:
    """Sentences a second of each contestant in each round."""
    rates: dict[str, list[float]] = {name: [] for name, *_ in contestants}
    for turn in range(n + 1):
        for name, run, share in contestants:
            part = sample[: max(1, int(len(sample) * share))]
            start = time.perf_counter()
            run(part if turn else part[: max(1, len(part) // 4)])  # the first turn warms up
            if turn:
                rates[name].append(len(part) / (time.perf_counter() - start))
    return rates


def _gop_per_sentence(model: EventModel, extractor: Extractor, sample: Sequence[AnnotatedSentence]) -> float:
    """Mean 10⁹ operations that a sentence needs without padding, counted in PyTorch's operators."""
    windows = [w for e in encode_texts([s.text for s in sample], extractor.tokenizer) for w in e.windows]
    on_cpu = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}  # PyTorch counts it on GPUs alone
    with FlopCounterMode(display=False, custom_mapping=on_cpu) as counter, torch.no_grad():
        for w in windows:
            inputs = (w.input_ids, w.case_ids, [1] * len(w.input_ids), w.unit_positions)
            model(*(torch.tensor([row]) for row in inputs))
    return float(counter.get_total_flops()) / len(sample) / 1e9


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _other_steps(extractor: Extractor, sample: list[AnnotatedSentence]) -> dict[str, float]:
    """Seconds of each step beside the network for the whole sample, each alone, and of all together with it."""
    texts = [s.text for s in sample]
    scores = extractor.score(texts)
    return {
        "tokenise": _seconds(lambda: encode_texts(texts, extractor.tokenizer)),
        "decode": _seconds(lambda: extractor.decoder(sample, scores)),
        "extract": _seconds(lambda: extract_to_parquet(extractor, sample)),
    }


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def table(result: dict[str, Any]) -> str:
    """The result in Markdown."""
    peer, gop = result["rates"][PEER], result["gop_per_sentence"]
    peaks, other = result["peak_gop_per_second"], result["beside_the_network"]
    lines = [
        f"{result['processor']}, {result['threads']} threads, {result['sentences']} sentences, "
        f"{result['rounds']} rounds; "
        f"{gop:.2f} GOP a sentence; peaks of a matrix product in GOP/s: "
        + ", ".join(f"{kind} {value:,.0f}" for kind, value in peaks.items()),
        "",
        "| what | sentences/s: median (min to max) | ratio to the peer: median (min to max) | share of int8 peak |",
        "|---|---|---|---|",
    ]
    for name, rates in result["rates"].items():
        ratios = [mine / theirs for mine, theirs in zip(rates, peer, strict=True)]
        share = statistics.median(rates) * gop / peaks["int8"]
        lines.append(f"| {name} | {_spread(rates, ',.0f')} | {_spread(ratios, '.1f')} | {share:.0%} |")
    share = (other["tokenise"] + other["decode"]) / other["extract"]
    lines += ["", f"Tokenising and decoding alone take {share:.0%} of extract's time ({other['runtime']})."]
    return "\n".join(lines)


def _spread(values: Sequence[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


if __name__ == "__main__":
    main()
