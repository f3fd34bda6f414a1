"""The benchmark runner: readers of other projects' files, and whole runs on tiny tasks."""

import json

import pytest

from tacitus.data.labelled import join_layers, read_classes, read_conll, read_indicators, to_whole_tokens
from tacitus.errors import InputError
from tacitus.evaluation.seeds import summary
from tacitus.metrics import prf
from tacitus.records import AnnotatedSentence, Event, Span
from tacitus.training.benchmark import Benchmark, example_f1

CONLL = "U.S. B-S\ntroops I-S\nattacked O\nrebels B-T\nvillagers B-T\n\npolice\tX\tI-S\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_conll_spans_are_the_tokens_of_their_tags(tmp_path):
    first, second = read_conll(write(tmp_path / "a.txt", CONLL))
    assert [(first.span_text(i), s.label) for i, s in enumerate(first.spans)] == [
        ("U.S. troops", "S"),
        ("rebels", "T"),
        ("villagers", "T"),
    ]
    assert (second.text, second.spans) == ("police", (Span(0, 6, "S"),))


def test_predicted_spans_widen_to_whole_tokens(tmp_path):
    (first, _) = read_conll(write(tmp_path / "a.txt", CONLL))
    cut = AnnotatedSentence(first.id, first.text, (Span(0, 3, "S"), Span(5, 8, "S"), Span(23, 25, "T")))
    assert [first.text[s.start : s.end] for s in to_whole_tokens(cut).spans] == ["U.S.", "troops", "rebels"]


def test_tables_of_classes_and_of_labels(tmp_path):
    (a, b) = read_classes(write(tmp_path / "c.tsv", "one\t0\ntwo\t1\n"), {"0": "calm", "1": "fight"})
    assert (a.event_types(), b.event_types(), a.spans) == ({"calm"}, {"fight"}, None)
    (c, d) = read_indicators(write(tmp_path / "l.tsv", "text\tbomb\traid\none\t0\t1\ntwo\t0\t0\n"), header=True)
    assert (c.event_types(), d.event_types()) == ({"raid"}, set())
    (g,) = read_classes(write(tmp_path / "h.tsv", "text\tkind\none\t0\n"), header=True)
    assert g.event_types() == {"0"}
    (e,) = read_indicators(write(tmp_path / "b.tsv", "one\t1\n"))
    assert e.event_types() == {"label-1"}


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_classes, "one\n", "bad:1: 1 columns"),
        (lambda path: read_classes(path, {"0": "calm"}), "one\t7\n", "class '7' is none of 0"),
        (read_indicators, "one\t1\t0\ntwo\t1\n", "bad:2: 1 label columns, needs 2"),
        (read_indicators, "one\t2\n", "label '2' is neither 0 nor 1"),
        (read_conll, "police\n", "bad:1: 'police' does not end in a tag"),
    ],
)
def test_a_bad_row_is_one_line(tmp_path, read, text, message):
    with pytest.raises(InputError, match=message.replace(":", ":").split(": ")[-1]) as caught:
        read(write(tmp_path / "bad", text))
    assert "\n" not in str(caught.value)


def test_tables_with_a_header_name_their_labels_and_other_tasks_take_none(tmp_path, tiny_encoder):
    for part in ("train", "dev", "test"):
        write(tmp_path / f"{part}.tsv", f"text\tbomb\traid\n{part} one\t0\t1\n{part} two\t1\t0\n")
    recipe = tiny_recipe(tmp_path, tiny_encoder)
    benchmark = Benchmark.prepare("labels", tmp_path, recipe, tmp_path / "out", header=True)
    assert benchmark.ontology.event_types == ["bomb", "raid"]
    assert [len(p) for p in (benchmark.parts.train, benchmark.parts.dev, benchmark.parts.test)] == [2, 2, 2]
    with pytest.raises(InputError, match="re3d: its files have no header"):
        Benchmark.prepare("re3d", tmp_path, recipe, tmp_path / "out", header=True)


