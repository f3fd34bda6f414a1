"""Full disks, folders that cannot be written, files that vanish or grow, too little memory, kills at every file step."""

import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
import torch

from tacitus.cli.main import main
from tacitus.data.documents import Document, read_documents
from tacitus.errors import InputError, OutputError, RecipeError, TacitusError
from tacitus.event_files import write_events
from tacitus.events import CodedDocument, all_events
from tacitus.extractor import Extractor
from tacitus.files import atomic_text
from tacitus.records import AnnotatedSentence, Event
from tacitus.shards import write_shards
from tacitus.training.faults import explained
from tacitus.training.recipe import load_recipe
from tacitus.training.run import train

FILE_STEPS = {"open", "os.rename", "os.remove", "os.mkdir", "os.chmod"}


def code(documents):
    for d in documents:
        yield CodedDocument(d, [AnnotatedSentence(d.id, d.text, (), (Event("attack", {}, 0.5),))], [0])


def write(kind, out, ontology):
    documents = [Document(f"d{i}", f"text {i}") for i in range(7)]
    if kind == "folder":
        write_shards(out, documents, code, ontology, {"inputs": "a"}, lambda record: True, 3)
    else:
        write_events(out, all_events(code(documents), ontology), ontology)


def killed_at(step, kind, out, ontology):
    """Whether a process that writes was killed at its n-th file step, or came to its end before."""
    pid = os.fork()
    if not pid:
        steps = itertools.count(1)

        def die(event, arguments):
            if event in FILE_STEPS and str(out.parent) in str(arguments[0]) and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die)
        try:
            write(kind, out, ontology)
        except BaseException:
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_kill_at_any_file_step_loses_and_doubles_nothing(kind, tiny_ontology, tmp_path):
    """Each run dies one step later than the one before and finds what that one left."""
    out = tmp_path / "home" / ("events" if kind == "folder" else "events.parquet")
    n_kills = next(step - 1 for step in range(1, 40) if not killed_at(step, kind, out, tiny_ontology))
    assert n_kills >= 4
    files = sorted(out.glob("part-*")) if kind == "folder" else [out]
    assert [r["doc_id"] for f in files for r in pq.read_table(f).to_pylist()] == [f"d{i}" for i in range(7)]
    assert not [p for p in out.parent.rglob("*") if p.name.endswith(".partial")]


def test_a_writer_alive_keeps_its_half_file(tmp_path):
    with atomic_text(tmp_path / "x.txt") as first:
        first.write("first")
        with atomic_text(tmp_path / "x.txt") as second:
            second.write("second")
        assert (tmp_path / "x.txt").read_text() == "second"
    assert (tmp_path / "x.txt").read_text() == "first"
    assert os.listdir(tmp_path) == ["x.txt"]


@pytest.fixture(scope="module")
def reports(tmp_path_factory, tiny_sentences):
    path = tmp_path_factory.mktemp("in") / "reports.jsonl"
    path.write_text("".join(json.dumps({"text": s.text}) + "\n" for s in tiny_sentences * 10))
    return path


