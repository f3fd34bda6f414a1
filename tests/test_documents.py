import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tacitus.data.documents import Columns, find_inputs, read_documents
from tacitus.errors import InputError
from tacitus.sentences import split_sentences

ROWS = [
    {"id": "a", "text": "One.", "date": "2020-01-02", "source": "X"},
    {"id": "b", "text": 'Two, "quoted"\nand broken.', "date": None, "source": None},
]


def read(*paths, columns=Columns()):
    files, _ = find_inputs(paths)
    return list(read_documents(files, columns))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "c.txt").write_text("Three.")
    (tmp_path / "r.jsonl").write_text("\n".join(json.dumps(r) for r in ROWS))
    (tmp_path / "notes.md").write_text("not a report")
    return tmp_path


def test_every_kind_gives_the_same_documents(tmp_path):
    (tmp_path / "r.jsonl").write_text("\ufeff" + "\n".join(json.dumps(r) for r in ROWS))
    (tmp_path / "r.csv").write_text('id,text,date,source\na,One.,2020-01-02,X\nb,"Two, ""quoted""\nand broken.",,\n')
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "r.parquet")
    for name in ("r.jsonl", "r.csv", "r.parquet"):
        assert [(d.id, d.text, d.date, d.source) for d in read(tmp_path / name)] == [
            tuple(r[k] for k in ("id", "text", "date", "source")) for r in ROWS
        ]


def test_a_folder_is_read_in_order_and_says_what_it_left_out(folder):
    files, skipped = find_inputs([folder])
    assert [f.name for f in files] == ["c.txt", "r.jsonl"]
    assert [f.name for f in skipped] == ["notes.md"]
    assert [d.id for d in read_documents(files)] == ["c", "a", "b"]


def test_rows_without_id_are_named_by_file_and_line(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"body": "Hi."}\n\n{"body": "Ho."}\n')
    assert [d.id for d in read(tmp_path / "x.jsonl", columns=Columns(text="body"))] == ["x.jsonl:1", "x.jsonl:3"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", b'{"texts": "a"}', "x.jsonl:1: no column 'text' (did you mean 'texts'?)"),
        ("x.jsonl", b'{"text": 3}', "'text' holds int, needs text"),
        ("x.jsonl", b"[1]", "not a JSON object"),
        ("x.jsonl", b"{", "x.jsonl:1: not JSON"),
        ("x.jsonl", b'{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}', "x.jsonl:2: document id 'a' stands twice"),
        ("x.csv", b"id,text\na\n", "x.csv:2: this row has another number of columns"),
        ("x.csv", b'id,text\na,"b\n', "not valid CSV"),
        ("x.csv", b"id,body\na,b\n", "no column 'text'"),
        ("x.txt", b"caf\xe9", "x.txt: not UTF-8; convert it"),
        ("x.jsonl", rb'{"text": "Rebels \ud800 fled."}', "x.jsonl:1: document 'x.jsonl:1' holds a lone surrogate"),
        ("x.jsonl", b'{"text": "a", "n": ' + b"9" * 5000 + b"}", "x.jsonl:1: not JSON"),
        ("x.csv", b"id,body\n", "no column 'text'"),
        ("x.json", b"{}", ".json files are not read"),
        ("x.parquet", b"PAR1 not really", "not a readable Parquet file"),
    ],
)
def test_a_bad_input_is_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        read(tmp_path / name)
    assert message in str(error.value)


def test_missing_inputs_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        find_inputs([tmp_path / "nothing"])
    with pytest.raises(InputError, match=r"no \.txt"):
        find_inputs([tmp_path])


@pytest.mark.parametrize(
    "text",
    [
        "Gen. A. B. Smith spoke at 5 p.m. in the U.S. capital. He left.\n\nNew paragraph \U0001f600. End",
        "\r\n\r\n  x \t.\f\n\u2028y\u2029",
        "a\u0301b. \u0645\u0631\u062d\u0628\u0627. \x00 c",
        "",
    ],
)
def test_sentences_tile_the_document(text):
    sentences = split_sentences(text)
    at = 0
    for start, end in sentences:
        assert not text[at:start].replace("\x00", "").strip()
        assert text[start:end].strip() == text[start:end] != ""
        at = end
    assert not text[at:].replace("\x00", "").strip()


def test_files_of_one_name_in_two_folders_keep_apart_and_hidden_ones_stay_out(tmp_path):
    for name in ("x/report.txt", "y/report.txt", ".git/report.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [d.text for d in read(tmp_path)] == ["x/report.txt", "y/report.txt"]
    assert [d.text for d in read(tmp_path / "*" / "report.txt")] == ["x/report.txt", "y/report.txt"]


def test_a_text_in_place_of_a_path_is_no_traceback():
    with pytest.raises(InputError, match="no such file"):
        find_inputs(["Rebels shelled Juba. " * 300])
