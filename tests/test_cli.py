"""The command line as a user meets it: results on standard output, one line for each mistake, exit codes."""

import csv
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest


def tacitus(*arguments, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "tacitus.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        input=stdin,
        check=False,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / "report.jsonl"
    rows = [
        {
            "id": "r1",
            "text": "rebels attacked police in juba . prices rose .",
            "date": "2020-01-02",
            "source": "Agency",
        },
        {"id": "r2", "text": ""},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_help_is_quick_and_names_the_commands():
    done = tacitus("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("extract", "predict", "evaluate", "train", "annotations"))


def test_extract_prints_a_table(report, tiny_checkpoint):
    done = tacitus("extract", report, "--model", tiny_checkpoint)
    assert done.returncode == 0, done.stderr
    assert "r1  2020-01-02" in done.stdout
    assert all(word in done.stdout for word in ("attack", "rebels", "police", "juba", "1 event"))


def test_extract_reads_standard_input(tiny_checkpoint):
    done = tacitus("extract", "-", "--model", tiny_checkpoint, stdin="rebels attacked police in juba .")
    assert "stdin" in done.stdout


def test_extract_writes_the_same_events_in_every_format(report, tiny_checkpoint, tmp_path):
    for kind in ("jsonl", "csv", "parquet"):
        done = tacitus("extract", report, "--model", tiny_checkpoint, "-o", tmp_path / f"e.{kind}")
        assert done.returncode == 0, done.stderr
    (event,) = map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines())
    assert list(event) == ["event_id", "doc_id", "sentence_index", "event_date", "disorder_type", "event_type", "sub_event_type",
                           "initiators", "targets", "places", "confidence", "text", "source"]  # fmt: skip
    assert (event["event_date"], event["source"], event["sub_event_type"], event["event_type"]) == (
        "2020-01-02",
        "Agency",
        "attack",
        "force",
    )
    assert [p["text"] for p in event["initiators"]] == ["rebels"]
    assert pq.read_table(tmp_path / "e.parquet").to_pylist() == [event]
    (row,) = csv.DictReader((tmp_path / "e.csv").open())
    assert (row["actor1"], row["actor2"], row["location"], row["notes"]) == ("rebels", "police", "juba", event["text"])


def test_extract_for_scripts_prints_events_alone(report, tiny_checkpoint, tmp_path):
    tacitus("extract", report, "-m", tiny_checkpoint, "-o", tmp_path / "e.jsonl", "--quiet")
    done = tacitus("extract", report, "-m", tiny_checkpoint, "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (tmp_path / "e.jsonl").read_text() != ""


def test_extract_writes_a_page_beside_the_events(report, tiny_checkpoint, tmp_path):
    result = tacitus(
        "extract", report, "-m", tiny_checkpoint, "-o", tmp_path / "e.jsonl", "--html", tmp_path / "e.html"
    )
    assert result.returncode == 0, result.stderr
    alone = tacitus("extract", report, "-m", tiny_checkpoint, "--html", tmp_path / "alone.html")
    assert alone.returncode == 0, alone.stderr
    assert (tmp_path / "e.html").read_text() == (tmp_path / "alone.html").read_text()
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) == (tmp_path / "e.html").read_text().count(
        '"confidence":'
    )


def test_predict_then_evaluate(tiny_task, tiny_checkpoint, tmp_path):
    done = tacitus(
        "predict", tiny_task / "dev.jsonl", "-o", tmp_path / "p.jsonl", "--model", tiny_checkpoint, "--scores"
    )
    assert done.returncode == 0, done.stderr
    gold = [json.loads(line) for line in (tiny_task / "dev.jsonl").read_text().splitlines()]
    found = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert [g["id"] for g in gold] == [f["id"] for f in found]
    assert all(set(f["event_scores"]) == {"attack", "capture", "deal"} for f in found)
    one = tacitus(
        "evaluate",
        tiny_task / "dev.jsonl",
        tmp_path / "p.jsonl",
        "--ontology",
        tiny_task / "ontology.yaml",
        "--json",
        tmp_path / "m.json",
    )
    two = tacitus("evaluate", tiny_task / "dev.jsonl", "--model", tiny_checkpoint)
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert one.stdout == two.stdout
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert metrics["inputs"]["gold"]["sha256"]
    assert f"{metrics['headline']['event_micro_f1']:.3f}" in one.stdout


def test_train_overrides_and_finishes(tiny_task, tmp_path):
    done = tacitus("train", tiny_task / "recipe.yaml", f"run.output={tmp_path / 'r'}", "optim.epochs=1")
    assert done.returncode == 0, done.stderr
    assert "event_micro_f1" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["extract", "/no/such"], "no such file or folder"),
        (["extract", "{report}", "-o", "{tmp}/e.xlsx"], "unknown kind '.xlsx'"),
        (["extract", "{report}", "-o", "{report}"], "is an input too"),
        (["extract", "{report}", "-o", "{tmp}/e.csv", "--json"], "leave it or --output out"),
        (["extract", "{report}", "--model", "{model}t"], "did you mean 'checkpoint'?"),
        (["extract", "{report}", "--model", "{model}", "--runtime", "onx"], "did you mean 'onnx'?"),
        (
            ["extract", "{report}", "--text-column", "body", "--model", "{model}", "-o", "{tmp}/e.csv"],
            "no column 'body'",
        ),
        (["extract", "{report}", "--model", "/no/such"], "no such checkpoint folder"),
        (["predict", "{report}", "-o", "{tmp}/p.jsonl"], "report.jsonl:1: 'spans' is missing"),
        (["evaluate", "{report}"], "either a file of predictions or --model"),
        (["train", "/no/such.yaml"], "cannot read the recipe"),
        (["annotations", "check", "{tmp}"], "no JSONL file here"),
        (["convert", "{report}", "-o", "{tmp}/c.conll"], "could be tacitus, doccano, prodigy; say which with --from"),
        (["convert", "{report}", "-o", "{report}", "--from", "doccano"], "is the input too"),
        (
            ["convert", "{report}", "-o", "{tmp}/c.jsonl", "--from", "doccano", "--map", "A=B"],
            "no label 'A' in the file",
        ),
        (["convert", "/no/such", "-o", "{tmp}/c.jsonl", "--from", "cas"], "no such file"),
        (["ontology", "{report}", "-o", "{tmp}/o.yaml"], "report.jsonl:1: 'spans' is missing"),
    ],
)
def test_a_mistake_is_one_line_exit_2_and_nothing_half_written(arguments, message, report, tiny_checkpoint, tmp_path):
    filled = [a.format(report=report, tmp=tmp_path, model=tiny_checkpoint) for a in arguments]
    done = tacitus(*filled)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("tacitus: ")
    assert list(tmp_path.iterdir()) == []