def tacitus(monkeypatch, *arguments):
    """Exit code of the command, in this process."""
    monkeypatch.setattr(sys, "argv", ["tacitus", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    return done.value.code or 0


@contextmanager
def full_disk(n_bytes):
    """A limit on the size of files stands in for a full disk: writes fail in the middle."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("output", ["e.jsonl", "events"])
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    output, reports, tiny_checkpoint, tmp_path, monkeypatch, capsys
):
    with full_disk(4000):
        code = tacitus(monkeypatch, "extract", reports, "--model", tiny_checkpoint, "-o", tmp_path / output)
    error = capsys.readouterr().err.splitlines()[-1]
    assert code == 2, error
    assert error.startswith("tacitus: ")
    assert "cannot write (" in error
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "_run.json"]


def test_standard_output_that_is_full_is_one_line():
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    command = [sys.executable, "-m", "tacitus.cli.main", "annotate", "config"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


@pytest.mark.parametrize("output", ["/proc/tacitus/e.jsonl", "/dev/full"])
def test_an_output_that_cannot_be_written_is_one_line(output):
    with pytest.raises(OutputError, match="cannot write"), atomic_text(output) as stream:
        stream.write("x" * 100_000)


@pytest.mark.parametrize("kind", ["txt", "jsonl", "csv", "parquet"])
def test_a_file_that_vanishes_is_one_line(kind, tmp_path):
    with pytest.raises(InputError, match=rf"gone\.{kind}: cannot read"):
        list(read_documents([tmp_path / f"gone.{kind}"]))


def test_a_file_that_vanishes_after_it_was_found_is_one_line(tmp_path, tiny_checkpoint, monkeypatch, capsys):
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "a"}\n')
    load = Extractor.load
    monkeypatch.setattr(Extractor, "load", lambda *a, **k: (path.unlink(), load(*a, **k))[1])
    assert tacitus(monkeypatch, "extract", path, "--model", tiny_checkpoint, "-o", tmp_path / "e") == 2
    assert "cannot read (No such file" in capsys.readouterr().err


def test_a_file_that_grows_gives_whole_rows_or_names_the_half_one(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "a"}\n' * 10_000)
    documents = read_documents([path])
    next(documents)
    with path.open("a") as stream:
        stream.write('{"text": "b"}\n{"text": "half')
        stream.flush()
        with pytest.raises(InputError, match=r"x\.jsonl:10002: not JSON"):
            list(documents)


def test_a_batch_that_does_not_fit_is_halved_and_gives_the_same(tiny_checkpoint, tiny_sentences, monkeypatch):
    extractor = Extractor.load(tiny_checkpoint, "cpu", runtime="pytorch")
    expected = extractor.predict(tiny_sentences)
    forward, sizes = extractor.runtime.model.forward, []

    def small_memory(**batch):
        sizes.append(len(batch["input_ids"]))
        if sizes[-1] > 4:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return forward(**batch)

    monkeypatch.setattr(extractor.runtime.model, "forward", small_memory)
    assert [p.event_types() for p in extractor.predict(tiny_sentences)] == [p.event_types() for p in expected]
    assert [[s.key for s in p.spans] for p in extractor.predict(tiny_sentences)] == [
        [s.key for s in p.spans] for p in expected
    ]
    assert max(sizes) > 4


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_window_that_does_not_fit_is_one_line_and_other_errors_pass(tiny_checkpoint, monkeypatch, error):
    extractor = Extractor.load(tiny_checkpoint, "cpu", runtime="pytorch")

    def fail(**batch):
        raise error

    monkeypatch.setattr(extractor.runtime.model, "forward", fail)
    with pytest.raises(TacitusError, match="not enough memory on cpu for one window"):
        extractor.extract(["rebels attacked police ."])
    error = RuntimeError("shapes do not match")
    with pytest.raises(RuntimeError, match="shapes"):
        extractor.extract(["rebels attacked police ."])


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (OSError(28, "No space left on device"), OutputError, "No space left on device.*same command again"),
        (RuntimeError("[enforce fail] . PytorchStreamWriter failed writing file"), OutputError, "disk is full"),
        (torch.OutOfMemoryError("CUDA out of memory"), RecipeError, "halve optim.batch_size"),
        (RuntimeError("a bug"), RuntimeError, "a bug"),
    ],
)
def test_what_a_training_run_meets_is_explained(error, kind, message, tmp_path):
    with pytest.raises(kind, match=message), explained(tmp_path):
        raise error


def test_training_on_a_full_disk_is_one_line_and_continues_when_there_is_room(tiny_task, tmp_path):
    recipe = load_recipe(tiny_task / "recipe.yaml", [f"run.output={tmp_path / 'r'}", "optim.epochs=1"])
    with full_disk(60_000), pytest.raises(OutputError, match=r"cannot write .*same command again"):
        train(recipe)
    assert train(recipe)["headline"]


def test_a_run_killed_while_it_tidied_up_is_finished_by_the_same_command(tiny_task, tmp_path, monkeypatch):
    recipe = load_recipe(tiny_task / "recipe.yaml", [f"run.output={tmp_path / 'r'}", "optim.epochs=1"])
    monkeypatch.setattr("tacitus.training.run._tidy", lambda *_: None)
    metrics = train(recipe)
    assert (tmp_path / "r" / "state.json").exists()
    monkeypatch.undo()
    assert train(recipe)["headline"] == metrics["headline"]
    assert not (tmp_path / "r" / "state.json").exists()
    assert not (tmp_path / "r" / "checkpoints").exists()
    with pytest.raises(RecipeError, match="holds a finished run"):
        train(recipe)
