"""Does memory stay flat over many reports? Generated reports through the extractor, peak memory on the way.

    python benchmarks/load.py --sentences 1000000 --model runs/default

Reports are made while they are read: ten paragraphs each, drawn from the texts of the corpus. Event records go to a
Parquet file. Peak memory of the process is printed at each tenth of the sentences. With ``--minutes`` the run ends
early and says how far it came.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tacitus.data.documents import Document
from tacitus.data.jsonl import iter_sentences
from tacitus.event_files import write_events
from tacitus.events import CodedDocument, all_events
from tacitus.extractor import Extractor

SENTENCES_A_REPORT = 10


class Gauge:
    """Passes documents on; prints peak memory and rate at each tenth, and stops at a time."""

    def __init__(self, n_sentences: int, minutes: float) -> None:
        self.n_sentences, self.done, self.tenth = n_sentences, 0, 1
        self.start = time.monotonic()
        self.until = self.start + 60 * minutes

    def watch(self, documents: Iterator[CodedDocument]) -> Iterator[CodedDocument]:
        """Counts the sentences of coded documents."""
        for document in documents:
            yield document
            self.done += len(document.sentences)
            while self.done * 10 >= self.tenth * self.n_sentences:
                print(self, flush=True)
                self.tenth += 1
            if time.monotonic() > self.until:
                return

    def __str__(self) -> str:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        seconds = time.monotonic() - self.start
        return f"{self.done:>10,} sentences  peak {peak:,.0f} MiB  {self.done / seconds:,.0f} sentences/s"


def main() -> None:
    """Runs the load and prints where it ended."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--texts", type=Path, default=Path("annotations/train.jsonl"), help="sentences to make from")
    parser.add_argument("--sentences", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=1e6, help="most time to take")
    parser.add_argument("--model", type=Path, help="checkpoint folder; the shipped one where left out")
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    extractor = Extractor.load(args.model, runtime=args.runtime, threads=args.threads)
    gauge = Gauge(args.sentences, args.minutes)
    coded = gauge.watch(extractor.stream(_reports(args.texts, args.sentences)))
    with tempfile.TemporaryDirectory() as folder:
        n = write_events(Path(folder) / "events.parquet", all_events(coded, extractor.ontology), extractor.ontology)
    print(f"{gauge}, {n:,} events, {extractor.runtime.kind}")


def _reports(texts: Path, n_sentences: int) -> Iterator[Document]:
    sentences = [s.text for s in iter_sentences(texts)]
    for first in range(0, n_sentences, SENTENCES_A_REPORT):
        picked = (sentences[i * 7919 % len(sentences)] for i in range(first, first + SENTENCES_A_REPORT))
        yield Document(f"r{first}", "\n\n".join(picked))


if __name__ == "__main__":
    main()
