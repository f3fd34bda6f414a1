"""Whatever a file holds: a result, or one line and exit code 2; never a traceback, a hang or a report lost silently."""

import csv
import io
import json
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tacitus.annotation.markup import format_sentence, read_markup
from tacitus.cli.main import main
from tacitus.data import parse, rows
from tacitus.data.documents import Columns, Document, estimated_count, find_inputs, read_documents
from tacitus.data.encode import encode_texts, prepare_tokenizer
from tacitus.data.jsonl import iter_sentences, read_sentences, sentence_from_json, sentence_to_json, write_sentences
from tacitus.errors import InputError, TacitusError
from tacitus.event_files import write_events
from tacitus.events import all_events
from tacitus.extractor import Extractor
from tacitus.folder import load_tokenizer
from tacitus.ontology import load_ontology
from tacitus.records import AnnotatedSentence, Event, Span
from tacitus.resources import default_checkpoint_path
from tacitus.sentences import split_sentences

SHARED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
PIECES = st.sampled_from(
    ["rebels attacked police in juba . ", "a\u0301\u0302", "\U0001f468\u200d\U0001f469", "\u0645\u0631\u062d\u0628\u0627 ",
     "\u202e", "\ufeff", "\x00", "\x1b[2J", "\r\n", "\n\n", "<p>&nbsp;</p>", "&amp;", "<script>alert(1)</script>", "\u2028",
     "\u0903\u0903", "U.S. ", '"', ",", ";", "\\", "\ud7ff", "9" * 50, "\x85", "\u1f88"]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map("".join)).filter(
    lambda text: not any("\ud800" <= c <= "\udfff" for c in text)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def read(path, columns=Columns()):
    return list(read_documents(find_inputs([path])[0], columns))


def result(action, where):
    """What an action gives, or nothing where it refuses with an error that names the place."""
    try:
        return action()
    except TacitusError as error:
        message = str(error)
    assert where in message
    return None


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["tacitus", *map(str, arguments)])
    try:
        main()
        code = 0
    except SystemExit as done:
        code = done.code or 0
    return code, capsys.readouterr()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
@SHARED
@given(texts=st.lists(TEXTS, max_size=5))
def test_no_text_is_lost_or_changed(kind, texts, tmp_path):
    path = tmp_path / f"x.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps({"text": t}) + "\n" for t in texts), "utf-8")
    elif kind == "csv":
        stream = io.StringIO(newline="")
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["text"], *[[t] for t in texts]])
        path.write_bytes(stream.getvalue().encode())
    else:
        pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), path)
    assert [d.text for d in read(path)] == texts


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv", "parquet"])
@SHARED
@given(
    content=st.binary(max_size=200),
    head=st.sampled_from([b"", b"text\n", b'{"text": "', b"PAR1", b"\xff\xfe", b"\xef\xbb\xbf"]),
)
def test_any_bytes_are_read_or_refused(kind, content, head, tmp_path):
    path = tmp_path / f"x.{kind}"
    path.write_bytes(head + content)
    estimated_count([path])
    assert all(isinstance(d.text, str) for d in result(lambda: read(path), f"x.{kind}") or [])


@SHARED
@given(data=st.data())
def test_a_damaged_parquet_file_is_read_or_refused(data, tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"text": ["rebels attacked juba"] * 20, "id": list(range(20))}), path, compression="zstd")
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    assert all(isinstance(d.text, str) for d in result(lambda: read(path), "x.parquet") or [])


