"""Codes sentences and documents: split, batch, run, decode, restore order, the steps overlapping."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tacitus.data.documents import Document
from tacitus.data.encode import Window, encode_texts, prepare_tokenizer
from tacitus.events import CodedDocument, EventRecord, SplitDocument, chunks_of, split_document
from tacitus.model.decode import Decoder, SentenceScores
from tacitus.records import AnnotatedSentence
from tacitus.resources import default_checkpoint_path
from tacitus.runtime.base import Runtime
from tacitus.runtime.jobs import Job, Place

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tacitus.model.settings import Settings
    from tacitus.ontology import Ontology

CHUNK_SENTENCES = 2048


@dataclass(frozen=True)
class Extractor:
    """A checkpoint ready to code text.

    Args:
        runtime: the loaded network.
        tokenizer: prepared by :func:`tacitus.data.encode.prepare_tokenizer`.
        decoder: turns scores into records.
        name: the checkpoint's folder, for messages and provenance.
        batch_tokens: tokens of one batch, padding included; 0 for what suits the runtime.
    """

    runtime: Runtime
    tokenizer: Tokenizer
    decoder: Decoder
    name: str
    batch_tokens: int = 0

    @classmethod
    def load(
        cls,
        checkpoint: str | Path | None = None,
        device: str = "auto",
        bf16: bool = False,
        runtime: str = "auto",
        threads: int = 0,
    ) -> Extractor:
        """Loads a checkpoint folder; without one, the shipped checkpoint (no network needed).

        Args:
            checkpoint: a folder written by ``tacitus train``.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
            bf16: run what is not int8 in bfloat16, where the processor or GPU has it.
            runtime: ``auto``, ``openvino-int8``, ``openvino``, ``onnx`` or ``pytorch``; see :mod:`tacitus.loading`.
            threads: processor threads of an exported graph; 0 for all.

        Raises:
            CheckpointError: the folder is missing, incomplete or no tacitus checkpoint.
            TacitusError: the runtime's package is not installed.
        """
        from tacitus.loading import load

        return load(Path(checkpoint) if checkpoint else default_checkpoint_path(), runtime, device, bf16, threads)

    @classmethod
    def assemble(cls, runtime: Runtime, tokenizer: Tokenizer, settings: Settings, name: str) -> Extractor:
        """An extractor from its parts; the tokenizer is the checkpoint's own."""
        decoder = Decoder(settings.ontology, settings.tag_set, runtime.chain, settings.calibration)
        return cls(runtime, prepare_tokenizer(tokenizer, settings.max_tokens), decoder, name)

    @property
    def ontology(self) -> Ontology:
        """The ontology that the checkpoint was trained on."""
        return self.decoder.ontology

    def predict(self, sentences: Sequence[AnnotatedSentence], event_scores: bool = False) -> list[AnnotatedSentence]:
        """Predictions for sentences, same ids and order; their own spans and events are not looked at.

        Args:
            sentences: what to predict.
            event_scores: add the probability of every event type.
        """
        chunks = (sentences[i : i + CHUNK_SENTENCES] for i in range(0, len(sentences), CHUNK_SENTENCES))
        jobs = self._run(Job(chunk, encode_texts([s.text for s in chunk], self.tokenizer)) for chunk in chunks)
        return [p for job in jobs for p in self.decoder(job.sentences, job.scores(), event_scores)]

    def score(self, texts: Sequence[str]) -> list[SentenceScores]:
        """Uncalibrated scores of sentences, in order."""
        (job,) = self._run([Job((), encode_texts(texts, self.tokenizer))])
        return job.scores()

    def stream(self, documents: Iterable[Document]) -> Iterator[CodedDocument]:
        """Codes documents one by one in order, holding a bounded number of sentences in memory."""
        return self.stream_split(map(split_document, documents))

    def stream_split(self, documents: Iterable[SplitDocument]) -> Iterator[CodedDocument]:
        """The same for documents that are cut into sentences already."""
        waiting: deque[list[SplitDocument]] = deque()
        for job in self._run(self._document_jobs(documents, waiting)):
            predictions = iter(self.decoder(job.sentences, job.scores()))
            for split in waiting.popleft():
                yield CodedDocument(split.document, list(islice(predictions, len(split.sentences))), split.starts)

    def _document_jobs(self, documents: Iterable[SplitDocument], waiting: deque[list[SplitDocument]]) -> Iterator[Job]:
        for chunk in chunks_of(documents, CHUNK_SENTENCES):
            sentences = [s for split in chunk for s in split.sentences]
            waiting.append(chunk)
            yield Job(sentences, encode_texts([s.text for s in sentences], self.tokenizer))

    def _run(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Jobs with their scores, in order.

        The runtime takes batches ahead: later jobs are tokenised and earlier ones decoded while it computes.
        """
        begun: deque[Job] = deque()
        batches: deque[tuple[Job, list[Place]]] = deque()

        def ahead() -> Iterator[list[Window]]:
            for job in jobs:
                begun.append(job)
                for batch in job.batches(self.batch_tokens or self.runtime.batch_tokens):
                    batches.append((job, batch))
                    yield job.windows(batch)

        for results in self.runtime.run(ahead()):
            job, batch = batches.popleft()
            job.put(batch, results)
            while begun and begun[0].done:
                yield begun.popleft()
        yield from begun  # without a sentence to run

    def extract(self, texts: Iterable[str]) -> list[list[EventRecord]]:
        """Event records of each text, in order; documents are named by their position.

        Raises:
            TypeError: one string in place of several.
        """
        if isinstance(texts, str):
            raise TypeError("extract takes several texts; put the one in a list")
        documents = (Document(str(i), text) for i, text in enumerate(texts))
        return [list(coded.events(self.ontology)) for coded in self.stream(documents)]


def document_sentences(document: Document) -> tuple[list[AnnotatedSentence], list[int]]:
    """A document's sentences, not yet annotated, and where each begins in it."""
    split = split_document(document)
    return split.sentences, split.starts
