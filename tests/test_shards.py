"""A folder of shards: a run killed at any moment and started again gives the rows of an uninterrupted one."""

import json
import os
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from tacitus.data.documents import Document
from tacitus.errors import OutputError
from tacitus.events import CodedDocument
from tacitus.records import AnnotatedSentence, Event
from tacitus.shards import write_shards

RUN = {"inputs": ["a"]}


def documents(n):
    return [Document(f"d{i}", f"text {i}") for i in range(n)]


def code(documents):
    """One event for every document but each third."""
    for d in documents:
        events = () if int(d.id[1:]) % 3 == 0 else (Event("attack", {}, 0.5),)
        yield CodedDocument(d, [AnnotatedSentence(f"{d.id}-s00", d.text, (), events)], [0])


def ids(folder):
    return [r["doc_id"] for f in sorted(folder.glob("part-*")) for r in pq.read_table(f).to_pylist()]


def write(folder, n, ontology, run=RUN, code=code, size=4):
    return write_shards(folder, documents(n), code, ontology, run, lambda record: True, size)


EXPECTED = [f"d{i}" for i in range(22) if i % 3]


@pytest.mark.parametrize("stop_after", [0, 1, 4, 5, 11, 21])
def test_an_interrupted_run_ends_with_the_same_rows(tmp_path, tiny_ontology, stop_after):
    def stopping(documents):
        for coded in code(documents):
            if coded.document.id == f"d{stop_after}":
                raise KeyboardInterrupt
            yield coded

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "e", 22, tiny_ontology, code=stopping)
    (tmp_path / "e" / f".part-{stop_after // 4:06d}.parquet.x.partial").touch()  # as SIGKILL leaves it
    _, n_done = write(tmp_path / "e", 22, tiny_ontology)
    assert n_done == stop_after // 4
    assert ids(tmp_path / "e") == EXPECTED
    assert not list((tmp_path / "e").glob(".part*"))
    assert write(tmp_path / "e", 22, tiny_ontology) == (0, 6)


def test_another_run_or_foreign_files_are_refused(tmp_path, tiny_ontology):
    write(tmp_path / "e", 3, tiny_ontology)
    with pytest.raises(OutputError, match="holds a run with another 'inputs'"):
        write(tmp_path / "e", 3, tiny_ontology, run={"inputs": ["b"]})
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "mine.txt").touch()
    with pytest.raises(OutputError, match="not a run's folder"):
        write(tmp_path / "f", 3, tiny_ontology)


def test_a_killed_command_continues(tiny_checkpoint, tiny_sentences, tmp_path):
    rows = [{"id": f"d{i}", "text": tiny_sentences[i % 48].text} for i in range(1200)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "tacitus.cli.main", "extract", "in.jsonl", "--model", str(tiny_checkpoint)]
    command += ["--runtime", "pytorch", "--shard-documents", "60", "-o"]
    killed = subprocess.Popen([*command, "killed"], cwd=tmp_path, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not (tmp_path / "killed" / "part-000001.parquet").exists():
        assert killed.poll() is None, killed.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    n_before = len(list((tmp_path / "killed").glob("part-*")))
    assert n_before < 20
    for folder in ("killed", "whole"):
        done = subprocess.run([*command, folder], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert ids(tmp_path / "killed") == ids(tmp_path / "whole")
    assert len(ids(tmp_path / "whole")) > 800