@SHARED
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["text", "id", "date", "source", "x"]), JSON, max_size=4), max_size=3)
)
def test_any_json_values_give_documents_that_can_be_written_or_one_line(rows, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    documents = result(lambda: read(path), "x.jsonl:")
    if documents is not None:
        assert len(documents) == len(rows)
        (tmp_path / "out").write_text(
            json.dumps([[d.id, d.text, d.date, d.source] for d in documents], ensure_ascii=False)
        )


@SHARED
@given(text=TEXTS)
def test_sentences_lose_nothing_but_white_space(text):
    at = 0
    for start, end in split_sentences(text):
        assert not text[at:start].replace("\x00", "").strip()
        assert text[start:end].strip() == text[start:end] != ""
        at = end
    assert not text[at:].replace("\x00", "").strip()


@pytest.fixture(scope="module")
def extractor(tiny_checkpoint):
    return Extractor.load(tiny_checkpoint)


@pytest.fixture(scope="module")
def tokenizer():
    return prepare_tokenizer(load_tokenizer(default_checkpoint_path()), 24)


@settings(SHARED, max_examples=300)
@example(texts=[":\u0903"])  # the mark once made a unit of its own inside its base's
@given(texts=st.lists(TEXTS.filter(bool), min_size=1, max_size=4))
def test_units_lie_in_the_text_and_windows_hold_each_of_them(tokenizer, texts):
    for text, encoded in zip(texts, encode_texts(texts, tokenizer), strict=True):
        offsets = encoded.unit_offsets
        assert all(0 <= a < b <= len(text) for a, b in offsets)
        assert all(before[1] <= after[0] for before, after in pairwise(offsets))
        held = {w.first_unit + i for w in encoded.windows for i in range(len(w.unit_positions))}
        assert held == set(range(len(offsets)))


@settings(SHARED, max_examples=25)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_every_written_span_gives_its_text_back(extractor, texts, tmp_path):
    documents = [Document(str(i), f"rebels attacked police in juba . {text}") for i, text in enumerate(texts)]
    for kind in ("jsonl", "csv", "parquet"):
        write_events(
            tmp_path / f"e.{kind}", all_events(extractor.stream(documents), extractor.ontology), extractor.ontology
        )
    records = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text("utf-8").split("\n") if line]
    assert {r["doc_id"] for r in records} <= {d.id for d in documents}
    for record in records:
        text = documents[int(record["doc_id"])].text
        for participant in record["initiators"] + record["targets"] + record["places"]:
            assert text[participant["start"] : participant["end"]] == participant["text"]
    assert len(pq.read_table(tmp_path / "e.parquet")) == len(records)
    with (tmp_path / "e.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["notes"] for row in csv.DictReader(stream)] == [r["text"] for r in records]


def test_an_offset_that_does_not_give_its_text_back_is_never_written(extractor, tmp_path):
    (coded,) = extractor.stream([Document("d", "rebels attacked police in juba .")])
    coded.starts[0] += 1
    with pytest.raises(TacitusError, match="do not give 'rebels'"):
        write_events(tmp_path / "e.jsonl", all_events([coded], extractor.ontology), extractor.ontology)
    assert not list(tmp_path.iterdir())


@SHARED
@given(
    raw=st.fixed_dictionaries(
        {"id": st.just("a") | JSON, "text": st.just("abc") | JSON, "spans": JSON, "events": JSON},
        optional={"meta": JSON, "doc_id": JSON, "event_scores": JSON, "sentence_index": JSON},
    )
)
def test_any_record_is_refused_or_survives_a_round_trip(raw, tmp_path):
    (tmp_path / "x.jsonl").write_text(json.dumps(raw), "utf-8")
    sentences = result(lambda: read_sentences(tmp_path / "x.jsonl"), "x.jsonl:1: ")
    if sentences is not None:
        write_sentences(tmp_path / "y.jsonl", sentences)
        assert read_sentences(tmp_path / "y.jsonl") == sentences


@SHARED
@given(text=TEXTS, data=st.data())
def test_records_with_any_text_come_back_the_same(text, data):
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = tuple(Span(a, b, "ACTOR") for a, b in zip(edges[::2], edges[1::2], strict=False))
    sentence = AnnotatedSentence("a", text, spans, (Event("attack", {"initiators": tuple(range(len(spans)))}),))
    assert sentence_from_json(json.loads(json.dumps(sentence_to_json(sentence)))) == sentence


@SHARED
@given(
    lines=st.lists(
        st.sampled_from(
            [
                "## a: b",
                "= none",
                "= attack i1 t2 p3",
                "[a1 x] y [l2 z]",
                "[a99999999 x]",
                f"[a{'9' * 5000} x]",
                "= attack i" + "9" * 5000,
                "\ufeff## x",
                "[",
                "=",
                "= ;",
            ]
        )
        | TEXTS,
        max_size=6,
    )
)
def test_any_markup_is_read_or_refused(tiny_ontology, lines, tmp_path):
    (tmp_path / "m.txt").write_text("\n".join(lines), "utf-8")
    for sentence in result(lambda: list(read_markup(tmp_path / "m.txt", tiny_ontology, "m")), "m.txt") or []:
        assert sentence.events or format_sentence(sentence, tiny_ontology).endswith("= none")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", b'{"text": "a", "text": "b"}', "x.jsonl:1: not JSON (the key 'text' stands twice"),
        ("x.jsonl", b'{"text": "a", "n": NaN}', "NaN is no JSON"),
        ("x.jsonl", b"[" * 100_000, "x.jsonl:1: not JSON"),
        ("x.jsonl", b'{"text": "a", "id": ["b"]}', "x.jsonl:1: 'id' holds list, needs text, a number or a date"),
        ("x.jsonl", rb'{"text": "a", "source": "\udc00"}', "lone surrogate"),
        ("x.jsonl", b'{"text": null}', "x.jsonl:1: 'text' holds nothing (null), needs text"),
        ("x.csv", b"text,id,text\na,b,c\n", "two columns are called 'text'"),
        ("x.csv", b"", "no column 'text'"),
        ("x.csv", "text\ncaf\u00e9".encode("latin-1"), "not UTF-8"),
    ],
)  # fmt: skip
def test_what_would_be_lost_silently_is_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read(tmp_path / name)
    assert message in str(error.value)


