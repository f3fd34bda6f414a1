"""``tacitus.extract`` and ``EventMapper``: frames in, frames out, rows told apart."""

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import tacitus
from tacitus.errors import InputError
from tacitus.event_files import event_schema

ATTACK, DEAL = "rebels attacked police in juba .", "police signed a deal with rebels in goma ."
TEXTS = [ATTACK, None, "prices in goma rose again .", DEAL]


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    return tacitus.Extractor.load(tiny_checkpoint)


def test_pandas_gives_pandas_with_the_index_as_doc_id(model):
    frame = pd.DataFrame({"text": TEXTS, "country": list("abcd")}, index=[10, 20, 30, 40])
    events = tacitus.extract(frame["text"], model=model)
    assert isinstance(events, pd.DataFrame)
    assert list(events.columns) == event_schema(model.ontology).names
    joined = events.merge(frame, left_on="doc_id", right_index=True)
    assert list(zip(joined["sub_event_type"], joined["country"], strict=True)) == [("attack", "a"), ("deal", "d")]
    assert events["event_id"].tolist() == ["10-s00-attack", "40-s00-deal"]
    assert events["initiators"][0] == [
        {"text": "rebels", "start": 0, "end": 6, "score": events["initiators"][0][0]["score"]}
    ]


def test_an_index_that_repeats_still_tells_events_apart(model):
    events = tacitus.extract(pd.Series([ATTACK, ATTACK], index=[7, 7]), model=model)
    assert events["doc_id"].tolist() == [7, 7]
    assert events["event_id"].tolist() == ["0-s00-attack", "1-s00-attack"]


def test_no_events_keep_the_columns_and_their_types(model):
    none = tacitus.extract(pd.Series([None, float("nan"), pd.NA], dtype=object), model=model)
    some = tacitus.extract(pd.Series([ATTACK]), model=model)
    assert len(none) == 0
    same = [name for name in none.columns if name != "doc_id"]
    assert none.dtypes[same].tolist() == some.dtypes[same].tolist()


def test_polars_gives_polars(model):
    events = tacitus.extract(pl.Series(TEXTS), model=model, ids=list("abcd"), dates=["2024-05-01"] * 4)
    assert isinstance(events, pl.DataFrame)
    assert events["doc_id"].to_list() == ["a", "d"]
    assert events["event_date"].to_list() == ["2024-05-01"] * 2
    assert events["places"].list.eval(pl.element().struct.field("text")).to_list() == [["juba"], ["goma"]]


@pytest.mark.parametrize(
    "column",
    [TEXTS, pa.array(TEXTS), pa.chunked_array([TEXTS[:1], TEXTS[1:]]), np.array(TEXTS, dtype=object), iter(TEXTS)],
    ids=["list", "arrow", "chunks", "numpy", "iterator"],
)
def test_everything_else_gives_the_table_of_an_event_file(model, column):
    events = tacitus.extract(column, model=model, sources=["Agency", None, None, float("nan")])
    assert events.schema == event_schema(model.ontology)
    assert events["doc_id"].to_pylist() == ["0", "3"]
    assert events["source"].to_pylist() == ["Agency", None]


def test_unsure_events_are_left_out(model):
    every = tacitus.extract(TEXTS, model=model)["confidence"].to_pylist()
    bound = max(every)
    kept = tacitus.extract(TEXTS, model=model, min_confidence=bound)["confidence"].to_pylist()
    assert kept == [confidence for confidence in every if confidence >= bound]
    assert tacitus.extract(TEXTS, model=model, min_confidence=bound + 0.001).num_rows == 0


def test_progress_is_shown_only_when_asked_for(model, capsys):
    tacitus.extract(TEXTS, model=model)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([ATTACK, 5], {}, "text 1 is of type int"),
        (["\ud800"], {}, "text 0 holds a lone surrogate"),
        (pd.DataFrame({"text": TEXTS}), {}, "give one column"),
        ([ATTACK, DEAL], {"ids": ["a", "a"]}, "'a' stands twice"),
        ([ATTACK, DEAL], {"ids": ["a", None]}, "a value is missing"),
        ([ATTACK, DEAL], {"dates": ["2024"]}, "1 values for 2 texts"),
    ],
)
def test_a_wrong_column_is_told_in_one_line(model, texts, options, message):
    with pytest.raises(InputError, match=message):
        tacitus.extract(texts, model=model, **options)


def test_one_string_is_not_taken_for_its_letters(model):
    with pytest.raises(TypeError, match="put it in a list"):
        tacitus.extract(ATTACK, model=model)


def test_a_data_set_gets_a_column_of_events(tiny_checkpoint):
    rows = datasets.Dataset.from_dict({"id": list("abcd"), "body": ["", *TEXTS[1:]]})
    mapper = tacitus.EventMapper("body", model=str(tiny_checkpoint), id_column="id")
    coded = rows.map(mapper, batched=True, batch_size=2, features=mapper.features(rows.features))
    assert [[e["sub_event_type"] for e in events] for events in coded["events"]] == [[], [], [], ["deal"]]
    assert coded[3]["events"][0]["event_id"] == "d-s00-deal"
    again = tacitus.EventMapper("body", model=str(tiny_checkpoint), id_column="id")
    assert datasets.fingerprint.Hasher.hash(mapper) == datasets.fingerprint.Hasher.hash(again)


def test_a_column_that_is_not_there_is_named(tiny_checkpoint):
    with pytest.raises(InputError, match="did you mean 'text'"):
        tacitus.EventMapper("txt", model=str(tiny_checkpoint))({"text": [ATTACK]})
