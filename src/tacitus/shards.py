"""Event records of long runs: a folder of Parquet files, each written whole, continued where a killed run stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tacitus.data.documents import Document
from tacitus.errors import OutputError
from tacitus.event_files import write_events
from tacitus.events import CodedDocument, EventRecord, all_events
from tacitus.files import write_json
from tacitus.ontology import Ontology

DOCUMENTS_PER_SHARD = 10_000
_RUN = "_run.json"
_SHARD = "part-{:06d}.parquet"


def is_folder(output: Path) -> bool:
    """Whether an output names a folder of shards: it is one, or has no ending."""
    return output.is_dir() or not output.suffix


def write_shards(
    folder: Path,
    documents: Iterable[Document],
    code: Callable[[Iterable[Document]], Iterator[CodedDocument]],
    ontology: Ontology,
    run: dict[str, Any],
    keep: Callable[[EventRecord], bool],
    documents_per_shard: int = DOCUMENTS_PER_SHARD,
) -> tuple[int, int]:
    """Codes documents into ``part-000000.parquet`` and so on; the same call after a kill writes what is missing.

    Shard k holds the events of documents ``k * documents_per_shard`` and on, in order, so that the files do not depend
    on where a run was interrupted. Finished shards' documents are read again but not coded.

    Args:
        folder: is made where it is missing.
        documents: the same ones in the same order in every call.
        code: codes documents in order, such as :meth:`tacitus.extractor.Extractor.stream`.
        ontology: of the records.
        run: what the result depends on (inputs, checkpoint, options); a folder of another run is refused.
        keep: which records are written.
        documents_per_shard: documents of one file.

    Returns:
        Events written by this call, and shards that were there already.

    Raises:
        OutputError: the folder holds another run, or cannot be written.
    """
    _claim(folder, run | {"documents_per_shard": documents_per_shard})
    n_done = 0
    while (folder / _SHARD.format(n_done)).is_file():
        n_done += 1
    rest = islice(documents, n_done * documents_per_shard, None)
    n_events = 0
    for shard, first in enumerate(rest, n_done):
        # Each shard is coded for itself, so that its batches, and with them the last digits, are the same in every run.
        coded = code(chain([first], islice(rest, documents_per_shard - 1)))
        kept = (record for record in all_events(coded, ontology) if keep(record))
        n_events += write_events(folder / _SHARD.format(shard), kept, ontology)
    return n_events, n_done


def _claim(folder: Path, run: dict[str, Any]) -> None:
    """Writes the run's description, or compares it with the one that is there."""
    described = folder / _RUN
    if described.is_file():
        try:
            before = json.loads(described.read_text(encoding="utf-8"))
        except (OSError, ValueError, AttributeError):
            raise OutputError(f"{described}: not readable; choose another folder") from None
        differing = sorted(name for name in {*before, *run} if before.get(name) != run.get(name))
        if differing:
            raise OutputError(f"{folder}: holds a run with another {differing[0]!r}; choose another folder")
    elif folder.exists() and (not folder.is_dir() or any(not path.name.startswith(".") for path in folder.iterdir())):
        raise OutputError(f"{folder}: not empty and not a run's folder; choose another folder")
    else:
        write_json(described, run)
