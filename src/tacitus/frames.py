"""Texts in a list, a pandas or polars Series, an Arrow array or a data set → a frame with one row an event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tacitus.data.documents import Document
from tacitus.errors import InputError, is_unicode, suggest
from tacitus.event_files import event_schema, event_table
from tacitus.extractor import Extractor
from tacitus.folder import fingerprint
from tacitus.progress import counting
from tacitus.resources import default_checkpoint_path

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

    from tacitus.events import EventRecord


def extract(
    texts: Iterable[str | None],
    *,
    model: Extractor | str | Path | None = None,
    ids: Iterable[Any] | None = None,
    dates: Iterable[Any] | None = None,
    sources: Iterable[Any] | None = None,
    min_confidence: float = 0.0,
    progress: bool = False,
) -> Any:
    """Codes texts: one row an event, with the columns of event files.

    Args:
        texts: a list, a Series of pandas or polars, an Arrow array, a column of a data set; missing texts are empty.
        model: an extractor or a checkpoint folder; the shipped checkpoint, loaded once and kept, where left out.
        ids: fills the column ``doc_id``; where left out, the index of a pandas Series, else the text's position.
        dates: fills the column ``event_date``.
        sources: fills the column ``source``.
        min_confidence: leaves out events below it.
        progress: show how far it is, on standard error or in a notebook.

    Returns:
        A frame of pandas for a pandas Series, of polars for a polars Series, else a table of Arrow.

    Raises:
        TypeError: one string in place of several.
        InputError: a value that is no text, an id that stands twice, or columns of different lengths.
    """
    documents = _documents(texts, ids, dates, sources)
    extractor = _shipped() if model is None else model if isinstance(model, Extractor) else Extractor.load(model)
    rows, records = _code(extractor, documents, min_confidence, progress)
    table = event_table(records, extractor.ontology)
    match type(texts).__module__.partition(".")[0]:
        case "pandas":
            labels = None if ids is not None else _index(texts)
            return _to_pandas(table, extractor.ontology.role_keys, None if labels is None else labels.take(rows))
        case "polars":
            import polars

            return polars.from_arrow(table)
    return table


@dataclass(frozen=True)
class EventMapper:
    """Adds the events of each text to a data set, as the function that ``datasets.Dataset.map`` takes in batches.

    Args:
        text_column: the column that is read.
        events_column: the column that is added: for each text a list of events, with the fields of event files.
        model: a checkpoint folder; the shipped checkpoint where left out.
        id_column: the column that documents are named by; ``doc_id`` counts from each batch's start where left out.
    """

    text_column: str = "text"
    events_column: str = "events"
    model: str | None = None
    id_column: str | None = None
    files: dict[str, str] = field(init=False, repr=False)  # a data set's cache tells checkpoints apart by them

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", fingerprint(Path(self.model) if self.model else default_checkpoint_path()))

    def __call__(self, batch: Mapping[str, Iterable[Any]]) -> dict[str, list[list[dict[str, Any]]]]:
        """The events of a batch of rows.

        Raises:
            InputError: a column that is not there, or a value that is no text.
        """
        extractor = _kept(self.model)
        ids = _named(batch, self.id_column) if self.id_column else None
        documents = _documents(_named(batch, self.text_column), ids)
        coded = extractor.stream(documents)
        return {self.events_column: [[r.to_json() for r in c.events(extractor.ontology)] for c in coded]}

    def features(self, features: datasets.Features) -> datasets.Features:
        """A data set's features and the new column's: a first batch without events would not tell its type."""
        import datasets
        import pyarrow as pa

        event = pa.struct(list(event_schema(_kept(self.model).ontology)))
        added = datasets.Features.from_arrow_schema(pa.schema([(self.events_column, pa.list_(event))]))
        return datasets.Features({**features, **added})


def as_texts(column: Iterable[Any]) -> list[str]:
    """A column of texts as a list; a missing text (``None``, NaN, a null) is an empty one.

    Raises:
        TypeError: one string in place of several.
        InputError: a frame in place of its column, or a value that is no text.
    """
    if isinstance(column, str):
        raise TypeError("one string in place of several texts; put it in a list")
    if len(getattr(column, "shape", ())) > 1:
        raise InputError("a frame in place of a column of texts; give one column, such as frame['text']")
    return [_text(row, value) for row, value in enumerate(_values(column))]


def _text(row: int, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"text {row} is of type {type(value).__name__}; give strings")
    if not is_unicode(value):
        raise InputError(f"text {row} holds a lone surrogate, which is no Unicode text; repair it")
    return value


def _values(column: Iterable[Any]) -> list[Any]:
    """Values of a column as Python objects, ``None`` for what is missing."""
    to_list = getattr(column, "to_pylist", None) or getattr(column, "tolist", None) or getattr(column, "to_list", None)
    return [None if _is_missing(value) else value for value in (to_list() if to_list else column)]


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return value != value
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _documents(
    texts: Iterable[Any],
    ids: Iterable[Any] | None = None,
    dates: Iterable[Any] | None = None,
    sources: Iterable[Any] | None = None,
) -> list[Document]:
    read = as_texts(texts)
    n = len(read)
    names = _unique(_column("ids", ids, n)) if ids is not None else _labels(texts, n)
    columns = zip(names, read, _column("dates", dates, n), _column("sources", sources, n), strict=True)
    return [Document(str(name), text, date, source) for name, text, date, source in columns]


def _column(name: str, values: Iterable[Any] | None, n: int) -> list[str | None]:
    if values is None:
        return [None] * n
    column = [None if value is None else str(value) for value in _values(values)]
    if len(column) != n:
        raise InputError(f"{name}: {len(column)} values for {n} texts; give one for each")
    return column


def _unique(ids: list[str | None]) -> list[str | None]:
    name, count = next(iter(Counter(ids).most_common(1)), ("", 0))
    if name is None or None in ids:
        raise InputError("ids: a value is missing; give one for each text, or leave ids out")
    if count > 1:
        raise InputError(f"ids: {name!r} stands twice; ids are unique, or leave them out")
    return ids


def _index(texts: Any) -> Any:
    """The index of a pandas Series; ``None`` for other columns."""
    index: Any = getattr(texts, "index", None)
    return index.to_flat_index() if hasattr(index, "to_flat_index") else None


def _labels(texts: Any, n: int) -> list[str]:
    """Names of texts without ids: the index where it tells them apart, else positions."""
    index = _index(texts)
    labels = [str(label) for label in (index if index is not None else range(n))]
    return labels if len(set(labels)) == n else [str(row) for row in range(n)]


def _code(
    extractor: Extractor, documents: Sequence[Document], min_confidence: float, progress: bool
) -> tuple[list[int], list[EventRecord]]:
    """Event records, and for each the position of its text."""
    coded = counting(extractor.stream(documents), "texts", len(documents), watched=progress)
    found = [
        (row, record)
        for row, document in enumerate(coded)
        for record in document.events(extractor.ontology)
        if record.confidence >= min_confidence
    ]
    return [row for row, _ in found], [record for _, record in found]


def _to_pandas(table: pa.Table, list_columns: Sequence[str], labels: Any) -> Any:
    """A frame whose lists of participants are Python lists, with ``labels`` as ``doc_id`` where they are given."""
    frame = table.to_pandas().assign(**{name: table[name].to_pylist() for name in list_columns})
    frame = frame.astype(dict.fromkeys(list_columns, object))
    return frame if labels is None else frame.assign(doc_id=labels)


def _named(batch: Mapping[str, Iterable[Any]], column: str) -> Iterable[Any]:
    try:
        return batch[column]
    except KeyError:
        near = suggest(column, batch) or f" among {', '.join(batch)}"
        raise InputError(f"no column {column!r}{near}; name it when making the EventMapper") from None


@cache
def _shipped() -> Extractor:
    return Extractor.load()


@cache
def _kept(model: str | None) -> Extractor:
    """A checkpoint for all batches that this process codes."""
    return Extractor.load(model) if model else _shipped()