def test_two_parquet_columns_of_one_name_are_refused(tmp_path):
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="two columns are called 'text'"):
        read(tmp_path / "x.parquet")


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv", "parquet"])
def test_a_document_that_is_too_long_is_refused_by_every_reader(tmp_path, kind, monkeypatch):
    for module in (parse, rows):
        monkeypatch.setattr(module, "MAX_CHARACTERS", 1000)
    monkeypatch.setattr("tacitus.data.documents.MAX_CHARACTERS", 1000)
    text = "x" * 1001
    if kind == "parquet":
        pq.write_table(pa.table({"text": [text]}), tmp_path / "x.parquet")
    else:
        (tmp_path / f"x.{kind}").write_text(
            {"txt": text, "csv": f"text\n{text}\n", "jsonl": json.dumps({"text": text})}[kind]
        )
    with pytest.raises(InputError, match=r"characters; cut it|field larger"):
        read(tmp_path / f"x.{kind}")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell a process's peak memory")
def test_a_small_parquet_file_that_repeats_a_long_text_is_read_in_bounded_memory(tmp_path):
    n, length = 1000, 2_000_000
    long = pa.DictionaryArray.from_arrays(pa.array([0] * n, pa.int8()), pa.array(["war " * (length // 4)]))
    pq.write_table(pa.table({"text": long.cast(pa.dictionary(pa.int32(), pa.string()))}), tmp_path / "x.parquet")
    assert (tmp_path / "x.parquet").stat().st_size < 100_000
    code = (
        "import sys, pathlib; from tacitus.data.documents import read_documents\n"
        "print(sum(len(d.text) for d in read_documents([pathlib.Path(sys.argv[1])])))\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"  # getrusage would count the process that forked this one
        "print(status.partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.parquet")], capture_output=True, text=True, check=True
    )
    n_characters, peak_kib = map(int, done.stdout.split())
    assert n_characters == n * length
    assert peak_kib < 1 << 20


def test_a_column_that_unpacks_to_far_more_than_it_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "BATCH_BYTES", 1 << 20)
    pq.write_table(
        pa.table({"text": ["x" * (4 << 20)]}), tmp_path / "x.parquet", compression="zstd", use_dictionary=False
    )
    with pytest.raises(InputError, match="column 'text' unpacks from"):
        read(tmp_path / "x.parquet")


def test_lines_without_an_end_are_coded(extractor):
    """docs/hardening.md says what a megabyte of words takes."""
    documents = [Document("d", "rebels attacked police in juba , " * 1500), Document("e", "x" * 1_000_000)]
    coded = list(extractor.stream(documents))
    assert [c.document.id for c in coded] == ["d", "e"]
    assert sum(len(sentence.spans) for sentence in coded[0].sentences) > 1500


@pytest.mark.parametrize(
    "content", ["[" * 5000, "a: &a [x,x]\nb: *a", "!!python/object/apply:os.system [echo]", "\x00", "name: [1, 2"]
)
def test_a_hostile_ontology_is_one_line(tmp_path, content):
    (tmp_path / "o.yaml").write_text(content)
    with pytest.raises(TacitusError, match=r"o\.yaml"):
        load_ontology(tmp_path / "o.yaml")


def test_an_ontology_of_nested_aliases_is_refused_at_once(tmp_path):
    laughs = "a0: &a0 [lol]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
    (tmp_path / "o.yaml").write_text(laughs + "name: *a11\n")
    start = time.monotonic()
    with pytest.raises(TacitusError):
        load_ontology(tmp_path / "o.yaml")
    assert time.monotonic() - start < 20


def test_an_endless_line_of_records_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parse, "MAX_CHARACTERS", 1000)
    (tmp_path / "x.jsonl").write_text("x" * 5000)
    with pytest.raises(InputError, match=r"x\.jsonl:1: a line of more than 1,000 characters"):
        list(iter_sentences(tmp_path / "x.jsonl"))


