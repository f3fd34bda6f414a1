"""``tacitus annotate review``: likely label errors, for another look."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tacitus.cli.annotations import OntologyOption
from tacitus.errors import InputError, require

if TYPE_CHECKING:
    from tacitus.annotation.review import Suspicion
    from tacitus.extractor import Extractor
    from tacitus.ontology import Ontology
    from tacitus.records import AnnotatedSentence


def review(
    file: Annotated[Path, typer.Argument(help="Annotated sentences (JSONL).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Suspected labels (JSONL), likeliest errors first.")],
    recipe: Annotated[
        Path | None, typer.Option(help="Train one model per fold by this recipe; its data part is not looked at.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Parts that are held out in turn.")] = 5,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Instead: a checkpoint that was not trained on FILE.")
    ] = None,
    sentences: Annotated[
        Path | None, typer.Option(help="Also write the suspected sentences, for 'annotate push --select order'.")
    ] = None,
    ontology: OntologyOption = None,
) -> None:
    """Rank labels by how little models that did not learn from them believe them."""
    from tacitus.annotation.review import rank, suspicions
    from tacitus.data.jsonl import read_sentences, write_sentences
    from tacitus.extractor import Extractor
    from tacitus.files import atomic_text
    from tacitus.ontology import load_ontology

    if (recipe is None) == (model is None):
        raise InputError("give --recipe to train on the other folds, or --model with a checkpoint that never saw FILE")
    used = load_ontology(ontology)
    gold = read_sentences(file, used)
    found: list[Suspicion] = []
    if recipe is None:
        found = suspicions(Extractor.load(model), gold)
    else:
        require("datasets", "train")
        for extractor, held_out in _folds(gold, recipe, folds, used):
            found.extend(suspicions(extractor, held_out))
    found = rank(found)
    with atomic_text(output) as stream:
        stream.writelines(json.dumps(s.to_json(), ensure_ascii=False) + "\n" for s in found)
    suspected = list({s.sentence.id: s.sentence for s in found}.values())
    if sentences:
        write_sentences(sentences, suspected)
    typer.echo(f"{len(found)} labels in {len(suspected)} of {len(gold)} sentences suspected, in {output}", err=True)


def _folds(
    gold: Sequence[AnnotatedSentence], recipe: Path, folds: int, ontology: Ontology
) -> Iterator[tuple[Extractor, list[AnnotatedSentence]]]:
    import yaml

    from tacitus.annotation.review import cross_validated
    from tacitus.data.jsonl import write_sentences
    from tacitus.extractor import Extractor
    from tacitus.training.recipe import load_recipe
    from tacitus.training.run import train

    parsed = load_recipe(recipe)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "ontology.yaml").write_text(yaml.safe_dump(ontology.to_dict()), encoding="utf-8")

        def fit(rest: Sequence[AnnotatedSentence], held_out: Sequence[AnnotatedSentence]) -> Extractor:
            run = folder / f"run-{len(list(folder.iterdir()))}"
            seen = {s.text for s in held_out}
            kept = [s for s in rest if s.text not in seen]
            # Every tenth document of the rest chooses the epoch and fits thresholds; the fold itself is not looked at.
            inner = sorted({s.document for s in kept})[::10]
            dev_texts = {s.text for s in kept if s.document in inner}
            write_sentences(folder / "dev.jsonl", [s for s in kept if s.document in inner])
            write_sentences(folder / "train.jsonl", [s for s in kept if s.text not in dev_texts])
            data = {"train": (str(folder / "train.jsonl"),), "dev": str(folder / "dev.jsonl"), "calibration": None}
            data |= {"ontology": str(folder / "ontology.yaml"), "max_train_sentences": None}
            train(
                parsed.model_copy(
                    update={
                        "data": parsed.data.model_copy(update=data),
                        "run": parsed.run.model_copy(update={"output": str(run)}),
                    }
                )
            )
            return Extractor.load(run)

        yield from cross_validated(gold, fit, folds)