def test_layers_of_one_text_are_joined():
    spans = [AnnotatedSentence("a", "U.S. , rebels", (Span(0, 4, "S"),))]
    classes = [
        AnnotatedSentence("b", "U.S., rebels", None, (Event("fight"),)),
        AnnotatedSentence("c", "alone", None, (Event("calm"),)),
    ]
    joined = join_layers(spans, classes)
    assert [(s.id, s.spans is None, s.event_types()) for s in joined] == [
        ("a", False, {"fight"}),
        ("c", True, {"calm"}),
    ]


def test_example_f1_counts_two_empty_sides_as_right():
    def marked(*kinds):
        return AnnotatedSentence("x", "x", None, tuple(map(Event, kinds)))

    pairs = [(marked(), marked()), (marked("a", "b"), marked("a")), (marked("a"), marked())]
    assert example_f1(pairs) == pytest.approx((1 + prf((1, 0, 1)).f1 + 0) / 3)
    assert summary([0.1, 0.3]) == {"mean": 0.2, "sd": 0.1414, "values": [0.1, 0.3]}


def tiny_recipe(folder, encoder):
    return write(
        folder / "recipe.yaml",
        f"model: {{encoder: {encoder}, max_tokens: 64, head_dropout: 0.0}}\n"
        "optim: {epochs: 12, batch_size: 8, head_learning_rate: 5.0e-3}\nrun: {bf16: false, device: cpu}\n",
    )


def sides(i):
    return ["rebels", "police", "troops", "villagers"][i % 4], ["juba", "goma", "mosul"][i % 3]


def test_a_span_task_is_learned_and_a_second_call_scores_nothing_again(tmp_path, tiny_encoder):
    def sentences(numbers):
        return "\n".join(f"{a} B-S\nattacked O\nin O\n{p} B-P\n" for a, p in map(sides, numbers))

    write(tmp_path / "train.txt", sentences(range(0, 24, 2)))
    write(tmp_path / "dev.txt", sentences([1, 3]) + "\nguards B-S\nrose O\n")
    write(tmp_path / "test.txt", sentences([5, 7]) + "\nguards B-S\nagain O\n")
    benchmark = Benchmark.prepare("conll", tmp_path, tiny_recipe(tmp_path, tiny_encoder), tmp_path / "out")
    result = benchmark.run([3e-3], [1, 2])
    assert result["test"]["span_micro_f1"]["mean"] > 0.7
    assert len(result["test"]["span_micro_f1"]["values"]) == 2
    kept = tmp_path / "out" / "runs" / "rate-0.003-seed-2" / "test.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"span_micro_f1": 0.0}))
    assert benchmark.run([3e-3], [1, 2])["test"]["span_micro_f1"]["values"][1] == 0.0


def test_a_class_task_sets_a_dev_part_apart_and_trains_on_no_held_out_text(tmp_path, tiny_encoder):
    rows = [f"{a} {verb} {p} {i % 5}\t{kind}" for i in range(40) for a, p in [sides(i)]
            for kind, verb in [("fight", "attacked") if i % 2 else ("deal", "signed")]]  # fmt: skip
    write(tmp_path / "train.tsv", "\n".join(rows))
    write(tmp_path / "test.tsv", "\n".join(rows[:6]) + "\nguards attacked goma\tfight\n")
    recipe = tiny_recipe(tmp_path, tiny_encoder)
    benchmark = Benchmark.prepare("classes", tmp_path, recipe, tmp_path / "out", ("optim.epochs=40",))
    texts = [{s.text for s in part} for part in (benchmark.parts.train, benchmark.parts.dev, benchmark.parts.test)]
    assert len(benchmark.parts.dev) == 6
    assert not texts[0] & (texts[1] | texts[2])
    assert benchmark.run([3e-3], [1])["test"]["event_macro_f1"]["mean"] > 0.7