HOSTILE = {
    "empty.txt": b"", "blank.txt": b" \n\t\r\n ", "nul.txt": b"\x00\x00a\x00", "bom.txt": b"\xef\xbb\xbfrebels attacked police .",
    "utf16.txt": "rebels".encode("utf-16"), "empty.jsonl": b"", "blank.csv": b"\n\n", "number.jsonl": b"3", "html.txt": b"<html><body>&lt;b",
    "numbers.csv": b"text\n1\n2\n", "twice.csv": b"id,text\na,x\na,y\n", "missing.csv": b"id,text\n,x\n,y\n", "wrong.csv": b"a;b\n1;2\n",
    "cut.parquet": b"PAR1", "escape.txt": b"\x1b]0;owned\x07rebels attacked police in juba .",
}  # fmt: skip
RESULTS = {
    "empty.txt",
    "blank.txt",
    "nul.txt",
    "bom.txt",
    "empty.jsonl",
    "html.txt",
    "numbers.csv",
    "missing.csv",
    "escape.txt",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_command_ends_in_a_result_or_one_line(name, tmp_path, tiny_checkpoint, monkeypatch, capsys):
    (tmp_path / name).write_bytes(HOSTILE[name])
    code, out = run(monkeypatch, capsys, "extract", tmp_path / name, "--model", tiny_checkpoint)
    if name in RESULTS:
        assert code == 0, out.err
        assert "event" in out.out
        assert "\x1b]" not in out.out
    else:
        assert code == 2
        assert out.err.splitlines()[-1].startswith("tacitus: ")
        assert name in out.err.splitlines()[-1]
        assert "Traceback" not in out.err


def test_a_file_name_that_is_no_utf8_is_read_and_written(tmp_path, tiny_checkpoint, monkeypatch, capsys):
    import os

    name = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    try:
        with open(name, "wb") as stream:
            stream.write(b"rebels attacked police in juba .")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    code, out = run(
        monkeypatch, capsys, "extract", os.fsdecode(name), "--model", tiny_checkpoint, "-o", tmp_path / "e.jsonl"
    )
    assert code == 0, out.err
    assert json.loads((tmp_path / "e.jsonl").read_text("utf-8"))["doc_id"] == "caf\\xe9"
    code, out = run(
        monkeypatch, capsys, "extract", os.fsdecode(name), "--model", tiny_checkpoint, "-o", tmp_path / "folder"
    )
    assert code == 0, out.err


def test_recipes_of_any_shape_are_one_line(tmp_path, monkeypatch, capsys):
    for i, content in enumerate([[], {"name": 1}, {"name": "x", "data": {"train": 3}}, {"nam": "x"}, None]):
        (tmp_path / f"r{i}.yaml").write_text(yaml.safe_dump(content))
        code, out = run(monkeypatch, capsys, "train", tmp_path / f"r{i}.yaml")
        assert (code, out.err.count("\n")) == (2, 1), out.err
