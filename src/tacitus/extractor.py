"""Loads a checkpoint and codes sentences and documents: split, batch, run, decode, restore order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tacitus.data.documents import Document
from tacitus.data.encode import EncodedSentence, encode_texts
from tacitus.errors import CheckpointError
from tacitus.events import CodedDocument, EventRecord
from tacitus.model.decode import Decoder, SentenceScores
from tacitus.records import AnnotatedSentence
from tacitus.resources import default_checkpoint_path
from tacitus.runtime.base import Runtime, WindowScores, merge_windows
from tacitus.sentences import split_sentences

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tacitus.ontology import Ontology

BATCH_TOKENS = 8192
CHUNK_SENTENCES = 2048


@dataclass(frozen=True)
class Extractor:
    """A checkpoint ready to code text.

    Args:
        runtime: the loaded network.
        tokenizer: prepared by :func:`tacitus.data.encode.prepare_tokenizer`.
        decoder: turns scores into records.
        name: the checkpoint's folder, for messages and provenance.
        batch_tokens: tokens of one batch, padding included.
    """

    runtime: Runtime
    tokenizer: Tokenizer
    decoder: Decoder
    name: str
    batch_tokens: int = BATCH_TOKENS

    @classmethod
    def load(cls, checkpoint: str | Path | None = None, device: str = "auto", bf16: bool = False) -> Extractor:
        """Loads a checkpoint folder; without one, the shipped checkpoint (no network needed).

        Args:
            checkpoint: a folder written by ``tacitus train``.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
            bf16: run the encoder under bfloat16.

        Raises:
            CheckpointError: the folder is missing, incomplete or no tacitus checkpoint.
        """
        path = Path(checkpoint) if checkpoint else default_checkpoint_path()
        check_folder(path)  # before anything heavy is loaded
        from tacitus.checkpoint import load_extractor

        return load_extractor(path, device, bf16)

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
        out: list[AnnotatedSentence] = []
        for chunk in _chunks(sentences, CHUNK_SENTENCES):
            out.extend(self.decoder(chunk, self.score([s.text for s in chunk]), event_scores))
        return out

    def score(self, texts: Sequence[str]) -> list[SentenceScores]:
        """Uncalibrated scores of sentences, in order."""
        encoded = encode_texts(texts, self.tokenizer)
        windows = [(i, w) for i, sentence in enumerate(encoded) for w in range(len(sentence.windows))]
        windows.sort(key=lambda at: len(encoded[at[0]].windows[at[1]].input_ids))
        scores: dict[tuple[int, int], WindowScores] = {}
        for batch in self._batches(windows, encoded):
            results = self.runtime.run([encoded[i].windows[w] for i, w in batch])
            scores.update(zip(batch, results, strict=True))
        return [
            merge_windows(sentence, [scores[i, w] for w in range(len(sentence.windows))])
            for i, sentence in enumerate(encoded)
        ]

    def _batches(
        self, windows: list[tuple[int, int]], encoded: Sequence[EncodedSentence]
    ) -> Iterator[list[tuple[int, int]]]:
        """Cuts length-sorted windows into batches of about ``batch_tokens`` padded tokens."""
        batch: list[tuple[int, int]] = []
        for i, w in windows:
            longest = len(encoded[i].windows[w].input_ids)  # sorted: the newest is the longest
            if batch and longest * (len(batch) + 1) > self.batch_tokens:
                yield batch
                batch = []
            batch.append((i, w))
        if batch:
            yield batch

    def stream(self, documents: Iterable[Document]) -> Iterator[CodedDocument]:
        """Codes documents one by one in order, holding a bounded number of sentences in memory."""
        waiting: list[tuple[Document, list[AnnotatedSentence], list[int]]] = []
        n_sentences = 0
        for document in documents:
            sentences, starts = document_sentences(document)
            waiting.append((document, sentences, starts))
            n_sentences += len(sentences)
            if n_sentences >= CHUNK_SENTENCES:
                yield from self._code(waiting)
                waiting, n_sentences = [], 0
        yield from self._code(waiting)

    def _code(self, waiting: list[tuple[Document, list[AnnotatedSentence], list[int]]]) -> Iterator[CodedDocument]:
        predictions = iter(self.predict([s for _, sentences, _ in waiting for s in sentences]))
        for document, sentences, starts in waiting:
            yield CodedDocument(document, list(islice(predictions, len(sentences))), starts)

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
    cut = split_sentences(document.text)
    sentences = [
        AnnotatedSentence(
            f"{document.id}-s{i:02d}", document.text[s.start : s.end], doc_id=document.id, sentence_index=i
        )
        for i, s in enumerate(cut)
    ]
    return sentences, [s.start for s in cut]


def _chunks(items: Sequence[AnnotatedSentence], size: int) -> Iterator[Sequence[AnnotatedSentence]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def check_folder(path: Path) -> None:
    """Checks that a checkpoint folder is whole.

    Raises:
        CheckpointError: the folder or one of its files is missing.
    """
    if not path.is_dir():
        raise CheckpointError(
            f"{path}: no such checkpoint folder; give a folder written by 'tacitus train', or none for the shipped one"
        )
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (path / name).is_file():
            raise CheckpointError(
                f"{path}: not a whole checkpoint, {name} is missing; give a folder written by 'tacitus train'"
            )