def test_convert_maps_labels_checks_them_and_says_what_it_lost(tiny_task, tmp_path):
    done = tacitus("convert", tiny_task / "dev.jsonl", "--from", "tacitus", "-o", tmp_path / "d.conll")
    assert done.returncode == 0
    assert "not kept: " in done.stderr
    n_events = (tiny_task / "dev.jsonl").read_text().count('"type"')
    assert f"events: {n_events}" in done.stderr
    ontology = ["--ontology", tiny_task / "ontology.yaml"]
    wrong = tacitus("convert", tmp_path / "d.conll", "-o", tmp_path / "d.jsonl", "--map", "ACTOR=ORG", *ontology)
    assert (wrong.returncode, "'tiny' does not know: span labels ORG;" in wrong.stderr) == (2, True)
    assert not (tmp_path / "d.jsonl").exists()
    right = tacitus("convert", tmp_path / "d.conll", "-o", tmp_path / "d.jsonl", "--map", "LOCATION=", *ontology)
    assert (right.returncode, right.stderr.count("LOCATION left out by --map: ")) == (0, 1)
    made = tacitus("ontology", tmp_path / "d.jsonl", "--name", "mine")
    assert made.stdout == "name: mine\nspan_labels:\n- id: ACTOR\n"


def test_skip_invalid_writes_what_it_rejected(tiny_task, tiny_checkpoint, tmp_path):
    lines = (tiny_task / "dev.jsonl").read_text().splitlines()
    (tmp_path / "g.jsonl").write_text("\n".join([lines[0], "{", lines[1]]))
    done = tacitus(
        "predict", tmp_path / "g.jsonl", "-o", tmp_path / "p.jsonl", "--model", tiny_checkpoint, "--skip-invalid"
    )
    assert done.returncode == 0
    assert "1 of 3 lines rejected" in done.stderr
    (row,) = map(json.loads, (tmp_path / "p.jsonl.rejected.jsonl").read_text().splitlines())
    assert row["line"] == 2
    assert len((tmp_path / "p.jsonl").read_text().splitlines()) == 2
